package ldapproxy

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"sekisho/policy"
)

// App is one application: what it is known by, and for which service it asks.
// A connection is the application's if all fits that is given.
type App struct {
	Name string

	Prefixes     []netip.Prefix      // it comes from; none: anywhere
	Listeners    []string            // it asks, by name; none: any
	Certificates [][sha256.Size]byte // it shows one: SHA-256 of the SubjectPublicKeyInfo; none: it need not
	BindDNs      []string            // it has bound as one of these, which are among its Accounts; none: it need not

	Service     string
	Zone        string // of the people behind it; "": judge the address that Tracking tells, else the connection's own
	Separator   string // between password and code
	PlainBinds  bool   // may bind in clear text, where the listener takes it
	Anonymous   bool   // may search without a bind
	SizeLimit   int    // entries of a search; 0: unlimited
	TimeLimit   time.Duration
	RejectDelay time.Duration
	Repeat      *policy.Repeat // goes before the rule's; nil: the rule's
	Tracking    bool           // it is believed where it tells people's own addresses
	Accounts    []Account

	// Of a directory behind.
	Writes    bool // may change it
	Referrals bool // pass: clients chase them with password and code
	Observe   bool // everything is passed on, and what would be decided is booked
}

// Account is a service account: it binds by its DN and a fixed password, from
// the application's addresses only, and no code is asked.
type Account struct {
	DN       string
	Password []byte // none: only a directory behind can check it
}

// String is the name alone: an application holds passwords.
func (a App) String() string { return a.Name }

// GoString is String, for %#v.
func (a App) GoString() string { return a.Name }

// LogValue is the name alone, too.
func (a App) LogValue() slog.Value { return slog.StringValue(a.Name) }

// Apps is a checked list of applications. The zero value knows none.
type Apps struct {
	list []App
}

// NewApps checks the applications and returns all the faults it finds at
// once, joined: a name that is missing or given twice, nothing that it is
// known by, nothing that tells two apart, a negative limit, an account whose
// DN can't be read or is given twice to one application.
func NewApps(apps []App) (*Apps, error) {
	var faults []error
	names := make(map[string]bool)
	var known []*app
	list := slices.Clone(apps)
	for i := range list {
		a := newApp(list[i])
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("application %q: "+format, append([]any{a.Name}, args...)...))
		}
		switch {
		case a.Name == "":
			fault("has no name")
		case names[a.Name]:
			fault("is named twice")
		}
		names[a.Name] = true

		if a.SizeLimit < 0 || a.TimeLimit < 0 || a.RejectDelay < 0 {
			fault("a negative limit or delay")
		}
		dns := make(map[string]bool)
		for _, account := range a.Accounts {
			dn, err := canonicalDN(account.DN)
			switch {
			case err != nil || dn == "":
				fault("account %q is not a DN", account.DN)
			case dns[dn]:
				fault("account %q is given twice", account.DN)
			}
			dns[dn] = true
		}
		a.checkKnown(fault)
		for _, other := range known {
			a.checkApart(other, fault)
		}
		known = append(known, a)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &Apps{list: list}, nil
}

// standsFor reports whether sessions of another application, from a list of
// before, go on as this one's. An application that is only called otherwise
// now is the same; but one person's password may have opened less than another
// application has.
func (a *app) standsFor(before *app) bool {
	return before == nil || a.Name == before.Name || a.rights() == before.rights()
}

// rights are what an application's sessions may do with a directory behind.
type rights struct{ writes, referrals, observe bool }

func (a *app) rights() rights { return rights{a.Writes, a.Referrals, a.Observe} }

// account is a service account at work.
type account struct {
	dn       string            // as configured
	key      string            // its canonical form
	password [sha256.Size]byte // of it: lengths are equal, so a comparison tells nothing
}

// is reports whether the password is the account's. One that has none here
// has no sum either.
func (a *account) is(password []byte) bool {
	sum := sha256.Sum256(password)
	return subtle.ConstantTimeCompare(sum[:], a.password[:]) == 1
}

// app is an application at work.
type app struct {
	App
	networks policy.Networks[int] // lengths of Prefixes, as IPv4 where they stand for that
	accounts map[string]*account  // by canonical DN
	claims   []string             // BindDNs, canonical
}

func newApp(given App) *app {
	a := &app{App: given, accounts: make(map[string]*account)}
	for _, prefix := range given.Prefixes {
		bits := prefix.Bits()
		if prefix.IsValid() && prefix.Addr().Is4In6() {
			bits -= 96
		}
		a.networks.Put(prefix, bits)
	}
	for _, account := range given.Accounts {
		a.addAccount(account)
	}
	for _, text := range given.BindDNs {
		if dn, err := canonicalDN(text); err == nil { // else NewApps has told
			a.claims = append(a.claims, dn)
		}
	}
	return a
}

func (a *app) addAccount(given Account) {
	dn, err := canonicalDN(given.DN)
	if err != nil { // NewApps has told
		return
	}
	at := &account{dn: given.DN, key: dn}
	if len(given.Password) > 0 {
		at.password = sha256.Sum256(given.Password)
	}
	a.accounts[dn] = at
}

// table finds the application of a connection, and knows all service accounts.
type table struct {
	apps     []*app
	accounts map[string]bool // canonical DNs of every application's
	claims   map[string]bool // likewise, of those that an application is known by
	services []string        // the DNs of accounts, as configured
}

func newTable(apps *Apps) *table {
	t := &table{accounts: make(map[string]bool), claims: make(map[string]bool)}
	if apps == nil {
		return t
	}
	for _, given := range apps.list {
		a := newApp(given)
		t.apps = append(t.apps, a)
		for _, dn := range a.claims {
			t.claims[dn] = true
		}
		for _, account := range given.Accounts {
			dn, _ := canonicalDN(account.DN) // NewApps has read it
			if !t.accounts[dn] {
				t.services = append(t.services, account.DN)
			}
			t.accounts[dn] = true
		}
	}
	return t
}

// isAccount reports whether a DN, however it is written, is a service
// account's.
func (t *table) isAccount(text string) bool {
	if len(t.accounts) == 0 {
		return false
	}
	dn, err := canonicalDN(text)
	return err == nil && t.accounts[dn]
}
