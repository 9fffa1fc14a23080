package gate

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/passwd"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// programRules are those of a campus where mail is read by programs.
var programRules = append([]policy.Rule{
	{Name: "blocked", Group: []string{"blocked"}, Deny: true},
	{Name: "mail", Service: []string{"mail"}, Need: []policy.Need{policy.ParseNeed("password+otp"), policy.ParseNeed("app-password")}},
}, campusRules[3:]...)

// program makes an application password for the mail of alice, and returns
// what her program sends.
func (w *world) program(change ...func(*store.AppPassword)) (made store.AppPassword, r Request) {
	w.t.Helper()
	w.rule(programRules...)
	text := keyring.NewAppPassword()
	alice := w.account("alice")
	p := store.AppPassword{Label: "phone", Service: "mail", Key: w.Ring.Current(), Created: w.time.now()}
	for _, c := range change {
		c(&p)
	}
	p.Hash = w.Ring.MAC(keyring.AppPasswordUse, keyring.AppPasswordParts(alice.ID, p.Service, text)...)
	made, err := w.Store.AddAppPassword(w.t.Context(), alice.Person, p, w.change(reason.AppPasswordAdded))
	w.must(err)
	r = w.binds(home, "alice", "")
	r.Password = text
	return made, r
}

func (w *world) endAppPassword(p store.AppPassword) {
	w.t.Helper()
	w.must(w.Store.EndAppPassword(w.t.Context(), p.Person, p.ID, w.change(reason.AppPasswordEnded)))
}

// generic wants a refusal that tells nothing, without a password having been
// looked at.
func (w *world) generic(r Request, why reason.Code) {
	w.t.Helper()
	asked := w.people.asked()
	if a := w.refused(r, why); cut(a) != told("en", reason.Generic("en"), "") || w.people.asked() != asked {
		w.t.Errorf("told %q; %d passwords were looked at", a.Message, w.people.asked()-asked)
	}
}

func TestAppPasswordAdmits(t *testing.T) {
	w := newWorld(t)
	p, r := w.program()
	w.time.pass(time.Hour)
	a := w.admitted(r)
	e := w.event(a.Reference)
	if e.Factors != "app-password" || e.Rule != "mail" || e.Detail != "app password "+p.PublicID() {
		t.Errorf("booked %+v", e)
	}
	h, err := w.Store.Held(t.Context(), e.Ticket)
	w.must(err)
	if h.AppPassword != p.ID || len(h.Repeat) != 0 || len(h.Shown) != 1 {
		t.Errorf("the ticket is %+v", h.Ticket)
	}
	if used := w.account("alice").AppPasswords[0].Used; !used.Equal(w.time.now()) {
		t.Errorf("used at %v", used)
	}
	r.Door, r.Password = policy.DoorRADIUS, bytes.ToUpper(r.Password)
	w.admitted(r)
	if n := w.people.asked(); n != 0 {
		t.Errorf("%d passwords were looked at", n)
	}
	// It needs no code of a round of its own.
	r.Challenge, r.Client = ChallengeAlways, "vpn1"
	w.admitted(r)
}

// A rule has to list it, or it is none.
func TestAppPasswordWhereNoRuleTakesIt(t *testing.T) {
	w := newWorld(t)
	_, r := w.program()
	w.rule(campusRules...)
	w.generic(r, reason.NoMeans)
	r.Source.Addr = netip.MustParseAddr(desk)
	w.generic(r, reason.NoMeans)
	r.Source.Addr = netip.MustParseAddr("2001:db8:9::1")
	r.Service = "mail"
	w.rule(programRules[2:]...)
	w.generic(r, reason.NoRule)
	if n := len(w.counters()); n != 0 {
		t.Errorf("%d counters", n)
	}
	w.rule(append([]policy.Rule{{Name: "no alice", User: []string{"alice"}, Deny: true}}, programRules...)...)
	w.generic(r, reason.RuleDenies)
}

func TestAppPasswordOfAnotherService(t *testing.T) {
	w := newWorld(t)
	_, r := w.program(func(p *store.AppPassword) { p.Service = "files" })
	w.generic(r, reason.WrongAppPassword)
}

func TestAppPasswordOfAnotherPerson(t *testing.T) {
	w := newWorld(t)
	_, r := w.program()
	for name, why := range map[string]reason.Code{
		"bob": reason.WrongAppPassword, "frank": reason.WrongAppPassword, "erin": reason.Disabled, "nobody": reason.UnknownUser,
	} {
		r.User = name
		w.generic(r, why)
	}
}

func TestAppPasswordOfOneWhoIsKeptOut(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*store.Person)
		why    reason.Code
	}{
		"disabled":    {func(p *store.Person) { p.Disabled = true }, reason.Disabled},
		"denied":      {func(p *store.Person) { p.Groups = []string{"blocked"} }, reason.RuleDenies},
		"must change": {func(p *store.Person) { p.MustChange = true }, reason.MustChange},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, r := w.program()
			w.admitted(r)
			w.changePerson("alice", c.change)
			w.generic(r, c.why)
		})
	}
}

func TestEndedAppPasswordIsRefusedAtOnce(t *testing.T) {
	w := newWorld(t)
	p, r := w.program()
	first := w.admitted(r)
	w.again(r, first, reason.Admitted)
	w.endAppPassword(p)
	w.generic(r, reason.WrongAppPassword)
	w.lives(first, false)
}

func TestAppPasswordThatEndsWhileItIsJudged(t *testing.T) {
	for name, first := range map[string]bool{"settled": false, "counted": true} {
		t.Run(name, func(t *testing.T) {
			w, c := newCampus(t)
			p, r := w.program()
			if first {
				w.admitted(r)
			}
			c.found = func() { c.found = nil; w.endAppPassword(p) }
			w.refused(r, reason.Changed)
			w.refused(r, reason.WrongAppPassword)
		})
	}
}

func TestAppPasswordThatNobodyUsed(t *testing.T) {
	w := newWorld(t)
	_, r := w.program()
	w.time.pass(store.AppPasswordIdle - 1)
	w.admitted(r)
	w.time.pass(store.AppPasswordIdle - 1)
	w.admitted(r)
	w.time.pass(store.AppPasswordIdle)
	for range 20 { // it is no guess
		w.generic(r, reason.AppPasswordIdle)
	}
	if n := len(w.counters()); n != 0 {
		t.Errorf("%d counters", n)
	}
}

func TestAppPasswordFromItsNetworkOnly(t *testing.T) {
	w := newWorld(t)
	_, r := w.program(func(p *store.AppPassword) { p.Network = "203.0.113.0/28" })
	r.Source.Shared = false
	w.admitted(r)
	r.Source.Addr = netip.MustParseAddr("::ffff:203.0.113.8")
	w.admitted(r)
	for name, s := range map[string]Source{
		"another address":          {Addr: netip.MustParseAddr(cafe)},
		"the other family":         {Addr: netip.MustParseAddr("2001:db8::1")},
		"unknown":                  {},
		"a device without address": {Label: "02-00-5E-00-53-01"},
		"an application server":    {Addr: netip.MustParseAddr(home), Shared: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := r
			r.Source = s
			w.t = t
			w.generic(r, reason.AppPasswordNetwork)
		})
	}
	w.t = t
	_, broken := w.program(func(p *store.AppPassword) { p.Network = "everywhere" })
	w.generic(broken, reason.AppPasswordNetwork)
	if n := len(w.counters()); n != 0 {
		t.Errorf("%d counters", n)
	}
}

// A program that sends what was ended, all day, keeps nobody out.
func TestWrongAppPasswordCountsOnce(t *testing.T) {
	w := newWorld(t)
	p, r := w.program()
	w.endAppPassword(p)
	for range 150 {
		w.refused(r, reason.WrongAppPassword)
		w.time.pass(5 * time.Minute)
	}
	if list := w.counters(); len(list) != 1 || list[0].Count != 1 {
		t.Errorf("counted %+v", list)
	}
	w.refused(r, reason.WrongAppPassword)
	w.time.pass(time.Second)
	w.admitted(w.binds(home, "alice", "PASSWORDCODE"))
}

func TestWrongAppPasswordsDelay(t *testing.T) {
	w := newWorld(t)
	_, r := w.program()
	wrong := r
	for _, letter := range "bcd" {
		wrong.Password = []byte("app-" + strings.Repeat(string(letter), 24))
		w.refused(wrong, reason.WrongAppPassword)
		wrong.Password = []byte("app-" + strings.Repeat(string(letter), 23) + "z")
		w.refused(wrong, reason.Throttled)
		w.time.pass(time.Minute)
	}
}

// Anybody may be guessing at the form of the web mail: her telephone goes on.
func TestGuessesDoNotKeepTheAppPasswordOut(t *testing.T) {
	w := newWorld(t)
	_, r := w.program()
	for range 5 {
		w.admit(w.binds(home, "alice", "guessed000000"))
		w.admitted(r)
	}
}

// It says nothing of codes: whoever found it must not be given new tries.
func TestAppPasswordForgivesNoGuesses(t *testing.T) {
	w := newWorld(t)
	_, r := w.program()
	judged := 0
	for i := range 60 {
		if a := w.admit(w.from(home, "alice", fmt.Sprintf("PASSWORD%06d", i))); a.Reason == string(reason.WrongCode) {
			judged++
		}
		w.time.pass(time.Second)
		w.admitted(r)
	}
	if judged > 10 {
		t.Errorf("%d codes were judged within a minute", judged)
	}
	if len(w.account("alice").Known) > 0 {
		t.Error("where it was used she is known now")
	}
}

func TestAppPasswordsThatRecurShareARow(t *testing.T) {
	w := newWorld(t)
	p, r := w.program()
	_, other := w.program(func(p *store.AppPassword) { p.Label = "tablet" })
	first := w.admitted(r)
	second := w.admitted(other) // each has its own: one may be ended without the other
	if first.Ticket.ID == second.Ticket.ID {
		t.Error("two share a ticket")
	}
	for range 50 {
		w.time.pass(time.Second)
		w.again(r, first, reason.Admitted)
		w.again(other, second, reason.Admitted)
	}
	w.endAppPassword(p)
	w.refused(r, reason.WrongAppPassword)
	w.lives(first, false)
	w.lives(second, true)
}

// It never goes where passwords go, nor does what merely looks like one; a
// code behind it changes nothing.
func TestAppPasswordNeverReachesVerify(t *testing.T) {
	const looks = "app-bcdfghjkmnpqrstvwxyzbcdf"
	w, c := newCampus(t, func(g *Gate) { g.Throttle.Off = true })
	_, r := w.program()
	right := string(r.Password)
	for _, address := range []string{home, desk} {
		for _, typed := range []string{
			right, strings.ToUpper(right), looks, "vpn-bcdfghjkmnpq", right + "CODE", right + "000000", right + "/000000", looks + "CODE-11", "vpn-bcdfghjkmnpqCODE",
		} {
			for _, service := range []string{"mail", "files"} {
				for _, name := range []string{"alice", "zoe", "nobody"} {
					q, seen := c.relayed(w.from(address, name, ""))
					q.Service, q.Password = service, []byte(w.typed("alice", typed))
					if strings.Contains(typed, "/") {
						q.Separator = "/"
					}
					for _, door := range []string{policy.DoorLDAP, policy.DoorRADIUS, policy.DoorWeb} {
						q.Door = door
						w.admit(q)
						if sent, nobody := c.asked(); len(sent)+len(*seen)+nobody != 0 {
							t.Errorf("%s %q at %s of %s: shown %q, and %d times for nobody", name, typed, door, service, *seen, nobody)
						}
					}
					q.Code, q.Door = []byte(w.code("alice", 0)), policy.DoorWeb
					w.admit(q)
					if sent, _ := c.asked(); len(sent)+len(*seen) != 0 {
						t.Errorf("%s %q beside a code: shown %q", name, typed, *seen)
					}
				}
			}
		}
	}
}

// Where passwords are kept here one that looks so can be changed on the web.
// Elsewhere it is none, with a code or without.
func TestPasswordThatLooksLikeAnAppPassword(t *testing.T) {
	for _, looks := range []string{"app-bcdfghjkmnpqrstvwxyzbcdf", "vpn-bcdfghjkmnpq"} {
		w := newWorld(t, func(g *Gate) { g.Throttle.Off = true })
		w.changePerson("alice", func(p *store.Person) { p.Hash = passwd.Make([]byte(looks), cheap) })
		w.admitted(w.from(desk, "alice", looks))
		w.admitted(w.from(home, "alice", looks+"CODE"))
		asked := w.people.asked()
		for _, r := range []Request{w.mail(w.from(desk, "alice", looks)), w.mail(w.from(desk, "alice", looks+"CODE+1")),
			w.mail(w.from(home, "alice", looks+"CODE+1"))} {
			r.Service = "files"
			if a := w.admit(r); a.Outcome != Refused || w.people.asked() != asked {
				t.Errorf("%q is %v, %s; looked at %d times", r.Password, a.Outcome, a.Reason, w.people.asked()-asked)
			}
		}
	}
}

// A ticket that one gave is worth nothing elsewhere.
func TestAppPasswordLendsNothingElsewhere(t *testing.T) {
	w := newWorld(t)
	_, r := w.program(func(p *store.AppPassword) { p.Service = "ssl-vpn" })
	need := []policy.Need{policy.ParseNeed("password+otp"), policy.ParseNeed("app-password")}
	w.rule(policy.Rule{Name: "all", Need: need, Repeat: &policy.Repeat{}})
	r.Door, r.Service, r.Client = policy.DoorRADIUS, "ssl-vpn", "vpn1"
	vpn := w.admitted(r)
	if h := w.present(w.holding(home, vpn).of("ssl-vpn")); h.Verdict != policy.Ask || len(h.Proves) != 0 {
		t.Errorf("worth %v, %v on the web", h.Verdict, h.Proves)
	}
	w.refused(w.from(home, "alice", "").with(vpn).of("ssl-vpn"), reason.EmptyPassword)
	same := w.from(home, "alice", "").with(vpn).of("ssl-vpn")
	same.Service = "ssl-vpn"
	w.refused(same, reason.EmptyPassword)
	other := w.mail(w.from(home, "alice", "")).with(vpn).of("ssl-vpn")
	w.refused(other, reason.EmptyPassword)
	own := r
	own.Password, own.TicketSecret = nil, string(vpn.Ticket.Secret)
	w.want(own, Admitted, reason.Reused)
	if word := w.makes(vpn); word.Text != "" {
		t.Error("it makes a word")
	}
}

// Whoever has a network address of the tunnel has not typed it themselves.
func TestTunnelOfAnAppPasswordLendsNothing(t *testing.T) {
	w := newWorld(t)
	_, r := w.program(func(p *store.AppPassword) { p.Service = "ssl-vpn" })
	w.rule(policy.Rule{Name: "all", Need: []policy.Need{policy.ParseNeed("password+otp"), policy.ParseNeed("app-password")}})
	r = w.vpn(r)
	r.Recurs, r.Source = false, Source{Label: "02-00-5e-00-53-01", How: "calling-station-id"}
	a := w.admitted(r)
	w.time.pass(time.Second)
	start := w.acct("alice", AccountingStart, at(inside4))
	start.Class = []string{a.Ticket.Class}
	w.tell(start)
	w.vouches(inside4, "alice", policy.Ask)
	w.refused(w.goOn(inside4, "alice"), reason.EmptyPassword)
}

func TestWordForAnLDAPProgram(t *testing.T) {
	w := newWorld(t)
	strict := policy.Rule{Name: "radius", Door: []string{policy.DoorRADIUS}, Service: []string{"mail"}, Zone: []string{policy.OffCampus},
		Need: []policy.Need{policy.ParseNeed("password+otp+certificate")}}
	w.rule(append([]policy.Rule{strict}, campusRules...)...)
	portal := w.signedIn("alice")
	make := func(door string) Word {
		r := w.holding(home, portal)
		r.Opens, r.OpensAt = "mail", door
		word, err := w.Word(t.Context(), r)
		w.must(err)
		return word
	}
	if word := make(""); word.Text != "" {
		t.Error("a word for RADIUS, where it would be good for nothing")
	}
	word := make(policy.DoorLDAP)
	r := w.mail(w.from(home, "alice", string(word.Text)))
	asked := w.people.asked()
	w.want(r, Admitted, reason.Reused)
	w.time.pass(time.Minute)
	w.repeated(r) // within the repeat of mail
	r.Client = "mutt"
	w.generic(r, reason.WordUsed)
	if n := w.people.asked(); n != asked {
		t.Errorf("%d passwords were looked at", n-asked)
	}
}
