package gate

import (
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/policy"
)

// unstamped is a record of a NAS that tells no Event-Timestamp.
func unstamped(r *Accounting) { r.Event = time.Time{} }

// unclocked is alice in the tunnel of such a NAS, with what it told: a Start
// and three Interim-Updates, a minute apart.
func unclocked(t *testing.T) (w *world, told []Accounting) {
	t.Helper()
	w = newWorld(t)
	a := w.dial("alice")
	told = append(told, w.acct("alice", AccountingStart, unstamped, class(a), at(inside4)))
	w.tell(told[0])
	for n := 1; n <= 3; n++ {
		w.time.pass(time.Minute)
		told = append(told, w.acct("alice", AccountingInterim, unstamped, at(inside4), lasted(time.Duration(n)*time.Minute)))
		w.tell(told[n])
	}
	w.vouches(inside4, "alice", policy.Allow)
	return w, told
}

// Its time is that at which it comes, so only the session's age tells.
func TestReplayedUnstampedRecordRevivesNothing(t *testing.T) {
	w, told := unclocked(t)
	w.time.pass(20 * time.Minute)
	w.vouchesNobody(inside4)
	before := w.sessionOf(told[0])
	for range 50 { // nor by and by
		w.time.pass(time.Second)
		for _, r := range told {
			r.Came = w.time.now()
			w.tell(r)
		}
	}
	w.vouchesNobody(inside4)
	if now := w.sessionOf(told[0]); !equalSessions(now, before) {
		t.Errorf("%+v, then %+v", before, now)
	}
	w.booked(reason.SessionStarted)
}

// What is held up is as old as the session was then.
func TestHeldUpUnstampedRecordIsNoFresher(t *testing.T) {
	w, told := unclocked(t)
	last := w.time.now()
	w.time.pass(20 * time.Minute)
	r := w.acct("alice", AccountingInterim, unstamped, at(inside4), lasted(4*time.Minute))
	w.tell(r)
	w.vouchesNobody(inside4)
	if s := w.sessionOf(r); s.Lasted != 4*time.Minute || !s.Event.Equal(last.Add(time.Minute+jitter)) || !s.Named.Equal(s.Event) {
		t.Errorf("%+v", s)
	}
	stop := w.acct("alice", AccountingStop, unstamped, lasted(5*time.Minute))
	w.tell(stop)
	if s := w.sessionOf(told[0]); s.Stopped.IsZero() || s.Stopped.After(last.Add(2*time.Minute+2*jitter)) {
		t.Errorf("stopped at %v", s.Stopped)
	}
}

func TestUnstampedStopOfBeforeEndsNothing(t *testing.T) {
	w, _ := unclocked(t)
	r := w.acct("alice", AccountingStop, unstamped, lasted(time.Minute))
	w.tell(r)
	if s := w.sessionOf(r); !s.Stopped.IsZero() {
		t.Error("stopped")
	}
}

// A clock that is ahead makes all its times those at which they come.
func TestRecordOfAClockAheadIsUnstamped(t *testing.T) {
	w, told := unclocked(t)
	w.time.pass(20 * time.Minute)
	w.tell(w.acct("alice", AccountingInterim, at(inside4), lasted(told[1].Lasted), ago(-time.Hour)))
	w.vouchesNobody(inside4)
}

// A NAS that forgot its sessions gives the name to her next one, and to bob.
func TestUnstampedSessionBeginsAnew(t *testing.T) {
	w, _ := unclocked(t)
	w.time.pass(20 * time.Minute)
	next := w.dial("alice")
	r := w.acct("alice", AccountingStart, unstamped, class(next), at(inside4))
	w.tell(r)
	w.attached(r, next)
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, unstamped, at(inside4), lasted(time.Minute)))
	w.vouches(inside4, "alice", policy.Allow)

	b := w.dial("bob")
	w.time.pass(2 * time.Minute)
	w.tell(w.acct("bob", AccountingInterim, unstamped, class(b), named("s-alice"), at(other4), lasted(10*time.Second)))
	w.vouches(other4, "bob", policy.Allow)
}
