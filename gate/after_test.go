package gate

import (
	"context"
	"errors"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
)

// idle stops the worker, so that the test does its work.
func (w *world) idle() { w.Gate.Close() }

// work judges what was put aside, and returns how much it was.
func (w *world) work() int {
	n := 0
	for {
		select {
		case j := <-w.after.jobs:
			w.after.judge(context.Background(), j)
			n++
		default:
			return n
		}
	}
}

func (w *world) noticed(why reason.Code) []store.Event {
	w.t.Helper()
	return w.events(store.Search{Reason: string(why), Outcome: "noticed"})
}

func TestWrongCodesBehindTheRightPassword(t *testing.T) {
	w := newWorld(t)
	w.idle()
	for n := range 9 {
		r := w.from(home, "alice", "PASSWORD00000")
		r.Password = append(r.Password, byte('0'+n))
		w.refused(r, reason.WrongCode)
		w.time.pass(15 * time.Minute)
	}
	for n := range 20 {
		w.refused(w.codes(home, "alice", n), reason.WrongCode) // not behind it
		w.time.pass(15 * time.Minute)
	}
	w.work()
	if n := len(w.noticed(reason.PasswordKnown)); n != 0 {
		t.Fatalf("%d notices after nine", n)
	}
	r := w.from(home, "alice", "PASSWORD999999")
	w.refused(r, reason.WrongCode)
	w.work()
	found := w.noticed(reason.PasswordKnown)
	if len(found) != 1 || found[0].Name != "alice" || found[0].Source != home {
		t.Fatalf("noticed %+v", found)
	}
	// Told once a day.
	for n := range 12 {
		w.time.pass(15 * time.Minute)
		r := w.from(home, "alice", "PASSWORD88888")
		r.Password = append(r.Password, byte('0'+n%10))
		w.refused(r, reason.WrongCode)
	}
	w.work()
	if n := len(w.noticed(reason.PasswordKnown)); n != 1 {
		t.Errorf("%d notices on one day", n)
	}
	w.time.pass(24 * time.Hour)
	w.refused(w.from(home, "alice", "PASSWORD777777"), reason.WrongCode)
	w.work()
	if n := len(w.noticed(reason.PasswordKnown)); n != 2 {
		t.Errorf("%d notices a day later", n)
	}
	if n := w.people.asked(); n != 0 {
		t.Errorf("the password was looked at %d times before an answer", n)
	}
}

// wrongCodes types wrong codes behind the right password, one a pause.
func (w *world) wrongCodes(name string, n int, pause time.Duration) {
	w.t.Helper()
	for i := range n {
		r := w.from(home, name, "PASSWORD00000")
		r.Password = append(r.Password, byte('0'+i%10))
		w.refused(r, reason.WrongCode)
		w.time.pass(pause)
	}
	w.work()
}

// Who mistypes a code now and then is not told of a thief.
func TestKnownPasswordIsForgottenAfterADayWithout(t *testing.T) {
	w := newWorld(t)
	w.idle()
	w.wrongCodes("alice", 15, 25*time.Hour)
	if n := len(w.noticed(reason.PasswordKnown)); n != 0 {
		t.Errorf("%d notices of a code mistyped each day", n)
	}
	w.wrongCodes("alice", 10, 23*time.Hour)
	if n := len(w.noticed(reason.PasswordKnown)); n != 1 {
		t.Errorf("%d notices of ten within a day of each other", n)
	}
}

func TestNewPasswordIsNotKnown(t *testing.T) {
	w := newWorld(t)
	w.idle()
	w.wrongCodes("alice", 9, 15*time.Minute)
	w.changePerson("alice", func(p *store.Person) { p.Groups = []string{"staff"} })
	w.wrongCodes("alice", 9, 15*time.Minute)
	if n := len(w.noticed(reason.PasswordKnown)); n != 0 {
		t.Errorf("%d notices", n)
	}
}

func TestStalePasswordIsNoticed(t *testing.T) {
	w := newWorld(t)
	w.idle()
	w.changePerson("alice", func(p *store.Person) { p.Previous, p.Hash = p.Hash, hashes()["bob"] })
	w.refused(w.from(desk, "alice", "PASSWORD"), reason.WrongPassword)
	w.time.pass(time.Second)
	w.refused(w.from(desk, "alice", "neither"), reason.WrongPassword)
	w.work()
	found := w.noticed(reason.StalePassword)
	if len(found) != 1 || found[0].Source != desk || found[0].Name != "alice" {
		t.Fatalf("noticed %+v", found)
	}
	// Having been recognised must not make it right.
	w.time.pass(time.Minute)
	w.refused(w.from(desk, "alice", "PASSWORD"), reason.WrongPassword)
	w.work()
	if n := len(w.noticed(reason.StalePassword)); n != 1 {
		t.Errorf("%d notices of one device", n)
	}
	w.time.pass(time.Minute)
	w.refused(w.from("192.0.2.77", "alice", "PASSWORD"), reason.WrongPassword)
	w.work()
	if n := len(w.noticed(reason.StalePassword)); n != 2 {
		t.Errorf("%d notices of two devices", n)
	}
	w.time.pass(time.Minute)
	w.admitted(w.from(desk, "alice", "battery staple"))
}

func TestQueueDropsWhatItCantHold(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.Off = true })
	w.idle()
	for n := range afterQueue + 10 {
		w.refused(w.codes(home, "alice", n), reason.WrongCode)
	}
	if n := w.work(); n != afterQueue {
		t.Errorf("%d were put aside, want %d", n, afterQueue)
	}
}

func TestNothingIsPutAsideForStrangers(t *testing.T) {
	w := newWorld(t)
	w.idle()
	w.refused(w.from(home, "nobody", "PASSWORD000000"), reason.UnknownUser)
	w.refused(w.from(home, "erin", "PASSWORD000000"), reason.Disabled)
	w.refused(w.from(home, "frank", "PASSWORD000000"), reason.NoDevice)
	w.refused(w.from(home, "alice", "000000"), reason.WrongCode)
	w.refused(w.from(desk, "bob", "no previous one"), reason.WrongPassword)
	if n := w.work(); n != 0 {
		t.Errorf("%d were put aside", n)
	}
}

// The worker itself, and that a notice which can't be booked stops nothing.
func TestWorkerJudgesAfterTheAnswer(t *testing.T) {
	w := newWorld(t)
	judged := make(chan struct{})
	w.people.inside = func() { close(judged) }
	w.refused(w.from(home, "alice", "PASSWORD000000"), reason.WrongCode)
	<-judged
	w.Gate.Close()
	w.people.inside = nil
	w.changePerson("alice", func(p *store.Person) { p.Previous = p.Hash })
	account := w.account("alice")
	w.must(w.Store.Close())
	w.after.judge(context.Background(), afterward{account: account, password: []byte("correct horse"), stale: true})
	if err := w.Store.Book(context.Background(), store.Event{}); !errors.Is(err, store.ErrClosed) {
		t.Error(err)
	}
}
