package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

func TestReloadUnderLoadDropsNothing(t *testing.T) {
	t.Parallel()
	need(t, "radclient")
	s := newSite(t)
	s.add("bob")
	server := s.serve()
	const requests = 2000
	cmd := exec.Command("radclient", "-q", "-s", "-c", fmt.Sprint(requests), "-p", "20", "-r", "1", "-t", "5", s.radius, "auth", secret)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("User-Name = bob\nUser-Password = %q\nPacket-Src-IP-Address = %s\nMessage-Authenticator = 0x00\n", password, inside))
	load := launch(t, cmd)
	served := func() float64 { return s.gauge("sekisho_radius_replies_total", `reply="accept"`) }
	secrets := []string{`"testing123"`, `["fresh-secret", "testing123"]`, `["testing123", "fresh-secret"]`, `["fresh-secret", "testing123"]`}
	for i := range 3 {
		eventually(t, "the load runs", func() bool { return served() > float64(100*(i+1)) })
		s.change(secrets[i], secrets[i+1])
		s.reload(server, i+1)
	}
	if done := served(); done >= requests {
		t.Errorf("%v requests were answered before the last reload: it was not under load", done)
	}
	if err := load.wait(); err != nil {
		t.Errorf("radclient: %v\n%s", err, &load.log)
	}
	for _, want := range []string{fmt.Sprintf("Accepted      : %d", requests), "Rejected      : 0", "Lost          : 0"} {
		if !strings.Contains(load.out.String(), want) {
			t.Errorf("radclient counted:\n%s\nwant %s", &load.out, want)
		}
	}
	if n := s.gauge("sekisho_radius_retransmissions_total"); n != 0 {
		t.Errorf("%v requests had to be sent again", n)
	}

	ask := func(key string) reply {
		return s.askWith([]string{"-r", "1", "-t", "1"}, s.radius, "status", key, "Message-Authenticator = 0x00")
	}
	wantAccept(t, ask("fresh-secret"))
	wantAccept(t, ask(secret))
	s.change(`["fresh-secret", "testing123"]`, `"fresh-secret"`)
	s.reload(server, 4)
	wantAccept(t, ask("fresh-secret"))
	wantSilence(t, ask(secret))
}

// reload sends SIGHUP and waits until it has been obeyed for the nth time.
func (s *site) reload(server *process, n int) {
	s.t.Helper()
	server.signal(syscall.SIGHUP)
	eventually(s.t, "the reload", func() bool { return strings.Count(server.log.String(), "msg=reloaded") == n })
}

func TestFaultyReloadChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	server := s.serve()
	s.change(`need   = ["password"]`, `need   = ["pasword"]`)
	server.signal(syscall.SIGHUP)
	eventually(t, "the fault is told", func() bool { return strings.Contains(server.log.String(), "not reloaded") })
	wantAccept(t, s.signIn(inside, "bob", password))
	if log := server.log.String(); !strings.Contains(log, "pasword") {
		t.Errorf("the log does not name the fault:\n%s", log)
	}
}

// The rules may change while people are signed in; the next sign-in is under
// the new ones.
func TestReloadedRuleHolds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	server := s.serve()
	wantAccept(t, s.signIn(inside, "bob", password))
	s.change("zone   = [\"campus\"]\nneed   = [\"password\"]\nticket = \"12h\"", "zone   = [\"campus\"]\ndeny = true")
	s.reload(server, 1)
	s.wantReject(s.signIn(inside, "bob", password), "rule_denies")
}

func TestSecondServerOnOneStoreIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve()
	if said := s.fails("serve"); !strings.Contains(said, "another sekisho serve uses this store") {
		t.Errorf("it says:\n%s", said)
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve()
	other := newSite(t)
	other.change(other.radius, s.radius)
	if said := other.fails("serve"); !strings.Contains(said, s.radius+" is in use by another program") {
		t.Errorf("it says:\n%s", said)
	}
}

func TestForeignKeyRingIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	own := filepath.Join(s.dir, "keys")
	kept := own + ".kept"
	if err := os.Rename(own, kept); err != nil {
		t.Fatal(err)
	}
	if said := s.fails("serve"); !strings.Contains(said, "keys init") {
		t.Errorf("without a key ring it says:\n%s", said)
	}
	other := newSite(t)
	foreign, err := os.ReadFile(filepath.Join(other.dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, foreign, 0o400); err != nil {
		t.Fatal(err)
	}
	if said := s.fails("serve"); !strings.Contains(said, "sekisho: hint: restore the key file") {
		t.Errorf("with a foreign key ring it says:\n%s", said)
	}
	if err := os.Rename(kept, own); err != nil {
		t.Fatal(err)
	}
	s.serve()
	wantAccept(t, s.signIn(outside, "alice", password+alice.code()))
}

func TestDevicesOutliveTheirKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	server := s.serve()
	if said := s.fails("keys", "rotate"); !strings.Contains(said, "sekisho: hint: stop it") {
		t.Errorf("beside a server it says:\n%s", said)
	}
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	s.run("keys", "rotate")
	bob := s.enrol("bob")
	s.serve()
	wantAccept(t, s.signIn(outside, "alice", password+alice.code()))
	wantAccept(t, s.signIn(outside, "bob", password+bob.code()))
}

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	wantAccept(t, s.signIn(inside, "bob", password))
	status, body := s.get("/healthz")
	var health struct {
		Alive bool `json:"alive"`
		Clock struct {
			Steady bool `json:"steady"`
		} `json:"clock"`
	}
	if err := json.Unmarshal([]byte(body), &health); err != nil || status != 200 || !health.Alive || !health.Clock.Steady {
		t.Errorf("/healthz: %d %s %v", status, body, err)
	}
	for name, want := range map[string]float64{"sekisho_alive": 1, "sekisho_decisions_total": 1, "sekisho_radius_replies_total": 1, "sekisho_radius_held": 0} {
		if got := s.gauge(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestCheckListsEveryFault(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if said := s.run("check"); !strings.Contains(said, "good: 2 rules, 2 zones, 4 RADIUS clients") {
		t.Errorf("check says:\n%s", said)
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	broken := string(text)
	for _, fault := range [][2]string{
		{`languages = ["en", "ja"]`, `languages = ["en", "fr"]`},
		{"sqlite:state", "postgres://state"},
		{`"127.0.0.2/32"`, `"127.0.0.2/33"`},
		{`need   = ["password"]`, `need   = ["pasword"]`},
		{`ticket = "10h"`, `ticket = "10 hours"`},
		{`reject_delay = "200ms"`, `reject_delay = "1m"`},
		{`address = "127.0.0.1"`, `address = "127.0.0"`},
		{`service = "ssh"`, `servcie = "ssh"`},
		{`source  = "campus"`, `source  = "kampus"`},
		{`memory = "1MiB"`, `memory = "1KiB"`},
	} {
		if !strings.Contains(broken, fault[0]) {
			t.Fatalf("the configuration holds no %s", fault[0])
		}
		broken = strings.Replace(broken, fault[0], fault[1], 1)
	}
	s.write(broken)
	a := s.command("", "check")
	place := regexp.MustCompile(`^` + regexp.QuoteMeta(s.config) + `:\d+: `)
	lines := strings.Split(strings.TrimSpace(a.out), "\n")
	if a.code != 1 || len(lines) < 10 {
		t.Errorf("check: exit %d, %d lines\n%s%s", a.code, len(lines), a.out, a.err)
	}
	for _, line := range lines {
		if !place.MatchString(line) {
			t.Errorf("without file and line: %s", line)
		}
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	var held reply
	eventually(t, "the right password comes within the delay", func() bool { // which is short
		for i := range 3 {
			if r := s.signIn(inside, "bob", fmt.Sprint("guess", i)); !r.rejected() {
				t.Fatalf("guess %d: %q", i, r.code)
			}
		}
		held = s.signIn(inside, "bob", password)
		return held.rejected()
	})
	s.wantReject(held, "throttled")
	eventually(t, "the delay ends by itself", func() bool { return s.signIn(inside, "bob", password).accepted() })
}
