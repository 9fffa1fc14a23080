package store

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// entry is a person of the directory behind.
func entry(id, name string, groups ...string) Person {
	return Person{Upstream: id, Name: name, Display: "D " + name, Mail: name + "@example.ac.jp", Groups: groups, Created: noon}
}

func adopted(t testing.TB, s *Store, p Person) *Account {
	t.Helper()
	a, err := s.Adopt(ctx, p, Event{At: noon, Outcome: "done", Reason: "account_added"})
	must(t, err)
	return a
}

func accountByUpstream(t testing.TB, s *Store, id string) *Account {
	t.Helper()
	a, err := s.AccountOf(ctx, id)
	must(t, err)
	return a
}

func testAdopt(t *testing.T, s *Store) {
	wants(t, second(s.AccountOf(ctx, "u1")), ErrUnknown)
	p := entry("u1", "alice", "staff")
	p.ID, p.Generation, p.Disabled, p.Hash, p.UIDNumber = 99, 99, true, "h", 10001 // not the directory's to say
	got := adopted(t, s, p)
	want := entry("u1", "alice", "staff")
	want.ID, want.Generation, want.Changed = got.ID, 1, 1
	if got.ID <= 0 || got.ID == 99 || !reflect.DeepEqual(*got, Account{Person: want}) {
		t.Fatalf("adopted %+v, want %+v", *got, want)
	}
	for what, a := range map[string]*Account{"by name": account(t, s, "alice"), "by id": accountByUpstream(t, s, "u1")} {
		if !reflect.DeepEqual(a, got) {
			t.Errorf("%s: %+v", what, *a)
		}
	}
	found := events(t, s, Search{Person: got.ID})
	if len(found) != 1 || found[0].Name != "alice" || found[0].Reason != "account_added" {
		t.Errorf("booked %+v", found)
	}
}

func testAdoptAgain(t *testing.T, s *Store) {
	before := adopted(t, s, entry("u1", "alice", "staff", "it"))
	epoch := s.Epoch()
	again := adopted(t, s, entry("u1", "alice", "it", "staff", "it")) // a directory keeps no order
	if !reflect.DeepEqual(again, before) {
		t.Errorf("became %+v", *again)
	}
	equal(t, "events", len(events(t, s, Search{Person: before.ID})), 1)
	equal(t, "epoch", s.Epoch(), epoch)

	mail := entry("u1", "alice", "staff", "it")
	mail.Mail, mail.Display = "a@example.ac.jp", "A"
	got := adopted(t, s, mail)
	if got.Mail != "a@example.ac.jp" || got.Display != "A" || got.Generation != before.Generation {
		t.Errorf("became %+v", *got)
	}
	equal(t, "remembered", account(t, s, "alice").Mail, "a@example.ac.jp")

	mail.Groups = []string{"staff"}
	got = adopted(t, s, mail)
	if !slices.Equal(got.Groups, []string{"staff"}) || got.Generation != before.Generation+1 || got.Changed != before.Changed {
		t.Errorf("became %+v", *got)
	}
	equal(t, "loss of what was judged before", settle(t, s, Settlement{
		Person: before.ID, Generation: before.Generation, Ticket: &Ticket{Person: before.ID}, Event: Event{At: noon, Name: "alice"},
	}).Lost, ChangedMeanwhile)
}

func testAdoptNobody(t *testing.T, s *Store) {
	enrolled(t, s, "alice")
	for _, p := range []Person{{Name: "alice"}, {Upstream: "u1"}, {Upstream: "u1", Name: "alice", Groups: []string{"a\nadmins"}}} {
		if a, err := s.Adopt(ctx, p, Event{At: noon, Reason: "account_added"}); err == nil || a != nil {
			t.Errorf("%+v was adopted", p)
		}
	}
	equal(t, "upstream of a local account", account(t, s, "alice").Upstream, "")
	wants(t, second(s.AccountOf(ctx, "")), ErrUnknown) // not the first local account
	equal(t, "events", len(events(t, s, Search{Reason: "account_added"})), 0)
}

// A local account is nobody's of the directory until an operator says so.
func testAdoptLocalName(t *testing.T, s *Store) {
	enrolled(t, s, "alice")
	adopted(t, s, entry("u2", "bob"))
	before := contents(t, s)
	for _, p := range []Person{entry("u1", "alice", "staff"), entry("u2", "alice")} { // a new one, and one who is renamed
		a, err := s.Adopt(ctx, p, Event{At: noon, Reason: "account_added"})
		if wants(t, err, ErrLocal); a != nil {
			t.Errorf("adopted %+v", *a)
		}
	}
	if after := contents(t, s); !reflect.DeepEqual(before, after) {
		t.Errorf("wrote %v", after)
	}
}

// Who gets the name of somebody who has left gets nothing else of theirs.
func testReusedName(t *testing.T, s *Store) {
	adopted(t, s, entry("u1", "alice", "staff"))
	addToken(t, s, "alice", Token{Kind: "totp", Period: 30, Step: -1}, false)
	former := account(t, s, "alice")
	appPassword(t, s, former, "webmail")
	done := settle(t, s, admission(former, 5))

	fresh := adopted(t, s, entry("u2", "alice"))
	if fresh.ID == former.ID || len(fresh.Tokens) != 0 || len(fresh.AppPasswords) != 0 || len(fresh.Known) != 0 || fresh.Generation != 1 {
		t.Fatalf("the new alice is %+v", *fresh)
	}
	equal(t, "of that name", account(t, s, "alice").ID, fresh.ID)
	// A code that was judged before the name was given away.
	equal(t, "loss", settle(t, s, admission(former, 6)).Lost, ChangedMeanwhile)

	old := accountByUpstream(t, s, "u1")
	if old.ID != former.ID || len(old.Tokens) != 1 || len(old.AppPasswords) != 1 || old.Generation != former.Generation+1 || old.Changed != old.Generation {
		t.Errorf("the former one is %+v", *old)
	}
	if !strings.HasPrefix(old.Name, "alice#") || strings.ToLower(old.Name) == old.Name {
		t.Errorf("the former one can be typed: %q", old.Name)
	}
	equal(t, "by that name", account(t, s, old.Name).ID, former.ID)
	h, err := s.Held(ctx, done.Ticket)
	must(t, err)
	if h.Name != old.Name || h.Generation == old.Generation {
		t.Errorf("the former one's ticket is %q's, of generation %d", h.Name, h.Generation)
	}
	must(t, s.Tickets(ctx, 0, noon, func(ticket Ticket, name string) error {
		t.Errorf("ticket %d of %s lives", ticket.ID, name)
		return nil
	}))
}

func testAdoptRenamed(t *testing.T, s *Store) {
	adopted(t, s, entry("u1", "alice"))
	token := addToken(t, s, "alice", Token{Kind: "totp", Period: 30, Step: 41}, false)
	a := account(t, s, "alice")
	got := adopted(t, s, entry("u1", "alice2"))
	if got.ID != a.ID || got.Name != "alice2" || len(got.Tokens) != 1 || got.Tokens[0].ID != token.ID || got.Tokens[0].Step != 41 {
		t.Errorf("renamed %+v", *got)
	}
	if got.Generation != a.Generation+1 || got.Changed != got.Generation {
		t.Errorf("generation %d, changed %d; before %d", got.Generation, got.Changed, a.Generation)
	}
	wants(t, second(s.Account(ctx, "alice")), ErrUnknown)
	equal(t, "of the new name", account(t, s, "alice2").ID, a.ID)
	found := events(t, s, Search{Person: a.ID, Most: 1})
	equal(t, "booked", found[0].Name, "alice2")
}

func testAdoptSwapped(t *testing.T, s *Store) {
	one, two := adopted(t, s, entry("u1", "alice")), adopted(t, s, entry("u2", "bob"))
	adopted(t, s, entry("u1", "bob"))
	adopted(t, s, entry("u2", "alice"))
	equal(t, "bob", account(t, s, "bob").ID, one.ID)
	equal(t, "alice", account(t, s, "alice").ID, two.ID)
}

func testAdoptAtOnce(t *testing.T, s *Store) {
	ids := make([]int64, 32)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			a, err := s.Adopt(ctx, entry("u1", "alice", "staff"), Event{At: noon, Reason: "account_added"})
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = a.ID
		})
	}
	group.Wait()
	equal(t, "different rows", len(slices.Compact(slices.Sorted(slices.Values(ids)))), 1)
	equal(t, "events", len(events(t, s, Search{Reason: "account_added"})), 1)
}

// Named for the attack: a student leaves, and a year later another gets the
// name while the former one's telephone still shows codes.
func TestReusedNameGetsNoCodesOfItsFormerOwner(t *testing.T) { testReusedName(t, open(t)) }

func TestTwoProcessesAdoptOnePerson(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sekisho.db")
	stores := []*Store{openFile(t, file, Options{}), openFile(t, file, Options{})}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for turn := range 4 {
				_, err := stores[i%2].Adopt(ctx, entry("u1", fmt.Sprint("alice", turn)))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	n := 0
	must(t, stores[0].People(ctx, "", func(Person) error { n++; return nil }))
	equal(t, "people", n, 1)
}

// Names that go round in a ring, at once and in any order: codes stay.
func TestNamesGoRoundAndCodesStay(t *testing.T) {
	s := open(t)
	ids := map[string]int64{}
	for _, u := range []string{"u1", "u2", "u3"} {
		ids[u] = adopted(t, s, entry(u, "n-"+u)).ID
		addToken(t, s, "n-"+u, Token{Kind: "totp", Label: u, Period: 30, Step: -1}, false)
	}
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			u, n := []string{"u1", "u2", "u3"}[i%3], []string{"n-u1", "n-u2", "n-u3"}[(i+i/3)%3]
			a, err := s.Adopt(ctx, entry(u, n))
			if err != nil {
				t.Error(err)
			} else if a.Upstream != u || a.ID != ids[u] || len(a.Tokens) != 1 || a.Tokens[0].Label != u {
				t.Errorf("%s is %+v", u, a)
			}
		})
	}
	all.Wait()
	for u, id := range ids {
		a := accountByUpstream(t, s, u)
		if a.ID != id || len(a.Tokens) != 1 || a.Tokens[0].Label != u {
			t.Errorf("%s: %+v", u, a)
		}
		equal(t, "by name", account(t, s, a.Name).ID, id)
	}
}
