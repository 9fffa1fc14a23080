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

// Who was given the address is there, with no accounting at all, until the
// ticket ends.
func TestLeasedAddressTellsWho(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	addr := w.lease(a)
	if !pool[0].Contains(addr) || w.lease(a) != addr {
		t.Errorf("%v, then %v", addr, w.lease(a))
	}
	if other := w.lease(w.dial("bob")); other == addr || !other.IsValid() {
		t.Errorf("bob has %v, too", other)
	}
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
