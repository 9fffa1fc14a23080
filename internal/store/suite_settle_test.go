package store

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"
)

func testSettled(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	st := admission(a, 5)
	st.Burn.Drift = 1
	st.Ticket = &Ticket{
		Hash: [32]byte{1, 2, 31: 3}, Person: a.ID, Generation: a.Generation, Parent: put(t, s, a, "parent", func(*Ticket) {}),
		Door: "radius", Service: "ssl-vpn", Client: "vpn1", Zone: "off-campus", Rule: "outside",
		Shown:   []Shown{{"password", noon}, {"otp", noon.Add(time.Microsecond)}},
		Created: noon, Until: noon.Add(10 * time.Hour), Idle: time.Hour, Used: noon.Add(time.Second), Ended: noon.Add(time.Minute),
		Repeat: []byte{9, 8}, Answers: 1,
	}
	st.Event = Event{
		At: noon, Door: "radius", Client: "vpn1", Service: "ssl-vpn", Typed: "ALICE", Person: a.ID, Name: "alice",
		Source: "203.0.113.7", How: "calling-station-id", Zone: "off-campus", Rule: "outside", Factors: "password+otp",
		Outcome: "admitted", Reason: "admitted", Detail: "日本語 \x00 'quoted'", Took: 1500 * time.Microsecond,
	}
	done := settle(t, s, st)
	equal(t, "loss", done.Lost, NotLost)

	wantTicket := *st.Ticket
	wantTicket.ID = done.Ticket
	ticket, err := s.Ticket(ctx, done.Ticket)
	must(t, err)
	if !reflect.DeepEqual(ticket, wantTicket) {
		t.Errorf("ticket %+v,\nwant   %+v", ticket, wantTicket)
	}
	wantEvent := st.Event
	wantEvent.ID, wantEvent.Ticket, wantEvent.Count, wantEvent.Last = done.Event, done.Ticket, 1, done.Event
	if got := event(t, s, done.Reference); got != wantEvent {
		t.Errorf("event %+v,\nwant  %+v", got, wantEvent)
	}
	token := account(t, s, "alice").Tokens[0]
	if token.Step != 5 || token.Drift != 1 || token.Ticket != done.Ticket {
		t.Errorf("device %+v", token)
	}

	// The least that can be settled reads back as zero values.
	done = settle(t, s, Settlement{Ticket: &Ticket{}})
	ticket, err = s.Ticket(ctx, done.Ticket)
	must(t, err)
	if !reflect.DeepEqual(ticket, Ticket{ID: done.Ticket}) {
		t.Errorf("the least ticket is %+v", ticket)
	}
	if got, want := event(t, s, done.Reference), (Event{ID: done.Event, Ticket: done.Ticket, Count: 1, Last: done.Event}); got != want {
		t.Errorf("the least event is %+v", got)
	}
}

func testNobody(t *testing.T, s *Store) {
	done := settle(t, s, refusal("n***", noon))
	if done.Ticket != 0 || done.Lost != NotLost {
		t.Errorf("settled %+v", done)
	}
	equal(t, "typed", event(t, s, done.Reference).Typed, "n***")
}

// lost checks that a settlement left nothing but its event.
func lost(t *testing.T, s *Store, st Settlement, done Settled, reason string, ticketsBefore int64) {
	t.Helper()
	equal(t, "ticket", done.Ticket, 0)
	e := event(t, s, done.Reference)
	want := st.Event
	want.ID, want.Last, want.Count, want.Ticket, want.Factors = done.Event, done.Event, 1, 0, ""
	want.Outcome, want.Reason = "refused", reason
	if e != want {
		t.Errorf("booked %+v,\nwant   %+v", e, want)
	}
	wants(t, second(s.Ticket(ctx, ticketsBefore+1)), ErrUnknown)
}

func testReplay(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	first := settle(t, s, admission(a, 5))
	st := admission(a, 5)
	st.Known, st.Counters = []string{"198.51.100.9"}, []Counter{{Name: "c", Count: 3}}
	again := settle(t, s, st)
	equal(t, "loss", again.Lost, Raced)
	lost(t, s, st, again, "code_used", first.Ticket)
	equal(t, "counters", len(counters(t, s)), 0)
	got := account(t, s, "alice")
	equal(t, "known", len(got.Known), 0)
	equal(t, "the first ticket", got.Tokens[0].Ticket, first.Ticket)
}

func testEarlierStep(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	settle(t, s, admission(a, 5))
	equal(t, "step 4", settle(t, s, admission(a, 4)).Lost, Raced)
	equal(t, "step 6", settle(t, s, admission(a, 6)).Lost, NotLost)
	equal(t, "step", account(t, s, "alice").Tokens[0].Step, 6)
}

func testSameBatch(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	jobs := []*job{settlement(admission(a, 5)), settlement(admission(a, 5)), settlement(admission(a, 6))}
	oneBatch(t, s, jobs...)
	for i, want := range []Loss{NotLost, Raced, NotLost} {
		must(t, jobs[i].err)
		equal(t, fmt.Sprintf("loss of %d", i), jobs[i].settled.Lost, want)
		equal(t, "ticket booked", event(t, s, s.Reference(jobs[i].settled.Event)).Ticket, jobs[i].settled.Ticket)
	}
	equal(t, "ticket", account(t, s, "alice").Tokens[0].Ticket, jobs[2].settled.Ticket)
}

func testRace(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	for step := range int64(5) {
		var won, tickets sync.Map
		var group sync.WaitGroup
		for i := range 64 {
			group.Go(func() {
				done, err := s.Settle(ctx, admission(a, step))
				if err != nil {
					t.Error(err)
				}
				if done.Lost == NotLost {
					won.Store(i, done)
				}
				if done.Ticket != 0 {
					tickets.Store(i, done)
				}
			})
		}
		group.Wait()
		equal(t, "winners", count(&won), 1)
		equal(t, "tickets", count(&tickets), 1)
	}
	equal(t, "events", len(events(t, s, Search{Person: a.ID, Reason: "code_used"})), 5*63)
}

func count(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

func testOtherDevice(t *testing.T, s *Store) {
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	settle(t, s, admission(a, 5))
	equal(t, "bob's step", account(t, s, "bob").Tokens[0].Step, -1)
	equal(t, "loss", settle(t, s, admission(b, 5)).Lost, NotLost)
}

func testGenerationMoved(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	first := settle(t, s, admission(a, 1))
	must(t, s.ChangePerson(ctx, "alice", func(p *Person) error { p.Hash = "new"; return nil }, Event{At: noon}))
	st := admission(a, 5)
	st.Known, st.Counters = []string{"198.51.100.9"}, []Counter{{Name: "c", Count: 3}}
	done := settle(t, s, st)
	equal(t, "loss", done.Lost, ChangedMeanwhile)
	lost(t, s, st, done, "changed_meanwhile", first.Ticket)
	now := account(t, s, "alice")
	equal(t, "step", now.Tokens[0].Step, 1)
	equal(t, "known", len(now.Known), 0)
	equal(t, "counters", len(counters(t, s)), 0)
	equal(t, "loss of what is judged now", settle(t, s, admission(now, 5)).Lost, NotLost)

	// A person that does not exist has no generation that could be judged.
	st = admission(a, 9)
	st.Person++
	equal(t, "loss of nobody", settle(t, s, st).Lost, ChangedMeanwhile)
}

func repeatOf(a *Account, ticket int64, most int, at time.Time) Settlement {
	st := admission(a, 0)
	st.Burn, st.Ticket = nil, nil
	st.Repeat = &Repeat{Ticket: ticket, Answers: most}
	st.Event.At, st.Event.Ticket, st.Event.Reason = at, ticket, "repeated"
	return st
}

func testRepeat(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	st := admission(a, 5)
	st.Ticket.Repeat, st.Ticket.Answers = []byte("equal"), 1
	first := settle(t, s, st)
	for i, want := range []Loss{NotLost, NotLost, Raced} {
		at := noon.Add(time.Duration(i+1) * time.Second)
		done := settle(t, s, repeatOf(a, first.Ticket, 3, at))
		equal(t, fmt.Sprintf("repeat %d", i), done.Lost, want)
		if e := event(t, s, done.Reference); (e.Ticket == first.Ticket) != (want == NotLost) {
			t.Errorf("repeat %d booked with ticket %d", i, e.Ticket)
		}
	}
	ticket, err := s.Ticket(ctx, first.Ticket)
	must(t, err)
	equal(t, "answers", ticket.Answers, 3)
	equal(t, "used", ticket.Used, noon.Add(2*time.Second))
	equal(t, "unbounded", settle(t, s, repeatOf(a, first.Ticket, 0, noon)).Lost, NotLost)
	equal(t, "no such ticket", settle(t, s, repeatOf(a, first.Ticket+9, 0, noon)).Lost, Raced)

	jobs := make([]*job, 20)
	for i := range jobs {
		jobs[i] = settlement(repeatOf(a, first.Ticket, 8, noon))
	}
	oneBatch(t, s, jobs...)
	won := 0
	for _, j := range jobs {
		must(t, j.err)
		if j.settled.Lost == NotLost {
			won++
		}
	}
	equal(t, "answers left in one batch", won, 4)
}

func testRepeatEnded(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	first := settle(t, s, admission(a, 5))
	must(t, s.EndTicket(ctx, first.Ticket, noon, Event{At: noon}))
	equal(t, "loss", settle(t, s, repeatOf(a, first.Ticket, 0, noon)).Lost, Raced)
	must(t, s.ChangePerson(ctx, "alice", func(*Person) error { return nil }, Event{At: noon}))
	equal(t, "loss", settle(t, s, repeatOf(a, first.Ticket, 0, noon)).Lost, ChangedMeanwhile)
}

func testCounters(t *testing.T, s *Store) {
	st := refusal("x", noon)
	st.Counters = []Counter{
		{Name: "a", Count: 3, Since: noon, Last: noon.Add(time.Second), Data: []byte{1}},
		{Name: "b", Count: 1, Since: noon, Last: noon.Add(-time.Hour)},
		{Name: "gone", Count: 0},
	}
	settle(t, s, st)
	if got := counters(t, s); !reflect.DeepEqual(got, map[string]Counter{"a": st.Counters[0], "b": st.Counters[1]}) {
		t.Errorf("counters %+v", got)
	}
	st.Counters = []Counter{{Name: "a", Count: 4, Since: noon.Add(time.Second), Last: noon.Add(time.Minute)}}
	settle(t, s, st)
	if got := counters(t, s)["a"]; !reflect.DeepEqual(got, st.Counters[0]) {
		t.Errorf("counter %+v, want %+v", got, st.Counters[0])
	}
	left, err := s.Counters(ctx, noon)
	must(t, err)
	if len(left) != 1 || left[0].Name != "a" {
		t.Errorf("since noon %+v", left)
	}
	equal(t, "the old one is removed", len(counters(t, s)), 1)
	st.Counters = []Counter{{Name: "a"}}
	settle(t, s, st)
	equal(t, "counters", len(counters(t, s)), 0)
}

func testKnown(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	for i, source := range []string{"203.0.113.7", "2001:db8::/64", "203.0.113.7"} {
		st := admission(a, int64(i))
		st.Known, st.Event.At = []string{source}, noon.Add(time.Duration(i)*time.Hour)
		settle(t, s, st)
	}
	want := Known{{"2001:db8::/64", noon.Add(time.Hour)}, {"203.0.113.7", noon.Add(2 * time.Hour)}}
	if got := account(t, s, "alice").Known; !reflect.DeepEqual(got, want) {
		t.Errorf("remembered %v", got)
	}
	inWriter(t, s, (*writer).forget)
	if got := account(t, s, "alice").Known; !reflect.DeepEqual(got, want) {
		t.Errorf("read %v", got)
	}
	if _, ok := want.At("203.0.113.8"); ok {
		t.Error("a source is known that is not")
	}
}

// A browser that keeps nothing is a new source at each sign-in.
func testKnownIsBounded(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	for i := range knownMost + 10 {
		st := admission(a, int64(i))
		st.Known, st.Event.At = []string{"home", fmt.Sprint("browser ", i)}, noon.Add(time.Duration(i)*time.Hour)
		settle(t, s, st)
	}
	for range 2 {
		known := account(t, s, "alice").Known
		_, home := known.At("home")
		_, old := known.At("browser 10")
		_, kept := known.At("browser 11")
		if len(known) != knownMost || !home || old || !kept {
			t.Errorf("%d sources: home %v, an old one %v, a newer one %v", len(known), home, old, kept)
		}
		inWriter(t, s, (*writer).forget)
	}
}

// What was handed out is never changed, and what is handed out next is what
// the database holds.
func testAccountFollows(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	old := *a
	old.Tokens = append([]Token(nil), a.Tokens...)
	st := admission(a, 5)
	st.Known = []string{"203.0.113.7"}
	settle(t, s, st)
	if !reflect.DeepEqual(*a, old) {
		t.Errorf("a shared account was changed to %+v", *a)
	}
	remembered := account(t, s, "alice")
	inWriter(t, s, (*writer).forget)
	if read := account(t, s, "alice"); !reflect.DeepEqual(read, remembered) {
		t.Errorf("remembered %+v,\nread       %+v", remembered, read)
	}
}
