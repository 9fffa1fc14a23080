package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// watch has the request only observed, and wants the password to be shown to
// the directory once, whole.
func (w *world) watch(r Request) Answer {
	w.t.Helper()
	r, seen := w.Directory.(*campus).relayed(r)
	a, err := w.Observe(w.t.Context(), r)
	w.must(err)
	if len(*seen) != 1 || !strings.HasSuffix((*seen)[0], " "+string(r.Password)) {
		w.t.Errorf("%s typed %q; shown %q", r.User, r.Password, *seen)
	}
	if a.Ticket != (Ticket{}) || a.State != nil || a.Reference == "" {
		w.t.Errorf("observed %+v", a)
	}
	return a
}

func TestObserveBooksWhatWouldHaveBeen(t *testing.T) {
	const in, out = desk, home
	const passed, refused = "passed by the directory behind", "refused by the directory behind"
	const code = refused + " and a code behind the password"
	for _, c := range []struct {
		person, typed, from string
		verdict             directory.Verdict // on the right password
		why                 reason.Code
		detail              string
	}{
		{"alice", "PASSWORD", in, directory.Right, reason.Admitted, passed},
		{"alice", "wrong", in, directory.Right, reason.WrongPassword, refused},
		{"alice", "PASSWORD", out, directory.Right, reason.CodeMissing, passed},
		{"alice", "wrong", out, directory.Right, reason.CodeMissing, refused},
		{"alice", "PASSWORD000000", out, directory.Right, reason.WrongCode, refused},
		{"alice", "PASSWORDCODE", out, directory.Right, reason.CannotJudge, code},
		{"alice", "PASSWORDCODE", in, directory.Right, reason.CannotJudge, code},
		{"alice", "PASSWORDCODE-3", out, directory.Right, reason.CodeStale, refused},
		{"alice", "CODE", out, directory.Right, reason.EmptyPassword, refused},
		{"alice", "", in, directory.Right, reason.EmptyPassword, refused},
		{"alice", "PASSWORD", in, directory.Expired, reason.PasswordExpired, refused},
		{"alice", "PASSWORD", in, directory.Locked, reason.AccountLocked, refused},
		{"alice", "PASSWORD", "2001:db8:9::1", directory.Right, reason.NoRule, passed},
		{"zoe", "PASSWORD", in, directory.Right, reason.Admitted, passed},
		{"zoe", "PASSWORD", out, directory.Right, reason.NoDevice, passed},
		{"erin", "PASSWORD", in, directory.Right, reason.Disabled, passed},
		{"erin", "PASSWORD", out, directory.Right, reason.Disabled, passed},
		{"nobody", "PASSWORD", in, directory.Right, reason.UnknownUser, refused},
		{"nobody", "PASSWORD", out, directory.Right, reason.UnknownUser, refused},
		{"", "PASSWORD", in, directory.Right, reason.BadName, refused},
	} {
		t.Run(c.person+" "+c.typed+" "+c.from, func(t *testing.T) {
			w, behind := newCampus(t)
			behind.answers[c.person] = c.verdict
			a := w.watch(w.from(c.from, c.person, c.typed))
			e := w.event(a.Reference)
			if a.Reason != string(c.why) || e.Reason != a.Reason || e.Outcome != "observed" || e.Detail != c.detail || e.Ticket != 0 || e.Rule != a.Rule {
				t.Errorf("answered %s, booked %s, %s, %q; want %s, %q", a.Reason, e.Outcome, e.Reason, e.Detail, c.why, c.detail)
			}
			would := c.why == reason.Admitted
			if (a.Outcome == Admitted) != would || (e.Factors == "password") != would {
				t.Errorf("answered %v, factors %q", a.Outcome, e.Factors)
			}
			if known := c.person == "alice" || c.person == "zoe" || c.person == "erin"; known && (a.Person.Name != c.person || e.Name != c.person) ||
				!known && (e.Name != "" || strings.Contains(e.Typed, "obody")) {
				t.Errorf("it is %+v, booked %q, typed %q", a.Person, e.Name, e.Typed)
			}
		})
	}
}

func TestObserveOfRulesThatAdmitNobodyHere(t *testing.T) {
	w, _ := newCampus(t)
	r := w.from(desk, "alice", "PASSWORD")
	r.Service = "cards"
	if a := w.watch(r); a.Reason != string(reason.NoMeans) {
		t.Error(a.Reason)
	}
	w.rule(policy.Rule{Name: "closed", Deny: true})
	if a := w.watch(r); a.Reason != string(reason.RuleDenies) || a.Rule != "closed" {
		t.Errorf("%s by %q", a.Reason, a.Rule)
	}
}

func TestObserveBurnsNothing(t *testing.T) {
	w, c := newCampus(t)
	w.idle()
	r := w.from(home, "alice", "PASSWORDCODE")
	for range 20 {
		w.watch(r)
		w.watch(w.from(home, "alice", "guess000000"))
		w.watch(w.from(desk, "alice", "guess"))
		w.watch(w.from(desk, "zoe", "PASSWORD"))
	}
	if w.row("zoe") != nil {
		t.Error("zoe has a row")
	}
	if n := w.tickets(); n != 0 {
		t.Errorf("%d tickets", n)
	}
	if len(w.counters()) != 0 || len(w.throttle.people) != 0 || w.throttle.strangers.Len() != 0 || w.throttle.wrongs.Len() != 0 {
		t.Error("guesses are counted")
	}
	if n := w.work(); n != 0 {
		t.Errorf("%d passwords are judged afterwards", n)
	}
	c.asked()
	q, seen := c.relayed(r)
	w.admitted(q) // with the very code
	if len(*seen) != 1 {
		t.Errorf("shown %q", *seen)
	}
	// Nor is anybody hindered by what was decided before.
	w.refused(w.from(cafe, "alice", "guess000000"), reason.WrongCode)
	w.refused(w.from(cafe, "alice", "PASSWORDCODE+1"), reason.Throttled)
	w.watch(w.from(cafe, "alice", "PASSWORD"))
}

// A mail server binds many times a second.
func TestObservationsShareARow(t *testing.T) {
	w, _ := newCampus(t)
	rows := func() []store.Event { return w.events(store.Search{Outcome: "observed"}) }
	for range 50 {
		w.watch(w.from(desk, "alice", "PASSWORD"))
	}
	list := rows()
	if len(list) != 1 || list[0].Count != 50 || !strings.HasPrefix(list[0].Detail, "passed by the directory behind references ") {
		t.Fatalf("booked %+v", list)
	}
	for name, r := range map[string]Request{
		"another person": w.from(desk, "zoe", "PASSWORD"), "a wrong password": w.from(desk, "alice", "wrong"),
		"another place": w.from("198.51.100.11", "alice", "PASSWORD"), "another zone": w.from(home, "alice", "PASSWORD"),
		"another service":     w.mail(w.from(desk, "alice", "PASSWORD")),
		"somebody without":    w.from(desk, "yuri", "PASSWORD"),
		"nobody":              w.from(desk, "nobody", "PASSWORD"),
		"the same, in a time": w.from(desk, "alice", "PASSWORD"),
	} {
		before := len(rows())
		if name == "the same, in a time" {
			w.time.pass(time.Minute)
		}
		w.watch(r)
		if n := len(rows()); n != before+1 {
			t.Errorf("%s: %d more rows", name, n-before)
		}
	}
}

// The directory decides, whatever is broken here.
func TestObserveWhenNothingCanBeJudged(t *testing.T) {
	w, c := newCampus(t)
	try := func(r Request, want error) {
		t.Helper()
		r, seen := c.relayed(r)
		if _, err := w.Observe(t.Context(), r); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		if len(*seen) != 1 {
			t.Errorf("shown %q", *seen)
		}
	}
	c.failing = directory.ErrName
	if a := w.watch(w.from(desk, "alice", "PASSWORD")); a.Reason != string(reason.CannotJudge) || a.Outcome != Refused {
		t.Errorf("answered %+v", a)
	}
	c.failing = errors.New("the directory is away")
	try(w.from(desk, "alice", "PASSWORD"), c.failing)
	c.failing = nil
	away := errors.New("the link broke")
	r := w.from(desk, "alice", "PASSWORD")
	r.Verify = func(context.Context, string, []byte) (directory.Verdict, error) { return directory.Right, away }
	if _, err := w.Observe(t.Context(), r); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
	if n := len(w.events(store.Search{Outcome: "observed"})); n != 1 {
		t.Errorf("%d are booked", n)
	}
	w.Store.Close()
	try(w.from(desk, "nobody", "PASSWORD"), store.ErrClosed)
}

// What was made here is not shown to the directory even so.
func TestObserveOfAnAppPassword(t *testing.T) {
	w, c := newCampus(t)
	p, r := w.program()
	try := func(r Request, outcome Outcome, why reason.Code) {
		t.Helper()
		r, seen := c.relayed(r)
		a, err := w.Observe(t.Context(), r)
		w.must(err)
		typed, nobody := c.asked()
		if a.Outcome != outcome || a.Reason != string(why) || len(*seen)+len(typed)+nobody != 0 {
			t.Errorf("%v, %s; want %v, %s; shown %q", a.Outcome, a.Reason, outcome, why, *seen)
		}
		if e := w.event(a.Reference); e.Detail != "not shown to the directory behind" || (e.Factors == "app-password") != (outcome == Admitted) {
			t.Errorf("booked %+v", e)
		}
	}
	try(r, Admitted, reason.Admitted)
	files := r
	files.Service = "files"
	try(files, Refused, reason.WrongAppPassword)
	word := r
	word.Password = []byte("vpn-bcdfghjkmnpq")
	try(word, Refused, reason.CannotJudge)
	late := r
	w.time.pass(store.AppPasswordIdle)
	try(late, Refused, reason.AppPasswordIdle)
	if used := w.account("alice").AppPasswords[0].Used; !used.Equal(p.Used) || w.tickets() != 0 {
		t.Error("it counts as used")
	}
	bad := r
	bad.User = "al\xffice"
	try(bad, Refused, reason.BadName)
}

// Addresses and names cost nothing: they must not fill the book.
func TestObservedNamesOfNobodyShareARow(t *testing.T) {
	w, behind := newCampus(t)
	for i := range 50 {
		r, _ := behind.relayed(w.from(fmt.Sprintf("2001:db8:9%02x::1", i), fmt.Sprint("nobody", i), "x"))
		_, err := w.Observe(t.Context(), r)
		w.must(err)
	}
	for i := range 50 {
		r, _ := behind.relayed(w.from(fmt.Sprintf("2001:db8:9::%x", i), "zoe", "x"))
		_, err := w.Observe(t.Context(), r)
		w.must(err)
	}
	if n := len(w.events(store.Search{Outcome: "observed"})); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}
