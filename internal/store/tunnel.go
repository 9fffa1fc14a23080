package store

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
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

// The live sessions on an address, inside a network, and around one. The
// indices are named, since those of all live sessions look as good to SQLite.
var (
	onAddress4 = "session INDEXED BY session_address4 WHERE stopped = 0 AND address4 <> '' AND address4 = ?1"
	inside6    = "session INDEXED BY session_address6 WHERE stopped = 0 AND address6 <> '' AND address6 BETWEEN ?1 AND ?2"
	around6    = "session INDEXED BY session_address6 WHERE stopped = 0 AND address6 <> '' AND address6 IN (''" + placeholders(1, lengths) + ")"
	nameless   = "session INDEXED BY session_nameless WHERE stopped = 0 AND address4 = '' AND address6 = '' AND client = ?1"
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

// SessionsAt are the live sessions on a tunnel address, of any client, and
// those of the same clients whose address is not known.
func (s *Store) SessionsAt(ctx context.Context, addr netip.Addr) (on, nameless []Session, err error) {
	asked := Session{Address4: addr}
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		asked = Session{Address6: netip.PrefixFrom(addr, 128)}
	}
	err = s.reading(ctx, func(c *conn) error {
		on, nameless, err = sessionsAt(c, asked)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sessions at an address: %w", err)
	}
	return on, nameless, nil
}

// sessionsAt reads both upon one state: a session that tells its address
// meanwhile must not be missing from either.
func sessionsAt(c *conn, asked Session) (on, unknown []Session, err error) {
	err = c.snapshot(func() error {
		clients := make(map[string]bool)
		err := onAddresses(asked, func(sessions string, args ...any) error {
			return c.each("SELECT "+sessionFields+" FROM "+sessions, func(row []driver.Value) error {
				on = append(on, scanSession(row))
				clients[on[len(on)-1].Client] = true
				return nil
			}, args...)
		})
		for client := range clients {
			if err == nil {
				err = c.each("SELECT "+sessionFields+" FROM "+nameless, func(row []driver.Value) error {
					unknown = append(unknown, scanSession(row))
					return nil
				}, client)
			}
		}
		return err
	})
	return on, unknown, err
}

// oust marks the other live sessions on the session's addresses.
func oust(c *conn, s Session) error {
	return onAddresses(s, func(sessions string, args ...any) error {
		var others []int64
		err := c.each("SELECT id FROM "+sessions+" AND ousted = 0", func(row []driver.Value) error {
			if id := row[0].(int64); id != s.ID {
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
