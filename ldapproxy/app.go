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

// App is one application: who may ask, and for which service.
type App struct {
	Name        string
	Prefixes    []netip.Prefix
	Service     string
	Zone        string // of the people behind it; "": judge the connection's own address
	Separator   string // between password and code
	Anonymous   bool   // may search without a bind
	SizeLimit   int    // entries of a search; 0: unlimited
	TimeLimit   time.Duration
	RejectDelay time.Duration
	Accounts    []Account
}

// Account is a service account: it binds by its DN and a fixed password, from
// the application's addresses only, and no code is asked.
type Account struct {
	DN       string
	Password []byte
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
// once, joined: a name that is missing or given twice, no address, an address
// that two have, a negative limit, an account whose DN can't be read or is
// given twice to one application, or that has no password.
func NewApps(apps []App) (*Apps, error) {
	var faults []error
	names := make(map[string]bool)
	var prefixes policy.Networks[string]
	list := slices.Clone(apps)
	for i := range list {
		a := &list[i]
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

		if len(a.Prefixes) == 0 {
			fault("has no address")
		}
		for _, prefix := range a.Prefixes {
			if other, taken := prefixes.Has(prefix); taken {
				fault("has the prefix %v of application %q", prefix, other)
			} else if !prefixes.Put(prefix, a.Name) {
				fault("%v is not an address prefix", prefix)
			}
		}

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
			case len(account.Password) == 0:
				fault("account %q has no password", account.DN)
			}
			dns[dn] = true
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &Apps{list: list}, nil
}

// account is a service account at work.
type account struct {
	dn       string            // as configured
	key      string            // its canonical form
	password [sha256.Size]byte // of it: lengths are equal, so a comparison tells nothing
}

// is reports whether the password is the account's.
func (a *account) is(password []byte) bool {
	sum := sha256.Sum256(password)
	return subtle.ConstantTimeCompare(sum[:], a.password[:]) == 1
}

// app is an application at work.
type app struct {
	App
	accounts map[string]*account // by canonical DN
}

// table finds the application of an address, and knows all service accounts.
type table struct {
	apps     policy.Networks[*app]
	accounts map[string]bool // canonical DNs of every application's
	services []string        // the DNs of these, as configured
}

func newTable(apps *Apps) *table {
	t := &table{accounts: make(map[string]bool)}
	if apps == nil {
		return t
	}
	for _, a := range apps.list {
		working := &app{App: a, accounts: make(map[string]*account)}
		for _, given := range a.Accounts {
			dn, _ := canonicalDN(given.DN) // NewApps has read it
			working.accounts[dn] = &account{dn: given.DN, key: dn, password: sha256.Sum256(given.Password)}
			if !t.accounts[dn] {
				t.services = append(t.services, given.DN)
			}
			t.accounts[dn] = true
		}
		for _, prefix := range a.Prefixes {
			t.apps.Put(prefix, working)
		}
	}
	return t
}

// find returns the application of an address, nil if there is none.
func (t *table) find(addr netip.Addr) *app {
	found, _ := t.apps.Of(addr)
	return found
}
