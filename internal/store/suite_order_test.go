package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// dues are the sessions that are due, by name and what they have to do.
func dues(t testing.TB, s *Store, now time.Time) string {
	t.Helper()
	due, err := s.Due(ctx, now)
	must(t, err)
	var all []string
	for _, d := range due {
		if d.Change {
			all = append(all, d.Session.Name+" "+strings.Join(d.Now, "+"))
		} else {
			all = append(all, d.Session.Name+" end")
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// on makes a session of a new ticket.
func on(t *testing.T, s *Store, a *Account, name string, change func(*Ticket)) (ticket int64) {
	t.Helper()
	ticket = put(t, s, a, "vpn", change)
	tell(t, s, key(name), func(c *SessionChange) {
		c.Session.Ticket, c.Session.Person, c.Session.Groups = ticket, a.ID, a.Groups
	})
	return ticket
}

func changes(t testing.TB, s *Store, name string, change func(*Person)) {
	t.Helper()
	must(t, s.ChangePerson(ctx, name, func(p *Person) error { change(p); return nil }, Event{At: noon}))
}

func testChanged(t *testing.T, s *Store) {
	enrolled(t, s, "alice")
	generation := func(want, changed int64) {
		t.Helper()
		for range 2 {
			a := account(t, s, "alice")
			equal(t, "generation", a.Generation, want)
			equal(t, "changed", a.Changed, changed)
			inWriter(t, s, (*writer).forget)
		}
	}
	generation(2, 2) // the device
	changes(t, s, "alice", func(p *Person) { p.Groups = []string{"guests"} })
	generation(3, 2)
	changes(t, s, "alice", func(p *Person) { p.Groups, p.Disabled = []string{"staff"}, true })
	generation(4, 4)
	changes(t, s, "alice", func(p *Person) { p.Groups = nil })
	generation(5, 4)
	changes(t, s, "alice", func(*Person) {}) // signs out everywhere
	generation(6, 6)
	must(t, second(s.RemoveTokens(ctx, "alice", Event{At: noon})))
	generation(7, 7)
}

// What ends or voids a ticket ends its session, and nothing else does.
func testDueToEnd(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	plain := func(*Ticket) {}
	revoked := on(t, s, a, "revoked", plain)
	web := put(t, s, a, "web", plain)
	on(t, s, a, "by a word", resting(web))
	on(t, s, a, "short", func(k *Ticket) { k.Until = noon.Add(time.Hour) })
	on(t, s, a, "idle", idle(time.Minute))
	on(t, s, a, "stopped", plain)
	tell(t, s, key("stopped"), func(c *SessionChange) { c.Session.Stopped = noon })
	tell(t, s, key("without a ticket"), func(*SessionChange) {})
	tell(t, s, key("with a ticket that is gone"), having(9999))
	equal(t, "at first", dues(t, s, noon.Add(time.Hour-1*time.Microsecond)), "")
	equal(t, "after an hour", dues(t, s, noon.Add(time.Hour)), "short end")
	must(t, s.EndTicket(ctx, revoked, noon, Event{At: noon}))
	must(t, s.EndTicket(ctx, web, noon, Event{At: noon}))
	equal(t, "after the tickets", dues(t, s, noon), "by a word end, revoked end")

	b := enrolled(t, s, "bob")
	on(t, s, b, "bob", plain)
	changes(t, s, "bob", func(p *Person) { p.Disabled = true })
	equal(t, "after bob", dues(t, s, noon), "bob end, by a word end, revoked end")
	c := enrolled(t, s, "carol")
	on(t, s, c, "carol", plain)
	changes(t, s, "carol", func(p *Person) { p.Groups = []string{"guests"} })
	equal(t, "after carol's groups", dues(t, s, noon), "bob end, by a word end, carol guests, revoked end")
	changes(t, s, "carol", func(p *Person) { p.Hash = "new" })
	equal(t, "after carol's password", dues(t, s, noon), "bob end, by a word end, carol end, revoked end")

	due, err := s.Due(ctx, noon)
	must(t, err)
	for _, d := range due {
		if d.Session.Name == "bob" && (d.Name != "bob" || d.ID != session(t, s, key("bob")).ID || d.Client != "vpn1") {
			t.Errorf("due %+v", d)
		}
	}
}

// A change is due until the NAS was told the groups of now.
func testDueToChange(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	on(t, s, a, "alice", func(*Ticket) {})
	id := session(t, s, key("alice")).ID
	groups := func(g ...string) { changes(t, s, "alice", func(p *Person) { p.Groups = g }) }
	told := func(o Obedience) {
		t.Helper()
		o.Session, o.Change, o.At = id, true, noon
		must(t, s.Ordered(ctx, o, Event{At: noon, Reason: "changed", Detail: o.Answer}))
	}
	tell(t, s, key("alice"), func(c *SessionChange) { c.Session.Groups = []string{"other"} })
	equal(t, "told others when the ticket was made", dues(t, s, noon), "")
	groups("a b", "c")
	equal(t, "other groups", dues(t, s, noon), "alice a b+c")
	told(Obedience{Answer: "silent", Groups: []string{"a b", "c"}})
	equal(t, "silent", dues(t, s, noon), "")
	seen(t, s, "alice", noon.Add(time.Minute))
	equal(t, "a record that was under way", dues(t, s, noon), "")
	seen(t, s, "alice", noon.Add(time.Minute+time.Microsecond))
	equal(t, "it lives on", dues(t, s, noon), "alice a b+c")
	told(Obedience{Answer: "ack", Done: true, Groups: []string{"a b", "c"}})
	equal(t, "obeyed", dues(t, s, noon), "")
	got := session(t, s, key("alice"))
	equal(t, "groups", strings.Join(got.Groups, "+"), "a b+c")
	equal(t, "obeyed", got.Obeyed, "ack")
	equal(t, "ordered", got.Ordered, noon)
	groups("staff")
	equal(t, "others again", dues(t, s, noon), "alice staff")
	told(Obedience{Answer: "no_way", Done: true, Groups: []string{"staff"}})
	equal(t, "no way", dues(t, s, noon), "")
	groups("a b", "c")
	groups("staff")
	equal(t, "as they were", dues(t, s, noon), "")
	equal(t, "events", len(events(t, s, Search{Reason: "changed"})), 3)
}

func seen(t testing.TB, s *Store, name string, at time.Time) {
	t.Helper()
	tell(t, s, key(name), func(c *SessionChange) { c.Session.Seen = at })
}

// An end is ordered again while the session lives, and never once it is done.
// What became of a change tells nothing of it.
func testOrdered(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	for i, c := range []struct {
		before    Obedience // that was under way
		answer    Obedience
		atOnce    string
		whileSeen string
	}{
		{Obedience{}, Obedience{Answer: "silent"}, "", "end"},
		{Obedience{}, Obedience{Answer: "nak 503", Done: true}, "", ""},
		{Obedience{}, Obedience{Answer: "ack", Done: true}, "", ""},
		{Obedience{Change: true, Answer: "nak 404"}, Obedience{}, "end", "end"},
		{Obedience{Change: true, Answer: "ack", Done: true}, Obedience{}, "end", "end"},
		{Obedience{Answer: "silent"}, Obedience{Change: true, Answer: "ack", Done: true}, "", "end"},
		{Obedience{Answer: "ack", Done: true}, Obedience{Change: true, Answer: "nak 404"}, "", ""},
	} {
		name := fmt.Sprint("s", i)
		ticket := on(t, s, a, name, func(*Ticket) {})
		must(t, s.EndTicket(ctx, ticket, noon, Event{At: noon}))
		equal(t, name, dues(t, s, noon), name+" end")
		for _, o := range []Obedience{c.before, c.answer} {
			if o.Answer != "" {
				o.Session, o.At = session(t, s, key(name)).ID, noon
				must(t, s.Ordered(ctx, o, Event{At: noon, Reason: name}))
			}
		}
		want := func(what string) string { return strings.TrimSpace(strings.Replace(what, "end", name+" end", 1)) }
		equal(t, name+" at once", dues(t, s, noon), want(c.atOnce))
		seen(t, s, name, noon.Add(2*time.Minute))
		equal(t, name+" while it is seen", dues(t, s, noon), want(c.whileSeen))
		if !c.answer.Change && !c.before.Change {
			equal(t, name+" groups", strings.Join(session(t, s, key(name)).Groups, "+"), "staff")
		}
		tell(t, s, key(name), stop)
		equal(t, name+" stopped", dues(t, s, noon), "")
	}
	wants(t, s.Ordered(ctx, Obedience{Session: 9999}, Event{Reason: "nobody"}), ErrUnknown)
	equal(t, "events of nobody", len(events(t, s, Search{Reason: "nobody"})), 0)
	if err := s.Ordered(ctx, Obedience{Session: 1, Groups: []string{"a\nb"}}, Event{}); err == nil {
		t.Error("a group of two lines was taken")
	}
}
