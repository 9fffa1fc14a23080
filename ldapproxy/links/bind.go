package links

import (
	"context"
	"fmt"
	"time"

	"sekisho/ldapproxy/wire"
)

// BindRequest is a simple bind to be sent.
type BindRequest struct {
	App      string // whose client asks
	ID       int32  // of the message; never 0
	DN       string
	Password []byte
	Controls []byte // the whole element; nil: none
}

// BindAnswer is what the server said to it.
type BindAnswer struct {
	Frame      []byte // as it came; the caller's
	Code       int
	Diagnostic string
	Policy     []byte // value of the password policy's response control; nil: none
	Expired    bool   // it has the control that says so
}

// bind sends a bind and waits for the answer. After an error the link has
// ended; errStale means that it could be tried on another one.
func (l *Link) bind(ctx context.Context, r BindRequest) (BindAnswer, error) {
	if r.ID == 0 {
		return BindAnswer{}, errForeign
	}
	l.mu.Lock()
	used := l.owner != nil || len(l.ops) > 0
	l.binding, l.heard = r.ID, false
	l.setUntil(time.Now().Add(l.pool.dir.Answer))
	l.mu.Unlock()
	if used { // as somebody else, who would then be this one
		l.Close()
		return BindAnswer{}, errForeign
	}
	l.marked = true
	l.room()
	*l.out = wire.AppendBind(*l.out, r.ID, r.DN, r.Password, r.Controls)
	if err := l.Flush(); err != nil {
		return BindAnswer{}, l.stale(err)
	}
	select {
	case a, ok := <-l.answer:
		if !ok {
			return BindAnswer{}, l.stale(nil)
		}
		l.used = true
		return a, nil
	case <-ctx.Done():
		l.Close()
		return BindAnswer{}, ctx.Err()
	}
}

// stale tells of a bind that had no answer.
func (l *Link) stale(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.used && !l.heard && !l.overdue():
		return fmt.Errorf("%w: %w", ErrAway, errStale)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return fmt.Errorf("%w: no answer from %s", ErrAway, l.name)
}
