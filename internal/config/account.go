package config

import (
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Account is a service account: a DN and a password that never changes. The
// directory behind has the passwords of its own.
type Account struct {
	DN       string
	Password Secret

	dn *ldap.DN
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

// readOwnAccounts reads those of [[ldap.account]] that the application has.
func (t *table) readOwnAccounts(a *App, y *yard) {
	for _, e := range t.accounts(a) {
		i := slices.IndexFunc(y.accounts, func(known Account) bool { return known.dn != nil && known.dn.EqualFold(e.dn) })
		if i < 0 {
			t.r.fault(e.key, "%q is not the DN of a [[ldap.account]]; add one", e.text)
			continue
		}
		y.used[i] = true
		a.Accounts = append(a.Accounts, y.accounts[i])
	}
}

// readBehindAccounts reads the DNs of accounts whose passwords the directory
// behind checks.
func (t *table) readBehindAccounts(a *App, d Directory) {
	base, err := ldap.ParseDN(d.Base)
	for _, e := range t.accounts(a) {
		if err == nil && !base.EqualFold(e.dn) && !base.AncestorOfFold(e.dn) {
			t.r.fault(e.key, "%q is not below %s, the base of [directory]; name an account that is", e.text, d.Base)
		}
		a.Accounts = append(a.Accounts, Account{DN: e.text, dn: e.dn})
	}
}

// namedDN is a DN of a list, with the full name it goes by.
type namedDN struct {
	entry
	dn *ldap.DN
}

// accounts reads the DNs, each once.
func (t *table) accounts(a *App) []namedDN {
	var list []namedDN
	for _, e := range t.texts("accounts") {
		dn, err := ldap.ParseDN(e.text)
		switch {
		case err != nil || len(dn.RDNs) == 0:
			t.r.fault(e.key, `%q is not a DN; write it like "uid=svc-mail,ou=services,dc=example,dc=ac,dc=jp"`, e.text)
		case slices.ContainsFunc(list, func(other namedDN) bool { return other.dn.EqualFold(dn) }):
			t.r.fault(e.key, "%q stands twice; take one out", e.text)
		default:
			list = append(list, namedDN{e, dn})
		}
	}
	return list
}

// readBindDNs reads which accounts tell that it is this application. They are
// kept as they stand in accounts.
func (t *table) readBindDNs(a *App) {
	for _, e := range t.filled("bind_dn") {
		dn, err := ldap.ParseDN(e.text)
		i := slices.IndexFunc(a.Accounts, func(known Account) bool { return err == nil && known.dn.EqualFold(dn) })
		switch {
		case i >= 0:
			a.BindDNs = append(a.BindDNs, a.Accounts[i].DN)
			a.binds = append(a.binds, strings.ToLower(dn.String()))
		case !t.r.faults.blames(t.name("accounts")):
			t.r.fault(e.key, "%q is not in accounts, so nobody can bind with it; add it there", e.text)
		}
	}
}
