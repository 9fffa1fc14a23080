package store

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"time"
)

// The lengths of a network that a session is kept with: from /32 to /128 by
// four bits, since every one that may lie around an address is looked up. A
// network of another length counts as not told.
const (
	shortest   = 32
	lengthStep = 4
	lengths    = (128-shortest)/lengthStep + 1
)

func address4Text(a netip.Addr) string {
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	return ""
}

func parseAddress4(text string) netip.Addr {
	a, _ := netip.ParseAddr(text)
	return a
}

// address6Text sorts a network next to those inside it.
func address6Text(p netip.Prefix) string {
	if !p.IsValid() || !p.Addr().Is6() || p.Addr().Is4In6() || p.Bits() < shortest || p.Bits()%lengthStep != 0 {
		return ""
	}
	return hex6(p.Masked().Addr()) + fmt.Sprintf("/%03d", p.Bits())
}

func hex6(a netip.Addr) string {
	octets := a.As16()
	return hex.EncodeToString(octets[:])
}

func parseAddress6(text string) netip.Prefix {
	var octets [16]byte
	if len(text) != 2*len(octets)+4 {
		return netip.Prefix{}
	}
	hex.Decode(octets[:], []byte(text[:2*len(octets)]))
	bits, _ := strconv.Atoi(text[2*len(octets)+1:])
	return netip.PrefixFrom(netip.AddrFrom16(octets), bits)
}

// around are the texts of the networks around p.
func around(p netip.Prefix) []any {
	texts := make([]any, lengths)
	for i := range texts {
		texts[i] = ""
		if bits := shortest + i*lengthStep; bits < p.Bits() {
			texts[i] = address6Text(netip.PrefixFrom(p.Addr(), bits))
		}
	}
	return texts
}

// inside is the first and the last text of the networks inside p, itself
// among them.
func inside(p netip.Prefix) (first, last string) {
	return address6Text(p), hex6(lastOf(p)) + "/128"
}

// lastOf is the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	octets := p.Addr().AsSlice()
	for bit := max(p.Bits(), 0); bit < 8*len(octets); bit++ {
		octets[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(octets)
	return last
}

// The live sessions on an address, inside a network, around one, those whose
// address is not known, and those that are or are not where they should be. The
// indices are named, since those of all live sessions look as good to SQLite.
var (
	onAddress4 = "session INDEXED BY session_address4 WHERE stopped = 0 AND address4 <> '' AND address4 = ?1"
	inside6    = "session INDEXED BY session_address6 WHERE stopped = 0 AND address6 <> '' AND address6 BETWEEN ?1 AND ?2"
	around6    = "session INDEXED BY session_address6 WHERE stopped = 0 AND address6 <> '' AND address6 IN (''" + placeholders(1, lengths) + ")"
	nameless   = "session INDEXED BY session_nameless WHERE stopped = 0 AND address4 = '' AND address6 = '' AND client = ?1 AND leased = ?2"
	onLeases   = "session INDEXED BY session_leased WHERE stopped = 0 AND leased > 1 AND client = ?1 AND leased = ?2"
)

// placeholders are ,?from,?from+1 and so on.
func placeholders(from, n int) string {
	var b []byte
	for i := range n {
		b = append(b, ",?"...)
		b = strconv.AppendInt(b, int64(from+i), 10)
	}
	return string(b)
}

// Place is what is known of a tunnel address.
type Place struct {
	On []Session // the live sessions on it, of any client

	// Whose it may be: of whom it was given to or, if to nobody, of the only
	// session on it that is not ousted. Ticket 0: nobody's.
	Client         string
	Person, Ticket int64
	Leased         bool      // it was given to the ticket
	Own            []Session // the live ones of the ticket it was given to

	// When the latest session of another person at this client began whose
	// address is not known; zero: there is none.
	Nameless time.Time
	Waiting  time.Time // likewise, of those whose ticket was given an address

	// Whether a session of the client is seen on the address that its ticket
	// was given; whether one is elsewhere, or where another should be.
	Keeps, Strays bool
}

// PlaceOf is what is known of the address at now.
func (s *Store) PlaceOf(ctx context.Context, addr netip.Addr, now time.Time) (p Place, err error) {
	err = s.reading(ctx, func(c *conn) error {
		// Upon one state: a session that tells its address meanwhile must not
		// be missing everywhere.
		return c.snapshot(func() error {
			p, err = placeOf(c, addr.Unmap().WithZone(""), now)
			return err
		})
	})
	if err != nil {
		return Place{}, fmt.Errorf("who is at an address: %w", err)
	}
	return p, nil
}

func placeOf(c *conn, addr netip.Addr, now time.Time) (p Place, err error) {
	err = onAddresses(single(addr), func(sessions string, args ...any) error {
		return c.each("SELECT "+sessionFields+" FROM "+sessions, func(row []driver.Value) error {
			p.On = append(p.On, scanSession(row))
			return nil
		}, args...)
	})
	if err != nil {
		return p, err
	}
	if err := p.find(c, addr, now); err != nil || p.Ticket == 0 {
		return p, err
	}
	if p.Leased {
		if p.Own, err = sessionsWith(c, p.Ticket); err != nil {
			return p, err
		}
	}
	for leased, latest := range []*time.Time{leaseNone: &p.Nameless, leaseUntold: &p.Waiting} {
		err := c.each("SELECT started FROM "+nameless+" AND person <> ?3 ORDER BY started DESC LIMIT 1", func(row []driver.Value) error {
			*latest = fromMicro(row[0].(int64))
			return nil
		}, p.Client, int64(leased), p.Person)
		if err != nil {
			return p, err
		}
	}
	for became, seen := range map[int64]*bool{leaseKept: &p.Keeps, leaseStray: &p.Strays} {
		n, err := c.one("SELECT 1 FROM "+onLeases+" LIMIT 1", p.Client, became)
		if err != nil {
			return p, err
		}
		*seen = n > 0
	}
	return p, nil
}

// find tells whose the address may be.
func (p *Place) find(c *conn, addr netip.Addr, now time.Time) error {
	err := c.each(`SELECT lease.client, lease.ticket, ticket.person FROM lease JOIN ticket ON ticket.id = lease.ticket
		WHERE lease.address = ?1 AND lease.until > ?2`, func(row []driver.Value) error {
		p.Client, p.Ticket, p.Person, p.Leased = row[0].(string), row[1].(int64), row[2].(int64), true
		return nil
	}, addr.AsSlice(), micro(now))
	if err != nil || p.Leased {
		return err
	}
	if s := p.Alone(); s != nil {
		p.Client, p.Ticket, p.Person = s.Client, s.Ticket, s.Person
	}
	return nil
}

// Alone is the only session there that is not ousted; nil if there is none, or
// more than one.
func (p *Place) Alone() (alone *Session) {
	for i := range p.On {
		switch {
		case p.On[i].Ousted:
		case alone != nil:
			return nil
		default:
			alone = &p.On[i]
		}
	}
	return alone
}

// single is a session on one address.
func single(addr netip.Addr) Session {
	if addr.Is6() {
		return Session{Address6: netip.PrefixFrom(addr, 128)}
	}
	return Session{Address4: addr}
}

// oust marks the other live sessions on the session's addresses that were not
// seen there since. later reports that one was: the record is an old one.
func oust(c *conn, s Session) (later bool, err error) {
	err = onAddresses(s, func(sessions string, args ...any) error {
		var others []int64
		err := c.each("SELECT id, named, ousted FROM "+sessions, func(row []driver.Value) error {
			switch id, named, ousted := row[0].(int64), row[1].(int64), row[2].(int64); {
			case id == s.ID:
			case named > micro(s.Named):
				later = true
			case ousted == 0:
				others = append(others, id)
			}
			return nil
		}, args...)
		if err != nil {
			return err
		}
		for _, id := range others {
			if _, err := c.exec("UPDATE session SET ousted = 1 WHERE id = ?1", id); err != nil {
				return err
			}
		}
		return nil
	})
	return later, err
}

// onAddresses calls look with what selects the live sessions on the addresses
// of s: once for each way to be on one.
func onAddresses(s Session, look func(sessions string, args ...any) error) error {
	if text := address4Text(s.Address4); text != "" {
		if err := look(onAddress4, text); err != nil {
			return err
		}
	}
	if address6Text(s.Address6) == "" {
		return nil
	}
	first, last := inside(s.Address6)
	if err := look(inside6, first, last); err != nil {
		return err
	}
	return look(around6, around(s.Address6)...)
}
