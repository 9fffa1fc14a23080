package gate

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// binds is a request of a program that signs people in again and again. On
// campus a password is enough for it.
func (w *world) binds(address, user, text string) Request {
	r := w.mail(w.from(address, user, text))
	r.Recurs, r.Source.Shared = true, true
	return r
}

// admissions are the rows of admissions, the oldest first.
func (w *world) admissions() []store.Event {
	w.t.Helper()
	return w.events(store.Search{Outcome: "admitted", After: -1})
}

func (w *world) tickets() int {
	w.t.Helper()
	n := 0
	w.must(w.Store.Tickets(w.t.Context(), 0, w.time.now(), func(store.Ticket, string) error { n++; return nil }))
	return n
}

// again wants the same ticket and reference as before, and no other row.
func (w *world) again(r Request, first Answer, why reason.Code) {
	w.t.Helper()
	rows := len(w.admissions())
	a := w.want(r, Admitted, why)
	if a.Ticket.ID != first.Ticket.ID || a.Ticket.Class != first.Ticket.Class || !a.Ticket.Until.Equal(first.Ticket.Until) ||
		a.Reference != first.Reference || a.Person.ID != first.Person.ID {
		w.t.Errorf("%+v, want as before: %+v", a, first)
	}
	if a.Ticket.Secret != "" {
		w.t.Error("it told the secret again")
	}
	if n := len(w.admissions()); n != rows {
		w.t.Errorf("%d rows, want %d", n, rows)
	}
}

// anew wants a settlement of its own.
func (w *world) anew(r Request, first Answer) Answer {
	w.t.Helper()
	rows := len(w.admissions())
	a := w.admitted(r)
	if a.Ticket.ID == first.Ticket.ID || a.Reference == first.Reference || len(w.admissions()) != rows+1 {
		w.t.Errorf("%+v is not settled", a)
	}
	return a
}

func TestSignInsThatRecurShareARow(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	first := w.admitted(r)
	for range 36 {
		w.time.pass(time.Second)
		w.again(r, first, reason.Admitted)
	}
	if n := w.people.asked(); n != 37 {
		t.Errorf("the password was looked at %d times, want 37", n)
	}
	w.agains.write(t.Context(), w.time.now())
	if n := w.event(first.Reference).Count; n != 1 {
		t.Errorf("counted to %d before the minute was over", n)
	}
	w.time.pass(24 * time.Second)
	w.agains.write(t.Context(), w.time.now())
	if n := w.event(first.Reference).Count; n != 37 {
		t.Errorf("counted to %d, want 37", n)
	}
	if len(w.agains.rows)+len(w.agains.due) != 0 {
		t.Error("something is remembered after the minute")
	}
	second := w.anew(r, first)
	w.again(r, second, reason.Admitted)
	if n := w.tickets(); n != 2 {
		t.Errorf("%d tickets", n)
	}
}

// What can't be counted must not be admitted, though all that it takes to
// judge it is remembered.
func TestNothingComesAgainWhileTheStoreIsAway(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	first := w.admitted(r)
	w.again(r, first, reason.Admitted)
	w.Store.Close()
	w.fails(r, store.ErrClosed)
}

// The row that comes after the minute does not wait for the writing of the
// one before.
func TestRowEndsWithItsMinute(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	first := w.admitted(r)
	w.time.pass(againFor - 1)
	w.again(r, first, reason.Admitted)
	w.time.pass(1)
	second := w.anew(r, first)
	w.again(r, second, reason.Admitted)
	w.Gate.Close()
	for _, a := range []Answer{first, second} {
		if e := w.event(a.Reference); e.Count != 2 || e.Last != e.ID {
			t.Errorf("booked %+v", e)
		}
	}
}

func TestClockThatGoesBackEndsTheRow(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	first := w.admitted(r)
	w.time.jump(-time.Second)
	w.anew(r, first)
}

// Of two that come at once the later may be settled first.
func TestOvertakenSignInSharesTheRow(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	first := w.admitted(r)
	w.time.jump(-time.Millisecond)
	w.again(r, first, reason.Admitted)
}

func TestNothingElseSharesTheRow(t *testing.T) {
	for name, change := range map[string]func(w *world, r *Request){
		"one that does not recur": func(_ *world, r *Request) { r.Recurs = false },
		"another person":          func(w *world, r *Request) { *r = w.binds(desk, "bob", "PASSWORD") },
		"another spelling":        func(_ *world, r *Request) { r.User = "Alice" },
		"another application":     func(_ *world, r *Request) { r.Client = "roundcube" },
		"another service":         func(_ *world, r *Request) { r.Service = "files" },
		"another door":            func(_ *world, r *Request) { r.Door = policy.DoorRADIUS },
		"another address":         func(w *world, r *Request) { r.Source = w.from("192.0.2.11", "", "").Source },
		"another zone":            func(_ *world, r *Request) { r.Zone = "vpn" },
		"a code beside":           func(w *world, r *Request) { r.Password = []byte(w.typed("alice", "PASSWORDCODE")) },
		"a ticket that ended":     func(w *world, _ *Request) { w.revoke() },
		"a new generation":        func(w *world, _ *Request) { w.changePerson("alice", func(*store.Person) {}) },
		"a new password":          func(w *world, r *Request) { w.setPassword("alice", "bob"); r.Password = []byte(who("bob").password) },
		"another rule":            func(w *world, _ *Request) { w.rule(policy.Rule{Name: "other", Need: []policy.Need{{policy.Password}}}) },
		"what a delay ended before": func(w *world, r *Request) {
			wrong := *r
			wrong.Password = []byte("guessed")
			w.refused(wrong, reason.WrongPassword)
			w.time.pass(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.binds(desk, "alice", "PASSWORD")
			first := w.admitted(r)
			w.again(r, first, reason.Admitted)
			change(w, &r)
			w.anew(r, first)
		})
	}
}

// revoke ends the newest ticket.
func (w *world) revoke() {
	w.t.Helper()
	rows := w.admissions()
	w.must(w.Store.EndTicket(w.t.Context(), rows[len(rows)-1].Ticket, w.time.now(), w.change(reason.TicketRevoked)))
}

// setPassword gives name the password of other.
func (w *world) setPassword(name, other string) {
	w.t.Helper()
	w.changePerson(name, func(p *store.Person) { p.Hash = hashes()[other] })
}

func TestUnknownSourcesShareNoRow(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	r.Source, r.Zone = Source{}, "campus"
	w.anew(r, w.admitted(r))
}

func TestPresentedTicketSharesNoRow(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	r = r.with(w.admitted(w.from(desk, "alice", "PASSWORD"))).of("portal")
	first := w.want(r, Admitted, reason.Reused)
	if a := w.want(r, Admitted, reason.Reused); a.Reference == first.Reference {
		t.Error("it has no row of its own")
	}
}

func TestRowGivesNobodyIn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, r *Request)
		why    reason.Code
	}{
		"wrong password":   {func(_ *world, r *Request) { r.Password = []byte("guessed") }, reason.WrongPassword},
		"no password":      {func(_ *world, r *Request) { r.Password = nil }, reason.EmptyPassword},
		"changed password": {func(w *world, _ *Request) { w.setPassword("alice", "bob") }, reason.WrongPassword},
		"disabled": {func(w *world, _ *Request) {
			w.changePerson("alice", func(p *store.Person) { p.Disabled = true })
		}, reason.Disabled},
		"must change": {func(w *world, _ *Request) {
			w.changePerson("alice", func(p *store.Person) { p.MustChange = true })
		}, reason.MustChange},
		"a group that is denied": {func(w *world, _ *Request) {
			w.changePerson("alice", func(p *store.Person) { p.Groups = []string{"blocked"} })
		}, reason.RuleDenies},
		"rules that deny": {func(w *world, _ *Request) { w.rule(policy.Rule{Name: "closed", Deny: true}) }, reason.RuleDenies},
		"delayed": {func(w *world, r *Request) {
			wrong := *r
			wrong.Password = []byte("guessed")
			w.refused(wrong, reason.WrongPassword)
		}, reason.Throttled},
		"changed while it was judged": {func(w *world, _ *Request) {
			w.people.inside = func() {
				w.people.inside = nil
				w.changePerson("alice", func(p *store.Person) { p.Disabled = true })
			}
		}, reason.Changed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.binds(desk, "alice", "PASSWORD")
			w.again(r, w.admitted(r), reason.Admitted)
			c.change(w, &r)
			w.refused(r, c.why)
		})
	}
}

// Else it could be used again elsewhere.
func TestFreshCodeIsAlwaysSettled(t *testing.T) {
	for _, address := range []string{desk, home} {
		w := newWorld(t)
		first := w.admitted(w.binds(address, "alice", "PASSWORDCODE"))
		w.anew(w.binds(address, "alice", "PASSWORDCODE+1"), first)
		w.refused(w.from(home, "alice", "PASSWORDCODE+1"), reason.CodeUsed)
	}
}

// A success after failures is written: else the delay would be back after a
// restart.
func TestSuccessThatEndsADelayIsSettled(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	first := w.admitted(r)
	wrong := r
	wrong.Password = []byte("guessed")
	w.refused(wrong, reason.WrongPassword)
	w.time.pass(time.Second)
	second := w.anew(r, first)
	if left := w.counters(); len(left) != 0 {
		t.Errorf("counters are left: %v", left)
	}
	w.again(r, second, reason.Admitted)
	if n := w.throttle.inWork(); n != 0 {
		t.Errorf("%d guesses are still in work", n)
	}
}

// A program opens many connections at once; that is no guessing.
func TestSixtyFourBindsAtOnceAreAllAdmitted(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	var got counts
	together(64, func(int) { got.add(w.admit(r)) })
	if got.of[string(reason.Admitted)] != 64 {
		t.Errorf("of 64: %v", got.of)
	}
	w.Gate.Close()
	// The first is of a source that was not known, and is written.
	total := 0
	for _, e := range w.admissions() {
		total += e.Count
	}
	if n := w.tickets(); total != 64 || n != 1 {
		t.Errorf("counted to %d on %d tickets", total, n)
	}
}

func TestRowsThatCountAreBounded(t *testing.T) {
	w := newWorld(t)
	w.agains.rows = make(map[admission]*again)
	for i := range againKept {
		w.agains.rows[admission{generation: int64(-1 - i)}] = &again{since: w.time.now()}
	}
	r := w.binds(desk, "alice", "PASSWORD")
	w.anew(r, w.admitted(r))
	if n := len(w.agains.rows); n != againKept {
		t.Errorf("%d rows", n)
	}
	w.time.pass(againFor)
	w.agains.write(t.Context(), w.time.now())
	w.again(r, w.admitted(r), reason.Admitted)
}

func TestCountThatCantBeWrittenIsKept(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&log, nil))
	r := w.binds(desk, "alice", "PASSWORD")
	first := w.admitted(r)
	w.again(r, first, reason.Admitted)
	id := w.event(first.Reference).ID
	w.must(w.Store.Close())
	w.agains.write(context.Background(), time.Time{})
	if w.agains.due[id] != 2 || !strings.Contains(log.String(), "not counted") {
		t.Errorf("due %v, logged %q", w.agains.due, &log)
	}
}

func TestAgainWithoutAStore(t *testing.T) {
	w := newWorld(t)
	r := w.binds(desk, "alice", "PASSWORD")
	w.again(r, w.admitted(r), reason.Admitted)
	w.must(w.Store.Close())
	w.time.pass(againFor)
	w.fails(r, store.ErrClosed)
}

// In the way of IMAP: one password with one code, all day.
func TestTwoHundredBindsWithOneCode(t *testing.T) {
	w := newWorld(t)
	r := w.binds(home, "alice", "PASSWORDCODE")
	first := w.admitted(r)
	for range 200 {
		w.time.pass(3 * time.Second)
		if a := w.repeated(r); a.Ticket.Class != first.Ticket.Class {
			t.Fatalf("Class %q, first %q", a.Ticket.Class, first.Ticket.Class)
		}
	}
	w.Gate.Close()
	rows, total := w.admissions(), 0
	for _, e := range rows {
		total += e.Count
	}
	if total != 201 || len(rows) > 12 || w.tickets() != 1 {
		t.Errorf("%d binds in %d rows on %d tickets", total, len(rows), w.tickets())
	}
	if n := w.people.asked(); n != 201 {
		t.Errorf("the password was looked at %d times", n)
	}
	w.time.pass(time.Second) // ten minutes are over
	w.refused(r, reason.WrongCode)
}

// Idle counts from the last answer, of whatever row, and to the microsecond.
func TestIdleCountsFromTheLastBind(t *testing.T) {
	const idle = 2 * time.Minute
	for name, restart := range map[string]bool{"remembered": false, "after a restart": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.binds(home, "alice", "PASSWORDCODE")
			w.admitted(r)
			again := w.repeated(r)
			w.time.pass(59 * time.Second)
			w.again(r, again, reason.Repeated)
			if restart {
				w.restart()
			}
			w.time.pass(idle)
			again = w.repeated(r)
			w.time.pass(30 * time.Second)
			w.again(r, again, reason.Repeated)
			w.time.pass(idle + time.Microsecond)
			w.refused(r, reason.WrongCode)
		})
	}
}

// A connection that stays open uses the ticket. That lengthens no repeat.
func TestIdleCountsAnswersNotUses(t *testing.T) {
	w := newWorld(t)
	r := w.binds(home, "alice", "PASSWORDCODE")
	id := w.admitted(r).Ticket.ID
	for range 4 {
		w.time.pass(30 * time.Second)
		if ok, err := w.Live(t.Context(), id); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	w.time.pass(time.Microsecond)
	w.refused(r, reason.CodeUsed)
}

func TestBoundedRepeatsAreSettledEach(t *testing.T) {
	w := newWorld(t)
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	r.Recurs = true
	w.admitted(r)
	w.repeated(r)
	w.repeated(r)
	w.refused(r, reason.CodeUsed)
}

func TestBindWithACodeThatIsNoRepeat(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, r *Request)
		why    reason.Code
	}{
		"another application":       {func(_ *world, r *Request) { r.Client = "roundcube" }, reason.CodeUsed},
		"another address":           {func(w *world, r *Request) { r.Source = w.from(cafe, "", "").Source }, reason.CodeUsed},
		"unknown address":           {func(_ *world, r *Request) { r.Source = Source{} }, reason.CodeUsed},
		"another service":           {func(_ *world, r *Request) { r.Service = "files" }, reason.CodeUsed},
		"another password":          {func(w *world, r *Request) { r.Password = []byte(w.typed("alice", "guessedCODE")) }, reason.WrongPassword},
		"a changed password":        {func(w *world, _ *Request) { w.setPassword("alice", "bob") }, reason.WrongPassword},
		"an account disabled":       {func(w *world, _ *Request) { w.changePerson("alice", func(p *store.Person) { p.Disabled = true }) }, reason.Disabled},
		"a generation later":        {func(w *world, _ *Request) { w.changePerson("alice", func(*store.Person) {}) }, reason.CodeUsed},
		"a ticket that was revoked": {func(w *world, _ *Request) { w.revoke() }, reason.CodeUsed},
		"a new device":              {func(w *world, _ *Request) { w.newDevice("alice") }, reason.WrongCode},
		"no device any more": {func(w *world, _ *Request) {
			_, err := w.Store.RemoveTokens(w.t.Context(), "alice", w.change(reason.OTPReset))
			w.must(err)
		}, reason.NoDevice},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.binds(home, "alice", "PASSWORDCODE")
			w.admitted(r)
			w.again(r, w.repeated(r), reason.Repeated)
			c.change(w, &r)
			w.refused(r, c.why)
		})
	}
}

// newDevice replaces the person's devices by one that shows other codes.
func (w *world) newDevice(name string) {
	w.t.Helper()
	row := store.Token{Kind: "totp", Label: "new", Digits: 6, Period: 30, Algorithm: "SHA1", Created: w.time.now(), Step: -1}
	_, err := w.Store.AddToken(w.t.Context(), w.account(name).Person, row, true, func(t store.Token) []byte {
		return w.Ring.Seal(otp.Purpose, keyring.Row{Person: t.Person, ID: t.ID, Version: t.Version}, []byte("12345678901234567890"))
	}, w.change(reason.OTPEnrolled))
	w.must(err)
}
