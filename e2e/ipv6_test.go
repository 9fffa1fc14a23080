package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// A VPN that has nothing but IPv6: the client, the person's address, the
// second round, and the address in the tunnel.
func TestIPv6Alone(t *testing.T) {
	t.Parallel()
	need(t, "radclient", "oathtool")
	s := newSite(t,
		"address = \"127.0.0.1\"\nsecret  = \"testing123\"\nservice = \"ssl-vpn\"",
		"address = \"::1\"\nsecret  = \"testing123\"\nservice = \"ssl-vpn\"\notp = \"challenge\"\nsource = \"calling-station-id\"\ntunnel = [\"2001:db8:2::/48\"]",
		`prefixes = ["127.0.0.2/32"]`, `prefixes = ["2001:db8:1::/48"]`)
	_, port, _ := net.SplitHostPort(s.radius)
	s.change(fmt.Sprintf("[%q]", s.radius), fmt.Sprintf("[%q]", "[::1]:"+port))
	s.radius = "[::1]:" + port
	alice := s.enrol("alice")
	s.serve()
	ask := func(from, typed string, more ...string) reply {
		return s.radclient(append([]string{
			`User-Name = "alice"`, fmt.Sprintf("User-Password = %q", typed), station(from), "NAS-IPv6-Address = 2001:db8::9",
		}, more...)...)
	}
	wantAccept(t, ask("2001:db8:1::7", password)) // on campus the password is enough
	const home = "[2001:db8:9::7]:49152"
	first := ask(home, password)
	if first.code != "Access-Challenge" {
		t.Fatalf("answered %+v", first)
	}
	second := ask(home, alice.code(), "State = "+first.get("State"))
	wantAccept(t, second)
	record := func(status string, more ...string) {
		t.Helper()
		r := s.askWith([]string{"-r", "1", "-t", "3"}, s.acct(), "acct", secret, append([]string{
			"Acct-Status-Type = " + status, `Acct-Session-Id = "6"`, `User-Name = "alice"`, station(home),
			"NAS-IPv6-Address = 2001:db8::9", "Class = " + second.get("Class"),
		}, more...)...)
		if r.code != "Accounting-Response" {
			t.Errorf("answered %+v", r)
		}
	}
	record("Start", "Framed-IPv6-Prefix = 2001:db8:2:5::/64")
	list := s.sessions()
	if len(list) != 1 || strings.Join(list[0].Address, " ") != "2001:db8:2:5::/64" || list[0].Ticket == "" {
		t.Errorf("sessions: %+v", list)
	}
	record("Stop")
	if list := s.sessions(); len(list) != 0 {
		t.Errorf("sessions after the Stop: %+v", list)
	}
}
