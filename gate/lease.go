package gate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"sekisho/internal/store"
)

// leaseFor is how long an address is the ticket's where no session is heard
// of: as long as one may begin with its Access-Accept.
const leaseFor = acceptsFor

// Lease gives the ticket of this public ID an address of the pool, the same
// one each time it is asked: for leaseFor and, once a session of the ticket is
// heard of, for as long as the ticket lives. The zero Addr means that none is free,
// or that the ticket is not the client's or has ended.
//
// What was given stays given when the client's pool becomes another one.
func (g *Gate) Lease(ctx context.Context, client, ticket string, pool []netip.Prefix) (netip.Addr, error) {
	addr, err := g.lease(ctx, client, ticket, pool)
	if err != nil && !errors.Is(err, store.ErrUnknown) {
		return netip.Addr{}, fmt.Errorf("lease an address of %s: %w", client, err)
	}
	return addr, nil
}

func (g *Gate) lease(ctx context.Context, client, ticket string, pool []netip.Prefix) (netip.Addr, error) {
	id, err := g.Store.ParseTicket(ticket)
	if err != nil {
		return netip.Addr{}, err
	}
	h, err := g.Store.Held(ctx, id)
	now := g.Now()
	if err != nil || h.Client != client || !h.Live(now) {
		return netip.Addr{}, err
	}
	addr, err := g.Store.Lease(ctx, client, id, pool, now, earlier(h.Until, now.Add(leaseFor)))
	if err == nil {
		g.accepts.lent(client, id)
	}
	return addr, err
}
