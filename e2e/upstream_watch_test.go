package e2e

import (
	"strings"
	"testing"
)

// She was signed in before, and does nothing more: a server that starts begins
// with looking up who is.
func TestDisabledInTheDirectoryBehindIsSignedOut(t *testing.T) {
	t.Parallel()
	b := newSlapd(t)
	s := newUpstreamSite(t, b)
	server := s.serve()
	alice := s.device("alice")
	wantAccept(t, s.signIn(outside, "alice", password+alice.step(0)))
	wantAccept(t, s.signIn(inside, "bob", password))
	s.wantTickets("alice", true)
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	b.ldif("dn: " + b.dn("alice") + "\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")
	s.serve()
	eventually(t, "alice is signed out", func() bool { return len(s.book("--reason", "ended_behind")) > 0 })
	if e := s.book("--reason", "ended_behind"); len(e) != 1 || e[0].User != "alice" {
		t.Errorf("booked %+v", e)
	}
	s.wantTickets("alice", false)
	s.wantTickets("bob", true)
}

func (s *upstreamSite) wantTickets(name string, want bool) {
	s.t.Helper()
	if list := s.run("ticket", "list", name); strings.Contains(list, name) != want {
		s.t.Errorf("the tickets of %s: %q", name, list)
	}
}
