package e2e

import (
	"strings"
	"testing"
)

// An application that tells where each person is has them judged by that.
func TestLDAPApplicationTellsWherePeopleAre(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, strings.Replace(legacyApp, "service    =", "source     = \"session-tracking\"\nservice    =", 1), "")
	device := s.enrol("alice")
	s.change(`prefixes = ["127.0.0.2/32"]`, `prefixes = ["127.0.0.2/32", "192.0.2.0/24", "2001:db8:1::/48"]`)
	s.serve()
	at := s.doors[0].outside
	bind := func(typed string, address ...string) string {
		return s.python("ldap", "tracked.py", append([]string{at, s.ca, personDN("alice"), typed}, address...)...)
	}
	for _, campus := range []string{"192.0.2.7", "2001:db8:1::7"} {
		if said := bind(password, campus); said != "0\n" {
			t.Errorf("from %s: %s", campus, said)
		}
	}
	// Where else they are, or where nobody says, a code is needed. The
	// application's own addresses are nobody's.
	for _, from := range [][]string{{"203.0.113.7"}, {""}, {"127.0.0.2"}, {"nowhere"}, nil} {
		said := bind(password, from...)
		if !strings.HasPrefix(said, "49 ") {
			t.Fatalf("from %q: %s", from, said)
		}
		s.wantBooked(said, "code_missing")
	}
	if said := bind(password+device.code(), "203.0.113.7"); said != "0\n" {
		t.Errorf("with a code: %s", said)
	}
	if e := s.book("--user", "alice", "--outcome", "admitted"); len(e) != 3 || e[2].Source != "203.0.113.7" {
		t.Errorf("the book has %+v", e)
	}
}
