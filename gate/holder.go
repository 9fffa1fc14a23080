package gate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/store"
	"sekisho/policy"
)

// Holder is who holds a presented ticket, and what it is worth to a request.
// The zero Holder is nobody: the ticket is unknown, ended, or its person may
// not be signed in any more.
type Holder struct {
	Person  Person
	Ticket  Ticket // without Secret and Class
	Service string // that the ticket was given for
	Since   time.Time

	Zone    string         // where the request comes from
	Verdict policy.Verdict // of the rules, for the request's service and source
	Proves  []policy.Factor
	Missing Prompt // what would have to be shown besides, if Verdict is Ask
}

// Present judges the ticket of r alone, whatever user r names, against the
// rules. Nothing is booked; the ticket counts as used. One that was not used
// for too long still tells whose it is, and asks for the password. The error
// means that it could not be judged.
func (g *Gate) Present(ctx context.Context, r Request) (Holder, error) {
	a, h, err := g.present(ctx, r)
	if err != nil {
		g.Metrics.Error(r.Door)
		return Holder{}, fmt.Errorf("judge a ticket by %s: %w", r.Client, err)
	}
	return a.holder(h), nil
}

// holder tells what the ticket is worth to the attempt; nil is nobody's.
func (a *attempt) holder(h *store.Held) Holder {
	if h == nil {
		return Holder{}
	}
	holder := Holder{
		Person:  personOf(a.account),
		Ticket:  Ticket{ID: a.gate.Store.TicketName(h.ID), Until: h.Until, Idle: h.Idle},
		Service: h.Service, Since: h.Created, Zone: a.zone.Name,
	}
	if a.account.MustChange {
		return holder
	}
	d := a.decide()
	holder.Verdict, holder.Proves = d.Verdict, d.Proves
	if d.Verdict == policy.Ask {
		holder.Missing = a.asks(d)
	}
	return holder
}

// present begins an attempt of the person whose ticket is presented; a nil
// ticket is nobody's.
func (g *Gate) present(ctx context.Context, r Request) (*attempt, *store.Held, error) {
	h, err := g.held(ctx, r)
	if h == nil || err != nil {
		return nil, nil, err
	}
	r.User = h.Name
	a := g.begin(r)
	if a.account, err = g.find(ctx, a.name); err != nil {
		return nil, nil, err
	}
	if a.account == nil || !a.lend(h) {
		return nil, nil, nil
	}
	return a, h, nil
}

// held finds the ticket that r presents, whosever it is and whether it lives
// or not; nil if there is none for the service that it has to be for.
func (g *Gate) held(ctx context.Context, r Request) (*store.Held, error) {
	id, secret, ok := parseSecret(r.TicketSecret)
	if !ok {
		return nil, nil
	}
	h, err := g.Store.Held(ctx, id)
	if errors.Is(err, store.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(secret)
	if subtle.ConstantTimeCompare(hash[:], h.Hash[:]) != 1 || h.Service != cmp.Or(r.TicketOf, r.Service) {
		return nil, nil
	}
	return &h, nil
}

// find returns the account of a canonical name; nil where nobody has it. Whoever
// holds a ticket has a row here: a directory behind is not asked each time that
// one is shown, and what it changed acts with the next sign-in.
func (g *Gate) find(ctx context.Context, name string) (*store.Account, error) {
	find := g.Directory.Find
	if g.Directory.Behind() {
		find = g.Store.Account
	}
	account, err := find(ctx, name)
	if errors.Is(err, directory.ErrUnknown) || errors.Is(err, directory.ErrName) || errors.Is(err, store.ErrUnknown) {
		return nil, nil
	}
	return account, err
}

// stillThere looks the person of a ticket up in a directory behind, and reports
// whether they may still sign in. What is made by a ticket and good without it
// is given to nobody who was shut out there meanwhile.
func (a *attempt) stillThere(ctx context.Context) (bool, error) {
	if !a.gate.Directory.Behind() {
		return true, nil // as present found them
	}
	account, err := a.gate.Directory.Find(ctx, a.account.Name)
	if errors.Is(err, directory.ErrUnknown) || errors.Is(err, directory.ErrName) {
		return false, nil
	}
	if err != nil || account.ID != a.account.ID || account.Generation != a.account.Generation || account.Disabled {
		return false, err
	}
	a.account = account
	return true, nil
}

func personOf(a *store.Account) Person {
	return Person{ID: a.ID, Name: a.Name, Display: a.Display, Mail: a.Mail, Language: a.Lang, Groups: a.Groups, DN: a.DN}
}
