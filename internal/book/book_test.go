package book

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"sekisho/internal/store"
)

var (
	ctx   = context.Background()
	tokyo = time.FixedZone("JST", 9*3600)
	noon  = time.Date(2026, 4, 1, 12, 0, 0, 0, tokyo)
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newBook(t testing.TB) *Book {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.Options{})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return &Book{Store: s, Local: tokyo}
}

// refused is alice's code of four steps ago.
func refused() store.Event {
	return store.Event{
		At: noon, Door: "radius", Client: "vpn1", Service: "ssl-vpn", Typed: "Alice", Person: 7, Name: "alice",
		Source: "203.0.113.7", How: "calling-station-id", Zone: "off-campus", Rule: "outside",
		Outcome: "refused", Reason: "code_stale", Detail: "code of 4 steps ago", Took: 35 * time.Millisecond,
	}
}

func settle(t testing.TB, b *Book, e store.Event, flood string) string {
	t.Helper()
	settled, err := b.Store.Settle(ctx, store.Settlement{Event: e, Flood: flood})
	must(t, err)
	return settled.Reference
}

func TestSearchIsOldestFirst(t *testing.T) {
	b := newBook(t)
	const last = 2*slice + 3 // more than two slices
	var group sync.WaitGroup
	for range last {
		group.Go(func() {
			if _, err := b.Store.Settle(ctx, store.Settlement{Event: refused()}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, c := range []struct {
		q        store.Search
		from, to int64 // ids; 0: nothing
	}{
		{store.Search{}, 1, last},
		{store.Search{After: -1}, 1, last},
		{store.Search{Most: 3}, last - 2, last},
		{store.Search{After: 2, Most: 2}, 3, 4},
		{store.Search{After: last - 1}, last, last},
		{store.Search{After: last}, 0, 0},
		{store.Search{After: 1, Most: slice + 1}, 2, slice + 2},
		{store.Search{Client: "vpn1"}, 1, last},
		{store.Search{Client: "vpn2"}, 0, 0},
	} {
		var got, want []int64
		must(t, b.Search(ctx, c.q, func(l Line) error {
			got = append(got, l.ID)
			return nil
		}))
		for id := c.from; id > 0 && id <= c.to; id++ {
			want = append(want, id)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d found, want %d to %d", c.q, len(got), c.from, c.to)
		}
	}
}

func TestSearchPassesErrorsOn(t *testing.T) {
	b := newBook(t)
	settle(t, b, refused(), "")
	full := errors.New("the pipe is closed")
	for _, q := range []store.Search{{}, {Most: 1}} {
		if err := b.Search(ctx, q, func(Line) error { return full }); !errors.Is(err, full) {
			t.Errorf("%+v: error %v", q, err)
		}
	}
	b.Store.Close()
	for _, q := range []store.Search{{}, {Most: 1}} {
		if err := b.Search(ctx, q, func(Line) error { return nil }); !errors.Is(err, store.ErrClosed) {
			t.Errorf("%+v: error %v", q, err)
		}
	}
}

func TestLineIsGreppable(t *testing.T) {
	b := newBook(t)
	e := refused()
	e.ID, e.Ticket, e.Factors = 1, 2, "password+otp"
	reference, ticket := b.Store.Reference(1), b.Store.TicketName(2)
	want := "2026-04-01T12:00:00+09:00 " + reference + " refused code_stale alice radius/vpn1/ssl-vpn 203.0.113.7 off-campus outside password+otp" +
		" ticket=" + ticket + ` detail="code of 4 steps ago"`
	if got := b.Line(e).String(); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	e = store.Event{ID: 1, At: noon, Door: "web", Outcome: "refused", Reason: "unknown_user", Typed: "a…", Count: 3, Last: 9}
	want = "2026-04-01T12:00:00+09:00 " + reference + " refused unknown_user a… web/-/- - - - - count=3 last=" + b.Store.Reference(9)
	if got := b.Line(e).String(); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	if b.Local = nil; !b.Line(e).At.Equal(noon) {
		t.Error("another time")
	}
}

func TestANameCannotForgeALine(t *testing.T) {
	b := newBook(t)
	for _, name := range []string{
		"a\n2026-04-01T12:00:00+09:00 7F3K-92QD admitted admitted root", "a b", "\x1b[2Jalice", "a\u202eb", `a"b`, `a\b`, "\xff", "a\u2028b", "a\u00a0b",
	} {
		e := refused()
		e.ID, e.Name, e.Typed, e.Client, e.Source, e.Detail = 1, name, name, name, name, name
		l := b.Line(e)
		plain := regexp.MustCompile(`^\S+ \S+ refused code_stale "[^\n]*$`)
		if got := l.String(); !plain.MatchString(got) || strings.ContainsAny(got, "\x1b\n\u202e\u2028") || !utf8.ValidString(got) {
			t.Errorf("%q becomes %q", name, got)
		}
		for _, lang := range []string{"en", "ja"} {
			var out strings.Builder
			must(t, Story{Reference: name, Lines: []Line{l}}.Tell(&out, lang))
			if got := out.String(); strings.ContainsAny(got, "\x1b\u202e\u2028") || strings.Contains(got, "\n2026") {
				t.Errorf("%q is told as %q", name, got)
			}
		}
	}
}

func TestJSONFieldsAreStable(t *testing.T) {
	b := newBook(t)
	e := refused()
	e.ID, e.Factors, e.Ticket, e.Count, e.Last = 1, "password+otp", 2, 3, 4
	text, err := json.Marshal(b.Line(e))
	must(t, err)
	var names []string
	for _, m := range regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	want := "id at reference outcome reason user typed door client service source how zone rule factors detail ticket took_ms count last_reference"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

func TestWhyRefuses(t *testing.T) {
	b := newBook(t)
	settle(t, b, refused(), "")
	if _, err := b.Why(ctx, "7F"); !errors.Is(err, store.ErrReference) {
		t.Errorf("no reference: %v", err)
	}
	if _, err := b.Why(ctx, b.Store.Reference(99)); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("nothing booked: %v", err)
	}
	if err := (Story{}).Tell(broken{}, "en"); err == nil {
		t.Error("a broken pipe is no error")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
