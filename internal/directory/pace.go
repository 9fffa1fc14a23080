package directory

import (
	"context"
	"time"
)

const paceKept = 32

// pace is how long something took lately.
type pace []time.Duration

func (p *pace) note(d time.Duration) {
	if len(*p) == paceKept {
		*p = append((*p)[:0], (*p)[1:]...)
	}
	*p = append(*p, d)
}

// of is one of those, for one number always the same place among them.
func (p pace) of(number uint64, usual time.Duration) time.Duration {
	if len(p) == 0 {
		return usual
	}
	return p[number%uint64(len(p))]
}

// wait lets time pass.
func (u *Upstream) wait(ctx context.Context, d time.Duration) error {
	after := u.After
	if after == nil {
		after = time.After
	}
	select {
	case <-after(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
