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
	on, nameless, err := a.gate.Store.SessionsAt(ctx, addr)
	if err != nil {
		return nil, false, err
	}
	_, ticket, err := a.gate.Store.LeaseOf(ctx, addr, a.at)
	switch {
	case err == nil:
		whole, err = a.kept(ctx, addr, ticket, on)
		if err != nil || !whole {
			return nil, false, err
		}
	case !errors.Is(err, store.ErrUnknown):
		return nil, false, err
	default:
		if ticket, whole = a.told(on, nameless); ticket == 0 {
			return nil, false, nil
		}
	}
	live, err := a.gate.Store.Held(ctx, ticket)
	switch {
	case errors.Is(err, store.ErrUnknown), err == nil && !live.Live(a.at):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	return &live, whole, nil
}

// kept reports whether the NAS keeps to it that we gave the address to the
// ticket. One that gives out its own would have us take people for each other.
func (a *attempt) kept(ctx context.Context, addr netip.Addr, ticket int64, on []store.Session) (bool, error) {
	for _, s := range on {
		if s.Ticket != ticket {
			return false, nil
		}
	}
	own, err := a.gate.Store.SessionsOf(ctx, ticket)
	for _, s := range own {
		if addr.Is4() && s.Address4.IsValid() && s.Address4 != addr {
			return false, err
		}
	}
	return true, err
}

// told is the ticket of the one session that was told to be on the address,
// if that was lately; 0: there is none.
//
// A session may begin without an address. One that began since the record
// could have this one, if the other's end was not told: then nobody is known
// to be there. One that began before should have told its own by now: the code
// is lent, but the password has to be shown.
func (a *attempt) told(on, nameless []store.Session) (ticket int64, whole bool) {
	on = slices.DeleteFunc(slices.Clone(on), func(s store.Session) bool { return s.Ousted })
	if len(on) != 1 {
		return 0, false
	}
	s := &on[0]
	age := a.at.Sub(s.Named)
	if age < 0 || age >= min(cmp.Or(s.Interval, interimFor)+freshAfter, freshMost) {
		return 0, false
	}
	whole = true
	for _, other := range nameless {
		switch {
		case other.Client != s.Client, other.Person == s.Person && s.Person != 0:
		case !other.Started.Before(s.Named):
			return 0, false
		default:
			whole = false
		}
	}
	return s.Ticket, whole
}
