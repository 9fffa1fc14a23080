package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
)

// What PHP and Perl make of the same sign-in as TestLDAPTwoBindsOnOneConnection.
func TestLDAPScriptsSignIn(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, recurring)
	devices := map[string]*device{}
	for _, name := range []string{"starttls-php", "starttls-perl", "ldaps-php", "ldaps-perl"} {
		devices[name] = s.enrol(name)
	}
	s.serve()
	for _, with := range []struct{ name, module, script string }{
		{"php", "if (!extension_loaded('ldap')) exit(1);", "two_binds.php"},
		{"perl", "use Net::LDAP; use IO::Socket::SSL;", "two_binds.pl"},
	} {
		t.Run(with.name, func(t *testing.T) {
			need(t, with.name)
			run := map[string]string{"php": "-r", "perl": "-e"}[with.name]
			if execute(t, "", with.name, run, with.module).code != 0 {
				need(t, with.name+" with LDAP")
			}
			s.t = t
			s.each(func(d door) {
				name := d.name + "-" + with.name
				devices[name].t = s.t
				said := execute(s.t, "", with.name, filepath.Join("testdata", "ldap", with.script),
					d.outside, s.ca, ldapBase, serviceDN, servicePassword, name, password+devices[name].code())
				ref := reference.FindString(said.out)
				found := fmt.Sprintf("search 0 %s\n", personDN(name))
				want := "bind 0 \n" + found + "pages 4\n" +
					"bind 0 \nwhoami dn:" + personDN(name) + "\n" + found +
					"bind 49 " + ref + "\nwhoami \nsearch 50 \n" + // anonymous, not who it was before
					"bind 0 \n" + found
				if said.code != 0 || said.out != want {
					s.t.Fatalf("exit %d\n%s%s\nwant\n%s", said.code, said.out, said.err, want)
				}
				s.wantBooked(ref, "wrong_password")
			})
		})
	}
	s.t = t
}
