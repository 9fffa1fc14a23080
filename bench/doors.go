package main

import (
	"errors"
	"net/netip"
	"strings"
)

// The configuration of the doors that are not RADIUS, added to a house's own.
const ldapDoor = `
[ldap]
base = "` + ldapBase + `"

[[ldap.listener]]
url         = "ldap://127.0.0.1:0"
require_tls = false

[[ldap.listener]]
url         = "ldaps://127.0.0.1:0"
certificate = "tls.crt"
key         = "tls.key"

[[ldap.app]]
name     = "outside"
address  = ["127.0.0.1"]
service  = "mail"
source   = "off-campus"
accounts = ["` + serviceAccount + `"]

[[ldap.app]]
name     = "inside"
address  = ["127.0.0.2"]
service  = "mail"
source   = "campus"
accounts = ["` + serviceAccount + `"]

[[ldap.app]]
name     = "idle"
address  = ["127.0.1.0/24"]
service  = "mail"
source   = "off-campus"
accounts = ["` + serviceAccount + `"]

[[ldap.account]]
dn       = "` + serviceAccount + `"
password = "` + servicePass + `"
`

const (
	ssoHost  = "sso.localhost"
	wikiHost = "wiki.localhost"
)

const webDoor = `
[web]
url = "http://` + ssoHost + `"

[[web.listener]]
url             = "http://127.0.0.1:0"
trusted_proxies = ["127.0.0.1"]

[[web.service]]
name = "wiki"
url  = "http://` + wikiHost + `/"
`

// sekishoWith starts the program on a copy of a house that has these doors,
// too. The peer's address is the one on the line that starts so.
func (b *Bench) sekishoWith(h *house, doors, line string) (*peer, *house, error) {
	folder, err := b.scratch("sekisho")
	if err != nil {
		return nil, nil, err
	}
	c, err := h.copy(folder)
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(c.certify(), c.add(doors)); err != nil {
		return nil, nil, err
	}
	p, err := b.sekisho(c)
	if err != nil {
		return nil, nil, err
	}
	text, err := p.line(line)
	if err != nil {
		return nil, nil, err
	}
	text, _, _ = strings.Cut(text, " ")
	p.to, err = netip.ParseAddrPort(text)
	return p, c, err
}

const (
	ldapLine  = "ldap    tcp "
	ldapsLine = "ldaps   tcp "
	webLine   = "web     http://"
)
