package policy

import (
	"net/netip"
	"testing"
)

func TestNetworks(t *testing.T) {
	var n Networks[string]
	for _, p := range []string{
		"192.0.2.0/24", "192.0.2.128/25", "192.0.2.129/32", "0.0.0.0/0", "::ffff:198.51.100.0/120",
		"2001:db8::/32", "2001:db8:1::/48",
	} {
		if !n.Put(netip.MustParsePrefix(p), p) {
			t.Errorf("%s was not taken", p)
		}
	}
	for addr, want := range map[string]string{
		"192.0.2.1":          "192.0.2.0/24",
		"192.0.2.130":        "192.0.2.128/25",
		"192.0.2.129":        "192.0.2.129/32",
		"::ffff:192.0.2.129": "192.0.2.129/32",
		"198.51.100.7":       "::ffff:198.51.100.0/120",
		"203.0.113.1":        "0.0.0.0/0",
		"2001:db8:1::5":      "2001:db8:1::/48",
		"2001:db8:2::5%eth0": "2001:db8::/32",
		"2001:db9::1":        "",
	} {
		if got, ok := n.Of(netip.MustParseAddr(addr)); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", addr, got, ok, want)
		}
	}
	if _, ok := n.Of(netip.Addr{}); ok {
		t.Error("an unknown address belongs somewhere")
	}
	if got, ok := n.Has(netip.MustParsePrefix("::ffff:192.0.2.0/120")); !ok || got != "192.0.2.0/24" {
		t.Errorf("the mapped prefix is another one: %q %v", got, ok)
	}
	if _, ok := n.Has(netip.MustParsePrefix("192.0.2.0/26")); ok {
		t.Error("a prefix that was not put is there")
	}
}

func TestNetworksPutReplacesAndRefuses(t *testing.T) {
	var n Networks[int]
	p := netip.MustParsePrefix("192.0.2.0/24")
	n.Put(p, 1)
	n.Put(netip.MustParsePrefix("192.0.2.77/24"), 2) // host bits
	if got, _ := n.Of(netip.MustParseAddr("192.0.2.1")); got != 2 {
		t.Errorf("got %d", got)
	}
	for _, bad := range []netip.Prefix{{}, netip.MustParsePrefix("::ffff:0.0.0.0/95")} {
		if n.Put(bad, 3) {
			t.Errorf("%v was taken", bad)
		}
		if _, ok := n.Has(bad); ok {
			t.Errorf("%v is there", bad)
		}
	}
}
