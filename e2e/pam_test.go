package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const pamModule = "/lib/*/security/pam_radius_auth.so"

// pam is a service of this machine whose people are asked for over RADIUS.
type pam struct {
	s    *site
	name string
}

// pamService writes the service file, which PAM wants in /etc/pam.d.
func (s *site) pamService() *pam {
	s.t.Helper()
	need(s.t, "root", "pamtester", "oathtool")
	if found, _ := filepath.Glob(pamModule); len(found) == 0 {
		need(s.t, "pam_radius_auth.so")
	}
	// Server, secret, seconds to wait (3 at the least), source address.
	conf := filepath.Join(s.dir, "pam_radius_auth.conf")
	line := fmt.Sprintf("%s %s 3 %s\n", s.radius, secret, shell)
	if err := os.WriteFile(conf, []byte(line), 0o600); err != nil {
		s.t.Fatal(err)
	}
	name := fmt.Sprintf("sekisho-e2e-%08x", rand.Uint32())
	file := "/etc/pam.d/" + name
	text := "auth required pam_radius_auth.so conf=" + conf + " retry=1\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { os.Remove(file) })
	return &pam{s, name}
}

// authenticate reports whether PAM let the person in. Items are those that a
// program hands to PAM, such as "rhost=203.0.113.7".
func (p *pam) authenticate(user, typed string, items ...string) bool {
	p.s.t.Helper()
	var args []string
	for _, item := range items {
		args = append(args, "-I", item)
	}
	a := execute(p.s.t, typed+"\n", "pamtester", append(args, p.name, user, "authenticate")...)
	switch said := a.out + a.err; {
	case a.code == 0 && strings.Contains(said, "successfully authenticated"):
		return true
	case a.code == 1 && strings.Contains(said, "Authentication failure"):
		return false
	default:
		p.s.t.Fatalf("pamtester: exit %d\n%s", a.code, said)
		return false
	}
}

func TestPAMSignsIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.pamService()
	alice, mallory := s.enrol("alice"), s.enrol("mallory")
	server := s.serve()
	now := time.Now()
	first, second := alice.codeAt(now), alice.codeAt(now.Add(30*time.Second))
	if p.authenticate("alice", password) {
		t.Error("let in without a code")
	}
	if p.authenticate("mallory", "not-"+password+mallory.code()) {
		t.Error("let in with a wrong password")
	}
	if !p.authenticate("alice", password+first) {
		t.Error("not let in with password and code")
	}
	if p.authenticate("alice", password+first) {
		t.Error("let in with a used code")
	}
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	s.serve()
	if p.authenticate("alice", password+first) {
		t.Error("let in with a code that was used before the restart")
	}
	if !p.authenticate("alice", password+second) {
		t.Error("not let in with the next code after the restart")
	}
	if n := s.gauge("sekisho_radius_message_authenticator_total", `client="shell"`, `present="no"`); n == 0 {
		t.Error("it sends Message-Authenticator now: take the exception out of the configuration")
	}
}

// sshd tells PAM where the person comes from, and pam_radius_auth the server.
func TestPAMTellsWhereThePersonIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.pamService()
	alice := s.enrol("alice")
	s.serve()
	if !p.authenticate("alice", password+alice.code(), "rhost=203.0.113.7") {
		t.Fatal("not let in")
	}
	if e := s.book("--outcome", "admitted"); len(e) != 1 || e[0].Source != "203.0.113.7" {
		t.Errorf("the book has %+v", e)
	}
}
