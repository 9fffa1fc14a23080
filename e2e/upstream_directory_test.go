package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// behind is a directory that the campus already has, with these people, who
// all have the password of everybody: alice, bob and carol; expired, whose
// password is too old; mustchange, who has to choose one; locked, after wrong
// ones. Some have disabled, too. alice is in staff, staff and bob are in
// everybody. Nobody but the person reads their description.
type behind struct {
	*site   // its folder
	product string
	url     string // ldaps://
	clear   string // ldap://, for StartTLS
	base    string
	keys    string // of [directory], for what is not as usual
	service who    // looks people up
	admin   who    // may change everything
	server  *process

	dn    func(name string) string
	binds func(name string) int // how often somebody's password came here
}

// products are the directories that a test is run with.
var products = map[string]func(*testing.T) *behind{"slapd": newSlapd, "389-ds": new389, "samba": newSamba}

// eachProduct runs a test with each of the directories.
func eachProduct(t *testing.T, run func(*testing.T, *behind)) {
	for name, start := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, start(t))
		})
	}
}

// newBehind has a certificate for the address, and ports if none are given.
func newBehind(t *testing.T, product, host string, ports ...int) *behind {
	t.Helper()
	need(t, "ldapsearch", "ldapadd", "ldapmodify")
	if len(ports) == 0 {
		port := freePort(t, 1)
		ports = []int{port, port + 1}
	}
	b := &behind{
		site: &site{t: t, dir: t.TempDir()}, product: product, base: ldapBase,
		clear: fmt.Sprintf("ldap://%s:%d", host, ports[0]), url: fmt.Sprintf("ldaps://%s:%d", host, ports[1]),
		service: who{"uid=svc-sekisho,ou=services," + ldapBase, password}, dn: personDN,
	}
	b.certificate(host)
	return b
}

func (b *behind) address() string { return strings.TrimPrefix(b.url, "ldaps://") }

// ask runs one of OpenLDAP's programs on the directory itself.
func (b *behind) ask(stdin, name string, as who, args ...string) answer {
	b.t.Helper()
	command := []string{"LDAPTLS_CACERT=" + filepath.Join(b.dir, "tls.crt"), name, "-x", "-H", b.url, "-D", as.dn, "-w", as.password}
	return execute(b.t, stdin, "env", append(command, args...)...)
}

// ldif makes changes that have to succeed.
func (b *behind) ldif(text string) {
	b.t.Helper()
	if a := b.ask(text, "ldapmodify", b.admin); a.code != 0 {
		b.t.Fatalf("ldapmodify of %s: exit %d\n%s%s\n%s", b.product, a.code, a.out, a.err, text)
	}
}

// up waits until the server listens.
func (b *behind) up() {
	b.t.Helper()
	b.t.Cleanup(func() {
		if b.t.Failed() {
			b.t.Logf("the log of %s:\n%s%s", b.product, &b.server.out, &b.server.log)
		}
	})
	eventually(b.t, b.product+" listens", func() bool {
		if b.server.ended() {
			b.t.Fatalf("%s ended: %v\n%s%s", b.product, b.server.err, &b.server.out, &b.server.log)
		}
		return listens(b.address())
	})
}

// tree is the people's branches, and the service account, as LDIF. more are
// further lines of a person.
func tree(more map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "dn: %s\nobjectClass: domain\ndc: example\n%s\n", ldapBase, more[""])
	for _, ou := range []string{"people", "groups", "services", "policies"} {
		fmt.Fprintf(&b, "dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %[1]s\n\n", ou, ldapBase)
	}
	fmt.Fprintf(&b, "dn: uid=svc-sekisho,ou=services,%s\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: svc-sekisho\nuserPassword: %s\n%s\n",
		ldapBase, password, more["svc-sekisho"])
	for _, name := range []string{"alice", "bob", "carol", "expired", "mustchange", "locked", "disabled"} {
		fmt.Fprintf(&b, "dn: %s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s Example\nsn: Example\nmail: %[2]s@example.ac.jp\ndescription: for %[2]s alone\nuserPassword: %[4]s\n%[5]s\n",
			personDN(name), name, strings.ToUpper(name[:1])+name[1:], password, more[name])
	}
	return b.String()
}

// groups are what the server itself has to add, so that it tells the members.
func groups() string {
	var b strings.Builder
	for _, g := range [][]string{{"staff", personDN("alice")}, {"everybody", "cn=staff,ou=groups," + ldapBase, personDN("bob")}} {
		fmt.Fprintf(&b, "dn: cn=%s,ou=groups,%s\nchangetype: add\nobjectClass: groupOfNames\ncn: %[1]s\nmember: %[3]s\n\n", g[0], ldapBase, strings.Join(g[1:], "\nmember: "))
	}
	return b.String()
}

// spareAddress is a loopback address where nobody has the ports of LDAP, for a
// server that can have no others.
func spareAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		host := fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(64), rand.IntN(256), 1+rand.IntN(254))
		l, err := net.Listen("tcp", host+":389")
		if err == nil {
			l.Close()
			return host
		}
	}
	t.Fatal("the port of LDAP is taken at every address: is a directory of this computer's own running?")
	return ""
}
