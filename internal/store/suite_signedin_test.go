package store

import (
	"strings"
	"testing"
	"time"
)

// signedInAt are the names of who is signed in, with their ids over there.
func signedInAt(t *testing.T, s *Store, at time.Time) string {
	t.Helper()
	people, err := s.SignedIn(ctx, at)
	must(t, err)
	var list []string
	for _, p := range people {
		equal(t, "id of "+p.Name, p.ID, accountByUpstream(t, s, p.Upstream).ID)
		list = append(list, p.Name+"="+p.Upstream)
	}
	return strings.Join(list, " ")
}

// ticketOf puts one of somebody who may have no device.
func ticketOf(t *testing.T, s *Store, a *Account, change func(*Ticket)) int64 {
	t.Helper()
	st := Settlement{
		Person: a.ID, Generation: a.Generation, Event: Event{At: noon, Person: a.ID, Name: a.Name, Outcome: "admitted"},
		Ticket: &Ticket{Person: a.ID, Generation: a.Generation, Created: noon, Until: noon.Add(10 * time.Hour), Used: noon},
	}
	change(st.Ticket)
	return settle(t, s, st).Ticket
}

func testSignedIn(t *testing.T, s *Store) {
	plain := func(*Ticket) {}
	equal(t, "nobody", signedInAt(t, s, noon), "")
	put(t, s, enrolled(t, s, "local"), "plain", plain)
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin"} {
		adopted(t, s, entry("id-"+name, name))
	}
	ticketOf(t, s, account(t, s, "bob"), func(k *Ticket) { k.Until = noon.Add(time.Hour) })
	ended := ticketOf(t, s, account(t, s, "carol"), plain)
	must(t, s.EndTicket(ctx, ended, noon, Event{At: noon}))
	ticketOf(t, s, account(t, s, "dave"), func(k *Ticket) { k.Idle = time.Minute })
	for range 2 {
		ticketOf(t, s, account(t, s, "alice"), plain)
	}
	for range 2 { // read through, then from the first on that lived
		equal(t, "at noon", signedInAt(t, s, noon), "alice=id-alice bob=id-bob dave=id-dave")
	}
	equal(t, "unused", signedInAt(t, s, noon.Add(time.Hour-time.Second)), "alice=id-alice bob=id-bob dave=id-dave")
	equal(t, "bob's is over", signedInAt(t, s, noon.Add(time.Hour)), "alice=id-alice dave=id-dave")

	must(t, s.ChangePerson(ctx, "alice", func(p *Person) error { p.Disabled = true; return nil }, Event{At: noon}))
	equal(t, "all of alice's ended", signedInAt(t, s, noon.Add(time.Hour)), "dave=id-dave")
	ticketOf(t, s, account(t, s, "erin"), plain)
	equal(t, "erin's came since", signedInAt(t, s, noon.Add(time.Hour)), "dave=id-dave erin=id-erin")
	equal(t, "all are over", signedInAt(t, s, noon.Add(10*time.Hour)), "")
}
