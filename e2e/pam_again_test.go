package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lossy passes requests on to the server, and loses every answer. It returns
// the address where it listens.
func (s *site) lossy(from string) string {
	s.t.Helper()
	in, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	server, err := net.ResolveUDPAddr("udp", s.radius)
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, server)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { in.Close(); out.Close() })
	go func() {
		datagram := make([]byte, 4096)
		for {
			n, _, err := in.ReadFrom(datagram)
			if err != nil {
				return
			}
			out.Write(datagram[:n])
		}
	}()
	return in.LocalAddr().String()
}

// The answer of the first address is lost, and PAM asks the second with the
// same password and code: the person is let in, by the ticket of the first.
func TestPAMAsksTheSecondServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.pamService()
	alice := s.enrol("alice")
	_, port, _ := net.SplitHostPort(s.radius)
	second := net.JoinHostPort("127.0.0.5", port)
	s.change(fmt.Sprintf("[%q]", s.radius), fmt.Sprintf("[%q, %q]", s.radius, second))
	server := s.serve()
	conf := filepath.Join(s.dir, "pam_radius_auth.conf")
	lines := fmt.Sprintf("%s %s 3 %s\n%s %s 3 %s\n", s.lossy(shell), secret, outside, second, secret, shell)
	if err := os.WriteFile(conf, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if !p.authenticate("alice", password+alice.code(), "rhost=203.0.113.7") {
		t.Errorf("not let in by the second address\n%s", &server.log)
	}
	first, again := s.book("--user", "alice", "--reason", "admitted"), s.book("--user", "alice", "--reason", "repeated")
	if len(first) != 1 || len(again) != 1 || first[0].Ticket != again[0].Ticket {
		t.Errorf("booked %+v, then %+v", first, again)
	}
}

// With Access-Challenge PAM asks a second question.
func TestPAMByChallenge(t *testing.T) {
	t.Parallel()
	s := newSite(t, `service = "ssh"`, "service = \"ssh\"\notp = \"challenge\"")
	p := s.pamService()
	alice := s.enrol("alice")
	s.serve()
	code := alice.code()
	if p.authenticate("alice", strings.Join([]string{password, "000000", "000000", "000000"}, "\n")) {
		t.Error("let in by wrong codes")
	}
	if p.authenticate("nobody", strings.Join([]string{password, "000000", "000000", "000000"}, "\n")) {
		t.Error("let in as nobody")
	}
	eventually(t, "the delay is over", func() bool { return p.authenticate("alice", password+"\n"+code) })
	if p.authenticate("alice", password+"\n"+code) {
		t.Error("let in by a used code")
	}
}
