package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// live lists what Tickets calls each for, by the rule that each was made with.
func live(t *testing.T, s *Store, person int64, now time.Time) string {
	t.Helper()
	var rules []string
	must(t, s.Tickets(ctx, person, now, func(ticket Ticket, name string) error {
		rules = append(rules, name+":"+ticket.Rule)
		return nil
	}))
	return strings.Join(rules, " ")
}

func put(t *testing.T, s *Store, a *Account, rule string, change func(*Ticket)) int64 {
	t.Helper()
	st := admission(a, 0)
	st.Burn, st.Ticket.Rule = nil, rule
	change(st.Ticket)
	return settle(t, s, st).Ticket
}

func testTickets(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	plain := func(*Ticket) {}
	put(t, s, a, "plain", plain)
	put(t, s, a, "short", func(k *Ticket) { k.Until = noon.Add(time.Hour) })
	put(t, s, a, "idle", func(k *Ticket) { k.Idle, k.Used = time.Hour, noon.Add(time.Hour) })
	put(t, s, a, "before", func(k *Ticket) { k.Generation-- })
	put(t, s, a, "ended", func(k *Ticket) { k.Ended = noon })
	for range 2 { // by the tail, then by the index
		for after, want := range map[time.Duration]string{
			0:                           "alice:idle alice:short alice:plain",
			time.Hour - 1*time.Second:   "alice:idle alice:short alice:plain",
			time.Hour:                   "alice:idle alice:plain",
			2*time.Hour - 1*time.Second: "alice:idle alice:plain",
			2 * time.Hour:               "alice:plain",
			10 * time.Hour:              "",
		} {
			equal(t, fmt.Sprint("all after ", after), live(t, s, 0, noon.Add(after)), want)
			equal(t, fmt.Sprint("hers after ", after), live(t, s, a.ID, noon.Add(after)), want)
		}
		housekeepNow(t, s)
	}
	must(t, s.ChangePerson(ctx, "alice", func(p *Person) error { p.Hash = "new"; return nil }, Event{At: noon}))
	equal(t, "after a new password", live(t, s, a.ID, noon), "")
	enough := errors.New("enough")
	put(t, s, account(t, s, "alice"), "new", plain)
	wants(t, s.Tickets(ctx, 0, noon, func(Ticket, string) error { return enough }), enough)
}

func testTicketsOfOne(t *testing.T, s *Store) {
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	for i, who := range []*Account{a, b, a} {
		put(t, s, who, fmt.Sprint(i), func(*Ticket) {})
		if i == 1 {
			housekeepNow(t, s)
		}
	}
	equal(t, "alice's", live(t, s, a.ID, noon), "alice:2 alice:0")
	equal(t, "bob's", live(t, s, b.ID, noon), "bob:1")
	equal(t, "all", live(t, s, 0, noon), "alice:2 bob:1 alice:0")
}

func testEndTicket(t *testing.T, s *Store) {
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	ids := make(map[string]int64)
	parent := func(name string) func(*Ticket) { return func(k *Ticket) { k.Parent = ids[name] } }
	ids["vpn"] = put(t, s, a, "vpn", func(*Ticket) {})
	ids["web"] = put(t, s, a, "web", parent("vpn"))
	ids["other"] = put(t, s, a, "other", func(*Ticket) {})
	housekeepNow(t, s)
	ids["wiki"] = put(t, s, a, "wiki", parent("web"))
	ids["mail"] = put(t, s, a, "mail", parent("vpn"))
	ids["bob"] = put(t, s, b, "bob", func(*Ticket) {})

	end := func(name string, at time.Time) error {
		return s.EndTicket(ctx, ids[name], at, Event{At: at, Reason: "ticket_revoked"})
	}
	must(t, end("mail", noon.Add(time.Second)))
	must(t, end("vpn", noon.Add(time.Minute)))
	wants(t, end("vpn", noon), ErrUnknown)
	wants(t, end("wiki", noon), ErrUnknown)
	wants(t, s.EndTicket(ctx, 999, noon, Event{Ticket: 999}), ErrUnknown)
	equal(t, "live", live(t, s, 0, noon), "bob:bob alice:other")
	want := map[string]time.Time{
		"vpn": noon.Add(time.Minute), "web": noon.Add(time.Minute), "wiki": noon.Add(time.Minute),
		"mail": noon.Add(time.Second), "other": {}, "bob": {},
	}
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		ticket, err := s.Ticket(ctx, ids[name])
		must(t, err)
		equal(t, name+" ended", ticket.Ended, want[name])
	}
	booked := events(t, s, Search{Reason: "ticket_revoked"})
	equal(t, "events", len(booked), 2)
	if e := booked[0]; e.Ticket != ids["vpn"] || e.Person != a.ID || e.Name != "alice" {
		t.Errorf("booked %+v", e)
	}
}

func testTicketName(t *testing.T, s *Store) {
	for id := range int64(100) {
		name := s.TicketName(id)
		if name == "T"+s.Reference(id) {
			t.Errorf("ticket %d and event %d share the text %s", id, id, name)
		}
		for _, typed := range []string{name, " " + strings.ToLower(name) + " ", strings.ReplaceAll(name, "-", "")} {
			got, err := s.ParseTicket(typed)
			must(t, err)
			equal(t, typed, got, id)
		}
	}
	for _, typed := range []string{"", " ", "T", "7F3K-92QD", "X7F3K-92QD", "T7F3K-92Q", "T7F3K-92QU"} {
		if id, err := s.ParseTicket(typed); err == nil || id != 0 {
			t.Errorf("%q was read as ticket %d", typed, id)
		}
	}
}

func testKeyChecks(t *testing.T, s *Store) {
	read := func() map[uint32][]byte {
		checks, err := s.KeyChecks(ctx)
		must(t, err)
		return checks
	}
	equal(t, "at first", len(read()), 0)
	for _, want := range []map[uint32][]byte{{1: {1, 2}, 1<<32 - 1: {3}}, {2: {4}}, {}} {
		must(t, s.SetKeyChecks(ctx, want))
		if got := read(); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("checks %v, want %v", got, want)
		}
	}
}

// The parent may be ended between the judgement and the settlement; one that
// lives is used by what it lends to.
func testParent(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	parent := put(t, s, a, "parent", func(*Ticket) {})
	child := admission(a, 1)
	child.Event.At, child.Ticket.Parent = noon.Add(time.Minute), parent
	equal(t, "child", settle(t, s, child).Lost, NotLost)
	used, err := s.Ticket(ctx, parent)
	must(t, err)
	equal(t, "parent used", used.Used, noon.Add(time.Minute))

	must(t, s.EndTicket(ctx, parent, noon, Event{At: noon}))
	late := admission(a, 2)
	late.Ticket.Parent = parent
	equal(t, "child of an ended ticket", settle(t, s, late).Lost, ChangedMeanwhile)
	equal(t, "its code", account(t, s, "alice").Tokens[0].Step, int64(1))
}
