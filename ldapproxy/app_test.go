package ldapproxy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"sekisho/ldapproxy/wire"
)

func TestNewAppsNamesEveryFault(t *testing.T) {
	good := testApp()
	change := func(name, prefix string, f func(*App)) App {
		a := testApp()
		a.Name, a.Prefixes = name, nil
		if prefix != "" {
			a.Prefixes = []netip.Prefix{netip.MustParsePrefix(prefix)}
		}
		if f != nil {
			f(&a)
		}
		return a
	}
	account := func(dn, password string) func(*App) {
		return func(a *App) { a.Accounts = append(a.Accounts, Account{DN: dn, Password: []byte(password)}) }
	}
	_, err := NewApps([]App{
		good,
		change("", "10.0.0.0/8", nil),
		change(good.Name, "10.1.0.0/16", nil),
		change("a", "", nil),
		change("b", "::ffff:127.1.2.3/104", nil),
		change("c", "", func(a *App) { a.Prefixes = []netip.Prefix{{}} }),
		change("d", "", func(a *App) {
			a.Prefixes = []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr("::ffff:1.2.3.4"), 90)}
		}),
		change("e", "10.2.0.0/16", func(a *App) { a.SizeLimit = -1 }),
		change("f", "10.3.0.0/16", func(a *App) { a.TimeLimit = -1 }),
		change("g", "10.4.0.0/16", func(a *App) { a.RejectDelay = -1 }),
		change("h", "10.5.0.0/16", account("nonsense", "x")),
		change("i", "10.6.0.0/16", account("", "x")),
		change("j", "10.7.0.0/16", account("UID=SVC-Mail,ou=services,"+testBase, "x")),
	})
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{
		`application "": has no name`, `application "dovecot": is named twice`, `application "a": has no address`,
		`application "b": has the prefix ::ffff:127.1.2.3/104 of application "dovecot"`, `application "c": invalid Prefix is not`,
		`application "d": ::ffff:1.2.3.4/90 is not`, `application "e": a negative`, `application "f": a negative`, `application "g": a negative`,
		`application "h": account "nonsense" is not`, `application "i": account "" is not`, `application "j": account "UID=SVC`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), mailPassword) {
		t.Error("a password in the fault")
	}
}

func TestLongestPrefixDecidesTheApplication(t *testing.T) {
	var list []App
	for _, prefixes := range [][]string{{"0.0.0.0/0"}, {"192.0.2.0/24", "2001:db8:1::/48"}, {"192.0.2.128/25"}, {"::ffff:192.0.2.129/128"}, {"2001:db8::/32"}} {
		a := App{Name: prefixes[0]}
		for _, p := range prefixes {
			a.Prefixes = append(a.Prefixes, netip.MustParsePrefix(p))
		}
		list = append(list, a)
	}
	table := newTable(mustApps(t, list...))
	for addr, want := range map[string]string{
		"203.0.113.1": "0.0.0.0/0", "192.0.2.1": "192.0.2.0/24", "192.0.2.200": "192.0.2.128/25",
		"192.0.2.129": "::ffff:192.0.2.129/128", "::ffff:192.0.2.1": "192.0.2.0/24",
		"2001:db8:1::5": "192.0.2.0/24", "2001:db8:2::5": "2001:db8::/32", "2001:db8:2::5%eth0": "2001:db8::/32",
		"2001:db9::1": "",
	} {
		got := ""
		if a := table.find(marks{addr: netip.MustParseAddr(addr)}); a != nil {
			got = a.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
	if table.find(marks{}) != nil {
		t.Error("an unknown address has an application")
	}
}

func TestNewAppsLeavesItsArgumentAlone(t *testing.T) {
	list := []App{{Name: "a", Prefixes: []netip.Prefix{netip.MustParsePrefix("::ffff:192.0.2.1/128")}}}
	mustApps(t, list...)
	if list[0].Prefixes[0].String() != "::ffff:192.0.2.1/128" {
		t.Errorf("changed to %v", list[0].Prefixes[0])
	}
}

func TestAppPrintsWithoutItsPasswords(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, testApp()); s != "dovecot" {
			t.Errorf("%s: %s", verb, s)
		}
	}
}

func TestReloadOfApplications(t *testing.T) {
	r := start(t, nil)
	p, q := r.dial(), r.dial()
	p.wants(wire.ResultSuccess, bindOp(mailDN, mailPassword))
	q.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))

	renamed := testApp()
	renamed.Name, renamed.Service = "postfix", "submission"
	r.SetApps(mustApps(t, renamed))
	if p.who() == "" || q.who() == "" {
		t.Error("signed out by a reload that changed nothing for them")
	}
	q.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if asked := r.gate.judged(); asked[1].Service != "submission" || asked[1].Client != "postfix" {
		t.Errorf("asked %+v", asked[1])
	}

	renamed.Accounts = []Account{{DN: mailDN, Password: []byte("another password")}}
	r.SetApps(mustApps(t, renamed))
	p.send(p.put(searchOp("", 0)))
	p.notice(wire.ResultStrongerAuthRequired)

	p = r.dial()
	p.wants(wire.ResultInvalidCredentials, bindOp(mailDN, mailPassword))
	p.wants(wire.ResultSuccess, bindOp(mailDN, "another password"))
	r.SetApps(mustApps(t, elsewhere()))
	p.send(p.put(searchOp("", 0)))
	p.notice(wire.ResultStrongerAuthRequired)
	// What people may search, and for how long, was said of the application.
	q.send(q.put(searchOp("", 0)))
	q.notice(wire.ResultStrongerAuthRequired)
	r.dial().wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123456"))
}

func TestPersonOfAnApplicationThatIsGoneMayBindAgain(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.SetApps(mustApps(t))
	r.SetApps(mustApps(t, testApp()))
	if p.who() == "" {
		t.Error("signed out, though nothing was asked meanwhile")
	}
}

// A password that only a directory behind has is none that is typed here.
func TestAccountWithoutAPasswordIsNobodys(t *testing.T) {
	app := testApp()
	app.Accounts = []Account{{DN: mailDN}}
	r := start(t, nil, app)
	p := r.dial()
	p.wants(wire.ResultUnwillingToPerform, bindOp(mailDN, ""))
	p.wants(wire.ResultInvalidCredentials, bindOp(mailDN, "guess"))
	k := newTable(mustApps(t, app)).find(marks{addr: netip.MustParseAddr("127.0.0.1")}).accounts[mailDN]
	if k.is(nil) || k.is([]byte{}) {
		t.Error("an empty password is its")
	}
}
