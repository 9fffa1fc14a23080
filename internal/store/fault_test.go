package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func open(t testing.TB) *Store {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "sekisho.db"), Options{})
}

// contents is every row of every table, to tell that nothing was written.
func contents(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	must(t, s.reading(ctx, func(c *conn) error {
		for _, table := range []string{"meta", "sequence", "person", "token", "burnt", "ticket", "event", "known", "counter", "key_check",
			"session", "lease", "spent", "word", "readiness"} {
			err := c.each("SELECT * FROM "+table, func(row []driver.Value) error {
				all[table] = append(all[table], fmt.Sprint(row))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return all
}

// large is an admission that writes everything a settlement can, and needs
// pages for it.
func large(a *Account, step int64) Settlement {
	st := admission(a, step)
	st.Event.Detail = strings.Repeat("x", 20_000)
	st.Counters = []Counter{{Name: fmt.Sprint("counter ", step), Count: 1, Data: make([]byte, 5_000)}}
	st.Known = []string{fmt.Sprint("source ", step)}
	st.Spend = &Spend{Key: make([]byte, 5_000+step), Until: noon}
	return st
}

// faulty checks that one fault stops everything and breaks nothing: setting
// and lifting it are PRAGMAs on the writer's connection.
func faulty(t *testing.T, set, lift string) {
	s := open(t)
	a := enrolled(t, s, "alice")
	first := settle(t, s, large(a, 1))
	pragma(t, s, set)
	before := contents(t, s)

	alive := true
	failed := settlement(large(a, 2))
	oneBatch(t, s, failed, &job{turn: func(*writer) { alive = s.Alive() }})
	if failed.err == nil || errors.Is(failed.err, ErrRecord) {
		t.Fatalf("settled with %v, want a fault of the store", failed.err)
	}
	if alive {
		t.Error("alive after the fault")
	}
	// Whole batches fail, too, and administrators' changes.
	batch := []*job{settlement(large(a, 2)), settlement(large(a, 2)), settlement(large(a, 3))}
	alive = true
	oneBatch(t, s, append(batch, &job{turn: func(*writer) { alive = s.Alive() }})...)
	for i, j := range batch {
		if j.err == nil {
			t.Errorf("settlement %d of a batch settled", i)
		}
	}
	if alive {
		t.Error("alive after a batch that failed")
	}
	record := recordOf(key("s1"), func(c *SessionChange) {
		having(first.Ticket)(c)
		stop(c)
		c.Session.User = strings.Repeat("x", 50_000)
	})
	oneBatch(t, s, record)
	if record.err == nil || errors.Is(record.err, ErrRecord) {
		t.Errorf("a session was written with %v, want a fault of the store", record.err)
	}
	people := []Person{{Name: "bob", Hash: strings.Repeat("x", 50_000)}}
	if _, err := s.AddPeople(ctx, people); err == nil {
		t.Error("a person was added")
	}
	if after := contents(t, s); !reflect.DeepEqual(after, before) {
		t.Errorf("half written: %v", after["sequence"])
	}
	if got := account(t, s, "alice").Tokens[0]; got.Step != 1 || got.Ticket != first.Ticket {
		t.Errorf("remembered %+v", got)
	}

	pragma(t, s, lift)
	housekeepNow(t, s)
	if !s.Alive() {
		t.Error("dead after the fault was lifted")
	}
	second := settle(t, s, large(a, 2))
	equal(t, "loss", second.Lost, NotLost)
	equal(t, "ticket", second.Ticket, first.Ticket+1)
	equal(t, "event", second.Event, first.Event+1)
	for _, done := range []Settled{first, second} {
		equal(t, "booked ticket", event(t, s, done.Reference).Ticket, done.Ticket)
		_, err := s.Ticket(ctx, done.Ticket)
		must(t, err)
	}
	_, err := s.AddPeople(ctx, people)
	must(t, err)
}

func TestDiskFull(t *testing.T) { faulty(t, "max_page_count=1", "max_page_count=1000000") }

func TestReadOnly(t *testing.T) { faulty(t, "query_only=1", "query_only=0") }

// While writing fails, housekeeping must not say that all is well.
func TestReadOnlyStaysDead(t *testing.T) {
	s := open(t)
	pragma(t, s, "query_only=1")
	if _, err := s.Settle(ctx, refusal("x", noon)); err == nil {
		t.Fatal("settled")
	}
	housekeepNow(t, s)
	if s.Alive() {
		t.Error("alive after housekeeping")
	}
	pragma(t, s, "query_only=0")
	housekeepNow(t, s)
	if !s.Alive() {
		t.Error("dead after the fault was lifted")
	}
}

// poison makes every event of this typed name break a constraint.
func poison(t *testing.T, s *Store) {
	t.Helper()
	must(t, s.change(ctx, func(c *conn) error {
		return second(c.exec(`CREATE TRIGGER poison BEFORE INSERT ON event WHEN new.typed = 'poison'
			BEGIN SELECT RAISE(ABORT, 'poison'); END`))
	}))
}

func TestBrokenRecordSparesItsNeighbours(t *testing.T) {
	s := open(t)
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	poison(t, s)
	broken := admission(a, 5)
	broken.Event.Typed = "poison"
	broken.Known, broken.Counters = []string{"198.51.100.9"}, []Counter{{Name: "broken", Count: 1}}
	batch := []*job{settlement(admission(b, 1)), settlement(broken), settlement(admission(a, 2)), settlement(admission(b, 2))}
	oneBatch(t, s, batch...)
	for i, j := range batch {
		if i == 1 {
			wants(t, j.err, ErrRecord)
			continue
		}
		must(t, j.err)
		equal(t, "loss", j.settled.Lost, NotLost)
		equal(t, "ticket", event(t, s, s.Reference(j.settled.Event)).Ticket, j.settled.Ticket)
	}
	equal(t, "alice's step", account(t, s, "alice").Tokens[0].Step, 2)
	equal(t, "bob's step", account(t, s, "bob").Tokens[0].Step, 2)
	equal(t, "known", len(account(t, s, "alice").Known), 0)
	equal(t, "counters", len(counters(t, s)), 0)

	_, err := s.Settle(ctx, broken)
	wants(t, err, ErrRecord)
	if !s.Alive() {
		t.Error("one broken record made the store dead")
	}
	equal(t, "loss of the same code in a sound record", settle(t, s, admission(a, 5)).Lost, NotLost)
}

// Nor can a broken session keep others from being written, nor be half
// written itself.
func TestBrokenSessionSparesItsNeighbours(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	vpn := put(t, s, a, "vpn", func(*Ticket) {})
	tell(t, s, key("first"), at("10.8.0.5"))
	lives(t, s, vpn, "before", true, 0)
	poison(t, s)
	booked := func(typed string) func(*SessionChange) {
		return func(c *SessionChange) {
			having(vpn)(c)
			c.Events = []Event{{At: noon, Typed: "sound"}, {At: noon, Typed: typed}}
		}
	}
	broken := recordOf(key("broken"), func(c *SessionChange) {
		booked("poison")(c)
		at("10.8.0.5")(c)
		stop(c)
	})
	twoLines := recordOf(key("two lines"), func(c *SessionChange) { c.Session.Groups = []string{"a\nb"} })
	batch := []*job{
		settlement(admission(a, 1)), recordOf(key("before"), booked("x")), broken, twoLines,
		recordOf(key("after"), booked("y")), settlement(admission(a, 2)),
	}
	oneBatch(t, s, batch...)
	for i, j := range batch {
		if j == broken || j == twoLines {
			wants(t, j.err, ErrRecord)
			continue
		}
		must(t, j.err)
		equal(t, fmt.Sprint("loss of ", i), j.settled.Lost, NotLost)
	}
	for name, want := range map[string]bool{"before": true, "after": true, "broken": false, "two lines": false} {
		equal(t, name+" is there", session(t, s, key(name)).ID != 0, want)
	}
	equal(t, "ousted by the broken one", session(t, s, key("first")).Ousted, false)
	lives(t, s, vpn, "after the broken one", true, 0)
	equal(t, "events of the sound ones", len(events(t, s, Search{}))-len(events(t, s, Search{Person: a.ID})), 4)
	if !s.Alive() {
		t.Error("one broken session made the store dead")
	}
}

// A broken record or a refused change shows nothing about the disk.
func TestBrokenRecordDoesNotRevive(t *testing.T) {
	s := open(t)
	poison(t, s)
	inWriter(t, s, func(w *writer) { s.sick.Store(true) })
	st := refusal("poison", noon)
	record := settlement(st)
	alive := false
	look := func() *job { return &job{turn: func(*writer) { alive = alive || s.Alive() }} }
	unknown := &job{change: func(*conn) error { return ErrUnknown }}
	oneBatch(t, s, &job{turn: func(*writer) { s.sick.Store(true) }}, record, look(), unknown, look())
	wants(t, record.err, ErrRecord)
	wants(t, unknown.err, ErrUnknown)
	if alive {
		t.Error("alive though nothing was written")
	}
}

// A batch that fails may have been the first to see what another process
// wrote; its ids must not be given out again.
func TestBrokenRecordAfterAnotherProcessBooked(t *testing.T) {
	s := open(t)
	other := openFile(t, s.file, Options{})
	a := enrolled(t, s, "alice")
	poison(t, s)
	settle(t, s, admission(a, 1))
	must(t, other.Book(ctx, Event{At: noon, Reason: "booked beside"}))
	there := settle(t, other, admission(a, 2))
	batch := []*job{settlement(admission(a, 3)), settlement(refusal("poison", noon)), settlement(admission(a, 4))}
	oneBatch(t, s, batch...)
	must(t, batch[0].err)
	wants(t, batch[1].err, ErrRecord)
	must(t, batch[2].err)
	equal(t, "ticket", batch[0].settled.Ticket, there.Ticket+1)
	equal(t, "event", batch[0].settled.Event, there.Event+1)
	equal(t, "admissions", len(events(t, s, Search{Reason: "admitted"})), 4)
}

// A lock held elsewhere is waited for once, not once a settlement.
func TestLockedByAnotherProcess(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	other, err := dial(s.file)
	must(t, err)
	defer other.close()
	pragma(t, s, "busy_timeout=1")
	must(t, second(other.exec("BEGIN IMMEDIATE")))
	batch := []*job{settlement(admission(a, 1)), settlement(admission(a, 2)), settlement(admission(a, 3))}
	oneBatch(t, s, batch...)
	for _, j := range batch {
		if j.err == nil || j.err != batch[0].err || errors.Is(j.err, ErrRecord) {
			t.Errorf("error %v, want the one of the first: %v", j.err, batch[0].err)
		}
	}
	must(t, second(other.exec("ROLLBACK")))
	equal(t, "loss", settle(t, s, admission(a, 1)).Lost, NotLost)
	if !s.Alive() {
		t.Error("dead after the lock was given up")
	}
}

// When the disk fills, refusals give way to admissions.
func TestScarceDisk(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "sekisho.db"), Options{Reserve: 1 << 62})
	a := enrolled(t, s, "alice")
	housekeepNow(t, s)
	first := settle(t, s, refusal("x", noon))
	counted := settle(t, s, refusal("y", noon))
	admitted := settle(t, s, admission(a, 5))
	replayed := settle(t, s, admission(a, 5))
	repeated := settle(t, s, repeatOf(a, admitted.Ticket, 0, noon))

	equal(t, "count", event(t, s, first.Reference).Count, 2)
	found, exact, err := s.Lookup(ctx, counted.Reference)
	must(t, err)
	if exact || len(found) != 1 || found[0].ID != first.Event {
		t.Errorf("the counted refusal finds %+v", found)
	}
	equal(t, "admission", event(t, s, admitted.Reference).Ticket, admitted.Ticket)
	equal(t, "replayed code", event(t, s, replayed.Reference).Reason, "code_used")
	equal(t, "repeat", event(t, s, repeated.Reference).Reason, "repeated")

	inWriter(t, s, func(*writer) { s.opt.Reserve = 1 })
	housekeepNow(t, s)
	equal(t, "a refusal with room again", event(t, s, settle(t, s, refusal("z", noon)).Reference).Typed, "z")
}
