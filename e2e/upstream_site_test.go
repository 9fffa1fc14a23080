package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// behindApp is an application with an account of the directory's own.
const behindApp = `
[[ldap.app]]
name     = "legacy"
address  = ["127.0.0.1", "127.0.0.5"]
service  = "legacy"
accounts = ["@ACCOUNT@"]
`

// upstreamSite is an installation in front of a directory.
type upstreamSite struct {
	*ldapSite
	behind *behind
}

// newUpstreamSite puts Sekisho before servers of one directory.
func newUpstreamSite(t *testing.T, list ...*behind) *upstreamSite {
	t.Helper()
	b := list[0]
	s := &upstreamSite{newLDAPSite(t, strings.Replace(behindApp, "@ACCOUNT@", b.service.dn, 1), ""), b}
	s.before(list...)
	return s
}

// before puts it before servers of one directory, in place of its own people.
func (s *ldapSite) before(list ...*behind) {
	s.t.Helper()
	b := list[0]
	var urls []string
	var roots strings.Builder
	for _, server := range list {
		urls = append(urls, fmt.Sprintf("%q", server.url))
		roots.WriteString(server.read("tls.crt"))
	}
	s.file("behind.pem", roots.String())
	s.file("directory.password", b.service.password+"\n")
	s.change("[zone.campus]\n", fmt.Sprintf(`[directory]
kind    = "ldap"
url     = [%s]
ca_file = "behind.pem"
base    = %q
bind_dn = %q
bind_password_file = "directory.password"
nested_groups = true
%s

[zone.campus]
`, strings.Join(urls, ", "), b.base, b.service.dn, b.keys))
	s.change("[metrics]\n", "[throttle]\nenabled = false\n\n[metrics]\n") // refusals are what is looked at
	s.change("\n[ldap.posix]\ngroups = {staff = 2001}\n", "")
	s.change("[ldap]\nbase = \"dc=example,dc=ac,dc=jp\"\n", fmt.Sprintf("[ldap]\nbase = %q\n", b.base))
}

// insideURL and outsideURL are where a program of the application asks.
func (s *upstreamSite) insideURL() string  { return s.doors[1].inside }
func (s *upstreamSite) outsideURL() string { return s.doors[0].outside }

// bind has somebody bind at a door and read their own mail address.
func (s *upstreamSite) bind(at string, as who, args ...string) answer {
	s.t.Helper()
	return s.tool("ldapsearch", at, as, append(args, "-LLL", "-b", as.dn, "-s", "base", "mail")...)
}

// wantMail wants a program to have found somebody's address.
func (s *upstreamSite) wantMail(a answer, name string) {
	s.t.Helper()
	if s.want(a, 0); !strings.Contains(a.out, "mail: "+name+"@example.ac.jp\n") {
		s.t.Fatalf("the search found %q", a.out)
	}
}

// step is what the device shows so many steps of 30 s from now. Codes are taken
// in their order, so a test asks for the one of now first, then for the next.
func (d *device) step(n int) string {
	d.t.Helper()
	return d.codeAt(time.Now().Add(time.Duration(n) * 30 * time.Second))
}

// unlike is a code that the device shows neither now nor around now.
func (d *device) unlike() string {
	d.t.Helper()
	shown := []string{d.step(-2), d.step(-1), d.step(0), d.step(1), d.step(2)}
	for n := 0; ; n++ {
		if code := fmt.Sprintf("%06d", n); !slices.Contains(shown, code) {
			return code
		}
	}
}

// with is who somebody of the directory binds as.
func (s *upstreamSite) with(name, secret string) who { return who{s.behind.dn(name), secret} }

// direct is what the directory itself tells somebody.
func (s *upstreamSite) direct(as who, args ...string) answer {
	s.t.Helper()
	return s.behind.ask("", "ldapsearch", as, append(args, "-LLL", "-b", as.dn, "-s", "base", "mail")...)
}
