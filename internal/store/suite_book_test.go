package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func testReferences(t *testing.T, s *Store) {
	seen := make(map[string]bool)
	for i := range 60 {
		done := settle(t, s, refusal(fmt.Sprint(i), noon))
		r := done.Reference
		equal(t, "reference", r, s.Reference(done.Event))
		if seen[r] || len(r) != 9 || r[4] != '-' {
			t.Fatalf("reference %q", r)
		}
		seen[r] = true
		for _, typed := range []string{
			r, strings.ToLower(r), strings.ReplaceAll(r, "-", ""), " " + r[:4] + " " + r[5:] + " ",
			strings.ReplaceAll(r, "0", "O"), strings.ReplaceAll(r, "0", "o"),
			strings.ReplaceAll(r, "1", "I"), strings.ReplaceAll(r, "1", "l"),
		} {
			equal(t, typed, event(t, s, typed).Typed, fmt.Sprint(i))
		}
	}
	for _, typed := range []string{"", "7F3K-92Q", "7F3K-92QDX", "7F3K-92QU", "7F3K_92QD", "７Ｆ３Ｋ-92QD", "7F3K-92Q\x00"} {
		wants(t, third(s.Lookup(ctx, typed)), ErrReference)
	}
}

// The rows of a batch are cut into statements of several sizes.
func testBatchSizes(t *testing.T, s *Store) {
	for _, n := range []int{1, 7, 8, 9, 31, 32, 33, 40, 73, 200} {
		jobs := make([]*job, n)
		for i := range jobs {
			st := refusal(fmt.Sprint(i), noon)
			st.Ticket = &Ticket{Answers: i}
			jobs[i] = settlement(st)
		}
		oneBatch(t, s, jobs...)
		for i, j := range jobs {
			must(t, j.err)
			e := event(t, s, s.Reference(j.settled.Event))
			ticket, err := s.Ticket(ctx, e.Ticket)
			must(t, err)
			if e.Typed != fmt.Sprint(i) || ticket.Answers != i || e.Ticket != j.settled.Ticket {
				t.Fatalf("row %d of %d: event %+v, ticket %+v", i, n, e, ticket)
			}
		}
	}
}

func flooding(name string, at time.Time) Settlement {
	st := refusal("typed", at)
	st.Flood, st.Event.Detail = name, "of "+name
	return st
}

func testFlood(t *testing.T, s *Store) {
	var references []string
	book := func(name string, at time.Time) Settled {
		done := settle(t, s, flooding(name, at))
		references = append(references, done.Reference)
		return done
	}
	first := book("unknown", noon)
	for range 11 {
		book("unknown", noon.Add(59*time.Second))
	}
	last := book("unknown", noon.Add(30*time.Second))
	other := book("source", noon)
	next := book("unknown", noon.Add(time.Minute))
	late := book("unknown", noon.Add(59*time.Second)) // counts into the newer row

	rows := events(t, s, Search{After: 0})
	slices.Reverse(rows)
	equal(t, "rows", len(rows), 3)
	for i, want := range []struct {
		id, last int64
		count    int
	}{{first.Event, last.Event, 13}, {other.Event, other.Event, 1}, {next.Event, late.Event, 2}} {
		if e := rows[i]; e.ID != want.id || e.Last != want.last || e.Count != want.count {
			t.Errorf("row %d: id %d last %d count %d, want %+v", i, e.ID, e.Last, e.Count, want)
		}
	}
	equal(t, "detail", rows[0].Detail, "of unknown references "+strings.Join(references[:samples], " "))

	// Each reference that was told leads to its row, also without a sample.
	for i, r := range references[:13] {
		found, exact, err := s.Lookup(ctx, r)
		must(t, err)
		equal(t, "exact", exact, i == 0)
		if !slices.ContainsFunc(found, func(e Event) bool { return e.ID == first.Event }) {
			t.Errorf("reference %d finds %+v", i, found)
		}
	}
	found, exact, err := s.Lookup(ctx, late.Reference)
	must(t, err)
	if exact || len(found) != 1 || found[0].ID != next.Event {
		t.Errorf("the last reference finds %+v", found)
	}
	wants(t, third(s.Lookup(ctx, s.Reference(late.Event+1))), ErrUnknown)

	// A clock that was set back starts a row of its own.
	back := book("unknown", noon.Add(-time.Hour))
	equal(t, "after the clock went back", event(t, s, back.Reference).ID, back.Event)
}

func testFloodMinute(t *testing.T, s *Store) {
	settle(t, s, flooding("a", noon))
	jobs := []*job{
		settlement(flooding("a", noon)), settlement(flooding("a", noon)),
		settlement(flooding("a", noon.Add(time.Minute))), settlement(flooding("a", noon.Add(time.Minute))),
		settlement(flooding("b", noon.Add(5*time.Minute))),
	}
	oneBatch(t, s, jobs...)
	var counts []int
	for _, e := range events(t, s, Search{}) {
		counts = append(counts, e.Count)
	}
	if !slices.Equal(counts, []int{1, 2, 3}) {
		t.Errorf("rows stand for %v, newest first, want 1 2 3", counts)
	}
	for i, j := range jobs {
		must(t, j.err)
		if _, _, err := s.Lookup(ctx, s.Reference(j.settled.Event)); err != nil {
			t.Errorf("reference %d: %v", i, err)
		}
	}
}

func testSearch(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	row := func(i int, e Event) Event {
		e.At, e.Typed = noon.Add(time.Duration(i)*time.Minute), fmt.Sprint(i)
		return e
	}
	var ids []int64
	for i, e := range []Event{
		{Person: a.ID, Source: "203.0.113.7", Client: "vpn1", Reason: "admitted", Outcome: "admitted"},
		{Person: a.ID, Source: "203.0.113.8", Client: "vpn1", Reason: "wrong_code", Outcome: "refused"},
		{Name: "dave", Source: "203.0.113.7", Client: "vpn2", Reason: "unknown_user", Outcome: "refused"},
		{Person: a.ID, Source: "203.0.113.7", Client: "vpn2", Reason: "wrong_code", Outcome: "refused"},
	} {
		ids = append(ids, settle(t, s, Settlement{Event: row(i, e)}).Event)
	}
	at := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Minute) }
	for _, test := range []struct {
		name string
		q    Search
		want string
	}{
		{"person", Search{Person: a.ID, After: ids[0] - 1}, "0 1 3"},
		{"nobody", Search{Person: a.ID + 1}, ""},
		{"name", Search{Name: "dave"}, "2"},
		{"another name", Search{Name: "erin"}, ""},
		{"source", Search{Source: "203.0.113.7"}, "3 2 0"},
		{"client", Search{Client: "vpn2"}, "3 2"},
		{"reason", Search{Reason: "wrong_code"}, "3 1"},
		{"outcome", Search{Outcome: "refused"}, "3 2 1"},
		{"from, inclusive", Search{From: at(2)}, "3 2"},
		{"to, exclusive", Search{From: at(0), To: at(2), Source: "203.0.113.7"}, "0"},
		{"after", Search{After: ids[1]}, "2 3"},
		{"after, most", Search{After: ids[0], Most: 2}, "1 2"},
		{"most", Search{Most: 1}, "3"},
		{"all keys", Search{
			Person: a.ID, Source: "203.0.113.7", Client: "vpn2", Reason: "wrong_code", Outcome: "refused",
			From: at(1), To: at(4), After: ids[0], Most: 5,
		}, "3"},
	} {
		for _, indexed := range []string{"tail", "index"} {
			var got []string
			for _, e := range events(t, s, test.q) {
				got = append(got, e.Typed)
			}
			equal(t, test.name+" by "+indexed, strings.Join(got, " "), test.want)
			housekeepNow(t, s)
		}
	}
	enough, seen := errors.New("enough"), 0
	wants(t, s.Events(ctx, Search{}, func(Event) error { seen++; return enough }), enough)
	equal(t, "seen", seen, 1)
}

// The indexes by person are filled behind, in slices.
func testSearchIndexed(t *testing.T, s *Store) {
	const each = fileSlice/2 + 100 // of two people: more than a slice
	jobs := make([]*job, 2*each)
	for i := range jobs {
		st := refusal("x", noon)
		st.Event.Person = int64(1 + i%2)
		jobs[i] = settlement(st)
	}
	for part := range slices.Chunk(jobs, batchLength) {
		oneBatch(t, s, part...)
	}
	find := func() (n int) {
		for _, e := range events(t, s, Search{Person: 2}) {
			equal(t, "person", e.Person, 2)
			n++
		}
		return n
	}
	equal(t, "before the index", find(), each)
	inWriter(t, s, func(w *writer) {
		if err := w.conn.transaction(func() error { return second(w.fileSlice()) }); err != nil {
			t.Error(err)
		}
	})
	equal(t, "half in the index", find(), each)
	housekeepNow(t, s)
	equal(t, "all in the index", find(), each)
	var filed, last int64
	must(t, s.reading(ctx, func(c *conn) (err error) {
		filed, err = c.one("SELECT count(*) FROM event_person")
		if err == nil {
			last, err = c.one("SELECT filed FROM sequence")
		}
		return err
	}))
	equal(t, "filed", filed, 2*each)
	equal(t, "last filed", last, 2*each)
	settle(t, s, Settlement{Event: Event{Person: 2}})
	equal(t, "one behind the index", find(), each+1)
}

func testOrder(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	var want []string
	expect := func(reason string) string { want = append(want, reason); return reason }
	for round := range 3 {
		st := admission(a, int64(round))
		st.Event.Reason = expect(fmt.Sprint("settled ", round))
		settle(t, s, st)
		must(t, s.Book(ctx, Event{At: noon, Reason: expect(fmt.Sprint("booked ", round))}))
		must(t, s.ChangePerson(ctx, "alice", func(*Person) error { return nil }, Event{At: noon, Reason: expect(fmt.Sprint("changed ", round))}))
		a = account(t, s, "alice")
	}
	var got []string
	last := int64(1) // the enrolment
	for _, e := range events(t, s, Search{After: last}) {
		equal(t, "id", e.ID, last+1)
		last = e.ID
		got = append(got, e.Reason)
	}
	if !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
}

// A clock that is behind the newest booked time has gone back.
func testClock(t *testing.T, s *Store) {
	if !s.Newest().IsZero() {
		t.Errorf("newest of an empty book is %v", s.Newest())
	}
	newest := func(want time.Time) {
		t.Helper()
		equal(t, "newest", s.Newest(), want)
		housekeepNow(t, s)
		equal(t, "newest after housekeeping", s.Newest(), want)
	}
	settle(t, s, refusal("x", noon.Add(time.Hour)))
	newest(noon.Add(time.Hour))
	settle(t, s, refusal("x", noon))
	newest(noon.Add(time.Hour))
	must(t, s.AcceptClock(ctx, Event{At: noon, Reason: "clock_accepted"}))
	housekeepNow(t, s)
	newest(noon)
	settle(t, s, refusal("x", noon.Add(time.Minute)))
	newest(noon.Add(time.Minute))
	must(t, s.AcceptClock(ctx, Event{At: noon.Add(-time.Hour), Reason: "clock_accepted"}))
	housekeepNow(t, s)
	newest(noon.Add(-time.Hour))
	equal(t, "events", len(events(t, s, Search{Reason: "clock_accepted"})), 2)
}
