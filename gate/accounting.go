package gate

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"sekisho/internal/reason"
)

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

	Event  time.Time     // Event-Timestamp, else when it came less Acct-Delay-Time; zero: when it came
	Lasted time.Duration // Acct-Session-Time
	Input  uint64        // octets from the person
	Output uint64        // octets to the person
	Cause  string        // Acct-Terminate-Cause

	Came time.Time // zero: when Account was called
}

// lateAfter is how old a record may be when it comes. What is older is noted and
// does nothing: records can be replayed.
const lateAfter = 300 * time.Second

// Account takes in what a NAS tells. Nil means that it is durable; the error
// that it could not be written, so the NAS has to tell it again.
func (g *Gate) Account(ctx context.Context, a Accounting) error {
	r := g.record(ctx, a)
	var err error
	switch {
	case r.Came.Sub(r.Event) > lateAfter:
		err = r.book(ctx, reason.AccountingLate)
	case r.Status == AccountingStart, r.Status == AccountingInterim, r.Status == AccountingStop:
		err = r.keep(ctx)
	case r.Status == AccountingOn, r.Status == AccountingOff:
		err = r.restart(ctx)
	default:
		err = r.book(ctx, reason.AccountingOther)
	}
	if err != nil {
		return fmt.Errorf("keep an accounting record of %s: %w", a.Client, err)
	}
	return nil
}

// book books the record and does nothing else, once.
func (r *record) book(ctx context.Context, why reason.Code) error {
	return r.once(why, func() error { return r.gate.Store.Book(ctx, r.event(why)) })
}

// restart ends the sessions of a machine that starts or stops, of no other.
func (r *record) restart(ctx context.Context) error {
	return r.once(reason.NASRestarted, func() error {
		_, err := r.gate.Store.EndSessions(ctx, r.Client, r.NAS, r.Event, "nas restarted", r.event(reason.NASRestarted))
		return err
	})
}

// once does what a record without a session asks for, unless it did before.
func (r *record) once(why reason.Code, do func() error) error {
	what := r.tale(why)
	what.status, what.event = r.Status, r.Event.UnixMicro()
	if r.gate.tales.told(what) {
		return nil
	}
	err := do()
	if err == nil {
		r.gate.tales.tell(what)
	}
	return err
}
