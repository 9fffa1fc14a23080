package directory

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sekisho/internal/store"
)

func (c *campus) adopt(name string) *store.Account {
	c.t.Helper()
	a, err := c.Adopt(c.t.Context(), name, store.Event{At: begin, Outcome: "done"})
	c.must(err)
	return a
}

func TestAdopt(t *testing.T) {
	c := newCampus(t)
	a := c.adopt("alice")
	if a.ID == 0 || a.DN != dnOf("alice") || a.Upstream != "id-of-alice" || !a.Created.Equal(begin) {
		t.Errorf("%+v", a)
	}
	if b := c.find("alice"); b.ID != a.ID || b.DN != a.DN || b.Generation != a.Generation {
		t.Errorf("%+v, and then %+v", a, b)
	}
	if _, err := c.Adopt(t.Context(), "mallory", store.Event{}); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if row, err := c.Store.Account(t.Context(), "alice"); err != nil || row.DN != "" {
		t.Errorf("the shared account was changed: %+v, %v", row, err)
	}
}

func TestRowFollowsTheDirectory(t *testing.T) {
	c := newCampus(t)
	a := c.adopt("alice")
	c.person("alice", map[string][]string{"cn": {"Alice Hargreaves"}, "memberOf": {"cn=board," + groups, "cn=staff," + groups}})
	c.later(time.Minute)
	b := c.find("alice")
	if b.ID != a.ID || b.Display != "Alice Hargreaves" || b.Mail != "" || !slices.Equal(b.Groups, []string{"board", "staff"}) || b.Generation == a.Generation {
		t.Errorf("%+v", b)
	}
	if row, err := c.Store.Account(t.Context(), "alice"); err != nil || row.Generation != b.Generation {
		t.Errorf("%+v, %v", row, err)
	}
	// The same in another order changes nothing.
	c.person("alice", map[string][]string{"cn": {"Alice Hargreaves"}, "memberOf": {"cn=staff," + groups, "cn=board," + groups}})
	c.later(time.Minute)
	if d := c.find("alice"); d.Generation != b.Generation {
		t.Errorf("generation %d, want %d", d.Generation, b.Generation)
	}
}

func TestRenamedPersonKeepsTheRow(t *testing.T) {
	c := newCampus(t)
	a := c.adopt("alice")
	c.server.Remove(dnOf("alice"))
	c.person("liddell", map[string][]string{"entryUUID": {"id-of-alice"}})
	c.later(time.Minute)
	if b := c.find("liddell"); b.ID != a.ID || b.Name != "liddell" {
		t.Errorf("%+v", b)
	}
	c.fails("alice", ErrUnknown)
}

// Who is given the name of somebody who left is somebody else.
func TestReusedNameFindsNoRowOfItsFormerOwner(t *testing.T) {
	c := newCampus(t)
	a := c.adopt("alice")
	c.person("alice", map[string][]string{"entryUUID": {"id-of-another"}})
	c.later(time.Minute)
	if b := c.find("alice"); b.ID != 0 || b.Upstream != "id-of-another" || len(b.Tokens) != 0 {
		t.Errorf("%+v", b)
	}
	if b := c.adopt("alice"); b.ID == a.ID || b.Upstream != "id-of-another" {
		t.Errorf("%+v", b)
	}
}

// Else the devices of somebody who left would be those of a new colleague, and
// typing a name would be enough.
func TestLocalAccountOfThatNameIsNobodysUntilItIsLinked(t *testing.T) {
	c := newCampus(t)
	ids, err := c.Store.AddPeople(t.Context(), []store.Person{{Name: "alice", Created: begin}})
	c.must(err)
	for _, name := range []string{"alice", "uid=alice,ou=people," + base} {
		c.fails(name, ErrName)
	}
	if _, err := c.Adopt(t.Context(), "alice", store.Event{}); !errors.Is(err, store.ErrLocal) {
		t.Errorf("adopted: %v", err)
	}
	if a, err := c.Link(t.Context(), "alice", store.Event{}); err != nil || a.ID != ids[0] || a.DN == "" {
		t.Errorf("linked: %+v, %v", a, err)
	}
	c.later(time.Minute)
	if a := c.find("alice"); a.ID != ids[0] || a.Upstream != "id-of-alice" {
		t.Errorf("%+v", a)
	}
}

// Somebody may make entries in a branch, and name one like alice.
func TestEntryOfAnotherBranchIsNotAlice(t *testing.T) {
	c := newCampus(t)
	a := c.adopt("alice")
	twin := "uid=alice,ou=club," + base
	c.server.Put(twin, map[string][]string{"objectClass": {"person"}, "uid": {"alice"}, "entryUUID": {"of-the-club"}})
	c.later(time.Minute)
	for _, name := range []string{twin, "alice"} { // who of the two is alice?
		c.fails(c.Canonical(name), ErrName)
	}
	c.server.Put(twin, map[string][]string{"objectClass": {"person"}, "cn": {"x"}, "uid": {"alice", "xyz"}, "entryUUID": {"of-the-club"}})
	c.later(time.Minute)
	c.fails("xyz", ErrName)
	if row, err := c.Store.Account(t.Context(), "alice"); err != nil || row.ID != a.ID || row.Generation != a.Generation {
		t.Errorf("%+v, %v", row, err)
	}
}

// They have rules of their own, which a bare name would go past.
func TestAccountForProgramsIsNobodyWhoSignsIn(t *testing.T) {
	c := newCampus(t)
	c.person("svc-mail", nil)
	c.Reserved = []string{"UID=svc-mail, OU=people," + base}
	c.fails("svc-mail", ErrUnknown)
}

// Whoever is disabled on either side is.
func TestDisabled(t *testing.T) {
	c := newCampus(t)
	c.person("carol", map[string][]string{"nsAccountLock": {"TRUE"}})
	c.person("dave", map[string][]string{"pwdAccountLockedTime": {lockedForGood}})
	c.person("erin", map[string][]string{"nsAccountLock": {"false"}, "pwdAccountLockedTime": {"20260401090000Z"}})
	for name, want := range map[string]bool{"alice": false, "carol": true, "dave": true, "erin": false} {
		if a := c.find(name); a.Disabled != want {
			t.Errorf("%s: disabled %v, want %v", name, a.Disabled, want)
		}
		if a := c.adopt(name); a.Disabled != want {
			t.Errorf("%s with a row: disabled %v, want %v", name, a.Disabled, want)
		}
		if row, err := c.Store.Account(t.Context(), name); err != nil || row.Disabled {
			t.Errorf("%s: what the directory says was written: %v", name, err)
		}
	}
	c.must(c.Store.ChangePerson(t.Context(), "alice", func(p *store.Person) error { p.Disabled = true; return nil }, store.Event{}))
	if a := c.find("alice"); !a.Disabled {
		t.Error("disabled here, and not seen")
	}
}

func TestStoreThatCanNotBeRead(t *testing.T) {
	c := newCampus(t)
	c.adopt("alice")
	c.must(c.Store.Close())
	for _, name := range []string{"alice", "bob"} {
		if _, err := c.Find(t.Context(), name); !errors.Is(err, store.ErrClosed) || errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
