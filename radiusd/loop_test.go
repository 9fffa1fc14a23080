package radiusd

import (
	"net"
	"testing"
)

// A socket of both families tells an IPv4 source as an IPv6 one.
func TestSender(t *testing.T) {
	r := prepare(t, nil)
	for from, name := range map[string]string{"127.0.0.9": "vpn1", "192.0.2.9": "", "::1": ""} {
		n, got, ok := r.sender(&net.UDPAddr{IP: net.ParseIP(from).To16(), Port: 1645})
		if !ok || n.Name != name || (n == r.unknown) != (name == "") || got.Addr().String() != from || got.Port() != 1645 {
			t.Errorf("%s: %q at %v, %v", from, n.Name, got, ok)
		}
	}
	if n, _, ok := r.sender(&net.UnixAddr{}); ok || n != r.unknown {
		t.Errorf("not by UDP: %q, %v", n.Name, ok)
	}
}
