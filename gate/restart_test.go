package gate

import (
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
)

// on is what a NAS tells when it starts; copies have the same digest.
func (w *world) on(digest string, change ...func(*Accounting)) Accounting {
	r := w.acct("", AccountingOn, func(r *Accounting) { r.Session, r.User, r.Source, r.Digest = "", "", Source{}, []byte(digest) })
	for _, c := range change {
		c(&r)
	}
	return r
}

func (w *world) stopped(r Accounting, want bool) {
	w.t.Helper()
	if s := w.sessionOf(r); s.Stopped.IsZero() == want {
		w.t.Errorf("stopped %v, %s; want %v", s.Stopped, s.Cause, want)
	}
}

// The first copy of its On was lost and the second came behind her Start: the
// session goes on, and can be told to end, since its ticket did.
func TestOnThatComesBehindTheStart(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	start := w.acct("alice", AccountingStart, unstamped, class(a), at(inside4))
	w.tell(start)
	w.time.pass(5 * time.Second)
	w.tell(w.on("first", unstamped))
	w.stopped(start, true)
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, unstamped, at(inside4), lasted(65*time.Second)))
	w.stopped(start, false)
	w.live(a, false)
	w.vouchesNobody(inside4)
	if o := w.order(); o.Session != "s-alice" || o.Change {
		t.Errorf("%+v", o)
	}
	w.tell(w.acct("alice", AccountingStop, lasted(70*time.Second)))
	if s := w.sessionOf(start); s.Lasted != 70*time.Second || s.Cause == causeRestarted {
		t.Errorf("%+v", s)
	}
}

// What was told of before the On, and came behind it, opens nothing.
func TestRecordOfBeforeTheOnReopensNothing(t *testing.T) {
	w, a := connected(t)
	w.time.pass(30 * time.Second)
	interim := w.acct("alice", AccountingInterim, at(inside4))
	w.time.pass(time.Second)
	w.tell(w.on(""))
	w.time.pass(time.Second)
	for _, r := range []Accounting{interim, w.acct("alice", AccountingStart, class(a), ago(31*time.Second))} {
		r.Came = w.time.now()
		w.tell(r)
		w.stopped(r, true)
	}
}

// Whoever captured an On of a NAS without Event-Timestamp ends nothing by it.
func TestCapturedOnEndsNothing(t *testing.T) {
	w := newWorld(t)
	on := w.on("captured", unstamped)
	w.tell(on)
	w.time.pass(10 * time.Hour)
	a := w.dial("alice")
	start := w.acct("alice", AccountingStart, class(a))
	w.tell(start)
	for n := range 3 {
		if n == 2 {
			w.restart()
		}
		w.time.pass(time.Minute)
		on.Came = w.time.now()
		w.tell(on)
	}
	w.stopped(start, false)
	w.live(a, true)
	w.booked(reason.NASRestarted, reason.SessionStarted)

	other := w.on("captured", unstamped, func(r *Accounting) { r.NAS = "nas2" })
	w.tell(other)
	w.time.pass(time.Second)
	w.tell(w.on("another", unstamped))
	w.stopped(start, true)
	w.booked(reason.NASRestarted, reason.SessionStarted, reason.NASRestarted, reason.NASRestarted)
}

// It is known by its time, however often a NAS sends the same packet.
func TestOnWithItsTimeIsNotSpent(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		a := w.dial("alice")
		w.tell(w.acct("alice", AccountingStart, class(a)))
		w.time.pass(time.Minute)
		w.tell(w.on("same"))
		w.live(a, false)
		w.time.pass(time.Minute)
	}
}

// A NAS whose clock is slow would fill the book.
func TestLateRecordsAreBookedOnceAnHour(t *testing.T) {
	w := newWorld(t)
	log := w.logged()
	for range 2 * 60 {
		w.tell(w.acct("alice", AccountingInterim, ago(6*time.Minute)))
		w.tell(w.acct("bob", AccountingInterim, ago(6*time.Minute)))
		w.time.pass(time.Minute)
	}
	if n := len(w.events(store.Search{Reason: string(reason.AccountingLate)})); n != 4 { // two sessions, two hours
		t.Errorf("booked %d times", n)
	}
	log.wants(t, 2, "clock is slow", "minutes=6", "client=vpn1", "nas=nas1")
}
