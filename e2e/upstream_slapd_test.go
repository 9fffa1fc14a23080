package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const slapd = "/usr/sbin/slapd"

// policies are what slapo-ppolicy(5) goes by: three wrong passwords shut
// one out for a day, and one lasts a year.
const policies = `dn: cn=default,ou=policies,` + ldapBase + `
objectClass: applicationProcess
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3
pwdLockoutDuration: 86400
pwdMaxAge: 31536000
pwdMustChange: TRUE
`

// newSlapd starts OpenLDAP's server.
func newSlapd(t *testing.T) *behind {
	t.Helper()
	need(t, slapd)
	b := newBehind(t, "slapd", "127.0.0.1")
	b.admin = who{"cn=admin," + ldapBase, "admin-of-all"}
	b.binds = func(name string) int {
		return strings.Count(b.server.log.String(), fmt.Sprintf("BIND dn=%q method=128", b.dn(name)))
	}
	b.file("slapd.conf", strings.ReplaceAll(read(t, "testdata/upstream/slapd.conf"), "@DIR@", b.dir))
	b.file("people.ldif", tree(map[string]string{
		"svc-sekisho": "authzTo: dn.subtree:ou=people," + ldapBase + "\n",
		"expired":     "pwdChangedTime: 20200101000000Z\n",
		"mustchange":  "pwdReset: TRUE\n",
		"locked":      "pwdAccountLockedTime: " + time.Now().UTC().Format("20060102150405Z") + "\n",
		"disabled":    "pwdAccountLockedTime: 000001010000Z\n",
	})+policies)
	if err := os.Mkdir(filepath.Join(b.dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	must(t, "/usr/sbin/slapadd", "-q", "-f", filepath.Join(b.dir, "slapd.conf"), "-l", filepath.Join(b.dir, "people.ldif"))
	b.startSlapd()
	b.ldif(groups())
	return b
}

// startSlapd starts it again, too.
func (b *behind) startSlapd() {
	b.t.Helper()
	server := launch(b.t, exec.Command(slapd, "-d", "stats", "-f", filepath.Join(b.dir, "slapd.conf"), "-h", b.clear+" "+b.url))
	b.server = server
	b.t.Cleanup(func() { // now and then it falls over its own threads when it is told to end
		if !server.ended() {
			server.stop()
		}
	})
	b.up()
}
