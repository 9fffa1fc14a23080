package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	adBase = "DC=ad,DC=example,DC=ac,DC=jp"
	adUser = "CN=Users," + adBase
)

// domain is the folder of an Active Directory that every test gets a copy of:
// to make one takes seconds.
var domain = sync.OnceValues(func() (string, error) {
	made := filepath.Join(folder, "domain")
	if err := os.Mkdir(made, 0o700); err != nil {
		return "", err
	}
	if out, err := exec.Command(debianPython, "testdata/upstream/domain.py", made, password).CombinedOutput(); err != nil {
		return "", fmt.Errorf("make a domain: %w\n%s", err, out)
	}
	return made, nil
})

// newSamba starts a domain controller, at an address of its own: it takes no
// other ports than those of LDAP.
func newSamba(t *testing.T) *behind {
	t.Helper()
	need(t, "root", "samba", debianPython, "cp")
	needFile(t, "/usr/share/samba/setup/provision.ldif")
	needFile(t, "/usr/lib/*/samba/ldb/samba_dsdb.so")
	made, err := domain()
	if err != nil {
		t.Fatal(err)
	}
	host := spareAddress(t)
	b := newBehind(t, "samba", host, 389, 636)
	b.base = adBase
	b.service = who{"CN=Sekisho," + adUser, password}
	b.admin = who{"administrator@ad.example.ac.jp", "Admin-of-all-1"}
	b.keys = "schema = \"active-directory\"\ndomains = [\"ad.example.ac.jp\", \"CAMPUS\"]"
	b.dn = func(name string) string {
		cn := map[string]string{"alice": "アリス", "bob": "Bob Example", "carol": `Example\, Carol`, "mustchange": "Must Change"}[name]
		if cn == "" {
			cn = strings.ToUpper(name[:1]) + name[1:]
		}
		return "CN=" + cn + "," + adUser
	}
	b.binds = func(name string) int {
		n := 0
		for line := range strings.Lines(b.server.out.String()) {
			if strings.Contains(line, "Auth: [LDAP,simple bind") && strings.Contains(line, `\[`+name+`]`) {
				n++
			}
		}
		return n
	}
	must(t, "cp", "-a", made+"/.", b.dir)
	conf := strings.ReplaceAll(read(t, filepath.Join(b.dir, "smb.conf")), made, b.dir)
	b.file("smb.conf", strings.Replace(conf, "[global]\n", fmt.Sprintf(`[global]
server services = ldap
dcerpc endpoint servers =
prefork children = 1
interfaces = %s/8
bind interfaces only = yes
pid directory = %[2]s
ncalrpc dir = %[2]s/ncalrpc
log level = 1 auth_audit:3
tls cafile = %[2]s/tls.crt
tls certfile = %[2]s/tls.crt
tls keyfile = %[2]s/tls.key
`, host, b.dir), 1))
	b.server = launch(t, exec.Command("samba", "--foreground", "--debug-stdout", "-s", filepath.Join(b.dir, "smb.conf")))
	t.Cleanup(func() { b.server.stop() }) // it ends with 127
	b.up()
	for range 3 {
		if a := b.ask("", "ldapsearch", who{b.dn("locked"), "wrong"}, "-b", "", "-s", "base"); a.code != invalidCredentials {
			t.Fatalf("samba: exit %d, want %d\n%s", a.code, invalidCredentials, a.err)
		}
	}
	return b
}
