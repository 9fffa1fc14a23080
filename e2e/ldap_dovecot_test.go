package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// dovecotHouse is what is not the recipe's: a mail server of its own in a
// folder, that says no slower than it has to.
const dovecotHouse = `
base_dir = @DIR@/run
log_path = @DIR@/log
mail_location = maildir:~
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = 0
  }
}
service stats {
  inet_listener http {
    port = 0
  }
}
`

// nobody owns the mail.
const nobody = 65534

// dovecot is a mail server that asks the site.
type dovecot struct {
	s    *recipe
	imap string // address of IMAP
}

// The two ways that Dovecot binds as a person: with the DN that a search has
// found, or with one that it makes of the name.
const (
	bySearch = "search"
	byName   = "name"
)

// startDovecot starts one by the recipe, with the uris of the door.
func (s *recipe) startDovecot(at door, way string) *dovecot {
	s.t.Helper()
	dir, port := filepath.Join(s.dir, at.name), fmt.Sprint(freePort(s.t))
	mail := filepath.Join(dir, "mail")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Mkdir(mail, 0o700), os.Chown(mail, nobody, -1)); err != nil {
		s.t.Fatal(err)
	}
	uris := "uris = " + at.outside
	if at.name == "starttls" {
		uris += "\ntls = yes"
	}
	text := s.block("dovecot-ldap", 0, "uris = ldaps://sekisho.example.ac.jp", uris)
	if way == byName {
		text, _, _ = strings.Cut(text, "auth_bind = yes")
		text += s.block("dovecot-ldap", 1)
	}
	ask := s.file(at.name+"/dovecot-ldap.conf.ext", text)
	own := strings.NewReplacer("@DIR@", dir, "@IMAP@", port).Replace(dovecotHouse)
	conf := s.file(at.name+"/dovecot.conf", own+s.block("dovecot", 0,
		"/etc/dovecot/dovecot-ldap.conf.ext", ask, "uid=vmail gid=vmail", fmt.Sprintf("uid=%d gid=%[1]d", nobody), "/var/vmail", mail))
	d := &dovecot{s, "127.0.0.1:" + port}
	server := launch(s.t, exec.Command("dovecot", "-F", "-c", conf))
	t := s.t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Dovecot's log:\n%s", s.read(at.name+"/log"))
		}
	})
	eventually(s.t, "Dovecot listens", func() bool {
		if server.ended() {
			s.t.Fatalf("Dovecot ended: %v\n%s%s", server.err, &server.out, &server.log)
		}
		return listens(d.imap)
	})
	return d
}

// What curl exits with.
const (
	listed = 0
	denied = 67
)

// login signs in and lists the mailboxes, as a mail program does each time
// that it connects.
func (d *dovecot) login(name, typed string) answer {
	d.s.t.Helper()
	return execute(d.s.t, "", "curl", "--silent", "--show-error", "--verbose", "--noproxy", "*", "--max-time", "20",
		"--user", name+":"+typed, "imap://"+d.imap+"/")
}

func (d *dovecot) want(code int, name, typed string) string {
	d.s.t.Helper()
	a := d.login(name, typed)
	if a.code != code || code == listed && !strings.Contains(a.out, "INBOX") {
		d.s.t.Fatalf("curl: exit %d, want %d\n%s%s", a.code, code, a.out, a.err)
	}
	return a.err
}

func TestLDAPDovecotSignsIn(t *testing.T) {
	t.Parallel()
	testDovecot(t, bySearch)
}

func TestLDAPDovecotSignsInWithoutASearch(t *testing.T) {
	t.Parallel()
	testDovecot(t, byName)
}

func testDovecot(t *testing.T, way string) {
	t.Helper()
	need(t, "root", "dovecot", "curl", "oathtool")
	needFile(t, "/usr/lib/dovecot/modules/auth/libauthdb_ldap.so")
	s := newRecipe(t, "dovecot.md")
	devices := map[string]*device{}
	for _, d := range s.doors {
		devices[d.name] = s.enrol(d.name)
	}
	mallory := s.enrol("mallory")
	s.each(func(at door) {
		device := devices[at.name]
		device.t, mallory.t = s.t, s.t
		server := s.serve()
		d := s.startDovecot(at, way)
		typed := password + device.code()
		d.want(denied, at.name, password)
		for range 5 { // the program connects again
			d.want(listed, at.name, typed)
		}
		d.want(denied, "mallory", "not-"+password+mallory.code())
		d.want(denied, "nobody-here", typed)
		d.want(listed, strings.ToUpper(at.name), typed) // over the same connection to us

		if err := server.stop(); err != nil {
			s.t.Fatal(err)
		}
		// The mail program is not told that its password is wrong.
		if said := d.want(denied, at.name, typed); !strings.Contains(said, "[UNAVAILABLE]") {
			s.t.Errorf("without us Dovecot says\n%s", said)
		}
		s.serve()
		eventually(s.t, "Dovecot is connected again", func() bool { return d.login(at.name, typed).code == listed })
	})
}
