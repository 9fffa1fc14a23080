package store

import (
	"fmt"
	"testing"
	"time"
)

// silently does with what is due as the radius door does, which has eight
// orders of a client on their way: the NAS says nothing for 30 s.
func silently(t *testing.T, s *Store, now time.Time, each func(Due)) {
	t.Helper()
	due, err := s.Due(ctx, now)
	must(t, err)
	busy := make(map[string]int)
	for _, d := range due {
		if busy[d.Client]++; busy[d.Client] <= 8 {
			must(t, s.Ordered(ctx, Obedience{Session: d.ID, At: now, Answer: "silent"}))
			each(d)
		}
	}
}

// Those of a NAS that is silent come one after the other.
func TestSilentSessionsDoNotStarveOthers(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	ordered := make(map[string]int)
	for i := range 41 {
		name := fmt.Sprint("s", i)
		ordered[name] = 0
		must(t, s.EndTicket(ctx, on(t, s, a, name, func(*Ticket) {}), noon, Event{At: noon}))
	}
	now := noon
	for range 2 * 30 {
		silently(t, s, now, func(d Due) { ordered[d.Session.Name]++ })
		now = now.Add(30 * time.Second)
		for name := range ordered {
			seen(t, s, name, now)
		}
	}
	for name, n := range ordered {
		if n < 3 || n > 6 {
			t.Errorf("%s was ordered %d times", name, n)
		}
	}
}

// Nor do a silent NAS's many keep back those of another client.
func TestSilentClientDoesNotStarveOthers(t *testing.T) {
	s := open(t)
	for i := range dueMost + 100 {
		tell(t, s, key(fmt.Sprint("s", i)), func(c *SessionChange) { c.Session.Told = "end" })
	}
	for client := range 70 {
		for i := range 9 {
			k := SessionKey{Client: fmt.Sprint("other", client), Name: fmt.Sprint(i)}
			tell(t, s, k, func(c *SessionChange) { c.Session.Told = "end" })
		}
	}
	due, err := s.Due(ctx, noon)
	must(t, err)
	equal(t, "in all", len(due), dueMost)
	count := make(map[string]int)
	for _, d := range due {
		count[d.Client]++
	}
	equal(t, "clients", len(count), 71)
	for client, n := range count {
		if n < 7 || n > 8 {
			t.Errorf("%d of %s", n, client)
		}
	}
	must(t, s.Ordered(ctx, Obedience{Session: due[0].ID, At: noon, Answer: "silent"}))
	seen(t, s, due[0].Session.Name, noon.Add(time.Hour))
	again, err := s.Due(ctx, noon)
	must(t, err)
	for _, d := range again {
		if d.ID == due[0].ID {
			t.Error("one that was told goes before those that never were")
		}
	}
}

func TestEndingOnceSpends(t *testing.T) {
	s := open(t)
	once := &Spend{Key: []byte("on"), Until: noon.Add(time.Hour)}
	for i, want := range []int{1, 0} {
		tell(t, s, key("s"), func(c *SessionChange) { c.Session.Stopped = time.Time{} })
		ended, err := s.EndSessionsOnce(ctx, once, "vpn1", "nas1", noon, "on", Event{At: noon, Reason: "on"})
		must(t, err)
		equal(t, fmt.Sprint("ended by copy ", i), ended, want)
		equal(t, "booked", len(events(t, s, Search{Reason: "on"})), 1)
	}
}
