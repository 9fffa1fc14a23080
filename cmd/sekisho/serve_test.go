package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/keyring"
	"sekisho/weblogin"
)

// threeDoors is a configuration with all of them, behind TLS.
const threeDoors = `
[store]
url = "sqlite:state/sekisho.db"
keys = "keys"
[zone.campus]
prefixes = ["127.0.0.1"]
[[rule]]
name = "inside"
zone = "campus"
need = "password"
[radius]
auth = ["127.0.0.1:0"]
[[radius.client]]
name = "vpn1"
address = "127.0.0.9"
secret = "a secret that is long enough"
service = "ssl-vpn"
source = "campus"
[ldap]
base = "dc=example"
[[ldap.listener]]
url = "ldaps://127.0.0.1:0"
certificate = "tls.crt"
key = "tls.key"
[[ldap.listener]]
url = "ldap://127.0.0.1:0"
require_tls = false
proxy_protocol = ["127.0.0.1"]
[[ldap.app]]
name = "app"
address = ["127.0.0.1"]
service = "mail"
source = "campus"
[web]
url = "https://sso.localhost"
[[web.listener]]
url = "https://127.0.0.1:0"
certificate = "tls.crt"
key = "tls.key"
[metrics]
listen = "127.0.0.1:0"
`

// log can be read while it is written.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// prepareServer opens a configuration; run has not begun.
func prepareServer(t *testing.T, text string) (*server, *log) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	write(t, file, text)
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := certify(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := keyring.New(time.Now()).Write(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	out := &log{}
	s, err := open(t.Context(), file, out)
	if err != nil {
		t.Fatal(err)
	}
	return s, out
}

// startServer serves a configuration; run has begun.
func startServer(t *testing.T, text string) (*server, *log) {
	t.Helper()
	s, out := prepareServer(t, text)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, out
}

func TestEveryDoorIsOpened(t *testing.T) {
	s, _ := startServer(t, threeDoors)
	var kinds []string
	for _, line := range s.listeners() {
		kinds = append(kinds, strings.Join(strings.Fields(line)[:2], " "))
	}
	web := s.opened[2].socket.Addr().String()
	if want := []string{"radius udp", "radius-acct udp", "ldaps tcp", "ldap tcp", "web https://" + web, "metrics tcp"}; !slices.Equal(kinds, want) {
		t.Errorf("got  %q\nwant %q", kinds, want)
	}
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := trusting.Get("https://" + web + "/login")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.TLS.Version < tls.VersionTLS12 {
		t.Errorf("/login: %d", answer.StatusCode)
	}
	answer, err = http.Get("http://" + s.socket.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	for _, want := range []string{`sekisho_certificate_days{listener="ldaps://127.0.0.1:0"} 2`, `sekisho_certificate_days{listener="https://127.0.0.1:0"} 2`} {
		if !bytes.Contains(text, []byte(want)) { // 27 to 30
			t.Errorf("/metrics has no %s", want)
		}
	}
}

func TestReloadSaysWhatItCannotDo(t *testing.T) {
	s, out := startServer(t, threeDoors)
	change := func(old, with string) {
		t.Helper()
		if err := os.WriteFile(s.file, []byte(strings.Replace(threeDoors, old, with, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		s.reload()
	}
	change(`name = "app"`, `name = "other"`)
	if !out.has("reloaded") || out.has("takes a restart") {
		t.Error("applications are not reloaded")
	}
	change(`sso.localhost`, `login.localhost`)
	if !out.has("takes a restart") {
		t.Error("says nothing of the sign-in host")
	}
	change(`need = "password"`, `need = "passwort"`)
	if !out.has("the old configuration stays in force") {
		t.Error("says nothing of a fault")
	}
}

// The page for a VPN's word is there as soon as the VPN is.
func TestReloadTellsThePagesOfTheVPNs(t *testing.T) {
	s, _ := startServer(t, threeDoors)
	page := func() int {
		w := httptest.NewRecorder()
		s.web.Handler(weblogin.Listener{Name: "web"}).ServeHTTP(w, httptest.NewRequest("GET", "https://sso.localhost/word?service=ssl-vpn", nil))
		return w.Code
	}
	for _, step := range []struct {
		source string
		want   int
	}{{"campus", http.StatusNotFound}, {"off-campus", http.StatusSeeOther}, {"campus", http.StatusNotFound}} {
		write(t, s.file, strings.Replace(threeDoors, `"ssl-vpn"
source = "campus"`, `"ssl-vpn"
source = "`+step.source+`"`, 1))
		s.reload()
		if got := page(); got != step.want {
			t.Errorf("with source %s: %d, want %d", step.source, got, step.want)
		}
	}
}

func TestReloadKeepsACertificateThatCanBeUsed(t *testing.T) {
	s, out := startServer(t, threeDoors)
	until := s.opened[0].certificate.NotAfter()
	cert, key := s.opened[0].Certificate, s.opened[0].Key
	if err := certify(cert, key, time.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	s.reload()
	if now := s.opened[0].certificate.NotAfter(); !now.After(until) {
		t.Errorf("until %v", now)
	}
	if out.has("can't be used") {
		t.Error("complains of a good one")
	}
}

// A certificate is asked for as soon as an application is known by one, and
// never demanded.
func TestReloadAsksForTheCertificatesThatApplicationsHave(t *testing.T) {
	s, _ := startServer(t, threeDoors)
	asked := func() (asked bool) {
		t.Helper()
		conn, err := tls.Dial("tcp", s.opened[0].socket.Addr().String(), &tls.Config{
			InsecureSkipVerify: true,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				asked = true
				return &tls.Certificate{}, nil // has none
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		return asked
	}
	for lines, want := range map[string]bool{
		"": false,
		"certificate = 'tls.crt'\nlistener = 'ldaps://127.0.0.1:0'": true,
	} {
		write(t, s.file, strings.Replace(threeDoors, `service = "mail"
source = "campus"`, "service = 'mail'\n"+lines, 1))
		s.reload()
		if asked() != want {
			t.Errorf("%q: asks %v", lines, !want)
		}
	}
}

func TestStartThatFailsLeavesNothingOpen(t *testing.T) {
	s, _ := startServer(t, threeDoors)
	taken := s.opened[2].socket.Addr().String()
	dir := t.TempDir()
	for _, name := range []string{"tls.crt", "tls.key", "keys"} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(s.file), name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.toml")
	text := strings.Replace(threeDoors, "https://127.0.0.1:0", "https://"+taken, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), file, io.Discard); err == nil || !strings.Contains(err.Error(), taken) {
		t.Fatal(err)
	}
	// The lock of the store is free again, so the next start can go on.
	if err := os.WriteFile(file, []byte(threeDoors), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := open(t.Context(), file, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.drain(); err != nil {
		t.Error(err)
	}
}
