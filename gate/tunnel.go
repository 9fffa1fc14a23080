package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sekisho/internal/store"
)

const (
	// A record that tells an address says who is there until the next is
	// missed, and never for longer than freshMost.
	freshAfter = 10 * time.Second // its interval
	freshMost  = 70 * time.Second
	interimFor = time.Minute // the interval where none was seen: the one that we ask for

	howTunnel = "tunnel" // how a source is known that lends
)

// ownAddress are the ways to know an address that nobody but who has it can
// ask from: the connection's, or what a listed proxy tells of one.
var ownAddress = []string{"socket", "proxy-header", "x-forwarded-for"}

// Tunnel judges, for r's service, the ticket of whoever has r.Source's address
// in a tunnel, like [Gate.Present] a presented one, but it does not count as
// used. The zero Holder means that nobody is known to have it. Admit takes the
// same ticket for presented where r.Tunnel is true.
func (g *Gate) Tunnel(ctx context.Context, r Request) (Holder, error) {
	h, err := g.through(ctx, r)
	if err != nil {
		g.Metrics.Error(r.Door)
		return Holder{}, fmt.Errorf("find out who has an address in a tunnel by %s: %w", r.Client, err)
	}
	return h, nil
}

func (g *Gate) through(ctx context.Context, r Request) (Holder, error) {
	h, whole, err := g.begin(r).inTunnel(ctx)
	if h == nil || err != nil {
		return Holder{}, err
	}
	r.User = h.Name
	a := g.begin(r)
	if a.account, err = g.find(ctx, a.name); err != nil {
		return Holder{}, err
	}
	if a.account == nil || !owns(a.account, h) {
		return Holder{}, nil
	}
	a.take(h, whole)
	return a.holder(h), nil
}

// borrowByAddress lends what the ticket proves by which the person is in a
// tunnel. What is signed in to rests on it.
func (a *attempt) borrowByAddress(ctx context.Context) error {
	h, whole, err := a.inTunnel(ctx)
	if h == nil || err != nil || !owns(a.account, h) {
		return err
	}
	a.take(h, whole)
	a.event.How, a.event.Detail = howTunnel, "by the tunnel's ticket "+a.gate.Store.TicketName(h.ID)
	return nil
}

// inTunnel finds the ticket, that lives, of whoever has the attempt's address
// in a tunnel: where we gave it to one, or where the NAS told it lately. whole
// is false where somebody else could have it by now. nil means that nobody is
// known to have it, or that the address could be anybody's.
func (a *attempt) inTunnel(ctx context.Context) (h *store.Held, whole bool, err error) {
	addr := a.r.Source.Addr.Unmap().WithZone("")
	if !addr.IsValid() || a.zone.Shared || !slices.Contains(ownAddress, a.r.Source.How) {
		return nil, false, nil
	}
	before, err := a.gate.Store.PlaceOf(ctx, addr, a.at)
	if err != nil || before.Ticket == 0 {
		return nil, false, err
	}
	// First who was let in, then who was heard of: whoever tells an address
	// meanwhile must not be missing from both.
	accepted, err := a.gate.accepts.latest(ctx, a.gate, before.Client, before.Person, spares(&before))
	if err != nil {
		return nil, false, err
	}
	p, err := a.gate.Store.PlaceOf(ctx, addr, a.at)
	if err != nil || p.Client != before.Client || p.Ticket != before.Ticket || spares(&p) != spares(&before) {
		return nil, false, err
	}
	live, err := a.gate.Store.Held(ctx, p.Ticket)
	switch {
	case errors.Is(err, store.ErrUnknown), err == nil && !live.Live(a.at):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	found, whole := a.vouches(&p, addr, live.Created, accepted)
	if !found {
		return nil, false, nil
	}
	return &live, whole, nil
}

// vouches reports whether the address vouches for its person, and whether for
// all of the ticket. accepted is when the client was last told to let somebody
// else in who has told no address since.
//
// Whoever has told no address could have this one, if the other's end was not
// told. Whoever came after the record that names the address, or up to
// freshMost before it, may just not have told it yet: then nobody is known to
// be there. Whoever came earlier should have told their own by now: the code
// is lent, but the password has to be shown.
func (a *attempt) vouches(p *store.Place, addr netip.Addr, created, accepted time.Time) (found, whole bool) {
	since, sure := created, false
	if p.Leased {
		if !kept(p, addr) {
			return false, false
		}
		if s := p.Alone(); s != nil { // the ticket's own
			since, sure = s.Named, true
		}
	} else {
		s := p.Alone()
		if s == nil || !a.fresh(s) {
			return false, false
		}
		since = s.Named
	}
	others := latest(accepted, p.Nameless)
	if !spares(p) {
		others = latest(others, p.Waiting)
	}
	switch {
	case others.IsZero():
		return true, true
	case !others.Before(since.Add(-freshMost)):
		return false, false
	}
	return true, sure
}

// fresh reports whether the record that names the session's address was told
// lately.
func (a *attempt) fresh(s *store.Session) bool {
	age := a.at.Sub(s.Named)
	return age >= 0 && age < min(cmp.Or(s.Interval, interimFor)+freshAfter, freshMost)
}

// kept reports whether the NAS keeps to it that we gave the address to the
// ticket. One that gives out its own would have us take people for each other.
func kept(p *store.Place, addr netip.Addr) bool {
	foreign := func(s store.Session) bool { return s.Ticket != p.Ticket || s.Client != p.Client }
	// Somebody else was seen where the session is, or it has another address.
	astray := func(s store.Session) bool {
		return s.Ousted || addr.Is4() && s.Address4.IsValid() && s.Address4 != addr
	}
	return !p.Strays && !slices.ContainsFunc(p.On, foreign) && !slices.ContainsFunc(p.Own, astray)
}

// spares reports whether somebody who was given an address of their own cannot
// have this one: where we gave it to somebody else, and the NAS was seen to
// keep to what we give.
func spares(p *store.Place) bool { return p.Leased && p.Keeps && !p.Strays }
