package gate

import (
	"net/netip"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

var pool = prefixes("198.51.100.64/29")

func (w *world) lease(a Answer) netip.Addr {
	w.t.Helper()
	addr, err := w.Lease(w.t.Context(), "vpn1", a.Ticket.ID, pool)
	w.must(err)
	return addr
}

// Who was given the address is there until the ticket ends, once a session was
// heard of.
func TestLeasedAddressTellsWho(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	addr := w.lease(a)
	if !pool[0].Contains(addr) || w.lease(a) != addr {
		t.Errorf("%v, then %v", addr, w.lease(a))
	}
	w.vouches(addr.String(), "alice", policy.Allow)
	b := w.dial("bob")
	other := w.lease(b)
	if other == addr || !other.IsValid() {
		t.Errorf("bob has %v, too", other)
	}
	w.vouchesNobody(addr.String()) // the NAS was not seen to keep to it
	w.tell(w.acct("bob", AccountingStart, class(b)))
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.vouchesNobody(addr.String())
	w.tell(w.acct("bob", AccountingInterim, at(other.String()), lasted(time.Second)))
	w.time.pass(30 * time.Minute)
	w.vouches(addr.String(), "alice", policy.Allow)
	w.want(w.goOn(addr.String(), "alice"), Admitted, reason.Reused)
	w.end(a)
	w.vouchesNobody(addr.String())
	if addr := w.lease(a); addr.IsValid() {
		t.Errorf("an ended ticket was given %v", addr)
	}
}

func TestLeaseEndsWithTheSession(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	addr := w.lease(a).String()
	w.tell(w.acct("alice", AccountingStart, class(a), at(addr)))
	w.time.pass(10 * time.Minute)
	w.vouches(addr, "alice", policy.Allow) // a missed Interim-Update does not matter
	w.tell(w.acct("alice", AccountingStop))
	w.vouchesNobody(addr)
}

// The NAS gives addresses away as it likes.
func TestLeaseThatTheNASDoesNotKeepTo(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	addr := w.lease(a).String()
	w.tell(w.acct("bob", AccountingStart, at(addr)))
	w.vouchesNobody(addr)

	w = newWorld(t)
	a = w.dial("alice")
	addr = w.lease(a).String()
	w.tell(w.acct("alice", AccountingStart, class(a), at(other4)))
	w.vouchesNobody(addr)
}

func TestLeaseIsNotForOthers(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	if addr, err := w.Lease(t.Context(), "vpn2", a.Ticket.ID, pool); addr.IsValid() || err != nil {
		t.Errorf("another client: %v, %v", addr, err)
	}
	if addr, err := w.Lease(t.Context(), "vpn1", w.Store.TicketName(99), pool); addr.IsValid() || err != nil {
		t.Errorf("an unknown ticket: %v, %v", addr, err)
	}
	if _, err := w.Lease(t.Context(), "vpn1", "no ticket", pool); err == nil {
		t.Error("no error")
	}
	if addr, err := w.Lease(t.Context(), "vpn1", a.Ticket.ID, nil); addr.IsValid() || err != nil {
		t.Errorf("no pool: %v, %v", addr, err)
	}
	w.must(w.Store.Close())
	if _, err := w.Lease(t.Context(), "vpn1", a.Ticket.ID, pool); err == nil {
		t.Error("no error of a closed store")
	}
}

func TestLeaseIsBookedNowhere(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	before := len(w.events(store.Search{}))
	w.lease(a)
	if n := len(w.events(store.Search{})); n != before {
		t.Errorf("%d rows, then %d", before, n)
	}
}

// Bob has no address of ours and has told none: he may have hers.
func TestLeaseWhileSomebodyIsNameless(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	addr := w.lease(a).String()
	w.vouches(addr, "alice", policy.Allow)
	w.dial("bob")
	w.vouchesNobody(addr)
	w.tell(w.acct("bob", AccountingStart))
	w.vouchesNobody(addr)
	w.time.pass(time.Second)
	w.tell(w.acct("alice", AccountingStart, class(a), at(addr)))
	w.vouchesNobody(addr)
	w.time.pass(freshMost)
	w.tell(w.acct("alice", AccountingInterim, at(addr)))
	w.vouches(addr, "alice", policy.Allow) // the NAS says it of both
}

// On a busy NAS that keeps to it nobody waits for anybody else's record.
func TestLeasesOfANASThatKeepsToThem(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	addr := w.lease(a).String()
	w.tell(w.acct("alice", AccountingStart, class(a), at(addr)))
	b := w.dial("bob")
	w.vouchesNobody(addr) // until his own address goes with it
	bobs := w.lease(b).String()
	w.vouches(addr, "alice", policy.Allow)
	w.tell(w.acct("bob", AccountingStart, class(b)))
	w.vouches(addr, "alice", policy.Allow)
	w.vouchesNobody(other4)
	if h := w.vouches(bobs, "bob", policy.Allow); h.Ticket.ID != b.Ticket.ID {
		t.Errorf("by %s", h.Ticket.ID)
	}
	// Now it does not: who knows where anybody is?
	w.tell(w.acct("bob", AccountingInterim, at(other4), lasted(time.Minute)))
	w.vouchesNobody(addr)
	w.vouchesNobody(bobs)
}

// A session of another client is on the address: a range went from one to the
// other.
func TestLeaseOfAnAddressThatAnotherClientHas(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	addr := w.lease(a).String()
	w.tell(w.acct("alice", AccountingStart, at(addr), func(r *Accounting) { r.Client = "vpn2" }))
	w.vouchesNobody(addr)
}

// Two sign-ins within a minute and no Class: the address that was given tells
// which it is, and its end ends the ticket.
func TestTicketIsFoundByItsAddress(t *testing.T) {
	w := newWorld(t)
	first := w.dial("alice")
	w.time.pass(30 * time.Second)
	second := w.dial("alice")
	addr := w.lease(second).String()
	r := w.acct("alice", AccountingStart)
	w.tell(r)
	w.attached(r, Answer{})
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, at(addr), lasted(time.Minute)))
	w.attached(r, second)
	w.vouches(addr, "alice", policy.Allow)
	w.tell(w.acct("alice", AccountingStop, at(addr)))
	w.live(second, false)
	w.live(first, true)
	w.vouchesNobody(addr)
}

// The address of somebody else, or of another client's, tells nothing.
func TestTicketIsNotFoundByAnothersAddress(t *testing.T) {
	for name, change := range map[string]func(*Accounting){
		"another person": func(r *Accounting) { r.User = "bob" },
		"another client": func(r *Accounting) { r.Client = "vpn2" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			addr := w.lease(w.dial("alice")).String()
			r := w.acct("alice", AccountingStart, at(addr), change)
			w.tell(r)
			w.attached(r, Answer{})
			w.vouchesNobody(addr)
		})
	}
}

// The NAS forgot its sessions: the name of the first is given to the next.
func TestNameOfASessionThatIsGivenAway(t *testing.T) {
	for _, name := range []string{"alice", "bob"} {
		w := newWorld(t)
		first := w.dial("alice")
		addr := w.lease(first).String()
		w.tell(w.acct("alice", AccountingStart, class(first), at(addr), named("1")))
		child := w.want(w.goOn(addr, "alice"), Admitted, reason.Reused)
		w.time.pass(time.Minute)
		next := w.dial(name)
		w.tell(w.acct(name, AccountingStart, class(next), named("1")))
		w.live(first, false)
		w.live(next, true)
		w.nobody(w.holding(addr, child))
		w.vouchesNobody(addr)
	}
}

// Somebody who dials again and again leaves addresses for others.
func TestOnePersonUsesUpNoPool(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		if addr := w.lease(w.dial("alice")); !addr.IsValid() {
			t.Error("alice got none")
		}
		w.time.pass(30 * time.Second)
	}
	if addr := w.lease(w.dial("bob")); !addr.IsValid() {
		t.Error("bob got none")
	}
}

// No session came: the address is nobody's again.
func TestLeaseWithoutASession(t *testing.T) {
	w := newWorld(t)
	addr := w.lease(w.dial("alice")).String()
	w.time.pass(leaseFor - time.Microsecond)
	w.vouches(addr, "alice", policy.Allow)
	w.time.pass(time.Microsecond)
	w.vouchesNobody(addr)
}
