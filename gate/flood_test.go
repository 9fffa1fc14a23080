package gate

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
)

func TestEleventhRefusalOfASecondSharesARow(t *testing.T) {
	w := newWorld(t)
	for n := range 15 {
		r := w.guesses(fmt.Sprint("192.0.2.", n), "alice", n) // of one person, from anywhere
		w.admit(r)
	}
	rows := w.events(store.Search{Outcome: "refused"})
	if len(rows) != 11 || rows[0].Count != 5 || rows[1].Count != 1 {
		t.Fatalf("%d rows, the newest %+v", len(rows), rows[0])
	}
	w.time.pass(time.Second)
	w.admit(w.guesses(desk, "alice", 99))
	if n := len(w.events(store.Search{Outcome: "refused"})); n != 12 {
		t.Errorf("%d rows a second later", n)
	}
}

func TestOneSourceSharesARow(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.Off = true })
	for n := range 24 {
		w.refused(w.guesses(desk, everybody[n%3].name, n), reason.WrongPassword)
	}
	if rows := w.events(store.Search{Outcome: "refused"}); len(rows) != 11 || rows[0].Count != 14 {
		t.Errorf("%d rows, the newest %+v", len(rows), rows[0])
	}
}

func TestUnknownNamesShareOneRowAMinute(t *testing.T) {
	w := newWorld(t)
	references := make(map[string]bool)
	const n = 50
	for i := range n {
		a := w.refused(w.codes(stranger(i), fmt.Sprint("user", i), i), reason.UnknownUser)
		references[a.Reference] = true
	}
	if len(references) != n {
		t.Errorf("%d references for %d refusals", len(references), n)
	}
	rows := w.events(store.Search{Reason: string(reason.UnknownUser)})
	if len(rows) != 1 || rows[0].Count != n || rows[0].Person != 0 {
		t.Fatalf("%d rows: %+v", len(rows), rows)
	}
	for ref := range references {
		found, _, err := w.Store.Lookup(context.Background(), ref)
		if err != nil || len(found) == 0 || found[len(found)-1].ID != rows[0].ID {
			t.Errorf("%s is found as %v, %v", ref, found, err)
		}
	}
	w.time.pass(time.Minute)
	w.refused(w.codes(home, "somebody", 1), reason.UnknownUser)
	if rows := w.events(store.Search{Reason: string(reason.UnknownUser)}); len(rows) != 2 {
		t.Errorf("%d rows after a minute", len(rows))
	}
}

// Whoever replays a code makes noise first. The code's use is still a row.
func TestNoiseDoesNotHideAThief(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	for n := range 30 {
		w.admit(w.codes(stranger(n), "alice", n))
		w.admit(w.codes(home, "bob", n))
	}
	used := w.from(home, "alice", "PASSWORDCODE")
	for range 3 {
		w.event(w.refused(used, reason.CodeUsed).Reference)
	}
	if rows := w.events(store.Search{Reason: string(reason.CodeUsed)}); len(rows) != 3 {
		t.Errorf("%d rows", len(rows))
	}
	for range 3 {
		w.event(w.refused(w.from(home, "carol", "PASSWORDCODE-4"), reason.CodeStale).Reference)
		w.event(w.refused(w.from(home, "grace", "PASSWORDCODE"), reason.MustChange).Reference) // showed both
	}
}

func TestSharedRowsAreOfOneReason(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.Off = true })
	for n := range 15 {
		w.refused(w.guesses(desk, "alice", n), reason.WrongPassword)
	}
	w.refused(w.from(desk, "alice", ""), reason.EmptyPassword)
	w.refused(w.from(home, "alice", ""), reason.EmptyPassword)
	if rows := w.events(store.Search{Reason: string(reason.EmptyPassword)}); len(rows) != 2 {
		t.Errorf("%d rows of another reason, from two sources", len(rows))
	}
	for n := range 5 {
		w.refused(w.guesses(fmt.Sprint("192.0.2.", n), "alice", n), reason.WrongPassword)
	}
	// Ten, one of this source and one of this person.
	if rows := w.events(store.Search{Reason: string(reason.WrongPassword)}); len(rows) != 12 {
		t.Errorf("%d rows", len(rows))
	}
}

// Where the source is not known, many names would be many rows.
func TestOneClientSharesARow(t *testing.T) {
	w := newWorld(t)
	var people []store.Person
	for n := range 50 {
		people = append(people, store.Person{Name: fmt.Sprint("user", n), Created: begin})
	}
	_, err := w.Store.AddPeople(context.Background(), people)
	w.must(err)
	for n := range 300 {
		r := w.from(home, people[n%50].Name, "")
		r.Source = Source{}
		w.refused(r, reason.EmptyPassword)
	}
	rows := w.events(store.Search{Outcome: "refused"})
	if len(rows) != 101 || rows[0].Count != 200 {
		t.Errorf("%d rows, the newest of %d", len(rows), rows[0].Count)
	}
	r := w.from(home, "user1", "")
	r.Client = "another"
	w.event(w.refused(r, reason.EmptyPassword).Reference)
}

func TestAdmissionsAreNeverFlooded(t *testing.T) {
	w := newWorld(t)
	for range 30 {
		w.admitted(w.from(desk, "alice", "PASSWORD"))
	}
	if n := len(w.events(store.Search{Outcome: "admitted"})); n != 30 {
		t.Errorf("%d rows of 30 admissions", n)
	}
}
