package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	secret   = "testing123"
	password = "correct-horse-battery" // everybody's
)

// inside and outside are clients: where their requests come from.
const (
	outside = "127.0.0.1"
	inside  = "127.0.0.2"
	shell   = "127.0.0.3" // libpam-radius-auth
	late    = "127.0.0.4" // gets its rejects late
)

// campus is the configuration of a test. Hashes are cheap here: what they
// cost is not what is tested.
const campus = `
[site]
name      = "Test campus"
languages = ["en", "ja"]

[store]
url  = "sqlite:state/sekisho.db"
keys = "keys"

[zone.campus]
prefixes = ["127.0.0.2/32"]

[[rule]]
name   = "inside"
zone   = ["campus"]
need   = ["password"]
ticket = "12h"

[[rule]]
name   = "outside"
need   = ["password+otp"]
ticket = "10h"
idle   = "1h"

[radius]
auth         = ["127.0.0.1:@RADIUS@"]
reject_delay = "200ms"

[[radius.client]]
name    = "vpn-box"
address = "127.0.0.1"
secret  = "testing123"
service = "ssl-vpn"

[[radius.client]]
name    = "campus-switch"
address = "127.0.0.2"
secret  = "testing123"
service = "network"
source  = "campus"

[[radius.client]]
name    = "shell"
address = "127.0.0.3"
secret  = "testing123"
service = "ssh"
# Debian 12's libpam-radius-auth (2.0.0) has no code for Message-Authenticator.
require_message_authenticator = false

[[radius.client]]
name    = "slow"
address = "127.0.0.4"
secret  = "testing123"
service = "ssl-vpn"
reject_delay = "2s"

[metrics]
listen = "127.0.0.1:@METRICS@"

[password.argon2]
memory = "1MiB"
time   = 1
`

// site is one installation in a folder of its own.
type site struct {
	t       *testing.T
	dir     string
	config  string
	radius  string // address and port
	metrics string

	mounts int // process in whose mount namespace the store is; 0: ours
}

// newSite writes configuration and keys. The pairs replace text of campus.
func newSite(t *testing.T, pairs ...string) *site {
	t.Helper()
	dir := t.TempDir()
	port := freePort(t, 1)
	s := &site{
		t: t, dir: dir, config: filepath.Join(dir, "config.toml"),
		radius: fmt.Sprintf("127.0.0.1:%d", port), metrics: fmt.Sprintf("127.0.0.1:%d", port+1),
	}
	text := strings.NewReplacer(pairs...).Replace(campus)
	s.write(strings.NewReplacer("@RADIUS@", fmt.Sprint(port), "@METRICS@", fmt.Sprint(port+1)).Replace(text))
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.run("keys", "init")
	return s
}

func (s *site) write(config string) {
	s.t.Helper()
	if err := os.WriteFile(s.config, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// change replaces text in the configuration.
func (s *site) change(old, now string) {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		s.t.Fatalf("the configuration holds no %q", old)
	}
	s.write(strings.ReplaceAll(string(text), old, now))
}

// command runs one of the program's commands, whatever becomes of it.
func (s *site) command(stdin string, args ...string) answer {
	s.t.Helper()
	name, args := program(s.t), append([]string{"-c", s.config}, args...)
	if s.mounts != 0 {
		name, args = "nsenter", append([]string{"--mount", "--target", fmt.Sprint(s.mounts), name}, args...)
	}
	return execute(s.t, stdin, name, args...)
}

// run runs a command that has to succeed and returns what it printed.
func (s *site) run(args ...string) string {
	s.t.Helper()
	return s.feed("", args...)
}

func (s *site) feed(stdin string, args ...string) string {
	s.t.Helper()
	a := s.command(stdin, args...)
	if a.code != 0 {
		s.t.Fatalf("sekisho %v: exit %d\n%s%s", args, a.code, a.out, a.err)
	}
	return a.out
}

// fails runs a command that has to fail with an error line.
func (s *site) fails(args ...string) string {
	s.t.Helper()
	a := s.command("", args...)
	if a.code != 1 || !strings.HasPrefix(a.err, "sekisho: error: ") {
		s.t.Fatalf("sekisho %v: exit %d, want 1 and an error line\n%s%s", args, a.code, a.out, a.err)
	}
	return a.err
}

// serve starts the server and returns when it is ready.
func (s *site) serve() *process {
	s.t.Helper()
	return s.serveBy(exec.Command(program(s.t), "serve", "-c", s.config))
}

func (s *site) serveBy(cmd *exec.Cmd) *process {
	s.t.Helper()
	// As a service manager would be told (sd_notify(3)).
	path := filepath.Join(s.dir, "notify")
	os.Remove(path)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer notify.Close()
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+path)
	p := launch(s.t, cmd)
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("the server's log:\n%s", &p.log)
		}
	})
	word := make([]byte, 100)
	eventually(s.t, "READY=1", func() bool {
		if p.ended() {
			s.t.Fatalf("the server ended: %v\n%s", p.err, &p.log)
		}
		notify.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := notify.Read(word)
		return err == nil && string(word[:n]) == "READY=1"
	})
	return p
}
