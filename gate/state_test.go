package gate

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// What binds a State: nobody else can go on with it, and trying is no guess.
func TestForeignState(t *testing.T) {
	for name, change := range map[string]func(w *world, r *Request){
		"another client":    func(_ *world, r *Request) { r.Client = "vpn2" },
		"another service":   func(_ *world, r *Request) { r.Service = "ssh" },
		"another user":      func(_ *world, r *Request) { r.User = "carol" },
		"a stranger":        func(_ *world, r *Request) { r.User = "nobody" },
		"another source":    func(w *world, r *Request) { r.Source = w.from(cafe, "alice", "").Source },
		"another device":    func(_ *world, r *Request) { r.Source = Source{Label: "02-00-5e-00-53-01"} },
		"an unknown source": func(_ *world, r *Request) { r.Source = Source{} },
		"another zone":      func(_ *world, r *Request) { r.Zone = "campus" },
		"another door":      func(_ *world, r *Request) { r.Door = policy.DoorLDAP },
		"with a line end":   func(_ *world, r *Request) { r.State = append(r.State, '\n') },
		"truncated":         func(_ *world, r *Request) { r.State = r.State[:len(r.State)-1] },
		"longer":            func(_ *world, r *Request) { r.State = append(r.State, 0) },
		"empty":             func(_ *world, r *Request) { r.State = []byte{} },
		"not ours":          func(_ *world, r *Request) { r.State = []byte(strings.Repeat("x", 251)) },
		"of another version": func(w *world, r *Request) {
			sealed, err := encoding.DecodeString(string(r.State))
			w.must(err)
			plain, err := w.Ring.Open(stateUse, keyring.Row{}, sealed)
			w.must(err)
			plain[0]++
			r.State = sealedText(w, stateUse, plain)
		},
		"of another length":   func(w *world, r *Request) { r.State = sealedText(w, stateUse, []byte{stateVersion}) },
		"for another purpose": func(w *world, r *Request) { r.State = sealedText(w, otp.Purpose, make([]byte, stateSize)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first := w.round("alice", "PASSWORD")
			a := w.isAsked(first)
			r := w.then(first, a, "CODE")
			change(w, &r)
			got := w.refused(r, reason.ForeignState)
			if got.State != nil || !strings.HasPrefix(got.Message, reason.ForeignState.Person("en")) {
				t.Errorf("answered %+v", got)
			}
			if len(w.counters()) != 0 || w.people.asked() != 0 || w.throttle.strangers.Len() != 0 {
				t.Error("it was judged, or counted as a guess")
			}
			w.admitted(w.then(first, a, "CODE")) // and took nothing from the person
		})
	}
}

func sealedText(w *world, use string, plain []byte) []byte {
	return encoding.AppendEncode(nil, w.Ring.Seal(use, keyring.Row{}, plain))
}

// Programs in C keep a State as a string: ocserv loses what follows a NUL.
func TestStateIsText(t *testing.T) {
	w := newWorld(t)
	for _, c := range w.isAsked(w.round("alice", "PASSWORD")).State {
		if c <= ' ' || c > '~' {
			t.Fatalf("there is an octet %#x", c)
		}
	}
}

func TestBitFlippedState(t *testing.T) {
	w := newWorld(t)
	first := w.round("alice", "PASSWORD")
	a := w.isAsked(first)
	for bit := range len(a.State) * 8 {
		r := w.then(first, a, "CODE")
		r.State[bit/8] ^= 1 << (bit % 8)
		at := w.begin(r)
		if k, why := at.opened(); k != nil || why != reason.ForeignState {
			t.Fatalf("bit %d: %+v, %q", bit, k, why)
		}
	}
	w.admitted(w.then(first, a, "CODE"))
}

func TestExpiredState(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	a := w.isAsked(r)
	w.time.pass(stateFor - time.Microsecond)
	b := w.askedAgain(w.then(r, a, "000000"), reason.WrongCode)
	w.time.pass(time.Microsecond)
	for _, late := range []Answer{a, b} { // another question gives no more time
		got := w.refused(w.then(r, late, "CODE"), reason.StateExpired)
		if got.State != nil || !strings.HasPrefix(got.Message, reason.StateExpired.Person("en")) {
			t.Errorf("answered %+v", got)
		}
	}
	if w.people.asked() != 0 {
		t.Error("a password was looked at")
	}
}

// A State made before the clock went back would be good for longer than its
// nonce is remembered.
func TestStateOfTheFuture(t *testing.T) {
	w := newWorld(t)
	w.time.pass(10 * time.Minute)
	r := w.round("alice", "PASSWORD")
	a := w.isAsked(r)
	w.time.jump(-apart)
	w.askedAgain(w.then(r, a, "000000"), reason.WrongCode) // another node's clock may be slow
	w.time.jump(-time.Microsecond)
	w.refused(w.then(r, a, "CODE"), reason.StateExpired)
}

// Two answers to one question, by two codes that are both right: one is
// admitted.
func TestStateReplayedInParallel(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.Off = true; g.Window = 3 })
	for round := range 4 {
		r := w.round("alice", "PASSWORD")
		r.Source = Source{} // no repeat
		a := w.isAsked(r)
		requests := make([]Request, 28)
		for i := range requests {
			requests[i] = w.then(r, a, fmt.Sprintf("CODE+%d", i%4))
		}
		var got counts
		in := 0
		together(len(requests), func(i int) {
			a := w.admit(requests[i])
			got.add(a)
			got.mu.Lock()
			defer got.mu.Unlock()
			if a.Outcome == Admitted {
				in++
			} else if a.Outcome != Challenged || len(a.State) != 251 {
				t.Errorf("a loser is answered %+v", a)
			}
		})
		if in != 1 || in+got.of[string(reason.StateSpent)]+got.of[string(reason.CodeUsed)] != len(requests) {
			t.Errorf("round %d: %v", round, got.of)
		}
		w.time.pass(5 * time.Minute)
	}
	if n := w.tickets(); n != 4 {
		t.Errorf("%d tickets", n)
	}
}

// A question is answered once, whether it was admitted or refused.
func TestSpentState(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	first := w.isAsked(r)
	w.askedAgain(w.then(r, first, "000000"), reason.WrongCode)
	w.time.pass(time.Second)
	again := w.askedAgain(w.then(r, first, "CODE"), reason.StateSpent)
	w.restart()
	w.askedAgain(w.then(r, first, "CODE"), reason.StateSpent)
	w.admitted(w.then(r, again, "CODE")) // what was right but spent burnt no code

	w.time.pass(30 * time.Second)
	w.askedAgain(w.then(r, again, "CODE"), reason.StateSpent)
	if n := w.tickets(); n != 1 {
		t.Errorf("%d tickets", n)
	}
}

// Guesses with one State count each, and are remembered.
func TestGuessesWithOneStateCountEach(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	a := w.isAsked(r)
	for n := range 5 {
		w.askedAgain(w.then(r, a, fmt.Sprintf("00000%d", n)), reason.WrongCode)
		w.askedAgain(w.then(r, a, "CODE"), reason.Throttled)
		w.time.pass(time.Second << n)
	}
	for _, c := range w.counters() {
		if c.Count != 5 {
			t.Errorf("%s counts %d", c.Name, c.Count)
		}
	}
	if n := len(w.counters()); n != 2 {
		t.Errorf("%d counters", n)
	}
}

// What the State held does not stay in memory.
func TestKeptPasswordIsCleared(t *testing.T) {
	w := newWorld(t)
	seen := &keeper{Directory: w.people}
	w.Gate.Directory = seen
	r := w.round("alice", "PASSWORD")
	w.admitted(w.then(r, w.isAsked(r), "CODE"))
	if len(seen.password) == 0 || !bytes.Equal(seen.password, make([]byte, len(seen.password))) {
		t.Errorf("after the answer it is %q", seen.password)
	}
	if string(r.Password) != who("alice").password {
		t.Error("the door's own was cleared")
	}
}

type keeper struct {
	directory.Directory
	password []byte
}

func (k *keeper) CheckPassword(ctx context.Context, a *store.Account, password []byte, p directory.Priority) (directory.Verdict, error) {
	k.password = password
	return k.Directory.CheckPassword(ctx, a, password, p)
}

// What nobody judged takes nothing: a flood must not fill the store. The State
// is good once the person's delay is over.
func TestThrottledStateIsNotSpent(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	first, second := w.isAsked(r), w.isAsked(r)
	w.askedAgain(w.then(r, first, "000000"), reason.WrongCode)
	right := w.then(r, second, "CODE")
	for range 3 {
		w.askedAgain(right, reason.Throttled)
	}
	w.time.pass(time.Second)
	w.admitted(right)
}
