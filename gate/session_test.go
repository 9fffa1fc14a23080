package gate

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

func (w *world) personOf(name string) Person { return personOf(w.account(name)) }

func (w *world) sessions(name string) []Session {
	w.t.Helper()
	list, err := w.Sessions(w.t.Context(), w.account(name).ID)
	w.must(err)
	return list
}

// ids wants these tickets, newest first.
func (w *world) ids(name string, want ...Answer) {
	w.t.Helper()
	list := w.sessions(name)
	if len(list) != len(want) {
		w.t.Fatalf("%s has %d sessions, want %d", name, len(list), len(want))
	}
	for i := range list {
		if list[i].ID != want[i].Ticket.ID {
			w.t.Errorf("session %d of %s is %s, want %s", i, name, list[i].ID, want[i].Ticket.ID)
		}
	}
}

func (w *world) lives(a Answer, want bool) {
	w.t.Helper()
	lives, err := w.Live(w.t.Context(), a.Ticket.ID)
	w.must(err)
	if lives != want {
		w.t.Errorf("ticket %s lives: %v, want %v", a.Ticket.ID, lives, want)
	}
}

// continues signs alice in to the portal by her VPN's ticket.
func (w *world) continues(vpn Answer) Answer {
	w.t.Helper()
	return w.want(w.from(home, "alice", "").with(vpn).of("ssl-vpn"), Admitted, reason.Reused)
}

func (r Request) at(service string) Request {
	r.Service = service
	return r
}

// goesOn signs alice in to a service by the portal's ticket.
func (w *world) goesOn(service, address string, portal Answer) Answer {
	w.t.Helper()
	return w.want(w.holding(address, portal).at(service).of("portal").by("alice"), Admitted, reason.Reused)
}

func (r Request) by(user string) Request {
	r.User = user
	return r
}

// stepUp shows the code besides a ticket.
func (w *world) stepUp(address string, a Answer) Answer {
	w.t.Helper()
	r := w.holding(address, a).by("alice")
	r.Code = []byte(w.code("alice", 0))
	return w.admitted(r)
}

func TestSessionsAreThePersonsOwn(t *testing.T) {
	w := newWorld(t)
	vpn := w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE")))
	w.admitted(w.from(desk, "bob", "PASSWORD"))
	w.time.pass(time.Minute)
	web := w.continues(vpn)
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.ids("alice", inside, web, vpn)
	w.ids("frank")

	w.time.pass(time.Minute)
	w.worth(w.holding(home, web), policy.Allow)
	factors := []policy.Factor{policy.Password, policy.OTP}
	got, want := w.sessions("alice")[1:], []Session{
		{ID: web.Ticket.ID, Parent: vpn.Ticket.ID, Door: "web", Service: "portal", Client: "web1", Zone: policy.OffCampus,
			Factors: factors, Since: begin.Add(time.Minute), Used: begin.Add(2 * time.Minute), Until: vpn.Ticket.Until},
		{ID: vpn.Ticket.ID, Door: "radius", Service: "ssl-vpn", Client: "vpn1", Zone: policy.OffCampus,
			Factors: factors, Since: begin, Used: begin.Add(2 * time.Minute), Until: vpn.Ticket.Until},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sessions\n%+v, want\n%+v", got, want)
	}
	w.time.pass(time.Hour)
	w.ids("alice", inside)
}

// A session that could be idle for longer than what it rests on.
func TestSessionsDoNotOutliveTheirParent(t *testing.T) {
	w := newWorld(t)
	parent := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	child := w.presents(desk, "alice", parent)
	w.ids("alice", child, parent)
	w.time.pass(time.Hour)
	w.ids("alice")
	w.lives(child, false)
}

func TestEndSessionEndsWhatRestsOnIt(t *testing.T) {
	w := newWorld(t)
	other := w.admitted(w.from(desk, "alice", "PASSWORD"))
	first := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	child := w.goesOn("mail", home, first)
	w.lives(child, true)
	for i, why := range []Fault{reason.SignedOut, reason.SessionEnded} {
		ending := []Answer{child, first}[i]
		w.must(w.EndSession(t.Context(), w.from(cafe, "", "PASSWORD"), w.personOf("alice"), ending.Ticket.ID, why))
		w.lives(ending, false)
		id, err := w.Store.ParseTicket(ending.Ticket.ID)
		w.must(err)
		e := w.events(store.Search{Reason: string(why)})
		if len(e) != 1 || e[0].Outcome != "done" || e[0].Name != "alice" || e[0].Typed != "alice" || e[0].Person != w.account("alice").ID ||
			e[0].Ticket != id || e[0].Door != "web" || e[0].Client != "web1" || e[0].Service != "portal" || e[0].Source != cafe ||
			e[0].How != "socket" || !e[0].At.Equal(w.time.now()) {
			t.Errorf("booked %+v", e)
		}
	}
	w.nobody(w.holding(home, child).at("mail"))
	w.ids("alice", other)

	vpn := w.admitted(w.from(home, "alice", "PASSWORDCODE+1"))
	web := w.presents(home, "alice", vpn)
	w.must(w.EndSession(t.Context(), w.from(home, "", ""), w.personOf("alice"), vpn.Ticket.ID, "no reason at all"))
	w.lives(web, false)
	if e := w.events(store.Search{})[0]; e.Reason != string(reason.SessionEnded) {
		t.Errorf("booked %+v", e)
	}
}

func TestAnothersSessionCannotBeEnded(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	before := len(w.events(store.Search{}))
	end := func(name, id string) {
		t.Helper()
		err := w.EndSession(t.Context(), w.from(home, "", ""), w.personOf(name), id, reason.SessionEnded)
		if !errors.Is(err, ErrNoSession) {
			t.Errorf("%s ended %q: %v", name, id, err)
		}
	}
	end("bob", a.Ticket.ID)
	for _, id := range []string{"", "T", "7F3K-92QD", w.Store.TicketName(999), string(a.Ticket.Secret), a.Ticket.Class} {
		end("alice", id)
	}
	w.lives(a, true)
	if n := len(w.events(store.Search{})); n != before {
		t.Errorf("%d events were booked", n-before)
	}
	w.end(a)
	end("alice", a.Ticket.ID) // again
}

func TestSignOutEverywhere(t *testing.T) {
	w := newWorld(t)
	bobs := w.admitted(w.from(desk, "bob", "PASSWORD"))
	tickets := []Answer{w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE"))), w.admitted(w.from(desk, "alice", "PASSWORD"))}
	tickets = append(tickets, w.continues(tickets[0]))
	n, err := w.SignOut(t.Context(), w.from(home, "", ""), w.personOf("alice"))
	w.must(err)
	if n != len(tickets) {
		t.Errorf("%d tickets ended, want %d", n, len(tickets))
	}
	for _, a := range tickets {
		w.lives(a, false)
		w.nobody(w.holding(desk, a))
	}
	w.lives(bobs, true)
	w.ids("alice")
	e := w.events(store.Search{Reason: string(reason.SignedOutAll)})
	if len(e) != 1 || e[0].Outcome != "done" || e[0].Name != "alice" || e[0].Typed != "alice" || e[0].Detail != fmt.Sprint("tickets ", n) ||
		e[0].Client != "web1" || e[0].Source != home {
		t.Errorf("booked %+v", e)
	}
	w.time.pass(time.Minute)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
}

// Whoever has the name of somebody whose row is gone is not this person.
func TestSignOutOfAnotherOfThatName(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	p := w.personOf("alice")
	p.ID = 77
	if _, err := w.SignOut(t.Context(), w.from(home, "", ""), p); !errors.Is(err, ErrNoSession) {
		t.Errorf("error %v", err)
	}
	w.lives(a, true)
}

func TestLive(t *testing.T) {
	for name, kill := range map[string]func(w *world, parent, child *Answer){
		"expired":      func(w *world, _, _ *Answer) { w.time.pass(11 * time.Hour) },
		"idle":         func(w *world, _, _ *Answer) { w.time.pass(time.Hour) },
		"ended":        func(w *world, _, child *Answer) { w.end(*child) },
		"parent ended": func(w *world, parent, _ *Answer) { w.end(*parent) },
		"changed password": func(w *world, _, _ *Answer) {
			w.changePerson("alice", func(p *store.Person) { p.Hash = hashes()["bob"] })
		},
		"disabled": func(w *world, _, _ *Answer) { w.changePerson("alice", func(p *store.Person) { p.Disabled = true }) },
		"unknown":  func(w *world, _, child *Answer) { child.Ticket.ID = w.Store.TicketName(999) },
		"none":     func(_ *world, _, child *Answer) { child.Ticket.ID = "" },
		"secret":   func(_ *world, _, child *Answer) { child.Ticket.ID = string(child.Ticket.Secret) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			parent := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
			child := w.presents(home, "alice", parent)
			w.lives(child, true)
			kill(w, &parent, &child)
			w.lives(child, false)
		})
	}
}

func TestLiveCountsAsUse(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	for range 5 {
		w.time.pass(50 * time.Minute)
		w.lives(a, true)
	}
}

// A step-up is of one sign-in with what it rests on: of whichever is known,
// all end, and the services with them.
func TestEndOfAStepUpEndsTheSignInBelowIt(t *testing.T) {
	w := newWorld(t)
	vpn := w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE-1")))
	first := w.admitted(w.from(desk, "alice", "PASSWORD"))
	wiki := w.goesOn("wiki", desk, first)
	second := w.stepUp(home, first)
	w.must(w.EndSession(t.Context(), w.from(desk, "", ""), w.personOf("alice"), second.Ticket.ID, reason.SignedOut))
	w.lives(first, false)
	w.lives(wiki, false)
	w.lives(vpn, true)
}

func TestEndOfASignInLeavesTheVPNThatItRestsOn(t *testing.T) {
	for _, service := range []string{"ssl-vpn", "portal"} { // whatever the rules call it
		w := newWorld(t)
		vpn := w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE")).at(service))
		web := w.want(w.holding(home, vpn).of(service).by("alice"), Admitted, reason.Reused)
		w.must(w.EndSession(t.Context(), w.from(desk, "", ""), w.personOf("alice"), web.Ticket.ID, reason.SignedOut))
		w.lives(web, false)
		w.lives(vpn, true)
	}
}

// Whoever is signed out of a browser is so even if the browser's own ticket
// is over: what it rests on, and the services, may not be.
func TestBeganTellsOfATicketThatIsOver(t *testing.T) {
	for name, over := range map[string]func(*world, Answer){
		"live":     func(*world, Answer) {},
		"ended":    func(w *world, second Answer) { w.end(second) },
		"idle":     func(w *world, _ Answer) { w.time.pass(2 * time.Hour) },
		"disabled": func(w *world, _ Answer) { w.changePerson("alice", func(p *store.Person) { p.Disabled = true }) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first := w.admitted(w.from(desk, "alice", "PASSWORD"))
			second := w.stepUp(home, first)
			over(w, second)
			p, id, err := w.Began(t.Context(), w.holding(cafe, second))
			if err != nil || p.Name != "alice" || p.ID != w.account("alice").ID || id != first.Ticket.ID {
				t.Errorf("%+v, %s, %v; want alice, %s", p, id, err, first.Ticket.ID)
			}
		})
	}
}

func TestBeganNeedsTheSecretOfTheRightService(t *testing.T) {
	w := newWorld(t)
	first := w.admitted(w.from(desk, "alice", "PASSWORD"))
	mail := w.goesOn("mail", desk, first)
	none := w.holding(desk, first)
	none.TicketSecret = ""
	for _, r := range []Request{none, w.holding(desk, mail), w.holding(desk, first).at("mail"), w.holding(desk, Answer{Ticket: Ticket{Secret: Secret(first.Ticket.ID)}})} {
		if p, id, err := w.Began(t.Context(), r); err != nil || p.ID != 0 || id != "" {
			t.Errorf("%+v, %s, %v", p, id, err)
		}
	}
	failed := errors.New("broken")
	w.people.fail(failed)
	if _, _, err := w.Began(t.Context(), w.holding(desk, first)); !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
}
