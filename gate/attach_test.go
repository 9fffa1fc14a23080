package gate

import (
	"net/netip"
	"testing"
	"time"

	"sekisho/internal/reason"
)

// ocserv sends no Class back.
func TestTicketIsFoundByItsAccept(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.time.pass(acceptFor)
	r := w.acct("alice", AccountingStart)
	w.tell(r)
	w.attached(r, a)
	w.booked(reason.SessionStarted)
}

// A Class that is not ours says nothing: the NAS's own, or that of a group.
func TestTicketIsFoundByItsAcceptBesideAnotherClass(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	r := w.acct("alice", AccountingStart, func(r *Accounting) { r.Class = []string{"OU=staff"} })
	w.tell(r)
	w.attached(r, a)
	w.booked(reason.SessionStarted)
}

func TestAcceptOfSixtyOneSecondsAgo(t *testing.T) {
	w := newWorld(t)
	w.dial("alice")
	w.time.pass(acceptFor + time.Second)
	r := w.acct("alice", AccountingStart)
	w.tell(r)
	w.attached(r, Answer{})
}

// The NAS asks its second server: the ticket is the same.
func TestRepeatedAcceptIsOne(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	a := w.admitted(r)
	w.time.pass(5 * time.Second)
	w.repeated(r)
	start := w.acct("alice", AccountingStart)
	w.tell(start)
	w.attached(start, a)
}

func TestAcceptIsFoundAfterARestart(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.restart()
	w.time.pass(30 * time.Second)
	r := w.acct("alice", AccountingStart)
	w.tell(r)
	w.attached(r, a)
}

func TestAcceptOfSomethingElse(t *testing.T) {
	for name, change := range map[string]func(*Accounting){
		"another client": func(r *Accounting) { r.Client = "vpn2" },
		"another person": func(r *Accounting) { r.User = "bob" },
		"nobody":         func(r *Accounting) { r.User = "" },
		"another source": func(r *Accounting) { r.Source.Addr = netip.MustParseAddr(cafe) },
		"a label":        func(r *Accounting) { r.Source = Source{Label: "02-00-5e-00-53-01"} },
		"no source":      func(r *Accounting) { r.Source = Source{} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.dial("alice")
			r := w.acct("alice", AccountingStart, change)
			w.tell(r)
			w.attached(r, Answer{})
		})
	}
}

// Two that tell nothing of the source have nothing in common.
func TestAbsentNeverMatchesAbsent(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	r.Source = Source{}
	w.admitted(r)
	for range 2 {
		start := w.acct("alice", AccountingStart, func(r *Accounting) { r.Source = Source{} })
		w.tell(start)
		w.attached(start, Answer{})
		w.restart()
	}
}

func TestDeviceIsASource(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	r.Source = Source{Label: "02-00-5E-00-53-01", How: "calling-station-id"}
	for _, session := range []string{"remembered", "read from the book"} {
		r.Password = []byte(w.typed("alice", "PASSWORDCODE"))
		a := w.admitted(r)
		if session != "remembered" {
			w.restart()
		}
		start := w.acct("alice", AccountingStart, named(session), func(a *Accounting) { a.Source = Source{Label: "02-00-5e-00-53-01"} })
		w.tell(start)
		w.attached(start, a)
		w.time.pass(30 * time.Second)
	}
}

func TestTwoAcceptsAreAmbiguous(t *testing.T) {
	w := newWorld(t)
	w.dial("alice")
	w.time.pass(30 * time.Second)
	w.dial("alice")
	r := w.acct("alice", AccountingStart)
	w.tell(r)
	w.attached(r, Answer{})
}

// Of two, one has its session, or has ended.
func TestOneOfTwoAcceptsIsLeft(t *testing.T) {
	for name, settle := range map[string]func(w *world, first Answer){
		"has a session": func(w *world, first Answer) { w.tell(w.acct("alice", AccountingStart, named("first"))) },
		"has ended":     func(w *world, first Answer) { w.end(first) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			settle(w, w.dial("alice"))
			w.time.pass(30 * time.Second)
			second := w.dial("alice")
			w.restart() // it is not only remembered
			r := w.acct("alice", AccountingStart, named("second"))
			w.tell(r)
			w.attached(r, second)
		})
	}
}

// The Start was lost: the Interim-Update tells how long ago the session began,
// and what was accepted since is another's.
func TestInterimFindsTheAcceptOfItsBeginning(t *testing.T) {
	w := newWorld(t)
	first := w.dial("alice")
	w.time.pass(90 * time.Second)
	w.dial("alice")
	w.time.pass(30 * time.Second)
	r := w.acct("alice", AccountingInterim, lasted(2*time.Minute))
	w.tell(r)
	w.attached(r, first)
}

func TestRecordsThatDoNotTellWhenTheSessionBegan(t *testing.T) {
	for _, status := range []AccountingStatus{AccountingInterim, AccountingStop} {
		w := newWorld(t)
		a := w.dial("alice")
		r := w.acct("alice", status)
		w.tell(r)
		w.attached(r, Answer{})
		w.live(a, true)
	}
}

func TestAcceptsAreBounded(t *testing.T) {
	var m accepts
	k := accept{"vpn1", "alice", home}
	for n := range int64(100) {
		m.put(k, n, begin.Add(time.Duration(n)*time.Second))
	}
	if list, _ := m.recent.Get(k); len(list) != acceptsMost {
		t.Errorf("%d are kept", len(list))
	}
	m.put(k, 100, begin.Add(time.Hour))
	if list, _ := m.recent.Get(k); len(list) != 1 {
		t.Errorf("%d are kept an hour later", len(list))
	}
}

// A Start that was held up is of an older session: neither does it take the
// ticket of the next dial-in nor does its Stop end that.
func TestLateStartTakesNoNextTicket(t *testing.T) {
	w := newWorld(t)
	w.time.pass(time.Minute)
	a := w.dial("alice")
	w.time.pass(time.Second)
	old := w.acct("alice", AccountingStart, named("old"), ago(acceptLate+2*time.Second))
	w.tell(old)
	w.attached(old, Answer{})
	w.tell(w.acct("alice", AccountingStop, named("old")))
	w.live(a, true)
	r := w.acct("alice", AccountingStart, named("new"), ago(time.Second))
	w.tell(r)
	w.attached(r, a)
}
