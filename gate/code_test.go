package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

func TestCodeUsedTwice(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.refused(w.from(home, "alice", "PASSWORDCODE"), reason.CodeUsed)
	w.time.pass(20 * time.Second) // the next step; the used one is still in the window
	w.refused(w.from(cafe, "alice", "PASSWORDCODE-1"), reason.CodeUsed)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
}

func TestCodeUsedAtAnotherDoor(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	for _, door := range []string{policy.DoorRADIUS, policy.DoorLDAP, policy.DoorWeb} {
		r := w.from(home, "alice", "PASSWORDCODE")
		r.Door = door
		w.refused(r, reason.CodeUsed)
	}
}

func TestCodeStaysUsedAfterARestart(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.restart()
	w.refused(w.from(home, "alice", "PASSWORDCODE"), reason.CodeUsed)
}

func TestAcceptingAStepVoidsThoseBefore(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE+1"))
	for _, step := range []string{"CODE+1", "CODE", "CODE-1", "CODE-5"} {
		w.refused(w.from(home, "alice", "PASSWORD"+step), reason.CodeUsed)
	}
	w.time.pass(30 * time.Second)
	w.admitted(w.from(home, "alice", "PASSWORDCODE+1"))
}

func TestSixtyFourAtOnceWithOneCode(t *testing.T) {
	for name, off := range map[string]bool{"each is judged": true, "throttled": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(g *Gate) { g.Throttle.Off = off })
			requests := make([]Request, 64)
			for i := range requests {
				requests[i] = w.from(stranger(i), "alice", "PASSWORDCODE")
			}
			var got counts
			together(len(requests), func(i int) { got.add(w.admit(requests[i])) })
			refused := got.of[string(reason.CodeUsed)]
			if !off {
				// More than a few at once wait for nobody.
				refused += got.of[string(reason.Throttled)]
			}
			if got.of[string(reason.Admitted)] != 1 || refused != 63 {
				t.Errorf("of 64: %v", got.of)
			}
			tickets := 0
			w.must(w.Store.Tickets(t.Context(), 0, w.time.now(), func(store.Ticket, string) error { tickets++; return nil }))
			if tickets != 1 {
				t.Errorf("%d tickets", tickets)
			}
			if n := w.throttle.inWork(); n != 0 {
				t.Errorf("%d guesses are still in work", n)
			}
		})
	}
}

// inWork is how many reservations were neither counted nor given back.
func (t *throttle) inWork() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, c := range t.people {
		n += c.inWork
	}
	return n
}

func TestPasswordTypoNeverBurnsACode(t *testing.T) {
	w := newWorld(t)
	w.refused(w.from(home, "alice", "corect horseCODE"), reason.WrongPassword)
	w.time.pass(time.Second)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	// Inside, too, where the code is not needed.
	w.refused(w.from(desk, "bob", "typoCODE"), reason.WrongPassword)
	w.admitted(w.from(home, "bob", "PASSWORDCODE"))
}

func TestOnlyTheRightPasswordIsToldOfTheCode(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.pass(5 * time.Second)
	a := w.refused(w.from(home, "alice", "PASSWORDCODE"), reason.CodeUsed)
	if want := reason.CodeUsed.Proven("en", 15*time.Second); !strings.HasPrefix(a.Message, want) || !strings.Contains(want, "15 s") {
		t.Errorf("told %q, want %q", a.Message, want)
	}
	a = w.refused(w.from(home, "bob", "PASSWORDCODE-4"), reason.CodeStale)
	if want := reason.CodeStale.Proven("en", 0); !strings.HasPrefix(a.Message, want) {
		t.Errorf("told %q, want %q", a.Message, want)
	}
	if e := w.event(a.Reference); !strings.Contains(e.Detail, "4 steps ago") {
		t.Errorf("the book says %q of the clock", e.Detail)
	}
	generic := reason.Generic("en")
	for _, r := range []Request{w.from(home, "alice", "guessedCODE"), w.from(home, "bob", "guessedCODE-4")} {
		if a := w.refused(r, reason.WrongPassword); !strings.HasPrefix(a.Message, generic) {
			t.Errorf("told %q with a wrong password", a.Message)
		}
	}
}

func TestStaleCodeIsNotBurnt(t *testing.T) {
	w := newWorld(t)
	w.refused(w.from(home, "alice", "PASSWORDCODE+5"), reason.CodeStale)
	w.time.pass(150 * time.Second)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
}

func TestDriftIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE+1"))
	if d := w.account("alice").Tokens[0].Drift; d != 1 {
		t.Errorf("the drift is %d, want 1", d)
	}
}

func TestWiderWindow(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Window = 3 })
	w.refused(w.from(home, "alice", "PASSWORDCODE+4"), reason.CodeStale)
	w.admitted(w.from(home, "alice", "PASSWORDCODE+3"))
}

// Whatever changes between the facts and the settlement voids the admission.
func TestAccountChangedWhileItWasJudged(t *testing.T) {
	w := newWorld(t)
	w.people.inside = func() {
		w.people.inside = nil
		w.changePerson("alice", func(p *store.Person) { p.Disabled = true })
	}
	a := w.refused(w.from(desk, "alice", "PASSWORD"), reason.Changed)
	if !strings.HasPrefix(a.Message, reason.Generic("en")) {
		t.Errorf("told %q", a.Message)
	}
	w.refused(w.from(desk, "alice", "PASSWORD"), reason.Disabled)
}

func TestOffsets(t *testing.T) {
	for steps, want := range map[int]string{-2: "2 steps ago", 0: "this step", 3: "3 steps ahead"} {
		if got := offset(steps); got != "code of "+want {
			t.Error(fmt.Sprint(steps), got)
		}
	}
}
