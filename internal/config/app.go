package config

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math"
	"net/netip"
	"os"
	"slices"
	"time"

	"sekisho/policy"
)

// App is one application whose people bind here. It is known by all that is
// given of where it comes from, which listener it asks, which key it shows and
// which service account it binds with. The field names are those of package
// ldapproxy.
type App struct {
	Name         string
	Prefixes     []netip.Prefix      // empty: it is known by what follows
	Listeners    []string            // URLs as written; empty: any
	Certificates [][sha256.Size]byte // of the public keys (SubjectPublicKeyInfo) that it may show; empty: it shows none
	BindDNs      []string            // of Accounts; empty: any, or none
	Service      string
	Zone         string // of the people behind it; "": where Tracking says, or else the connection's own address
	Separator    string // between password and code
	PlainBinds   bool   // may bind in clear text, where the listener takes it
	Anonymous    bool   // may search without a bind
	SizeLimit    int    // entries of a search; 0: unlimited
	TimeLimit    time.Duration
	RejectDelay  time.Duration
	Repeat       *policy.Repeat // nil: the rule's
	Tracking     bool           // its word on where people come from is believed
	Accounts     []Account

	// Of a directory behind.
	Writes    bool // may change entries
	Observe   bool // nothing is enforced, it is only booked what would be
	Referrals bool // what refers to other servers is passed on

	binds []string // BindDNs in one form
}

// asks reports whether it may ask at the listener of this URL.
func (a *App) asks(url string) bool {
	return len(a.Listeners) == 0 || slices.Contains(a.Listeners, url)
}

// yard is what the applications stand in.
type yard struct {
	zones     *policy.Zones
	listeners []LDAPListener
	accounts  []Account // of [[ldap.account]]
	used      []bool    // of accounts
	directory Directory
}

func readApps(tables []*table, y *yard) []App {
	var apps []App
	names := map[string]string{}
	for _, t := range tables {
		a := readApp(t, y)
		if other, taken := names[a.Name]; taken && a.Name != "" {
			t.fault("name", "%q is the name of %s, too; give each its own", a.Name, other)
		}
		names[a.Name] = t.key
		for i, other := range apps {
			if prefix, mixed := a.mixed(other); mixed && prefix.IsValid() {
				t.fault("address", "%v is the address of ldap.app[%d], too; give each its own, or a listener, certificate or bind_dn that tells the two apart", prefix, i)
			} else if mixed && !t.r.faults.blames(t.name("address")) {
				t.fault("listener", "nothing tells this and ldap.app[%d] apart; give each its own address, listener, certificate or bind_dn", i)
			}
		}
		apps = append(apps, a)
	}
	return apps
}

// mixed reports whether nothing tells two applications apart, and the address
// that they share, if it is that. Of two prefixes the longer wins, so only
// equal ones are shared.
func (a *App) mixed(b App) (netip.Prefix, bool) {
	if apart(a.Listeners, b.Listeners) || apart(a.Certificates, b.Certificates) || apart(a.binds, b.binds) {
		return netip.Prefix{}, false
	}
	for _, prefix := range a.Prefixes {
		if prefix.IsValid() && slices.Contains(b.Prefixes, prefix) {
			return prefix, true
		}
	}
	return netip.Prefix{}, len(a.Prefixes) == 0 && len(b.Prefixes) == 0
}

// apart reports whether one of the two is known by what the other is not.
func apart[T comparable](a, b []T) bool {
	shared := slices.ContainsFunc(a, func(v T) bool { return slices.Contains(b, v) })
	return len(a)+len(b) > 0 && !shared
}

func readApp(t *table, y *yard) App {
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
		Repeat:      readRepeat(t),
		Tracking:    t.flag("session_tracking", false),
		Writes:      !t.flag("read_only", true),
		Observe:     t.one("mode", "enforce", "enforce", "observe") == "observe",
		Referrals:   t.one("referrals", "drop", "drop", "pass") == "pass",
	}
	t.require("name", a.Name, "name the application, the log will call it so")
	t.require("service", a.Service, `say what people sign in to: service = "webmail"`)
	t.readKnown(&a, y)
	t.readPlain(&a, y)
	t.readSource(&a, y.zones)
	if y.directory.Behind() {
		t.readBehindAccounts(&a, y.directory)
	} else {
		t.readOwnAccounts(&a, y)
	}
	t.readBindDNs(&a)
	t.checkApp(&a, y)
	t.close()
	return a
}

// readKnown reads what an application is known by.
func (t *table) readKnown(a *App, y *yard) {
	if len(a.Prefixes) == 0 && !t.has("listener") && !t.has("certificate") && !t.has("bind_dn") && !t.r.faults.blames(t.name("address")) {
		t.fault("address", `is missing; write its addresses: address = ["192.0.2.20"]`)
	}
	if len(a.Prefixes) == 0 && !t.has("certificate") && (t.has("listener") || t.has("bind_dn")) && !t.r.faults.blames(t.name("address")) {
		t.warn("address", "is missing: whoever can reach the listener may guess passwords; name the addresses of the application, or its certificate")
	}
	for i, prefix := range a.Prefixes {
		if prefix.IsValid() && prefix.Bits() == 0 {
			t.fault(fmt.Sprintf("address[%d]", i), "%v lets the whole world guess passwords; name the addresses of the application", prefix)
		}
	}
	for _, e := range t.filled("listener") {
		if !slices.ContainsFunc(y.listeners, func(l LDAPListener) bool { return l.URL == e.text }) {
			t.r.fault(e.key, "%q is the url of no [[ldap.listener]]; write it as it stands there", e.text)
		}
		a.Listeners = append(a.Listeners, e.text)
	}
	for _, e := range t.filled("certificate") {
		if key, ok := t.r.pinned(e); ok {
			a.Certificates = append(a.Certificates, key)
		}
	}
	secure := func(l LDAPListener) bool { return l.Certificate != "" && a.asks(l.URL) }
	if len(a.Certificates) > 0 && len(y.listeners) > 0 && !slices.ContainsFunc(y.listeners, secure) {
		t.fault("certificate", "can't be shown without TLS, which no listener has where this application asks; add a certificate to the listener")
	}
}

// filled reads a list that would mean anything if it were empty.
func (t *table) filled(key string) []entry {
	list := t.texts(key)
	if t.has(key) && len(list) == 0 && !t.r.faults.blames(t.name(key)) {
		t.fault(key, "is an empty list; fill it or take it out")
	}
	return list
}

// pinned reads a certificate for its key alone: whoever holds that is the
// application, whoever signed it and however long it is to last.
func (r *reader) pinned(e entry) (key [sha256.Size]byte, ok bool) {
	if e.text == "" {
		r.fault(e.key, "is empty; name a PEM file")
		return key, false
	}
	path := r.path(e.text)
	text, err := os.ReadFile(path)
	if err != nil {
		r.fault(e.key, "can't be read: %v; name a PEM file that the user that runs sekisho can read", err)
		return key, false
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		r.fault(e.key, "%s holds no certificate; name a PEM file that begins with one", path)
		return key, false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		r.fault(e.key, "%s can't be used: %v; name a PEM file that begins with a certificate", path, err)
		return key, false
	}
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo), true
}

// readSource reads where the people behind an application are.
func (t *table) readSource(a *App, zones *policy.Zones) {
	switch a.Zone {
	case "peer":
		a.Zone = ""
		for i, prefix := range a.Prefixes {
			if zone := zones.Of(prefix.Addr()); prefix.IsValid() && zone.Name != policy.OffCampus {
				t.warn("source", "address[%d] is in %q: whoever uses this application counts as being there, wherever they are; write \"off-campus\"", i, zone.Name)
			}
		}
		if a.Tracking {
			t.fault("session_tracking", `can't go with source = "peer": who says nothing would count as being where the application is; write source = "session-tracking"`)
		}
	case "session-tracking":
		a.Zone, a.Tracking = "", true
		t.checkTracking("source", a)
	default:
		t.checkZone("source", a.Zone, zones)
		if a.Tracking {
			t.checkTracking("session_tracking", a)
		}
	}
}

// checkTracking warns where more than a few are believed.
func (t *table) checkTracking(key string, a *App) {
	for i, prefix := range a.Prefixes {
		if wide(prefix) && prefix.Bits() > 0 {
			t.warn(key, "address[%d] lets all of %v write whatever source they like; name the application alone", i, prefix)
		}
	}
	if len(a.Prefixes)+len(a.Certificates) == 0 {
		t.warn(key, "lets everybody who can reach the listener write whatever source they like; name the address or the certificate of the application")
	}
}

// readPlain reads whether it may bind in clear text. Left out, it may wherever
// a listener takes that, but not before a directory behind.
func (t *table) readPlain(a *App, y *yard) {
	plain := func(l LDAPListener) bool { return l.PlainBinds && a.asks(l.URL) }
	takes := slices.ContainsFunc(y.listeners, plain)
	a.PlainBinds = !t.flag("require_tls", y.directory.Behind() || !takes)
	if a.PlainBinds && !takes && len(y.listeners) > 0 {
		t.fault("require_tls", "can't be false: no listener where this application asks takes passwords in clear text; take it out")
	}
}

// checkApp blames what can't be had of this directory.
func (t *table) checkApp(a *App, y *yard) {
	if !y.directory.Behind() {
		for key, given := range map[string]bool{"read_only": a.Writes, "mode": a.Observe, "referrals": a.Referrals} {
			if given {
				t.fault(key, `can't be so where the people are kept here; write [directory] kind = "ldap", or take it out`)
			}
		}
		return
	}
	t.foreign("is the affair of the directory behind; take it out", "size_limit", "time_limit")
	a.SizeLimit, a.TimeLimit = 0, 0
	if a.Observe {
		t.warn("mode", `"observe" enforces nothing: whoever has a password gets in without a code; write "enforce" when the book looks right`)
	}
}
