package weblogin

import (
	"context"
	"time"
)

const maxHeld = 4_096 // refusals that wait at once; beyond that they leave

// hold keeps a refusal back until the first multiple of RejectDelay after the
// request came at which it is ready, so that the time it takes does not tell
// why it was refused.
func (s *Server) hold(ctx context.Context, came, ready time.Time) {
	if s.RejectDelay < 0 {
		return
	}
	if s.held.Add(1) <= maxHeld {
		now := s.Now()
		if ready.Before(now) {
			ready = now
		}
		steps := max(1, (ready.Sub(came)+s.RejectDelay-1)/s.RejectDelay)
		s.Wait(ctx, came.Add(steps*s.RejectDelay).Sub(now))
	}
	s.held.Add(-1)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
