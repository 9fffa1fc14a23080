package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/internal/config"
	"sekisho/internal/keyring"
	"sekisho/radiusd"
)

// withClient is a configuration with one RADIUS client; lines are added to it.
func withClient(lines string) string {
	return strings.Replace(threeDoors, "service = \"ssl-vpn\"\nsource = \"campus\"\n", "service = \"ssl-vpn\"\n"+lines+"\n", 1)
}

// What `check` finds no fault with, `serve` takes.
func TestServeTakesWhatCheckPasses(t *testing.T) {
	const tunnel = "tunnel = '198.51.100.0/24'\n"
	for name, text := range map[string]string{
		"three doors":             threeDoors,
		"a bare client":           withClient(""),
		"accounting":              withClient(tunnel + "pool = '198.51.100.0/28'\ninterim = '10m'"),
		"own addresses":           withClient("source = 'calling-station-id'\ntunnel_client_endpoint = true\notp = 'both'"),
		"lax":                     withClient("require_message_authenticator = false\nclass = false\nreject_delay = '0s'"),
		"proxy":                   withClient("proxy = true\n" + tunnel),
		"a network":               strings.Replace(threeDoors, "127.0.0.9", "127.0.0.0/9", 1),
		"orders":                  withClient("disconnect = '[2001:db8::1]:3799'\ndisconnect_secret = 'a secret that is long enough'\ndisconnect_address = true"),
		"reply attributes":        withClient("[[radius.client.reply]]\ngroup = 'staff'\nattributes = {Filter-Id = 'staff', Framed-IP-Address = '198.51.100.9', Framed-IPv6-Address = '2001:db8::9', Cisco-AVPair = ['a', 'b'], 'Tunnel-Type:1' = 'VLAN', Idle-Timeout = 3600}"),
		"a port alone":            strings.Replace(threeDoors, `auth = ["127.0.0.1:0"]`, `auth = [":0"]`, 1),
		"both ports alone":        strings.Replace(threeDoors, `auth = ["127.0.0.1:0"]`, "auth = ['127.0.0.1:0']\nacct = [':0', '[::1]:0']", 1),
		"no brackets":             strings.Replace(threeDoors, `auth = ["127.0.0.1:0"]`, `auth = "[]:0"`, 1),
		"an IPv4 address in IPv6": strings.Replace(threeDoors, `auth = ["127.0.0.1:0"]`, `auth = "[::ffff:127.0.0.1]:0"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := prepareServer(t, text)
			if err := s.drain(); err != nil {
				t.Error(err)
			}
		})
	}
}

// The clients of the shipped example are such.
func TestServeTakesTheClientsOfTheExample(t *testing.T) {
	text, err := os.ReadFile("../../config.toml.example")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range regexp.MustCompile(`(?m)^\w*(?:secret|password)_file = "([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		write(t, filepath.Join(dir, file[1]), "correct-horse-battery-staple")
	}
	if err := certify(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), time.Now()); err != nil {
		t.Fatal(err)
	}
	ring := filepath.Join(dir, "keys")
	if err := keyring.New(time.Now()).Write(ring); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.toml")
	write(t, file, regexp.MustCompile(`(?m)^keys\b.*$`).ReplaceAllString(string(text), "keys = '"+ring+"'"))
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var clients []radiusd.Client
	for _, c := range cfg.Radius.Clients {
		clients = append(clients, client(c))
	}
	if _, err := radiusd.NewClients(clients); err != nil || len(clients) < 2 {
		t.Errorf("%d clients: %v", len(clients), err)
	}
}
