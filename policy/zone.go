package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Zone is a named part of the network. It says where somebody sits, never who
// somebody is.
type Zone struct {
	Name     string
	Prefixes []netip.Prefix // may be empty: a zone that only a listener or client names
	Shared   bool           // many people sit behind one address
	Enrol    bool           // a first code device may be enrolled from here
}

// Zones finds the zone of an address. The nil Zones knows only [OffCampus].
// It does not change once made.
type Zones struct {
	list   []Zone        // OffCampus is always among them
	where  Networks[int] // into list
	byName map[string]int
}

// NewZones checks the zones and makes them ready to be asked. An IPv4-mapped
// IPv6 prefix counts as the IPv4 one (RFC 4291 section 2.5.5.2). The error is
// of type [Faults]: a doubled name, one prefix in two zones, host bits behind
// a prefix, enrolment from outside.
func NewZones(zones []Zone) (*Zones, error) {
	z := &Zones{byName: map[string]int{}}
	var faults Faults
	for _, zone := range zones {
		if zone.Name == "" {
			faults.zone("", "name", "is empty; name the zone")
			continue
		}
		if _, doubled := z.byName[zone.Name]; doubled {
			faults.zone(zone.Name, "name", "stands twice; put all prefixes into one zone")
			continue
		}
		if zone.Name == OffCampus && zone.Enrol {
			faults.zone(zone.Name, "enrol", "would let whoever has a password enrol first, from anywhere; take it out")
		}
		zone.Prefixes = slices.Clone(zone.Prefixes)
		z.byName[zone.Name] = len(z.list)
		z.list = append(z.list, zone)
	}
	if _, ok := z.byName[OffCampus]; !ok {
		z.byName[OffCampus] = len(z.list)
		z.list = append(z.list, Zone{Name: OffCampus})
	}
	for i, zone := range z.list {
		for k, given := range zone.Prefixes {
			prefix, err := canonical(given)
			if err != nil {
				faults.zone(zone.Name, fmt.Sprintf("prefixes[%d]", k), "%v", err)
				continue
			}
			if other, taken := z.where.Has(prefix); taken && other != i {
				faults.zone(zone.Name, fmt.Sprintf("prefixes[%d]", k), "%v is in zone %q, too; keep one of them", prefix, z.list[other].Name)
				continue
			}
			zone.Prefixes[k] = prefix
			z.where.Put(prefix, i)
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return z, nil
}

// Of returns the zone of the longest prefix that holds addr, else OffCampus,
// also for the zero Addr. A scope id is ignored. The Shared of a configured
// OffCampus holds for its own prefixes only: the rest of the world is not
// behind one address. The Prefixes of the answer must not be changed.
func (z *Zones) Of(addr netip.Addr) Zone {
	if z == nil {
		return Zone{Name: OffCampus}
	}
	if i, ok := z.where.Of(addr); ok {
		return z.list[i]
	}
	return Zone{Name: OffCampus}
}

// Named returns the zone that a listener or client fixes by its name, and
// whether there is one. OffCampus is always there, and not shared.
func (z *Zones) Named(name string) (Zone, bool) {
	if name == OffCampus {
		return Zone{Name: OffCampus}, true
	}
	if z == nil {
		return Zone{}, false
	}
	i, ok := z.byName[name]
	if !ok {
		return Zone{}, false
	}
	return z.list[i], true
}

// Names lists every zone, OffCampus among them, sorted.
func (z *Zones) Names() []string {
	if z == nil {
		return []string{OffCampus}
	}
	names := make([]string, len(z.list))
	for i, zone := range z.list {
		names[i] = zone.Name
	}
	slices.Sort(names)
	return names
}

// ParsePrefix reads an address or a prefix. An address is the prefix that
// holds only itself; an IPv4-mapped one is the IPv4 one; host bits and scope
// ids are refused, since they are mostly a slip.
func ParsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		if addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q has a scope id; take it out", text)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a prefix; write it like 192.0.2.0/24 or 2001:db8::/32", text)
	}
	return canonical(prefix)
}

func canonical(prefix netip.Prefix) (netip.Prefix, error) {
	if !prefix.IsValid() {
		return netip.Prefix{}, errors.New("is no prefix; write it like 192.0.2.0/24")
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%v holds more than the IPv4-mapped addresses; write the IPv4 prefix", prefix)
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	if masked := prefix.Masked(); masked != prefix {
		return netip.Prefix{}, fmt.Errorf("%v has bits behind its length; did you mean %v or %v/%d?", prefix, masked, prefix.Addr(), prefix.Addr().BitLen())
	}
	return prefix, nil
}
