package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// row is the person's in the store; nil if there is none.
func (w *world) row(name string) *store.Account {
	w.t.Helper()
	a, err := w.Store.Account(w.t.Context(), name)
	if errors.Is(err, store.ErrUnknown) {
		return nil
	}
	w.must(err)
	return a
}

func TestTypingANameMakesNoRow(t *testing.T) {
	w, c := newCampus(t)
	w.refused(w.from(desk, "zoe", "guess"), reason.WrongPassword)
	w.refused(w.from(home, "zoe", "PASSWORD123456"), reason.NoDevice)
	w.asked(w.from(home, "zoe", ""), "both")
	r, _ := c.relayed(w.from(desk, "yuri", "guess"))
	w.refused(r, reason.WrongPassword)
	if w.row("zoe") != nil || w.row("yuri") != nil {
		t.Error("somebody has a row now")
	}
	if n := len(w.counters()); n != 0 {
		t.Errorf("%d counters are kept", n)
	}
}

func TestFirstAdmissionMakesTheRow(t *testing.T) {
	w, c := newCampus(t)
	w.rule(append([]policy.Rule{{Name: "staff", Group: []string{"staff"}, Zone: []string{"campus"}, Need: []policy.Need{{policy.Password}}}}, campusRules...)...)
	w.refused(w.from(desk, "zoe", "guess"), reason.WrongPassword)
	w.time.pass(time.Second)
	r, seen := c.relayed(w.from(desk, "zoe", "PASSWORD"))
	a := w.admitted(r)
	row := w.row("zoe")
	if row == nil || row.Upstream != "id-zoe" || len(row.Groups) != 1 || row.Groups[0] != "staff" || row.Hash != "" || !row.Created.Equal(w.time.now()) {
		t.Fatalf("the row is %+v", row)
	}
	if len(*seen) != 1 || a.Person.ID != row.ID || a.Person.DN != "uid=zoe"+people {
		t.Errorf("admitted %+v, shown %q", a.Person, *seen)
	}
	if e := w.event(a.Reference); e.Person != row.ID || e.Name != "zoe" || e.Rule != "staff" {
		t.Errorf("booked %+v", e)
	}
	added := w.events(store.Search{Reason: string(reason.AccountAdded), Person: w.row("zoe").ID})
	if len(added) != 1 || added[0].Outcome != "done" || added[0].Person != row.ID || added[0].Client != r.Client || added[0].Detail != "from the directory behind" {
		t.Errorf("booked %+v", added)
	}
	if _, known := row.Known.At(desk); !known {
		t.Error("where she was is not known")
	}
	w.lives(a, true)

	again := w.admitted(r)
	if again.Person.ID != row.ID || len(w.events(store.Search{Reason: string(reason.AccountAdded), Person: w.row("zoe").ID})) != 1 {
		t.Errorf("admitted again as %+v", again.Person)
	}
}

func TestManyFirstAdmissionsMakeOneRow(t *testing.T) {
	w, c := newCampus(t)
	const n = 8
	people := make([]Person, n)
	together(n, func(i int) {
		r, _ := c.relayed(w.from(fmt.Sprint("192.0.2.", i), "zoe", "PASSWORD"))
		people[i] = w.admitted(r).Person
	})
	for _, p := range people {
		if p.ID != w.row("zoe").ID {
			t.Errorf("%+v is another person", p)
		}
	}
}

// A row of the time when people were kept here is theirs; so is its being shut.
func TestDisabledHereIsDisabledThoughTheDirectoryKnowsNothingOfIt(t *testing.T) {
	w, c := newCampus(t)
	c.set("erin", func(e *entry) { e.disabled = false })
	w.must(w.Store.Link(t.Context(), "erin", store.Person{Name: "erin", Upstream: "id-erin"}, store.Event{}))
	w.refused(w.from(desk, "erin", "PASSWORD"), reason.Disabled)
	if n := len(w.admissions()); n != 0 {
		t.Errorf("%d admissions", n)
	}
	if typed, nobody := c.asked(); len(typed) != 0 || nobody != 1 {
		t.Errorf("asked %q, and %d times for nobody; want once for nobody", typed, nobody)
	}
}

func TestAdoptingThatFails(t *testing.T) {
	w, _ := newCampus(t)
	r := w.from(desk, "zoe", "PASSWORD")
	w.Directory.(*campus).found = func() { w.Store.Close() }
	w.fails(r, store.ErrClosed)
}

// Nothing of somebody without a row is anybody else's.
func TestTwoPeopleWithoutRowsShareNothing(t *testing.T) {
	w, _ := newCampus(t)
	// Guesses.
	for n := range 12 {
		w.refused(w.guesses(desk, "zoe", n), reason.WrongPassword)
		w.time.pass(w.throttle.delay(n + 1))
	}
	w.refused(w.guesses(desk, "zoe", 99), reason.WrongPassword)
	w.refused(w.guesses(desk, "zoe", 98), reason.Throttled)
	w.refused(w.guesses(desk, "yuri", 99), reason.WrongPassword) // the same one, and at once
	w.time.pass(time.Second)

	// Attempts in work.
	w.time.pass(time.Hour)
	busy := w.begin(w.from(desk, "zoe", ""))
	w.must(busy.find(t.Context()))
	if !busy.reserve() {
		t.Fatal("zoe is not judged")
	}
	yuri := w.begin(w.from(desk, "yuri", ""))
	w.must(yuri.find(t.Context()))
	if !yuri.reserve() {
		t.Error("yuri waits for zoe")
	}
	yuri.guess.giveBack()
	busy.guess.giveBack()

	// Tickets.
	w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE")))
	if list, err := w.Sessions(t.Context(), 0); len(list) != 0 || err != nil {
		t.Errorf("nobody has %d sign-ins, %v", len(list), err)
	}
	yuri.r = w.vpn(yuri.r)
	session := policy.Repeat{Max: time.Hour, Idle: time.Hour, Session: true}
	if list, err := yuri.sessionTickets(t.Context(), session); len(list) != 0 || err != nil {
		t.Errorf("%d tickets, %v", len(list), err)
	}
	held := &store.Held{Ticket: store.Ticket{Until: w.time.now().Add(time.Hour), Shown: []store.Shown{{Factor: "password", At: w.time.now()}}}}
	if yuri.lend(held) || owns(yuri.account, held) {
		t.Error("a ticket of nobody is yuri's")
	}
	portal := w.admitted(w.from(home, "alice", "PASSWORDCODE+1"))
	w.refused(w.from(home, "zoe", "").with(portal), reason.EmptyPassword)

	// Words, and passwords of programs.
	w.wrongLooking(w.types("zoe", Word{Text: "vpn-bcdfghjkmnpq"}), reason.WrongWord)
	w.wrongLooking(w.types("yuri", Word{Text: Secret("app-" + strings.Repeat("b", 24))}), reason.WrongAppPassword)
}

// Nor is a row of the book, where one of them is guessed at.
func TestTwoPeopleWithoutRowsShareNoRowOfTheBook(t *testing.T) {
	w, _ := newCampus(t, func(g *Gate) { g.Throttle.Off = true })
	for n := range 3 * floodRate {
		w.refused(w.guesses(stranger(n), "zoe", n).inside(), reason.WrongPassword)
	}
	a := w.refused(w.guesses(cafe, "yuri", 1).inside(), reason.WrongPassword)
	if e := w.event(a.Reference); e.Name != "yuri" || e.Count > 1 {
		t.Errorf("booked %+v", e)
	}
}

// wrongLooking wants a refusal that tells nothing, without anybody's password
// having been looked at.
func (w *world) wrongLooking(r Request, why reason.Code) {
	w.t.Helper()
	c := w.Directory.(*campus)
	c.asked()
	a := w.refused(r, why)
	typed, nobody := c.asked()
	if cut(a) != told("en", reason.Generic("en"), "") || len(typed)+nobody != 0 {
		w.t.Errorf("told %q; asked %q, and %d times for nobody", a.Message, typed, nobody)
	}
}
