package gate

import (
	"strings"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// with presents the ticket of an earlier answer.
func (r Request) with(a Answer) Request {
	r.TicketSecret = string(a.Ticket.Secret)
	return r
}

// of says which service the presented ticket has to be for.
func (r Request) of(service string) Request {
	r.TicketOf = service
	return r
}

// presents wants the ticket alone to suffice.
func (w *world) presents(address, user string, a Answer) Answer {
	w.t.Helper()
	return w.want(w.from(address, user, "").with(a), Admitted, reason.Reused)
}

func TestLiveTicketIsNeverLookedUpByName(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.refused(w.from(home, "alice", "PASSWORD"), reason.CodeMissing)
}

func TestPresentedTicketIsReused(t *testing.T) {
	w := newWorld(t)
	first := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.pass(30 * time.Minute)
	second := w.presents(cafe, "alice", first)
	if second.Ticket.ID == first.Ticket.ID || second.Ticket.Secret == first.Ticket.Secret {
		t.Error("a reuse gave the same ticket")
	}
	if n := w.people.asked(); n != 1 {
		t.Errorf("the password was looked at %d times", n)
	}
	if e := w.event(second.Reference); e.Factors != "password+otp" {
		t.Errorf("booked as %+v", e)
	}
}

// The age of a factor counts from the moment it was shown, whatever number of
// tickets it was handed on by.
func TestAgeCountsFromTheFactor(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	for range 10 { // to 7 h 30 min
		w.time.pass(45 * time.Minute)
		a = w.presents(home, "alice", a)
	}
	w.time.pass(30 * time.Minute)
	a = w.presents(home, "alice", a)
	w.time.pass(time.Second)
	w.refused(w.from(home, "alice", "").with(a), reason.EmptyPassword)
}

// A child ends when its parent does: no chain of reuses outlives the sign-in
// that it began with.
func TestReusedTicketEndsWithItsParent(t *testing.T) {
	w := newWorld(t)
	first := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.pass(50 * time.Minute)
	second := w.presents(home, "alice", first)
	if !second.Ticket.Until.Equal(first.Ticket.Until) {
		t.Errorf("the child lives until %v, the parent until %v", second.Ticket.Until, first.Ticket.Until)
	}
	id, err := w.Store.ParseTicket(first.Ticket.ID)
	w.must(err)
	w.must(w.Store.EndTicket(t.Context(), id, w.time.now(), w.change(reason.TicketRevoked)))
	w.refused(w.from(home, "alice", "").with(second), reason.EmptyPassword)
}

// Where everything was shown anew nothing rests on the presented ticket.
func TestFreshSignInOwesNothingToAnOldTicket(t *testing.T) {
	w := newWorld(t)
	old := w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.time.pass(9 * time.Hour) // too old for outside
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE").with(old))
	if want := w.time.now().Add(10 * time.Hour); !a.Ticket.Until.Equal(want) {
		t.Errorf("lives until %v, want %v", a.Ticket.Until, want)
	}
}

func TestStrangersTicketLendsNothing(t *testing.T) {
	w := newWorld(t)
	alices := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.refused(w.from(home, "bob", "").with(alices), reason.EmptyPassword)
	w.refused(w.from(home, "bob", "PASSWORD").with(alices), reason.CodeMissing)
	w.refused(w.from(home, "nobody", "").with(alices), reason.EmptyPassword)
	w.refused(w.from(home, "erin", "").with(alices), reason.EmptyPassword)
}

func TestDeadTicketsLendNothing(t *testing.T) {
	for name, kill := range map[string]func(w *world, a *Answer){
		"idle":    func(w *world, _ *Answer) { w.time.pass(time.Hour) },
		"expired": func(w *world, _ *Answer) { w.time.pass(11 * time.Hour) },
		"ended": func(w *world, a *Answer) {
			id, err := w.Store.ParseTicket(a.Ticket.ID)
			w.must(err)
			w.must(w.Store.EndTicket(t.Context(), id, w.time.now(), w.change(reason.TicketRevoked)))
		},
		"other generation": func(w *world, _ *Answer) {
			w.changePerson("alice", func(p *store.Person) { p.Groups = []string{"staff"} })
		},
		"device removed": func(w *world, _ *Answer) {
			_, err := w.Store.RemoveTokens(t.Context(), "alice", w.change(reason.OTPReset))
			w.must(err)
		},
		"disabled":       func(w *world, _ *Answer) { w.changePerson("alice", func(p *store.Person) { p.Disabled = true }) },
		"public ID":      func(_ *world, a *Answer) { a.Ticket.Secret = Secret(a.Ticket.ID) },
		"class":          func(_ *world, a *Answer) { a.Ticket.Secret = Secret(a.Ticket.Class) },
		"another secret": func(_ *world, a *Answer) { a.Ticket.Secret = a.Ticket.Secret[:20] + "AAAA" + a.Ticket.Secret[24:] },
		"another ticket": func(_ *world, a *Answer) { a.Ticket.Secret = "AAAAAAAAACo" + a.Ticket.Secret[11:] },
		"bad id":         func(_ *world, a *Answer) { a.Ticket.Secret = "!" + a.Ticket.Secret[1:] },
		"bad secret":     func(_ *world, a *Answer) { a.Ticket.Secret = a.Ticket.Secret[:53] + "!" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
			kill(w, &a)
			w.refused(w.from(home, "alice", "").with(a), reason.EmptyPassword)
		})
	}
}

// Inside the ticket of a password suffices; outside only the code is asked.
func TestTicketFromInsideIsAPasswordOutside(t *testing.T) {
	w := newWorld(t)
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.presents(desk, "alice", inside)
	asked := w.people.asked()
	w.refused(w.from(home, "alice", "").with(inside), reason.CodeMissing)

	onlyCode := w.from(home, "alice", "").with(inside)
	onlyCode.Code = []byte("000000")
	w.refused(onlyCode, reason.WrongCode)
	w.time.pass(2 * time.Second)
	onlyCode.Code = []byte(w.code("alice", 0))
	stepped := w.admitted(onlyCode)
	if e := w.event(stepped.Reference); e.Factors != "password+otp" {
		t.Errorf("booked as %+v", e)
	}
	if got, most := stepped.Ticket.Until, inside.Ticket.Until; got.After(most) {
		t.Errorf("lives until %v, the password's ticket until %v", got, most)
	}
	if a := w.refused(onlyCode, reason.CodeUsed); !strings.Contains(a.Message, "already used") {
		t.Errorf("told %q", a.Message)
	}
	w.time.pass(30 * time.Second)
	w.admitted(w.from(home, "alice", "CODE").with(inside)) // in the one field
	if n := w.people.asked(); n != asked {
		t.Errorf("the password was looked at %d times", n-asked)
	}
}

// A password that was typed is judged, even where a ticket lent one.
func TestTypedPasswordIsJudgedBesideATicket(t *testing.T) {
	w := newWorld(t)
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.refused(w.from(home, "alice", "guessedCODE").with(inside), reason.WrongPassword)
	w.time.pass(time.Second)
	w.admitted(w.from(home, "alice", "PASSWORDCODE").with(inside))
}

func TestTicketLendsNoMoreThanItProves(t *testing.T) {
	w := newWorld(t)
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	reused := w.presents("198.51.100.4", "alice", inside)
	w.refused(w.from(home, "alice", "PASSWORD").with(reused), reason.CodeMissing)
}

func TestClassIsBoundToTheClient(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE")))
	id, err := w.Store.ParseTicket(a.Ticket.ID)
	w.must(err)
	if len(a.Ticket.Class) > 40 || !strings.HasPrefix(a.Ticket.Class, "sk1.") {
		t.Errorf("Class %q", a.Ticket.Class)
	}
	class := func(id int64, client string) string { return w.class(id, w.Store.TicketName(id), client) }
	if a.Ticket.Class != class(id, "vpn1") || a.Ticket.Class == class(id, "vpn2") || a.Ticket.Class == class(id+1, "vpn1") {
		t.Error("the Class fits another client or ticket")
	}
}

// A service sees its own ticket, and could carry it elsewhere.
func TestTicketOfAServiceIsNobodysAnywhereElse(t *testing.T) {
	w := newWorld(t)
	portal := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	mail := w.goesOn("mail", home, portal)
	w.worth(w.holding(home, mail).at("mail"), policy.Allow)
	for name, r := range map[string]Request{
		"sign-in page":              w.holding(home, mail),
		"another service":           w.holding(home, mail).at("wiki"),
		"another, as a sign-in":     w.holding(home, mail).at("wiki").of("portal"),
		"its service, as a sign-in": w.holding(home, mail).at("mail").of("portal"),
	} {
		w.nobody(r)
		if a := w.admit(r.by("alice")); a.Outcome != Refused || a.Reason != string(reason.EmptyPassword) {
			t.Errorf("%s: %v, %s", name, a.Outcome, a.Reason)
		}
		w.asked(r.by("alice"), "both")
	}
	// Nor is the sign-in's own ticket one for a service.
	w.nobody(w.holding(home, portal).at("mail"))
}

// Somebody signs in on the way to a service, by its rules; the ticket is for
// the sign-in page, and the book tells by which rules.
func TestSignInOnTheWayToAServiceOpensTheSignInPage(t *testing.T) {
	w := newWorld(t)
	r := w.from(home, "alice", "PASSWORDCODE").at("mail")
	r.Opens = "portal"
	a := w.admitted(r)
	w.worth(w.holding(home, a), policy.Allow)
	w.nobody(w.holding(home, a).at("mail"))
	w.goesOn("mail", home, a)
	if e := w.event(a.Reference); e.Service != "mail" || e.Rule != "mail" {
		t.Errorf("booked %+v", e)
	}
}
