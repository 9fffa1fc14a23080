package store

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// What was read before a ticket was dropped must not be remembered after it.
func TestStaleTicketIsNotRemembered(t *testing.T) {
	for name, write := range map[string]func(c *tickets){
		"drop":         func(c *tickets) { c.drop(1) },
		"drop another": func(c *tickets) { c.drop(2) },
		"clear":        func(c *tickets) { c.clear() },
	} {
		t.Run(name, func(t *testing.T) {
			var c tickets
			line := func() []*Held { return []*Held{{Ticket: Ticket{ID: 1}}} }
			old := c.begin()
			write(&c)
			fresh := c.begin()
			c.put(old, line())
			if _, ok := c.get(1); ok {
				t.Error("the stale read is remembered")
			}
			c.put(fresh, line())
			if _, ok := c.get(1); !ok {
				t.Error("the fresh read is not remembered")
			}
		})
	}
}

// A read that began before the use was written, and ended after it.
func TestReadBesideTheWritingKnowsTheUse(t *testing.T) {
	var c tickets
	began, old := c.begin(), Held{Ticket: Ticket{ID: 1, Until: noon.Add(time.Hour), Used: noon}}
	c.note(1, noon.Add(time.Minute))
	c.turnNotes() // written meanwhile
	read := old
	equal(t, "used", c.put(began, []*Held{&read}).Used, noon.Add(time.Minute))
}

func TestRememberedTicketsAreBounded(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "sekisho.db"), Options{Accounts: 8})
	a := enrolled(t, s, "alice")
	for range 12 {
		id := put(t, s, a, "web", func(*Ticket) {})
		s.Use(held(t, s, id), noon.Add(time.Minute))
		lives(t, s, id, "it", true, 0)
	}
	if n := s.tickets.recent.Len(); n > 8 {
		t.Errorf("%d tickets are remembered, bound is 8", n)
	}
}

func TestNotedUsesAreBounded(t *testing.T) {
	var c tickets
	for id := range int64(usesKept + 10) {
		equal(t, fmt.Sprint("many after ", id), c.manyNotes(), id > usesKept/2)
		c.note(id, noon)
	}
	equal(t, "noted", len(c.noted), usesKept)
	c.note(1, noon.Add(time.Hour))
	equal(t, "noted again", c.noted[1], micro(noon.Add(time.Hour)))
}

// Many notes are written slice by slice, so that no sign-in waits for all.
func TestUsesAreWrittenInSlices(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	first := put(t, s, a, "first", func(*Ticket) {})
	s.tickets.note(first, noon.Add(time.Minute))
	for id := range int64(usesSlice) {
		s.tickets.note(1000+id, noon)
	}
	last := first + 1 + 1000 + usesSlice
	must(t, s.change(ctx, func(c *conn) error {
		return second(c.exec("INSERT INTO ticket SELECT ?1, hash, person, generation, parent, scene, shown, created, until, idle, used, ended, repeat, answers, app_password FROM ticket", last))
	}))
	s.tickets.note(last, noon.Add(time.Minute))
	inWriter(t, s, func(w *writer) {
		w.takeNotes()
		for i, left := range []int{usesSlice + 2, 2, 0} {
			if len(w.uses.left) != left {
				t.Errorf("%d uses left before turn %d, want %d", len(w.uses.left), i, left)
			}
			w.housekeep()
		}
	})
	equal(t, "in the first slice", written(t, s, first), noon.Add(time.Minute))
	equal(t, "in the second slice", written(t, s, last), noon.Add(time.Minute))
}

// A command ends a ticket beside the server.
func TestAnotherProcessEndsATicket(t *testing.T) {
	s := open(t)
	other := openFile(t, s.file, Options{})
	a := enrolled(t, s, "alice")
	web := put(t, s, a, "web", idle(time.Hour))
	wiki := put(t, s, a, "wiki", resting(web))
	for _, see := range []func(){
		func() { settle(t, s, refusal("x", noon)) },
		func() { housekeepNow(t, s) },
	} {
		lives(t, s, wiki, "wiki", true, 0)
		s.Use(held(t, s, wiki), noon.Add(time.Minute))
		must(t, other.EndTicket(ctx, wiki, noon, Event{At: noon}))
		see()
		lives(t, s, wiki, "wiki", false, 0)
		writeUses(t, s)
		lives(t, s, wiki, "wiki", false, 0)
		wiki = put(t, s, a, "wiki", resting(web))
	}
	lives(t, s, wiki, "wiki", true, 0)
	must(t, other.EndTicket(ctx, web, noon, Event{At: noon}))
	housekeepNow(t, s)
	lives(t, s, wiki, "wiki", false, 0)
}

// Writing the uses must not make the server read everybody again.
func TestWritingUsesForgetsNothing(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	web := put(t, s, a, "web", func(*Ticket) {})
	s.Use(held(t, s, web), noon.Add(time.Minute))
	before, epoch := account(t, s, "alice"), s.Epoch()
	writeUses(t, s)
	if account(t, s, "alice") != before {
		t.Error("the account was forgotten")
	}
	if _, ok := s.tickets.get(web); !ok {
		t.Error("the ticket was forgotten")
	}
	equal(t, "epoch", s.Epoch(), epoch)
	equal(t, "written", written(t, s, web), noon.Add(time.Minute))

	must(t, s.EndTicket(ctx, web, noon, Event{At: noon}))
	if account(t, s, "alice") != before {
		t.Error("the end of a ticket made the account be forgotten")
	}
	equal(t, "epoch after the end of a ticket", s.Epoch(), epoch)
	equal(t, "next event", settle(t, s, refusal("x", noon)).Event, events(t, s, Search{})[1].ID+1)
}

// What a crash loses is when tickets were used last; an orderly end nothing.
func TestUsesAtTheEnd(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	web := put(t, s, a, "web", idle(time.Hour))
	s.Use(held(t, s, web), noon.Add(time.Minute))

	crashed := openFile(t, s.file, Options{}) // sees what a crash would leave
	h := held(t, crashed, web)
	equal(t, "used, after a crash", h.Used, noon)
	equal(t, "lives after a crash", h.Live(noon.Add(59*time.Minute)), true)
	must(t, s.Close())
	again := openFile(t, s.file, Options{})
	equal(t, "used, after the end", held(t, again, web).Used, noon.Add(time.Minute))
}

// While the disk is full nothing is lost: what was not written is written
// later.
func TestUsesOutlastAFullDisk(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	web := put(t, s, a, "web", idle(time.Hour))
	s.Use(held(t, s, web), noon.Add(time.Minute))
	pragma(t, s, "query_only=1")
	writeUses(t, s)
	equal(t, "not written", written(t, s, web), noon)
	s.Use(held(t, s, web), noon.Add(2*time.Minute))
	equal(t, "still noted", held(t, s, web).Used, noon.Add(2*time.Minute))
	pragma(t, s, "query_only=0")
	writeUses(t, s)
	writeUses(t, s)
	equal(t, "written", written(t, s, web), noon.Add(2*time.Minute))
}

// Whoever is told that the ticket has ended must never see it live again.
func TestEndTicketRacesWithReads(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	web := put(t, s, a, "web", func(*Ticket) {})
	for range 5 {
		wiki := put(t, s, a, "wiki", resting(web))
		var group sync.WaitGroup
		ended := make(chan struct{})
		for range 4 {
			group.Go(func() {
				for over := false; !over; {
					select {
					case <-ended:
						over = true
					default:
					}
					h, err := s.Held(ctx, wiki)
					if err != nil || over && h.Live(noon) {
						t.Errorf("after the end: %+v, %v", h, err)
					}
					s.Use(h, noon.Add(time.Second))
					s.tickets.clear() // so that it is read, too
				}
			})
		}
		if err := s.EndTicket(ctx, wiki, noon, Event{At: noon}); err != nil {
			t.Error(err)
		}
		close(ended)
		group.Wait()
		lives(t, s, wiki, "wiki", false, 0)
	}
}
