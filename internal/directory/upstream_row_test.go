package directory

import (
	"errors"
	"slices"
	"strconv"
	"strings"
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
	epoch := c.Store.Epoch()
	for _, name := range []string{"alice", "uid=alice,ou=people," + base} {
		c.fails(name, ErrName)
	}
	if _, err := c.Find(t.Context(), "alice"); err == nil || !strings.Contains(err.Error(), "sekisho account link alice") {
		t.Errorf("the book says %v", err)
	}
	if c.Store.Epoch() != epoch {
		t.Error("typing the name wrote something")
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
	c.person("svc-ad", nil)
	c.person("svc-upn", nil)
	c.person("svc-look", nil)
	c.BindDN, c.BindPassword = dnOf("svc-look"), []byte("secret")
	c.Reserved = []string{"UID=svc-mail, OU=people," + base, `CORP\SVC-AD`, "svc-upn@corp.example", ""}
	for _, name := range []string{"svc-mail", "svc-ad", "svc-upn", "svc-look", dnOf("svc-mail")} {
		c.fails(name, ErrUnknown)
	}
	c.find("alice")
}

// Whoever is disabled on either side is.
func TestDisabled(t *testing.T) {
	c := newCampus(t)
	c.person("carol", map[string][]string{"nsAccountLock": {"TRUE"}})
	c.person("dave", map[string][]string{"pwdAccountLockedTime": {lockedForGood}})
	day := begin.Unix() / 86400
	for name, value := range map[string]int64{"shadow": day, "shadow-later": day + 1, "shadow-never": 0, "shadow-none": -1} {
		c.person(name, map[string][]string{"shadowExpire": {strconv.FormatInt(value, 10)}})
	}
	for name, end := range map[string]time.Time{"ended": begin, "ends": begin.Add(time.Second)} {
		c.person(name, map[string][]string{"pwdEndTime": {end.UTC().Format("20060102150405Z")}})
	}
	c.person("ended-at-9", map[string][]string{"pwdEndTime": {"20200101090000.5+0900"}})
	c.person("erin", map[string][]string{"nsAccountLock": {"false"}, "pwdAccountLockedTime": {"20260401090000Z"}})
	for name, want := range map[string]bool{
		"alice": false, "carol": true, "dave": true, "erin": false, "shadow": true, "shadow-later": false, "shadow-never": false,
		"shadow-none": false, "ended": true, "ends": false, "ended-at-9": true,
	} {
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

func TestLinkOfNobody(t *testing.T) {
	c := newCampus(t)
	c.adopt("alice")
	c.Filter = "(|(uid=%s)(mail=%s))"
	c.person("bob", map[string][]string{"mail": {"bobby"}}) // which the operator may have meant for somebody else
	for name, want := range map[string]error{"mallory": ErrUnknown, "bob": store.ErrUnknown, "bobby": ErrName} {
		if a, err := c.Link(t.Context(), name, store.Event{}); a != nil || !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// Whoever types two forms of a name in turns ends nobody's tickets, and brings
// back no group that was taken away.
func TestTwoFormsOfANameAreOnePerson(t *testing.T) {
	c := newCampus(t)
	c.adopt("alice")
	c.person("alice", nil) // no longer staff
	b := c.find(dnOf("alice"))
	if len(b.Groups) != 0 {
		t.Fatal(b.Groups)
	}
	before := c.searches()
	for _, typed := range []string{"alice", dnOf("alice"), "alice"} {
		if d := c.find(typed); len(d.Groups) != 0 || d.Generation != b.Generation {
			t.Errorf("groups %q again, generation %d after %d", d.Groups, d.Generation, b.Generation)
		}
	}
	if n := c.searches(); n != before {
		t.Errorf("%d searches more", n-before)
	}
}

// What is remembered of a renamed person does not take the name back from who
// has it now.
func TestStaleLookUpTakesNoNameFromItsNewOwner(t *testing.T) {
	c := newCampus(t)
	former := c.adopt("alice")
	c.server.Remove(dnOf("alice"))
	c.person("liddell", map[string][]string{"entryUUID": {"id-of-alice"}})
	dn := "uid=alice,ou=new," + base
	c.server.Put(dn, map[string][]string{"objectClass": {"person"}, "uid": {"alice"}, "entryUUID": {"id-of-another"}})
	fresh := c.adopt(dn)
	if a := c.find("alice"); a.ID != fresh.ID || a.DN != dn {
		t.Errorf("alice is row %d at %s", a.ID, a.DN)
	}
	if row, err := c.Store.Account(t.Context(), "alice"); err != nil || row.ID != fresh.ID {
		t.Errorf("the name is %+v's again: %v", row, err)
	}
	if a := c.find("liddell"); a.ID != former.ID {
		t.Errorf("liddell is row %d", a.ID)
	}
	// Another process may have written the row since.
	_, err := c.Store.Adopt(t.Context(), store.Person{Upstream: "id-of-another", Name: "alice", Groups: []string{"board"}, Created: begin})
	c.must(err)
	c.person("bob", map[string][]string{"memberOf": {groupDN("bees")}})
	before := c.searches()
	if a := c.find("alice"); len(a.Groups) != 0 || c.searches() == before {
		t.Errorf("in %q, after %d searches", a.Groups, c.searches()-before)
	}
}

// Of two look-ups at once the one that began later is believed.
func TestLaterLookUpWins(t *testing.T) {
	c := newCampus(t)
	c.adopt("alice")
	p, _, err := c.look(t.Context(), "alice", false)
	c.must(err)
	later := *p
	later.Groups = []string{"board"}
	c.people.Put(p.Upstream, known{person: &later, at: begin.Add(time.Second)})
	if got, fresh, err := c.look(t.Context(), "alice", true); err != nil || !fresh || !slices.Equal(got.Groups, later.Groups) {
		t.Errorf("%+v, %v, %v", got, fresh, err)
	}
}
