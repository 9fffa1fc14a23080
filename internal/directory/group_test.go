package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/upstream/upstreamtest"
)

func groupDN(name string) string { return "cn=" + name + "," + groups }

// group puts one with these members.
func (c *campus) group(name string, members ...string) {
	c.server.Put(groupDN(name), map[string][]string{"objectClass": {"group"}, "cn": {name}, "member": members})
}

// in wants somebody to be in these groups.
func (c *campus) in(name string, want ...string) {
	c.t.Helper()
	if a := c.find(name); !slices.Equal(a.Groups, want) {
		c.t.Errorf("%s is in %q, want %q", name, a.Groups, want)
	}
}

func TestGroupsOfTheEntry(t *testing.T) {
	c := newCampus(t)
	c.person("carol", map[string][]string{"memberOf": {
		groupDN("Library Staff"), "CN=library staff, OU=Groups," + base, `cn=a\,b,` + groups, "ou=x+cn=y," + groups, "2.5.4.3=z,ou=Groups," + base,
	}})
	c.in("carol", "Library Staff", "a,b", "z") // what is no plain cn could be named like any group
	c.in("bob")
}

// In another branch anybody may name a group like one that a rule lets in.
func TestGroupsElsewhereDoNotCount(t *testing.T) {
	c := newCampus(t)
	c.GroupBase = groups
	c.person("carol", map[string][]string{"memberOf": {groupDN("staff"), "cn=admins,ou=clubs," + base, groups, "cn=admins"}})
	c.in("carol", "staff")
}

func TestGroupsBySearch(t *testing.T) {
	c := newCampus(t)
	c.GroupBase, c.GroupFilter = groups, "(|(member=%d)(memberUid=%s))"
	c.group("readers", dnOf("bob"))
	c.server.Put(groupDN("posix"), map[string][]string{"memberUid": {"bob"}})
	c.server.Put("cn=elsewhere,"+people, map[string][]string{"member": {dnOf("bob")}})
	c.in("bob", "posix", "readers")
	c.in("alice", "staff")
}

func TestNestedGroupsBySearch(t *testing.T) {
	c := newCampus(t)
	c.Attributes.Group, c.GroupFilter, c.Nested = "", "(|(member=%d)(memberUid=%s))", true
	c.group("inner", dnOf("bob"))
	c.group("middle", groupDN("inner"))
	c.group("outer", groupDN("middle"))
	c.group("inner", dnOf("bob"), groupDN("outer")) // a cycle
	c.group("other", groupDN("others"))
	// A group that is named like a person is not that person.
	c.server.Put(groupDN("of a person"), map[string][]string{"memberUid": {"inner"}})
	c.in("bob", "inner", "middle", "outer")
	c.in("alice")
	c.Nested = false
	c.later(time.Minute)
	c.in("bob", "inner")
}

func TestNestedGroupsByAttribute(t *testing.T) {
	c := newCampus(t)
	c.Nested = true
	in := func(group string, above ...string) {
		c.server.Put(groupDN(group), map[string][]string{"memberOf": above})
	}
	in("staff", groupDN("inner"), "cn=hidden,"+groups)
	in("inner", groupDN("outer"))
	in("outer", groupDN("staff")) // a cycle
	c.in("alice", "hidden", "inner", "outer", "staff")
	before := c.searches()
	c.person("carol", map[string][]string{"memberOf": {groupDN("staff")}})
	c.in("carol", "hidden", "inner", "outer", "staff")
	if n := c.searches() - before; n != 2 { // the entry, and the group that is not to be seen
		t.Errorf("%d searches for groups that were just read", n)
	}
}

// A rule that keeps a group out must not miss it: what is not known wholly is
// not known.
func TestGroupsThatCanNotAllBeKnown(t *testing.T) {
	var many []string
	for i := range maxGroups + 1 {
		many = append(many, groupDN(fmt.Sprint("g", i)))
	}
	c := newCampus(t)
	c.person("many", map[string][]string{"memberOf": many})
	c.person("enough", map[string][]string{"memberOf": many[1:]})
	c.person("part", map[string][]string{"memberOf": {}, "memberOf;range=0-1499": {groupDN("staff")}})
	c.fails("many", ErrName)
	c.fails("part", ErrName)
	if n := len(c.find("enough").Groups); n != maxGroups {
		t.Errorf("%d groups", n)
	}
	c.GroupFilter = "(member=%d)"
	for _, dn := range many {
		c.server.Put(dn, map[string][]string{"member": {dnOf("bob")}})
	}
	c.fails("bob", ErrName)

	// Nor are pages read without an end.
	c.PageSize = 100
	for i := range 4 * c.PageSize {
		c.server.Put(groupDN(fmt.Sprint("more", i)), map[string][]string{"member": {dnOf("bob")}})
	}
	c.later(time.Minute)
	c.Cache = 0 // or an unknown name is searched behind the answer
	before := c.searches()
	c.fails("bob", ErrName)
	if n := c.searches() - before; n != 1+maxGroups/100+1 {
		t.Errorf("%d searches", n)
	}
}

func TestGroupSearchThatFails(t *testing.T) {
	for code, want := range map[uint16]error{4: ErrName, 11: ErrName, 32: nil, 51: nil} {
		c := campusAt(t, &upstreamtest.Server{OnSearch: func(q upstreamtest.Search) (upstreamtest.Result, bool) {
			return upstreamtest.Result{Code: code}, strings.Contains(q.Filter, "member=")
		}})
		c.GroupFilter = "(member=%d)"
		c.fails("alice", want)
	}
	c := campusAt(t, &upstreamtest.Server{OnSearch: func(q upstreamtest.Search) (upstreamtest.Result, bool) {
		return upstreamtest.Result{Code: 51}, q.Base == groupDN("staff")
	}})
	c.Nested = true
	c.fails("alice", nil)
}

func TestGroupsInPages(t *testing.T) {
	c := newCampus(t)
	c.Attributes.Group, c.GroupFilter, c.PageSize = "", "(member=%d)", 3
	var want []string
	for i := range 8 {
		name := fmt.Sprint("g", i)
		c.group(name, dnOf("bob"))
		want = append(want, name)
	}
	c.in("bob", want...)
	pages := 0
	for _, q := range c.server.Searches() {
		if q.Page == 3 {
			pages++
		}
	}
	if pages != 3 {
		t.Errorf("%d pages", pages)
	}
}

// A name that a rule knows has to be given by who may make groups, not by who
// may write an attribute of one, or make something below one.
func TestGroupNameIsACommonNameBelowBranchesAlone(t *testing.T) {
	c := newCampus(t)
	c.GroupBase = groups
	for dn, counts := range map[string]bool{
		"cn=staff," + groups:                               true,
		"cn=staff,ou=library,o=x,dc=y," + groups:           true,
		"description=staff," + groups:                      false,
		"ou=staff," + groups:                               false,
		"cn=chess+cn=staff," + groups:                      false,
		"cn=staff,cn=chess," + groups:                      false,
		"cn=staff,uid=mallory," + groups:                   false,
		"cn=staff,ou=x+cn=y," + groups:                     false,
		"cn=staff,ou=club," + base:                         false,
		groups:                                             false,
		strings.Repeat("ou=x,", maxParts) + "cn=staff,x=1": false,
	} {
		c.person("mallory", map[string][]string{"memberOf": {dn}})
		c.later(time.Minute)
		if a := c.find("mallory"); slices.Contains(a.Groups, "staff") != counts || !counts && len(a.Groups) > 0 {
			t.Errorf("%s makes %q", dn, a.Groups)
		}
	}
	c = active(t) // whose containers have a cn, too
	c.GroupBase = base
	c.user("dave", map[string][]string{"memberOf": {"cn=staff,cn=Users," + base}})
	c.in("dave", "staff")
}

// Whoever may make a group can put anybody into it: one that does not count
// keeps nobody out.
func TestGroupElsewhereShutsNobodyOut(t *testing.T) {
	var many []string
	for i := range maxGroups + 1 {
		many = append(many, fmt.Sprint("cn=g", i, ",ou=club,", base))
	}
	c := newCampus(t)
	c.GroupBase = groups
	for name, elsewhere := range map[string][]string{
		"long":    {"cn=" + strings.Repeat("x", maxDN) + ",ou=club," + base},
		"escaped": {"cn=" + strings.Repeat("x", maxDN) + `\,ou\=groups\,` + base + ",ou=club," + base},
		"parts":   {strings.Repeat("cn=x,", maxParts) + "ou=club," + base},
		"short":   {"cn=" + strings.Repeat("x", maxDN)},
		"many":    many,
	} {
		c.person(name, map[string][]string{"memberOf": append(elsewhere, groupDN("staff"))})
		c.in(name, "staff")
	}
	// One that may count, and can't be read, does.
	for name, dn := range map[string]string{"longer": "cn=" + strings.Repeat("x", maxDN) + "," + groups, "deep": strings.Repeat("ou=x,", maxParts) + groups} {
		c.person(name, map[string][]string{"memberOf": {dn}})
		c.fails(name, ErrName)
	}
}

// Somebody's own nest of groups is theirs, and no fault of the directory that
// would keep others from being judged.
func TestManyGroupsOfOnePersonAreTheirOwnFault(t *testing.T) {
	var c *campus
	c = campusAt(t, &upstreamtest.Server{OnSearch: func(q upstreamtest.Search) (upstreamtest.Result, bool) {
		if strings.HasPrefix(q.Base, "cn=g") || strings.Contains(q.Filter, "member=") {
			c.later(120 * time.Millisecond)
		}
		return upstreamtest.Result{}, false
	}})
	c.Nested, c.Timeout, c.Cache = true, time.Minute, time.Hour
	var all []string
	for i := range 400 {
		dn := groupDN(fmt.Sprint("g", i))
		c.server.Put(dn, map[string][]string{"objectClass": {"group"}})
		all = append(all, dn)
	}
	c.person("mallory", map[string][]string{"memberOf": all})
	c.fails("mallory", ErrName)
	// The groups that were read are remembered: the next try gets on.
	c.later(missedFor)
	c.fails("mallory", ErrName)
	c.behind.Wait()
	if a := c.find("mallory"); len(a.Groups) != len(all) {
		t.Errorf("%d groups", len(a.Groups))
	}
	// Nor are pages read for longer.
	c.GroupFilter, c.PageSize, c.Nested = "(member=%d)", 1, false
	for i := range 300 {
		c.group(fmt.Sprint("p", i), dnOf("bob"))
	}
	c.fails("bob", ErrName)
}

// Whoever is shut can't hide it behind groups.
func TestShutIsSeenWhateverTheGroupsAre(t *testing.T) {
	c := newCampus(t)
	c.adopt("alice")
	var many []string
	for i := range maxGroups + 1 {
		many = append(many, groupDN(fmt.Sprint("g", i)))
	}
	c.later(time.Second)
	c.person("alice", map[string][]string{"memberOf": many, "nsAccountLock": {"TRUE"}})
	if a, err := c.since("alice", c.clock()); err != nil || !a.Disabled || len(a.Groups) > 0 {
		t.Errorf("%+v, %v", a, err)
	}
}
