package gate

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// vpn asks as a NAS does, at the door where three answers in 15 s are the
// default.
func (w *world) vpn(r Request) Request {
	r.Door, r.Service, r.Client = policy.DoorRADIUS, "ssl-vpn", "vpn1"
	return r
}

func (w *world) mail(r Request) Request {
	r.Door, r.Service, r.Client = policy.DoorLDAP, "mail", "dovecot"
	return r
}

func (w *world) repeated(r Request) Answer {
	w.t.Helper()
	return w.want(r, Admitted, reason.Repeated)
}

func TestThreeAnswersAndNoMore(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	first := w.admitted(r)
	for range 2 {
		again := w.repeated(r)
		if again.Ticket.ID != first.Ticket.ID || again.Ticket.Class != first.Ticket.Class || !again.Ticket.Until.Equal(first.Ticket.Until) {
			t.Errorf("repeated as %+v, first %+v", again.Ticket, first.Ticket)
		}
		if again.Ticket.Secret != "" {
			t.Error("a repeat told the secret again")
		}
	}
	w.refused(r, reason.CodeUsed)
}

func TestSixtyFourAtOnceFromOneSource(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	r.Source = Source{Label: "02-00-5e-00-53-01", How: "calling-station-id"}
	var got counts
	answers := make([]Answer, 64)
	together(len(answers), func(i int) {
		answers[i] = w.admit(r)
		got.add(answers[i])
	})
	refused := got.of[string(reason.CodeUsed)] + got.of[string(reason.Throttled)]
	if admitted, repeated := got.of[string(reason.Admitted)], got.of[string(reason.Repeated)]; admitted != 1 || repeated > 2 || admitted+repeated+refused != 64 {
		t.Errorf("of 64: %v", got.of)
	}
	tickets := make(map[[2]string]bool)
	for _, a := range answers {
		if a.Outcome == Admitted {
			tickets[[2]string{a.Ticket.ID, a.Ticket.Class}] = true
		}
	}
	if len(tickets) != 1 {
		t.Errorf("%d tickets: %v", len(tickets), tickets)
	}
	if len(w.joins.in) != 0 {
		t.Errorf("%d joins are left", len(w.joins.in))
	}
}

// A few wait for the one in work. More would keep a worker each of the door's,
// for as long as somebody sends the same again.
func TestSixthEqualAttemptWaitsForNobody(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	const few = 1 + waiters
	inside, proceed := make(chan struct{}, 2*few), make(chan struct{})
	w.people.inside = func() { inside <- struct{}{}; <-proceed }
	var done sync.WaitGroup
	for range few {
		done.Go(func() { w.admit(r) })
	}
	<-inside
	for in := 0; in < few; {
		runtime.Gosched()
		w.joins.mu.Lock()
		for _, j := range w.joins.in {
			in = j.in
		}
		w.joins.mu.Unlock()
	}
	if n := len(inside); n != 0 {
		t.Errorf("%d of the few did not wait", n)
	}
	done.Go(func() { w.admit(r) })
	<-inside
	close(proceed)
	done.Wait()
	if len(w.joins.in) != 0 {
		t.Errorf("%d joins are left", len(w.joins.in))
	}
}

func TestNoRepeat(t *testing.T) {
	for name, change := range map[string]func(w *world, r *Request){
		"another client":  func(_ *world, r *Request) { r.Client = "vpn2" },
		"another service": func(_ *world, r *Request) { r.Service = "ssh" },
		"another source":  func(w *world, r *Request) { r.Source = w.from(cafe, "alice", "").Source },
		"unknown source":  func(_ *world, r *Request) { r.Source = Source{} },
		"a door without":  func(_ *world, r *Request) { r.Door = policy.DoorWeb },
		"too late":        func(w *world, _ *Request) { w.time.pass(15*time.Second + 1) },
		"step before":     func(w *world, r *Request) { r.Password = []byte(w.typed("alice", "PASSWORDCODE-1")) },
		"ticket ended": func(w *world, _ *Request) {
			w.must(w.Store.EndTicket(t.Context(), w.account("alice").Tokens[0].Ticket, w.time.now(), w.change(reason.TicketRevoked)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
			w.admitted(r)
			change(w, &r)
			w.refused(r, reason.CodeUsed)
		})
	}
}

// A RADIUS client and an LDAP application may have the same name.
func TestAnotherDoorIsNoRepeat(t *testing.T) {
	w := newWorld(t)
	r := w.mail(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	w.repeated(r)
	r.Door = policy.DoorRADIUS
	w.refused(r, reason.CodeUsed)
}

// A ticket that was not used for too long has ended for whoever holds it; a
// code from before must not give it back to them.
func TestRepeatDoesNotReviveALapsedTicket(t *testing.T) {
	w := newWorld(t)
	w.rule(policy.Rule{Name: "mail", Need: []policy.Need{policy.ParseNeed("password+otp")}, Ticket: 10 * time.Hour, Idle: time.Minute,
		Repeat: &policy.Repeat{Idle: 5 * time.Minute, Max: 10 * time.Minute}})
	r := w.mail(w.from(home, "alice", "PASSWORDCODE"))
	first := w.admitted(r)
	w.time.pass(time.Minute - 1)
	w.repeated(r)
	w.time.pass(time.Minute)
	w.lives(first, false)
	w.refused(r, reason.CodeUsed)
	w.lives(first, false)
}

// The first from an unknown source has no repeat either, whoever asks next.
func TestUnknownSourcesNeverRepeat(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	r.Source = Source{}
	w.admitted(r)
	w.refused(r, reason.CodeUsed)
}

func TestAnotherPersonIsNoRepeat(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE")))
	r := w.vpn(w.from(home, "heidi", "PASSWORD"))
	r.Password = append(r.Password, w.code("alice", 0)...)
	w.refused(r, reason.WrongCode)
}

func TestRepeatEndsWhenIdle(t *testing.T) {
	w := newWorld(t)
	r := w.mail(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	w.time.pass(2 * time.Minute)
	w.repeated(r)
	w.time.pass(2 * time.Minute)
	w.repeated(r)
	w.time.pass(2*time.Minute + 1)
	w.refused(r, reason.WrongCode) // too old to be told from any other
}

// A match reaches five minutes back, a repeat as long as the rule says.
func TestRepeatOutlastsTheMatch(t *testing.T) {
	w := newWorld(t)
	r := w.mail(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	for range 8 {
		w.time.pass(time.Minute)
		w.repeated(r)
	}
	asked := w.people.asked()
	other := r
	other.Client = "mutt"
	w.refused(other, reason.WrongCode)
	if n := w.people.asked(); n != asked {
		t.Error("the password was looked at behind a code that nothing allows to repeat")
	}
	w.time.pass(time.Second)
	w.repeated(r)
	wrong := w.mail(w.from(home, "alice", "guessed"))
	wrong.Password = append(wrong.Password, r.Password[len(r.Password)-6:]...)
	w.refused(wrong, reason.WrongPassword)
}

// Inside it is cut off for as long as it is the last one, and counts for
// nothing.
func TestAcceptedCodeIsCutOffInside(t *testing.T) {
	w := newWorld(t)
	r := w.from(desk, "alice", "PASSWORDCODE")
	w.admitted(r)
	w.time.pass(3 * time.Hour)
	if a := w.admitted(r); w.event(a.Reference).Factors != "password" {
		t.Error("an old code counted")
	}
}

func TestRepeatEndsAtItsMaximum(t *testing.T) {
	w := newWorld(t)
	r := w.mail(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	for range 10 {
		w.time.pass(time.Minute)
		w.repeated(r)
	}
	w.time.pass(time.Microsecond)
	w.refused(r, reason.WrongCode)
}

func TestRepeatChecksThePasswordEachTime(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	w.repeated(r)
	if n := w.people.asked(); n != 2 {
		t.Errorf("the password was looked at %d times, want 2", n)
	}
	w.refused(w.vpn(w.from(home, "alice", "guessedCODE")), reason.WrongPassword)
}

func TestChangedPasswordEndsTheRepeat(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	w.changePerson("alice", func(p *store.Person) { p.Previous, p.Hash = p.Hash, hashes()["bob"] })
	w.refused(r, reason.WrongPassword)
	w.time.pass(time.Second)
	w.refused(w.vpn(w.from(home, "alice", "battery stapleCODE")), reason.CodeUsed)
}

func TestDisabledAccountEndsTheRepeat(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	w.admitted(r)
	w.changePerson("alice", func(p *store.Person) { p.Disabled = true })
	w.refused(r, reason.Disabled)
}

func TestRepeatAfterARestart(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	first := w.admitted(r)
	w.restart()
	if again := w.repeated(r); again.Ticket.Class != first.Ticket.Class {
		t.Errorf("Class %q, then %q", first.Ticket.Class, again.Ticket.Class)
	}
}
