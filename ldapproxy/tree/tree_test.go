package tree

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

var testPosix = Posix{GID: 100, Home: "/home/%u", Shell: "/bin/bash", Groups: map[string]int64{"users": 100, "Staff": 2000}}

// campus is a small tree with somebody of every sort.
func campus(t testing.TB) *tree {
	t.Helper()
	created := time.Date(2024, 4, 1, 9, 30, 0, 0, time.UTC)
	return planted(t, testBase, []string{mailDN, "cn=Backup Job,ou=services," + testBase, "cn=admin," + testBase}, []directory.Entry{
		{Name: "alice", Display: "Alice  Liddell", Mail: "Alice@example.ac.jp", Groups: []string{"staff", "wiki"}, UIDNumber: 1001, Created: created},
		{Name: "bob", Mail: "bob@example.ac.jp", Groups: []string{"Wiki", "wiki"}},
		{Name: "carol,x", Display: "Carol, X=+", UIDNumber: 1003, Created: created.Add(time.Hour)},
		{Name: "taro", Display: "山田　太郎", Groups: []string{"学生"}},
		{Name: "zoë", Display: "Zoë Ünal", Groups: []string{"wiki", "学生", "staff"}},
	})
}

func planted(t testing.TB, base string, services []string, people []directory.Entry) *tree {
	t.Helper()
	tree, err := newTree(base, testPosix, services, func(each func(directory.Entry) error) error {
		for _, e := range people {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// crowded is a tree of n people, each in two of a hundred groups.
func crowded(t testing.TB, n int) *tree {
	t.Helper()
	tree, err := newTree(testBase, testPosix, nil, func(each func(directory.Entry) error) error { return throng(n, each) })
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func throng(n int, each func(directory.Entry) error) error {
	for i := range n {
		name := fmt.Sprintf("user%07d", i)
		err := each(directory.Entry{
			Name: name, Display: fmt.Sprintf("Given%d Family%d", i%1000, i), Mail: name + "@example.ac.jp",
			Groups:    []string{fmt.Sprintf("group%d", i%99), "everybody"},
			UIDNumber: int64(10000 + i), Created: testTime,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestEveryEntryIsFoundByItsOwnDN(t *testing.T) {
	tree := campus(t)
	seen := make(map[string]bool)
	uuids := make(map[string]bool)
	for id := idBase; id < tree.end; id++ {
		dn := tree.dn(id)
		if _, err := ldap.ParseDN(dn); err != nil {
			t.Errorf("%s: %v", dn, err)
		}
		if found, _, err := tree.find(dn); found != id || err != nil {
			t.Errorf("%s is entry %d (%v), want %d", dn, found, err, id)
		}
		uuid := tree.uuid(id)
		if seen[dn] || uuids[uuid] {
			t.Errorf("%s, or its UUID %s, is there twice", dn, uuid)
		}
		seen[dn], uuids[uuid] = true, true
	}
	if want := int(tree.end - idBase); len(seen) != want || !seen[mailDN] || !seen["cn=Backup Job,ou=services,"+testBase] {
		t.Errorf("have %v", seen)
	}
}

func TestDNIsReadInAnyForm(t *testing.T) {
	tree := campus(t)
	alice, _, _ := tree.find(aliceDN)
	for _, dn := range []string{
		"UID=ALICE,OU=People,DC=Example,DC=AC,DC=JP",
		" uid = alice , ou = people , dc = example , dc = ac , dc = jp ",
		`uid=\61lice,ou=people,dc=example,dc=ac,dc=jp`,
		"uid=#0405616c696365,ou=people,dc=example,dc=ac,dc=jp",
		"userid=alice;ou=people;dc=example;dc=ac;dc=jp",
		"0.9.2342.19200300.100.1.1=alice,2.5.4.11=people,domainComponent=example,dc=ac,dc=jp",
		"uid=ａｌｉｃｅ,ou=people,dc=example,dc=ac,dc=jp",
	} {
		if id, _, err := tree.find(dn); id != alice || err != nil {
			t.Errorf("%s: entry %d, %v", dn, id, err)
		}
	}
}

func TestNoSuchObjectTellsTheNearestAbove(t *testing.T) {
	tree := campus(t)
	who := Asker{Admitted: true}
	for dn, matched := range map[string]string{
		"uid=nobody,ou=people," + testBase:             "ou=people," + testBase,
		"uid=alice+cn=Alice,ou=people," + testBase:     "ou=people," + testBase,
		"cn=alice,ou=people," + testBase:               "ou=people," + testBase,
		"x=y,z=w," + aliceDN:                           aliceDN,
		"ou=rooms," + testBase:                         testBase,
		"uid=alice,ou=rooms," + testBase:               testBase,
		"dc=ac,dc=jp":                                  "",
		"dc=other":                                     "",
		"cn=x,cn=Subschema":                            "",
		`uid=alice\,ou=people,` + testBase:             testBase,
		"uid=alice,ou=people,dc=example,dc=ac,dc=jp.x": "",
	} {
		if id, r := tree.target(dn, who); id != noID || r.Code != wire.ResultNoSuchObject || r.Matched != matched {
			t.Errorf("%s: entry %d, %+v, want %q matched", dn, id, r, matched)
		}
	}
	for _, dn := range []string{"alice", "uid", "=", ",", `uid=\`, "uid=#04", "uid=alice,,dc=jp", "uid=a\"b"} {
		if _, r := tree.target(dn, who); r.Code != wire.ResultInvalidDNSyntax {
			t.Errorf("%s: %+v", dn, r)
		}
	}
}

func TestNamesThatCompareAsEqualAreEachFound(t *testing.T) {
	tree := planted(t, testBase, nil, []directory.Entry{{Name: "alice"}, {Name: "ａlice"}})
	for _, name := range []string{"alice", "ａlice"} {
		id, _, _ := tree.find("uid=" + name + ",ou=people," + testBase)
		if id == noID || tree.person(id).name != name {
			t.Errorf("%s: entry %d", name, id)
		}
	}
}

// An index knows a hash alone: what another attribute has under the same one
// must not be taken for it.
func TestIndexIsNotBelieved(t *testing.T) {
	tree := campus(t)
	for i := range tree.index { // all hashes are equal
		tree.index[i] &= 1<<32 - 1
	}
	slices.Sort(tree.index)
	for i := range tree.index {
		tree.index[i] |= tree.hash([]byte("\x01alice"))
	}
	alice, _, _ := tree.find(aliceDN)
	if alice == noID || tree.person(alice).name != "alice" {
		t.Errorf("alice is entry %d", alice)
	}
	if id, _, _ := tree.find("uid=alice,ou=services," + testBase); id != noID {
		t.Errorf("a service alice is entry %d", id)
	}
	got := tree.seek(searchFor(t, testBase, ScopeSub, "(uid=alice)", "1.1"), nil, seeker())
	if !slices.Equal(got.dns, []string{"uid=alice,ou=people"}) {
		t.Errorf("found %q", got.dns)
	}
}

func TestBlankNamesAreNobody(t *testing.T) {
	tree := planted(t, testBase, []string{"uid=,ou=services," + testBase}, []directory.Entry{{Name: " "}, {Name: "alice", Groups: []string{"", " ", "staff"}}})
	got := tree.seek(searchFor(t, testBase, ScopeSub, "(|(objectClass=person)(objectClass=groupOfNames)(objectClass=account))", "1.1"), nil, seeker())
	if want := []string{"cn=Staff,ou=groups", "cn=users,ou=groups", "uid=alice,ou=people"}; !slices.Equal(got.dns, want) {
		t.Errorf("%q", got.dns)
	}
	for _, dn := range []string{"uid=,ou=people,", "cn=,ou=groups,", "uid=,ou=services,"} {
		if id, _, err := tree.find(dn + testBase); id != noID || err != nil {
			t.Errorf("%s is entry %d, %v", dn, id, err)
		}
	}
}

func TestBaseMustHaveAnEntry(t *testing.T) {
	for base, class := range map[string]string{
		"dc=example": "domain", "o=Example University,c=jp": "organization", "ou=x,dc=example": "organizationalUnit",
		`O=Example\, Inc.`: "organization",
	} {
		tree := planted(t, base, nil, nil)
		if got := tree.fixed[idBase][attrStructuralClass]; !slices.Equal(got, []string{class}) {
			t.Errorf("%s: %v", base, got)
		}
		if id, _, _ := tree.find("ou=people," + strings.ToUpper(base)); id != idPeople {
			t.Errorf("%s: ou=people is entry %d", base, id)
		}
	}
	for _, base := range []string{"", " ", "example", "c=jp", "dc=a+o=b", "x=y"} {
		if _, err := newTree(base, Posix{}, nil, func(func(directory.Entry) error) error { return nil }); err == nil {
			t.Errorf("base %q is accepted", base)
		}
	}
}

func TestUUIDIsTheSameOnEveryServer(t *testing.T) {
	tree := campus(t)
	alice, _, _ := tree.find(aliceDN)
	const want = "30e34b9f-af86-5904-ae78-e013233fe77b" // as other implementations of version 5 have it
	if got := tree.uuid(alice); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	other := planted(t, "dc=example,dc=org", nil, []directory.Entry{{Name: "alice"}})
	if other.uuid(other.peopleAt) == tree.uuid(alice) {
		t.Error("two bases share a UUID")
	}
	again := planted(t, "DC=Example, DC=AC, DC=JP", nil, []directory.Entry{{Name: "aaron"}, {Name: "alice"}})
	if again.uuid(again.peopleAt+1) != tree.uuid(alice) {
		t.Error("another spelling of the base, or another person, changes the UUID")
	}
}

func TestHundredThousandPeopleAreSoonThereAndSmall(t *testing.T) {
	var people []directory.Entry
	throng(100_000, func(e directory.Entry) error { people = append(people, e); return nil })
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	began := time.Now()
	tree := planted(t, testBase, nil, people)
	took := time.Since(began)
	each := float64(heap()-before) / 100_000 // the strings are in people before and after
	t.Logf("%v, %.0f octets a person", took, each)
	if each > 400 {
		t.Errorf("%.0f octets a person beside the strings", each)
	}
	runtime.KeepAlive(people)
	runtime.KeepAlive(tree)
}

func FuzzDN(f *testing.F) {
	tree := campus(f)
	for _, dn := range []string{"", aliceDN, "cn=subschema", `uid=\61lice,ou=people,` + testBase, "uid=#0405616c696365," + testBase, "a=b+c=d", "\\", "=\x00"} {
		f.Add(dn)
	}
	f.Fuzz(func(t *testing.T, dn string) {
		id, above, err := tree.find(dn)
		if err != nil || id == noID {
			if id != noID {
				t.Errorf("%q is an error and entry %d", dn, id)
			}
			return
		}
		if above != id || id > idRoot && id < idSubschema || id >= tree.end {
			t.Fatalf("%q is entry %d below %d", dn, id, above)
		}
		if again, _, err := tree.find(tree.dn(id)); again != id || err != nil {
			t.Errorf("%q is entry %d, whose own DN is entry %d (%v)", dn, id, again, err)
		}
	})
}
