package radiusd

import (
	"net/netip"
	"strings"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc3162"
)

// What stands before the parts of a machine's name. They keep an identifier
// that reads like an address apart from an address.
const (
	toldAddress    = "ip:"
	toldIdentifier = "id:"
)

// machine is what a NAS tells of itself: ip:192.0.2.1,id:box. It is all that
// is told, since two may have been given one identifier. The identifier comes
// last, so it may hold any text.
func (r *report) machine() string {
	var parts []string
	for _, typ := range []radius.Type{rfc2865.NASIPAddress_Type, rfc3162.NASIPv6Address_Type} {
		if addr, ok := netip.AddrFromSlice(r.told[typ]); ok {
			parts = append(parts, toldAddress+addr.String())
		}
	}
	if name := r.told[rfc2865.NASIdentifier_Type]; len(name) > 0 {
		parts = append(parts, toldIdentifier+escaped(name))
	}
	return strings.Join(parts, ",")
}

// machine adds the attributes that make such a name, and none for any other.
func (r *reply) machine(name string) {
	for name != "" {
		if identifier, ok := strings.CutPrefix(name, toldIdentifier); ok {
			r.add(rfc2865.NASIdentifier_Type, unescaped(identifier))
			return
		}
		var part string
		part, name, _ = strings.Cut(name, ",")
		text, told := strings.CutPrefix(part, toldAddress)
		switch addr, err := netip.ParseAddr(text); {
		case !told || err != nil:
		case addr.Is4():
			r.add(rfc2865.NASIPAddress_Type, addr.AsSlice())
		default:
			r.add(rfc3162.NASIPv6Address_Type, addr.AsSlice())
		}
	}
}

// calls is how a NAS wants to be called in an order about one of its
// sessions: as the session's record did, or, where that goes by the client,
// as the client last did.
func (n *nas) calls(machine string) string {
	if strings.HasPrefix(machine, toldAddress) || strings.HasPrefix(machine, toldIdentifier) {
		return machine
	}
	return n.evidence.calls()
}
