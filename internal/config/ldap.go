package config

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

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

// App is one application whose people bind here. The field names are those of
// package ldapproxy.
type App struct {
	Name        string
	Prefixes    []netip.Prefix
	Service     string
	Zone        string // of the people behind it; "" judges the connection's own address
	Separator   string // between password and code
	Anonymous   bool   // may search without a bind
	SizeLimit   int    // entries of a search; 0: unlimited
	TimeLimit   time.Duration
	RejectDelay time.Duration
	Accounts    []Account
}

// Account is a service account: a DN and a password that never changes.
type Account struct {
	DN       string
	Password Secret

	dn *ldap.DN
}

// Posix is what people with a uidNumber, and groups, show of a Unix account.
type Posix struct {
	GID    int64 // primary group of everybody
	Home   string
	Shell  string
	Groups map[string]int64 // gidNumber by name
}

func readLDAP(t *table, zones *policy.Zones) LDAP {
	l := LDAP{Base: t.text("base", "")}
	base := t.dn("base", l.Base)
	if base != nil {
		first := base.RDNs[0].Attributes
		if len(first) != 1 || !slices.Contains([]string{"dc", "o", "ou"}, strings.ToLower(first[0].Type)) {
			t.fault("base", "%q begins with none of dc=, o= and ou=; write it like \"dc=example,dc=ac,dc=jp\"", l.Base)
		}
	}
	for _, lt := range t.tables("listener") {
		l.Listeners = append(l.Listeners, readLDAPListener(lt, zones))
	}
	if len(l.Listeners) > 0 {
		t.require("base", l.Base, `name the directory: base = "dc=example,dc=ac,dc=jp"`)
	}
	accounts := readAccounts(t.tables("account"), base)
	used := make([]bool, len(accounts))
	names, prefixes := map[string]string{}, map[netip.Prefix]string{}
	for _, at := range t.tables("app") {
		a := readApp(at, zones, accounts, used)
		if other, taken := names[a.Name]; taken && a.Name != "" {
			at.fault("name", "%q is the name of %s, too; give each its own", a.Name, other)
		}
		for _, prefix := range a.Prefixes {
			if other, taken := prefixes[prefix]; taken && prefix.IsValid() {
				at.fault("address", "%v is the address of %s, too; one application an address, nothing else tells two apart", prefix, other)
			}
			prefixes[prefix] = at.key
		}
		names[a.Name] = at.key
		l.Apps = append(l.Apps, a)
	}
	l.Posix = readPosix(t.table("posix"))
	for i, inUse := range used {
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
	t.close()
	return l
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

// readAccounts wants every account below ou=services, so that no person can
// have its DN.
func readAccounts(tables []*table, base *ldap.DN) []Account {
	var list []Account
	for _, t := range tables {
		a := Account{DN: t.text("dn", "")}
		t.require("dn", a.DN, `write its name: dn = "uid=svc-mail,ou=services,…"`)
		if a.dn = t.dn("dn", a.DN); a.dn != nil && base != nil {
			services := &ldap.DN{RDNs: append([]*ldap.RelativeDN{{Attributes: []*ldap.AttributeTypeAndValue{{Type: "ou", Value: "services"}}}}, base.RDNs...)}
			if !services.AncestorOfFold(a.dn) {
				t.fault("dn", "%q is not below %s; people and groups have the rest, move it there", a.DN, services)
			}
			for i, other := range list {
				if other.dn != nil && other.dn.EqualFold(a.dn) {
					t.fault("dn", "%q is the DN of ldap.account[%d], too; take one out", a.DN, i)
				}
			}
		}
		a.Password = readPasswordOf(t)
		t.close()
		list = append(list, a)
	}
	return list
}

func readApp(t *table, zones *policy.Zones, accounts []Account, used []bool) App {
	a := App{
		Name:        t.text("name", ""),
		Prefixes:    t.prefixes("address"),
		Service:     t.text("service", ""),
		Zone:        t.text("source", policy.OffCampus),
		Separator:   t.separator(),
		Anonymous:   t.flag("anonymous", false),
		SizeLimit:   t.number("size_limit", 500, 0, math.MaxInt32),
		TimeLimit:   t.between("time_limit", 10*time.Second, 100*time.Millisecond, 10*time.Minute),
		RejectDelay: t.between("reject_delay", 0, 0, 5*time.Second),
	}
	t.require("name", a.Name, "name the application, the log will call it so")
	t.require("service", a.Service, `say what people sign in to: service = "webmail"`)
	if len(a.Prefixes) == 0 && !t.r.faults.blames(t.name("address")) {
		t.fault("address", `is missing; write its addresses: address = ["192.0.2.20"]`)
	}
	for i, prefix := range a.Prefixes {
		if prefix.IsValid() && prefix.Bits() == 0 {
			t.fault(fmt.Sprintf("address[%d]", i), "%v lets the whole world guess passwords; name the addresses of the application", prefix)
		}
	}
	if a.Zone == "peer" {
		a.Zone = ""
		for i, prefix := range a.Prefixes {
			if zone := zones.Of(prefix.Addr()); prefix.IsValid() && zone.Name != policy.OffCampus {
				t.warn("source", "address[%d] is in %q: whoever uses this application counts as being there, wherever they are; write \"off-campus\"", i, zone.Name)
			}
		}
	} else {
		t.checkZone("source", a.Zone, zones)
	}
	seen := make([]bool, len(accounts))
	for _, e := range t.texts("accounts") {
		dn, err := ldap.ParseDN(e.text)
		i := slices.IndexFunc(accounts, func(known Account) bool { return err == nil && known.dn != nil && known.dn.EqualFold(dn) })
		switch {
		case err != nil:
			t.r.fault(e.key, `%q is not a DN; write it like "uid=svc-mail,ou=services,dc=example,dc=ac,dc=jp"`, e.text)
		case i < 0:
			t.r.fault(e.key, "%q is not the DN of a [[ldap.account]]; add one", e.text)
		case seen[i]:
			t.r.fault(e.key, "%q stands twice; take one out", e.text)
		default:
			seen[i], used[i] = true, true
			a.Accounts = append(a.Accounts, accounts[i])
		}
	}
	t.close()
	return a
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
