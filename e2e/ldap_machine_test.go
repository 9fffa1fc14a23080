package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// machine is a computer whose people are those of the site. The programs that
// have one configuration in /etc and one socket in /run get them in a mount
// namespace of their own, so that several can run beside each other, and
// beside what this computer has.
type machine struct {
	*process
	s *ldapSite
}

// machine starts the daemon that asks the site. The files are shown at these
// paths of /etc, which has to have them; a path that ends in "/" is an empty
// folder. /etc/pam.d holds nothing but what is given of it.
func (s *ldapSite) machine(name string, files map[string]string, daemon ...string) *machine {
	s.t.Helper()
	need(s.t, "root", "mount", "nsenter", "pamtester")
	script := "set -e\n"
	show := func(from, at string) { script += fmt.Sprintf("mount --bind %s %s\n", from, at) }
	pam := filepath.Join(s.dir, name, "pam.d")
	if err := os.MkdirAll(pam, 0o755); err != nil {
		s.t.Fatal(err)
	}
	show(pam, "/etc/pam.d")
	for _, at := range slices.Sorted(maps.Keys(files)) {
		text := files[at]
		service, isPAM := strings.CutPrefix(at, "/etc/pam.d/")
		switch {
		case strings.HasSuffix(at, "/"):
			script += fmt.Sprintf("mkdir -p %[1]s; mount -t tmpfs -o mode=1777 none %[1]s\n", at)
		case isPAM:
			if err := os.Chmod(s.file(filepath.Join(name, "pam.d", service), text), 0o644); err != nil {
				s.t.Fatal(err)
			}
		default:
			show(s.file(filepath.Join(name, filepath.Base(at)), text), at)
		}
	}
	cmd := exec.Command("sh", append([]string{"-c", script + `exec "$@"`, "sh"}, daemon...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	m := &machine{launch(s.t, cmd), s}
	t := s.t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s says:\n%s%s", daemon[0], &m.out, &m.log)
		}
	})
	return m
}

// here is a command that runs on the machine.
func (m *machine) here(name string, args ...string) []string {
	return append([]string{"nsenter", "--mount", "--target", fmt.Sprint(m.cmd.Process.Pid), name}, args...)
}

func (m *machine) run(stdin, name string, args ...string) answer {
	m.s.t.Helper()
	line := m.here(name, args...)
	return execute(m.s.t, stdin, line[0], line[1:]...)
}

// appears waits until the daemon has made its socket.
func (m *machine) appears(socket string) {
	m.s.t.Helper()
	eventually(m.s.t, socket, func() bool {
		if m.ended() {
			m.s.t.Fatalf("it ended: %v\n%s%s", m.err, &m.out, &m.log)
		}
		return m.run("", "test", "-S", socket).code == 0
	})
}

// What PAM says of a sign-in. A server that is away is a refusal, too, by the
// way that Debian has its modules stand behind each other.
const (
	letIn   = "successfully authenticated"
	refused = "Authentication failure"
)

// signIn signs somebody in by the PAM service "login".
func (m *machine) signIn(name, typed string) answer {
	m.s.t.Helper()
	return m.run(typed+"\n", "pamtester", "login", name, "authenticate", "acct_mgmt")
}

func (m *machine) want(said, name, typed string) {
	m.s.t.Helper()
	a := m.signIn(name, typed)
	if !strings.Contains(a.out+a.err, said) || (a.code == 0) != (said == letIn) {
		m.s.t.Fatalf("PAM says of %s, want %q: exit %d\n%s%s", name, said, a.code, a.out, a.err)
	}
}

// prints wants a program of the machine to print this.
func (m *machine) prints(want, name string, args ...string) {
	m.s.t.Helper()
	if a := m.run("", name, args...); a.code != 0 || strings.TrimSpace(a.out) != want {
		m.s.t.Errorf("%s %v: exit %d, %q, want %q\n%s", name, args, a.code, a.out, want, a.err)
	}
}

// needFile wants one of the files to be there.
func needFile(t *testing.T, pattern string) {
	t.Helper()
	if found, _ := filepath.Glob(pattern); len(found) == 0 {
		need(t, filepath.Base(pattern))
	}
}
