package store

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func testAddPeople(t *testing.T, s *Store) {
	alice := Person{
		Name: "alice", Display: "有栖", Mail: "alice@example.ac.jp", Lang: "ja", Groups: []string{"staff", "IT Desk"},
		Hash: "h", MustChange: true, Disabled: true, Expires: noon.Add(time.Hour), UIDNumber: 10001, Created: noon,
	}
	booked := []Event{{At: noon, Outcome: "done", Reason: "account_added", Name: "alice"}}
	ids, err := s.AddPeople(ctx, []Person{alice, {Name: "bob"}}, booked...)
	must(t, err)
	if ids[0] <= 0 || ids[1] <= ids[0] {
		t.Fatalf("ids %v, want them to grow from above zero", ids)
	}
	equal(t, "the caller's event", booked[0].Person, 0)
	alice.ID, alice.Generation, alice.Changed = ids[0], 1, 1
	if got := account(t, s, "alice"); !reflect.DeepEqual(*got, Account{Person: alice}) {
		t.Errorf("read back %+v, want %+v", *got, alice)
	}
	if got := account(t, s, "bob"); !reflect.DeepEqual(*got, Account{Person: Person{ID: ids[1], Name: "bob", Generation: 1, Changed: 1}}) {
		t.Errorf("the least person is %+v", *got)
	}
	found := events(t, s, Search{Person: ids[0]})
	if len(found) != 1 || found[0].Reason != "account_added" {
		t.Errorf("booked %+v", found)
	}
}

func testAddTwice(t *testing.T, s *Store) {
	enrolled(t, s, "alice")
	before := len(events(t, s, Search{}))
	_, err := s.AddPeople(ctx, []Person{{Name: "bob"}, {Name: "alice"}}, Event{At: noon})
	wants(t, err, ErrExists)
	if !strings.Contains(err.Error(), `"alice"`) {
		t.Errorf("%q does not name who exists", err)
	}
	wants(t, second(s.Account(ctx, "bob")), ErrUnknown)
	_, err = s.AddPeople(ctx, []Person{{Name: "carol"}, {Name: "carol"}})
	wants(t, err, ErrExists)
	equal(t, "events", len(events(t, s, Search{})), before)
}

func testGroups(t *testing.T, s *Store) {
	for _, group := range []string{"guests\nadmins", "\n", ""} {
		if _, err := s.AddPeople(ctx, []Person{{Name: "mallory", Groups: []string{group}}}); err == nil {
			t.Fatalf("group %q was taken", group)
		}
	}
	enrolled(t, s, "mallory")
	set := func(groups ...string) error {
		return s.ChangePerson(ctx, "mallory", func(p *Person) error {
			p.Groups = groups
			return nil
		}, Event{At: noon})
	}
	if err := set("guests\nadmins"); err == nil {
		t.Fatal("a change to a group of two lines was taken")
	}
	must(t, set("not admins", "cn=guests,ou=groups"))
	if got := account(t, s, "mallory").Groups; !slices.Equal(got, []string{"not admins", "cn=guests,ou=groups"}) {
		t.Errorf("groups %q", got)
	}
	must(t, set())
	if got := account(t, s, "mallory").Groups; len(got) != 0 {
		t.Errorf("groups %q, want none", got)
	}
}

func testChangePerson(t *testing.T, s *Store) {
	before := *enrolled(t, s, "alice")
	want := before
	want.Display, want.Mail, want.Lang, want.Groups = "A", "a@example.ac.jp", "en", []string{"x"}
	want.Hash, want.Previous = "new", before.Hash
	want.Disabled, want.MustChange, want.Expires, want.UIDNumber = true, true, noon, 10001
	must(t, s.ChangePerson(ctx, "alice", func(p *Person) error {
		*p = want.Person
		p.Generation, p.Changed, p.Created, p.Name = 99, 99, noon.Add(time.Hour), "mallory"
		return nil
	}, Event{At: noon, Outcome: "done", Reason: "password_set"}))
	want.Generation, want.Changed = before.Generation+1, before.Generation+1
	if got := account(t, s, "alice"); !reflect.DeepEqual(*got, want) {
		t.Errorf("read back %+v, want %+v", *got, want)
	}
	e := events(t, s, Search{Reason: "password_set"})
	if len(e) != 1 || e[0].Person != before.ID || e[0].Name != "alice" {
		t.Errorf("booked %+v", e)
	}
}

func testChangeFails(t *testing.T, s *Store) {
	before := *enrolled(t, s, "alice")
	booked := len(events(t, s, Search{}))
	refused := errors.New("no")
	err := s.ChangePerson(ctx, "alice", func(p *Person) error {
		p.Hash = "new"
		return refused
	}, Event{At: noon})
	wants(t, err, refused)
	wants(t, s.ChangePerson(ctx, "nobody", func(*Person) error { return nil }, Event{At: noon}), ErrUnknown)
	if got := account(t, s, "alice"); !reflect.DeepEqual(*got, before) {
		t.Errorf("became %+v", *got)
	}
	equal(t, "events", len(events(t, s, Search{})), booked)
}

func testRenewHash(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	must(t, s.RenewHash(ctx, "alice", a.Hash, "better"))
	got := account(t, s, "alice")
	equal(t, "hash", got.Hash, "better")
	equal(t, "generation", got.Generation, a.Generation)
	wants(t, s.RenewHash(ctx, "alice", a.Hash, "late"), ErrChanged)
	wants(t, s.RenewHash(ctx, "nobody", "", "x"), ErrChanged)
	equal(t, "hash", account(t, s, "alice").Hash, "better")
	// The generation that was judged before still holds.
	equal(t, "loss", settle(t, s, admission(a, 5)).Lost, NotLost)
}

func testPeople(t *testing.T, s *Store) {
	_, err := s.AddPeople(ctx, []Person{{Name: "carol"}, {Name: "alice"}, {Name: "bob"}})
	must(t, err)
	list := func(from string) (names []string) {
		must(t, s.People(ctx, from, func(p Person) error {
			names = append(names, p.Name)
			return nil
		}))
		return names
	}
	for from, want := range map[string]string{"": "alice bob carol", "b": "bob carol", "bob": "bob carol", "bobo": "carol", "d": ""} {
		equal(t, "from "+from, strings.Join(list(from), " "), want)
	}
	enough, seen := errors.New("enough"), 0
	wants(t, s.People(ctx, "", func(Person) error { seen++; return enough }), enough)
	equal(t, "seen", seen, 1)
}

func testUnknown(t *testing.T, s *Store) {
	wants(t, second(s.Account(ctx, "nobody")), ErrUnknown)
	wants(t, second(s.RemoveTokens(ctx, "nobody", Event{})), ErrUnknown)
	wants(t, second(s.AddToken(ctx, Person{ID: 77}, Token{}, false, func(Token) []byte { return nil }, Event{})), ErrUnknown)
	wants(t, second(s.Ticket(ctx, 1)), ErrUnknown)
	wants(t, s.EndTicket(ctx, 1, noon, Event{Ticket: 1}), ErrUnknown)
	wants(t, third(s.Lookup(ctx, s.Reference(12345))), ErrUnknown)
	// Who was unknown once is found when added.
	enrolled(t, s, "nobody")
}
