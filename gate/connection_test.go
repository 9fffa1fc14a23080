package gate

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

func TestSessionFromStartToStop(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.time.pass(time.Second)
	start := w.acct("alice", AccountingStart, class(a), at(inside4, inside6))
	w.tell(start)
	w.attached(start, a)
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, at(inside4, inside6), lasted(time.Minute), func(r *Accounting) { r.Input, r.Output = 10, 20 }))
	w.time.pass(50 * time.Second)
	w.tell(w.acct("alice", AccountingInterim, at(inside4, inside6), lasted(110*time.Second)))
	seen := w.time.now()
	s := w.sessionOf(start)
	want := store.Session{
		SessionKey: store.SessionKey{Client: "vpn1", NAS: "nas1", Name: "s-alice"}, ID: s.ID, User: "alice", Person: w.account("alice").ID,
		Ticket: s.Ticket, Station: home, Address4: netip.MustParseAddr(inside4), Address6: netip.MustParsePrefix(inside6),
		Named: seen, Started: begin.Add(time.Second), Event: seen, Seen: seen, Interval: 50 * time.Second, Lasted: 110 * time.Second,
		Input: 10, Output: 20,
	}
	if !equalSessions(s, want) {
		t.Errorf("session\n%+v, want\n%+v", s, want)
	}
	w.booked(reason.SessionStarted) // no Interim-Update is
	w.time.pass(time.Minute)
	stop := w.acct("alice", AccountingStop, lasted(170*time.Second), func(r *Accounting) { r.Cause = "User-Request" })
	w.tell(stop)
	if s := w.sessionOf(stop); !s.Stopped.Equal(w.time.now()) || s.Cause != "User-Request" || s.Lasted != 170*time.Second {
		t.Errorf("stopped: %+v", s)
	}
	w.live(a, false)
	w.booked(reason.SessionStarted, reason.SessionStopped)
	e := w.events(store.Search{Reason: string(reason.SessionStopped)})[0]
	id, _ := w.Store.ParseTicket(a.Ticket.ID)
	if e.Door != policy.DoorRADIUS || e.Client != "vpn1" || e.Service != "ssl-vpn" || e.Name != "alice" || e.Typed != "alice" ||
		e.Person != w.account("alice").ID || e.Source != home || e.How != "calling-station-id" || e.Ticket != id ||
		e.Detail != "at "+inside4+" at "+inside6+" nas nas1 session s-alice" || !e.At.Equal(w.time.now()) {
		t.Errorf("booked as %+v", e)
	}
}

func equalSessions(a, b store.Session) bool {
	same := a.Named.Equal(b.Named) && a.Started.Equal(b.Started) && a.Event.Equal(b.Event) && a.Seen.Equal(b.Seen) && slices.Equal(a.Groups, b.Groups)
	for _, s := range []*store.Session{&a, &b} {
		s.Named, s.Started, s.Event, s.Seen, s.Groups = time.Time{}, time.Time{}, time.Time{}, time.Time{}, nil
	}
	return same && a.SessionKey == b.SessionKey && a.ID == b.ID && a.User == b.User && a.Person == b.Person && a.Ticket == b.Ticket &&
		a.Station == b.Station && a.Address4 == b.Address4 && a.Address6 == b.Address6 && a.Ousted == b.Ousted && a.Interval == b.Interval &&
		a.Lasted == b.Lasted && a.Input == b.Input && a.Output == b.Output && a.Stopped.IsZero() && a.Cause == b.Cause
}

func TestTwoSessionsWithOneTicketEndWithTheSecond(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), named("one")))
	w.tell(w.acct("alice", AccountingStart, class(a), named("two")))
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingStop, named("one")))
	w.live(a, true)
	w.tell(w.acct("alice", AccountingStop, named("two")))
	w.live(a, false)
}

func TestInterimKeepsTheTicketFromBeingIdle(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a)))
	for range 9 {
		w.time.pass(59 * time.Minute)
		w.live(a, true)
		w.tell(w.acct("alice", AccountingInterim))
	}
	w.time.pass(time.Hour)
	w.live(a, false)
}

func TestStartAfterStopNeverReopens(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	start := w.acct("alice", AccountingStart, class(a), at(inside4))
	w.tell(start)
	w.time.pass(time.Minute)
	stop := w.acct("alice", AccountingStop)
	w.tell(stop)
	w.tell(start) // overtaken on its way
	w.booked(reason.SessionStarted, reason.SessionStopped)
	w.time.pass(time.Minute)
	for _, again := range []Accounting{
		w.acct("alice", AccountingStart, class(a), at(inside4)), w.acct("alice", AccountingInterim, class(a), at(inside4)),
	} {
		w.tell(again)
		if s := w.sessionOf(again); s.Stopped.IsZero() || !s.Event.Equal(stop.Event) {
			t.Errorf("reopened by %v: %+v", again.Status, s)
		}
	}
	w.booked(reason.SessionStarted, reason.SessionStopped, reason.AccountingLate)
	w.vouchesNobody(inside4)
	w.tell(w.acct("alice", AccountingStop))
	w.booked(reason.SessionStarted, reason.SessionStopped, reason.AccountingLate)
}

func TestInterimsThatDifferOnlyInTime(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a)))
	for range 3 {
		w.time.pass(time.Minute)
		r := w.acct("alice", AccountingInterim, at(inside4))
		w.tell(r)
		if s := w.sessionOf(r); !s.Event.Equal(r.Event) || !s.Seen.Equal(r.Came) || !s.Named.Equal(r.Event) {
			t.Errorf("event %v, seen %v, named %v, want %v", s.Event, s.Seen, s.Named, r.Event)
		}
		w.vouches(inside4, "alice", policy.Allow)
	}
}

// Two of one second are two if they count differently.
func TestInterimsOfOneSecond(t *testing.T) {
	w := newWorld(t)
	w.tell(w.acct("alice", AccountingStart))
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, lasted(time.Minute)))
	r := w.acct("alice", AccountingInterim, lasted(time.Minute), at(inside4), func(r *Accounting) { r.Output = 7 })
	w.tell(r)
	if s := w.sessionOf(r); s.Output != 7 || !s.Address4.IsValid() {
		t.Errorf("%+v", s)
	}
}

// A copy that is told again later neither renews nor books anything.
func TestDuplicatesChangeNothing(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	for _, status := range []AccountingStatus{AccountingStart, AccountingInterim, AccountingStop} {
		w.time.pass(time.Minute)
		r := w.acct("alice", status, class(a), at(inside4), lasted(time.Minute))
		w.tell(r)
		before, rows := w.sessionOf(r), len(w.events(store.Search{}))
		w.time.pass(20 * time.Second)
		r.Came = w.time.now()
		w.tell(r)
		if after := w.sessionOf(r); !after.Seen.Equal(before.Seen) || !after.Named.Equal(before.Named) || !after.Stopped.Equal(before.Stopped) {
			t.Errorf("%v: %+v, then %+v", status, before, after)
		}
		if n := len(w.events(store.Search{})); n != rows {
			t.Errorf("%v: %d rows of the book, then %d", status, rows, n)
		}
	}
}

// Without Event-Timestamp a copy is told with its delay in whole seconds.
func TestCopyOfAStartWithItsDelay(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside4)))
	w.time.pass(3400 * time.Millisecond)
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside4), ago(3*time.Second)))
	w.booked(reason.SessionStarted)
}

func TestReorderedRecordsUpdateNothing(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	start := w.acct("alice", AccountingStart, class(a))
	w.tell(start)
	w.time.pass(time.Minute)
	late := w.acct("alice", AccountingInterim, at(other4), lasted(time.Minute))
	w.time.pass(time.Minute)
	r := w.acct("alice", AccountingInterim, at(inside4), lasted(2*time.Minute))
	w.tell(r)
	late.Came = w.time.now()
	w.tell(late)
	if s := w.sessionOf(r); s.Address4 != netip.MustParseAddr(inside4) || s.Lasted != 2*time.Minute {
		t.Errorf("%+v", s)
	}
	w.tell(w.acct("alice", AccountingStop, ago(time.Minute)))
	w.live(a, true)
}

// The first record that arrives may be any.
func TestLostStart(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.time.pass(time.Minute)
	r := w.acct("alice", AccountingInterim, class(a), at(inside4), lasted(50*time.Second))
	w.tell(r)
	w.attached(r, a)
	w.booked(reason.SessionStarted)
	w.vouches(inside4, "alice", policy.Allow)
}

func TestStopOfASessionNeverSeen(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.time.pass(time.Minute)
	r := w.acct("alice", AccountingStop, class(a), at(inside4))
	w.tell(r)
	if s := w.sessionOf(r); s.Stopped.IsZero() {
		t.Errorf("%+v", s)
	}
	w.live(a, false)
	w.booked(reason.SessionStopped)
	w.tell(w.acct("alice", AccountingStart, class(a), ago(30*time.Second)))
	if s := w.sessionOf(r); s.Stopped.IsZero() {
		t.Error("reopened")
	}
}

// A NAS that lost its memory gives the name of a session to somebody else.
func TestSessionNameIsGivenToAnotherPerson(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside4), named("1")))
	w.time.pass(30 * time.Second)
	b := w.dial("bob")
	r := w.acct("bob", AccountingInterim, class(b), named("1"))
	w.tell(r)
	w.attached(r, b)
	if s := w.sessionOf(r); s.User != "bob" || s.Address4.IsValid() {
		t.Errorf("%+v", s)
	}
	w.booked(reason.SessionStarted, reason.AccountingStranger, reason.SessionStarted)
	w.vouchesNobody(inside4)
}

// Whoever has no ticket does not take over hers with the name.
func TestSessionNameIsGivenToAnotherPersonWithoutATicket(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside4), named("1")))
	w.time.pass(30 * time.Second)
	r := w.acct("bob", AccountingInterim, at(inside4), named("1"))
	w.tell(r)
	w.attached(r, Answer{})
	w.vouchesNobody(inside4)
}

// It comes with a Class that is not bob's, too: that is one thing to tell.
func TestSessionNameIsGivenToAStrangerWithHerClass(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), named("1")))
	w.time.pass(30 * time.Second)
	r := w.acct("bob", AccountingStart, class(a), named("1"))
	w.tell(r)
	w.attached(r, Answer{})
	w.booked(reason.SessionStarted, reason.AccountingStranger, reason.SessionStarted)
}

// A session that begins again with a forged Class does not keep its ticket.
func TestSessionThatBeginsAgainWithAForgedClass(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.time.pass(time.Minute)
	r := w.acct("alice", AccountingStart, func(r *Accounting) { r.Class = []string{"sk1.forged"} })
	w.tell(r)
	w.attached(r, Answer{})
}

// A NAS that lost the reply tells its Start again, later than a copy would be.
func TestSessionThatBeginsAgainKeepsItsTicket(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.time.pass(2 * time.Minute)
	r := w.acct("alice", AccountingStart, at(inside4))
	w.tell(r)
	w.attached(r, a)
}

func TestSessionNameIsGivenToTheSamePersonAgain(t *testing.T) {
	w := newWorld(t)
	first := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(first), at(inside4)))
	w.time.pass(time.Minute)
	second := w.dial("alice")
	r := w.acct("alice", AccountingStart, class(second))
	w.tell(r)
	w.attached(r, second)
	if s := w.sessionOf(r); s.Address4.IsValid() || !s.Started.Equal(w.time.now()) {
		t.Errorf("%+v", s)
	}
}

// A session that was taken for lost goes on when it is heard of again.
func TestLostSessionIsFoundAgain(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	r := w.acct("alice", AccountingStart, class(a))
	w.tell(r)
	w.must(w.Store.ChangeSession(t.Context(), w.sessionOf(r).SessionKey, func(s store.Session) store.SessionChange {
		s.Stopped, s.Cause = w.time.now(), store.CauseLost
		return store.SessionChange{Session: s}
	}))
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, at(inside4)))
	if s := w.sessionOf(r); !s.Stopped.IsZero() || s.Cause != "" {
		t.Errorf("%+v", s)
	}
	w.vouches(inside4, "alice", policy.Allow)
}
