package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// database389 is a database for the people.
const database389 = `dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userRoot
nsslapd-suffix: @BASE@
nsslapd-directory: @DIR@/db/userRoot

dn: cn="@BASE@",cn=mapping tree,cn=config
objectClass: extensibleObject
objectClass: nsMappingTree
cn: "@BASE@"
nsslapd-state: backend
nsslapd-backend: userRoot

`

// new389 starts the 389 Directory Server from its own templates, as its
// program dscreate does that wants systemd.
func new389(t *testing.T) *behind {
	t.Helper()
	need(t, "root", "ns-slapd", "pwdhash", "openssl", "certutil", "pk12util")
	b := newBehind(t, "389-ds", "127.0.0.1")
	b.admin = who{"cn=Directory Manager", "admin-of-all"}
	b.keys = `id_attribute = "nsUniqueId"` // its entryUUID is of a plug-in
	b.binds = func(name string) int {
		return strings.Count(b.read("access"), fmt.Sprintf("BIND dn=%q method=128", b.dn(name)))
	}
	port := func(url string) string { return url[strings.LastIndex(url, ":")+1:] }
	for _, folder := range []string{"schema", "db"} {
		if err := os.Mkdir(filepath.Join(b.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.file("schema/99user.ldif", "dn: cn=schema\nobjectClass: top\nobjectClass: ldapSubentry\nobjectClass: subschema\ncn: schema\n")
	b.file("slapd-collations.conf", read(t, "/etc/dirsrv/config/slapd-collations.conf"))
	b.file("certmap.conf", read(t, "/etc/dirsrv/config/certmap.conf"))
	dse := filled(read(t, "/usr/share/dirsrv/data/template-dse.ldif"),
		"schema_dir", b.dir+"/schema", "db_dir", b.dir+"/db", "db_home_dir", b.dir+"/db", "db_lib", "bdb", "config_dir", b.dir,
		"lock_dir", b.dir, "tmp_dir", b.dir, "cert_dir", b.dir, "ldif_dir", b.dir, "bak_dir", b.dir, "run_dir", b.dir, "inst_dir", b.dir, "log_dir", b.dir,
		"fqdn", "localhost", "ds_port", port(b.clear), "ds_user", "root", "ds_suffix", ldapBase, "rootdn", b.admin.dn,
		"ds_passwd", strings.TrimSpace(must(t, "pwdhash", b.admin.password)), "ldapi_enabled", "off", "ldapi", b.dir+"/ldapi", "ldapi_autobind", "off")
	dse = strings.Replace(dse, "nsslapd-rootdn:", strings.Join([]string{
		"nsslapd-securePort: " + port(b.url), "nsslapd-security: on", "nsslapd-require-secure-binds: on",
		"nsslapd-accesslog-logbuffering: off", "nsslapd-securitylog-logging-enabled: off",
		"passwordLockout: on", "passwordMaxFailure: 3", "passwordExp: on", "passwordWarning: 0", "nsslapd-rootdn:",
	}, "\n"), 1)
	// The memberOf of each person, for groups in groups, too.
	before, plugin, _ := strings.Cut(dse, "cn: MemberOf Plugin\n")
	plugin = strings.Replace(plugin, "nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on\nmemberOfAutoAddOC: nsMemberOf", 1)
	b.file("dse.ldif", before+"cn: MemberOf Plugin\n"+plugin)
	b.keyTo389()

	b.server = launch(t, exec.Command("ns-slapd", "-D", b.dir, "-i", filepath.Join(b.dir, "pid"), "-d", "0"))
	t.Cleanup(b.server.kill) // it takes its time to end
	b.up()
	b.ldif(adding(strings.NewReplacer("@BASE@", ldapBase, "@DIR@", b.dir).Replace(database389)+tree(map[string]string{
		"": `aci: (targetattr!="description")(version 3.0; acl "services read"; allow (read, search, compare) userdn="ldap:///uid=svc-*,ou=services,` + ldapBase + `";)
aci: (targetattr="*")(version 3.0; acl "services act for others"; allow (proxy) userdn="ldap:///uid=svc-*,ou=services,` + ldapBase + `";)
aci: (targetattr!="userPassword || description")(version 3.0; acl "people read"; allow (read, search, compare) userdn="ldap:///all";)
aci: (targetattr="description")(version 3.0; acl "one reads what is for oneself"; allow (read, search, compare) userdn="ldap:///self";)
aci: (targetattr="userPassword")(version 3.0; acl "a password of one's own"; allow (write) userdn="ldap:///self";)
`,
		"disabled": "nsAccountLock: true\n",
	})) + groups())
	b.ldif(replacing(b.dn("expired"), "passwordExpirationTime", "20200101000000Z") +
		replacing(b.dn("locked"), "accountUnlockTime", "20380101000000Z") + replacing(b.dn("locked"), "passwordRetryCount", "3") +
		replacing("cn=config", "passwordMustChange", "on") + replacing(b.dn("mustchange"), "userPassword", password))
	return b
}

// replacing makes a change of an attribute's value.
func replacing(dn, attribute, value string) string {
	return fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: %s\n%[2]s: %s\n\n", dn, attribute, value)
}

// keyTo389 puts key and certificate where NSS looks for them.
func (b *behind) keyTo389() {
	b.t.Helper()
	crt, key, both := b.dir+"/tls.crt", b.dir+"/tls.key", b.dir+"/tls.p12"
	must(b.t, "certutil", "-N", "-d", b.dir, "--empty-password")
	must(b.t, "openssl", "pkcs12", "-export", "-in", crt, "-inkey", key, "-name", "Server-Cert", "-out", both, "-passout", "pass:x")
	must(b.t, "pk12util", "-i", both, "-d", b.dir, "-W", "x")
}

// filled is a template of the server's with its names for values replaced.
func filled(template string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "%" + pairs[i] + "%"
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// adding makes additions of entries.
func adding(ldif string) string {
	lines := strings.SplitAfter(ldif, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "dn: ") {
			lines[i] += "changetype: add\n"
		}
	}
	return strings.Join(lines, "")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
