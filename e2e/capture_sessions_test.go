package e2e

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// acct is where the server takes accounting: one port above sign-ins.
func (s *site) acct() string {
	s.t.Helper()
	host, port, err := net.SplitHostPort(s.radius)
	if err != nil {
		s.t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		s.t.Fatal(err)
	}
	return net.JoinHostPort(host, fmt.Sprint(n+1))
}

// record sends an Accounting-Request of alice's session.
func (s *site) record(status string, more ...string) reply {
	s.t.Helper()
	return s.askWith([]string{"-r", "1", "-t", "3"}, s.acct(), "acct", secret, append([]string{
		"Acct-Status-Type = " + status, `Acct-Session-Id = "s1"`, `User-Name = "alice"`, `NAS-Identifier = "e2e"`, station("203.0.113.7"),
		"Proxy-State = 0x0304", "Proxy-State = 0x05",
	}, more...)...)
}

// A challenge and the records of a session, as another program sees them on
// the wire.
func TestChallengesAndRecordsOnTheWire(t *testing.T) {
	t.Parallel()
	need(t, "root", "tshark", "radclient", "oathtool")
	s := newSite(t, "service = \"ssl-vpn\"\n\n[[radius.client]]\nname    = \"campus-switch\"",
		"service = \"ssl-vpn\"\notp = \"challenge\"\ntunnel = [\"198.51.100.0/24\"]\n\n[[radius.client]]\nname    = \"campus-switch\"")
	alice := s.enrol("alice")
	s.serve()
	auth, acct := s.capture(), s.captureAt(s.acct())

	first := s.signIn(outside, "alice", password, station("203.0.113.7"), "Proxy-State = 0x0102")
	state := first.get("State")
	if first.code != "Access-Challenge" || state == "" || first.get("Prompt") != "No-Echo" || !strings.Contains(first.get("Reply-Message"), "code") {
		t.Fatalf("answered %+v", first)
	}
	second := s.signIn(outside, "alice", alice.code(), station("203.0.113.7"), "State = "+state)
	wantAccept(t, second)
	class := second.get("Class")
	if class == "" || second.get("Acct-Interim-Interval") != "60" {
		t.Errorf("answered %+v", second)
	}
	for _, r := range []reply{
		s.record("Start", "Class = "+class),
		s.record("Interim-Update", "Class = "+class, "Framed-IP-Address = 198.51.100.20", "Acct-Session-Time = 60"),
		s.record("15", "Acct-Session-Time = 61"), // Failed: no status of ours
	} {
		if r.code != "Accounting-Response" || !slices.Equal(r.attributes, []string{"Proxy-State = 0x0304", "Proxy-State = 0x05"}) {
			t.Errorf("answered %+v", r)
		}
	}
	list := s.sessions()
	if len(list) != 1 || list[0].User != "alice" || list[0].Ticket == "" || strings.Join(list[0].Address, " ") != "198.51.100.20" {
		t.Errorf("sessions: %s", s.run("sessions", "--json"))
	}
	if r := s.record("Stop", "Class = "+class); r.code != "Accounting-Response" {
		t.Errorf("answered %+v", r)
	}
	if list := s.sessions(); len(list) != 0 {
		t.Errorf("sessions after the Stop: %+v", list)
	}
	auth.end()
	acct.end()

	for _, f := range auth.fields("radius.code == 11", "radius.avp.type") {
		if f[0] != "80,18,24,76,33" { // Message-Authenticator first, no Class
			t.Errorf("the challenge has the attributes %s", f[0])
		}
	}
	for c, answers := range map[*capture]int{auth: 2, acct: 4} {
		if good := c.fields("radius.authenticator.valid == 1", "frame.number"); len(good) != answers {
			t.Errorf("port %s: tshark holds %d answers for right, want %d", c.port, len(good), answers)
		}
		if bad := c.fields("radius.authenticator.invalid == 1", "frame.number"); len(bad) > 0 {
			t.Errorf("port %s: tshark holds these for forged: %v", c.port, bad)
		}
		if bad := c.fields("radius && (_ws.malformed || _ws.expert.severity == error)", "frame.number", "_ws.expert.message"); len(bad) > 0 {
			t.Errorf("port %s: tshark complains: %v", c.port, bad)
		}
	}
	auth.verify()
}
