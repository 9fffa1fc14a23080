package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
)

// What stands before the slapd that is measured beside.

// backLDAP starts a slapd whose database is another's (slapd-ldap(5)).
func (b *Bench) backLDAP(to *peer) (*peer, error) {
	const conf = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema

modulepath /usr/lib/ldap
moduleload back_ldap

pidfile  %[1]s/slapd.pid
loglevel none

database        ldap
suffix          "%[2]s"
uri             "ldap://%[3]s"
rebind-as-user  yes
chase-referrals no
`
	return b.before(to, "back-ldap", "/usr/sbin/slapd", func(folder string, _ netip.AddrPort) string {
		return fmt.Sprintf(conf, folder, ldapBase, to.to)
	}, "-d", "0")
}

// lloadd starts OpenLDAP's load balancer (lloadd.conf(5)), which Debian does
// not pack: -lloadd names one that was built from its source package. It acts
// for the people whom it has seen bind.
func (b *Bench) lloadd(to *peer) (*peer, error) {
	const conf = `
pidfile  %[1]s/lloadd.pid
loglevel none
threads  4
io-threads 1
feature  proxyauthz
bindconf bindmethod=simple binddn="%[2]s" credentials="%[3]s"
backend-server uri=ldap://%[4]s numconns=8 bindconns=8 retry=1000
`
	return b.before(to, "lloadd", b.balancer, func(folder string, _ netip.AddrPort) string {
		return fmt.Sprintf(conf, folder, serviceAccount, servicePass, to.to)
	}, "-d", "0")
}

// before starts a program that passes on to a slapd.
func (b *Bench) before(to *peer, name, program string, conf func(folder string, at netip.AddrPort) string, args ...string) (*peer, error) {
	folder, err := b.scratch(name)
	if err != nil {
		return nil, err
	}
	at, err := freeTCP()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, name+".conf")
	if err := os.WriteFile(file, []byte(conf(folder, at)), 0o600); err != nil {
		return nil, err
	}
	p, err := b.launch(folder, program, append(args, "-f", file, "-h", "ldap://"+at.String())...)
	if err != nil {
		return nil, err
	}
	x := &peer{process: p, name: name, to: at, behind: to.process}
	return x, x.accepts()
}

// relay starts the program before a slapd, on a copy of a house whose people
// slapd knows by the same names.
func (b *Bench) relay(h *house, to *peer) (*peer, *house, error) {
	p, used, err := b.sekishoWith(h, fmt.Sprintf(relayDoor, to.to, ldapBase, serviceAccount, servicePass), ldapLine)
	if err != nil {
		return nil, nil, err
	}
	p.behind = to.process
	link := exec.Command(b.program, "account", "link", "--all", "-c", filepath.Join(used.folder, "config.toml"))
	if out, err := link.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("link the people: %w\n%s", err, out[max(0, len(out)-2000):])
	}
	return p, used, nil
}

// relayDoor is an LDAP door before a directory that people are in already.
const relayDoor = `
[directory]
kind          = "ldap"
url           = ["ldap://%[1]s"]
start_tls     = false
base          = "%[2]s"
bind_dn       = "%[3]s"
bind_password = "%[4]s"
max_connections = 4000

[ldap]
base = "%[2]s"

[[ldap.listener]]
url         = "ldap://127.0.0.1:0"
require_tls = false

[[ldap.app]]
name        = "outside"
address     = ["127.0.0.1"]
service     = "mail"
source      = "off-campus"
require_tls = false
accounts    = ["%[3]s"]

[[ldap.app]]
name        = "inside"
address     = ["127.0.0.2"]
service     = "mail"
source      = "campus"
require_tls = false
accounts    = ["%[3]s"]

[[ldap.app]]
name        = "idle"
address     = ["127.0.1.0/24"]
service     = "mail"
source      = "off-campus"
require_tls = false
accounts    = ["%[3]s"]
`

// proxies are those that stand before a slapd, ours first. A lloadd that was
// not named is left out.
func (b *Bench) proxies(h *house, to *peer) (ours *peer, others []*peer, err error) {
	ours, _, err = b.relay(h, to)
	if err != nil {
		return nil, nil, err
	}
	back, err := b.backLDAP(to)
	if err != nil {
		return nil, nil, err
	}
	others = append(others, back)
	if b.balancer == "" {
		return ours, others, nil
	}
	if _, err := exec.LookPath(b.balancer); err != nil {
		return nil, nil, errors.Join(errors.New("-lloadd names no program"), err)
	}
	balancer, err := b.lloadd(to)
	return ours, append(others, balancer), err
}
