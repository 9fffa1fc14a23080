package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// demo is the line that "sekisho demo --json" prints.
type demo struct {
	Users map[string]struct {
		Password string `json:"password"`
		Secret   string `json:"otp_secret"`
	} `json:"users"`
	RADIUS struct {
		Auth   string `json:"auth"`
		Secret string `json:"secret"`
	} `json:"radius"`
	Web struct {
		Inside   string   `json:"inside"`
		Outside  string   `json:"outside"`
		Services []string `json:"services"` // mail and wiki
	} `json:"web"`
	Metrics string `json:"metrics"`
	Config  string `json:"config"`
	Store   string `json:"store"`
}

// startDemo starts it and returns the site that it made.
func startDemo(t *testing.T) (*site, demo, *process) {
	t.Helper()
	cmd := exec.Command(program(t), "demo", "--json", "--base-port", fmt.Sprint(freePort(t, 1, 2, 3, 4, 5, 6, 7)))
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	p := launch(t, cmd)
	var d demo
	eventually(t, "the demo's line", func() bool {
		if p.ended() {
			t.Fatalf("the demo ended: %v\n%s", p.err, &p.log)
		}
		line, _, whole := bytes.Cut([]byte(p.out.String()), []byte("\n"))
		if whole {
			if err := json.Unmarshal(line, &d); err != nil {
				t.Fatalf("%v\n%s", err, line)
			}
		}
		return whole
	})
	metrics := strings.TrimPrefix(d.Metrics, "http://")
	return &site{t: t, dir: filepath.Dir(d.Config), config: d.Config, radius: d.RADIUS.Auth, metrics: metrics}, d, p
}

func TestDemoDoesWhatItPromises(t *testing.T) {
	t.Parallel()
	need(t, "radclient", "oathtool")
	s, d, p := startDemo(t)
	if d.RADIUS.Secret != secret {
		t.Fatalf("the demo's secret is %q", d.RADIUS.Secret)
	}
	alice, bob, carol := d.Users["alice"].Password, d.Users["bob"].Password, d.Users["carol"].Password
	device := &device{t: t, Secret: d.Users["alice"].Secret}
	code := device.code()

	wantAccept(t, s.signIn(outside, "alice", alice+code))
	s.wantReject(s.signIn(outside, "alice", alice+code), "code_used")
	wantAccept(t, s.signIn(inside, "alice", alice))
	s.wantReject(s.signIn(outside, "bob", bob), "no_device")
	wantAccept(t, s.signIn(inside, "bob", bob))
	s.wantReject(s.signIn(inside, "carol", carol), "disabled")
	if status, _ := s.get("/healthz"); status != 200 {
		t.Errorf("/healthz answers %d", status)
	}

	if err := p.stop(); err != nil {
		t.Errorf("the demo ended with %v\n%s", err, &p.log)
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("the demo left %s behind: %v", s.dir, err)
	}
}

func TestDemoOnATakenPortNamesTheWayOut(t *testing.T) {
	t.Parallel()
	port := fmt.Sprint(freePort(t, 1, 2, 3, 4, 5, 6, 7))
	taken, err := net.ListenPacket("udp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	a := execute(t, "", program(t), "demo", "--base-port", port)
	if a.code != 1 || !strings.Contains(a.err, port+" is in use") || !strings.Contains(a.err, "sekisho: hint:") || !strings.Contains(a.err, "--base-port") {
		t.Errorf("exit %d\n%s", a.code, a.err)
	}
}
