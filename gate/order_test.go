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
