package ldapproxy

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/ldapproxy/wire"
	"sekisho/policy"
)

const (
	gitlabDN = "cn=gitlab,ou=services," + testBase
	wikiDN   = "cn=wiki,ou=services," + testBase
)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func accounts(dns ...string) (out []Account) {
	for _, dn := range dns {
		out = append(out, Account{DN: dn, Password: []byte("of " + dn)})
	}
	return out
}

// Of the applications that fit, the one is taken whose mark is hardest to come
// by; all that is given has to fit.
func TestWhichApplicationAConnectionIsOf(t *testing.T) {
	one, two := [32]byte{1}, [32]byte{2}
	table := newTable(mustApps(t,
		App{Name: "wide", Prefixes: prefixes("192.0.2.0/24")},
		App{Name: "narrow", Prefixes: prefixes("192.0.2.0/28", "192.0.2.64/28", "198.51.100.0/24")},
		App{Name: "mapped", Prefixes: prefixes("::ffff:192.0.2.0/125", "::ffff:192.0.2.64/122")},
		App{Name: "listener", Prefixes: prefixes("192.0.2.0/24"), Listeners: []string{"a", "b"}},
		App{Name: "anywhere", Listeners: []string{"b"}},
		App{Name: "bind", Prefixes: prefixes("192.0.2.0/24"), BindDNs: []string{gitlabDN}, Accounts: accounts(gitlabDN)},
		App{Name: "bind and listener", BindDNs: []string{"CN=Wiki, ou=services," + testBase}, Listeners: []string{"a"}, Accounts: accounts(wikiDN)},
		App{Name: "key", Certificates: [][32]byte{one}},
		App{Name: "key and address", Certificates: [][32]byte{two}, Prefixes: prefixes("192.0.2.0/24")},
	))
	claim := func(dn string) *account {
		return &account{key: dn, password: sha256.Sum256([]byte("of " + dn))}
	}
	at := netip.MustParseAddr
	for _, tt := range []struct {
		m    marks
		want string
	}{
		{marks{}, ""},
		{marks{addr: at("203.0.113.1"), through: "a"}, ""},
		{marks{addr: at("192.0.2.200")}, "wide"},
		{marks{addr: at("192.0.2.9")}, "narrow"},
		{marks{addr: at("192.0.2.1")}, "mapped"},
		{marks{addr: at("192.0.2.65")}, "narrow"},
		{marks{addr: at("::ffff:192.0.2.1")}, "mapped"},
		{marks{addr: at("198.51.100.1")}, "narrow"},
		{marks{addr: at("192.0.2.1"), through: "c"}, "mapped"},

		{marks{addr: at("192.0.2.1"), through: "a"}, "listener"},
		{marks{addr: at("192.0.2.1"), through: "b"}, "listener"}, // by the longer prefix
		{marks{addr: at("198.51.100.1"), through: "b"}, "anywhere"},
		{marks{addr: at("203.0.113.1"), through: "b"}, "anywhere"},
		{marks{through: "b"}, "anywhere"},

		{marks{addr: at("192.0.2.1"), through: "a", claim: claim(gitlabDN)}, "bind"},
		{marks{addr: at("192.0.2.1"), through: "a", binding: gitlabDN}, "bind"},
		{marks{addr: at("198.51.100.1"), claim: claim(gitlabDN)}, "narrow"},
		{marks{addr: at("192.0.2.1"), through: "a", claim: claim(wikiDN)}, "bind and listener"},
		{marks{addr: at("203.0.113.1"), through: "a", claim: claim(wikiDN)}, "bind and listener"},
		{marks{addr: at("203.0.113.1"), through: "b", claim: claim(wikiDN)}, "anywhere"},
		{marks{addr: at("192.0.2.1"), claim: &account{key: gitlabDN, password: [32]byte{3}}}, "mapped"}, // another password since
		{marks{addr: at("192.0.2.1"), through: "a", claim: claim(gitlabDN), binding: wikiDN}, "bind and listener"},
		{marks{addr: at("192.0.2.1"), binding: mailDN}, "mapped"},

		{marks{addr: at("192.0.2.1"), through: "a", claim: claim(gitlabDN), key: one}, "key"},
		{marks{key: one}, "key"},
		{marks{key: two}, ""},
		{marks{addr: at("192.0.2.1"), key: two}, "key and address"},
		{marks{addr: at("192.0.2.1"), key: [32]byte{9}}, "mapped"},
	} {
		got := ""
		if a := table.find(tt.m); a != nil {
			got = a.Name
		}
		if got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.m, got, tt.want)
		}
	}
}

func TestWhoMayTurnOutToBeAnApplication(t *testing.T) {
	table := newTable(mustApps(t,
		App{Name: "key", Certificates: [][32]byte{{1}}, Prefixes: prefixes("192.0.2.0/24"), Listeners: []string{"a"}},
	))
	for m, want := range map[marks]bool{
		{addr: netip.MustParseAddr("192.0.2.1"), through: "a"}:   true,
		{addr: netip.MustParseAddr("192.0.2.1"), through: "b"}:   false,
		{addr: netip.MustParseAddr("203.0.113.1"), through: "a"}: false,
	} {
		if got := table.expects(m); got != want {
			t.Errorf("%+v: %v", m, got)
		}
	}
}

// Whatever both could ask by has to tell them apart.
func TestNewAppsWantsThemApart(t *testing.T) {
	key := [][32]byte{{1}, {2}}
	base := func(change ...func(*App)) App {
		a := App{Name: "one", Prefixes: prefixes("192.0.2.0/24"), Accounts: accounts(gitlabDN, wikiDN)}
		for _, c := range change {
			c(&a)
		}
		return a
	}
	listeners := func(l ...string) func(*App) { return func(a *App) { a.Listeners = l } }
	keys := func(k ...[32]byte) func(*App) { return func(a *App) { a.Certificates = k } }
	dns := func(d ...string) func(*App) { return func(a *App) { a.BindDNs = d } }
	addresses := func(l ...string) func(*App) { return func(a *App) { a.Prefixes = prefixes(l...) } }
	for _, tt := range []struct {
		name     string
		one, two App
		fault    string // "": they are apart
	}{
		{"the same address", base(), base(), "has the prefix 192.0.2.0/24"},
		{"the same address, mapped", base(), base(addresses("::ffff:192.0.2.5/120")), "has the prefix ::ffff:192.0.2.5/120"},
		{"a longer address", base(), base(addresses("192.0.2.0/25")), ""},
		{"an address and none", base(), base(addresses(), listeners("a")), ""},
		{"other listeners", base(listeners("a")), base(listeners("b")), ""},
		{"a listener and any", base(listeners("a")), base(), ""},
		{"a listener of two", base(listeners("a", "b")), base(listeners("b")), "has the prefix"},
		{"other keys", base(keys(key[0])), base(keys(key[1])), ""},
		{"a key and none", base(), base(keys(key[1])), ""},
		{"the same key", base(keys(key...)), base(keys(key[1])), "has the prefix"},
		{"the same key, without addresses", base(addresses(), keys(key[0])), base(addresses(), keys(key[0])), "nothing tells it from"},
		{"other bind DNs", base(dns(gitlabDN)), base(dns(wikiDN)), ""},
		{"the same bind DN", base(dns(gitlabDN)), base(dns("CN=GitLab,ou=services," + testBase)), "has the prefix"},
		{"the same listener, without addresses", base(addresses(), listeners("a")), base(addresses(), listeners("a")), "nothing tells it from"},

		{"nothing", base(), base(addresses()), "has no address, nor anything else"},
		{"no name of a listener", base(), base(listeners("")), "a listener without a name"},
		{"a certificate of nothing", base(), base(keys([32]byte{})), "a certificate of nothing"},
		{"a bind DN that is no account", base(), base(dns(mailDN)), "is none of its accounts"},
		{"a bind DN that is none", base(), base(dns("gitlab")), "is none of its accounts"},
		{"an address twice", base(addresses("10.0.0.0/8")), base(addresses("192.0.2.0/24", "192.0.2.9/24")), "192.0.2.9/24 twice"},
	} {
		tt.two.Name = "two"
		_, err := NewApps([]App{tt.one, tt.two})
		if tt.fault == "" && err != nil || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.fault)
		}
	}
}

// twoApps are one that anybody is of who comes from here, and one that is
// known by what it binds as.
func twoApps() []App {
	known := testApp()
	known.Name, known.Service, known.Accounts, known.BindDNs = "gitlab", "git", accounts(gitlabDN), []string{gitlabDN}
	known.Repeat = &policy.Repeat{Idle: time.Minute, Max: time.Minute}
	return []App{testApp(), known}
}

func (r *rig) askedBy(t *testing.T, n int, client string) gate.Request {
	t.Helper()
	asked := r.gate.judged()
	if len(asked) != n || asked[n-1].Client != client {
		t.Fatalf("asked %+v, want the last of %d by %s", asked, n, client)
	}
	return asked[n-1]
}

func TestApplicationIsKnownByWhatItBindsAs(t *testing.T) {
	r := start(t, nil, twoApps()...)
	p, q := r.dial(), r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if got := r.askedBy(t, 1, "dovecot"); got.Repeat != nil {
		t.Errorf("repeat of another application: %+v", got)
	}

	p.wants(wire.ResultInvalidCredentials, bindOp(gitlabDN, "guess"))
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.askedBy(t, 2, "dovecot") // to have tried is not enough

	p.wants(wire.ResultSuccess, bindOp("CN=GitLab,ou=services,"+testBase, "of "+gitlabDN))
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if got := r.askedBy(t, 3, "gitlab"); got.Service != "git" || got.Repeat == nil || got.Repeat.Idle != time.Minute {
		t.Errorf("asked %+v", got)
	}
	p.wants(wire.ResultInvalidCredentials, bindOp(mailDN, mailPassword)) // another application's now
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "guess"))
	r.askedBy(t, 4, "gitlab") // until it ends

	q.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.askedBy(t, 5, "dovecot") // and nobody else's connection
}

func TestServiceAccountThatMakesAnApplicationNeedsItsAddress(t *testing.T) {
	apps := twoApps()
	apps[1].Prefixes = prefixes("192.0.2.0/24")
	r := start(t, nil, apps...)
	p := r.dial()
	p.wants(wire.ResultInvalidCredentials, bindOp(gitlabDN, "of "+gitlabDN))
	if got := r.gate.booked(); len(got) != 1 || got[0] != gate.FaultServiceAccount {
		t.Errorf("booked %v", got)
	}
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.askedBy(t, 1, "dovecot")
}

// Under another password it is another account: whoever has the connection may
// have lost the password, or stolen it.
func TestClaimEndsWithThePassword(t *testing.T) {
	apps := twoApps()
	r := start(t, nil, apps...)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(gitlabDN, "of "+gitlabDN))
	apps[1].Accounts = []Account{{DN: gitlabDN, Password: []byte("another")}}
	r.SetApps(mustApps(t, apps...))
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.askedBy(t, 1, "dovecot")
}

// Where the application is known by nothing else, nobody is of it before.
func TestNobodyAsksBeforeTheServiceAccount(t *testing.T) {
	apps := twoApps()[1:]
	apps[0].Prefixes = nil
	r := start(t, nil, apps...)
	p := r.dial()
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123456"))
	if got := r.gate.booked(); len(got) != 1 || got[0] != gate.FaultUnknownApp {
		t.Errorf("booked %v", got)
	}
	p.wants(wire.ResultSuccess, bindOp(gitlabDN, "of "+gitlabDN))
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.askedBy(t, 1, "gitlab")
}

func TestApplicationBehindADirectoryIsKnownByWhatItBindsAs(t *testing.T) {
	known := relayApp()
	known.Name, known.BindDNs, known.Writes = "mail", []string{mailBehind}, true
	r := startRelay(t, nil, relayApp(), known)
	p := r.bound()
	r.askedBy(t, 1, "dovecot")
	p.wants(wire.ResultUnwillingToPerform, modifyOp(aliceBehind, 2, "mail", "x@example"))
	p.wants(wire.ResultInvalidCredentials, bindOp(mailBehind, "guess"))
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice))
	r.askedBy(t, 2, "mail")
	if got := p.ask(modifyOp(aliceBehind, 2, "mail", "x@example")); got.diagnostic == readOnly.Diagnostic {
		t.Errorf("%+v", got)
	}
}

func TestObservedApplicationIsKnownByWhatItBindsAs(t *testing.T) {
	known := relayApp()
	known.Name, known.BindDNs, known.Observe = "mail", []string{mailBehind}, true
	r := startRelay(t, nil, relayApp(), known)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"))
	r.gate.mu.Lock()
	watched := r.gate.watched
	r.gate.mu.Unlock()
	if len(watched) != 1 || watched[0].Client != "mail" {
		t.Errorf("watched %+v", watched)
	}
	r.dial().wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "secret"))
	r.askedBy(t, 1, "dovecot")
}

// Whether a bind may have its controls is for the application to say that asks
// by it, not for the one whose connection it was until then.
func TestControlsOfABindAreOfTheApplicationThatAsks(t *testing.T) {
	tracks := func(a, b bool) []App {
		apps := twoApps()
		apps[0].Tracking, apps[1].Tracking = a, b
		return apps
	}
	critical := trackingOf("192.0.2.7", 0xff)
	ask := bindOp(gitlabDN, "of "+gitlabDN)
	start(t, nil, tracks(false, true)...).dial().wants(wire.ResultSuccess, ask, critical)
	start(t, nil, tracks(true, false)...).dial().wants(wire.ResultUnavailableCritical, ask, critical)

	known := relayApp()
	known.Name, known.BindDNs, known.Observe = "mail", []string{mailBehind}, true
	r := startRelay(t, nil, relayApp(), known)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword), critical)
	if got := r.up.SeenBinds(); len(got) != 1 || len(got[0].Controls) != 1 {
		t.Errorf("went on: %+v", got)
	}
}

func TestListenerTellsApplicationsApart(t *testing.T) {
	other := testApp()
	other.Name, other.Listeners = "here", []string{"ldap://[::1]:389"}
	r := start(t, func(r *rig) { r.listener.Name = "ldap://[::1]:389" }, testApp(), other)
	r.dial().wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.askedBy(t, 1, "here")
}

// In clear text only who may, where one may.
func TestClearTextIsForApplicationsThatMay(t *testing.T) {
	for _, tt := range []struct{ listener, app, may bool }{
		{true, true, true}, {true, false, false}, {false, true, false}, {false, false, false},
	} {
		app := testApp()
		app.PlainBinds, app.Anonymous = tt.app, true
		r := start(t, func(r *rig) { r.listener.PlainBinds = tt.listener }, app)
		p := r.dial()
		search, bind := wire.ResultInsufficientAccessRights, wire.ResultConfidentialityRequired
		if tt.may {
			search, bind = wire.ResultSuccess, wire.ResultSuccess
		}
		p.wants(search, searchOp(testBase, 0))
		p.wants(bind, bindOp(aliceDN, "secret123456"))
		p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
		p.secure()
		p.wants(wire.ResultSuccess, searchOp(testBase, 0))
		p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	}
}

// certificate is one that nobody has signed but itself.
func certificate(t *testing.T, end time.Time) (tls.Certificate, [32]byte) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, sha256.Sum256(parsed.RawSubjectPublicKeyInfo)
}

// shows is a client that shows certificates, by StartTLS.
func (r *rig) shows(config *tls.Config) *peer {
	r.t.Helper()
	p := r.dial()
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	config.InsecureSkipVerify = true
	p.Conn = tls.Client(p.Conn, config)
	p.frames = wire.NewFrameReader(p.Conn)
	return p
}

func TestApplicationIsKnownByItsCertificate(t *testing.T) {
	own, key := certificate(t, time.Now().Add(time.Hour))
	over, keyOver := certificate(t, time.Unix(0, 0)) // long ago: nobody asks
	foreign, _ := certificate(t, time.Now().Add(time.Hour))
	pinned := testApp()
	pinned.Name, pinned.Prefixes, pinned.Certificates = "pinned", nil, [][32]byte{keyOver, key}
	r := start(t, func(r *rig) {
		r.listener.TLS = r.listener.TLS.Clone()
		r.listener.TLS.ClientAuth = tls.RequestClientCert
	}, testApp(), pinned)
	sessions := tls.NewLRUClientSessionCache(4)
	for i, tt := range []struct {
		config *tls.Config
		client string
	}{
		{&tls.Config{Certificates: []tls.Certificate{own}, ClientSessionCache: sessions}, "pinned"},
		{&tls.Config{Certificates: []tls.Certificate{own}, ClientSessionCache: sessions}, "pinned"}, // resumed
		{&tls.Config{Certificates: []tls.Certificate{foreign}}, "dovecot"},
		{&tls.Config{Certificates: []tls.Certificate{over}}, "pinned"},
		{&tls.Config{}, "dovecot"},
		{&tls.Config{Certificates: []tls.Certificate{own}, MaxVersion: tls.VersionTLS12}, "pinned"},
	} {
		p := r.shows(tt.config)
		p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
		r.askedBy(t, i+1, tt.client)
		if state := p.Conn.(*tls.Conn).ConnectionState(); state.DidResume != (i == 1) {
			t.Errorf("resumed: %v", state.DidResume)
		}
	}
	// Of the application that is no more nobody is left.
	p := r.shows(&tls.Config{Certificates: []tls.Certificate{own}})
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.SetApps(mustApps(t, elsewhere()))
	p.send(p.put(searchOp("", 0)))
	p.notice(wire.ResultStrongerAuthRequired)
}

func TestCertificateAloneIsNoStranger(t *testing.T) {
	_, key := certificate(t, time.Time{})
	app := testApp()
	app.Prefixes, app.Certificates = nil, [][32]byte{key}
	r := start(t, func(r *rig) { r.Limits.Strangers = 1 }, app)
	for range 3 {
		r.dial().wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123456")) // in clear, it has shown nothing
	}
}
