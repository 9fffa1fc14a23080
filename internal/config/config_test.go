package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/policy"
)

const goodSecret = "correct-horse-battery"

// sound is the least that loads without a warning.
const sound = `
[store]
url = "sqlite:data/sekisho.db"
keys = "ring"
[zone.campus]
prefixes = ["192.0.2.0/24"]
[[rule]]
name = "inside"
zone = "campus"
need = "password"
[[rule]]
name = "outside"
need = ["password+otp"]
[[radius.client]]
name = "vpn1"
address = "203.0.113.10"
secret_file = "vpn1.secret"
service = "ssl-vpn"
`

// folder makes a folder with the files that the texts of this package name.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "ring"), "a key", 0o400)
	put(t, filepath.Join(dir, "vpn1.secret"), goodSecret+"\n", 0o600)
	return dir
}

func put(t testing.TB, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
}

// loadText loads the text from a file in dir and takes the path out of
// faults, so that they can be compared.
func loadText(t testing.TB, dir, text string) (*Config, Faults, error) {
	t.Helper()
	path := filepath.Join(dir, "config.toml")
	put(t, path, text, 0o600)
	c, err := Load(path)
	var faults Faults
	if errors.As(err, &faults) {
		for i := range faults {
			if faults[i].Warning {
				t.Errorf("a warning among the faults: %v", faults[i])
			}
			faults[i].File = "c"
			faults[i].Text = strings.ReplaceAll(faults[i].Text, dir, "DIR")
		}
	}
	return c, faults, err
}

func TestMain(m *testing.M) {
	os.Unsetenv("CREDENTIALS_DIRECTORY")
	os.Exit(m.Run())
}

func TestDefaults(t *testing.T) {
	dir := folder(t)
	c, _, err := loadText(t, dir, sound)
	if err != nil {
		t.Fatal(err)
	}
	if c.Warnings != nil {
		t.Errorf("warnings:\n%v", c.Warnings)
	}
	want := &Config{
		File:      filepath.Join(dir, "config.toml"),
		Site:      Site{Name: "Sekisho", Languages: []string{"ja", "en"}},
		Store:     Store{File: filepath.Join(dir, "data/sekisho.db"), Keys: filepath.Join(dir, "ring"), Reserve: 64 << 20},
		Directory: Directory{Kind: "local"},
		LDAP:      LDAP{Posix: Posix{GID: 100, Home: "/home/%u"}},
		Web:       Web{RejectDelay: time.Second},
		Rules: []policy.Rule{
			{Name: "inside", Zone: []string{"campus"}, Need: []policy.Need{{policy.Password}}},
			{Name: "outside", Need: []policy.Need{{policy.Password, policy.OTP}}},
		},
		Radius: Radius{
			Auth: []string{"0.0.0.0:1812"}, Acct: []string{"0.0.0.0:1813"}, Workers: 1024,
			Clients: []Client{{
				Name: "vpn1", Prefix: netip.MustParsePrefix("203.0.113.10/32"), Secrets: Secrets{[]byte(goodSecret)},
				Service: "ssl-vpn", Zone: policy.OffCampus, Challenge: "append", RejectDelay: time.Second,
			}},
		},
		Throttle: Throttle{
			Enabled: true, First: time.Second, Longest: 15 * time.Minute,
			Spray: 20, SprayWindow: 10 * time.Minute, CodesADay: 100,
		},
		Password: Password{MinLength: 15, Argon2: Argon2{Memory: 19456, Time: 2, Threads: 1}},
		OTP:      OTP{Window: 1, Digits: 6, Period: 30 * time.Second, Issuer: "Sekisho"},
		Log:      Log{Format: "text", Level: slog.LevelInfo},
		Metrics:  Metrics{Listen: "127.0.0.1:9180"},
		Process:  Process{MemoryLimit: 200e6, GOGC: 200},
	}
	want.zones, want.policy = c.Zones(), c.Policy()
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c, want)
	}
	if zone := c.Zones().Of(netip.MustParseAddr("192.0.2.9")).Name; zone != "campus" {
		t.Error("zone", zone)
	}
	if d := c.Policy().Decide(policy.Attempt{Zone: "campus"}); d.Rule != "inside" {
		t.Error("decision", d)
	}
}

func TestEveryKey(t *testing.T) {
	dir := folder(t)
	put(t, filepath.Join(dir, "two.secret"), "the-new-one-of-the-two\r\n\nthe-old-one-of-the-two", 0o400)
	c, _, err := loadText(t, dir, `
site = {name = "U", url = "http://u.example", help = "Ask.", languages = ["en"]}
[store]
url = "sqlite:/data/s.db"
keys = "exec:/usr/bin/fetch keys"
reserve = "1GiB"
[directory]
kind = "local"
domains = ["example.ac.jp", "EXAMPLE"]
[zone.off-campus]
prefixes = ["198.51.100.0/25"]
shared = true
[zone.campus]
enrol = true
prefixes = ["::ffff:192.0.2.0/120", "2001:db8::1"]
[[rule]]
name = "all"
door = ["radius"]
service = "a"
zone = ["campus", "off-campus"]
user = ["u*"]
group = ["g"]
need = ["otp + password"]
ticket = "10h"
idle = "30m"
reuse = "2h"
repeat = {idle = "2m", max = "90m", answers = 9}
repeat_risk = true
[[rule]]
name = "no"
deny = true
user = ["x"]
[[rule]]
name = "off"
need = ["password+otp"]
repeat = "off"
[radius]
auth = ["127.0.0.1:0", "[::1]:1812", ":1813"]
acct = ["127.0.0.1:0", ":1814"]
workers = 5
reject_delay = "2s"
[[radius.client]]
name = "a"
address = "::1"
secret = "testing123"
service = "a"
source = "campus"
otp = "append"
separator = ","
require_message_authenticator = false
class = false
reject_delay = "0s"
tunnel = ["198.51.100.128/25", "2001:db8:5::/64"]
pool = ["198.51.100.192/26"]
interim = "5m"
disconnect = "[::ffff:127.0.0.1]:3799"
disconnect_secret = "testing123"
disconnect_address = true
[[radius.client]]
name = "b"
otp = "challenge"
address = "203.0.113.0/24"
secret_file = "two.secret"
service = "b"
proxy = true
[[radius.client]]
name = "c"
address = "203.0.113.7"
secret = ["one-long-enough-secret", "two-long-enough-secret"]
service = "b"
otp = "both"
tunnel = ["198.51.99.0/24"]
disconnect = "203.0.113.7:3799"
disconnect_secret_file = "vpn1.secret"
[throttle]
dry_run = false
first = "2s"
longest = "1m"
spray = 9
spray_window = "5m"
codes_a_day = 50
never = ["192.0.2.1", "2001:db8::/32"]
[password]
min_length = 10
workers = 3
[password.argon2]
memory = "46MiB"
time = 1
threads = 4
[otp]
window = 0
digits = 8
period = "60s"
issuer = "I"
[log]
format = "json"
level = "debug"
[metrics]
listen = ""
[process]
memory_limit = "1GB"
gogc = 50
`)
	if err != nil {
		t.Fatal(err)
	}
	var warned []string
	for _, w := range c.Warnings {
		warned = append(warned, w.Key)
	}
	if got := strings.Join(warned, " "); got != "rule[0].repeat.max" {
		t.Errorf("warnings:\n%v", c.Warnings)
	}
	one := netip.MustParsePrefix
	want := &Config{
		File:      c.File,
		Site:      Site{"U", "http://u.example", "Ask.", []string{"en"}},
		Store:     Store{"/data/s.db", "exec:/usr/bin/fetch keys", 1 << 30},
		Directory: Directory{Kind: "local", Domains: []string{"example.ac.jp", "EXAMPLE"}},
		Rules: []policy.Rule{
			{
				Name: "all", Door: []string{"radius"}, Service: []string{"a"}, Zone: []string{"campus", "off-campus"},
				User: []string{"u*"}, Group: []string{"g"}, Need: []policy.Need{{"otp", "password"}},
				Ticket: 10 * time.Hour, Idle: 30 * time.Minute, Reuse: 2 * time.Hour,
				Repeat: &policy.Repeat{Idle: 2 * time.Minute, Max: 90 * time.Minute, Answers: 9},
			},
			{Name: "no", Deny: true, User: []string{"x"}},
			{Name: "off", Need: []policy.Need{{"password", "otp"}}, Repeat: &policy.Repeat{}},
		},
		Radius: Radius{
			Auth: []string{"127.0.0.1:0", "[::1]:1812", ":1813"}, Acct: []string{"127.0.0.1:0", ":1814"}, Workers: 5,
			Clients: []Client{
				{
					Name: "a", Prefix: one("::1/128"), Secrets: Secrets{[]byte("testing123")}, Service: "a", Zone: "campus",
					Challenge: "append", Separator: ",", AllowMissingMA: true, NoClass: true,
					Tunnel: []netip.Prefix{one("198.51.100.128/25"), one("2001:db8:5::/64")}, Pool: []netip.Prefix{one("198.51.100.192/26")}, Interim: 5 * time.Minute,
					Disconnect: Disconnect{To: netip.MustParseAddrPort("127.0.0.1:3799"), Secret: Secret("testing123"), Address: true},
				},
				{
					Name: "b", Prefix: one("203.0.113.0/24"), Service: "b", Zone: "off-campus", Challenge: "challenge", Proxy: true, RejectDelay: 2 * time.Second,
					Secrets: Secrets{[]byte("the-new-one-of-the-two"), []byte("the-old-one-of-the-two")},
				},
				{
					Name: "c", Prefix: one("203.0.113.7/32"), Service: "b", Zone: "off-campus", Challenge: "both", RejectDelay: 2 * time.Second,
					Secrets: Secrets{[]byte("one-long-enough-secret"), []byte("two-long-enough-secret")},
					Tunnel:  []netip.Prefix{one("198.51.99.0/24")}, Interim: time.Minute,
					Disconnect: Disconnect{To: netip.MustParseAddrPort("203.0.113.7:3799"), Secret: Secret(goodSecret)},
				},
			},
		},
		LDAP: LDAP{Posix: Posix{GID: 100, Home: "/home/%u"}},
		Web:  Web{RejectDelay: time.Second},
		Throttle: Throttle{
			Enabled: true, First: 2 * time.Second, Longest: time.Minute, Spray: 9, SprayWindow: 5 * time.Minute, CodesADay: 50,
			Never: []netip.Prefix{one("192.0.2.1/32"), one("2001:db8::/32")},
		},
		Password: Password{MinLength: 10, Workers: 3, Argon2: Argon2{46 << 10, 1, 4}},
		OTP:      OTP{0, 8, time.Minute, "I"},
		Log:      Log{"json", slog.LevelDebug},
		Process:  Process{1e9, 50},
		Warnings: c.Warnings, zones: c.zones, policy: c.policy,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c, want)
	}
	campus, _ := c.Zones().Named("campus")
	if !campus.Enrol || campus.Shared || campus.Prefixes[0] != one("192.0.2.0/24") {
		t.Error("campus:", campus)
	}
}

// The shipped example loads, and what it shows as a default is the default.
func TestExample(t *testing.T) {
	text, err := os.ReadFile("../../config.toml.example")
	if err != nil {
		t.Fatal(err)
	}
	dir := doorFolder(t, 365*24*time.Hour)
	for _, name := range regexp.MustCompile(`(?m)^(?:keys|secret_file|disconnect_secret_file)\s*= "([^"]+)"`).FindAllSubmatch(text, -1) {
		put(t, filepath.Join(dir, string(name[1])), goodSecret, 0o400)
	}
	c, _, err := loadText(t, dir, string(text))
	if err != nil {
		t.Fatal(err)
	}
	if c.Warnings != nil {
		t.Errorf("warnings:\n%v", c.Warnings)
	}
	defaults := regexp.MustCompile(`(?m)^# (\w+ *= *(?:"[^"]*"|\w+))`)
	if n := len(defaults.FindAll(text, -1)); n < 40 {
		t.Errorf("only %d defaults are shown", n)
	}
	d, _, err := loadText(t, dir, defaults.ReplaceAllString(string(text), "$1 #"))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, d) {
		t.Errorf("a default differs from what the example says:\n%+v\n%+v", c, d)
	}
	for zone, want := range map[string]policy.Verdict{"campus": policy.Allow, "vpn": policy.Allow, "off-campus": policy.Ask} {
		now := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
		for _, door := range []string{"radius", "ldap", "web"} {
			a := policy.Attempt{Door: door, Service: "webmail", Zone: zone, User: "alice", At: now, Shown: map[policy.Factor]time.Time{policy.Password: now}}
			if got := c.Policy().Decide(a); got.Verdict != want {
				t.Errorf("%s by %s: %+v", zone, door, got)
			}
		}
	}
}

func TestTenFaultsGiveTenLines(t *testing.T) {
	_, faults, err := loadText(t, folder(t), `[site]
languages = ["ja", "fr"]
[store]
url = "postgres://db/sekisho"
keys = "nowhere"
[zone.campus]
prefixes = ["192.0.2.1/24"]
[[rule]]
name = "inside"
zone = ["campsu"]
need = 7
[[rule]]
name = "outside"
need = ["password+sms"]
tickets = "10h"
[radius]
workers = "many"
[[radius.client]]
name = "vpn1"
address = "203.0.113.10"
secret_file = "vpn1.secret"
service = "ssl-vpn"
source = "peer"
`)
	want := []string{
		`c:2: site.languages[1]: "fr" is not spoken here; choose from ja, en`,
		`c:4: store.url: PostgreSQL is not built into this release; write sqlite:FILE`,
		`c:5: store.keys: DIR/nowhere is not there; make it with: sekisho keys init`,
		`c:7: zone.campus.prefixes[0]: 192.0.2.1/24 has bits behind its length; did you mean 192.0.2.0/24 or 192.0.2.1/32?`,
		`c:10: rule[0].zone: "campsu" does not exist; there is "campus" and "off-campus"`,
		`c:11: rule[0].need: is a number; write a list of texts in quotes`,
		`c:14: rule[1].need: "sms" is not a factor; there is "password", "otp", "certificate", "passkey", "recovery" and "app-password"`,
		`c:15: rule[1].tickets: is not known; did you mean "ticket"?`,
		`c:17: radius.workers: is text; write a whole number`,
		`c:23: radius.client[0].source: "peer" is no zone; there is campus, off-campus`,
	}
	if got := strings.Split(faults.Error(), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if err == nil {
		t.Error("no error")
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("absent file:", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a folder is read")
	}
	_, _, err := loadText(t, dir, strings.Repeat("#", maxFile+1))
	if err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Error("a huge file:", err)
	}
	for text, want := range map[string]string{
		"[site]\nname = \"a\"\nurl = http\n":   "c:3: ",
		"[site\n":                              "c:2: ",
		"a = 1\na = 2\n":                       "c:2: ",
		"\n\n[site]\nname = \"no end\nx = 1":   "c:4: ",
		"[[rule]]\nname=\"\xff\"\n":            "c:2: ",
		"[rule]\n[[rule]]\nname = \"twice\"\n": "c:2: ",
	} {
		_, faults, _ := loadText(t, dir, text)
		if len(faults) != 1 || !strings.HasPrefix(faults.Error(), want) || !strings.HasSuffix(faults.Error(), "; mend this line, the rest has not been read") {
			t.Errorf("%q: %v", text, faults)
		}
	}
}

// A secret that lacks its quotes is a syntax fault, and the fault is logged.
func TestSyntaxFaultDoesNotRepeatTheText(t *testing.T) {
	dir := folder(t)
	for _, text := range []string{
		"x = hunter2", "x = 1hunter2", "x = +hunter2", "x = 007hunter2", "x = 2024-hunter2", "x = nan'hunter2'", "x = [hunter2]",
		`x = "\uhunter2"`, `x = "\xhunter2"`, "x = 73829164738291647382916473829164", "x = 1e73829164", "x = 1_738__29164",
		"hunter2", "hunter2 = 1\nhunter2 = 2", `x = hu"nt'er2`, "x = thunter2", "x = h'unter2'",
	} {
		_, faults, _ := loadText(t, dir, text+"\n")
		if len(faults) != 1 || !strings.HasSuffix(faults.Error(), "; mend this line, the rest has not been read") {
			t.Errorf("%q: %v", text, faults)
			continue
		}
		for _, piece := range []string{"hunt", "unter", "nter", "hu", "73829", "29164"} {
			if strings.Contains(faults.Error(), piece) {
				t.Errorf("%q: the fault repeats %q: %v", text, piece, faults)
			}
		}
	}
}

func TestDraftNeedsNoKeyYet(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "config.toml")
	put(t, path, strings.Replace(sound, `"ring"`, `"new"`, 1), 0o600)
	if _, err := Load(path); err == nil {
		t.Error("Load wants no key file")
	}
	c, err := Draft(path)
	if err != nil || c.Store.Keys != filepath.Join(dir, "new") {
		t.Error("Draft:", c, err)
	}
	put(t, filepath.Join(dir, "new"), "key", 0o644)
	if _, err := Draft(path); err == nil {
		t.Error("Draft takes a key that others can read")
	}
}

func TestKeysFromTheServiceManager(t *testing.T) {
	dir := folder(t)
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	text := strings.Replace(sound, `keys = "ring"`, "", 1)
	if _, faults, _ := loadText(t, dir, text); len(faults) != 1 || faults[0].Key != "store.keys" {
		t.Error("a folder without the key suffices:", faults)
	}
	put(t, filepath.Join(dir, "sekisho-keys"), "key", 0o400)
	if _, _, err := loadText(t, dir, text); err != nil {
		t.Error(err)
	}
	if _, _, err := loadText(t, dir, strings.Replace(sound, `"ring"`, `"nowhere"`, 1)); err != nil {
		t.Error("the file is wanted, though the service manager has the key:", err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	orders := strings.Replace(secret, "secret_file", "disconnect_secret_file", 1) + "\ndisconnect = '203.0.113.10:3799'"
	c, _, err := loadText(t, folder(t), change(address, address+"\n"+orders))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, c.Radius); strings.Contains(s, goodSecret) || strings.Contains(s, "0x63, 0x6f") || !strings.Contains(s, "[secret]") {
			t.Errorf("%s shows %s", verb, s)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(sound))
	if text, err := os.ReadFile("../../config.toml.example"); err == nil {
		f.Add(text)
	}
	f.Add([]byte("rule = [{name = 1, zone = [[1]], repeat = []}, 5]\nzone = 3\nradius.client = {}\n"))
	f.Add([]byte("[zone.\"a.b\"]\nprefixes = [\"\"\"x\"\"\", 'y', 1979-05-27]\n[radius]\nauth = 1.5"))
	dir := folder(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		r := &reader{file: "c", folder: dir}
		c, err := r.read(string(text))
		if (c == nil) != (err != nil) {
			t.Fatalf("config %v, error %v", c, err)
		}
		var faults Faults
		if errors.As(err, &faults); err != nil && !faults.serious() {
			t.Fatalf("an error without a fault: %v", err)
		}
		last := strings.Count(string(text), "\n") + 1
		for _, fault := range faults {
			if fault.Line < 1 || fault.Line > last {
				t.Fatalf("line %d of %d: %v", fault.Line, last, fault)
			}
		}
	})
}
