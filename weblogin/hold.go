package weblogin

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"sekisho/gate"
)

// Refusals that wait at once, in all and of one source; what comes beyond
// leaves at once.
const (
	maxHeld   = 4_096
	heldShare = 256
)

// held counts the refusals that are held back. The zero held is ready.
type held struct {
	mu  sync.Mutex
	all int
	of  map[netip.Prefix]int
}

// hold keeps a refusal back until the first multiple of RejectDelay after the
// request came at which it is ready, so that the time it takes does not tell
// why it was refused.
func (s *Server) hold(ctx context.Context, source gate.Source, came, ready time.Time) {
	if s.RejectDelay < 0 {
		return
	}
	from := share(source)
	if !s.held.enter(from) {
		return
	}
	defer s.held.leave(from)
	now := s.Now()
	if ready.Before(now) {
		ready = now
	}
	steps := max(1, (ready.Sub(came)+s.RejectDelay-1)/s.RejectDelay)
	s.Wait(ctx, came.Add(steps*s.RejectDelay).Sub(now))
}

func (h *held) enter(from netip.Prefix) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all >= maxHeld || h.of[from] >= heldShare {
		return false
	}
	if h.of == nil {
		h.of = make(map[netip.Prefix]int)
	}
	h.all++
	h.of[from]++
	return true
}

func (h *held) leave(from netip.Prefix) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all--
	if h.of[from]--; h.of[from] == 0 {
		delete(h.of, from)
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
