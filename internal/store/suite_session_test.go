package store

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func key(name string) SessionKey { return SessionKey{Client: "vpn1", NAS: "nas1", Name: name} }

// tell writes a session: change gets one that was seen at noon.
func tell(t testing.TB, s *Store, key SessionKey, change func(c *SessionChange)) {
	t.Helper()
	must(t, s.ChangeSession(ctx, key, telling(change)))
}

func telling(change func(c *SessionChange)) func(Session) SessionChange {
	return func(now Session) SessionChange {
		now.Seen = noon
		c := SessionChange{Session: now}
		change(&c)
		return c
	}
}

// session reads it, zero but for the key if there is none.
func session(t testing.TB, s *Store, key SessionKey) (found Session) {
	t.Helper()
	must(t, s.ChangeSession(ctx, key, func(now Session) SessionChange {
		found = now
		return SessionChange{Session: now}
	}))
	return found
}

// at claims addresses, of either family.
func at(addresses ...string) func(*SessionChange) {
	return func(c *SessionChange) {
		c.Claims = true
		for _, a := range addresses {
			if strings.Contains(a, "/") {
				c.Session.Address6 = netip.MustParsePrefix(a)
			} else {
				c.Session.Address4 = netip.MustParseAddr(a)
			}
		}
	}
}

func having(ticket int64) func(*SessionChange) {
	return func(c *SessionChange) { c.Session.Ticket = ticket }
}

func stop(c *SessionChange) { c.Session.Stopped, c.EndTicket = noon, true }

func names(sessions []Session) string {
	var all []string
	for _, s := range sessions {
		all = append(all, s.Name)
	}
	return strings.Join(all, " ")
}

func testSession(t *testing.T, s *Store) {
	want := Session{
		SessionKey: key("s1"), User: "ALICE@example.jp", Person: 7, Ticket: 8, Station: "203.0.113.7",
		Address4: netip.MustParseAddr("10.8.0.5"), Address6: netip.MustParsePrefix("2001:db8:0:5::/64"),
		Named: noon.Add(time.Second), Ousted: true, Started: noon, Event: noon.Add(2 * time.Second), Seen: noon.Add(3 * time.Second),
		Interval: 60*time.Second + time.Millisecond, Lasted: 3 * time.Second, Input: 1<<64 - 1, Output: 1 << 40,
		Stopped: noon.Add(time.Hour), Cause: "User-Request", Groups: []string{"staff", "IT Desk"},
		Ordered: noon.Add(time.Minute), Told: "change", Obeyed: "nak 503",
	}
	if got := session(t, s, key("s1")); !reflect.DeepEqual(got, Session{SessionKey: key("s1")}) {
		t.Errorf("before the first record %+v", got)
	}
	other := want
	other.NAS, other.Name, other.ID = "nas9", "s9", 99 // which it is can't be changed
	tell(t, s, key("s1"), func(c *SessionChange) { c.Session = other })
	want.ID = session(t, s, key("s1")).ID
	if got := session(t, s, key("s1")); got.ID == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("read back %+v,\nwant      %+v", got, want)
	}
	least := Session{SessionKey: key("s1"), ID: want.ID, Seen: noon, Ousted: true}
	tell(t, s, key("s1"), func(c *SessionChange) { c.Session = Session{Seen: noon} })
	if got := session(t, s, key("s1")); !reflect.DeepEqual(got, least) {
		t.Errorf("the least session is %+v", got)
	}
	for _, k := range []SessionKey{{"vpn2", "nas1", "s1"}, {"vpn1", "nas2", "s1"}, {"vpn1", "nas1", "s2"}} {
		if got := session(t, s, k); !reflect.DeepEqual(got, Session{SessionKey: k}) {
			t.Errorf("%v is %+v", k, got)
		}
		tell(t, s, k, func(*SessionChange) {})
		if id := session(t, s, k).ID; id == 0 || id == want.ID {
			t.Errorf("%v has id %d", k, id)
		}
	}
}

// A record that must not make a session may still be booked.
func testSessionNotKept(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	vpn := put(t, s, a, "vpn", func(*Ticket) {})
	tell(t, s, key("there"), at("10.8.0.5"))
	must(t, s.ChangeSession(ctx, key("old"), func(now Session) SessionChange {
		now.User, now.Ticket, now.Stopped = "alice", vpn, noon
		now.Address4 = netip.MustParseAddr("10.8.0.5")
		return SessionChange{Session: now, Claims: true, EndTicket: true, Events: []Event{{At: noon, Reason: "too_old"}, {At: noon.Add(time.Second), Reason: "again"}}}
	}))
	equal(t, "id", session(t, s, key("old")).ID, 0)
	lives(t, s, vpn, "its ticket", true, 0)
	equal(t, "ousted by it", session(t, s, key("there")).Ousted, false)
	found := events(t, s, Search{Reason: "again"})
	equal(t, "events", len(found), 1)
	equal(t, "the first", len(events(t, s, Search{Reason: "too_old"})), 1)
	equal(t, "newest", s.Newest(), noon.Add(time.Second))
	settled := settle(t, s, refusal("x", noon))
	equal(t, "next event", settled.Event, found[0].ID+1)
}

// Of two people on one address, whoever came last has it, and the first never
// again, even when both are told at once.
func testAddressIsTaken(t *testing.T, s *Store) {
	for _, c := range []struct{ first, second, third string }{
		{"10.8.0.5", "10.8.0.5", "10.8.0.6"},
		{"2001:db8:0:5::/64", "2001:db8:0:5::/64", "2001:db8:0:6::/64"},
		{"2001:db8:0:7::/64", "2001:db8:0:7::9/128", "2001:db8:0:6::9/128"},
		{"2001:db8:0:8::9/128", "2001:db8:0:8::/64", "2001:db8:0:6:8::/64"},
		{"2001:db8:100::/40", "2001:db8:1ff:ffff:ffff:ffff:ffff:ffff/128", "2001:db8:200::/128"},
		{"2001:db8:3ff:ffff:ffff:ffff:ffff:ffff/128", "2001:db8:300::/40", "2001:db8:400::/128"},
	} {
		alice, bob, carol := key(c.first+" alice"), SessionKey{"vpn2", "", c.second + " bob"}, key(c.third+" carol")
		tell(t, s, alice, at(c.first))
		tell(t, s, carol, at(c.third))
		equal(t, "alice alone", session(t, s, alice).Ousted, false)
		tell(t, s, bob, at(c.second))
		equal(t, fmt.Sprint("alice after bob at ", c.second), session(t, s, alice).Ousted, true)
		tell(t, s, bob, at(c.second)) // again
		equal(t, "bob", session(t, s, bob).Ousted, false)
		equal(t, "carol", session(t, s, carol).Ousted, false)

		tell(t, s, alice, func(c *SessionChange) { c.Session.Ousted = false })
		equal(t, "alice after her next record", session(t, s, alice).Ousted, true)
		for _, k := range []SessionKey{alice, bob, carol} {
			tell(t, s, k, stop)
		}
		tell(t, s, bob, at(c.second))
		equal(t, "those that stopped", session(t, s, carol).Ousted, false)
	}
}

// Both are told in one batch: each sees what the other wrote.
func testAddressIsTakenInABatch(t *testing.T, s *Store) {
	jobs := make([]*job, 3)
	for i := range jobs {
		jobs[i] = recordOf(key(fmt.Sprint(i)), at("10.8.0.5"))
	}
	oneBatch(t, s, jobs...)
	for i, want := range []bool{true, true, false} {
		must(t, jobs[i].err)
		equal(t, fmt.Sprint("ousted ", i), session(t, s, key(fmt.Sprint(i))).Ousted, want)
	}
}

// recordOf is the job of ChangeSession.
func recordOf(k SessionKey, change func(*SessionChange)) *job {
	return &job{part: changing(k, telling(change))}
}

func testSessionsAt(t *testing.T, s *Store) {
	other := SessionKey{Client: "vpn2", NAS: "nas1", Name: "other client"}
	tell(t, s, key("four"), at("10.8.0.5"))
	tell(t, s, key("both"), at("10.8.0.6", "2001:db8:0:6::/64"))
	tell(t, s, key("single"), at("2001:db8::7/128"))
	tell(t, s, key("mapped"), at("::ffff:10.8.0.8"))
	tell(t, s, key("odd"), at("2001:db8:0:8::/63")) // counts as not told
	tell(t, s, key("nameless"), func(*SessionChange) {})
	tell(t, s, key("gone"), stop)
	tell(t, s, key("stopped"), func(c *SessionChange) { at("10.8.0.5")(c); stop(c) })
	tell(t, s, other, func(*SessionChange) {})
	for addr, want := range map[string]string{
		"10.8.0.5": "four", "::ffff:10.8.0.5": "four", "10.8.0.6": "both", "10.8.0.8": "mapped",
		"2001:db8:0:6::": "both", "2001:db8:0:6:ffff:ffff:ffff:ffff": "both", "2001:db8::7": "single",
		"10.8.0.7": "", "2001:db8:0:7::": "", "2001:db8::8": "", "2001:db8:0:8::": "", "::": "", "0.0.0.0": "",
	} {
		p, err := s.PlaceOf(ctx, netip.MustParseAddr(addr), noon)
		must(t, err)
		equal(t, "on "+addr, names(p.On), want)
	}
	p, err := s.PlaceOf(ctx, netip.Addr{}, noon)
	must(t, err)
	equal(t, "on no address", len(p.On), 0)
	tell(t, s, key("nameless"), at("10.8.0.5"))
	p, err = s.PlaceOf(ctx, netip.MustParseAddr("10.8.0.5"), noon)
	must(t, err)
	equal(t, "on after it was told", names(p.On), "four nameless")
}

// of is a session of a person, that began so many minutes after noon.
func of(person, ticket int64, minutes int, more ...func(*SessionChange)) func(*SessionChange) {
	return func(c *SessionChange) {
		c.Session.Person, c.Session.Ticket, c.Session.Started = person, ticket, noon.Add(time.Duration(minutes)*time.Minute)
		for _, m := range more {
			m(c)
		}
	}
}

// The latest of others at the same client, and no other.
func testNamelessBesideAnAddress(t *testing.T, s *Store) {
	place := func() Place {
		t.Helper()
		p, err := s.PlaceOf(ctx, netip.MustParseAddr("10.8.0.5"), noon)
		must(t, err)
		return p
	}
	tell(t, s, key("alice"), of(1, 11, 0, at("10.8.0.5")))
	p := place()
	equal(t, "whose", fmt.Sprintf("%s %d %d %v", p.Client, p.Person, p.Ticket, p.Leased), "vpn1 1 11 false")
	equal(t, "beside nobody", p.Nameless, time.Time{})
	tell(t, s, key("her own"), of(1, 12, 9))
	tell(t, s, SessionKey{"vpn2", "nas1", "other client"}, of(2, 13, 9))
	tell(t, s, key("over"), of(2, 14, 9, stop))
	tell(t, s, key("placed"), of(2, 15, 9, at("10.8.0.6")))
	equal(t, "beside those that do not matter", place().Nameless, time.Time{})
	tell(t, s, key("older"), of(3, 16, 3))
	tell(t, s, key("latest"), of(2, 17, 5))
	tell(t, s, SessionKey{"vpn1", "nas2", "nobody's"}, of(0, 0, 4))
	equal(t, "latest", place().Nameless, noon.Add(5*time.Minute))
	tell(t, s, key("latest"), at("10.8.0.7"))
	equal(t, "once that told its own", place().Nameless, noon.Add(4*time.Minute))
	equal(t, "with a lease", place().Waiting, time.Time{})
	tell(t, s, key("beside"), of(2, 18, 1, at("10.8.0.5"), func(c *SessionChange) { c.Claims = false }))
	equal(t, "of two", place().Ticket, int64(0))
}

// A record that was held up takes the address from nobody who was seen there
// since.
func testOlderClaim(t *testing.T, s *Store) {
	named := func(minutes int) func(*SessionChange) {
		return func(c *SessionChange) { c.Session.Named = noon.Add(time.Duration(minutes) * time.Minute) }
	}
	tell(t, s, key("newer"), of(1, 1, 0, at("10.8.0.5"), named(2)))
	tell(t, s, key("older"), of(2, 2, 0, at("10.8.0.5"), named(1)))
	equal(t, "newer is ousted", session(t, s, key("newer")).Ousted, false)
	equal(t, "older is ousted", session(t, s, key("older")).Ousted, true)
	tell(t, s, key("newest"), of(3, 3, 0, at("10.8.0.5"), named(2)))
	equal(t, "newer is ousted by the newest", session(t, s, key("newer")).Ousted, true)
	equal(t, "newest is ousted", session(t, s, key("newest")).Ousted, false)
}

// The name of a session is given to another ticket: the first one ends, with
// what rests on it and its address.
func testNameOfASessionIsGivenAway(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	for _, next := range []int64{0, put(t, s, a, "next", func(*Ticket) {})} {
		k := key(fmt.Sprint("again ", next))
		vpn := put(t, s, a, fmt.Sprint("vpn ", next), func(*Ticket) {})
		web := put(t, s, a, fmt.Sprint("web ", next), resting(vpn))
		addr := leased(t, s, vpn, "10.8.0.0/24", noon)
		tell(t, s, k, having(vpn))
		tell(t, s, k, func(c *SessionChange) { c.Session = Session{Ticket: next, Seen: noon.Add(time.Minute)} })
		lives(t, s, vpn, "the first", false, 0)
		lives(t, s, web, "what rests on it", false, 0)
		ticket, err := s.Ticket(ctx, vpn)
		must(t, err)
		equal(t, "ended", ticket.Ended, noon.Add(time.Minute))
		wants(t, third(s.LeaseOf(ctx, netip.MustParseAddr(addr), noon.Add(time.Minute))), ErrUnknown)
		if next != 0 {
			lives(t, s, next, "the next", true, 0)
		}
	}
}

// The ticket ends with the session, and what rests on it, and is seen so at
// once, also what was put in the same batch.
func testStopEndsTicket(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	vpn := put(t, s, a, "vpn", func(*Ticket) {})
	web := put(t, s, a, "web", resting(vpn))
	other := put(t, s, a, "other", func(*Ticket) {})
	tell(t, s, key("s1"), having(vpn))
	tell(t, s, key("s2"), having(other))
	for _, id := range []int64{vpn, web, other} {
		lives(t, s, id, "before", true, 0)
	}
	epoch := s.Epoch()
	wiki := admission(a, 1)
	wiki.Ticket.Parent, wiki.Ticket.Rule = web, "wiki"
	late := admission(a, 2)
	late.Ticket.Parent = vpn
	batch := []*job{settlement(wiki), recordOf(key("s1"), func(c *SessionChange) { stop(c); c.Session.Seen = noon.Add(time.Minute) }), settlement(late)}
	oneBatch(t, s, batch...)
	for _, j := range batch {
		must(t, j.err)
	}
	equal(t, "loss of what rests on it afterwards", batch[2].settled.Lost, ChangedMeanwhile)
	for _, id := range []int64{vpn, web, batch[0].settled.Ticket} {
		lives(t, s, id, "after the stop", false, 0)
		ticket, err := s.Ticket(ctx, id)
		must(t, err)
		equal(t, "ended", ticket.Ended, noon.Add(time.Minute))
	}
	lives(t, s, other, "the other", true, 0)
	equal(t, "epoch", s.Epoch(), epoch)
}

// A session that was started again has the ticket still.
func testTicketOfAnotherSession(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	vpn := put(t, s, a, "vpn", func(*Ticket) {})
	tell(t, s, key("s1"), having(vpn))
	tell(t, s, key("s2"), having(vpn))
	of := func() string {
		list, err := s.SessionsOf(ctx, vpn)
		must(t, err)
		return names(list)
	}
	equal(t, "of the ticket", of(), "s1 s2")
	tell(t, s, key("s1"), stop)
	equal(t, "of the ticket, alive", of(), "s2")
	lives(t, s, vpn, "with a second session", true, 0)
	tell(t, s, key("s2"), func(c *SessionChange) { c.Session.Stopped = noon })
	lives(t, s, vpn, "where only the session stopped", true, 0)
	tell(t, s, key("s1"), stop) // a second Stop
	lives(t, s, vpn, "after the last", false, 0)

	live := put(t, s, a, "live", func(*Ticket) {})
	tell(t, s, key("s3"), having(live))
	tell(t, s, key("s3"), func(c *SessionChange) { c.EndTicket = true })
	lives(t, s, live, "of a session that goes on", false, 0)
	tell(t, s, key("s4"), stop) // has none
}

// Accounting-On and -Off end what that NAS has, and nothing else.
func testEndSessions(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	tickets := make(map[string]int64)
	for _, k := range []SessionKey{key("s1"), key("s2"), {"vpn1", "nas2", "other NAS"}, {"vpn2", "nas1", "other client"}, key("moved"), key("none")} {
		if k.Name != "none" {
			tickets[k.Name] = put(t, s, a, k.Name, func(*Ticket) {})
			held(t, s, tickets[k.Name])
		}
		tell(t, s, k, having(tickets[k.Name]))
	}
	child := put(t, s, a, "child", resting(tickets["s1"]))
	tell(t, s, SessionKey{"vpn1", "nas2", "moved here"}, having(tickets["moved"]))
	tell(t, s, key("stopped"), func(c *SessionChange) { c.Session.Stopped, c.Session.Cause = noon.Add(-time.Hour), "before" })
	since := put(t, s, a, "since", func(*Ticket) {})
	tell(t, s, key("since"), func(c *SessionChange) {
		c.Session.Ticket, c.Session.Event = since, noon.Add(time.Minute+time.Microsecond)
	})
	ended, err := s.EndSessions(ctx, "vpn1", "nas1", noon.Add(time.Minute), "NAS-Reboot", Event{At: noon, Reason: "nas_on"})
	must(t, err)
	equal(t, "ended", ended, 4)
	for k, want := range map[SessionKey]time.Time{
		key("s1"): noon.Add(time.Minute), key("none"): noon.Add(time.Minute), key("stopped"): noon.Add(-time.Hour),
		{"vpn1", "nas2", "other NAS"}: {}, {"vpn2", "nas1", "other client"}: {},
	} {
		got := session(t, s, k)
		equal(t, k.Name+" stopped", got.Stopped, want)
		equal(t, k.Name+" has the cause", got.Cause == "NAS-Reboot", got.Stopped == noon.Add(time.Minute))
	}
	for name, want := range map[string]bool{"s1": false, "s2": false, "other NAS": true, "other client": true, "moved": true} {
		lives(t, s, tickets[name], name, want, 0)
	}
	lives(t, s, child, "child", false, 0)
	lives(t, s, since, "of one that was told of since", true, 0)
	equal(t, "one that was told of since", session(t, s, key("since")).Stopped, time.Time{})
	booked := events(t, s, Search{Reason: "nas_on"})
	equal(t, "events", len(booked), 1)
	equal(t, "detail", booked[0].Detail, "sessions 4")
	_, err = s.EndSessions(ctx, "vpn1", "nas1", noon, "NAS-Reboot", Event{At: noon, Reason: "nas_on", Detail: "own"})
	must(t, err)
	equal(t, "detail of its own", events(t, s, Search{Reason: "nas_on"})[0].Detail, "own")
}

func testSessions(t *testing.T, s *Store) {
	for i, k := range []SessionKey{key("ended long ago"), key("ended"), key("first"), key("second")} {
		tell(t, s, k, func(c *SessionChange) {
			c.Session.Started, c.Session.Ticket = noon.Add(time.Duration(i)*time.Minute), int64(i%2)*5
			if i < 2 {
				c.Session.Stopped = noon.Add(time.Duration(i) * time.Hour)
			}
		})
	}
	list := func(since time.Time) string {
		var all []string
		must(t, s.Sessions(ctx, since, func(s Session, ticket string) error {
			all = append(all, s.Name+" "+ticket)
			return nil
		}))
		return strings.Join(all, ", ")
	}
	five := s.TicketName(5)
	equal(t, "since noon", list(noon), "second "+five+", first , ended "+five)
	equal(t, "since later", list(noon.Add(time.Hour)), "second "+five+", first ")
	equal(t, "ever", list(time.Time{}), "second "+five+", first , ended "+five+", ended long ago ")
	enough := errors.New("enough")
	wants(t, s.Sessions(ctx, noon, func(Session, string) error { return enough }), enough)
}

func testReadiness(t *testing.T, s *Store) {
	enrolled(t, s, "alice")
	epoch := s.Epoch()
	must(t, s.PutReadiness(ctx, map[string]string{"vpn1": "{}", "vpn2": "{1}"}))
	must(t, s.PutReadiness(ctx, map[string]string{"vpn2": "{2}"}))
	all, err := s.Readiness(ctx)
	must(t, err)
	if !reflect.DeepEqual(all, map[string]string{"vpn1": "{}", "vpn2": "{2}"}) {
		t.Errorf("readiness %v", all)
	}
	equal(t, "epoch", s.Epoch(), epoch)
}
