package gate

import (
	"testing"
	"time"

	"sekisho/internal/store"
	"sekisho/policy"
)

// asked compares what the pages ask for: "password", "code", "both", "none".
func (w *world) asked(r Request, want string) {
	w.t.Helper()
	p, err := w.Prompt(w.t.Context(), r)
	w.must(err)
	got := map[Prompt]string{{}: "none", {Password: true}: "password", {Code: true}: "code", {Password: true, Code: true}: "both"}[Prompt{
		Password: p.Password, Code: p.Code}]
	if got != want {
		w.t.Errorf("%q at %s from %v is asked for %s, want %s", r.User, r.Service, r.Source, got, want)
	}
	if zone := w.begin(r).zone.Name; p.Zone != zone || p.Inside != (zone != policy.OffCampus) {
		w.t.Errorf("%q from %v: %+v, the zone is %s", r.User, r.Source, p, zone)
	}
}

// Nothing that a page asks for tells who there is, who is disabled or denied,
// or who has a device.
func TestPromptTellsNothingOfThePerson(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"alice", "nobody", "erin", "frank", "grace", "ivan", "judy", "Alice@", "a\x00b", "\xff", "", " "} {
		w.asked(w.from(home, name, ""), "both")
		w.asked(w.from(guests, name, ""), "both")
		w.asked(w.from(desk, name, ""), "password")
		unknown := w.from(desk, name, "")
		unknown.Source = Source{}
		w.asked(unknown, "both")
		cards := w.from(home, name, "")
		cards.Service = "cards" // nothing that can be typed will do
		w.asked(cards, "both")
		cards = w.from(desk, name, "")
		cards.Service = "cards"
		w.asked(cards, "password")
		w.asked(w.from("2001:db8:9::1", name, ""), "password") // no rule
	}
}

// Whoever needs more is asked for more, and nobody for less than a stranger.
func TestPromptOfAGroup(t *testing.T) {
	w := newWorld(t)
	w.changePerson("alice", func(p *store.Person) { p.Groups = []string{"admin"} })
	w.changePerson("bob", func(p *store.Person) { p.Groups = []string{"trusted"} })
	need := policy.ParseNeed
	w.rule(
		policy.Rule{Name: "admin", Group: []string{"admin"}, Need: []policy.Need{need("password+otp")}},
		policy.Rule{Name: "trusted", Group: []string{"trusted"}, Need: []policy.Need{need("password")}},
		policy.Rule{Name: "inside", Zone: []string{"campus"}, Need: []policy.Need{need("password")}},
		policy.Rule{Name: "outside", Zone: []string{policy.OffCampus}, Need: []policy.Need{need("password+otp")}},
	)
	w.asked(w.from(desk, "alice", ""), "both")
	w.asked(w.from(desk, "carol", ""), "password")
	w.asked(w.from(home, "bob", ""), "both")
	w.asked(w.from(home, "carol", ""), "both")

	// By their own ticket a person is told what holds for them.
	bobs := w.admitted(w.from(desk, "bob", "PASSWORD"))
	w.asked(w.from(home, "bob", "").with(bobs), "none")
	w.asked(w.from(home, "", "").with(bobs), "none")
}

func TestPromptWithATicket(t *testing.T) {
	w := newWorld(t)
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	outside := w.admitted(w.from(home, "alice", "PASSWORDCODE"))

	for _, name := range []string{"alice", ""} {
		w.asked(w.from(home, name, "").with(inside), "code")
		w.asked(w.from(desk, name, "").with(inside), "none")
		w.asked(w.from(home, name, "").with(outside), "none")
	}
	for _, name := range []string{"bob", "nobody", "erin"} { // as if there were none
		w.asked(w.from(home, name, "").with(outside), "both")
		w.asked(w.from(desk, name, "").with(outside), "password")
	}
	cards := w.from(home, "alice", "").with(outside)
	cards.Service = "cards"
	w.asked(cards, "both")

	w.time.pass(time.Hour) // only the ticket from outside knows idleness
	w.asked(w.from(home, "alice", "").with(outside), "password")
	w.asked(w.from(home, "", "").with(outside), "password")
	w.end(outside)
	w.asked(w.from(home, "alice", "").with(outside), "both")
	w.asked(w.from(home, "", "").with(outside), "both")
}

// What is asked for is what suffices.
func TestPromptIsEnough(t *testing.T) {
	w := newWorld(t)
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	for _, r := range []Request{w.from(home, "alice", ""), w.from(desk, "alice", ""), w.from(home, "alice", "").with(inside)} {
		p, err := w.Prompt(t.Context(), r)
		w.must(err)
		if p.Password {
			r.Password = []byte(who("alice").password)
		}
		if p.Code {
			r.Code = []byte(w.code("alice", 0))
		}
		if a := w.admit(r); a.Outcome != Admitted {
			t.Errorf("from %v with %+v: %s", r.Source, p, a.Reason)
		}
		w.time.pass(time.Minute)
	}
}
