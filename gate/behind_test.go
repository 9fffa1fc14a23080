package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// campus is a directory behind: alice, who has a row here with her device, and
// others who were never admitted.
type campus struct {
	store *store.Store

	mu      sync.Mutex
	people  map[string]entry // by name
	finds   int
	found   func()                       // called after each Find
	failing error                        // of Find
	asks    func(name string)            // called before each FindSince
	answers map[string]directory.Verdict // to the right password, by name; else Right
	reused  map[string]bool              // DNs that are somebody else's by now
	typed   []string                     // what it was asked, for somebody
	nobody  int                          // how often it was asked for nobody
}

type entry struct {
	id, password string
	groups       []string
	disabled     bool
}

const people = ",ou=staff,dc=example"

func newCampus(t testing.TB, change ...func(*Gate)) (*world, *campus) {
	t.Helper()
	c := &campus{answers: map[string]directory.Verdict{}, people: map[string]entry{
		"alice": {id: "id-alice", password: who("alice").password},
		"yuri":  {id: "id-yuri", password: who("yuri").password},
		"zoe":   {id: "id-zoe", password: who("zoe").password, groups: []string{"staff"}},
		"erin":  {id: "id-erin", password: who("erin").password, disabled: true},
	}}
	w := newWorld(t, append(change, func(g *Gate) { c.store, g.Directory = g.Store, c })...)
	w.must(w.Store.Link(t.Context(), "alice", store.Person{Name: "alice", Upstream: "id-alice", Created: w.time.now()}, store.Event{}))
	return w, c
}

func (c *campus) Canonical(typed string) string { return strings.ToLower(strings.TrimSpace(typed)) }
func (c *campus) Behind() bool                  { return true }
func (c *campus) Backlog() time.Duration        { return 0 }

func (c *campus) Find(ctx context.Context, name string) (*store.Account, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finds++
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, "uid="), people), "@mail.example")
	e, ok := c.people[name]
	switch {
	case c.failing != nil:
		return nil, c.failing
	case !ok:
		return nil, directory.ErrUnknown
	}
	row, err := c.store.AccountOf(ctx, e.id)
	if errors.Is(err, store.ErrUnknown) {
		row, err = &store.Account{Person: store.Person{Name: name, Groups: e.groups, Upstream: e.id}}, nil
	}
	if err != nil {
		return nil, err
	}
	if c.found != nil {
		c.found()
	}
	account := *row
	account.DN, account.Disabled = "uid="+name+people, e.disabled || row.Disabled
	return &account, nil
}

func (c *campus) FindSince(ctx context.Context, name string, since time.Time) (*store.Account, error) {
	if c.asks != nil {
		c.asks(name)
	}
	return c.Find(ctx, name)
}

func (c *campus) CheckPassword(_ context.Context, a *store.Account, password []byte, _ directory.Priority) (directory.Verdict, error) {
	return c.bind(a.DN, password), nil
}

func (c *campus) bind(dn string, password []byte) directory.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := strings.TrimSuffix(strings.TrimPrefix(dn, "uid="), people)
	e, ok := c.people[name]
	if !ok {
		c.nobody++
		return directory.Wrong
	}
	c.typed = append(c.typed, string(password))
	if string(password) != e.password {
		return directory.Wrong
	}
	if v, ok := c.answers[name]; ok {
		return v
	}
	return directory.Right
}

func (c *campus) StillTheirs(_ context.Context, a *store.Account) error {
	if c.reused[a.DN] {
		return fmt.Errorf("%w: somebody else's by now", directory.ErrName)
	}
	return nil
}

// asked is what it was asked since it was last called.
func (c *campus) asked() (typed []string, nobody int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	typed, nobody = c.typed, c.nobody
	c.typed, c.nobody = nil, 0
	return typed, nobody
}

// looked is how often somebody was looked up since it was last called.
func (c *campus) looked() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, c.finds = c.finds, 0
	return n
}

func (c *campus) set(name string, change func(*entry)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.people[name]
	change(&e)
	c.people[name] = e
}

// relayed is a request at the LDAP door, whose link to the directory checks the
// password. seen is what was sent there.
func (c *campus) relayed(r Request) (_ Request, seen *[]string) {
	seen = new([]string)
	r.Door = policy.DoorLDAP
	r.Verify = func(_ context.Context, dn string, password []byte) (directory.Verdict, error) {
		*seen = append(*seen, dn+" "+string(password))
		return c.bind(dn, password), nil
	}
	return r, seen
}

func TestTruthTableOfADirectoryBehind(t *testing.T) {
	const in, out = desk, home
	for _, c := range []struct {
		person, typed, from string
		verdict             directory.Verdict // on the right password
		outcome             Outcome
		why                 reason.Code
		somebody, nobody    int // how often the directory is asked
	}{
		{"alice", "PASSWORD", in, directory.Right, Admitted, reason.Admitted, 1, 0},
		{"alice", "PASSWORDCODE", in, directory.Right, Admitted, reason.Admitted, 1, 0},
		{"alice", "PASSWORDCODE", out, directory.Right, Admitted, reason.Admitted, 1, 0},
		{"alice", "PASSWORD", out, directory.Right, Refused, reason.CodeMissing, 0, 0},
		{"alice", "PASSWORD000000", out, directory.Right, Refused, reason.WrongCode, 0, 0},
		{"alice", "wrongCODE", out, directory.Right, Refused, reason.WrongPassword, 1, 0},
		{"alice", "wrong", in, directory.Right, Refused, reason.WrongPassword, 1, 0},
		{"alice", "CODE", out, directory.Right, Refused, reason.EmptyPassword, 0, 0},
		{"alice", "CODE", in, directory.Right, Refused, reason.EmptyPassword, 0, 0},
		{"alice", "", in, directory.Right, Refused, reason.EmptyPassword, 0, 0},
		{"alice", "PASSWORD", in, directory.Expired, Refused, reason.PasswordExpired, 1, 0},
		{"alice", "PASSWORD", in, directory.MustChange, Refused, reason.PasswordExpired, 1, 0},
		{"alice", "PASSWORD", in, directory.Shut, Refused, reason.AccountShut, 1, 0},
		{"alice", "PASSWORD", in, directory.Locked, Refused, reason.AccountLocked, 1, 0},
		{"alice", "PASSWORD", in, directory.Verdict(99), Refused, reason.CannotJudge, 1, 0},
		{"alice", "wrong", in, directory.Expired, Refused, reason.WrongPassword, 1, 0},
		{"alice", "PASSWORDCODE", out, directory.Expired, Refused, reason.PasswordExpired, 1, 0},
		{"alice", "PASSWORDCODE-3", out, directory.Shut, Refused, reason.AccountShut, 1, 0},
		{"alice", "PASSWORD000000", out, directory.Expired, Refused, reason.WrongCode, 0, 0},
		{"Alice", "PASSWORD", in, directory.Right, Admitted, reason.Admitted, 1, 0},
		{"uid=alice" + people, "PASSWORDCODE", out, directory.Right, Admitted, reason.Admitted, 1, 0},
		{"zoe", "PASSWORD", in, directory.Right, Admitted, reason.Admitted, 1, 0},
		{"zoe", "PASSWORD", in, directory.Expired, Refused, reason.PasswordExpired, 1, 0},
		{"zoe", "wrong", in, directory.Right, Refused, reason.WrongPassword, 1, 0},
		{"zoe", "PASSWORD", out, directory.Right, Refused, reason.NoDevice, 0, 0},
		{"zoe", "PASSWORD123456", out, directory.Right, Refused, reason.NoDevice, 0, 0},
		{"erin", "PASSWORD", in, directory.Right, Refused, reason.Disabled, 0, 1},
		{"nobody", "PASSWORD", in, directory.Right, Refused, reason.UnknownUser, 0, 1},
		{"nobody", "PASSWORD123456", out, directory.Right, Refused, reason.UnknownUser, 0, 0},
		{"uid=nobody" + people, "PASSWORD", in, directory.Right, Refused, reason.UnknownUser, 0, 1},
	} {
		for _, relayed := range []bool{false, true} {
			w, behind := newCampus(t)
			name := strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(c.person, "uid="), people))
			behind.answers[name] = c.verdict
			r := w.from(c.from, c.person, w.typed(name, c.typed))
			seen := new([]string)
			if relayed {
				r, seen = behind.relayed(r)
			}
			a := w.want(r, c.outcome, c.why)
			typed, nobody := behind.asked()
			if len(typed) != c.somebody || nobody != c.nobody {
				t.Errorf("%s %q from %s: it was asked for %q, and %d times for nobody; want %d and %d", c.person, c.typed, c.from, typed, nobody, c.somebody, c.nobody)
			}
			if relayed && len(*seen) != c.somebody {
				t.Errorf("%s %q from %s: the link was shown %q", c.person, c.typed, c.from, *seen)
			}
			if a.Outcome == Admitted && (a.Person.ID == 0 || a.Person.Name != name || a.Person.DN != "uid="+name+people) {
				t.Errorf("%s %q from %s: admitted %+v", c.person, c.typed, c.from, a.Person)
			}
		}
	}
}

func TestCodeThatMatchesNothingNeverReachesVerify(t *testing.T) {
	w, c := newCampus(t)
	w.idle()
	for n := range 12 {
		r, seen := c.relayed(w.from(home, "alice", "PASSWORD00000"))
		r.Password = append(r.Password, byte('0'+n%10))
		w.refused(r, reason.WrongCode)
		if len(*seen) > 0 {
			t.Errorf("shown %q", *seen)
		}
		w.time.pass(15 * time.Minute)
	}
	// Nor is it judged behind the answer.
	if n := w.work(); n != 0 {
		t.Errorf("%d passwords were put aside", n)
	}
	if typed, nobody := c.asked(); len(typed)+nobody != 0 {
		t.Errorf("asked for %q, and %d times for nobody", typed, nobody)
	}
}

// An old password of the time when it was kept here is not looked for there.
func TestStalePasswordIsNotSoughtBehind(t *testing.T) {
	w, c := newCampus(t)
	w.idle()
	w.changePerson("alice", func(p *store.Person) { p.Previous = hashes()["bob"] })
	w.refused(w.from(desk, "alice", who("bob").password), reason.WrongPassword)
	if n := w.work(); n != 0 {
		t.Errorf("%d passwords were put aside", n)
	}
	if typed, _ := c.asked(); len(typed) != 1 {
		t.Errorf("asked for %q", typed)
	}
}

func TestEmptyPasswordAfterTheCutNeverReachesVerify(t *testing.T) {
	w, c := newCampus(t)
	for _, address := range []string{home, desk} {
		for _, typed := range []string{"CODE", "CODE-1", "CODE+1", ""} {
			r, seen := c.relayed(w.from(address, "alice", typed))
			w.refused(r, reason.EmptyPassword)
			if typed, nobody := c.asked(); len(*seen)+len(typed)+nobody != 0 {
				t.Errorf("%q from %s: shown %q", typed, address, *seen)
			}
		}
	}
	r, seen := c.relayed(w.from(desk, "alice", ""))
	a := w.begin(r)
	w.must(a.find(t.Context()))
	if v, err := a.check(t.Context(), nil); v != directory.Wrong || err != nil || len(*seen) > 0 {
		t.Errorf("nothing at all is %v, %v; shown %q", v, err, *seen)
	}
}

func TestVerifyIsCalledOnce(t *testing.T) {
	w, c := newCampus(t)
	dn := "uid=alice" + people + " "
	r, seen := c.relayed(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	if want := dn + who("alice").password; len(*seen) != 1 || (*seen)[0] != want {
		t.Errorf("shown %q, want once %q", *seen, want)
	}
	r, seen = c.relayed(w.from(desk, "alice", "wrongCODE+1"))
	w.refused(r, reason.WrongPassword)
	if len(*seen) != 1 || (*seen)[0] != dn+"wrong" {
		t.Errorf("shown %q, want once, without the code", *seen)
	}
	failed := errors.New("the link broke")
	w.time.pass(behindFor)
	r.Verify = func(context.Context, string, []byte) (directory.Verdict, error) { return directory.Right, failed }
	w.fails(r, failed)
	if typed, nobody := c.asked(); len(typed) != 2 || nobody != 0 {
		t.Errorf("asked %q, and %d times for nobody", typed, nobody)
	}
}

// A password that is right for the DN need not be that of whom we know by it.
func TestReusedDNBehindAdmitsNobody(t *testing.T) {
	w, c := newCampus(t)
	c.reused = map[string]bool{"uid=alice" + people: true}
	r, seen := c.relayed(w.from(desk, "alice", "PASSWORD"))
	w.refused(r, reason.CannotJudge)
	if len(*seen) != 1 {
		t.Errorf("shown %q", *seen)
	}
	r, _ = c.relayed(w.from(desk, "alice", "wrong"))
	w.refused(r, reason.WrongPassword)
}

// Nobody comes in whatever is typed: a link must not be bound as such a person.
func TestVerifyIsOfNobodyElse(t *testing.T) {
	w, c := newCampus(t)
	w.rule(append([]policy.Rule{{Name: "no zoe", User: []string{"zoe"}, Deny: true}}, campusRules...)...)
	for name, why := range map[string]reason.Code{"erin": reason.Disabled, "nobody": reason.UnknownUser, "zoe": reason.RuleDenies} {
		r, seen := c.relayed(w.from(desk, name, "PASSWORD"))
		w.refused(r, why)
		if _, nobody := c.asked(); len(*seen) != 0 || nobody != 1 {
			t.Errorf("%s: shown %q; the directory was asked %d times for nobody", name, *seen, nobody)
		}
	}
}

func TestExpiredIsToldOnlyBehindARightCode(t *testing.T) {
	for verdict, why := range map[directory.Verdict]reason.Code{
		directory.Expired: reason.PasswordExpired, directory.MustChange: reason.PasswordExpired, directory.Shut: reason.AccountShut,
	} {
		w, c := newCampus(t)
		c.answers["alice"] = verdict
		generic := cut(w.refused(w.from(home, "alice", "PASSWORD000000"), reason.WrongCode))
		w.time.pass(time.Second)
		if a := w.refused(w.from(home, "alice", "PASSWORD"), reason.CodeMissing); cut(a) != generic {
			t.Errorf("%s without a code: %q", why, a.Message)
		}
		if a := w.refused(w.from(home, "alice", "wrongCODE"), reason.WrongPassword); cut(a) != generic {
			t.Errorf("%s behind another password: %q", why, a.Message)
		}
		w.time.pass(2 * time.Second)
		for range 20 { // they are no guesses
			a := w.refused(w.from(home, "alice", "PASSWORDCODE"), why)
			if !strings.HasPrefix(a.Message, why.Proven("en", 0)) || cut(a) == generic {
				t.Errorf("%s: %q", why, a.Message)
			}
		}
		delete(c.answers, "alice")
		w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	}
}

// Who is told it has typed a right password, and the next code would not help.
func TestExpiredAsksForNoOtherCode(t *testing.T) {
	for verdict, why := range map[directory.Verdict]reason.Code{
		directory.Expired: reason.PasswordExpired, directory.MustChange: reason.PasswordExpired, directory.Shut: reason.AccountShut,
	} {
		w, c := newCampus(t)
		c.answers["alice"] = verdict
		first := w.isAsked(w.round("alice", "PASSWORD"))
		a := w.refused(w.then(w.round("alice", "PASSWORD"), first, "CODE"), why)
		if !strings.HasPrefix(a.Message, why.Proven("en", 0)) || a.State != nil {
			t.Errorf("%s: %+v", why, a)
		}
	}
}

func TestLockedIsToldToNobody(t *testing.T) {
	w, c := newCampus(t)
	w.changePerson("alice", func(p *store.Person) { p.Lang = "ja" }) // in which she is told what she has proved to be hers
	generic := told("en", reason.Generic("en"), "")
	c.answers["alice"] = directory.Locked
	for range 3 {
		for _, r := range []Request{w.from(desk, "alice", "PASSWORD"), w.from(home, "alice", "PASSWORDCODE")} {
			if a := w.refused(r, reason.AccountLocked); cut(a) != generic {
				t.Errorf("told %q", a.Message)
			}
		}
		w.time.pass(time.Minute)
	}
	if n := len(w.counters()); n == 0 { // else guesses would keep her locked
		t.Error("it counts for nothing")
	}
	delete(c.answers, "alice")
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
}

// A directory behind counts, and locks at last, so it is not asked again and
// again. A password is changed there without our knowing, though: after minutes
// it is. It counts once all the same.
func TestSameWrongPasswordIsAskedBehindOnceInFiveMinutes(t *testing.T) {
	for _, name := range []string{"alice", "zoe"} {
		for _, relayed := range []bool{false, true} {
			w, c := newCampus(t)
			r := w.from(desk, name, "the new one")
			if relayed {
				r, _ = c.relayed(r)
			}
			for range 599 {
				w.refused(r, reason.WrongPassword)
				w.time.pass(time.Second) // one failure delays no longer
			}
			if typed, _ := c.asked(); len(typed) != 2 {
				t.Errorf("%s: asked %d times, want 2", name, len(typed))
			}
			c.set(name, func(e *entry) { e.password = "the new one" })
			w.refused(r, reason.WrongPassword)
			w.time.pass(time.Second)
			w.admitted(r)
		}
	}
}

// Else who there is could be told by what takes the time of a bind.
func TestSameWrongPasswordOfANameThatNobodyHasIsAskedBehindAsOften(t *testing.T) {
	w, c := newCampus(t)
	for range 3 {
		w.refused(w.from(desk, "nobody", "guess"), reason.UnknownUser)
		w.refused(w.from(desk, "erin", "guess"), reason.Disabled)
		w.time.pass(time.Second)
	}
	if _, nobody := c.asked(); nobody != 2 {
		t.Errorf("asked %d times, want 2", nobody)
	}
}

// However somebody is named, it is one person: in the counters, the book, the
// rules and the repeats.
func TestEveryFormOfANameIsOnePerson(t *testing.T) {
	w, _ := newCampus(t)
	w.rule(append([]policy.Rule{{Name: "no yuri", User: []string{"yuri"}, Deny: true}}, campusRules...)...)
	w.refused(w.from(desk, "uid=alice"+people, "guess"), reason.WrongPassword)
	w.refused(w.from(desk, "alice", "PASSWORD"), reason.Throttled)
	w.refused(w.from(desk, "uid=zoe"+people, "guess"), reason.WrongPassword)
	w.refused(w.from(desk, "zoe", "PASSWORD"), reason.Throttled)
	w.refused(w.from(desk, "uid=yuri"+people, "PASSWORD"), reason.RuleDenies)
	w.time.pass(time.Second)
	r := w.mail(w.from(home, "uid=alice"+people, w.typed("alice", "PASSWORDCODE")))
	a := w.admitted(r)
	if e := w.event(a.Reference); e.Name != "alice" || e.Typed != r.User {
		t.Errorf("booked %+v", e)
	}
	r.User = "alice"
	w.repeated(r)
}

// Pages and relays look at tickets many times a second, while the directory
// may be away.
func TestTicketsAskNothingOfTheDirectoryBehind(t *testing.T) {
	w, c := newCampus(t)
	portal := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	bind := w.binds(desk, "alice", "PASSWORD")
	bound := w.admitted(bind)
	w.again(bind, bound, reason.Admitted)
	if n := c.looked(); n != 3 {
		t.Errorf("three sign-ins looked her up %d times", n)
	}
	c.failing = errors.New("the directory is away")
	w.worth(w.holding(home, portal), policy.Allow)
	w.lives(portal, true)
	if p, id, err := w.Began(t.Context(), w.holding(home, portal)); err != nil || p.Name != "alice" || id != portal.Ticket.ID {
		t.Errorf("began %+v, %s, %v", p, id, err)
	}
	w.asked(w.holding(home, portal), "none")
	if n := len(w.sessions("alice")); n == 0 {
		t.Error("no sign-ins")
	}
	if n := c.looked(); n != 0 {
		t.Errorf("she was looked up %d times", n)
	}
	w.fails(bind, c.failing)
}

// A NAS tells the name as it was typed.
func TestAccountingUnderAnotherFormOfTheName(t *testing.T) {
	w, c := newCampus(t)
	const typed = "alice@mail.example"
	a := w.admitted(w.vpn(w.from(home, typed, w.typed("alice", "PASSWORDCODE"))))
	r := w.acct(typed, AccountingStart)
	r.Class = []string{a.Ticket.Class}
	w.tell(r)
	w.attached(r, a)
	c.looked()
	r = w.acct("alice", AccountingStart, func(r *Accounting) { r.Session = "another" })
	w.tell(r)
	if n := c.looked(); n != 0 {
		t.Errorf("she was looked up %d times", n)
	}
}

func TestOwnRepeatGoesBeforeTheRules(t *testing.T) {
	w, c := newCampus(t)
	r, _ := c.relayed(w.mail(w.from(home, "alice", "PASSWORDCODE")))
	r.Repeat = &policy.Repeat{}
	w.admitted(r)
	w.refused(r, reason.CodeUsed)

	w.time.pass(30 * time.Second)
	r, _ = c.relayed(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	w.refused(r, reason.CodeUsed)
	w.time.pass(30 * time.Second)
	r, _ = c.relayed(w.from(home, "alice", "PASSWORDCODE"))
	r.Repeat = &policy.Repeat{Idle: time.Minute, Max: 2 * time.Minute}
	w.admitted(r)
	for range 2 {
		w.time.pass(time.Minute)
		w.repeated(r)
	}
	w.time.pass(1)
	r.Password = bytes.Clone(r.Password)
	w.refused(r, reason.CodeUsed)
}

// Guessing starts no afresh with each change of groups there.
func TestOtherGroupsForgiveNoGuesses(t *testing.T) {
	w, _ := newCampus(t)
	judged := 0
	for i := range 50 {
		if w.admit(w.from(desk, "alice", fmt.Sprintf("guess %d", i))).Reason == string(reason.WrongPassword) {
			judged++
		}
		_, err := w.Store.Adopt(t.Context(), store.Person{Name: "alice", Upstream: "id-alice", Groups: []string{fmt.Sprint("club", i%2)}})
		w.must(err)
	}
	if judged != 1 {
		t.Errorf("%d guesses were judged at once, want 1", judged)
	}
}

// Names that nobody has cost an attacker nothing: they must not push out what
// was guessed at people who have not been admitted yet.
func TestFloodOfNamesForgivesNobodyWithoutARow(t *testing.T) {
	w, _ := newCampus(t)
	w.throttle.strangers.Bound = 100
	w.refused(w.from(desk, "zoe", "guess"), reason.WrongPassword)
	for i := range 200 {
		w.admit(w.from(fmt.Sprint("192.0.2.", i), fmt.Sprint("nobody", i), "guess"))
	}
	w.refused(w.from(desk, "zoe", "another"), reason.Throttled)
}
