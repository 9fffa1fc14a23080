package gate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
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
	NAS     string // which of the client's machines; "": it is one, or it does not say
	Session string // Acct-Session-Id
	Class   []string
	User    string
	Source  Source // the person's own address, as told

	Address4 netip.Addr   // Framed-IP-Address
	Address6 netip.Prefix // Framed-IPv6-Address or -Prefix

	// Event is the Event-Timestamp or, where Unstamped, when it came less its
	// Acct-Delay-Time; zero: unstamped, without a delay.
	Event     time.Time
	Unstamped bool
	Digest    []byte // the Request Authenticator, a MAC over the packet; nil: not told

	Lasted time.Duration // Acct-Session-Time
	Input  uint64        // octets from the person
	Output uint64        // octets to the person
	Cause  string        // Acct-Terminate-Cause

	Came time.Time // zero: when Account was called
}

// lateAfter is how old a record may be when it comes. What is older is noted and
// does nothing: records can be replayed.
const lateAfter = 300 * time.Second

// Behind is how late a record came by the NAS's own clock, if that is so late
// that it did nothing; else 0.
func (a *Accounting) Behind() time.Duration {
	if behind := a.Came.Sub(a.Event); behind > lateAfter && !a.Unstamped {
		return behind
	}
	return 0
}

// Account takes in what a NAS tells. Nil means that it is durable; the error
// that it could not be written, so the NAS has to tell it again.
func (g *Gate) Account(ctx context.Context, a Accounting) error {
	r := g.record(ctx, a)
	var err error
	switch {
	case r.Came.Sub(r.Event) > lateAfter:
		err = r.late(ctx)
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
	return r.once(why, r.Event.UnixMicro(), func() error { return r.gate.Store.Book(ctx, r.event(why)) })
}

// late books a record that is too old, once an hour of each session: where the
// NAS's clock is slow, all of them are.
func (r *record) late(ctx context.Context) error {
	machine := tale{SessionKey: store.SessionKey{Client: r.Client, NAS: r.NAS}, why: reason.AccountingLate, event: hour(r.at)}
	if !r.gate.tales.told(machine) {
		r.gate.tales.tell(machine)
		text := "an accounting record came late and does nothing: the NAS's clock is slow, or the record was held up or replayed"
		if r.Behind() == 0 {
			text = "an accounting record came late and does nothing: the NAS held it up, or the record was replayed"
		}
		r.gate.Log.Warn(text, "client", r.Client, "nas", r.NAS, "minutes", int(r.Came.Sub(r.Event).Minutes()))
	}
	return r.once(reason.AccountingLate, hour(r.at), func() error { return r.gate.Store.Book(ctx, r.event(reason.AccountingLate)) })
}

const (
	causeRestarted = "nas restarted"
	restartFor     = 24 * time.Hour // an unstamped On is remembered
)

// restart ends the sessions of a machine that starts or stops, of no other.
//
// One with Event-Timestamp ends nothing that was heard of since, however often
// it is sent. One without is of the time at which it comes; so the same packet
// ends sessions once in restartFor. What is left to somebody who kept one for
// longer and sends it again: the tickets of that NAS end. Its sessions are
// open again with their next records; only Event-Timestamp helps.
func (r *record) restart(ctx context.Context) error {
	return r.once(reason.NASRestarted, r.Event.UnixMicro(), func() error {
		_, err := r.gate.Store.EndSessionsOnce(ctx, r.spend(), r.Client, r.NAS, r.Event, causeRestarted, r.event(reason.NASRestarted))
		return err
	})
}

// spend is by what an unstamped On or Off is known again; nil: by its time.
func (r *record) spend() *store.Spend {
	if !r.Unstamped || r.Digest == nil {
		return nil
	}
	h := sha256.New()
	for _, part := range []string{"accounting on", r.Client, r.NAS, string(r.Digest)} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write([]byte(part))
	}
	return &store.Spend{Key: h.Sum(nil)[:nonceSize], Until: r.at.Add(restartFor)}
}

// once does what a record without a session asks for, unless it did before.
func (r *record) once(why reason.Code, event int64, do func() error) error {
	what := r.tale(why)
	what.status, what.event = r.Status, event
	if r.gate.tales.told(what) {
		return nil
	}
	err := do()
	if err == nil {
		r.gate.tales.tell(what)
	}
	return err
}
