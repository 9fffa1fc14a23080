package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// again signs somebody in so many times from an address, and wants each to
// have the result. It returns the last message.
func (s *ldapSite) again(at, source string, times int, as who, result int) string {
	s.t.Helper()
	said := s.python("ldap3", "again.py", at, s.ca, source, fmt.Sprint(times), as.dn, as.password)
	message, ok := strings.CutPrefix(said, fmt.Sprintf("{%d: %d} ", result, times))
	if !ok {
		s.t.Fatalf("want %d times the result %d, got %s", times, result, said)
	}
	return message
}

// elsewhere is the application's other address.
const elsewhere = "127.0.0.5"

func TestLDAPProgramSignsInAgainAndAgain(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, recurring)
	devices := map[string]*device{}
	for _, d := range s.doors {
		devices[d.name] = s.enrol(d.name)
	}
	s.serve()
	times := map[string]int{"starttls": 20, "ldaps": 200}
	s.each(func(d door) {
		devices[d.name].t = s.t
		as := who{personDN(d.name), password + devices[d.name].code()}
		s.again(d.outside, outside, times[d.name], as, 0)
		if e := s.book("--user", d.name, "--outcome", "admitted"); len(e) != 2 || e[0].Ticket == "" || e[0].Ticket != e[1].Ticket {
			s.t.Errorf("the book has %+v, want a sign-in and its repeats", e)
		}
		// Whoever has seen it typed can't use it from anywhere else.
		s.wantBooked(s.again(d.outside, elsewhere, 1, as, invalidCredentials), "code_used")
		s.again(d.outside, outside, 1, as, 0)
	})
}

// What ends the repeats acts long before their time is over.
func TestLDAPRepeatEndsWithWhatItStandsOn(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, recurring)
	ends := []struct {
		name string // and of the person
		end  func()
	}{
		{"password-changed", func() { s.feed("staple-battery-horse\n", "account", "passwd", "password-changed", "--password-stdin") }},
		{"disabled", func() { s.run("account", "disable", "disabled") }},
		{"other-device", func() { s.device("other-device", "--replace") }},
		{"device-gone", func() { s.run("otp", "reset", "device-gone") }},
		{"ticket-ended", func() {
			s.run("ticket", "revoke", s.book("--user", "ticket-ended", "--outcome", "admitted")[0].Ticket)
		}},
	}
	devices := map[string]*device{}
	for _, e := range ends {
		devices[e.name] = s.enrol(e.name)
	}
	s.serve()
	for _, e := range ends {
		t.Run(e.name, func(t *testing.T) {
			s.t = t
			devices[e.name].t = t
			as := who{personDN(e.name), password + devices[e.name].code()}
			s.again(s.doors[1].outside, outside, 3, as, 0)
			e.end()
			// The server looks once a second.
			eventually(t, "the repeat is refused", func() bool {
				return s.tool("ldapwhoami", s.doors[1].outside, as).code == invalidCredentials
			})
			s.again(s.doors[1].outside, outside, 3, as, invalidCredentials)
		})
	}
	s.t = t
}

// A service account's password is not enough: it has to come from where its
// application is.
func TestLDAPServiceAccountFromElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	const neighbour, stranger = "127.0.0.6", "127.0.0.7"
	s := newLDAPSite(t, legacyApp+`
[[ldap.app]]
name    = "neighbour"
address = ["127.0.0.6"]
service = "other"
`, "")
	s.add("bob")
	s.serve()
	s.each(func(d door) {
		s.again(d.outside, elsewhere, 1, service, 0)
		s.wantBooked(s.again(d.outside, neighbour, 1, service, invalidCredentials), "service_account")
		s.wantBooked(s.again(d.outside, stranger, 1, service, invalidCredentials), "unknown_app")
		s.wantBooked(s.again(d.inside, stranger, 1, who{personDN("bob"), password}, invalidCredentials), "unknown_app")
	})
}
