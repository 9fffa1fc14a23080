package store

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func held(t testing.TB, s *Store, id int64) Held {
	t.Helper()
	h, err := s.Held(ctx, id)
	must(t, err)
	return h
}

// lives compares at each of the times after noon.
func lives(t *testing.T, s *Store, id int64, what string, want bool, after ...time.Duration) {
	t.Helper()
	h := held(t, s, id)
	for _, d := range after {
		equal(t, fmt.Sprint(what, " lives after ", d), h.Live(noon.Add(d)), want)
	}
}

func resting(on int64) func(*Ticket) { return func(k *Ticket) { k.Parent = on } }

func idle(d time.Duration) func(*Ticket) { return func(k *Ticket) { k.Idle = d } }

// writeUses does what housekeeping does every ten seconds.
func writeUses(t testing.TB, s *Store) {
	t.Helper()
	for range usesTurns {
		housekeepNow(t, s)
	}
}

// written is when the ticket was used, as the file has it.
func written(t testing.TB, s *Store, id int64) time.Time {
	t.Helper()
	ticket, err := s.Ticket(ctx, id)
	must(t, err)
	return ticket.Used
}

func testHeld(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	wants(t, second(s.Held(ctx, 1)), ErrUnknown)
	wants(t, second(s.Held(ctx, 0)), ErrUnknown)
	wants(t, second(s.Held(ctx, -1)), ErrUnknown)
	id := put(t, s, a, "outside", func(k *Ticket) {
		k.Idle, k.Shown, k.Repeat = time.Hour, []Shown{{"password", noon}, {"otp", noon}}, []byte{1}
	})
	ticket, err := s.Ticket(ctx, id)
	must(t, err)
	for range 2 { // read, then remembered
		h := held(t, s, id)
		if h.Name != "alice" || !reflect.DeepEqual(h.Ticket, ticket) {
			t.Errorf("held %+v, want %+v", h, ticket)
		}
	}
	lives(t, s, id, "it", true, 0, time.Hour-1)
	lives(t, s, id, "it", false, time.Hour, 10*time.Hour)
	h := held(t, s, id)
	for after, want := range map[time.Duration]bool{0: false, time.Hour - 1: false, time.Hour: true, 10*time.Hour - 1: true, 10 * time.Hour: false} {
		equal(t, fmt.Sprint("lapsed after ", after), h.Lapsed(noon.Add(after)), want)
	}
}

// A ticket lives no longer than what it rests on, however far down.
func testHeldRests(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	vpn := put(t, s, a, "vpn", func(k *Ticket) { k.Idle, k.Until = 2*time.Hour, noon.Add(5*time.Hour) })
	web := put(t, s, a, "web", func(k *Ticket) { k.Parent, k.Idle = vpn, 3*time.Hour })
	wiki := put(t, s, a, "wiki", resting(web))
	for range 2 {
		lives(t, s, wiki, "wiki", true, 0, 2*time.Hour-1)
		lives(t, s, wiki, "wiki", false, 2*time.Hour)
		equal(t, "until", held(t, s, wiki).Until, noon.Add(5*time.Hour))
	}
	if h := held(t, s, wiki); h.Lapsed(noon.Add(2 * time.Hour)) {
		t.Error("a ticket that rests on an idle one lapses")
	}
	if h := held(t, s, web); h.Lapsed(noon.Add(4 * time.Hour)) {
		t.Error("an idle ticket that rests on another lapses")
	}

	must(t, s.EndTicket(ctx, vpn, noon.Add(time.Minute), Event{At: noon}))
	for _, id := range []int64{vpn, web, wiki} {
		lives(t, s, id, "after the end", false, 0)
		if held(t, s, id).Ended.IsZero() {
			t.Errorf("ticket %d does not tell that it has ended", id)
		}
	}
}

// The end of a ticket is seen at once in what was remembered of those that
// rest on it, and nothing else is forgotten.
func testHeldEnds(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	web := put(t, s, a, "web", func(*Ticket) {})
	wiki, mail := put(t, s, a, "wiki", resting(web)), put(t, s, a, "mail", resting(web))
	for _, id := range []int64{web, wiki, mail} {
		lives(t, s, id, "before", true, 0)
	}
	epoch := s.Epoch()
	must(t, s.EndTicket(ctx, wiki, noon, Event{At: noon}))
	lives(t, s, wiki, "wiki", false, 0)
	lives(t, s, mail, "mail", true, 0)
	lives(t, s, web, "web", true, 0)
	must(t, s.EndTicket(ctx, web, noon, Event{At: noon}))
	lives(t, s, mail, "mail after web", false, 0)
	equal(t, "epoch", s.Epoch(), epoch)
}

func testHeldSettled(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	id := put(t, s, a, "mail", idle(time.Hour))
	held(t, s, id)
	settle(t, s, repeatOf(a, id, 0, noon.Add(30*time.Minute)))
	h := held(t, s, id)
	equal(t, "answers", h.Answers, 1)
	equal(t, "used by a repeat", h.Used, noon.Add(30*time.Minute))

	child := admission(a, 1)
	child.Event.At, child.Ticket.Parent = noon.Add(time.Hour), id
	settle(t, s, child)
	equal(t, "used by a child", held(t, s, id).Used, noon.Add(time.Hour))
	late := admission(a, 2)
	late.Event.At, late.Ticket.Parent = noon.Add(time.Minute), id
	settle(t, s, late)
	equal(t, "used by a late one", held(t, s, id).Used, noon.Add(time.Hour))
}

// What rests on nothing that is there, or on too much, opens nothing.
func testHeldBrokenLine(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	id := put(t, s, a, "root", func(*Ticket) {})
	for i := 1; i < lineLength; i++ {
		id = put(t, s, a, fmt.Sprint(i), resting(id))
	}
	lives(t, s, id, "the longest line", true, 0)
	wants(t, second(s.Held(ctx, put(t, s, a, "longer", resting(id)))), ErrUnknown)

	lost, web := put(t, s, a, "lost", func(*Ticket) {}), int64(0)
	web = put(t, s, a, "web", resting(lost))
	must(t, s.change(ctx, func(c *conn) error { return second(c.exec("DELETE FROM ticket WHERE id = ?1", lost)) }))
	wants(t, second(s.Held(ctx, web)), ErrUnknown)
}

func testUse(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	vpn := put(t, s, a, "vpn", idle(time.Hour))
	web := put(t, s, a, "web", func(k *Ticket) { k.Parent, k.Idle = vpn, time.Hour })
	wiki := put(t, s, a, "wiki", resting(web))
	line := []int64{wiki, web, vpn}
	use := func(after time.Duration) { s.Use(held(t, s, wiki), noon.Add(after)) }
	used := func(what string, id int64, after time.Duration) {
		t.Helper()
		equal(t, what, held(t, s, id).Used, noon.Add(after))
	}
	use(50 * time.Minute)
	use(40 * time.Minute) // came late
	for _, id := range line {
		used("noted", id, 50*time.Minute)
		equal(t, "not written yet", written(t, s, id), noon)
	}
	lives(t, s, wiki, "wiki", true, 110*time.Minute-1)
	lives(t, s, wiki, "wiki", false, 110*time.Minute)

	epoch := s.Epoch()
	writeUses(t, s)
	for _, id := range line {
		used("after the writing", id, 50*time.Minute)
		equal(t, "written", written(t, s, id), noon.Add(50*time.Minute))
	}
	equal(t, "epoch", s.Epoch(), epoch)
	use(100 * time.Minute)
	must(t, s.Book(ctx, Event{At: noon})) // forgets what is remembered
	used("noted beside what was forgotten", vpn, 100*time.Minute)
	writeUses(t, s)
	writeUses(t, s)
	used("twice written", vpn, 100*time.Minute)
	equal(t, "twice written", written(t, s, vpn), noon.Add(100*time.Minute))

	use(101 * time.Minute)
	child := admission(a, 1)
	child.Event.At, child.Ticket.Parent = noon.Add(102*time.Minute), wiki
	settle(t, s, child)
	writeUses(t, s)
	equal(t, "settled after the note", written(t, s, wiki), noon.Add(102*time.Minute))
}

// Neither a ticket that has ended nor one that lay too long is brought back.
func testUseAfterEnd(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	ended, lapsed := put(t, s, a, "ended", idle(time.Hour)), put(t, s, a, "lapsed", idle(time.Hour))
	before := held(t, s, ended)
	s.Use(before, noon.Add(time.Minute))
	must(t, s.EndTicket(ctx, ended, noon.Add(2*time.Minute), Event{At: noon}))
	s.Use(before, noon.Add(3*time.Minute)) // judged before it ended
	s.Use(held(t, s, ended), noon.Add(4*time.Minute))
	s.Use(held(t, s, lapsed), noon.Add(time.Hour))
	for range 2 {
		lives(t, s, ended, "ended", false, 0, 5*time.Minute)
		lives(t, s, lapsed, "lapsed", false, time.Hour)
		writeUses(t, s)
	}
	equal(t, "ended", held(t, s, ended).Ended, noon.Add(2*time.Minute))
	equal(t, "used after the end", written(t, s, ended), noon)
	equal(t, "used after it lapsed", written(t, s, lapsed), noon)
}

func testUIDNumber(t *testing.T, s *Store) {
	_, err := s.AddPeople(ctx, []Person{{Name: "alice", UIDNumber: 10001}, {Name: "bob"}, {Name: "carol"}})
	must(t, err)
	equal(t, "alice's", account(t, s, "alice").UIDNumber, 10001)
	equal(t, "bob's", account(t, s, "bob").UIDNumber, 0)

	set := func(name string, n int64) error {
		return s.ChangePerson(ctx, name, func(p *Person) error { p.UIDNumber = n; return nil }, Event{At: noon})
	}
	taken := set("bob", 10001)
	wants(t, taken, ErrExists)
	wants(t, second(s.AddPeople(ctx, []Person{{Name: "dave", UIDNumber: 7}, {Name: "erin", UIDNumber: 7}})), ErrExists)
	wants(t, second(s.Account(ctx, "dave")), ErrUnknown)
	for _, want := range []string{`"bob"`, "10001", `"alice"`} {
		if !strings.Contains(taken.Error(), want) {
			t.Errorf("%q does not name %s", taken, want)
		}
	}
	must(t, set("alice", 10001)) // her own
	must(t, set("alice", 10002))
	must(t, set("bob", 10001))
	must(t, s.People(ctx, "", func(p Person) error {
		equal(t, p.Name, p.UIDNumber, map[string]int64{"alice": 10002, "bob": 10001}[p.Name])
		return nil
	}))
}
