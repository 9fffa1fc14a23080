package gate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"sekisho/internal/store"
)

// Lease gives the ticket of this public ID an address of the pool for as long
// as it lives, the same one each time it is asked. The zero Addr means that
// none is free, or that the ticket is not the client's or has ended.
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
	return g.Store.Lease(ctx, client, id, pool, now, h.Until)
}
