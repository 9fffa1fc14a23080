package gate

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

var tunnel = prefixes("198.51.100.0/24", "2001:db8:50::/48")

const (
	inside4 = "198.51.100.7"
	other4  = "198.51.100.8"
	inside6 = "2001:db8:50:7::/64"
)

// dial signs in to the VPN from home, with the code behind the password.
func (w *world) dial(name string) Answer {
	w.t.Helper()
	return w.admitted(w.vpn(w.from(home, name, "PASSWORDCODE")))
}

// record is what the NAS tells now of somebody who dialled from home.
func (w *world) acct(name string, status AccountingStatus, change ...func(*Accounting)) Accounting {
	a := Accounting{
		Client: "vpn1", Service: "ssl-vpn", Tunnel: tunnel, Status: status, NAS: "nas1", Session: "s-" + name, User: name,
		Source: Source{Addr: netip.MustParseAddr(home), How: "calling-station-id"},
		Event:  w.time.now(), Came: w.time.now(),
	}
	for _, c := range change {
		c(&a)
	}
	return a
}

func class(a Answer) func(*Accounting) {
	return func(r *Accounting) { r.Class = append(r.Class, a.Ticket.Class) }
}

func at(addresses ...string) func(*Accounting) {
	return func(r *Accounting) {
		for _, text := range addresses {
			if a, err := netip.ParseAddr(text); err == nil {
				r.Address4 = a
			} else {
				r.Address6 = netip.MustParsePrefix(text)
			}
		}
	}
}

func named(session string) func(*Accounting) { return func(r *Accounting) { r.Session = session } }

func lasted(d time.Duration) func(*Accounting) { return func(r *Accounting) { r.Lasted = d } }

// ago is a record that the NAS made that long ago and sends now.
func ago(d time.Duration) func(*Accounting) {
	return func(r *Accounting) { r.Event = r.Came.Add(-d) }
}

func (w *world) tell(a Accounting) {
	w.t.Helper()
	w.must(w.Account(w.t.Context(), a))
}

// session is the one that the record is of; zero but for the key if there is
// none.
func (w *world) sessionOf(a Accounting) (found store.Session) {
	w.t.Helper()
	key := store.SessionKey{Client: a.Client, NAS: a.NAS, Name: a.Session}
	w.must(w.Store.ChangeSession(w.t.Context(), key, func(s store.Session) store.SessionChange {
		found = s
		return store.SessionChange{Session: s}
	}))
	return found
}

// attached wants the session of the record to have this ticket; the zero
// Answer is none.
func (w *world) attached(r Accounting, a Answer) {
	w.t.Helper()
	want := int64(0)
	if a.Ticket.ID != "" {
		want, _ = w.Store.ParseTicket(a.Ticket.ID)
	}
	s := w.sessionOf(r)
	if s.Seen.IsZero() {
		w.t.Errorf("session %s is not kept", r.Session)
	}
	if s.Ticket != want || (s.Person != 0) != (want != 0) {
		w.t.Errorf("session %s has ticket %d of person %d, want %d", r.Session, s.Ticket, s.Person, want)
	}
}

// booked wants the rows of accounting, the oldest first, and no others.
func (w *world) booked(why ...reason.Code) {
	w.t.Helper()
	var got []reason.Code
	for _, e := range w.events(store.Search{Outcome: "noticed"}) {
		got = append(got, reason.Code(e.Reason))
	}
	slices.Reverse(got)
	if !slices.Equal(got, why) {
		w.t.Errorf("booked %v, want %v", got, why)
	}
}

func (w *world) live(a Answer, want bool) {
	w.t.Helper()
	id, err := w.Store.ParseTicket(a.Ticket.ID)
	w.must(err)
	h, err := w.Store.Held(w.t.Context(), id)
	w.must(err)
	if h.Live(w.time.now()) != want {
		w.t.Errorf("the ticket lives: %v, want %v", !want, want)
	}
}

// A forged Class, or another client's, ties nothing to anybody, and the
// session does not fall back on what else would fit.
func TestForgedClassIsNotAttached(t *testing.T) {
	for name, forge := range map[string]func(w *world, a Answer) string{
		"a longer MAC": func(_ *world, a Answer) string { return a.Ticket.Class + "A" },
		"another MAC":  func(_ *world, a Answer) string { return a.Ticket.Class[:len(a.Ticket.Class)-11] + "AAAAAAAAAAA" },
		"no MAC":       func(_ *world, a Answer) string { return strings.TrimRight(a.Ticket.Class[:13], ".") },
		"a short MAC":  func(_ *world, a Answer) string { return a.Ticket.Class[:len(a.Ticket.Class)-2] },
		"no ticket":    func(w *world, _ Answer) string { return w.class(99, w.Store.TicketName(99), "vpn1") },
		"junk":         func(*world, Answer) string { return "sk1." },
		"other client": func(w *world, a Answer) string {
			id, _ := w.Store.ParseTicket(a.Ticket.ID)
			return w.class(id, a.Ticket.ID, "vpn2")
		},
		"a web ticket": func(w *world, _ Answer) string {
			b := w.admitted(w.from(desk, "alice", "PASSWORD"))
			id, _ := w.Store.ParseTicket(b.Ticket.ID)
			return w.class(id, b.Ticket.ID, "vpn1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.dial("alice")
			forged := forge(w, a)
			start := w.acct("alice", AccountingStart, at(inside4), func(r *Accounting) { r.Class = []string{forged} })
			w.tell(start)
			w.attached(start, Answer{})
			w.booked(reason.SessionStarted, reason.AccountingStranger)
			w.vouchesNobody(inside4)
			w.time.pass(time.Minute)
			w.tell(w.acct("alice", AccountingInterim, at(inside4), func(r *Accounting) { r.Class = []string{forged} }))
			w.booked(reason.SessionStarted, reason.AccountingStranger) // once
			w.tell(w.acct("alice", AccountingStop, func(r *Accounting) { r.Class = []string{forged} }))
			w.live(a, true)
		})
	}
}

func TestClassOfAnotherClientIsNotAttached(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	r := w.acct("alice", AccountingStart, class(a), func(r *Accounting) { r.Client = "vpn2" })
	w.tell(r)
	w.attached(r, Answer{})
	w.booked(reason.SessionStarted, reason.AccountingStranger)
}

func TestAnotherPersonsClassIsNotAttached(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	bob := w.acct("bob", AccountingStart, class(a), at(inside4))
	w.tell(bob)
	w.attached(bob, Answer{})
	w.booked(reason.SessionStarted, reason.AccountingStranger)
	w.vouchesNobody(inside4)
	w.time.pass(time.Minute)
	w.tell(w.acct("bob", AccountingStop, class(a)))
	w.live(a, true)
}

// Among several Class values, as with groups before it, the one that is ours
// counts. A name that is typed in another way is the same person's.
func TestClassAmongOthers(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	r := w.acct("alice", AccountingStart, func(r *Accounting) { r.User, r.Class = "ALICE", []string{"OU=staff", "sk1.forged"} }, class(a))
	w.tell(r)
	w.attached(r, a)
	w.booked(reason.SessionStarted)
}

func TestClassSurvivesANewKey(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.Ring = w.Ring.Rotate(w.time.now())
	r := w.acct("alice", AccountingStart, class(a))
	w.tell(r)
	w.attached(r, a)
}

func TestWithoutAUserNothingIsAttached(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	r := w.acct("alice", AccountingStart, class(a), func(r *Accounting) { r.User = "" })
	w.tell(r)
	w.attached(r, Answer{})
	w.booked(reason.SessionStarted)
	if e := w.events(store.Search{Outcome: "noticed"})[0]; e.Typed != "" {
		t.Errorf("typed %q", e.Typed)
	}
}

// The session goes on, but its address is nobody's.
func TestStartOutsideTheTunnel(t *testing.T) {
	for _, foreign := range []string{"192.0.2.10", "2001:db8:51::/64", "2001:db8:50::/44"} {
		w := newWorld(t)
		a := w.dial("alice")
		r := w.acct("alice", AccountingStart, class(a), at(foreign))
		w.tell(r)
		w.attached(r, a)
		w.booked(reason.SessionStarted, reason.AddressForeign)
		if s := w.sessionOf(r); s.Address4.IsValid() || s.Address6.IsValid() || !s.Named.IsZero() {
			t.Errorf("believed: %v %v", s.Address4, s.Address6)
		}
		if !strings.Contains(w.events(store.Search{Reason: string(reason.AddressForeign)})[0].Detail, foreign) {
			t.Error("the book does not tell the address")
		}
		w.time.pass(time.Minute)
		w.tell(w.acct("alice", AccountingInterim, at(foreign)))
		w.booked(reason.SessionStarted, reason.AddressForeign)
		w.vouchesNobody("192.0.2.10")
		w.vouchesNobody("2001:db8:51::1")
	}
}

func TestWithoutATunnelNoAddressIsForeign(t *testing.T) {
	w := newWorld(t)
	r := w.acct("alice", AccountingStart, class(w.dial("alice")), at(inside4), func(r *Accounting) { r.Tunnel = nil })
	w.tell(r)
	w.booked(reason.SessionStarted)
	w.vouchesNobody(inside4)
}

// What was heard yesterday does nothing today, whether or not the session is
// known, and is booked once.
func TestReplayedRecordsOfYesterday(t *testing.T) {
	for name, known := range map[string]bool{"known": true, "unknown": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.dial("alice")
			var booked []reason.Code
			if known {
				w.tell(w.acct("alice", AccountingStart, class(a), at(inside4)))
				booked = append(booked, reason.SessionStarted)
			}
			before := w.sessionOf(w.acct("alice", AccountingStart))
			for _, status := range []AccountingStatus{AccountingStart, AccountingInterim, AccountingStop, AccountingOn, AccountingOff, 99} {
				r := w.acct("alice", status, class(a), at(other4), ago(lateAfter+time.Second))
				w.tell(r)
				w.tell(r)
				booked = append(booked, reason.AccountingLate)
				if now := w.sessionOf(r); !equalSessions(now, before) {
					t.Errorf("%v: %+v", status, now)
				}
			}
			w.booked(booked...)
			w.live(a, true)
			w.vouchesNobody(other4)
		})
	}
}

func TestAsOldAsMayBe(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.time.pass(lateAfter)
	r := w.acct("alice", AccountingStart, class(a), ago(lateAfter))
	w.tell(r)
	w.attached(r, a)
}

// A clock that is ahead can't make what comes later look older.
func TestEventInTheFutureIsNow(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	r := w.acct("alice", AccountingStart, class(a), at(inside4), ago(-time.Hour))
	w.tell(r)
	if s := w.sessionOf(r); !s.Event.Equal(w.time.now()) || !s.Named.Equal(w.time.now()) {
		t.Errorf("event %v, named %v", s.Event, s.Named)
	}
	w.time.pass(30 * time.Second)
	w.tell(w.acct("alice", AccountingStop))
	w.live(a, false)
}

func TestRecordWithoutTimesIsOfNow(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	r := w.acct("alice", AccountingStart, class(a), func(r *Accounting) { r.Event, r.Came = time.Time{}, time.Time{} })
	w.tell(r)
	if s := w.sessionOf(r); !s.Event.Equal(w.time.now()) || !s.Seen.Equal(w.time.now()) {
		t.Errorf("event %v, seen %v", s.Event, s.Seen)
	}
}

func TestOnAndOffEndOnlyThatNAS(t *testing.T) {
	for _, status := range []AccountingStatus{AccountingOn, AccountingOff} {
		w := newWorld(t)
		a := w.dial("alice")
		one := w.acct("alice", AccountingStart, class(a), at(inside4))
		w.tell(one)
		b := w.dial("bob")
		two := w.acct("bob", AccountingStart, class(b), at(other4), func(r *Accounting) { r.NAS = "nas2" })
		w.tell(two)
		w.time.pass(10 * time.Second)
		on := w.acct("", status, func(r *Accounting) { r.NAS, r.Session, r.User, r.Source = "nas1", "", "", Source{} })
		w.tell(on)
		if s := w.sessionOf(one); s.Stopped.IsZero() {
			t.Errorf("%v: the session goes on", status)
		}
		if s := w.sessionOf(two); !s.Stopped.IsZero() {
			t.Errorf("%v: the other NAS's session ended", status)
		}
		w.live(a, false)
		w.live(b, true)
		w.vouchesNobody(inside4)
		w.vouches(other4, "bob", policy.Allow)
		w.booked(reason.SessionStarted, reason.SessionStarted, reason.NASRestarted)

		// A copy of it, and one that was on its way while somebody came in.
		w.time.pass(10 * time.Second)
		again := w.acct("alice", AccountingStart, named("after"))
		w.tell(again)
		on.Came = w.time.now()
		w.tell(on)
		w.restart()
		w.tell(on)
		if s := w.sessionOf(again); !s.Stopped.IsZero() {
			t.Errorf("%v ended what began after it", status)
		}
	}
}

func TestUnknownStatusIsBookedAsItIs(t *testing.T) {
	w := newWorld(t)
	r := w.acct("alice", 15)
	w.tell(r)
	w.tell(r)
	w.booked(reason.AccountingOther)
	if e := w.events(store.Search{Outcome: "noticed"})[0]; e.Detail != "status 15 nas nas1 session s-alice" {
		t.Errorf("%q", e.Detail)
	}
	if s := w.sessionOf(r); !s.Seen.IsZero() {
		t.Error("it made a session")
	}
}

// A name that nobody has may be anything that was typed.
func TestUnknownUserIsMaskedInTheBook(t *testing.T) {
	w := newWorld(t)
	w.tell(w.acct("hunter2", AccountingStart))
	if e := w.events(store.Search{Outcome: "noticed"})[0]; e.Typed != "h…" || e.Person != 0 {
		t.Errorf("%+v", e)
	}
}

func TestRecordThatCantBeWrittenIsAnError(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.must(w.Store.Close())
	for _, status := range []AccountingStatus{AccountingStart, AccountingInterim, AccountingStop, AccountingOn, AccountingOff, 99} {
		r := w.acct("alice", status, class(a))
		for range 2 { // nor is it taken for told the second time
			if err := w.Account(context.Background(), r); err == nil {
				t.Errorf("%v: no error", status)
			}
		}
	}
}
