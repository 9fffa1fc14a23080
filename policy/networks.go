package policy

import (
	"net/netip"
	"slices"
)

// Networks finds what belongs to an address: of the prefixes that hold it the
// longest one decides. An IPv4-mapped address or prefix is the IPv4 one (RFC
// 4291 section 2.5.5.2), a scope id is ignored. The zero Networks is empty. It
// may be read by many at once while nobody puts anything.
type Networks[T any] struct {
	of    map[netip.Prefix]T
	bits4 []int // lengths in use, the longest first
	bits6 []int
}

// Put gives the addresses of a prefix their value, in place of what the very
// same prefix had. It reports false for what is no prefix, or one that holds
// more than the IPv4-mapped addresses.
func (n *Networks[T]) Put(prefix netip.Prefix, value T) bool {
	prefix, ok := plain(prefix)
	if !ok {
		return false
	}
	if n.of == nil {
		n.of = make(map[netip.Prefix]T)
	}
	n.of[prefix] = value
	bits := &n.bits6
	if prefix.Addr().Is4() {
		bits = &n.bits4
	}
	longestFirst := func(a, b int) int { return b - a }
	if at, there := slices.BinarySearchFunc(*bits, prefix.Bits(), longestFirst); !there {
		*bits = slices.Insert(*bits, at, prefix.Bits())
	}
	return true
}

// Has returns what was put for the very same prefix.
func (n *Networks[T]) Has(prefix netip.Prefix) (value T, ok bool) {
	prefix, ok = plain(prefix)
	if ok {
		value, ok = n.of[prefix]
	}
	return value, ok
}

// Of returns what belongs to the address.
func (n *Networks[T]) Of(addr netip.Addr) (value T, ok bool) {
	addr = addr.Unmap().WithZone("")
	lengths := n.bits6
	if addr.Is4() {
		lengths = n.bits4
	}
	for _, bits := range lengths {
		prefix, err := addr.Prefix(bits)
		if err != nil {
			break // the zero address
		}
		if value, ok = n.of[prefix]; ok {
			return value, true
		}
	}
	return value, false
}

// plain is the prefix without host bits, IPv4 where it stands for IPv4.
func plain(p netip.Prefix) (netip.Prefix, bool) {
	if p.IsValid() && p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), p.IsValid()
}
