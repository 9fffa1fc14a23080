package gate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

var onPhone = Program{Service: "mail", Label: "Phone"}

// mintingRules are those of a campus where mail may be read by an application
// password, too.
func (w *world) mintingRules(need ...string) {
	w.t.Helper()
	mail := policy.Rule{Name: "mail", Door: []string{policy.DoorLDAP}, Service: []string{"mail"}, Zone: []string{policy.OffCampus}}
	for _, n := range need {
		mail.Need = append(mail.Need, policy.ParseNeed(n))
	}
	w.rule(append([]policy.Rule{campusRules[0], mail}, campusRules[3:]...)...)
}

func (w *world) mints(r Request, p Program) Secret {
	w.t.Helper()
	may, err := w.MayMakeAppPassword(w.t.Context(), r, p.Service)
	w.must(err)
	text, err := w.MakeAppPassword(w.t.Context(), r, p)
	w.must(err)
	if may != (text != "") {
		w.t.Errorf("may make one: %v, but made %q", may, string(text))
	}
	return text
}

func (w *world) mintsNothing(why string, r Request, p Program) {
	w.t.Helper()
	if text := w.mints(r, p); text != "" {
		w.t.Errorf("%s: one was made", why)
	}
	if n := len(w.account("alice").AppPasswords); n != 0 {
		w.t.Fatalf("%s: %d are kept", why, n)
	}
}

func TestAppPasswordIsMade(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	portal := w.signedIn("alice")
	text := w.mints(w.holding(home, portal), onPhone)
	if _, ok := keyring.AppPassword([]byte(text)); !ok || fmt.Sprint(text) != "[secret]" {
		t.Fatalf("made %q", string(text))
	}
	a := w.account("alice")
	row := a.AppPasswords[0]
	if row.Label != "Phone" || row.Service != "mail" || row.Network != "" || !row.Created.Equal(w.time.now()) || row.Key != w.Ring.Current() ||
		!w.Ring.VerifyMAC(keyring.AppPasswordUse, row.Hash, keyring.AppPasswordParts(a.ID, "mail", []byte(text))...) {
		t.Errorf("kept %+v", row)
	}
	booked := w.events(store.Search{Reason: string(reason.AppPasswordAdded)})
	if len(booked) != 1 || booked[0].Name != "alice" || booked[0].Person != a.ID || booked[0].Detail != "for mail: Phone" ||
		booked[0].Outcome != "done" || w.Store.TicketName(booked[0].Ticket) != portal.Ticket.ID {
		t.Errorf("booked %+v", booked)
	}
	for _, e := range w.events(store.Search{}) {
		if strings.Contains(fmt.Sprint(e), string(text)) {
			t.Errorf("it is in the book: %+v", e)
		}
	}
	w.live(portal, true)

	r := w.holding(home, portal)
	for _, id := range []string{"", "!", "1"} {
		if err := w.EndAppPassword(t.Context(), r, w.personOf("alice"), id); !errors.Is(err, ErrNoAppPassword) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := w.EndAppPassword(t.Context(), r, w.personOf("bob"), row.PublicID()); !errors.Is(err, ErrNoAppPassword) {
		t.Errorf("another's: %v", err)
	}
	w.must(w.EndAppPassword(t.Context(), r, w.personOf("alice"), row.PublicID()))
	if e := w.events(store.Search{Reason: string(reason.AppPasswordEnded)}); len(e) != 1 || e[0].Name != "alice" || e[0].Door != policy.DoorWeb {
		t.Errorf("booked %+v", e)
	}
	if n := len(w.account("alice").AppPasswords); n != 0 {
		t.Errorf("%d are left", n)
	}
	w.live(portal, true)
}

// What is good for long is not made from what proves less than it opens.
func TestTicketsThatMakeNoAppPassword(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	w.mintsNothing("no ticket", w.holding(home, Answer{}), onPhone)
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.mintsNothing("a password from inside", w.holding(desk, inside), onPhone)
	w.mintsNothing("a password from inside, outside", w.holding(home, inside), onPhone)
	portal := w.signedIn("alice")
	other := w.holding(home, portal)
	other.Service = "webmail"
	w.mintsNothing("a ticket of another service", other, onPhone)
	w.mintsNothing("a service that takes none", w.holding(home, portal), Program{Service: "files", Label: "Phone"})
	w.time.pass(time.Hour)
	w.mintsNothing("a ticket that was not used for too long", w.holding(home, portal), onPhone)
	w.time.pass(time.Minute)
	portal = w.signedIn("alice")
	w.end(portal)
	w.mintsNothing("a ticket that has ended", w.holding(home, portal), onPhone)
	w.time.pass(time.Minute)
	portal = w.signedIn("alice")
	w.changePerson("alice", func(p *store.Person) { p.Groups = []string{"blocked"} })
	w.mintsNothing("groups have changed", w.holding(home, portal), onPhone)
	if n := len(w.events(store.Search{Reason: string(reason.AppPasswordAdded)})); n != 0 {
		t.Errorf("%d were booked", n)
	}
}

// On campus nothing but the password is asked for. Who types a code behind it
// has shown one, and gets what a code gives.
func TestCodeTypedOnCampusMakesAnAppPasswordAndAWord(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	portal := w.admitted(w.from(desk, "alice", "PASSWORDCODE"))
	r := w.holding(desk, portal)
	if w.mints(r, onPhone) == "" {
		t.Error("no application password was made")
	}
	if word := w.makes(portal); word.Text == "" {
		t.Error("no word was made")
	}
}

// Whoever has the address of somebody's tunnel makes none by it.
func TestTicketOfATunnelMakesNoAppPassword(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	portal := w.continues(w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE"))))
	w.mintsNothing("a ticket that the VPN lent", w.holding(home, portal), onPhone)
}

// An application password that was taken from a telephone is not good for
// making others, which nobody would look for.
func TestAppPasswordMakesNoAppPassword(t *testing.T) {
	w := newWorld(t)
	need := []policy.Need{policy.ParseNeed("password+otp"), policy.ParseNeed("app-password")}
	w.rule(policy.Rule{Name: "careless", Need: need})
	a := w.account("alice")
	secret := []byte(strings.Repeat("s", secretSize))
	ticket := &store.Ticket{
		Hash: sha256.Sum256(secret), Person: a.ID, Generation: a.Generation, Door: policy.DoorWeb, Service: "portal",
		Created: w.time.now(), Until: w.time.now().Add(time.Hour), Used: w.time.now(),
		Shown: []store.Shown{{Factor: string(policy.AppPassword), At: w.time.now()}},
	}
	done, err := w.Store.Settle(t.Context(), store.Settlement{Ticket: ticket, Event: w.change(reason.Admitted)})
	w.must(err)
	held := Answer{Ticket: w.handOver(done.Ticket, ticket, "web1", secret)}
	w.mintsNothing("an application password", w.holding(home, held), onPhone)
	w.rule(policy.Rule{Name: "careless", Need: need[1:]})
	w.mintsNothing("an application password where nothing else is taken", w.holding(home, held), onPhone)
}

func TestAppPasswordOfOneWhoMustChangeThePassword(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	portal := w.signedIn("alice")
	w.Directory = altered{w.people, func(a *store.Account) { a.MustChange = true }}
	w.mintsNothing("the password must be changed", w.holding(home, portal), onPhone)
}

// A program that can't show a code is let in by nothing else: then it takes
// what the portal takes outside.
func TestAppPasswordWhereNothingElseIsTaken(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("app-password")
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.mintsNothing("a password from inside", w.holding(desk, inside), onPhone)
	if w.mints(w.holding(home, w.signedIn("alice")), onPhone) == "" {
		t.Error("none was made")
	}
	w.mintingRules("app-password", "password+certificate")
	if text := w.mints(w.holding(home, w.signedIn("bob")), onPhone); text != "" {
		t.Error("one was made where another factor would do, which was not shown")
	}
}

// It opens a service at every door, so it is not made by what suffices at one.
func TestAppPasswordOfTwoDoors(t *testing.T) {
	w := newWorld(t)
	rule := func(door string, need ...string) policy.Rule {
		r := policy.Rule{Name: door, Door: []string{door}, Service: []string{"mail"}}
		for _, n := range need {
			r.Need = append(r.Need, policy.ParseNeed(n))
		}
		return r
	}
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	rules := []policy.Rule{rule("ldap", "password", "app-password"), rule("radius", "password+otp", "app-password")}
	w.rule(append(rules, campusRules[3:]...)...)
	w.mintsNothing("a password, that suffices at one of two doors", w.holding(desk, inside), onPhone)
	rules[1] = rule("radius", "password+otp")
	w.rule(append(rules, campusRules[3:]...)...)
	if w.mints(w.holding(desk, inside), onPhone) == "" {
		t.Error("none was made where a password suffices")
	}
}

func TestManyAppPasswords(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	portal := w.signedIn("alice")
	for range store.MostAppPasswords {
		w.mints(w.holding(home, portal), onPhone)
	}
	if text, err := w.MakeAppPassword(t.Context(), w.holding(home, portal), onPhone); text != "" || !errors.Is(err, ErrManyAppPasswords) {
		t.Errorf("%q, %v", string(text), err)
	}
}

func TestAppPasswordWithoutTheStore(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	portal := w.signedIn("alice")
	r, alice := w.holding(home, portal), w.personOf("alice")
	w.Store.Close()
	if text, err := w.MakeAppPassword(context.Background(), r, onPhone); text != "" || !errors.Is(err, store.ErrClosed) {
		t.Errorf("made %q, %v", string(text), err)
	}
	if err := w.EndAppPassword(context.Background(), r, alice, "1"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("ended: %v", err)
	}
}

// Whoever finds a browser open leaves with nothing that outlives it.
func TestAppPasswordWantsAFreshCode(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	portal := w.signedIn("alice")
	w.time.pass(mintWithin + time.Second)
	w.mintsNothing("a code of more than five minutes ago", w.holding(home, portal), onPhone)
	portal = w.signedIn("alice")
	w.time.pass(mintWithin)
	if w.mints(w.holding(home, portal), onPhone) == "" {
		t.Error("none was made")
	}
}

// It is what people do who lost a telephone.
func TestSignOutEverywhereEndsAppPasswords(t *testing.T) {
	w := newWorld(t)
	w.mintingRules("password+otp", "app-password")
	portal := w.signedIn("alice")
	r := w.binds(home, "alice", string(w.mints(w.holding(home, portal), onPhone)))
	w.admitted(r)
	_, err := w.SignOut(t.Context(), w.holding(home, portal), w.personOf("alice"))
	w.must(err)
	w.refused(r, reason.WrongAppPassword)
}

// A ticket lives on for a while after the directory behind shut its person out.
func TestShutOutBehindMakesNothing(t *testing.T) {
	for what, change := range map[string]func(*campus){
		"disabled": func(c *campus) { c.set("alice", func(e *entry) { e.disabled = true }) },
		"removed":  func(c *campus) { delete(c.people, "alice") },
		"another":  func(c *campus) { c.set("alice", func(e *entry) { e.id = "id-another" }) },
	} {
		w, behind := newCampus(t)
		w.mintingRules("password+otp", "app-password")
		portal := w.signedIn("alice")
		if w.makes(portal).Text == "" {
			t.Fatal("made no word before")
		}
		change(behind)
		w.mintsNothing(what, w.holding(home, portal), onPhone)
		if w.makes(portal).Text != "" {
			t.Errorf("%s: made a word", what)
		}
	}
}

func TestMakingWhileTheDirectoryBehindFails(t *testing.T) {
	w, behind := newCampus(t)
	w.mintingRules("password+otp", "app-password")
	r := w.holding(home, w.signedIn("alice"))
	r.Opens = "ssl-vpn"
	behind.failing = errors.New("down")
	if may, err := w.MayMakeAppPassword(t.Context(), r, onPhone.Service); may || !errors.Is(err, behind.failing) {
		t.Errorf("may make one: %v, %v", may, err)
	}
	if text, err := w.MakeAppPassword(t.Context(), r, onPhone); text != "" || !errors.Is(err, behind.failing) {
		t.Errorf("made %q, %v", string(text), err)
	}
	if word, err := w.Word(t.Context(), r); word.Text != "" || !errors.Is(err, behind.failing) {
		t.Errorf("made the word %q, %v", string(word.Text), err)
	}
}
