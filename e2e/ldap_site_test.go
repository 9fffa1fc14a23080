package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	ldapBase        = "dc=example,dc=ac,dc=jp"
	serviceDN       = "uid=svc-legacy,ou=services," + ldapBase
	servicePassword = "kept-in-a-file-somewhere"
)

// ldapDoor is what makes a site one with the LDAP door. Two listeners are for
// people outside, and two say that whoever comes is on campus, for few of the
// programs can choose where they come from.
const ldapDoor = `
[ldap]
base = "dc=example,dc=ac,dc=jp"

[[ldap.listener]]
url         = "ldap://127.0.0.1:@0@"
certificate = "tls.crt"
key         = "tls.key"

[[ldap.listener]]
url         = "ldaps://127.0.0.1:@1@"
certificate = "tls.crt"
key         = "tls.key"

[[ldap.listener]]
url         = "ldap://127.0.0.1:@2@"
certificate = "tls.crt"
key         = "tls.key"
zone        = "campus"

[[ldap.listener]]
url         = "ldaps://127.0.0.1:@3@"
certificate = "tls.crt"
key         = "tls.key"
zone        = "campus"

[ldap.posix]
groups = {staff = 2001}
`

// legacyApp is an application with two addresses.
const legacyApp = `
[[ldap.app]]
name       = "legacy"
address    = ["127.0.0.1", "127.0.0.5"]
service    = "legacy"
size_limit = 10
accounts   = ["uid=svc-legacy,ou=services,dc=example,dc=ac,dc=jp"]

[[ldap.account]]
dn       = "uid=svc-legacy,ou=services,dc=example,dc=ac,dc=jp"
password = "kept-in-a-file-somewhere"
`

// recurring lets an application sign in again and again.
const recurring = `
[[rule]]
name    = "programs"
door    = ["ldap"]
service = ["legacy"]
need    = ["password+otp"]
ticket  = "10h"
repeat  = {idle = "2m", max = "10m"}
`

// door is the LDAP door as one program comes to it.
type door struct {
	name    string // also that of a person who signs in here only
	outside string // for people there: ldap:// with StartTLS, or ldaps://
	inside  string
}

// ldapSite is an installation with the LDAP door.
type ldapSite struct {
	*site
	doors []door
	ca    string // file that anybody may read
}

// newLDAPSite has the applications, and a rule before the one for outside
// where that is not "".
func newLDAPSite(t *testing.T, apps, rule string) *ldapSite {
	t.Helper()
	port := freePort(t, 1, 2, 3)
	at := func(scheme string, n int) string { return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port+n) }
	s := &ldapSite{site: newSite(t), doors: []door{
		{"starttls", at("ldap", 0), at("ldap", 2)},
		{"ldaps", at("ldaps", 1), at("ldaps", 3)},
	}}
	text := ldapDoor
	for n := range 4 {
		text = strings.Replace(text, fmt.Sprintf("@%d@", n), fmt.Sprint(port+n), 1)
	}
	s.certificate("127.0.0.1")
	s.change("[metrics]\n", text+apps+"\n[metrics]\n")
	outermost := "[[rule]]\nname   = \"outside\"\n"
	s.change(outermost, rule+"\n"+outermost)

	// The programs that run as somebody else come in by the folder's name,
	// and may read this.
	s.ca = s.file("ca.pem", s.read("tls.crt"))
	for path, mode := range map[string]os.FileMode{s.ca: 0o644, s.dir: 0o711, filepath.Dir(s.dir): 0o711} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *site) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// each runs a test at each door.
func (s *ldapSite) each(run func(door)) {
	s.t.Helper()
	whole := s.t
	defer func() { s.t = whole }()
	for _, d := range s.doors {
		whole.Run(d.name, func(t *testing.T) {
			s.t = t
			run(d)
		})
	}
}

func personDN(name string) string { return "uid=" + name + ",ou=people," + ldapBase }

// wantBooked wants a text to hold the reference of a refusal, and the help
// desk to be told the given reason.
func (s *site) wantBooked(text, reason string) {
	s.t.Helper()
	ref := reference.FindString(text)
	if ref == "" {
		s.t.Fatalf("no reference is in %q", text)
	}
	if told := s.run("why", ref); !strings.Contains(told, "refused ("+reason+")") {
		s.t.Fatalf("want it refused as %s, why says\n%s", reason, told)
	}
}

// who binds.
type who struct{ dn, password string }

var service = who{serviceDN, servicePassword}

// tool runs one of OpenLDAP's programs, with StartTLS where the door is
// ldap://, and that has to succeed.
func (s *ldapSite) tool(name, at string, as who, args ...string) answer {
	s.t.Helper()
	if strings.HasPrefix(at, "ldap:") {
		args = append([]string{"-ZZ"}, args...)
	}
	return s.clear(name, at, as, args...)
}

// clear does so without StartTLS.
func (s *ldapSite) clear(name, at string, as who, args ...string) answer {
	s.t.Helper()
	need(s.t, name)
	command := []string{"LDAPTLS_CACERT=" + s.ca, name, "-x", "-H", at, "-D", as.dn, "-w", as.password}
	return execute(s.t, "", "env", append(command, args...)...)
}

// listens reports whether a program that was started is so far.
func listens(address string) bool {
	c, err := net.Dial("tcp", address)
	if err == nil {
		c.Close()
	}
	return err == nil
}
