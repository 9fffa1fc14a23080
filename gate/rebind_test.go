package gate

import (
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/policy"
)

// every is how often a program like Nextcloud signs its people in again, with
// what they typed once.
const every = 5 * time.Minute

// A window of ten minutes: one code, no refusal, and then it closes.
func TestProgramThatRebindsLivesByItsWindow(t *testing.T) {
	w := newWorld(t)
	r := w.binds(home, "alice", "PASSWORDCODE")
	r.Repeat = &policy.Repeat{Idle: every + time.Minute, Max: 2 * every}
	first := w.admitted(r)
	for range 2 {
		w.time.pass(every)
		if a := w.want(r, Admitted, reason.Repeated); a.Ticket.ID != first.Ticket.ID {
			t.Errorf("with the ticket %s; want the first one, %s", a.Ticket.ID, first.Ticket.ID)
		}
	}
	for range 12 {
		w.time.pass(every)
		if a := w.admit(r); a.Outcome != Refused {
			t.Fatalf("an old code lets in again: %s", a.Reason)
		}
	}
}

// Eight hours: an application password, and nobody types anything.
func TestProgramThatRebindsAllDayHasAnAppPassword(t *testing.T) {
	w := newWorld(t)
	_, r := w.program()
	for range 8 * time.Hour / every {
		w.admitted(r)
		w.time.pass(every)
	}
}
