package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"sekisho/policy"
)

// LDAP is the LDAP door; without listeners it is closed.
type LDAP struct {
	Base      string // DN of the directory that is shown
	Listeners []LDAPListener
	Apps      []App
	Posix     Posix
}

// LDAPListener is ldaps://, or ldap:// with StartTLS where it has a
// certificate.
type LDAPListener struct {
	Listener
	PlainBinds bool // take a password in clear text
}

// Pins reports whether an application is known by its certificate to the
// listener of this URL.
func (l LDAP) Pins(url string) bool {
	return slices.ContainsFunc(l.Apps, func(a App) bool { return len(a.Certificates) > 0 && a.asks(url) })
}

// Posix is what people with a uidNumber, and groups, show of a Unix account.
type Posix struct {
	GID    int64 // primary group of everybody
	Home   string
	Shell  string
	Groups map[string]int64 // gidNumber by name
}

func readLDAP(t *table, zones *policy.Zones, d Directory) LDAP {
	l := LDAP{Base: t.text("base", d.Base)}
	var base *ldap.DN
	if t.has("base") {
		base = t.dn("base", l.Base)
	}
	for _, lt := range t.tables("listener") {
		l.Listeners = append(l.Listeners, readLDAPListener(lt, zones))
	}
	if len(l.Listeners) > 0 && !d.Behind() {
		t.require("base", l.Base, `name the directory: base = "dc=example,dc=ac,dc=jp"`)
	}
	y := &yard{zones: zones, listeners: l.Listeners, directory: d}
	if d.Behind() {
		l.checkBelow(t, base, d)
		t.foreign("is of accounts that are kept here, and the directory behind has its own; take it out", "account", "posix")
	} else {
		l.checkRoot(t, base)
		y.accounts = readAccounts(t.tables("account"), base)
		y.used = make([]bool, len(y.accounts))
		l.Posix = readPosix(t.table("posix"))
	}
	l.Apps = readApps(t.tables("app"), y)
	for i, inUse := range y.used {
		if !inUse {
			t.warn(fmt.Sprintf("account[%d]", i), "no application has it; name its DN in the accounts of a [[ldap.app]], or take it out")
		}
	}
	switch {
	case len(l.Listeners) > 0 && !t.has("app"):
		t.warn("app", "there is none, so nobody can bind; add a [[ldap.app]]")
	case len(l.Listeners) == 0 && t.has("app"):
		t.warn("listener", "there is none, so no application can ask; add a [[ldap.listener]]")
	}
	l.checkPlain(t)
	t.close()
	return l
}

// checkRoot wants a base that an entry of ours can stand at.
func (l *LDAP) checkRoot(t *table, base *ldap.DN) {
	if base == nil {
		return
	}
	first := base.RDNs[0].Attributes
	if len(first) != 1 || !slices.Contains([]string{"dc", "o", "ou"}, strings.ToLower(first[0].Type)) {
		t.fault("base", "%q begins with none of dc=, o= and ou=; write it like \"dc=example,dc=ac,dc=jp\"", l.Base)
	}
}

// checkBelow wants a base that the directory behind has.
func (l *LDAP) checkBelow(t *table, base *ldap.DN, d Directory) {
	root, err := ldap.ParseDN(d.Base)
	if base == nil || err != nil {
		return
	}
	if !root.EqualFold(base) && !root.AncestorOfFold(base) {
		t.fault("base", "%q is neither %s, the base of [directory], nor below it; take it out", l.Base, d.Base)
	}
}

// checkPlain warns where a listener takes what no application may send it.
func (l *LDAP) checkPlain(t *table) {
	for i, listener := range l.Listeners {
		may := func(a App) bool { return a.PlainBinds && a.asks(listener.URL) }
		if listener.PlainBinds && len(l.Apps) > 0 && !slices.ContainsFunc(l.Apps, may) {
			t.warn(fmt.Sprintf("listener[%d].require_tls", i), "lets no application bind in clear text; write require_tls = false in the [[ldap.app]] that has to, too, or take it out")
		}
	}
}

func readLDAPListener(t *table, zones *policy.Zones) LDAPListener {
	l := LDAPListener{Listener: readListener(t, zones, scheme{"ldaps", "636", true}, scheme{"ldap", "389", false})}
	demand := t.flag("require_tls", true)
	l.PlainBinds = !l.TLS && !demand
	switch {
	case l.Address == "": // told already
	case l.TLS && !demand:
		t.fault("require_tls", "can't be false: ldaps:// is TLS from the first octet on; take it out")
	case l.TLS:
		t.require("certificate", l.Certificate, `ldaps:// wants certificate = "tls.crt" and key = "tls.key"`)
	case demand:
		t.require("certificate", l.Certificate, "without StartTLS nobody could bind; add certificate and key, or write require_tls = false on the loopback")
	case !l.loopback():
		t.warn("require_tls", "sends passwords over the network in clear text; take it out")
	}
	t.close()
	return l
}

// dn reads a DN; nil if there is none, or a faulty one.
func (t *table) dn(key, text string) *ldap.DN {
	if text == "" {
		return nil
	}
	dn, err := ldap.ParseDN(text)
	if err != nil || len(dn.RDNs) == 0 {
		t.fault(key, `%q is not a DN; write it like "dc=example,dc=ac,dc=jp"`, text)
		return nil
	}
	return dn
}

func readPosix(t *table) Posix {
	p := Posix{
		GID:   int64(t.number("gid", 100, 1, math.MaxInt32)),
		Home:  t.text("home", "/home/%u"),
		Shell: t.text("shell", ""),
	}
	if !strings.HasPrefix(p.Home, "/") || !strings.Contains(p.Home, "%u") {
		t.fault("home", `%q is not a folder of one's own; write it like "/home/%%u", where %%u is the name`, p.Home)
	}
	if p.Shell != "" && !strings.HasPrefix(p.Shell, "/") {
		t.fault("shell", `%q is not a path; write it like "/bin/bash"`, p.Shell)
	}
	groups := t.table("groups")
	owner := map[int64]string{}
	for _, name := range slices.Sorted(maps.Keys(groups.values)) {
		gid := int64(groups.number(name, 0, 1, math.MaxInt32))
		if other, taken := owner[gid]; taken && gid != 0 {
			groups.fault(name, "%d is the number of %q, too; give each its own", gid, other)
		}
		owner[gid] = name
		if p.Groups == nil {
			p.Groups = map[string]int64{}
		}
		p.Groups[name] = gid
	}
	t.close()
	return p
}
