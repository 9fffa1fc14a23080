package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// ldapClients are the programs of docs/ldap/, each started by its page, with how
// it signs somebody in.
var ldapClients = map[string]struct {
	page  string
	start func(r *recipe, at door) (signIn func(name, typed string) bool)
}{
	"apache": {"apache.md", func(r *recipe, at door) func(name, typed string) bool {
		need(r.t, "apache2")
		r.file("svc-wiki.password", servicePassword)
		a := r.startApache(at)
		return func(name, typed string) bool {
			status, _ := basic(r.t, "http://"+a.outside+"/page", name, typed)
			return status == http.StatusOK
		}
	}},
	"dovecot": {"dovecot.md", func(r *recipe, at door) func(name, typed string) bool {
		return r.dovecotSignIn(at, bySearch)
	}},
	"dovecot-name": {"dovecot.md", func(r *recipe, at door) func(name, typed string) bool {
		return r.dovecotSignIn(at, byName)
	}},
	"nslcd": {"nslcd.md", func(r *recipe, at door) func(name, typed string) bool {
		m := r.nslcd(at, r.block("nslcd", 0), map[string]string{"login": r.block("pam", 0, "pam_unix.so", "pam_unix.so nodelay")})
		return func(name, typed string) bool { return m.signIn(name, typed).code == 0 }
	}},
	"nginx": {"nginx.md", func(r *recipe, at door) func(name, typed string) bool {
		need(r.t, "root", "nginx")
		needFile(r.t, pamModuleOfNginx)
		web := r.nslcd(at, r.nginxNSLCD(), map[string]string{"nginx-files": r.block("nginx-pam", 0)}).nginx(r)
		return func(name, typed string) bool {
			status, _ := basic(r.t, web.url, name, typed)
			return status == http.StatusOK
		}
	}},
	"sssd": {"sssd.md", func(r *recipe, at door) func(name, typed string) bool {
		m := r.sssd(at.name, at.outside)
		return func(name, typed string) bool { return m.signIn(name, typed).code == 0 }
	}},
	"java": {"jndi.md", func(r *recipe, at door) func(name, typed string) bool {
		need(r.t, "java", "javac", "keytool")
		classes := r.compile(at)
		trust := r.trust()
		return func(name, typed string) bool {
			said := must(r.t, "java", append(trust, "-cp", classes, "SignInOften", servicePassword, name, typed)...)
			return said == personDN(name)+"\n"
		}
	}},
	"php":         {"jndi.md", script("php", "two_binds.php")},
	"perl":        {"jndi.md", script("perl", "two_binds.pl")},
	"ldap3":       {"jndi.md", script(debianPython, "two_binds_ldap3.py")},
	"python-ldap": {"jndi.md", script(debianPython, "two_binds_python_ldap.py")},
}

// script is one of testdata/ldap/, which binds as the account and as a person
// in turn.
func script(interpreter, name string) func(r *recipe, at door) func(name, typed string) bool {
	return func(r *recipe, at door) func(name, typed string) bool {
		need(r.t, interpreter)
		return func(person, typed string) bool {
			a := execute(r.t, "", interpreter, filepath.Join("testdata", "ldap", name),
				at.outside, r.ca, ldapBase, r.account, servicePassword, person, typed)
			if a.code != 0 || strings.Count(a.out, "bind 0 ")+strings.Count(a.out, "bind 49 ") != 4 {
				r.t.Fatalf("%s: exit %d\n%s%s", name, a.code, a.out, a.err)
			}
			return strings.Count(a.out, "bind 0 ") == 3
		}
	}
}

func (r *recipe) dovecotSignIn(at door, way string) func(name, typed string) bool {
	r.t.Helper()
	need(r.t, "root", "dovecot", "curl")
	needFile(r.t, "/usr/lib/dovecot/modules/auth/libauthdb_ldap.so")
	d := r.startDovecot(at, way)
	return func(name, typed string) bool { return d.login(name, typed).code == listed }
}

// joins adds an application's account, and a person that Unix knows, to the
// directory.
func (b *behind) joins(account, name string, number int) {
	b.t.Helper()
	if b.ask("", "ldapsearch", b.service, "-b", account, "-s", "base").code != 0 {
		uid, _, _ := strings.Cut(strings.TrimPrefix(account, "uid="), ",")
		b.ldif(fmt.Sprintf("dn: %s\nchangetype: add\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: %s\nuserPassword: %s\n",
			account, uid, servicePassword))
	}
	b.ldif(fmt.Sprintf("dn: %s\nchangetype: add\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: %s\ncn: %[2]s\nsn: %[2]s\nmail: %[2]s@example.ac.jp\n"+
		"uidNumber: %d\ngidNumber: 100\nhomeDirectory: /home/%[2]s\nuserPassword: %[4]s\n", personDN(name), name, number, password))
}

// accountOf is the DN of a page's application.
func accountOf(t *testing.T, page string) string {
	t.Helper()
	_, app := tomlBlocks(t, page)
	return appAccounts.FindStringSubmatch(app)[1]
}

// Nothing but host and CA changes for a program that asked the campus'
// directory before.
func TestLDAPClientsBeforeADirectory(t *testing.T) {
	t.Parallel()
	need(t, "oathtool")
	b := newSlapd(t)
	of := func(client string) string { return "of-" + client } // no name of this computer's own
	number := 10_001
	for name, client := range ldapClients {
		b.joins(accountOf(t, client.page), of(name), number)
		number++
	}
	for name, client := range ldapClients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecipeBefore(t, client.page, b)
			device, name := r.device(of(name)), of(name)
			r.serve()
			signIn := client.start(r, r.doors[1])
			if signIn(name, password) || signIn(name, password+device.unlike()) {
				t.Error("let in without a code")
			}
			if n := b.binds(name); n != 0 {
				t.Errorf("%d binds without a code came to slapd", n)
			}
			if !signIn(name, password+device.code()) {
				t.Fatal("not let in")
			}
			if e := r.book("--user", name, "--outcome", "admitted"); len(e) == 0 || e[0].Ticket == "" {
				t.Errorf("the book has %+v", e)
			}
			if signIn(name, "not-"+password+device.step(1)) {
				t.Error("let in with a wrong password")
			}
		})
	}
}

// A telephone signs in with an application password as often as it likes. The
// directory behind is not asked about it.
func TestLDAPDovecotTakesAnApplicationPassword(t *testing.T) {
	t.Parallel()
	need(t, "root", "dovecot", "curl")
	for _, kind := range []string{"local", "ldap"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var r *recipe
			var b *behind
			if kind == "local" {
				r = newRecipe(t, "dovecot.md")
				r.add("frank")
			} else {
				b = newSlapd(t)
				b.joins(accountOf(t, "dovecot.md"), "frank", 10_001)
				r = newRecipeBefore(t, "dovecot.md", b)
			}
			r.serve()
			var made struct {
				Text string `json:"app_password"`
			}
			line := r.run("account", "app-password", "add", "frank", "--service", "mail", "--label", "Phone", "--json")
			if err := json.Unmarshal([]byte(line), &made); err != nil || made.Text == "" {
				t.Fatalf("%v: %s", err, line)
			}
			one, other := r.dovecotSignIn(r.doors[0], bySearch), r.dovecotSignIn(r.doors[1], byName)
			for range 5 {
				if !one("frank", made.Text) || !other("frank", made.Text) {
					t.Fatal("not let in")
				}
			}
			last := "z"
			if strings.HasSuffix(made.Text, last) {
				last = "y"
			}
			if one("frank", password) || other("frank", made.Text[:len(made.Text)-1]+last) {
				t.Error("let in with another")
			}
			if kind == "ldap" && b.binds("frank") != 0 {
				t.Errorf("%d binds came to slapd", b.binds("frank"))
			}
		})
	}
}

// While an application is observed, everybody gets in as before, and the book
// has what would have been.
func TestLDAPApacheIsObserved(t *testing.T) {
	t.Parallel()
	need(t, "apache2")
	b := newSlapd(t)
	b.joins(accountOf(t, "apache.md"), "frank", 10_001)
	r := newRecipeBefore(t, "apache.md", b)
	r.change("service  = \"wiki\"\n", "service  = \"wiki\"\nmode = \"observe\"\n")
	r.file("svc-wiki.password", servicePassword)
	server := r.serve()
	a := r.startApache(r.doors[1])
	a.want(http.StatusOK, a.outside, "/page", "frank", password)
	a.want(http.StatusUnauthorized, a.outside, "/page", "frank", "not-"+password)
	eventually(t, "the book has it", func() bool { return len(r.book("--outcome", "observed")) > 0 })

	r.change("mode = \"observe\"\n", "")
	r.reload(server, 1)
	a.want(http.StatusUnauthorized, a.outside, "/page", "frank", password)
}
