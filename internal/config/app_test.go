package config

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sekisho/policy"
)

// relay is a sound LDAP door before the directory behind; its lines are
// counted from 25.
const relay = `[ldap]
[[ldap.listener]]
url = "ldaps://0.0.0.0"
certificate = "tls.crt"
key = "tls.key"
[[ldap.app]]
name = "gitlab"
address = ["203.0.113.20"]
service = "git"
accounts = ["cn=gitlab,ou=services,dc=example,dc=ac,dc=jp"]
`

// relayWith is a relay whose application has more lines, from 35 on.
func relayWith(lines ...string) string {
	return sound + upstream + relay + strings.Join(lines, "\n") + "\n"
}

func TestEveryKeyOfAnApplicationOfTheRelay(t *testing.T) {
	dir := behindFolder(t)
	c, _, err := loadText(t, dir, relayWith(
		"bind_dn = 'CN=gitlab, OU=services, DC=example,DC=ac,DC=jp'",
		"listener = 'ldaps://0.0.0.0'", "certificate = ['tls.crt']", "source = 'session-tracking'",
		"read_only = false", "referrals = 'pass'", "repeat = {idle = '2m', max = '10m', answers = 5}",
		"[[ldap.app]]", "name = 'two'", "address = '203.0.113.20'", "service = 'git'", "repeat = 'off'", "mode = 'enforce'",
		"[[ldap.app]]", "name = 'three'", "certificate = 'tls.crt'", "service = 'git'", "separator = ','", "session_tracking = true",
	))
	if err != nil || c.Warnings != nil {
		t.Fatal(err, c)
	}
	text, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	keys := [][sha256.Size]byte{sha256.Sum256(cert.RawSubjectPublicKeyInfo)}
	at := []netip.Prefix{netip.MustParsePrefix("203.0.113.20/32")}
	const dn = "cn=gitlab,ou=services,dc=example,dc=ac,dc=jp"
	one := App{
		Name: "gitlab", Prefixes: at, Listeners: []string{"ldaps://0.0.0.0"}, Certificates: keys, BindDNs: []string{dn}, Service: "git",
		Repeat: &policy.Repeat{Idle: 2 * time.Minute, Max: 10 * time.Minute, Answers: 5}, Tracking: true,
		Accounts: []Account{{DN: dn, dn: c.LDAP.Apps[0].Accounts[0].dn}}, Writes: true, Referrals: true, binds: c.LDAP.Apps[0].binds,
	}
	two := App{Name: "two", Prefixes: at, Service: "git", Zone: policy.OffCampus, Repeat: &policy.Repeat{}}
	three := App{Name: "three", Certificates: keys, Service: "git", Zone: policy.OffCampus, Separator: ",", Tracking: true}
	if want := []App{one, two, three}; !reflect.DeepEqual(c.LDAP.Apps, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c.LDAP.Apps, want)
	}
	if c.LDAP.Base != "dc=example,dc=ac,dc=jp" {
		t.Error("base", c.LDAP.Base)
	}
}

func TestBaseOfTheRelay(t *testing.T) {
	dir := behindFolder(t)
	for base, want := range map[string]string{
		"dc=example,dc=ac,dc=jp":            "",
		"OU=People, DC=example,dc=ac,dc=jp": "",
		"cn=people,dc=example,dc=ac,dc=jp":  "",
		"dc=ac,dc=jp":                       `c:26: ldap.base: "dc=ac,dc=jp" is neither dc=example,dc=ac,dc=jp, the base of [directory], nor below it`,
	} {
		c, faults, err := loadText(t, dir, sound+upstream+strings.Replace(relay, "[ldap]", "[ldap]\nbase = '"+base+"'", 1))
		compare(t, faulty{base, "", want}, faults)
		if want == "" && (err != nil || c.LDAP.Base != base) {
			t.Error(base, err)
		}
	}
}

func TestAppFaults(t *testing.T) {
	dir := behindFolder(t)
	const (
		second  = "[[ldap.app]]\nname = 'b'\nservice = 'git'\n"
		address = "address = '203.0.113.20'"
	)
	local := func(lines ...string) string { return doorChange(app, 1, app+"\n"+strings.Join(lines, "\n")) }
	plain := strings.Replace(relay, "[[ldap.app]]", "[[ldap.listener]]\nurl = 'ldap://127.0.0.1'\nrequire_tls = false\n[[ldap.app]]", 1)
	for _, test := range []faulty{
		{"account of ours behind", relayWith("[[ldap.account]]", "dn = 'x'"), `c:35: ldap.account: is of accounts that are kept here, and the directory behind has its own`},
		{"posix of ours behind", relayWith("[ldap.posix]", "shell = 'x'"), `c:35: ldap.posix: is of accounts that are kept here`},
		{"limits of ours behind", relayWith("size_limit = 5", "time_limit = '5s'"), "c:35: ldap.app[0].size_limit: is the affair of the directory behind\nc:36: ldap.app[0].time_limit: is the affair"},
		{"account beyond the base", strings.Replace(relayWith(), `["cn=gitlab,ou=services,dc=example,dc=ac,dc=jp"]`, `"cn=gitlab,dc=elsewhere"`, 1), `c:34: ldap.app[0].accounts[0]: "cn=gitlab,dc=elsewhere" is not below dc=example,dc=ac,dc=jp, the base of [directory]`},
		{"empty account", strings.Replace(relayWith(), `["cn=gitlab,ou=services,dc=example,dc=ac,dc=jp"]`, `""`, 1), `c:34: ldap.app[0].accounts[0]: "" is not a DN`},
		{"bind DN that is no account", relayWith("bind_dn = 'cn=x,dc=example,dc=ac,dc=jp'"), `c:35: ldap.app[0].bind_dn[0]: "cn=x,dc=example,dc=ac,dc=jp" is not in accounts`},
		{"bind DN that is none", relayWith("bind_dn = 'x'"), `c:35: ldap.app[0].bind_dn[0]: "x" is not in accounts`},
		{"no bind DN", relayWith("bind_dn = []"), `c:35: ldap.app[0].bind_dn: is an empty list`},
		{"unknown listener", relayWith("listener = ['ldaps://0.0.0.0', 'ldaps://0.0.0.0:636']"), `c:35: ldap.app[0].listener[1]: "ldaps://0.0.0.0:636" is the url of no [[ldap.listener]]`},
		{"no listener", relayWith("listener = []"), `c:35: ldap.app[0].listener: is an empty list`},
		{"no certificate", relayWith("certificate = []"), `c:35: ldap.app[0].certificate: is an empty list`},
		{"unnamed certificate", relayWith("certificate = ''"), `c:35: ldap.app[0].certificate[0]: is empty; name a PEM file`},
		{"absent certificate", relayWith("certificate = 'none'"), `c:35: ldap.app[0].certificate[0]: can't be read: open DIR/none`},
		{"certificate that is none", relayWith("certificate = 'tls.key'"), `c:35: ldap.app[0].certificate[0]: DIR/tls.key holds no certificate`},
		{"certificate without TLS", sound + upstream + plain + "certificate = 'tls.crt'\nlistener = 'ldap://127.0.0.1'\n", `c:38: ldap.app[0].certificate: can't be shown without TLS`},
		{"clear text at no listener", relayWith("require_tls = false"), `c:35: ldap.app[0].require_tls: can't be false: no listener where this application asks takes`},
		{"clear text at another listener", sound + upstream + plain + "require_tls = false\nlistener = 'ldaps://0.0.0.0'\n", `c:38: ldap.app[0].require_tls: can't be false`},
		{"a word that may be missing", relayWith("session_tracking = true", "source = 'peer'"), `c:35: ldap.app[0].session_tracking: can't go with source = "peer"`},
		{"mode", relayWith("mode = 'log'"), `c:35: ldap.app[0].mode: "log" is not known; write one of enforce, observe`},
		{"referrals", relayWith("referrals = 'chase'"), `c:35: ldap.app[0].referrals: "chase" is not known; write one of drop, pass`},
		{"what only a directory behind has", local("read_only = false", "mode = 'observe'", "referrals = 'pass'"), "c:28: ldap.app[0].read_only: can't be so where the people are kept here\nc:29: ldap.app[0].mode: can't be so\nc:30: ldap.app[0].referrals: can't be so"},

		{"repeat for long", local("repeat = {idle = '1h', max = '2h'}"), `c:28: ldap.app[0].repeat.max: 2h0m0s makes a stolen password and code work that long; shorten it, or write repeat_risk = true`},
		{"repeat without max", local("repeat = {idle = '1h'}"), `c:28: ldap.app[0].repeat: wants both idle and max`},
		{"repeat beyond its max", local("repeat = {idle = '5m', max = '2m'}"), `c:28: ldap.app[0].repeat: has an idle of 5m0s that its max of 2m0s can't reach`},
		{"repeat that is counted for no time", local("repeat = {answers = 3}"), `c:28: ldap.app[0].repeat: counts answers but gives no time`},
		{"repeat by session", local("repeat = 'session'"), `c:28: ldap.app[0].repeat: "session" is of a VPN session`},
		{"repeat by anything", local("repeat = 'often'"), `c:28: ldap.app[0].repeat: "often" is not known`},
		{"repeat with an unknown key", local("repeat = {idle = '1m', mx = '2m'}"), "c:28: ldap.app[0].repeat.mx: is not known; did you mean \"max\"?"},

		{"one address, told apart by a listener", relayWith(second+address, "listener = 'ldaps://0.0.0.0'"), ``},
		{"one address, told apart by a certificate", relayWith(second+address, "certificate = 'tls.crt'"), ``},
		{"one address, told apart by an account", relayWith("bind_dn = 'cn=gitlab,ou=services,dc=example,dc=ac,dc=jp'", second+address), ``},
		{"one address, one listener", relayWith("listener = 'ldaps://0.0.0.0'", second+address, "listener = 'ldaps://0.0.0.0'"), `c:39: ldap.app[1].address: 203.0.113.20/32 is the address of ldap.app[0], too`},
		{"one address, one certificate", relayWith("certificate = 'tls.crt'", second+address, "certificate = 'tls.crt'"), `c:39: ldap.app[1].address: 203.0.113.20/32 is the address of ldap.app[0], too`},
		{"one address, one account", relayWith("bind_dn = 'cn=gitlab,ou=services,dc=example,dc=ac,dc=jp'", second+address, "accounts = 'CN=GitLab,ou=services,dc=example,dc=ac,dc=jp'", "bind_dn = 'CN=gitLab,ou=services,dc=example,dc=ac,dc=jp'"), `c:39: ldap.app[1].address: 203.0.113.20/32 is the address of ldap.app[0], too`},
		{"one listener, no address", relayWith(second+"listener = 'ldaps://0.0.0.0'", strings.Replace(second, "'b'", "'c'", 1)+"listener = 'ldaps://0.0.0.0'"), `c:42: ldap.app[2].listener: nothing tells this and ldap.app[1] apart`},
		{"no address at all", relayWith(second), `c:35: ldap.app[1].address: is missing; write its addresses`},
	} {
		_, faults, _ := loadText(t, dir, test.text)
		compare(t, test, faults)
	}
}

func TestAppWarnings(t *testing.T) {
	dir := behindFolder(t)
	const (
		inside = `need = "password"`
		beyond = `c:36: warning: ldap.app[0].repeat: goes before that of the rule "outside" and takes a code for longer or more often`
	)
	// An application with its repeat, and a rule that has more lines.
	ruled := func(repeat, rule string) string {
		return strings.Replace(relayWith("repeat = "+repeat), outside, outside+"\n"+rule, 1)
	}
	for _, test := range []faulty{
		{"nothing enforced", relayWith("mode = 'observe'"), `c:35: warning: ldap.app[0].mode: "observe" enforces nothing`},
		{"long repeat", relayWith("repeat = {idle = '5m', max = '30m'}"), `c:35: warning: ldap.app[0].repeat.max: a stolen password and code work for 30m0s`},
		{"repeat at one's own risk", relayWith("repeat = {idle = '5m', max = '2h'}", "repeat_risk = true"), `c:35: warning: ldap.app[0].repeat.max: a stolen password and code work for 2h0m0s`},
		{"repeat beyond a rule's", ruled("{idle = '1m', max = '5m'}", "repeat = {idle = '1m', max = '4m'}"), beyond},
		{"repeat with longer pauses than a rule's", ruled("{idle = '2m', max = '5m'}", "repeat = {idle = '1m', max = '5m'}"), beyond},
		{"repeat uncounted beyond a rule's", ruled("{idle = '1m', max = '5m'}", "repeat = {idle = '1m', max = '5m', answers = 9}"), beyond},
		{"repeat more often than a rule's", ruled("{idle = '1m', max = '5m', answers = 10}", "repeat = {idle = '1m', max = '5m', answers = 9}"), beyond},
		{"repeat where a rule wants none", ruled("{idle = '1m', max = '5m'}", "repeat = 'off'"), beyond},
		{"repeat within a rule's", ruled("{idle = '1m', max = '4m', answers = 8}", "repeat = {idle = '1m', max = '5m', answers = 9}"), ``},
		{"repeat that is counted, and a rule's is not", ruled("{idle = '1m', max = '5m', answers = 5}", "repeat = {idle = '1m', max = '5m'}"), ``},
		{"no repeat, whatever a rule's", ruled("'off'", "repeat = {idle = '1m', max = '5m', answers = 9}"), ``},
		{"repeat beyond that of another service's rule", ruled("{idle = '1m', max = '5m'}", "repeat = 'off'\nservice = 'ssl-vpn'"), `c:35: warning: ldap.app[0].service: no rule admits anybody to "git" from off-campus`},
		{"repeat beyond that of another door's rule", ruled("{idle = '1m', max = '5m'}", "repeat = 'off'\ndoor = 'radius'"), `c:35: warning: ldap.app[0].service: no rule admits anybody to "git" from off-campus`},
		{"repeat beyond that of another zone's rule", strings.Replace(relayWith("repeat = {idle = '1m', max = '5m'}"), inside, inside+"\nrepeat = 'off'", 1), ``},
		{"a word of many", strings.Replace(relayWith("session_tracking = true"), `["203.0.113.20"]`, `["203.0.113.0/24", "203.0.112.0/23"]`, 1), `c:35: warning: ldap.app[0].session_tracking: address[1] lets all of 203.0.112.0/23 write whatever source they like`},
		{"a word of many that is judged", strings.Replace(relayWith("source = 'session-tracking'"), `["203.0.113.20"]`, `["2001:db8::/63"]`, 1), `c:35: warning: ldap.app[0].source: address[0] lets all of 2001:db8::/63 write whatever source they like`},
		{"a word of everybody", strings.Replace(relayWith("session_tracking = true", "listener = 'ldaps://0.0.0.0'"), "address = [\"203.0.113.20\"]\n", "", 1), "c:30: warning: ldap.app[0].address: is missing: whoever can reach the listener may guess passwords\nc:34: warning: ldap.app[0].session_tracking: lets everybody who can reach the listener write"},
		{"an account from anywhere", strings.Replace(relayWith("bind_dn = 'cn=gitlab,ou=services,dc=example,dc=ac,dc=jp'"), "address = [\"203.0.113.20\"]\n", "", 1), `c:30: warning: ldap.app[0].address: is missing: whoever`},
		{"a key from anywhere", strings.Replace(relayWith("certificate = 'tls.crt'"), "address = [\"203.0.113.20\"]\n", "", 1), ``},
		{"clear text that nobody may send", relayWith("[[ldap.listener]]", "url = 'ldap://127.0.0.1'", "require_tls = false"), `c:37: warning: ldap.listener[1].require_tls: lets no application bind in clear text`},
		{"clear text that one may send", relayWith("require_tls = false", "[[ldap.listener]]", "url = 'ldap://127.0.0.1'", "require_tls = false"), ``},
	} {
		c, faults, err := loadText(t, dir, test.text)
		if err != nil {
			t.Errorf("%s: %v", test.name, faults)
			continue
		}
		for i := range c.Warnings {
			c.Warnings[i].File = "c"
		}
		compare(t, test, c.Warnings)
	}
}

// Who writes nothing of it binds in clear text where a listener takes it, but
// not to a directory behind.
func TestClearTextIsTheListenersAffairUnlessWritten(t *testing.T) {
	dir := behindFolder(t)
	plain := "[[ldap.listener]]\nurl = 'ldap://127.0.0.1'\nrequire_tls = false\n"
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"local, no such listener", doorChange(app, 1, app), false},
		{"local", doorChange(app, 1, app) + plain, true},
		{"local, another listener asked", doorChange(app, 1, app+"\nlistener = 'ldaps://0.0.0.0'") + plain, false},
		{"local, TLS demanded", doorChange(app, 1, app+"\nrequire_tls = true") + plain, false},
		{"behind", relayWith(plain), false},
		{"behind, written", relayWith("require_tls = false", plain), true},
	} {
		c, faults, err := loadText(t, dir, test.text)
		if err != nil {
			t.Errorf("%s: %v", test.name, faults)
		} else if got := c.LDAP.Apps[0].PlainBinds; got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
