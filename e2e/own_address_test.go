package e2e

import (
	"strings"
	"testing"
)

// ownAddress makes the VPN box tell each person's own address, which is
// judged, with a network of the campus to be in.
var ownAddress = []string{
	`address = "127.0.0.1"`, "address = \"127.0.0.1\"\nsource  = \"calling-station-id\"\ntunnel_client_endpoint = true",
	`["127.0.0.2/32"]`, `["127.0.0.2/32", "192.0.2.0/24", "2001:db8:1::/48"]`,
}

func tunnel(address string) string { return `Tunnel-Client-Endpoint:0 = "` + address + `"` }

func TestOwnAddressInsideNeedsThePasswordAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, ownAddress...)
	s.enrol("alice")
	s.serve()
	for _, told := range []string{station("192.0.2.7"), station("192.0.2.7:500"), station("192.0.2.7[500]"), station("2001:db8:1::7"), station("[2001:db8:1::7]:500"), tunnel("192.0.2.7")} {
		wantAccept(t, s.signIn(outside, "alice", password, told))
	}
	for _, e := range s.book("--outcome", "admitted") {
		if told := s.run("why", e.Reference); !strings.Contains(told, "known by calling-station-id, zone campus") && !strings.Contains(told, "known by tunnel-client-endpoint, zone campus") {
			t.Errorf("why does not tell how the address is known:\n%s", told)
		}
	}
}

func TestOwnAddressOutsideNeedsACode(t *testing.T) {
	t.Parallel()
	s := newSite(t, ownAddress...)
	alice := s.enrol("alice")
	s.serve()
	for _, told := range [][]string{
		{station("203.0.113.7")},
		{station("02-00-5E-10-00-01")},
		{station("00:11:22:33:44:55:66:77")},
		{station("192.0.2.7/24")},
		{},
		{station("192.0.2.7"), station("203.0.113.7")},
		{station("203.0.113.7"), station("192.0.2.7")},
		{station("203.0.113.7"), tunnel("192.0.2.7")},
		{station("02-00-5E-10-00-01"), tunnel("192.0.2.7")},
	} {
		s.wantReject(s.signIn(outside, "alice", password, told...), "code_missing")
	}
	wantAccept(t, s.signIn(outside, "alice", password+alice.code(), station("203.0.113.7")))
}
