package gate

import (
	"strings"
	"testing"
	"time"

	"sekisho/internal/reason"
)

func TestClockGoesBackBehindTheBook(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.jump(-30 * time.Second)
	w.fails(w.from(home, "bob", "PASSWORDCODE"), errClock)
	w.fails(w.from(home, "nobody", "PASSWORDCODE"), errClock)
	w.admitted(w.from(desk, "bob", "PASSWORD"))
	w.admitted(w.from(desk, "bob", "PASSWORDCODE")) // cut off, and not consumed
	if c := w.Clock(); c.Steady || c.Behind != 30*time.Second {
		t.Errorf("the clock tells %+v", c)
	}
	w.time.pass(time.Second) // caught up
	w.admitted(w.from(home, "bob", "PASSWORDCODE"))
}

func TestClockAccepted(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.jump(-time.Hour)
	w.fails(w.from(home, "bob", "PASSWORDCODE"), errClock)
	w.must(w.Store.AcceptClock(t.Context(), w.change(reason.ClockAccepted)))
	w.must(w.Store.Book(t.Context(), w.change(reason.KeysRotated))) // the store looks at its next write
	w.admitted(w.from(home, "bob", "PASSWORDCODE"))
	// What was burnt before stays so.
	r := w.from(home, "alice", "PASSWORDCODE")
	if a := w.admit(r); a.Outcome != Refused {
		t.Errorf("a code from before the last one is %v", a.Outcome)
	}
}

func TestClockJumpsForward(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.jump(31 * time.Second)
	w.fails(w.from(home, "alice", "PASSWORDCODE"), errClock)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.time.pass(59 * time.Second)
	w.fails(w.from(home, "alice", "PASSWORDCODE"), errClock)
	w.time.pass(time.Second)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	if c := w.Clock(); !c.Steady || c.Jumped != 31*time.Second || c.Behind != 0 {
		t.Errorf("the clock tells %+v", c)
	}
}

func TestAnotherJumpBeginsTheMinuteAnew(t *testing.T) {
	w := newWorld(t)
	w.time.jump(time.Hour)
	w.fails(w.from(home, "alice", "PASSWORDCODE"), errClock)
	w.time.pass(59 * time.Second)
	w.time.jump(time.Hour)
	w.fails(w.from(home, "alice", "PASSWORDCODE"), errClock)
	w.time.pass(59 * time.Second)
	w.fails(w.from(home, "alice", "PASSWORDCODE"), errClock)
	w.time.pass(time.Second)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
}

func TestSmallStepsAndIdleHoursAreNoJumps(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.pass(40 * time.Hour)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.jump(30 * time.Second)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.jump(-29 * time.Second)
	w.admitted(w.from(home, "bob", "PASSWORDCODE"))
}

// The machine's own clock serves where the test has none.
func TestSteadyClockOfTheMachine(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Steady = nil })
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
}

func TestClockIsReadAndWatchedAtOnce(t *testing.T) {
	w := newWorld(t)
	together(8, func(i int) {
		if i%2 == 0 {
			w.time.jump(time.Minute)
			w.Admit(t.Context(), w.from(home, "alice", "PASSWORDCODE"))
		} else {
			w.Clock()
		}
	})
	if !strings.Contains(errClock.Error(), "otp clock accept") {
		t.Error("the error does not say what to type")
	}
}
