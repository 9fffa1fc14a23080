package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/store"
	"sekisho/internal/upstream"
	"sekisho/internal/upstream/upstreamtest"
)

const (
	base   = "dc=example,dc=org"
	people = "ou=people," + base
	groups = "ou=groups," + base
)

var _ Directory = (*Upstream)(nil)

// campus is a directory behind with a clock that the test sets.
type campus struct {
	*Upstream
	t      *testing.T
	server *upstreamtest.Server
	log    bytes.Buffer

	mu     sync.Mutex
	now    time.Time
	waited []time.Duration // by nobody's accounts
}

func newCampus(t *testing.T) *campus {
	return campusAt(t, &upstreamtest.Server{})
}

// campusAt has alice, who is staff, and bob.
func campusAt(t *testing.T, server *upstreamtest.Server) *campus {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "sekisho.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c := &campus{t: t, server: server.Start(t), now: begin}
	c.Upstream = &Upstream{
		Servers: &upstream.Servers{List: []upstream.Server{{Host: "localhost", Addr: server.Addr, Plain: true}}},
		Store:   s, Domains: site.Domains, Base: base, Filter: "(&(objectClass=person)(uid=%s))",
		Attributes: Attributes{Name: "uid", ID: "entryUUID", Display: "cn", Mail: "mail", Group: "memberOf"},
		BindDN:     "cn=service," + base, BindPassword: []byte("service"), Cache: time.Minute,
		Log: slog.New(slog.NewTextHandler(&c.log, nil)), Now: c.clock, After: c.after,
	}
	t.Cleanup(c.Close)
	for _, dn := range []string{base, people, groups} {
		server.Put(dn, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"ou"}})
	}
	server.Put("cn=service,"+base, map[string][]string{"cn": {"service"}, "userPassword": {"service"}})
	c.person("alice", map[string][]string{"cn": {"Alice Liddell"}, "mail": {"alice@example.org"}, "memberOf": {"cn=staff," + groups}})
	c.person("bob", nil)
	return c
}

func (c *campus) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *campus) later(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *campus) after(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited = append(c.waited, d)
	now := make(chan time.Time, 1)
	now <- c.now
	return now
}

func dnOf(name string) string { return "uid=" + name + "," + people }

// person puts one, with an id by the name and the password "secret".
func (c *campus) person(name string, more map[string][]string) {
	attributes := map[string][]string{"objectClass": {"person"}, "uid": {name}, "entryUUID": {"id-of-" + name}, "userPassword": {"secret"}}
	for name, values := range more {
		attributes[name] = values
	}
	c.server.Put(dnOf(name), attributes)
}

func (c *campus) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// find finds somebody as typed.
func (c *campus) find(typed string) *store.Account {
	c.t.Helper()
	a, err := c.Find(c.t.Context(), c.Canonical(typed))
	if err != nil {
		c.t.Fatalf("%q: %v", typed, err)
	}
	return a
}

// fails wants nobody to be found, for this reason; nil: nothing could be judged.
func (c *campus) fails(typed string, want error) {
	c.t.Helper()
	a, err := c.Find(c.t.Context(), c.Canonical(typed))
	judged := errors.Is(err, ErrUnknown) || errors.Is(err, ErrName)
	if a != nil || err == nil || want == nil && judged || want != nil && !errors.Is(err, want) {
		c.t.Errorf("%q: %+v, %v; want %v", typed, a, err, want)
	}
}

// searches counts those that came.
func (c *campus) searches() int { return len(c.server.Searches()) }

// rows counts the people in the store.
func (c *campus) rows() (n int) {
	c.t.Helper()
	c.must(c.Store.People(c.t.Context(), "", func(store.Person) error { n++; return nil }))
	return n
}

func TestFindUpstream(t *testing.T) {
	c := newCampus(t)
	a := c.find(" Alice@Example.AC.JP ")
	want := store.Person{Name: "alice", Display: "Alice Liddell", Mail: "alice@example.org", Groups: []string{"staff"}, Upstream: "id-of-alice"}
	if a.DN != dnOf("alice") || fmt.Sprint(a.Person) != fmt.Sprint(want) {
		t.Errorf("%+v", a)
	}
	c.fails("mallory", ErrUnknown)
	c.fails("", ErrName)
	c.fails("a\x01b", ErrName)
	c.fails(strings.Repeat("x", maxName+1), ErrName)
	if n := c.rows(); n != 0 {
		t.Errorf("typed names made %d rows", n)
	}
}

func TestNameIsEscapedInTheFilter(t *testing.T) {
	c := newCampus(t)
	for _, name := range []string{"*", "ali*", "alice)(uid=*", `al\69ce`, "x)(|(uid=alice)", "alice\u0000"} {
		_, err := c.Find(t.Context(), name)
		if !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestEntriesThatCanNotBeAnybodys(t *testing.T) {
	c := newCampus(t)
	c.person("noid", map[string][]string{"entryUUID": nil})
	c.person("twoids", map[string][]string{"entryUUID": {"a", "b"}})
	c.person("badid", map[string][]string{"entryUUID": {"a\x00b"}})
	c.person("broken", map[string][]string{"memberOf": {"nonsense"}})
	c.person("newline", map[string][]string{"memberOf": {`cn=a\0ab,` + groups}})
	c.person("twin", nil)
	c.server.Put("uid=twin,ou=elsewhere,"+base, map[string][]string{"objectClass": {"person"}, "uid": {"twin"}, "entryUUID": {"other"}})
	c.person("pair", nil)
	c.server.Put("uid=pair,ou=elsewhere,"+base, map[string][]string{"objectClass": {"person"}, "uid": {"pair"}, "entryUUID": {"another"}})
	c.server.Put("uid=triple,"+base, map[string][]string{"objectClass": {"person"}, "uid": {"twin"}, "entryUUID": {"third"}})
	for _, name := range []string{"noid", "twoids", "badid", "broken", "twin", "pair"} {
		c.fails(name, ErrName)
	}
	c.in("newline") // a group that nobody can name keeps nobody out
}

func TestManyNamesOfAnEntry(t *testing.T) {
	c := newCampus(t)
	c.person("carol", map[string][]string{"uid": {"zoe", "carol", "Aaron"}})
	c.server.Put("cn=dave,"+people, map[string][]string{"objectClass": {"person"}, "uid": {"dave2", "Dave1"}, "entryUUID": {"dave"}})
	for typed, want := range map[string]string{"zoe": "carol", "aaron": "carol", "carol": "carol", "dave2": "dave1", "cn=Dave," + people: "dave1"} {
		if a := c.find(typed); a.Name != want {
			t.Errorf("%q is %q, want %q", typed, a.Name, want)
		}
	}
}

func TestTextOfAnEntryIsOneShortLine(t *testing.T) {
	c := newCampus(t)
	c.person("carol", map[string][]string{"cn": {"a\nb\xff" + strings.Repeat("é", 5000)}, "mail": {"c\r\x1b@x"}})
	a := c.find("carol")
	if a.Display != "ab"+strings.Repeat("é", maxText-2) || a.Mail != "c@x" {
		t.Errorf("%q %q", a.Display, a.Mail)
	}
}

func TestDNAsName(t *testing.T) {
	c := newCampus(t)
	for _, typed := range []string{
		dnOf("alice"), "UID=Alice, OU=People ,DC=example,dc=ORG", "0.9.2342.19200300.100.1.1=alice," + people,
		`uid=\61lice,` + people, "uid=#0405616c696365," + people, "userid=ALICE," + people,
	} {
		if a := c.find(typed); a.Name != "alice" || a.DN != dnOf("alice") {
			t.Errorf("%q: %+v", typed, a)
		}
	}
	if one := c.Canonical(dnOf("alice")); one != c.Canonical("UID=Alice, OU=People ,DC=example,dc=ORG") || one != c.Canonical(one) {
		t.Errorf("%q", one)
	}
}

// RFC 4514 §3 and RFC 4519 §2 have several names for one attribute type.
func TestDNWhoseBranchesHaveOtherNames(t *testing.T) {
	c := newCampus(t)
	seen := map[string]string{}
	for _, names := range [][]string{
		{"uid", "userid", "0.9.2342.19200300.100.1.1"}, {"cn", "commonName", "2.5.4.3"}, {"sn", "surname", "2.5.4.4"},
		{"serialNumber", "2.5.4.5"}, {"c", "countryName", "2.5.4.6"}, {"l", "localityName", "2.5.4.7"},
		{"st", "stateOrProvinceName", "2.5.4.8"}, {"street", "streetAddress", "2.5.4.9"}, {"o", "organizationName", "2.5.4.10"},
		{"ou", "organizationalUnitName", "2.5.4.11"}, {"givenName", "gn", "2.5.4.42"}, {"title"},
		{"dc", "domainComponent", "0.9.2342.19200300.100.1.25"}, {"mail", "rfc822Mailbox", "0.9.2342.19200300.100.1.3"},
	} {
		one := c.Canonical("uid=dora," + names[0] + "=x," + people)
		if other, taken := seen[one]; taken {
			t.Errorf("%s is taken for %s", names[0], other)
		}
		seen[one] = names[0]
		for _, name := range append(names, "OID."+names[len(names)-1]) {
			if got := c.Canonical("uid=dora," + name + "=x," + people); got != one {
				t.Errorf("%s makes %q of %q", name, got, one)
			}
		}
	}
	dn := "uid=dora,l=Tokyo," + people
	c.server.Put(dn, map[string][]string{"objectClass": {"person"}, "uid": {"dora"}, "entryUUID": {"dora"}})
	if a := c.find("uid=dora,localityName=Tokyo," + people); a.Name != "dora" || a.DN != dn {
		t.Errorf("%+v", a)
	}
}

// What is no person's DN. In other branches others may have alice's uid.
func TestForeignDNIsNobodys(t *testing.T) {
	c := newCampus(t)
	c.server.Put("cn=staff,"+groups, map[string][]string{"objectClass": {"group"}, "cn": {"staff"}})
	c.server.Put("uid=alice,ou=devices,"+base, map[string][]string{"objectClass": {"device"}, "uid": {"alice"}, "entryUUID": {"device"}})
	c.server.Put("uid=alice,dc=example,dc=com", map[string][]string{"objectClass": {"person"}, "uid": {"alice"}, "entryUUID": {"foreign"}})
	for _, typed := range []string{
		people, base, "cn=staff," + groups, "uid=alice," + groups, "uid=alice,ou=devices," + base, "uid=alice+cn=x," + people,
		"uid=alice,dc=example,dc=com", "dc=org", "uid=alice", `uid=alice\,` + people, "uid=mallory," + people, "uid=," + people,
	} {
		c.fails(typed, ErrUnknown)
	}
	for _, q := range c.server.Searches() {
		if q.Base != base && !strings.HasSuffix(q.Base, ","+base) {
			t.Errorf("searched at %q", q.Base)
		}
	}
}

func TestMultiValuedDN(t *testing.T) {
	c := newCampus(t)
	dn := "cn=Carol+uid=carol," + people
	c.server.Put(dn, map[string][]string{"objectClass": {"person"}, "uid": {"carol"}, "entryUUID": {"carol"}})
	if c.Canonical("UID=carol+CN=CAROL,"+people) != c.Canonical(dn) {
		t.Error("the order in an RDN tells them apart")
	}
	if a := c.find(dn); a.Name != "carol" {
		t.Errorf("%+v", a)
	}
}

// A DN is typed by strangers: what the server says of it is no fault of ours.
func TestDNThatTheServerRefuses(t *testing.T) {
	for code, want := range map[uint16]error{10: ErrUnknown, 32: ErrUnknown, 34: ErrUnknown, 50: ErrUnknown, 51: nil, 1: nil} {
		c := campusAt(t, &upstreamtest.Server{OnSearch: func(q upstreamtest.Search) (upstreamtest.Result, bool) {
			return upstreamtest.Result{Code: code}, q.Scope == 0
		}})
		c.fails("cn=alice,"+people, want)
	}
}

// Programs bind people by the DN that begins with their name: one search tells
// whose it is, and that nobody else has the name.
func TestDNWithTheNameTakesOneSearch(t *testing.T) {
	c := newCampus(t)
	for _, typed := range []string{dnOf("alice"), dnOf("mallory"), "uid=bob," + groups} {
		before := c.searches()
		c.Find(t.Context(), c.Canonical(typed))
		if n := c.searches() - before; n != 1 {
			t.Errorf("%q takes %d searches", typed, n)
		}
	}
}

func FuzzCanonicalDN(f *testing.F) {
	u := &Upstream{Base: base, Domains: site.Domains}
	f.Add(dnOf("alice"))
	f.Add(`uid=\20 a  b\20,OU=People,` + base)
	f.Add(`cn=\#x\2c\00+uid="q",` + base)
	f.Fuzz(func(t *testing.T, typed string) {
		one := u.Canonical(typed)
		if two := u.Canonical(one); two != one && strings.Contains(typed, "=") {
			if _, ok := u.personDN(one); ok {
				t.Errorf("%q is %q, and that is %q", typed, one, two)
			}
		}
	})
}

// What the directory can't say now is nobody's fault, and is not kept.
func TestDirectoryThatIsAway(t *testing.T) {
	c := newCampus(t)
	c.server.Stop()
	for range 2 {
		if _, err := c.Find(t.Context(), "alice"); !errors.Is(err, upstream.ErrNone) {
			t.Error(err)
		}
	}
	for _, code := range []uint16{1, 3, 10, 32, 50, 51, 52, 53, 80} {
		c := campusAt(t, &upstreamtest.Server{OnSearch: func(q upstreamtest.Search) (upstreamtest.Result, bool) {
			return upstreamtest.Result{Code: code}, q.Scope == 2
		}})
		c.fails("alice", nil)
		c.fails("mallory", nil)
	}
}

func TestServiceAccountThatMayNotBind(t *testing.T) {
	c := newCampus(t)
	c.BindPassword = []byte("old")
	_, err := c.Find(t.Context(), "alice")
	if err == nil || errors.Is(err, ErrUnknown) || errors.Is(err, ErrName) || !strings.Contains(err.Error(), "bind as cn=service") {
		t.Error(err)
	}
	if strings.Contains(fmt.Sprint(err), "old") {
		t.Errorf("%v tells the password", err)
	}
}

func TestAnonymousLookUps(t *testing.T) {
	c := newCampus(t)
	c.BindDN, c.BindPassword = "", nil
	c.find("alice")
	if binds := c.server.Binds(); len(binds) != 0 {
		t.Errorf("bound %v", binds)
	}
}

// A server that hangs while it looks somebody up holds one who waits no longer
// than they want, and the look-up no longer than Timeout.
func TestLookUpThatHangs(t *testing.T) {
	c := campusAt(t, &upstreamtest.Server{Takeover: func(conn net.Conn) { io.Copy(io.Discard, conn) }})
	c.Timeout = 20 * time.Millisecond
	_, err := c.Find(t.Context(), "alice")
	if err == nil || errors.Is(err, ErrUnknown) || errors.Is(err, ErrName) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Find(ctx, "bob"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSearchThatHangs(t *testing.T) {
	release := make(chan bool)
	c := campusAt(t, &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
		<-release
		return upstreamtest.Result{}, true
	}})
	t.Cleanup(func() { close(release) })
	c.Timeout = 50 * time.Millisecond
	c.fails("alice", nil)
}

// One answer of 20 MiB must not take the machine with it.
func TestEntryOfTwentyMebibytes(t *testing.T) {
	c := newCampus(t)
	c.Timeout = time.Minute // of this machine
	c.person("carol", map[string][]string{"cn": {strings.Repeat("x", 20<<20)}})
	_, err := c.Find(t.Context(), "carol")
	if err == nil || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
	c.find("alice")
}

// What is in an entry may be megabytes; the error is remembered, and booked.
func TestErrorOfAnEntryIsShort(t *testing.T) {
	c := newCampus(t)
	c.person("mallory", map[string][]string{"memberOf": {strings.Repeat("x", 64<<10)}})
	c.server.Put("cn="+strings.Repeat("x", 64<<10)+","+people, map[string][]string{"objectClass": {"person"}, "uid": {"noid"}})
	for _, name := range []string{"mallory", "noid"} {
		_, err := c.Find(t.Context(), name)
		if !errors.Is(err, ErrName) || len(err.Error()) > 1024 {
			t.Errorf("%s: %d octets: %.200v", name, len(fmt.Sprint(err)), err)
		}
	}
}

// Names that look like another's, or that are typed for somebody else.
func TestNamesThatPassForOthers(t *testing.T) {
	c := newCampus(t)
	for i, uid := range []string{
		"alice ", " alice", "ali\u200bce", "alice\u202e", "al\u00adice", "alice\u00a0", "alice\u3000", "al\u034fice", "alice\ufe0f",
		"ＡＬＩＣＥ", "alice\u0085", "alice@example.ac.jp", `EXAMPLE\alice`, dnOf("alice"),
	} {
		dn := fmt.Sprintf("cn=x%d,ou=club,%s", i, base)
		c.server.Put(dn, map[string][]string{"objectClass": {"person"}, "uid": {uid}, "entryUUID": {"mallory"}})
		if a, err := c.Find(t.Context(), c.Canonical(dn)); err == nil {
			t.Errorf("%+q is the person %+q", uid, a.Name)
		}
		if c.own(fold(uid)) {
			t.Errorf("%+q may be somebody's own", uid)
		}
		c.server.Remove(dn)
	}
	for _, uid := range []string{"山田", "élodie", "a b", "o'neill", "a.b-c_9@elsewhere.example"} {
		c.server.Put("cn=x,"+people, map[string][]string{"objectClass": {"person"}, "uid": {uid}, "entryUUID": {"x"}})
		if a := c.find(uid); a.Name != uid {
			t.Errorf("%q is %q", uid, a.Name)
		}
	}
}
