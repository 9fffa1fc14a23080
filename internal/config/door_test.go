package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sekisho/policy"
)

// doors is a sound LDAP and web door; its lines are counted from 19.
const doors = `[ldap]
base = "dc=example,dc=ac,dc=jp"
[[ldap.listener]]
url = "ldaps://0.0.0.0"
certificate = "tls.crt"
key = "tls.key"
[[ldap.app]]
name = "dovecot"
address = ["203.0.113.20"]
service = "webmail"
accounts = ["uid=svc-mail,ou=services,dc=example,dc=ac,dc=jp"]
[[ldap.account]]
dn = "uid=svc-mail,ou=services,dc=example,dc=ac,dc=jp"
password_file = "svc-mail.password"
[web]
url = "https://sso.example.ac.jp"
[[web.listener]]
url = "https://0.0.0.0"
certificate = "tls.crt"
key = "tls.key"
[[web.service]]
name = "wiki"
url = "https://wiki.example.ac.jp"
`

// doorFolder has a certificate besides, which ends as said from now.
func doorFolder(t testing.TB, left time.Duration) string {
	t.Helper()
	dir := folder(t)
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(left)
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.AddDate(-1, 0, 0), NotAfter: until, DNSNames: []string{"sso.example.ac.jp"}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "tls.crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	put(t, filepath.Join(dir, "tls.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bare})), 0o640)
	put(t, filepath.Join(dir, "svc-mail.password"), goodSecret+"\n", 0o400)
	return dir
}

func TestDoors(t *testing.T) {
	dir := doorFolder(t, 365*24*time.Hour)
	c, _, err := loadText(t, dir, sound+doors)
	if err != nil {
		t.Fatal(err)
	}
	if c.Warnings != nil {
		t.Errorf("warnings:\n%v", c.Warnings)
	}
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	account := Account{DN: "uid=svc-mail,ou=services,dc=example,dc=ac,dc=jp", Password: Secret(goodSecret), dn: c.LDAP.Apps[0].Accounts[0].dn}
	ldap := LDAP{
		Base:      "dc=example,dc=ac,dc=jp",
		Listeners: []LDAPListener{{Listener: Listener{URL: "ldaps://0.0.0.0", TLS: true, Address: "0.0.0.0:636", Certificate: cert, Key: key}}},
		Apps: []App{{
			Name: "dovecot", Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.20/32")}, Service: "webmail", Zone: policy.OffCampus,
			SizeLimit: 500, TimeLimit: 10 * time.Second, Accounts: []Account{account},
		}},
		Posix: Posix{GID: 100, Home: "/home/%u"},
	}
	if !reflect.DeepEqual(c.LDAP, ldap) {
		t.Errorf("got\n%+v\nwant\n%+v", c.LDAP, ldap)
	}
	web := Web{
		URL:         &url.URL{Scheme: "https", Host: "sso.example.ac.jp", Path: "/"},
		Listeners:   []WebListener{{Listener: Listener{URL: "https://0.0.0.0", TLS: true, Address: "0.0.0.0:443", Certificate: cert, Key: key}, Name: "https://0.0.0.0"}},
		Services:    []WebService{{Name: "wiki", Title: "wiki", URL: &url.URL{Scheme: "https", Host: "wiki.example.ac.jp", Path: "/"}}},
		RejectDelay: time.Second,
	}
	if !reflect.DeepEqual(c.Web, web) {
		t.Errorf("got\n%+v\nwant\n%+v", c.Web, web)
	}
	if s := fmt.Sprintf("%v %+v %#v", c.LDAP, c.LDAP, c.LDAP); strings.Contains(s, goodSecret) || strings.Contains(s, "0x63, 0x6f") {
		t.Error("shows a password:", s)
	}
}

func TestEveryKeyOfTheDoors(t *testing.T) {
	dir := doorFolder(t, 365*24*time.Hour)
	put(t, filepath.Join(dir, "logo.svg"), "<svg/>", 0o644)
	c, _, err := loadText(t, dir, sound+`[ldap]
base = "dc=example"
[[ldap.listener]]
url = "ldap://127.0.0.1:1389/"
require_tls = false
zone = "campus"
trust = true
proxy_protocol = ["127.0.0.1"]
[[ldap.listener]]
url = "ldap://[::]:389"
certificate = "tls.crt"
key = "tls.key"
zone = "campus"
trust = true
[[ldap.app]]
name = "a"
address = ["203.0.113.20", "2001:db8::/64"]
service = "mail"
source = "peer"
accounts = ["UID=Svc, OU=Services, DC=Example"]
anonymous = true
size_limit = 0
time_limit = "1m"
reject_delay = "2s"
separator = ","
[[ldap.account]]
dn = "uid=svc,ou=services,dc=example"
password = "`+goodSecret+`"
[ldap.posix]
gid = 200
home = "/export/%u"
shell = "/bin/sh"
groups = {staff = 1001, "two words" = 1002}
[web]
url = "http://LOCALHOST:8081"
accent = "#aB0912"
logo = "logo.svg"
reject_delay = "2s"
[[web.listener]]
url = "http://127.0.0.1:8080"
name = "inside"
zone = "campus"
[[web.listener]]
url = "http://:8082"
trusted_proxies = ["203.0.113.30"]
zone = "off-campus"
proxy_protocol = ["203.0.113.31"]
[[web.service]]
name = "wiki"
title = "The wiki"
url = "http://wiki.localhost:8083/w/"
`)
	if err != nil || c.Warnings != nil {
		t.Fatal(err, c)
	}
	prefixes := func(list ...string) (out []netip.Prefix) {
		for _, text := range list {
			out = append(out, netip.MustParsePrefix(text))
		}
		return out
	}
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	account := Account{"uid=svc,ou=services,dc=example", Secret(goodSecret), c.LDAP.Apps[0].Accounts[0].dn}
	ldap := LDAP{
		Base: "dc=example",
		Listeners: []LDAPListener{
			{Listener{URL: "ldap://127.0.0.1:1389/", Address: "127.0.0.1:1389", Zone: "campus", Proxies: prefixes("127.0.0.1/32")}, true},
			{Listener{URL: "ldap://[::]:389", Address: "[::]:389", Certificate: cert, Key: key, Zone: "campus"}, false},
		},
		Apps: []App{{
			Name: "a", Prefixes: prefixes("203.0.113.20/32", "2001:db8::/64"), Service: "mail", Separator: ",",
			PlainBinds: true, Anonymous: true, TimeLimit: time.Minute, RejectDelay: 2 * time.Second, Accounts: []Account{account},
		}},
		Posix: Posix{200, "/export/%u", "/bin/sh", map[string]int64{"staff": 1001, "two words": 1002}},
	}
	if !reflect.DeepEqual(c.LDAP, ldap) {
		t.Errorf("got\n%+v\nwant\n%+v", c.LDAP, ldap)
	}
	web := Web{
		URL: &url.URL{Scheme: "http", Host: "localhost:8081", Path: "/"}, Accent: "#aB0912", Logo: []byte("<svg/>"), LogoType: "image/svg+xml",
		Listeners: []WebListener{
			{Listener{URL: "http://127.0.0.1:8080", Address: "127.0.0.1:8080", Zone: "campus"}, "inside", nil},
			{Listener{URL: "http://:8082", Address: ":8082", Zone: "off-campus", Proxies: prefixes("203.0.113.31/32")}, "http://:8082", prefixes("203.0.113.30/32")},
		},
		Services:    []WebService{{"wiki", "The wiki", &url.URL{Scheme: "http", Host: "wiki.localhost:8083", Path: "/w/"}}},
		RejectDelay: 2 * time.Second,
	}
	if !reflect.DeepEqual(c.Web, web) {
		t.Errorf("got\n%+v\nwant\n%+v", c.Web, web)
	}
}

// doorChange takes the doors and replaces the nth of a line in it.
func doorChange(line string, n int, with string) string {
	parts := strings.Split(doors, line+"\n")
	if len(parts) <= n {
		panic(line)
	}
	if with != "" {
		with += "\n"
	}
	return sound + strings.Join(parts[:n], line+"\n") + with + strings.Join(parts[n:], line+"\n")
}

const (
	base     = `base = "dc=example,dc=ac,dc=jp"`
	ldaps    = `url = "ldaps://0.0.0.0"`
	https    = `url = "https://0.0.0.0"`
	certLine = `certificate = "tls.crt"`
	keyLine  = `key = "tls.key"`
	app      = `address = ["203.0.113.20"]`
	accounts = `accounts = ["uid=svc-mail,ou=services,dc=example,dc=ac,dc=jp"]`
	dn       = `dn = "uid=svc-mail,ou=services,dc=example,dc=ac,dc=jp"`
	pwFile   = `password_file = "svc-mail.password"`
	sso      = `url = "https://sso.example.ac.jp"`
	wiki     = `url = "https://wiki.example.ac.jp"`
)

func TestDoorFaults(t *testing.T) {
	dir := doorFolder(t, 365*24*time.Hour)
	put(t, filepath.Join(dir, "open.key"), "", 0o644)
	put(t, filepath.Join(dir, "short"), "fifteen letters\n", 0o400)
	put(t, filepath.Join(dir, "two"), goodSecret+"\n"+goodSecret, 0o400)
	put(t, filepath.Join(dir, "space"), goodSecret+" ", 0o400)
	put(t, filepath.Join(dir, "large.png"), "\x89PNG\x0D\x0A\x1A\x0A"+strings.Repeat("x", maxLogo), 0o644)
	put(t, filepath.Join(dir, "logo.svg"), "not really", 0o644)
	for _, test := range []faulty{
		{"no base", doorChange(base, 1, ""), `c:19: ldap.base: is missing; name the directory`},
		{"base", doorChange(base, 1, `base = "example"`), `c:20: ldap.base: "example" is not a DN`},
		{"base of another kind", doorChange(base, 1, `base = "cn=example,dc=ac,dc=jp"`), "c:20: ldap.base: \"cn=example,dc=ac,dc=jp\" begins with none of\nc:31: ldap.account[0].dn: "},
		{"unknown key", doorChange(base, 1, base+"\nbas = 1"), `c:21: ldap.bas: is not known; did you mean "base"?`},

		{"no url", doorChange(ldaps, 1, ""), `c:21: ldap.listener[0].url: is missing; write where to listen`},
		{"url of another door", doorChange(ldaps, 1, `url = "https://0.0.0.0"`), `c:22: ldap.listener[0].url: "https://0.0.0.0" is no address to listen at; write it like "ldaps://0.0.0.0:636"`},
		{"url with a name", doorChange(ldaps, 1, `url = "ldaps://ldap.example.ac.jp"`), `c:22: ldap.listener[0].url: "ldaps://ldap.example.ac.jp" is no address`},
		{"url with a path", doorChange(ldaps, 1, `url = "ldaps://0.0.0.0/dc=example"`), `c:22: ldap.listener[0].url: "ldaps://0.0.0.0/dc=example" is no address`},
		{"url with a far port", doorChange(ldaps, 1, `url = "ldaps://0.0.0.0:65536"`), `c:22: ldap.listener[0].url: "ldaps://0.0.0.0:65536" is no address`},
		{"one address twice", doorChange(https, 1, `url = "https://0.0.0.0:636"`), `c:36: web.listener[0].url: 0.0.0.0:636 is listened at by ldap.listener[0], too`},
		{"PROXY headers from anybody", doorChange(ldaps, 1, ldaps+"\nproxy_protocol = '::/0'"), `c:23: ldap.listener[0].proxy_protocol: ::/0 lets everybody write whatever source they like`},
		{"inside zone for the network", doorChange(ldaps, 1, ldaps+"\nzone = 'campus'"), `c:23: ldap.listener[0].zone: makes everybody who can reach 0.0.0.0:636, or what stands before it, count as being in "campus"`},
		{"inside zone behind a balancer", doorChange(ldaps, 1, "url = 'ldaps://127.0.0.1'\nproxy_protocol = '127.0.0.1'\nzone = 'campus'"), `c:24: ldap.listener[0].zone: makes everybody who can reach 127.0.0.1:636, or what stands before it,`},
		{"inside zone behind a proxy", doorChange(https, 1, "url = 'https://127.0.0.1'\ntrusted_proxies = '127.0.0.1'\nzone = 'campus'"), `c:38: web.listener[0].zone: makes everybody who can reach 127.0.0.1:443, or what stands before it,`},
		{"unknown zone", doorChange(ldaps, 1, ldaps+"\nzone = 'campsu'\ntrust = true"), `c:23: ldap.listener[0].zone: "campsu" is no zone; did you mean "campus"?`},
		{"ldaps without certificate", doorChange(certLine+"\n"+keyLine, 1, ""), `c:21: ldap.listener[0].certificate: is missing; ldaps:// wants`},
		{"no key", doorChange(keyLine, 1, ""), `c:21: ldap.listener[0].key: is missing; name the file of its key`},
		{"key alone", doorChange(certLine, 2, ""), `c:35: web.listener[0].certificate: is missing; name its file`},
		{"absent certificate", doorChange(certLine, 1, `certificate = "none"`), `c:23: ldap.listener[0].certificate: can't be used with its key: open DIR/none: no such file`},
		{"certificate that is none", doorChange(certLine, 1, `certificate = "ring"`), `c:23: ldap.listener[0].certificate: can't be used with its key: tls: `},
		{"key that everybody can read", doorChange(keyLine, 1, `key = "open.key"`), "c:23: ldap.listener[0].certificate: can't be used\nc:24: ldap.listener[0].key: DIR/open.key can be read by everybody (mode 0644); run: chmod o= DIR/open.key"},
		{"ldaps without TLS", doorChange(ldaps, 1, ldaps+"\nrequire_tls = false"), `c:23: ldap.listener[0].require_tls: can't be false`},
		{"StartTLS without certificate", sound + strings.Replace(doors, ldaps+"\n"+certLine+"\n"+keyLine, "url = 'ldap://127.0.0.1'", 1), `c:21: ldap.listener[0].certificate: is missing; without StartTLS nobody could bind`},

		{"no app name", doorChange(`name = "dovecot"`, 1, ""), `c:25: ldap.app[0].name: is missing`},
		{"no app address", doorChange(app, 1, ""), `c:25: ldap.app[0].address: is missing; write its addresses`},
		{"app address", doorChange(app, 1, "address = ['here']"), `c:27: ldap.app[0].address[0]: "here" is neither`},
		{"the whole world", doorChange(app, 1, "address = ['203.0.113.20', '::/0']"), `c:27: ldap.app[0].address[1]: ::/0 lets the whole world guess`},
		{"one app twice", sound + doors + "[[ldap.app]]\nname = 'dovecot'\naddress = ['203.0.113.21', '::ffff:203.0.113.20']\nservice = 'x'\n", "c:43: ldap.app[1].name: \"dovecot\" is the name of ldap.app[0], too\nc:44: ldap.app[1].address: 203.0.113.20/32 is the address of ldap.app[0], too"},
		{"no app service", doorChange(`service = "webmail"`, 1, ""), `c:25: ldap.app[0].service: is missing`},
		{"app source", doorChange(app, 1, app+"\nsource = 'home'"), `c:28: ldap.app[0].source: "home" is no zone; there is campus, off-campus`},
		{"app separator", doorChange(app, 1, app+"\nseparator = '0'"), `c:28: ldap.app[0].separator: holds a digit`},
		{"time limit", doorChange(app, 1, app+"\ntime_limit = '1h'"), `c:28: ldap.app[0].time_limit: 1h0m0s is out of bounds`},
		{"size limit", doorChange(app, 1, app+"\nsize_limit = -1"), `c:28: ldap.app[0].size_limit: -1 is out of bounds`},
		{"reject delay", doorChange(app, 1, app+"\nreject_delay = '6s'"), `c:28: ldap.app[0].reject_delay: 6s is out of bounds`},
		{"account that is no DN", doorChange(accounts, 1, accounts[:len(accounts)-1]+", 'svc']"), `c:29: ldap.app[0].accounts[1]: "svc" is not a DN`},
		{"unknown account", doorChange(accounts, 1, accounts[:len(accounts)-1]+", 'uid=x,ou=services,dc=example']"), `c:29: ldap.app[0].accounts[1]: "uid=x,ou=services,dc=example" is not the DN of a [[ldap.account]]`},
		{"account named twice", doorChange(accounts, 1, accounts[:len(accounts)-1]+", 'UID=svc-mail,ou=services,dc=example,dc=ac,dc=jp']"), `c:29: ldap.app[0].accounts[1]: "UID=svc-mail,ou=services,dc=example,dc=ac,dc=jp" stands twice`},

		{"no account DN", sound + doors + "[[ldap.account]]\npassword_file = 'svc-mail.password'\n", `c:42: ldap.account[1].dn: is missing`},
		{"account DN", sound + doors + "[[ldap.account]]\ndn = 'svc'\npassword_file = 'svc-mail.password'\n", `c:43: ldap.account[1].dn: "svc" is not a DN`},
		{"account among people", sound + doors + "[[ldap.account]]\ndn = 'uid=x,ou=people,dc=example,dc=ac,dc=jp'\npassword_file = 'svc-mail.password'\n", `c:43: ldap.account[1].dn: "uid=x,ou=people,dc=example,dc=ac,dc=jp" is not below ou=services,dc=example,dc=ac,dc=jp; people`},
		{"one account twice", sound + doors + "[[ldap.account]]\ndn = 'uid=SVC-mail, ou=services,dc=example,dc=ac,dc=jp'\npassword_file = 'svc-mail.password'\n", `c:43: ldap.account[1].dn: "uid=SVC-mail, ou=services,dc=example,dc=ac,dc=jp" is the DN of ldap.account[0], too`},
		{"no password", doorChange(pwFile, 1, ""), `c:30: ldap.account[0].password_file: is missing; name a file with the password`},
		{"two kinds of password", doorChange(pwFile, 1, pwFile+"\npassword = 'x'"), `c:33: ldap.account[0].password: stands beside password_file`},
		{"short password", doorChange(pwFile, 1, `password_file = "short"`), `c:32: ldap.account[0].password_file: has 15 characters, which can be guessed`},
		{"two passwords", doorChange(pwFile, 1, `password_file = "two"`), `c:32: ldap.account[0].password_file: holds 2 passwords; keep one`},
		{"password with a space", doorChange(pwFile, 1, `password_file = "space"`), `c:32: ldap.account[0].password_file: begins or ends with a space`},
		{"empty password", doorChange(pwFile, 1, `password = ""`), `c:32: ldap.account[0].password: holds no password`},
		{"password file that others can read", doorChange(pwFile, 1, `password_file = "tls.crt"`), `c:32: ldap.account[0].password_file: DIR/tls.crt can be read by others`},

		{"gid", doorChange(base, 1, base+"\nposix = {gid = 0}"), `c:21: ldap.posix.gid: 0 is out of bounds`},
		{"home", doorChange(base, 1, base+"\nposix = {home = '/home'}"), `c:21: ldap.posix.home: "/home" is not a folder of one's own; write it like "/home/%u"`},
		{"shell", doorChange(base, 1, base+"\nposix = {shell = 'sh'}"), `c:21: ldap.posix.shell: "sh" is not a path`},
		{"one gid twice", doorChange(base, 1, base+"\nposix = {groups = {a = 1, b = 1}}"), `c:21: ldap.posix.groups.b: 1 is the number of "a", too`},
		{"group of a wrong type", doorChange(base, 1, base+"\nposix = {groups = {a = 'x'}}"), `c:21: ldap.posix.groups.a: is text; write a whole number`},

		{"no web url", doorChange(sso, 1, ""), `c:33: web.url: is missing; write the address of the sign-in page`},
		{"web url", doorChange(sso, 1, `url = "sso.example.ac.jp"`), `c:34: web.url: "sso.example.ac.jp" is not the address of a web site`},
		{"web url with a path", doorChange(sso, 1, `url = "https://www.example.ac.jp/sso"`), `c:34: web.url: "https://www.example.ac.jp/sso" has a path`},
		{"web url with a name in it", doorChange(sso, 1, `url = "https://a:b@sso.example.ac.jp"`), `c:34: web.url: "https://a:b@sso.example.ac.jp" is not the address`},
		{"web url in clear text", doorChange(sso, 1, `url = "http://sso.example.ac.jp"`), `c:34: web.url: "http://sso.example.ac.jp" would carry passwords and cookies in clear text`},
		{"accent", doorChange(sso, 1, sso+"\naccent = 'red;}'"), `c:35: web.accent: "red;}" is not a colour`},
		{"absent logo", doorChange(sso, 1, sso+"\nlogo = 'none'"), `c:35: web.logo: can't be read: open DIR/none`},
		{"large logo", doorChange(sso, 1, sso+"\nlogo = 'large.png'"), `c:35: web.logo: DIR/large.png is larger than 64 KiB`},
		{"logo that is none", doorChange(sso, 1, sso+"\nlogo = 'logo.svg'"), `c:35: web.logo: DIR/logo.svg is neither PNG nor SVG`},

		{"https without certificate", doorChange(certLine+"\n"+keyLine, 2, ""), `c:35: web.listener[0].certificate: is missing; https:// wants`},
		{"http with a certificate", doorChange(https, 1, `url = "http://127.0.0.1"`), `c:37: web.listener[0].certificate: is of no use to http://`},
		{"http for the network", sound + strings.Replace(doors, https+"\n"+certLine+"\n"+keyLine, "url = 'http://0.0.0.0'", 1), `c:36: web.listener[0].url: "http://0.0.0.0" would take passwords over the network in clear text`},
		{"forwarding headers from anybody", doorChange(https, 1, https+"\ntrusted_proxies = ['0.0.0.0/0']"), `c:37: web.listener[0].trusted_proxies: 0.0.0.0/0 lets everybody write`},
		{"one name for two listeners", sound + doors + "[[web.listener]]\nurl = 'http://127.0.0.1'\nname = 'https://0.0.0.0'\n", `c:44: web.listener[1].name: "https://0.0.0.0" is the name of web.listener[0], too`},

		{"no service name", doorChange(`name = "wiki"`, 1, ""), `c:39: web.service[0].name: is missing`},
		{"service with the portal's name", doorChange(`name = "wiki"`, 1, `name = "portal"`), `c:40: web.service[0].name: "portal" is the sign-in page itself`},
		{"no service url", doorChange(wiki, 1, ""), `c:39: web.service[0].url: is missing`},
		{"service url", doorChange(wiki, 1, `url = "https://wiki.example.ac.jp/?x=1"`), `c:41: web.service[0].url: "https://wiki.example.ac.jp/?x=1" is not the address`},
		{"service in clear text", doorChange(wiki, 1, `url = "http://localhost.example.ac.jp/"`), `c:41: web.service[0].url: "http://localhost.example.ac.jp/" would carry`},
		{"service on the sign-in host", doorChange(wiki, 1, `url = "https://SSO.example.ac.jp:8443/wiki/"`), `c:41: web.service[0].url: sso.example.ac.jp is the host of web.url, too, whose cookies it would see`},
		{"two services on one host", sound + doors + "[[web.service]]\nname = 'wiki'\nurl = 'https://wiki.example.ac.jp/two'\n", "c:43: web.service[1].name: \"wiki\" is the name of web.service[0], too\nc:44: web.service[1].url: wiki.example.ac.jp is the host of web.service[0], too"},

		{"rule for no service", sound + doors + "[[rule]]\nname = 'x'\nservice = 'portol'\ndeny = true\n", "c:44: rule[2].service: \"portol\" does not exist; there is \"portal\", \"ssl-vpn\", \"webmail\" and \"wiki\""},
		{"application passwords of the web", sound + doors + "[[rule]]\nname = 'x'\ngroup = 'g'\ndoor = 'web'\nneed = 'app-password'\n", "c:42: rule[2]: can never match\nc:46: rule[2].need: can't be shown at any door of this rule"},
		{"rule of a door that is open", doorChange(base, 1, base) + "[[rule]]\nname = 'x'\ndoor = ['ldap', 'web']\nneed = 'passkey'\n", "c:42: rule[2]: can never match\nc:45: rule[2].need: can't be shown at any door of this rule"},
	} {
		_, faults, _ := loadText(t, dir, test.text)
		compare(t, test, faults)
	}
}

func TestDoorWarnings(t *testing.T) {
	for _, test := range []struct {
		faulty
		left time.Duration
	}{
		{faulty{"certificate that has ended", sound + strings.Replace(doors, "[web]", "[x]", 1)[:strings.Index(doors, "[web]")], `c:23: warning: ldap.listener[0].certificate: DIR/tls.crt ended on`}, -time.Hour},
		{faulty{"certificate that ends soon", sound + doors[:strings.Index(doors, "[web]")], `c:23: warning: ldap.listener[0].certificate: DIR/tls.crt ends on`}, 6 * 24 * time.Hour},
		{faulty{"passwords in clear text", sound + strings.Replace(doors, ldaps, "url = 'ldap://0.0.0.0'\nrequire_tls = false", 1), `c:23: warning: ldap.listener[0].require_tls: sends passwords over the network in clear text`}, time.Hour * 999},
		{faulty{"application inside, judged by its own address", doorChange(app, 1, "address = ['203.0.113.20', '192.0.2.20']\nsource = 'peer'"), `c:28: warning: ldap.app[0].source: address[1] is in "campus": whoever uses this application counts as being there`}, time.Hour * 999},
		{faulty{"headers of a whole campus", doorChange(https, 1, https+"\ntrusted_proxies = ['203.0.112.0/23', '203.0.113.0/24', '127.0.0.0/8']"), `c:37: warning: web.listener[0].trusted_proxies: 203.0.112.0/23 lets all of this network write whatever source they like; name the proxies alone`}, time.Hour * 999},
		{faulty{"PROXY headers of a whole campus", doorChange(ldaps, 1, ldaps+"\nproxy_protocol = ['2001:db8::/63', '2001:db8::/64']"), `c:23: warning: ldap.listener[0].proxy_protocol: 2001:db8::/63 lets all of this network write whatever source they like; name the load balancers alone`}, time.Hour * 999},
		{faulty{"account that nobody uses", doorChange(accounts, 1, ""), `c:29: warning: ldap.account[0]: no application has it`}, time.Hour * 999},
		{faulty{"no application", sound + "[ldap]\n" + base + "\n[[ldap.listener]]\nurl = 'ldap://127.0.0.1'\nrequire_tls = false\n", `c:19: warning: ldap.app: there is none, so nobody can bind`}, time.Hour * 999},
		{faulty{"closed LDAP door", sound + "[ldap]\n[[ldap.app]]\nname = 'a'\n" + app + "\nservice = 's'\n", `c:19: warning: ldap.listener: there is none, so no application can ask`}, time.Hour * 999},
		{faulty{"closed web door", sound + "[[web.service]]\nname = 'wiki'\n" + wiki + "\n", `c:19: warning: web.listener: there is none, so nobody can sign in`}, time.Hour * 999},
		{faulty{"application that no rule serves", strings.Replace(sound+doors, outside, outside+"\nservice = ['ssl-vpn', 'wiki']", 1), `c:29: warning: ldap.app[0].service: no rule admits anybody to "webmail" from off-campus; add a rule or take the application out`}, time.Hour * 999},
		{faulty{"service that no rule serves", strings.Replace(strings.Replace(sound+doors, outside, outside+"\nservice = ['ssl-vpn', 'webmail']", 1), inside, inside+"\ndoor = ['radius']", 1), `c:42: warning: web.service[0].name: no rule admits anybody to "wiki" from campus, off-campus; add a rule or take the service out`}, time.Hour * 999},
	} {
		dir := doorFolder(t, test.left)
		c, faults, err := loadText(t, dir, test.text)
		if err != nil {
			t.Errorf("%s: %v", test.name, faults)
			continue
		}
		for i := range c.Warnings {
			c.Warnings[i].File = "c"
			c.Warnings[i].Text = strings.ReplaceAll(c.Warnings[i].Text, dir, "DIR")
		}
		compare(t, test.faulty, c.Warnings)
	}
}

func TestClosedRADIUSDoorWantsNoClient(t *testing.T) {
	dir := doorFolder(t, 365*24*time.Hour)
	text := strings.Replace(sound+doors, sound[strings.Index(sound, "[[radius"):], "[radius]\nauth = []\n", 1)
	if c, faults, err := loadText(t, dir, text); err != nil || c.Warnings != nil {
		t.Error(faults, c)
	}
}
