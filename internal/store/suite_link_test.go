package store

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// An operator moves from local accounts to a directory.
func testLink(t *testing.T, s *Store) {
	_, err := s.AddPeople(ctx, []Person{{
		Name: "alice", Hash: "initial", Previous: "older", MustChange: true, Expires: noon.Add(time.Hour), UIDNumber: 10001, Created: noon,
	}})
	must(t, err)
	addToken(t, s, "alice", Token{Kind: "totp", Period: 30, Step: -1}, false)
	local := account(t, s, "alice")
	appPassword(t, s, local, "webmail")
	settle(t, s, admission(local, 5))

	must(t, s.Link(ctx, "alice", entry("u1", "alice", "staff"), Event{At: noon, Reason: "account_linked"}))
	got := account(t, s, "alice")
	if got.ID != local.ID || got.Upstream != "u1" || got.Display != "D alice" || got.UIDNumber != 10001 || len(got.Groups) != 1 {
		t.Fatalf("linked %+v", *got)
	}
	if len(got.AppPasswords) != 1 || len(got.Tokens) != 1 || got.Tokens[0].ID != local.Tokens[0].ID || got.Tokens[0].Step != 5 {
		t.Errorf("codes %+v, app passwords %+v", got.Tokens, got.AppPasswords)
	}
	// A password of before must be good for nothing, should the site move back.
	if got.Hash != "" || got.Previous != "" || got.MustChange || !got.Expires.IsZero() {
		t.Errorf("kept the local password: %+v", got.Person)
	}
	// Another says now who knows the password.
	if got.Generation != local.Generation+1 || got.Changed != got.Generation {
		t.Errorf("generation %d, changed %d; before %d", got.Generation, got.Changed, local.Generation)
	}
	equal(t, "loss of a burnt code", settle(t, s, admission(got, 5)).Lost, Raced)
	equal(t, "by id", accountByUpstream(t, s, "u1").ID, local.ID)
	found := events(t, s, Search{Reason: "account_linked"})
	if len(found) != 1 || found[0].Person != local.ID || found[0].Name != "alice" {
		t.Errorf("booked %+v", found)
	}
	// From now on the row follows the directory, and what the operator did holds.
	must(t, s.ChangePerson(ctx, "alice", func(p *Person) error {
		p.Disabled, p.Upstream = true, ""
		return nil
	}, Event{At: noon}))
	if got = adopted(t, s, entry("u1", "alice", "students")); !got.Disabled || got.Upstream != "u1" || got.ID != local.ID {
		t.Errorf("%+v", got.Person)
	}
	before := contents(t, s)
	must(t, s.Link(ctx, "alice", entry("u1", "alice", "staff"), Event{At: noon}))
	if !reflect.DeepEqual(before, contents(t, s)) {
		t.Error("linked again, and written")
	}
}

func testLinkRefused(t *testing.T, s *Store) {
	enrolled(t, s, "alice")
	adopted(t, s, entry("u2", "bob"))
	before := contents(t, s)
	for what, test := range map[string]struct {
		name string
		p    Person
		want error
	}{
		"nobody":              {"mallory", entry("u9", "mallory"), ErrUnknown},
		"another name":        {"alice", entry("u9", "mallory"), nil},
		"no id":               {"alice", entry("", "alice"), nil},
		"somebody else's":     {"bob", entry("u9", "bob"), ErrExists},
		"an entry with a row": {"alice", entry("u2", "alice"), ErrExists},
		"an unreadable group": {"alice", entry("u9", "alice", "a\nb"), nil},
	} {
		err := s.Link(ctx, test.name, test.p, Event{At: noon})
		if test.want != nil {
			wants(t, err, test.want)
		}
		if err == nil || !reflect.DeepEqual(before, contents(t, s)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func testUnlinked(t *testing.T, s *Store) {
	for _, name := range []string{"alice", "bob", "carol"} {
		enrolled(t, s, name)
	}
	adopted(t, s, entry("u4", "dave"))
	must(t, s.Link(ctx, "alice", entry("u1", "alice"), Event{At: noon}))
	must(t, s.Release(ctx, "bob", Event{At: noon}))
	n, err := s.Unlinked(ctx)
	must(t, err)
	equal(t, "unlinked", n, 1)
	must(t, s.People(ctx, "", func(p Person) error {
		equal(t, p.Name, p.Unlinked(), p.Name == "carol")
		return nil
	}))
	n, err = UnlinkedIn(s.file)
	must(t, err)
	equal(t, "unlinked in the file", n, 1)
}

func testRelease(t *testing.T, s *Store) {
	local := enrolled(t, s, "alice")
	done := settle(t, s, admission(local, 5))
	must(t, s.Release(ctx, "alice", Event{At: noon, Reason: "account_released"}))
	wants(t, second(s.Account(ctx, "alice")), ErrUnknown)
	h, err := s.Held(ctx, done.Ticket)
	must(t, err)
	former := account(t, s, h.Name)
	if former.ID != local.ID || !former.Disabled || former.Upstream != "" || len(former.Tokens) != 1 || former.Generation != local.Generation+1 || former.Changed != former.Generation {
		t.Errorf("the former one is %+v", *former)
	}
	if !strings.HasPrefix(former.Name, "alice#") || strings.ToLower(former.Name) == former.Name {
		t.Errorf("the former one can be typed: %q", former.Name)
	}
	found := events(t, s, Search{Reason: "account_released"})
	if len(found) != 1 || found[0].Person != local.ID || found[0].Name != "alice" {
		t.Errorf("booked %+v", found)
	}
	fresh := adopted(t, s, entry("u1", "alice"))
	if fresh.ID == local.ID || len(fresh.Tokens) != 0 {
		t.Errorf("the one of the directory got %+v", *fresh)
	}

	before := contents(t, s)
	wants(t, s.Release(ctx, "alice", Event{At: noon}), ErrExists)
	wants(t, s.Release(ctx, "mallory", Event{At: noon}), ErrUnknown)
	if !reflect.DeepEqual(before, contents(t, s)) {
		t.Error("refused, and written")
	}
}
