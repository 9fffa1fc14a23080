package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// apacheHouse is what is not the recipe's: a server of its own in a folder,
// that logs who asked for what. Debian has the modules apart.
const apacheHouse = `
ServerName wiki.example.ac.jp
PidFile apache.pid
ErrorLog /dev/stderr
LogFormat "%u %>s %U" asked
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
LoadModule auth_basic_module /usr/lib/apache2/modules/mod_auth_basic.so
LoadModule ldap_module /usr/lib/apache2/modules/mod_ldap.so
LoadModule authnz_ldap_module /usr/lib/apache2/modules/mod_authnz_ldap.so
`

// apache is a web server that asks the site.
type apache struct {
	s *recipe
	// Where it asks at the door for people outside, and at that for those inside.
	outside, inside string
}

func (s *recipe) startApache(at door) *apache {
	s.t.Helper()
	dir, port := filepath.Join(s.dir, at.name), freePort(s.t, 1)
	if err := os.MkdirAll(filepath.Join(dir, "pages", "staff"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	for _, name := range []string{"pages/page", "pages/staff/page"} {
		if err := os.Chmod(s.file(filepath.Join(at.name, name), "open"), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	conf := "ServerRoot " + dir + apacheHouse + asRoot("User www-data\nGroup www-data\n") +
		"DocumentRoot " + filepath.Join(dir, "pages") + "\nCustomLog access.log asked\n" +
		s.block("apache", 0)
	a := &apache{s, fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", port+1)}
	for listen, door := range map[string]string{a.outside: at.outside, a.inside: at.inside} {
		recipe := s.block("apache", 1,
			"ldaps://sekisho.example.ac.jp", door, "/etc/apache2/svc-wiki.password", filepath.Join(s.dir, "svc-wiki.password"))
		if at.name == "starttls" {
			recipe = replaced(s.t, recipe, `(objectClass=inetOrgPerson)"`, `(objectClass=inetOrgPerson)" TLS`)
		}
		conf += "Listen " + listen + "\n<VirtualHost " + listen + ">\n" + recipe + "</VirtualHost>\n"
	}
	t := s.t
	server := launch(t, exec.Command("apache2", "-D", "FOREGROUND", "-f", s.file(at.name+"/apache.conf", conf)))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Apache's log:\n%s", &server.log)
		}
	})
	eventually(t, "Apache listens", func() bool {
		if server.ended() {
			t.Fatalf("Apache ended: %v\n%s%s", server.err, &server.out, &server.log)
		}
		return listens(a.outside)
	})
	return a
}

// want asks for a page.
func (a *apache) want(status int, at, path, name, typed string) {
	a.s.t.Helper()
	got, body := basic(a.s.t, "http://"+at+path, name, typed)
	if got != status || (body == "open") != (status == http.StatusOK) {
		a.s.t.Fatalf("%s asked for %s: %d, want %d\n%s", name, path, got, status, body)
	}
}

func TestLDAPApacheSignsIn(t *testing.T) {
	t.Parallel()
	need(t, "apache2", "oathtool")
	s := newRecipe(t, "apache.md")
	s.file("svc-wiki.password", servicePassword)
	devices := map[string]*device{}
	for _, d := range s.doors {
		devices[d.name] = s.enrol(d.name)
	}
	s.feed(password+"\n", "account", "add", "bob", "--group", "staff", "--password-stdin")
	s.each(func(at door) {
		device := devices[at.name]
		device.t = s.t
		server := s.serve()
		a := s.startApache(at)
		typed := password + device.code()

		a.want(http.StatusOK, a.inside, "/page", "bob", password)
		a.want(http.StatusOK, a.inside, "/staff/page", "bob", password)
		a.want(http.StatusUnauthorized, a.outside, "/page", "bob", password)
		a.want(http.StatusUnauthorized, a.outside, "/page", at.name, password)
		for range 5 { // the pictures of a page
			a.want(http.StatusOK, a.outside, "/page", strings.ToUpper(at.name), typed)
		}
		a.want(http.StatusUnauthorized, a.outside, "/staff/page", at.name, typed)
		a.want(http.StatusUnauthorized, a.outside, "/page", "nobody-here", typed)
		a.want(http.StatusUnauthorized, a.outside, "/page", at.name, "not-"+typed)
		a.want(http.StatusUnauthorized, a.outside, "/page", at.name, "")
		if log := s.read(at.name + "/access.log"); strings.Count(log, at.name+" 200 /page\n") != 5 {
			s.t.Errorf("REMOTE_USER was:\n%s", log)
		}

		if err := server.stop(); err != nil {
			s.t.Fatal(err)
		}
		a.want(http.StatusInternalServerError, a.inside, "/page", "bob", password)
		s.serve()
		a.want(http.StatusOK, a.inside, "/page", "bob", password)
	})
}

// A page has hundreds of pictures, and each of them is a bind. When the time of
// the repeat is over, the person is asked again.
func TestLDAPApacheAsksAgainWhenTheRepeatIsOver(t *testing.T) {
	t.Parallel()
	need(t, "apache2", "oathtool")
	s := newRecipe(t, "apache.md")
	s.file("svc-wiki.password", servicePassword)
	alice := s.enrol("alice")
	server := s.serve()
	a := s.startApache(s.doors[1])
	typed := password + alice.code()
	for range 200 {
		a.want(http.StatusOK, a.outside, "/page", "alice", typed)
	}
	s.change(`repeat  = {idle = "10m", max = "10m"}`, `repeat  = {idle = "1s", max = "1s"}`)
	s.reload(server, 1)
	lets := func(typed string) bool {
		status, _ := basic(t, "http://"+a.outside+"/page", "alice", typed)
		return status == http.StatusOK
	}
	eventually(t, "the repeat is over", func() bool { return !lets(typed) })
	eventually(t, "the next code is taken", func() bool { return lets(password + alice.codeAt(time.Now().Add(30*time.Second))) })
}
