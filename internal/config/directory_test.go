package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// upstream is a sound directory behind; its lines are counted from 19.
const upstream = `[directory]
kind = "ldap"
url = "ldaps://ldap.example.ac.jp"
base = "dc=example,dc=ac,dc=jp"
bind_dn = "uid=svc-sekisho,ou=services,dc=example,dc=ac,dc=jp"
bind_password_file = "directory.password"
`

// behindFolder has the file of the bind's password besides.
func behindFolder(t testing.TB) string {
	t.Helper()
	dir := doorFolder(t, 365*24*time.Hour)
	put(t, filepath.Join(dir, "directory.password"), "short\n", 0o400)
	return dir
}

func TestDirectoryBehind(t *testing.T) {
	dir := behindFolder(t)
	c, _, err := loadText(t, dir, sound+upstream)
	if err != nil || c.Warnings != nil {
		t.Fatal(err, c)
	}
	want := Directory{
		Kind:    "ldap",
		Servers: []DirectoryServer{{URL: "ldaps://ldap.example.ac.jp", Host: "ldap.example.ac.jp", Address: "ldap.example.ac.jp:636", TLS: true}},
		BindDN:  "uid=svc-sekisho,ou=services,dc=example,dc=ac,dc=jp", BindPassword: Secret("short"), Base: "dc=example,dc=ac,dc=jp",
		UserFilter: "(uid=%s)", Name: "uid", ID: "entryUUID", Display: "cn", Mail: "mail", Group: "memberOf",
		GroupBase: "dc=example,dc=ac,dc=jp", PageSize: 500, Timeout: 5 * time.Second, Cache: time.Minute, Watch: 5 * time.Minute, MaxConnections: 1000,
	}
	if !reflect.DeepEqual(c.Directory, want) || !c.Directory.Behind() {
		t.Errorf("got\n%+v\nwant\n%+v", c.Directory, want)
	}
	if s := fmt.Sprintf("%v %+v %#v", c, c.Directory, c.Directory); strings.Contains(s, "short") || strings.Contains(s, "0x73, 0x68") {
		t.Error("shows the password:", s)
	}
}

func TestEveryKeyOfTheDirectoryBehind(t *testing.T) {
	dir := behindFolder(t)
	c, _, err := loadText(t, dir, sound+`[directory]
kind = "ldap"
domains = ["EXAMPLE"]
url = ["ldap://DC1.example.ac.jp/", "ldaps://[2001:db8::1]:1636", "ldap://127.0.0.1:1389"]
start_tls = true
ca_file = "tls.crt"
bind_dn = "cn=svc,dc=example"
bind_password = "p"
base = "dc=example"
schema = "active-directory"
user_filter = "(&(objectClass=user)(userPrincipalName=%s))"
name_attribute = "userPrincipalName"
id_attribute = "1.2.840.113556.1.4.2"
display_attribute = ""
mail_attribute = "proxyAddresses"
group_attribute = ""
group_base = "ou=groups,dc=example"
group_filter = "(|(member=%d)(memberUid=%s))"
nested_groups = true
page_size = 1000
timeout = "2s"
cache = "0s"
watch = "1h"
max_connections = 10
proxy_authorization = true
`)
	if err != nil || c.Warnings != nil {
		t.Fatal(err, c)
	}
	ca, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	want := Directory{
		Kind: "ldap", Domains: []string{"EXAMPLE"},
		Servers: []DirectoryServer{
			{URL: "ldap://DC1.example.ac.jp/", Host: "DC1.example.ac.jp", Address: "dc1.example.ac.jp:389"},
			{URL: "ldaps://[2001:db8::1]:1636", Host: "2001:db8::1", Address: "[2001:db8::1]:1636", TLS: true},
			{URL: "ldap://127.0.0.1:1389", Host: "127.0.0.1", Address: "127.0.0.1:1389"},
		},
		CA: ca, BindDN: "cn=svc,dc=example", BindPassword: Secret("p"), Base: "dc=example", ActiveDirectory: true,
		UserFilter: "(&(objectClass=user)(userPrincipalName=%s))",
		Name:       "userPrincipalName", ID: "1.2.840.113556.1.4.2", Mail: "proxyAddresses",
		GroupBase: "ou=groups,dc=example", GroupFilter: "(|(member=%d)(memberUid=%s))", NestedGroups: true,
		PageSize: 1000, Timeout: 2 * time.Second, Watch: time.Hour, MaxConnections: 10, ProxyAuthorize: true,
	}
	if !reflect.DeepEqual(c.Directory, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c.Directory, want)
	}
}

// behindChange takes the directory behind, and the door before it, and
// replaces a line of the directory.
func behindChange(line, with string) string {
	if !strings.Contains(upstream, line+"\n") {
		panic(line)
	}
	return sound + strings.Replace(upstream, line, with, 1)
}

func TestDirectoryFaults(t *testing.T) {
	const (
		url    = `url = "ldaps://ldap.example.ac.jp"`
		base   = `base = "dc=example,dc=ac,dc=jp"`
		bind   = `bind_dn = "uid=svc-sekisho,ou=services,dc=example,dc=ac,dc=jp"`
		secret = `bind_password_file = "directory.password"`
	)
	dir := behindFolder(t)
	put(t, filepath.Join(dir, "two"), "one\ntwo", 0o400)
	put(t, filepath.Join(dir, "space"), "one ", 0o400)
	for _, test := range []faulty{
		{"keys of the other kind", sound + strings.Replace(upstream, `"ldap"`, `"local"`, 1), "c:21: directory.url: is of the directory behind; write kind = \"ldap\"\nc:22: directory.base: is of\nc:23: directory.bind_dn: is of\nc:24: directory.bind_password_file: is of"},
		{"unknown key", behindChange(url, url+"\nuser_filtr = 'x'"), `c:22: directory.user_filtr: is not known; did you mean "user_filter"?`},
		{"no url", behindChange(url, ""), `c:19: directory.url: is missing; name its servers`},
		{"empty list", behindChange(url, "url = []"), `c:21: directory.url: is missing; name its servers`},
		{"url of another kind", behindChange(url, `url = "https://ldap.example.ac.jp"`), `c:21: directory.url[0]: "https://ldap.example.ac.jp" is not the address of a directory`},
		{"url with a base", behindChange(url, `url = "ldaps://ldap.example.ac.jp/dc=example"`), `c:21: directory.url[0]: "ldaps://ldap.example.ac.jp/dc=example" is not`},
		{"url without a host", behindChange(url, `url = "ldaps://"`), `c:21: directory.url[0]: "ldaps://" is not`},
		{"url with a wild host", behindChange(url, `url = "ldaps://*.example.ac.jp"`), `c:21: directory.url[0]: "ldaps://*.example.ac.jp" is not`},
		{"url with a far port", behindChange(url, `url = "ldaps://ldap.example.ac.jp:65536"`), `c:21: directory.url[0]: "ldaps://ldap.example.ac.jp:65536" is not`},
		{"url with port zero", behindChange(url, `url = "ldaps://ldap.example.ac.jp:0"`), `c:21: directory.url[0]: "ldaps://ldap.example.ac.jp:0" is not`},
		{"one server twice", behindChange(url, "url = ['ldaps://a:636',\n'ldaps://A/']"), `c:22: directory.url[1]: "ldaps://A/" stands twice`},
		{"StartTLS of nobody", behindChange(url, url+"\nstart_tls = false"), `c:22: directory.start_tls: is of no use`},
		{"absent authorities", behindChange(url, url+"\nca_file = 'none'"), `c:22: directory.ca_file: can't be read: open DIR/none`},
		{"authorities that are none", behindChange(url, url+"\nca_file = 'tls.key'"), `c:22: directory.ca_file: DIR/tls.key holds no certificate`},
		{"no file of authorities", behindChange(url, url+"\nca_file = ''"), `c:22: directory.ca_file: is empty`},
		{"no base", behindChange(base, ""), `c:19: directory.base: is missing; name where its people are`},
		{"base", behindChange(base, "base = 'example'"), `c:22: directory.base: "example" is not a DN`},
		{"bind DN", behindChange(bind, "bind_dn = 'svc'"), `c:23: directory.bind_dn: "svc" is not a DN`},
		{"a password of nobody", behindChange(bind, ""), `c:24: directory.bind_password_file: is of bind_dn, which is missing`},
		{"no password", behindChange(secret, ""), `c:19: directory.bind_password_file: is missing; name a file with the password of bind_dn`},
		{"two kinds of password", behindChange(secret, secret+"\nbind_password = 'x'"), `c:25: directory.bind_password: stands beside bind_password_file`},
		{"two passwords", behindChange(secret, "bind_password_file = 'two'"), `c:24: directory.bind_password_file: holds 2 passwords; keep one`},
		{"password with a space", behindChange(secret, "bind_password_file = 'space'"), `c:24: directory.bind_password_file: begins or ends with a space`},
		{"password that others can read", behindChange(secret, "bind_password_file = 'tls.crt'"), `c:24: directory.bind_password_file: DIR/tls.crt can be read by others`},
		{"acting for others as nobody", strings.Replace(behindChange(bind, "proxy_authorization = true"), secret, "", 1), `c:23: directory.proxy_authorization: needs an account that may act for others`},
		{"schema", behindChange(url, url+"\nschema = 'ad'"), `c:22: directory.schema: "ad" is not known; write one of standard, active-directory`},
		{"filter that finds everybody", behindChange(url, url+"\nuser_filter = '(uid=*)'"), `c:22: directory.user_filter: "(uid=*)" holds no %s, so it finds the same for everybody; write it like "(uid=%s)"`},
		{"empty filter", behindChange(url, url+"\nuser_filter = ''"), `c:22: directory.user_filter: "" holds no %s`},
		{"filter", behindChange(url, url+"\nuser_filter = '(&(uid=%s)'"), `c:22: directory.user_filter: "(&(uid=%s)" is not a search filter`},
		{"filter without brackets", behindChange(url, url+"\nuser_filter = 'uid=%s'"), `c:22: directory.user_filter: "uid=%s" is not a search filter`},
		{"a part of the name", behindChange(url, url+"\nuser_filter = '(uid=*%s*)'"), `c:22: directory.user_filter: "(uid=*%s*)" has %s where it is not the whole value of an attribute, or below a !`},
		{"a beginning of the name", behindChange(url, url+"\nuser_filter = '(uid=%s*)'"), `c:22: directory.user_filter: "(uid=%s*)" has %s where`},
		{"a value around the name", behindChange(url, url+"\nuser_filter = '(mail=%s@example.ac.jp)'"), `c:22: directory.user_filter: "(mail=%s@example.ac.jp)" has %s where`},
		{"about the name", behindChange(url, url+"\nuser_filter = '(uid~=%s)'"), `c:22: directory.user_filter: "(uid~=%s)" has %s where`},
		{"not the name", behindChange(url, url+"\nuser_filter = '(!(uid=%s))'"), `c:22: directory.user_filter: "(!(uid=%s))" has %s where`},
		{"the name, and not", behindChange(url, url+"\nuser_filter = '(&(uid=%s)(!(cn=%s)))'"), `c:22: directory.user_filter: "(&(uid=%s)(!(cn=%s)))" has %s where`},
		{"the name of an attribute", behindChange(url, url+"\nuser_filter = '(%s=alice)'"), `c:22: directory.user_filter: "(%s=alice)" has %s where`},
		{"the name in no attribute", behindChange(url, url+"\nuser_filter = '(:caseExactMatch:=%s)'"), `c:22: directory.user_filter: "(:caseExactMatch:=%s)" has %s where`},
		{"the name or anybody", behindChange(url, url+"\nuser_filter = '(|(objectClass=*)(uid=%s))'"), `c:22: directory.user_filter: "(|(objectClass=*)(uid=%s))" finds some without %s, so the same for everybody; write it like "(uid=%s)"`},
		{"the name of an attribute of a group", behindChange(url, url+"\ngroup_filter = '(%s=%d)'"), `c:22: directory.group_filter: "(%s=%d)" has %d or %s where`},
		{"the groups of anybody", behindChange(url, url+"\ngroup_filter = '(|(cn=all)(member=%d))'"), `c:22: directory.group_filter: "(|(cn=all)(member=%d))" finds some without %d or %s`},
		{"group filter that finds all", behindChange(url, url+"\ngroup_filter = '(cn=*)'"), `c:22: directory.group_filter: "(cn=*)" holds no %d and no %s, so it finds the same for everybody; write it like "(member=%d)"`},
		{"group filter", behindChange(url, url+"\ngroup_filter = 'member=%d'"), `c:22: directory.group_filter: "member=%d" is not a search filter`},
		{"group base without groups", behindChange(url, url+"\ngroup_base = 'ou=g'\ngroup_attribute = ''"), `c:22: directory.group_base: has no groups to look at`},
		{"group base", behindChange(url, url+"\ngroup_base = 'g'"), `c:22: directory.group_base: "g" is not a DN`},
		{"empty group base", behindChange(url, url+"\ngroup_base = ''"), `c:22: directory.group_base: is missing; name where the groups are`},
		{"nested without groups", behindChange(url, url+"\nnested_groups = true\ngroup_attribute = ''"), `c:22: directory.nested_groups: has no groups to begin with`},
		{"no name", behindChange(url, url+"\nname_attribute = ''"), `c:22: directory.name_attribute: is empty; write such as "uid"`},
		{"no id", behindChange(url, url+"\nid_attribute = ''"), `c:22: directory.id_attribute: is empty; write such as "entryUUID"`},
		{"attribute", behindChange(url, url+"\nmail_attribute = 'mail;lang-ja'"), `c:22: directory.mail_attribute: "mail;lang-ja" is not an attribute`},
		{"page size", behindChange(url, url+"\npage_size = 0"), `c:22: directory.page_size: 0 is out of bounds`},
		{"timeout", behindChange(url, url+"\ntimeout = '2m'"), `c:22: directory.timeout: 2m0s is out of bounds`},
		{"cache", behindChange(url, url+"\ncache = '2h'"), `c:22: directory.cache: 2h0m0s is out of bounds`},
		{"watch often", behindChange(url, url+"\nwatch = '59s'"), `c:22: directory.watch: 59s is out of bounds; choose between 1m0s and 1h0m0s, or "0s"`},
		{"watch off", behindChange(url, url+"\nwatch = '0s'"), ""},
		{"watch seldom", behindChange(url, url+"\nwatch = '61m'"), `c:22: directory.watch: 1h1m0s is out of bounds`},
		{"connections", behindChange(url, url+"\nmax_connections = 0"), `c:22: directory.max_connections: 0 is out of bounds`},
	} {
		_, faults, _ := loadText(t, dir, test.text)
		compare(t, test, faults)
	}
}

func TestServersWithoutTLS(t *testing.T) {
	c, _, err := loadText(t, behindFolder(t), behindChange(`url = "ldaps://ldap.example.ac.jp"`, "url = ['ldap://[::1]', 'ldaps://a']\nstart_tls = false"))
	if err != nil {
		t.Fatal(err)
	}
	want := []DirectoryServer{{URL: "ldap://[::1]", Host: "::1", Address: "[::1]:389", Plain: true}, {URL: "ldaps://a", Host: "a", Address: "a:636", TLS: true}}
	if !reflect.DeepEqual(c.Directory.Servers, want) {
		t.Errorf("%+v", c.Directory.Servers)
	}
}

func TestDirectoryWarnings(t *testing.T) {
	dir := behindFolder(t)
	staff := func(text string) string {
		return strings.Replace(text, "need = [\"password+otp\"]\n", "need = [\"password+otp\"]\ngroup = 'staff'\n", 1)
	}
	const vlan = "[[radius.client]]\nname = 'vpn2'\naddress = '203.0.113.11'\nsecret_file = 'vpn1.secret'\nservice = 'ssl-vpn'\n" +
		"[[radius.client.reply]]\ngroup = 'staff'\nattributes = {Filter-Id = 'staff'}\n"
	const url = `url = "ldaps://ldap.example.ac.jp"`
	for _, test := range []faulty{
		{"clear text over the network", behindChange(url, "url = ['ldap://127.0.0.1', 'ldap://ldap.example.ac.jp']\nstart_tls = false"), `c:22: warning: directory.start_tls: sends passwords to ldap.example.ac.jp:389 over the network in clear text`},
		{"nobody looks up", sound + strings.ReplaceAll(upstream, "bind_", "#"), `c:19: warning: directory.bind_dn: is missing: people are looked up as nobody`},
		{"an id that is a name", behindChange(url, url+"\nid_attribute = 'uid'"), `c:22: warning: directory.id_attribute: "uid" is not known never to change`},
		{"an id that people write", behindChange(url, url+"\nid_attribute = 'mail'"), `c:22: warning: directory.id_attribute: "mail" is not known`},
		{"an id of 389-ds", behindChange(url, url+"\nid_attribute = 'nsuniqueid'"), ``},
		{"an id of FreeIPA", behindChange(url, url+"\nid_attribute = 'ipaUniqueID'"), ``},
		{"a name that two have", behindChange(url, url+"\nname_attribute = 'cn'\nuser_filter = '(cn=%s)'"), `c:22: warning: directory.name_attribute: "cn" is how people are called`},
		{"a name that is not searched", behindChange(url, url+"\nname_attribute = 'employeeNumber'"), `c:19: warning: directory.user_filter: finds people by uid, and their name is employeeNumber`},
		{"mail as a name, too", behindChange(url, url+"\nuser_filter = '(|(uid=%s)(mail=%s))'"), `c:22: warning: directory.user_filter: finds people by mail, and their name is uid: whoever can write the one can be found by another's name; write a filter by uid alone`},
		{"a name by a rule", behindChange(url, url+"\nuser_filter = '(&(objectClass=person)(UID:caseExactMatch:=%s)(!(loginShell=/bin/false)))'"), ``},
		{"groups that nobody asks for", behindChange(url, url), ``},
		{"groups of anywhere", staff(behindChange(url, url)), `c:20: warning: directory.group_base: is the whole directory: whoever may make a group anywhere in it can name it like one that a rule asks for`},
		{"groups of anywhere, searched", staff(behindChange(url, url+"\ngroup_base = 'DC=example, dc=ac,dc=jp'\ngroup_attribute = ''\ngroup_filter = '(member=%d)'")), `c:23: warning: directory.group_base: is the whole directory`},
		{"groups of anywhere, in a reply", behindChange(url, url) + vlan, `c:19: warning: directory.group_base: is the whole directory`},
		{"groups of a branch", staff(behindChange(url, url+"\ngroup_base = 'ou=groups,dc=example,dc=ac,dc=jp'")), ``},
		{"no groups", staff(behindChange(url, url+"\ngroup_attribute = ''")), ``},
		{"clear text on the loopback", behindChange(url, "url = ['ldap://127.0.0.1', 'ldap://[::1]']\nstart_tls = false"), ``},
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

// The example shows a directory behind, in comments, and what it shows as a
// default is the default.
func TestExampleOfTheDirectoryBehind(t *testing.T) {
	text, err := os.ReadFile("../../config.toml.example")
	if err != nil {
		t.Fatal(err)
	}
	dir := behindFolder(t)
	for _, name := range regexp.MustCompile(`(?m)^(?:keys|secret_file|disconnect_secret_file)\s*= "([^"]+)"`).FindAllSubmatch(text, -1) {
		put(t, filepath.Join(dir, string(name[1])), goodSecret, 0o400)
	}
	cert, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "directory-ca.crt"), string(cert), 0o644)

	before, rest, _ := strings.Cut(string(text), "kind = \"local\"")
	shown, after, ok := strings.Cut(rest, "# --- Where people are")
	if !ok {
		t.Fatal("no end of [directory]")
	}
	after = regexp.MustCompile(`(?ms)^\[\[ldap\.account\]\].*?^# --- Web`).ReplaceAllString(after, "# --- Web")
	keys := regexp.MustCompile(`(?m)^#   (\w+ *= .*)$`).FindAllStringSubmatch(shown, -1)
	var all, given []string
	for _, key := range keys {
		if all = append(all, key[1]); regexp.MustCompile(`^(kind|domains|url|ca_file|bind_\w+|base|group_base) `).MatchString(key[1]) {
			given = append(given, key[1])
		}
	}
	c, _, err := loadText(t, dir, before+strings.Join(all, "\n")+"\n#"+after)
	if err != nil || c.Warnings != nil {
		t.Fatal(err, c)
	}
	d, _, err := loadText(t, dir, before+strings.Join(given, "\n")+"\n#"+after)
	if err != nil || d.Warnings != nil {
		t.Fatal(err, d)
	}
	if !reflect.DeepEqual(c, d) {
		t.Errorf("a default differs from what the example says:\n%+v\n%+v", c, d)
	}
	// Each key is shown; a password has its place in a file.
	for _, key := range behindKeys {
		if !regexp.MustCompile(`(?m)^#   `+key+` *=`).MatchString(shown) && key != "bind_password" {
			t.Errorf("%s is not shown", key)
		}
	}
}
