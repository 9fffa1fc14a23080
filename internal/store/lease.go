package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Lease gives the ticket a free address of the pool until then; the one that
// it has, if it has one of the pool. An address that was never given goes
// before one that was, and that before one that was given later. ErrUnknown
// means that none is free.
//
// The first address of a prefix is never given, nor the next, which mostly is
// the NAS's own, nor the last of an IPv4 prefix; nor one that a live session
// of somebody else has. At most 65,536 addresses of one prefix are used.
func (s *Store) Lease(ctx context.Context, client string, ticket int64, pool []netip.Prefix, now, until time.Time) (netip.Addr, error) {
	l := lease{client: client, ticket: ticket, now: now, until: until}
	var given netip.Addr
	err := s.share(ctx, func(w *writer, _ *job) (err error) {
		given, err = l.give(w.conn, pool)
		return err
	})
	if err == nil && !given.IsValid() {
		err = ErrUnknown
	}
	if err != nil {
		return netip.Addr{}, fmt.Errorf("lease: %w", err)
	}
	return given, nil
}

// LeaseOf is the client and the ticket that the address was given to and still
// belongs to at now; ErrUnknown if it is nobody's.
func (s *Store) LeaseOf(ctx context.Context, addr netip.Addr, now time.Time) (client string, ticket int64, err error) {
	err = s.reading(ctx, func(c *conn) error {
		return c.each("SELECT client, ticket FROM lease WHERE address = ?1 AND until > ?2", func(row []driver.Value) error {
			client, ticket = row[0].(string), row[1].(int64)
			return nil
		}, addr.Unmap().AsSlice(), micro(now))
	})
	if err == nil && ticket == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return "", 0, fmt.Errorf("lease of %v: %w", addr, err)
	}
	return client, ticket, nil
}

// lease is one that is asked for.
type lease struct {
	client     string
	ticket     int64
	now, until time.Time
}

// give is the address; the zero one means that none is free.
func (l lease) give(c *conn, pool []netip.Prefix) (netip.Addr, error) {
	var hosts []hostRange
	for _, p := range pool {
		if h, ok := hostsOf(p); ok {
			hosts = append(hosts, h)
		}
	}
	for _, find := range []func(*conn, []hostRange) (netip.Addr, error){l.again, l.fresh, l.oldest} {
		if a, err := find(c, hosts); err != nil || a.IsValid() {
			return a, err
		}
	}
	return netip.Addr{}, nil
}

// again is the address that the ticket has.
func (l lease) again(c *conn, pool []hostRange) (netip.Addr, error) {
	var had []netip.Addr
	err := c.each("SELECT address FROM lease WHERE ticket = ?1 AND client = ?2", func(row []driver.Value) error {
		had = append(had, scanAddress(row[0]))
		return nil
	}, l.ticket, l.client)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range had {
		if !slices.ContainsFunc(pool, func(h hostRange) bool { return h.contains(a) }) {
			continue
		}
		taken, err := l.taken(c, a)
		if err != nil {
			return netip.Addr{}, err
		}
		if !taken {
			return a, l.put(c, a, l.ticket, l.until)
		}
	}
	return netip.Addr{}, nil
}

// fresh is one that was never given. They are given in order.
func (l lease) fresh(c *conn, pool []hostRange) (netip.Addr, error) {
	for _, h := range pool {
		next := h.first
		err := c.each(`SELECT address FROM lease WHERE address BETWEEN ?1 AND ?2 AND length(address) = length(?1)
			ORDER BY address DESC LIMIT 1`, func(row []driver.Value) error {
			next = scanAddress(row[0]).Next()
			return nil
		}, h.first.AsSlice(), h.last.AsSlice())
		if err != nil {
			return netip.Addr{}, err
		}
		for ; h.contains(next); next = next.Next() {
			taken, err := l.taken(c, next)
			if err != nil {
				return netip.Addr{}, err
			}
			if !taken {
				return next, l.put(c, next, l.ticket, l.until)
			}
			// Its turn comes again.
			if err := l.put(c, next, 0, l.now); err != nil {
				return netip.Addr{}, err
			}
		}
	}
	return netip.Addr{}, nil
}

// looked is how many free addresses are tried.
const looked = 256

// oldest is the one that was free the longest.
func (l lease) oldest(c *conn, pool []hostRange) (netip.Addr, error) {
	type free struct {
		address netip.Addr
		since   int64
	}
	var all []free
	for _, h := range pool {
		err := c.each(`SELECT address, until FROM lease INDEXED BY lease_until
			WHERE until <= ?1 AND address BETWEEN ?2 AND ?3 AND length(address) = length(?2) ORDER BY until LIMIT ?4`, func(row []driver.Value) error {
			all = append(all, free{scanAddress(row[0]), row[1].(int64)})
			return nil
		}, micro(l.now), h.first.AsSlice(), h.last.AsSlice(), int64(looked))
		if err != nil {
			return netip.Addr{}, err
		}
	}
	slices.SortStableFunc(all, func(a, b free) int { return cmp.Compare(a.since, b.since) })
	for _, f := range all {
		taken, err := l.taken(c, f.address)
		if err != nil {
			return netip.Addr{}, err
		}
		if !taken {
			return f.address, l.put(c, f.address, l.ticket, l.until)
		}
		if _, err := c.exec("UPDATE lease SET until = ?2 WHERE address = ?1", f.address.AsSlice(), micro(l.now)); err != nil {
			return netip.Addr{}, err
		}
	}
	return netip.Addr{}, nil
}

func (l lease) put(c *conn, a netip.Addr, ticket int64, until time.Time) error {
	_, err := c.exec(`INSERT INTO lease VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT DO UPDATE SET client = excluded.client, ticket = excluded.ticket, until = excluded.until`,
		a.AsSlice(), l.client, ticket, micro(until))
	return err
}

// taken reports whether a live session of another ticket is on the address.
func (l lease) taken(c *conn, a netip.Addr) (bool, error) {
	on := Session{Address4: a}
	if a.Is6() {
		on = Session{Address6: netip.PrefixFrom(a, 128)}
	}
	found := false
	err := onAddresses(on, func(sessions string, args ...any) error {
		return c.each("SELECT ticket FROM "+sessions, func(row []driver.Value) error {
			found = found || row[0].(int64) != l.ticket
			return nil
		}, args...)
	})
	return found, err
}

// hostRange are the addresses of a prefix that may be given.
type hostRange struct{ first, last netip.Addr }

func (h hostRange) contains(a netip.Addr) bool {
	return a.BitLen() == h.first.BitLen() && !a.Less(h.first) && !h.last.Less(a)
}

func hostsOf(p netip.Prefix) (hostRange, bool) {
	low, high := p.Masked().Addr(), lastOf(p)
	if !low.IsValid() {
		return hostRange{}, false
	}
	h := hostRange{low.Next().Next(), high}
	if low.Is4() {
		h.last = high.Prev()
	}
	if most := lastOf(netip.PrefixFrom(low, low.BitLen()-16)); most.Less(h.last) {
		h.last = most
	}
	return h, h.first.IsValid() && h.last.IsValid() && p.Contains(h.first) && !h.last.Less(h.first)
}

func scanAddress(v driver.Value) netip.Addr {
	octets, _ := v.([]byte)
	a, _ := netip.AddrFromSlice(octets)
	return a
}
