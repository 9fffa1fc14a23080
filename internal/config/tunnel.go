package config

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sekisho/policy"
)

// How often a client is asked to tell of a session (Acct-Interim-Interval).
// RFC 2869 section 5.16: never below a minute, and it should not be below ten;
// but whoever has a tunnel address is believed for 70 seconds after a record.
const (
	leastInterim = time.Minute
	mostInterim  = 24 * time.Hour
)

// readTunnel reads where the client's people have their addresses, and how
// it is known who has which.
func readTunnel(t *table, c *Client) {
	c.Tunnel = t.prefixes("tunnel")
	for i, prefix := range c.Tunnel {
		if prefix.IsValid() {
			t.checkTunnel(fmt.Sprintf("tunnel[%d]", i), prefix, c)
		}
	}
	c.Pool = t.prefixes("pool")
	for i, prefix := range c.Pool {
		t.checkPool(fmt.Sprintf("pool[%d]", i), prefix, c)
	}
	interim := time.Duration(0)
	if len(c.Tunnel) > 0 {
		interim = leastInterim
	}
	switch c.Interim = t.time("interim", interim); {
	case c.Interim == 0:
	case c.Interim < leastInterim || c.Interim > mostInterim:
		t.fault("interim", `%v is out of bounds; choose between %v and %v, or "0s" to ask for nothing`, c.Interim, leastInterim, mostInterim)
	case c.Interim%time.Second != 0:
		t.fault("interim", `%v is not a whole number of seconds; write "60s"`, c.Interim)
	case c.Interim > leastInterim && len(c.Tunnel) > 0 && len(c.Pool) == 0:
		t.warn("interim", "%v is long: who has a tunnel address is believed for 70 s after each record, and then not until the next; write \"60s\"", c.Interim)
	}
}

// checkTunnel wants addresses that nobody has but those who come by the
// client, and which are a zone of their own or none.
func (t *table) checkTunnel(key string, tunnel netip.Prefix, c *Client) {
	least := 8
	if tunnel.Addr().Is6() {
		least = 16
	}
	switch {
	case tunnel.Bits() < least:
		t.fault(key, "%v is more than one client has to give out, and it would vouch for all of it; name its addresses, a /%d at the most", tunnel, least)
	case tunnel.Overlaps(c.Prefix):
		t.fault(key, "%v holds the client's own address, %v, which it gives to nobody; name the addresses that it gives out", tunnel, c.Prefix)
	default:
		around, within := t.r.zonesOf(tunnel)
		if around.Enrol {
			t.warn(key, "%v is in %q, where a first code device may be enrolled: whoever comes by the VPN could do that from anywhere; give the tunnel a zone of its own", tunnel, around.Name)
		}
		if around.Shared {
			t.warnShared(key, tunnel, around)
		}
		for _, zone := range within {
			if zone.Shared {
				t.warnShared(key, tunnel, zone)
			} else {
				t.warn(key, "%v holds addresses of %q: whoever is there counts as having come by the VPN; name the addresses that the client gives out", tunnel, zone.Name)
			}
		}
	}
}

func (t *table) warnShared(key string, tunnel netip.Prefix, zone policy.Zone) {
	t.warn(key, "%v is in %q, where many people are behind one address: nobody can go on there as whoever the tunnel says; give the tunnel a zone of its own", tunnel, zone.Name)
}

// zonesOf are the zone that holds all of the network, with the longest prefix,
// and those that hold a part of it alone.
func (r *reader) zonesOf(network netip.Prefix) (around policy.Zone, within []policy.Zone) {
	longest := -1
	for _, zone := range r.zones {
		part := false
		for _, prefix := range zone.Prefixes {
			switch {
			case !prefix.IsValid() || !prefix.Overlaps(network):
			case prefix.Bits() > network.Bits():
				part = true
			case prefix.Bits() > longest:
				around, longest = zone, prefix.Bits()
			}
		}
		if part {
			within = append(within, zone)
		}
	}
	return around, within
}

// checkPool wants addresses of the tunnel, and not so many that the free one
// is hard to find.
func (t *table) checkPool(key string, prefix netip.Prefix, c *Client) {
	inside := func(tunnel netip.Prefix) bool {
		return tunnel.IsValid() && tunnel.Bits() <= prefix.Bits() && tunnel.Contains(prefix.Addr())
	}
	given := func(a Attribute) bool { return a.Number == "8" || a.Number == "168" }
	switch {
	case !prefix.IsValid():
	case prefix.Addr().Is6():
		t.fault(key, "%v is IPv6, and only Framed-IP-Address is given out; name IPv4 addresses", prefix)
	case prefix.Bits() < 16 || prefix.Bits() > 30:
		t.fault(key, "%v has the wrong size; choose between a /16 and a /30", prefix)
	case !slices.ContainsFunc(c.Tunnel, inside):
		t.fault(key, "%v is not in tunnel; name a part of it", prefix)
	case slices.ContainsFunc(c.Reply, given):
		t.fault(key, "can't go with a Framed-IP-Address or Framed-IPv6-Address in a reply; take one of them out")
	}
}

// tunnels remembers which client has which.
type tunnels []struct {
	netip.Prefix
	key string
}

// add takes a client's tunnel in. An address that two clients give out says
// nothing of who has it.
func (all *tunnels) add(t *table, list []netip.Prefix) {
	for i, prefix := range list {
		for _, other := range *all {
			if prefix.IsValid() && other.IsValid() && other.Overlaps(prefix) && other.key != t.key {
				t.fault(fmt.Sprintf("tunnel[%d]", i), "%v overlaps with the tunnel of %s, so neither could tell who is there; give each client its own, or make one client of the two", prefix, other.key)
			}
		}
		*all = append(*all, struct {
			netip.Prefix
			key string
		}{prefix, t.key})
	}
}

// wantsAccounting warns of what does not work while accounting is closed.
func (t *table) wantsAccounting(c Client) {
	const closed = "%s, since radius.acct is empty and no client can tell of its sessions; open it or take this out"
	if len(c.Tunnel) > 0 && len(c.Pool) == 0 {
		t.warn("tunnel", closed, "says nothing of who is there")
	}
	if c.Disconnect.To.IsValid() {
		t.warn("disconnect", closed, "ends no session")
	}
}
