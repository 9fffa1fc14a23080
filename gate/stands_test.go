package gate

import (
	"testing"
	"time"
)

func (w *world) stands(a Answer, want bool) {
	w.t.Helper()
	got, err := w.Stands(w.t.Context(), a.Ticket.ID)
	w.must(err)
	if got != want {
		w.t.Errorf("stands: %v, want %v", got, want)
	}
}

// A connection that only waits does not keep its ticket alive.
func TestStandsDoesNotCountAsUse(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.pass(50 * time.Minute)
	w.stands(a, true)
	w.time.pass(10 * time.Minute)
	w.stands(a, false)
}

func TestEndedTicketDoesNotStand(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.stands(a, true)
	w.end(a)
	w.stands(a, false)
}
