package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// appPassword makes one for the application.
func (s *upstreamSite) appPassword(name string) string {
	s.t.Helper()
	var made struct {
		Text string `json:"app_password"`
	}
	line := s.run("account", "app-password", "add", name, "--service", "legacy", "--label", "Phone", "--json")
	if err := json.Unmarshal([]byte(line), &made); err != nil || made.Text == "" {
		s.t.Fatalf("app-password add --json: %v\n%s", err, line)
	}
	return made.Text
}

// The directory does not know an application password, so its searches are
// made by the service account. Where that may act for others, what they find
// is what the person may see, and no more.
func TestApplicationPasswordFindsWhatThePersonMaySee(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.change(`need   = ["password+otp"]`, `need   = ["password+otp", "app-password"]`)
		if b.product != "samba" { // which knows no proxied authorization
			s.change("[directory]\n", "[directory]\nproxy_authorization = true\n")
		}
		alice := s.with("alice", s.appPassword("alice"))
		s.serve()
		s.wantMail(s.bind(s.outsideURL(), alice), "alice")
		if a := s.want(s.tool("ldapwhoami", s.outsideURL(), alice), 0); a.out != "dn:"+alice.dn+"\n" {
			t.Errorf("alice is %q", a.out)
		}
		if b.product != "samba" {
			a := s.want(s.tool("ldapsearch", s.outsideURL(), alice, "-LLL", "-b", b.base, "(|(uid=alice)(uid=bob))", "description"), 0)
			if !strings.Contains(a.out, "for alice alone") || strings.Contains(a.out, "for bob alone") {
				t.Errorf("alice may see\n%s", a.out)
			}
		}
		for _, secret := range []string{alice.password + "x", alice.password[:len(alice.password)-1] + "-"} {
			s.want(s.bind(s.outsideURL(), s.with("alice", secret)), invalidCredentials)
		}
		s.want(s.bind(s.outsideURL(), s.with("bob", alice.password)), invalidCredentials)
		if n := b.binds("alice") + b.binds("bob"); n != 0 {
			t.Errorf("%d binds with an application password came to %s", n, b.product)
		}
	})
}

// Without it, they find what the service account may see.
func TestApplicationPasswordWithoutProxiedAuthorizationOnlySearches(t *testing.T) {
	t.Parallel()
	b := newSlapd(t)
	s := newUpstreamSite(t, b)
	s.change(`need   = ["password+otp"]`, `need   = ["password+otp", "app-password"]`)
	s.change("service  = \"legacy\"\n", "service  = \"legacy\"\nread_only = false\n")
	alice := s.with("alice", s.appPassword("alice"))
	s.serve()
	s.wantMail(s.bind(s.outsideURL(), alice), "alice")
	if a := s.want(s.tool("ldapsearch", s.outsideURL(), alice, "-LLL", "-b", b.base, "(uid=alice)", "description"), 0); strings.Contains(a.out, "alone") {
		t.Errorf("alice may see\n%s", a.out)
	}
	change := s.file("change.ldif", replacing(alice.dn, "mail", "eve@example.ac.jp"))
	s.want(s.tool("ldapmodify", s.outsideURL(), alice, "-f", change), unwilling)
	if a := s.tool("ldappasswd", s.outsideURL(), alice, "-s", "mine-from-now-on"); !strings.Contains(a.out+a.err, "(53)") {
		t.Errorf("ldappasswd: %s%s", a.out, a.err)
	}
}

// A program for changing passwords changes them in the directory, where it is
// allowed to, and the next sign-in is with the new one.
func TestPasswordIsChangedInTheDirectoryBehind(t *testing.T) {
	t.Parallel()
	for name, start := range products {
		if name == "samba" { // which has no operation for it
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			s := newUpstreamSite(t, b)
			server := s.serve()
			bob, change := s.with("bob", password), []string{"-a", password, "-s", "mine-from-now-on"}
			if a := s.tool("ldappasswd", s.insideURL(), bob, change...); !strings.Contains(a.out+a.err, "(53)") {
				t.Errorf("of a read-only application: %s%s", a.out, a.err)
			}
			s.change("service  = \"legacy\"\n", "service  = \"legacy\"\nread_only = false\n")
			s.reload(server, 1)
			if a := s.tool("ldappasswd", s.insideURL(), bob, append(change, b.dn("carol"))...); !strings.Contains(a.out+a.err, "(50)") {
				t.Errorf("of another person: %s%s", a.out, a.err)
			}
			s.want(s.tool("ldappasswd", s.insideURL(), bob, change...), 0)
			wantAccept(t, s.signIn(inside, "bob", "mine-from-now-on"))
			s.wantReject(s.signIn(inside, "bob", password), "wrong_password")
			s.want(s.bind(s.insideURL(), bob), invalidCredentials)
			s.wantMail(s.bind(s.insideURL(), s.with("bob", "mine-from-now-on")), "bob")
			wantAccept(t, s.signIn(inside, "carol", password))
		})
	}
}
