package gate

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
)

func (w *world) orders() []Order {
	w.t.Helper()
	orders, err := w.Orders(w.t.Context())
	w.must(err)
	return orders
}

// order wants exactly one.
func (w *world) order() Order {
	w.t.Helper()
	orders := w.orders()
	if len(orders) != 1 {
		w.t.Fatalf("%d orders: %+v", len(orders), orders)
	}
	return orders[0]
}

func (w *world) obeyed(o Order, result string, done bool) {
	w.t.Helper()
	w.must(w.Obeyed(w.t.Context(), o, result, done))
}

func (w *world) noOrders() {
	w.t.Helper()
	if orders := w.orders(); len(orders) > 0 {
		w.t.Errorf("orders: %+v", orders)
	}
}

func TestRevokedTicketEndsTheSession(t *testing.T) {
	w, a := connected(t)
	w.noOrders()
	w.end(a)
	o := w.order()
	s := w.sessionOf(w.acct("alice", AccountingStart))
	if o.ID != s.ID || o.Client != "vpn1" || o.NAS != "nas1" || o.Session != "s-alice" || o.User != "alice" ||
		o.Address != netip.MustParseAddr(inside4) || o.Change {
		t.Errorf("%+v", o)
	}
	w.obeyed(o, "ack", true)
	w.noOrders()
	w.booked(reason.SessionStarted, reason.DisconnectDone)
	e := w.events(store.Search{Reason: string(reason.DisconnectDone)})[0]
	if e.Detail != "answer ack, nas nas1 session s-alice" || e.Name != "alice" || e.Person != w.account("alice").ID || e.Client != "vpn1" || e.Ticket != s.Ticket {
		t.Errorf("booked as %+v", e)
	}
	if s := w.sessionOf(w.acct("alice", AccountingStart)); !s.Stopped.IsZero() {
		t.Error("it is over before its Stop") // which brings what it used
	}
}

func TestOrderByTheIPv6Address(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside6)))
	w.end(a)
	if o := w.order(); o.Address != netip.MustParseAddr("2001:db8:50:7::") {
		t.Errorf("%v", o.Address)
	}
}

// A ticket that only was not used for too long ends no session, and an ended
// one is found by a Class that comes late.
func TestOrdersForLateAndIdleTickets(t *testing.T) {
	w, a := connected(t)
	w.time.pass(2 * time.Hour)
	w.noOrders()
	w.end(a)
	w.obeyed(w.order(), "ack", true)

	w = newWorld(t)
	a = w.dial("alice")
	w.end(a)
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.order()
}

func TestSilentNASIsAskedAgainWhenItIsHeard(t *testing.T) {
	w, _ := connected(t)
	w.changePerson("alice", func(p *store.Person) { p.Disabled = true })
	w.obeyed(w.order(), "silent", false)
	w.noOrders()
	w.booked(reason.SessionStarted, reason.DisconnectFailed)
	w.time.pass(2 * time.Minute)
	w.tell(w.acct("alice", AccountingInterim))
	w.obeyed(w.order(), "nak 501 Administratively-Prohibited", true)
	w.time.pass(2 * time.Minute)
	w.tell(w.acct("alice", AccountingInterim))
	w.noOrders()
	w.booked(reason.SessionStarted, reason.DisconnectFailed, reason.DisconnectFailed)
}

// The NAS knows no such session: the Stop was lost.
func TestSessionThatIsGone(t *testing.T) {
	w, a := connected(t)
	w.end(a)
	w.obeyed(w.order(), "nak 503", true)
	s := w.sessionOf(w.acct("alice", AccountingStart))
	if !s.Stopped.Equal(w.time.now()) || s.Cause != causeGone {
		t.Errorf("%+v", s)
	}
	w.noOrders()
	w.booked(reason.SessionStarted, reason.DisconnectDone)
}

// While the NAS was asked the session ended by itself, or another has its name.
func TestGoneSessionOfBefore(t *testing.T) {
	w, a := connected(t)
	w.end(a)
	o := w.order()
	w.time.pass(time.Second)
	w.tell(w.acct("alice", AccountingStop, func(r *Accounting) { r.Cause = "User-Request" }))
	w.obeyed(o, "nak 503", true)
	if s := w.sessionOf(w.acct("alice", AccountingStart)); s.Cause != "User-Request" {
		t.Errorf("%+v", s)
	}
}

func TestChangedGroups(t *testing.T) {
	w, a := connected(t)
	groups := func(list ...string) {
		w.must(w.Store.ChangePerson(t.Context(), "alice", func(p *store.Person) error { p.Groups = list; return nil }, w.change(reason.GroupsSet)))
	}
	groups("staff")
	o := w.order()
	if !o.Change || !slices.Equal(o.Groups, []string{"staff"}) {
		t.Errorf("%+v", o)
	}
	w.obeyed(o, "nak 506 Resources-Unavailable", false)
	w.booked(reason.SessionStarted, reason.ChangeFailed)
	w.time.pass(2 * time.Minute)
	w.tell(w.acct("alice", AccountingInterim))
	w.obeyed(w.order(), "ack", true)
	w.noOrders()
	groups("staff", "teachers")
	w.obeyed(w.order(), "no_change", true)
	w.booked(reason.SessionStarted, reason.ChangeFailed, reason.ChangeDone, reason.ChangeDone)
	w.noOrders()
	w.live(a, true)
}

// The groups moved between the Accept and the Start: what the NAS was told is
// not what they are.
func TestGroupsChangedBeforeTheStart(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.must(w.Store.ChangePerson(t.Context(), "alice", func(p *store.Person) error { p.Groups = []string{"staff"}; return nil }, w.change(reason.GroupsSet)))
	w.tell(w.acct("alice", AccountingStart, class(a)))
	if o := w.order(); !o.Change {
		t.Errorf("%+v", o)
	}
}

func TestGroupsAreThoseThatTheNASWasTold(t *testing.T) {
	w := newWorld(t)
	w.changePerson("alice", func(p *store.Person) { p.Groups = []string{"staff"} })
	w.tell(w.acct("alice", AccountingStart, class(w.dial("alice"))))
	if s := w.sessionOf(w.acct("alice", AccountingStart)); !slices.Equal(s.Groups, []string{"staff"}) {
		t.Errorf("%q", s.Groups)
	}
}

func TestOrdersOfAStoreThatFails(t *testing.T) {
	w, a := connected(t)
	w.end(a)
	o := w.order()
	w.must(w.Store.Close())
	if _, err := w.Orders(t.Context()); err == nil {
		t.Error("no error")
	}
	if err := w.Obeyed(t.Context(), o, "nak 503", true); err == nil {
		t.Error("no error")
	}
}

// hears lets time pass and the session tell that it lives.
func (w *world) hears(d time.Duration) {
	w.t.Helper()
	w.time.pass(d)
	w.tell(w.acct("alice", AccountingInterim, at(inside4)))
}

// A NAS says so of a session that lives, too: by another User-Name, or since it
// is another machine's. Then it is told again, but seldom.
func TestSessionThatIsGoneAndHeardOfAgain(t *testing.T) {
	w, a := connected(t)
	w.end(a)
	w.obeyed(w.order(), "nak 503", true)
	orders := 0
	for range 120 {
		w.hears(time.Minute)
		if s := w.sessionOf(w.acct("alice", AccountingStart)); !s.Stopped.IsZero() || s.Cause != "" {
			t.Fatalf("%+v", s)
		}
		for _, o := range w.orders() {
			orders++
			w.obeyed(o, "nak 503", true)
		}
	}
	if orders < 4 || orders > 12 {
		t.Errorf("%d orders in two hours", orders)
	}
	if n := len(w.events(store.Search{Reason: string(reason.DisconnectDone)})); n > 3 {
		t.Errorf("booked %d times", n)
	}
	w.live(a, false)
	w.vouchesNobody(inside4)
}

func TestGoneSessionIsDueAfterTenMinutes(t *testing.T) {
	w, a := connected(t)
	w.end(a)
	w.obeyed(w.order(), "nak 503", true)
	w.hears(10 * time.Minute)
	w.noOrders()
	w.hears(time.Second)
	w.order()
}

// Only that very answer means it.
func TestOtherRefusalsEndNoSession(t *testing.T) {
	for _, answer := range []string{"nak 503 and more", "nak 5030", "nak"} {
		w, a := connected(t)
		w.end(a)
		w.obeyed(w.order(), answer, false)
		w.stopped(w.acct("alice", AccountingStart), false)
		w.booked(reason.SessionStarted, reason.DisconnectFailed)
	}
}

// Her groups changed; she is permitted as before. The NAS is told when it
// tells of the session again, whether by a CoA or, where something would have
// to be taken away, by a Disconnect.
func TestChangeOfASessionThatIsGoneKeepsTheTicket(t *testing.T) {
	for _, change := range []bool{true, false} {
		w, a := connected(t)
		child := w.want(w.goOn(inside4, "alice"), Admitted, reason.Reused)
		w.must(w.Store.ChangePerson(t.Context(), "alice", func(p *store.Person) error { p.Groups = []string{"staff"}; return nil }, w.change(reason.GroupsSet)))
		o := w.order()
		if len(o.Had) != 0 || !slices.Equal(o.Groups, []string{"staff"}) {
			t.Errorf("%+v", o)
		}
		o.Change = change
		w.obeyed(o, "nak 503", true)
		w.stopped(w.acct("alice", AccountingStart), true)
		w.live(a, true)
		w.live(child, true)
		w.noOrders()
		w.hears(11 * time.Minute)
		w.stopped(w.acct("alice", AccountingStart), false)
		o = w.order()
		if !o.Change {
			t.Errorf("%+v", o)
		}
		w.obeyed(o, "ack", true)
		w.noOrders()
		w.must(w.Store.ChangePerson(t.Context(), "alice", func(p *store.Person) error { p.Groups = nil; return nil }, w.change(reason.GroupsSet)))
		if o := w.order(); !slices.Equal(o.Had, []string{"staff"}) || len(o.Groups) != 0 {
			t.Errorf("%+v", o)
		}
	}
}

// A NAS that stays silent, or a client that a reload left without a way, is
// told again ever more seldom, and booked once an hour.
func TestSilentNASFillsNoBook(t *testing.T) {
	for _, answer := range []string{"silent", "no_way"} {
		w, a := connected(t)
		w.end(a)
		var at []int
		for minute := range 2 * 60 {
			for _, o := range w.orders() {
				at = append(at, minute)
				w.obeyed(o, answer, false)
			}
			w.hears(time.Minute)
		}
		if want := []int{0, 2, 5, 10, 19, 36, 67, 98}; !slices.Equal(at, want) {
			t.Errorf("%s: ordered in the minutes %v, want %v", answer, at, want)
		}
		if n := len(w.events(store.Search{Reason: string(reason.DisconnectFailed)})); n != 2 {
			t.Errorf("%s: booked %d times", answer, n)
		}
		w.hears(31 * time.Minute)
		w.obeyed(w.order(), "ack", true)
		w.noOrders()
		if n := len(w.events(store.Search{Reason: string(reason.DisconnectDone)})); n != 1 {
			t.Errorf("%s: the end was booked %d times", answer, n)
		}
	}
}
