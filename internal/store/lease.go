package store

import (
	"context"
	"net/netip"
	"time"
)

// Lease gives the ticket a free address of the pool until then; the one that
// it has, if it has one of the pool. ErrUnknown means that none is free.
func (s *Store) Lease(ctx context.Context, client string, ticket int64, pool []netip.Prefix, now, until time.Time) (netip.Addr, error) {
	return netip.Addr{}, errNotBuilt
}

// LeaseOf is the client and the ticket that the address was given to and still
// belongs to at now; ErrUnknown if it is nobody's.
func (s *Store) LeaseOf(ctx context.Context, addr netip.Addr, now time.Time) (client string, ticket int64, err error) {
	return "", 0, errNotBuilt
}
