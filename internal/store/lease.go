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
// means that none is free. Once a session of the ticket is heard of, the
// address is the ticket's until that ends. A person who has three of a client
// with no session gets the oldest of those again: nobody uses up a pool.
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
	for _, find := range []func(*conn, []hostRange) (netip.Addr, error){l.again, l.unused, l.fresh, l.oldest} {
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

// unusedMost are the addresses of one client without a session that a person
// may have: a telephone and a computer dial in at once, and one tries again.
const unusedMost = 3

// unused is the oldest of those.
func (l lease) unused(c *conn, pool []hostRange) (netip.Addr, error) {
	var had []netip.Addr
	err := c.each(`SELECT address FROM lease WHERE person = (SELECT person FROM ticket WHERE id = ?1) AND person <> 0 AND client = ?2
		AND ticket <> ?1 AND until > ?3 AND NOT EXISTS (SELECT 1 FROM session WHERE ticket = lease.ticket AND ticket <> 0 AND stopped = 0)
		ORDER BY until`, func(row []driver.Value) error {
		if a := scanAddress(row[0]); slices.ContainsFunc(pool, func(h hostRange) bool { return h.contains(a) }) {
			had = append(had, a)
		}
		return nil
	}, l.ticket, l.client, micro(l.now))
	if err != nil || len(had) < unusedMost {
		return netip.Addr{}, err
	}
	for _, a := range had {
		if taken, err := l.taken(c, a); err != nil {
			return netip.Addr{}, err
		} else if !taken {
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
	_, err := c.exec(`INSERT INTO lease VALUES (?1, ?2, ?3, ?4, coalesce((SELECT person FROM ticket WHERE id = ?3), 0))
		ON CONFLICT DO UPDATE SET client = excluded.client, ticket = excluded.ticket, person = excluded.person,
		until = CASE WHEN ticket = excluded.ticket THEN max(until, excluded.until) ELSE excluded.until END`,
		a.AsSlice(), l.client, ticket, micro(until))
	return err
}

// What became of the address that the ticket of a session was given.
const (
	leaseNone   = iota // there is none
	leaseUntold        // the session has not told its own yet
	leaseKept          // it is there
	leaseStray         // it is on another, or on one that is not its ticket's
)

// heardOfLease makes the address that the session's ticket was given the
// ticket's own until that ends, and notes what became of it where the session
// lives.
func heardOfLease(c *conn, s Session) error {
	if !s.Stopped.IsZero() {
		return nil
	}
	told4, told6 := address4Text(s.Address4) != "", address6Text(s.Address6) != ""
	var told []netip.Addr
	if told4 {
		told = append(told, s.Address4.Unmap())
	}
	if told6 && s.Address6.IsSingleIP() {
		told = append(told, s.Address6.Addr())
	}
	became := int64(leaseNone)
	err := c.each("SELECT address FROM lease WHERE ticket = ?1 AND ticket <> 0 AND client = ?2", func(row []driver.Value) error {
		given := scanAddress(row[0])
		became = max(became, leaseUntold)
		switch {
		case slices.Contains(told, given), told6 && s.Address6.Contains(given):
			became = max(became, leaseKept)
		case given.Is4() && told4, given.Is6() && told6:
			became = leaseStray
		}
		return nil
	}, s.Ticket, s.Client)
	if err != nil {
		return err
	}
	if became != leaseNone {
		_, err := c.exec(`UPDATE lease SET until = ticket.until FROM ticket WHERE ticket.id = lease.ticket AND ticket.ended = 0
			AND lease.ticket = ?1 AND lease.client = ?2 AND lease.until < ticket.until`, s.Ticket, s.Client)
		if err != nil {
			return err
		}
	}
	for _, a := range told {
		others, err := c.one("SELECT count(*) FROM lease WHERE address = ?1 AND client = ?2 AND ticket <> ?3", a.AsSlice(), s.Client, s.Ticket)
		if err != nil {
			return err
		}
		if others > 0 {
			became = leaseStray
		}
	}
	if s.ID == 0 && became == leaseNone {
		return nil
	}
	_, err = c.exec("UPDATE session SET leased = ?4 WHERE client = ?1 AND nas = ?2 AND name = ?3 AND leased <> ?4", s.Client, s.NAS, s.Name, became)
	return err
}

// taken reports whether a live session of another ticket is on the address.
func (l lease) taken(c *conn, a netip.Addr) (bool, error) {
	found := false
	err := onAddresses(single(a), func(sessions string, args ...any) error {
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
