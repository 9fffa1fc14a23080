package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
)

// debianPython is the interpreter that Debian's modules are for; another may
// come first in the path.
const debianPython = "/usr/bin/python3"

// python runs a script of testdata/ldap/ that uses a module.
func (s *ldapSite) python(module, script string, args ...string) string {
	s.t.Helper()
	need(s.t, debianPython)
	a := execute(s.t, "", debianPython, append([]string{"-W", "error::SyntaxWarning", filepath.Join("testdata", "ldap", script)}, args...)...)
	if a.code != 0 && execute(s.t, "", debianPython, "-c", "import "+module).code != 0 {
		need(s.t, "Python's module "+module)
	}
	if a.code != 0 {
		s.t.Fatalf("%s: exit %d\n%s%s", script, a.code, a.out, a.err)
	}
	return a.out
}

// A web application's pool holds connections on which now the service
// account, now a person is bound.
func TestLDAPTwoBindsOnOneConnection(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, recurring)
	devices := map[string]*device{}
	for _, name := range []string{"starttls-ldap3", "starttls-ldap", "ldaps-ldap3", "ldaps-ldap"} {
		devices[name] = s.enrol(name)
	}
	s.serve()
	s.each(func(d door) {
		for module, script := range map[string]string{"ldap3": "two_binds_ldap3.py", "ldap": "two_binds_python_ldap.py"} {
			name := d.name + "-" + module
			devices[name].t = s.t
			said := s.python(module, script, d.outside, s.ca, ldapBase, serviceDN, servicePassword, name, password+devices[name].code())
			ref := reference.FindString(said)
			found := fmt.Sprintf("search 0 ['%s']\n", personDN(name))
			want := "bind 0 \n" + found + "schema True True\npages 4\n" +
				"bind 0 \nwhoami dn:" + personDN(name) + "\n" + found +
				"bind 49 " + ref + "\nwhoami \nsearch 50 []\n" + // anonymous, not who it was before
				"bind 0 \n" + found
			if said != want {
				s.t.Errorf("%s says\n%s\nwant\n%s", script, said, want)
			}
			s.wantBooked(ref, "wrong_password")
		}
	})
}
