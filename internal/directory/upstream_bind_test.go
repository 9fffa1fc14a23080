package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/store"
	"sekisho/internal/upstream"
	"sekisho/internal/upstream/upstreamtest"
)

// says wants the verdict on a password.
func (c *campus) says(a *store.Account, password string, want Verdict) {
	c.t.Helper()
	v, err := c.CheckPassword(c.t.Context(), a, []byte(password), Open)
	if v != want || err != nil {
		c.t.Errorf("%q: %v, %v; want %v", password, v, err, want)
	}
}

// bound are the binds of people.
func (c *campus) bound() (binds []upstreamtest.Bind) {
	for _, b := range c.server.Binds() {
		if b.DN != c.BindDN {
			binds = append(binds, b)
		}
	}
	return binds
}

func TestCheckPasswordUpstream(t *testing.T) {
	c := newCampus(t)
	c.person("alice", map[string][]string{"userPassword": {"sécret\x00123456 "}})
	alice := c.find("alice")
	c.says(alice, "sécret\x00123456 ", Right)
	c.says(alice, "sécret\x00123456", Wrong)
	// A right password is not remembered.
	c.person("alice", map[string][]string{"userPassword": {"new"}})
	c.says(alice, "sécret\x00123456 ", Wrong)
	c.says(alice, "new", Right)
	if n := len(c.bound()); n != 4 {
		t.Errorf("%d binds for 4 passwords", n)
	}
}

// Many servers take a bind without a password for an anonymous one, and answer
// success.
func TestEmptyPasswordNeverReachesUpstream(t *testing.T) {
	c := newCampus(t)
	alice := c.find("alice")
	c.says(alice, "", Wrong)
	c.says(nobody("mallory"), "", Wrong)
	if binds := c.bound(); len(binds) != 0 {
		t.Errorf("bound %v", binds)
	}
}

func TestNobodyNeverReachesUpstream(t *testing.T) {
	c := newCampus(t)
	for _, a := range []*store.Account{nobody("mallory"), nobody(""), nobody(dnOf("alice"))} {
		c.says(a, "secret", Wrong)
	}
	if binds := c.bound(); len(binds) != 0 || c.searches() != 0 {
		t.Errorf("bound %v, %d searches", binds, c.searches())
	}
}

// An account that did not come from Find has no DN: it must not be taken for
// nobody's.
func TestAccountWithoutADN(t *testing.T) {
	c := newCampus(t)
	for _, a := range []*store.Account{{Person: store.Person{ID: 7, Name: "alice"}}, {Person: store.Person{Upstream: "id", Name: "alice"}}} {
		if v, err := c.CheckPassword(t.Context(), a, []byte("secret"), Open); v != Wrong || !errors.Is(err, errNotFound) {
			t.Errorf("%v, %v", v, err)
		}
	}
}

func TestPersonsBindDoesNotBecomeALookUp(t *testing.T) {
	c := newCampus(t)
	c.Cache = 0
	for range 3 {
		c.says(c.find("alice"), "secret", Right)
	}
	people := map[int]bool{}
	for _, b := range c.bound() {
		people[b.Conn] = true
	}
	for _, q := range c.server.Searches() {
		if people[q.Conn] {
			t.Errorf("searched as a person: %+v", q)
		}
	}
	if len(people) != 3 {
		t.Errorf("%d connections for 3 binds", len(people))
	}
}

func TestVerdictsOfTheDirectory(t *testing.T) {
	policy := func(error byte) ldap.Control {
		return ldap.NewControlString(PolicyControl, false, string([]byte{0x30, 3, 0x81, 1, error}))
	}
	answers := map[string]upstreamtest.Result{
		"expired": {Code: 49, Controls: []ldap.Control{policy(passwordExpired)}},
		"reset":   {Controls: []ldap.Control{policy(changeAfterReset)}},
		"locked":  {Code: 49, Controls: []ldap.Control{policy(accountLocked)}},
		"389":     {Controls: []ldap.Control{ldap.NewControlString(ExpiredControl, false, "0")}},
		"ad":      {Code: 49, Diagnostic: "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 533, v1db1"},
		"busy":    {Code: 51, Diagnostic: "later"},
		"refer":   {Code: 10},
		"odd":     {Code: 53},
		"hangup":  {Hangup: true},
	}
	c := campusAt(t, &upstreamtest.Server{OnBind: func(b upstreamtest.Bind) (upstreamtest.Result, bool) {
		r, ok := answers[b.Password]
		return r, ok
	}})
	alice := c.find("alice")
	for password, want := range map[string]Verdict{"expired": Expired, "reset": MustChange, "locked": Locked, "389": MustChange, "ad": Shut} {
		c.says(alice, password, want)
	}
	for password, personal := range map[string]bool{"busy": false, "refer": false, "odd": true, "hangup": false} {
		v, err := c.CheckPassword(t.Context(), alice, []byte(password), Open)
		if v != Wrong || err == nil || errors.Is(err, ErrName) != personal || errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v, %v", password, v, err)
		}
		if strings.Contains(fmt.Sprint(err), password+`"`) {
			t.Errorf("%v tells the password", err)
		}
	}
	if n := len(c.bound()); n != len(answers) {
		t.Errorf("%d binds for %d passwords", n, len(answers))
	}
}

func TestBindAtADirectoryThatIsAway(t *testing.T) {
	c := newCampus(t)
	alice := c.find("alice")
	c.server.Stop()
	if v, err := c.CheckPassword(t.Context(), alice, []byte("secret"), Open); v != Wrong || !errors.Is(err, upstream.ErrNone) {
		t.Errorf("%v, %v", v, err)
	}
}

func TestBindThatHangs(t *testing.T) {
	c := campusAt(t, &upstreamtest.Server{Takeover: func(conn net.Conn) { io.Copy(io.Discard, conn) }})
	c.Timeout = 20 * time.Millisecond
	alice := &store.Account{Person: store.Person{Name: "alice"}, DN: dnOf("alice")}
	if v, err := c.CheckPassword(t.Context(), alice, []byte("secret"), Open); v != Wrong || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", v, err)
	}
}

// No more than so many at a time; who waits too long is not refused.
func TestTooManyBinds(t *testing.T) {
	c := newCampus(t)
	alice := c.find("alice")
	for range maxBinds {
		c.binds <- struct{}{}
	}
	c.Timeout = 20 * time.Millisecond
	for _, a := range []*store.Account{alice, nobody("mallory")} { // who can't be told apart by it
		v, err := c.CheckPassword(t.Context(), a, []byte("secret"), Open)
		if v != Wrong || err == nil || !strings.Contains(err.Error(), "too many binds wait") {
			t.Errorf("%s: %v, %v", a.Name, v, err)
		}
	}
	if binds := c.bound(); len(binds) != 0 {
		t.Errorf("bound %v", binds)
	}
	<-c.binds
	c.Timeout = 0
	c.says(alice, "secret", Right)
}

// By the time of an answer unknown names can't be told from people.
func TestNobodyTakesTheTimeOfAWrongPassword(t *testing.T) {
	var c *campus
	took := time.Duration(0)
	c = campusAt(t, &upstreamtest.Server{OnBind: func(b upstreamtest.Bind) (upstreamtest.Result, bool) {
		if b.Password == "wrong" {
			took++
			c.later(took)
		}
		return upstreamtest.Result{}, false
	}})
	waits := func(name string) time.Duration {
		t.Helper()
		c.says(nobody(name), "secret", Wrong)
		return c.waited[len(c.waited)-1]
	}
	if d := waits("mallory"); d != tookUsual {
		t.Errorf("waited %v before any was known", d)
	}
	alice := c.find("alice")
	c.says(alice, "secret", Right)
	c.says(alice, "wrong", Wrong)
	if d := waits("mallory"); d != 1 {
		t.Errorf("waited %v", d)
	}
	c.Took(2)
	for range paceKept { // the first two are forgotten
		c.says(alice, "wrong", Wrong)
	}
	seen := map[time.Duration]bool{}
	for i := range 1000 {
		name := fmt.Sprint("mallory", i)
		d := waits(name)
		if d != waits(name) {
			t.Fatalf("%s takes another time each time", name)
		}
		if d < 2 || d > paceKept+1 {
			t.Fatalf("waited %d", d)
		}
		seen[d] = true
	}
	if len(seen) != paceKept {
		t.Errorf("%d different times", len(seen))
	}
}

func TestNobodyDoesNotWaitForWhoGaveUp(t *testing.T) {
	c := newCampus(t)
	c.After = func(time.Duration) <-chan time.Time { return nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := c.CheckPassword(ctx, nobody("mallory"), []byte("secret"), Open); v != Wrong || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", v, err)
	}
}

// A DN may be somebody else's within the time for which a look-up is believed:
// their password must not open the account of before.
func TestReusedDNWithinTheCache(t *testing.T) {
	c := newCampus(t)
	former := c.adopt("alice")
	c.person("alice", map[string][]string{"entryUUID": {"id-of-the-new-one"}, "userPassword": {"new"}})
	c.later(59 * time.Second)
	a := c.find("alice")
	if a.ID != former.ID {
		t.Fatal("not remembered")
	}
	if v, err := c.CheckPassword(t.Context(), a, []byte("new"), Open); v != Wrong || !errors.Is(err, ErrName) {
		t.Errorf("%v, %v", v, err)
	}
	if a = c.find("alice"); a.Upstream != "id-of-the-new-one" || a.ID != 0 {
		t.Errorf("%+v", a)
	}
	c.says(a, "new", Right)

	c.adopt("alice")
	c.later(59 * time.Second)
	before := c.searches()
	c.says(c.find("alice"), "new", Right)
	c.says(c.find("alice"), "wrong", Wrong)
	c.later(time.Second / 2)
	c.says(c.find("alice"), "new", Right) // which was just looked at
	if n := c.searches() - before; n != 1 {
		t.Errorf("%d searches", n)
	}
	c.server.Remove(dnOf("bob"))
	gone := &store.Account{Person: store.Person{Name: "bob", Upstream: "id-of-bob"}, DN: dnOf("bob")}
	if err := c.StillTheirs(t.Context(), gone); !errors.Is(err, ErrName) || errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	c.server.Stop()
	if err := c.StillTheirs(t.Context(), gone); err == nil || errors.Is(err, ErrName) {
		t.Error(err)
	}
}

// While the directory is away nobody can be judged, and least of all who does
// not exist: else an outage would tell people from made-up names.
func TestOutageTellsNobodyWhoThereIs(t *testing.T) {
	c := newCampus(t)
	alice := c.find("alice")
	c.server.Stop()
	for _, a := range []*store.Account{alice, nobody("mallory")} {
		if v, err := c.CheckPassword(t.Context(), a, []byte("guess"), Open); v != Wrong || !errors.Is(err, upstream.ErrNone) {
			t.Errorf("%s: %v, %v", a.Name, v, err)
		}
	}
}
