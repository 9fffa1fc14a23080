package gate

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

var errNotBuilt = errors.New("not built")

// AccountingStatus is an Acct-Status-Type (RFC 2866 §5.1).
type AccountingStatus uint32

// The statuses that mean something here; any other is booked as it is.
const (
	AccountingStart   AccountingStatus = 1
	AccountingStop    AccountingStatus = 2
	AccountingInterim AccountingStatus = 3
	AccountingOn      AccountingStatus = 7
	AccountingOff     AccountingStatus = 8
)

// Accounting is one Accounting-Request as its client told it.
type Accounting struct {
	Client  string
	Service string
	Tunnel  []netip.Prefix // where the client's people have their addresses; those outside are not believed

	Status  AccountingStatus
	NAS     string // which of the machines that share the client's address; "": it does not say
	Session string // Acct-Session-Id
	Class   []string
	User    string
	Source  Source // the person's own address, as told

	Address4 netip.Addr   // Framed-IP-Address
	Address6 netip.Prefix // Framed-IPv6-Address or -Prefix

	Event   time.Time     // Event-Timestamp, else when it came less Acct-Delay-Time
	Seconds time.Duration // Acct-Session-Time
	Input   uint64        // octets from the person
	Output  uint64        // octets to the person
	Cause   string        // Acct-Terminate-Cause

	Came time.Time
}

// Account takes in what a NAS tells. Nil means that it is durable; the error
// that it could not be written, so the NAS has to tell it again.
func (g *Gate) Account(ctx context.Context, a Accounting) error { return errNotBuilt }

// Tunnel judges, for r's service, the ticket of whoever has r.Source's address
// in a tunnel, like [Gate.Present] a presented one. The zero Holder means that
// nobody is known to have it. Admit takes the same ticket for presented where
// r.Tunnel is true.
func (g *Gate) Tunnel(ctx context.Context, r Request) (Holder, error) { return Holder{}, errNotBuilt }

// Lease gives the ticket an address of the pool, the same one each time it is
// asked. The zero Addr means that none is free.
func (g *Gate) Lease(ctx context.Context, client, ticket string, pool []netip.Prefix) (netip.Addr, error) {
	return netip.Addr{}, errNotBuilt
}

// Order is a session that its NAS has to end, or to change.
type Order struct {
	ID      int64 // of the session
	Client  string
	NAS     string
	Session string
	User    string
	Address netip.Addr // in the tunnel; zero: not known
	Change  bool       // the person's groups changed; else the session has to end
	Groups  []string   // now
}

// Orders are the sessions whose ticket ended, or whose person's groups
// changed, and whose NAS was not told yet.
func (g *Gate) Orders(ctx context.Context) ([]Order, error) { return nil, errNotBuilt }

// Obeyed books what became of an order: "ack", "nak 503", "silent", "no_way".
// done tells that there is nothing left to do.
func (g *Gate) Obeyed(ctx context.Context, o Order, result string, done bool) error {
	return errNotBuilt
}
