package store

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// passHours does what housekeeping does in so many hours, while time is booked.
func passHours(t testing.TB, s *Store, hours int, at time.Time) {
	t.Helper()
	settle(t, s, refusal("x", at))
	inWriter(t, s, func(w *writer) {
		for range hours {
			w.pruning.turns = pruneTurns - 1
			w.housekeep()
			w.housekeep()
		}
	})
}

func rowsOf(t testing.TB, s *Store, table string) (n int64) {
	t.Helper()
	must(t, s.reading(ctx, func(c *conn) (err error) {
		n, err = c.one("SELECT count(*) FROM " + table)
		return err
	}))
	return n
}

// What was spent is remembered for as long as it could be shown, and at least
// an hour longer.
func TestWhatIsSpentIsPruned(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	settle(t, s, spending(admission(a, 1), "state")) // good until five past noon
	must(t, s.PutWord(ctx, Word{Person: 7, Hash: []byte{1}, Until: noon.Add(5 * time.Minute)}, Event{At: noon}))
	left := func(what string, want int64) {
		t.Helper()
		equal(t, what+": spent", rowsOf(t, s, "spent"), want)
		equal(t, what+": words", rowsOf(t, s, "word"), want)
	}
	passHours(t, s, 3, noon.Add(5*time.Minute))
	left("at its end", 1)
	passHours(t, s, 1, noon.Add(5*time.Minute+time.Microsecond))
	left("after its end, within the hour", 1)
	passHours(t, s, 1, noon.Add(2*time.Hour))
	left("an hour later", 0)
}

// A clock that leaps ahead for a moment must not make a State good again.
func TestClockThatLeapsPrunesNothing(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	passHours(t, s, 3, noon)
	st := spending(admission(a, 1), "state")
	settle(t, s, st)
	seen := key("alice")
	tell(t, s, seen, func(*SessionChange) {})
	passHours(t, s, 1, noon.Add(48*time.Hour)) // at the end of the hour
	must(t, s.AcceptClock(ctx, Event{At: noon.Add(time.Minute)}))
	passHours(t, s, 3, noon.Add(2*time.Minute))
	equal(t, "spent", rowsOf(t, s, "spent"), 1)
	equal(t, "loss", settle(t, s, spending(admission(a, 2), "state")).Lost, Spent)
	equal(t, "stopped", session(t, s, seen).Stopped, time.Time{})
}

// What was booked while the clock was far ahead, for hours, says nothing about
// the age of what was spent since it is right.
func TestClockThatWasAheadForLongPrunesNothing(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	st := spending(admission(a, 1), "state")
	st.Spend.Until = time.Now().Add(time.Hour)
	settle(t, s, st)
	passHours(t, s, 5, time.Now().Add(1000*time.Hour))
	equal(t, "spent", rowsOf(t, s, "spent"), 1)
}

// A few seconds more than one slice holds must not stop sign-ins.
func TestPruningIsSliced(t *testing.T) {
	s := open(t)
	must(t, s.change(ctx, func(c *conn) error {
		return second(c.exec(`WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
			INSERT INTO spent SELECT CAST(n AS BLOB), 1 FROM n`, int64(2*pruneSlice+1)))
	}))
	settle(t, s, refusal("x", noon))
	inWriter(t, s, func(w *writer) {
		for range 2 {
			w.pruning.turns = pruneTurns - 1
			w.housekeep()
		}
	})
	for i, want := range []int64{pruneSlice + 1, 1, 0, 0} {
		equal(t, fmt.Sprint("left after turn ", i), rowsOf(t, s, "spent"), want)
		housekeepNow(t, s)
	}
	inWriter(t, s, func(w *writer) { equal(t, "something is left", w.pruning.left, false) })
}

// The Stop of a session was lost: it lives on for a day, and its ticket for
// as long as it would.
func TestLostSessionIsClosed(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	ticket := on(t, s, a, "lost", func(k *Ticket) { k.Until = noon.Add(100 * time.Hour) })
	revoked := on(t, s, a, "revoked", func(*Ticket) {})
	address := make(map[int64]netip.Addr)
	for _, id := range []int64{ticket, revoked} {
		var err error
		address[id], err = s.Lease(ctx, "vpn1", id, prefixes("10.8.0.0/24"), noon, noon.Add(100*time.Hour))
		must(t, err)
	}
	must(t, s.EndTicket(ctx, revoked, noon, Event{At: noon}))
	on(t, s, a, "living", func(*Ticket) {})
	seen(t, s, "living", noon.Add(24*time.Hour))
	passHours(t, s, 3, noon.Add(24*time.Hour))
	equal(t, "a day later", session(t, s, key("lost")).Stopped, time.Time{})
	later := noon.Add(25 * time.Hour)
	passHours(t, s, 3, later)
	must(t, third(s.LeaseOf(ctx, address[ticket], later)))
	wants(t, third(s.LeaseOf(ctx, address[revoked], later)), ErrUnknown)
	for _, name := range []string{"lost", "revoked"} {
		got := session(t, s, key(name))
		equal(t, "stopped", got.Stopped, later)
		equal(t, "cause", got.Cause, CauseLost)
	}
	equal(t, "living", session(t, s, key("living")).Stopped, time.Time{})
	lives(t, s, ticket, "its ticket", true, 25*time.Hour)
}

// A session is kept for a month after its end; that it was is in the book.
func TestOldSessionIsForgotten(t *testing.T) {
	s := open(t)
	must(t, s.ChangeSession(ctx, key("over"), func(now Session) SessionChange {
		now.Started, now.Event, now.Seen, now.Stopped = noon, noon, noon, noon
		return SessionChange{Session: now}
	}))
	kept := func() (n int) {
		must(t, s.Sessions(ctx, noon.Add(-time.Hour), func(Session, string) error { n++; return nil }))
		return n
	}
	passHours(t, s, 3, noon.Add(30*24*time.Hour))
	equal(t, "sessions after 30 days", kept(), 1)
	passHours(t, s, 3, noon.Add(30*24*time.Hour+time.Hour))
	equal(t, "sessions an hour later", kept(), 0)
}
