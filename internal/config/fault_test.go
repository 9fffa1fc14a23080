package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// faulty is a text and all the faults or warnings it may give, a line each.
type faulty struct{ name, text, want string }

// change takes sound and replaces one line of it, or adds to its end.
func change(line, with string) string {
	if line == "" {
		return sound + with
	}
	if !strings.Contains(sound, "\n"+line+"\n") {
		panic(line)
	}
	return strings.Replace(sound, "\n"+line+"\n", "\n"+with+"\n", 1)
}

const (
	address = `address = "203.0.113.10"`
	secret  = `secret_file = "vpn1.secret"`
	service = `service = "ssl-vpn"`
	inside  = `zone = "campus"`
	outside = `need = ["password+otp"]`
	zone    = `prefixes = ["192.0.2.0/24"]`
	client2 = "[[radius.client]]\nname = \"b\"\naddress = \"203.0.113.11\"\nsecret_file = \"vpn1.secret\"\nservice = \"ssl-vpn\"\n"
)

func TestFaults(t *testing.T) {
	dir := folder(t)
	put(t, filepath.Join(dir, "open"), "0123456789abcdef", 0o644)
	put(t, filepath.Join(dir, "group"), "0123456789abcdef", 0o440)
	put(t, filepath.Join(dir, "empty"), "\n\n", 0o400)
	put(t, filepath.Join(dir, "short"), "0123456789abcdef\nshort\n", 0o400)
	put(t, filepath.Join(dir, "common"), "testing123", 0o400)
	put(t, filepath.Join(dir, "space"), "0123456789abcdef \n", 0o400)
	put(t, filepath.Join(dir, "large"), strings.Repeat("x", maxSecret+1), 0o400)
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "data", "ring"), "key", 0o400)
	if err := os.Symlink("data", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []faulty{
		{"unknown section", change("", "[mial]\nx = 1\n"), `c:19: mial: is not known here; take it out`},
		{"misspelt section", change("", "[metric]\nx = 1\n"), `c:19: metric: is not known; did you mean "metrics"?`},
		{"unknown list", change("", "[[mial]]\n[[mial]]\n"), `c:19: mial: is not known here; take it out`},
		{"swapped letters", change(inside, `zoen = "campus"`), `c:9: rule[0].zoen: is not known; did you mean "zone"?`},
		{"a section that is a value", "site = 3\n" + sound, `c:1: site: is a number; write a table: [site]`},
		{"a list that is a table", change("", "[throttle]\nnever = {a = 1}\n"), `c:20: throttle.never: is a table; write a list of texts in quotes`},
		{"a rule that is a table", strings.Replace(strings.Replace(sound, "[[rule]]", "[rule]", 1), "[[rule]]", "[x]", 1), "c:7: rule: is a table; write each in a table of its own: [[rule]]\nc:11: x: is not known here; take it out"},
		{"text in a list", change(inside, `zone = ["campus", 5]`), `c:9: rule[0].zone[1]: is a number; write text in quotes`},

		{"empty name", change("", "[site]\nname = ' '\n"), `c:20: site.name: is empty`},
		{"site url", change("", "[site]\nurl = 'www.example.ac.jp'\n"), `c:20: site.url: "www.example.ac.jp" is not a web address`},
		{"no language", change("", "[site]\nlanguages = []\n"), `c:20: site.languages: is empty; choose from ja, en`},
		{"doubled language", change("", "[site]\nlanguages = [\n'en',\n'en']\n"), `c:22: site.languages[1]: "en" stands twice`},

		{"no store", change(`url = "sqlite:data/sekisho.db"`, ""), `c:2: store.url: is missing; name the database file`},
		{"no sqlite", change(`url = "sqlite:data/sekisho.db"`, `url = "sekisho.db"`), `c:3: store.url: "sekisho.db" names no database file`},
		{"sqlite with slashes", change(`url = "sqlite:data/sekisho.db"`, `url = "sqlite://data/x.db"`), `c:3: store.url: "sqlite://data/x.db" names no database file`},
		{"sqlite with parameters", change(`url = "sqlite:data/sekisho.db"`, `url = "sqlite:x.db?mode=memory"`), `c:3: store.url: "sqlite:x.db?mode=memory" names no database file`},
		{"postgres", change(`url = "sqlite:data/sekisho.db"`, `url = "postgresql://x"`), `c:3: store.url: PostgreSQL is not built into this release`},
		{"url of a wrong type", change(`url = "sqlite:data/sekisho.db"`, `url = 5`), `c:3: store.url: is a number; write text in quotes`},
		{"no keys", change(`keys = "ring"`, ""), `c:2: store.keys: is missing; name the key file`},
		{"absent keys", change(`keys = "ring"`, `keys = "none"`), `c:4: store.keys: DIR/none is not there; make it with: sekisho keys init`},
		{"keys in the data folder", change(`keys = "ring"`, `keys = "data/ring"`), `c:4: store.keys: DIR/data/ring is in the folder of the database, a backup would hold both`},
		{"keys below the data folder", change(`keys = "ring"`, `keys = "data/more/ring"`), `c:4: store.keys: DIR/data/more/ring is in the folder of the database`},
		{"keys in the data folder by a link", change(`keys = "ring"`, `keys = "link/ring"`), `c:4: store.keys: DIR/link/ring is in the folder of the database`},
		{"keys that others can read", change(`keys = "ring"`, `keys = "open"`), `c:4: store.keys: DIR/open can be read by others (mode 0644); run: chmod 0400 DIR/open`},
		{"keys that the group can read", change(`keys = "ring"`, `keys = "group"`), `c:4: store.keys: DIR/group can be read by others (mode 0440)`},
		{"keys that are a folder", change(`keys = "ring"`, `keys = "."`), `c:4: store.keys: DIR is not a file; name a file`},
		{"keys behind a file", change(`keys = "ring"`, `keys = "ring/x"`), `c:4: store.keys: can't be looked at`},
		{"size", change(`keys = "ring"`, "keys = 'ring'\nreserve = '64 apples'"), `c:5: store.reserve: "64 apples" is not a size`},
		{"huge size", change(`keys = "ring"`, "keys = 'ring'\nreserve = '99999999999GiB'"), `c:5: store.reserve: "99999999999GiB" is not a size`},
		{"size of a wrong type", change(`keys = "ring"`, "keys = 'ring'\nreserve = 64"), `c:5: store.reserve: is a number; write a size in quotes`},

		{"ldap directory", change("", "[directory]\nkind = 'ldap'\n"), "c:19: directory.base: is missing; name where\nc:19: directory.url: is missing; name its servers"},
		{"domain", change("", "[directory]\ndomains = ['a', '@b']\n"), `c:20: directory.domains[1]: "@b" is not a domain`},
		{"other directory", change("", "[directory]\nkind = 'nis'\n"), `c:20: directory.kind: "nis" is not known`},

		{"zone with a slip", change(zone, `prefixes = ["192.0.2.0/33"]`), `c:6: zone.campus.prefixes[0]: "192.0.2.0/33" is neither an address nor a prefix`},
		{"zone of the whole world", change(zone, `prefixes = ["::/0"]`), `c:6: zone.campus.prefixes[0]: ::/0 is the whole world`},
		{"doubled prefix, after a faulty one", change(zone, "prefixes = [\n'192.0.2.0/24',\n'192.0.2.0/26']\n[zone.later]\nprefixes = [\n'x',\n'192.0.2.0/24']"), "c:11: zone.later.prefixes[0]: \"x\" is neither\nc:12: zone.later.prefixes[1]: 192.0.2.0/24 is in zone \"campus\", too"},
		{"enrolment from outside", change("", "[zone.off-campus]\nenrol = true\n"), `c:20: zone.off-campus.enrol: would let whoever has a password enrol first`},
		{"zone with the name of an application's source", change("", "[zone.session-tracking]\n[zone.peer]\n"), "c:19: zone.session-tracking: can't be the name of a zone\nc:20: zone.peer: can't be the name of a zone"},
		{"zone with the name of a method", change("", "[zone.calling-station-id]\n"), `c:19: zone.calling-station-id: can't be the name of a zone`},
		{"flag", change(zone, "shared = 1"), `c:6: zone.campus.shared: is a number; write true or false`},
		{"zone of a wrong type", "zone = {campus = 5}\n" + strings.Replace(sound, "[zone.campus]\n"+zone+"\n", "", 1), `c:1: zone.campus: is a number; write a table: [zone.campus]`},

		{"no rule name", change(`name = "outside"`, ""), `c:11: rule[1].name: is missing`},
		{"doubled rule name", change(`name = "outside"`, `name = "inside"`), `c:12: rule[1].name: "inside" is the name of rule[0], too`},
		{"unknown door", change(inside, `door = "telnet"`), `c:9: rule[0].door: "telnet" does not exist`},
		{"closed door", change(inside, `door = "web"`), `c:9: rule[0].door: names only doors that are closed here: "web"`},
		{"two unknown zones", change(inside, `zone = ["a", "b"]`), "c:9: rule[0].zone: \"a\" does not exist\nc:9: rule[0].zone: \"b\" does not exist"},
		{"unknown service", change(inside, `service = "mail"`), `c:9: rule[0].service: "mail" does not exist; there is "ssl-vpn"`},
		{"empty condition", change(inside, `zone = []`), `c:9: rule[0].zone: is an empty list, which matches anything`},
		{"dead rule", change("", "[[rule]]\nname = 'x'\nuser = 'a'\nneed = 'password+otp'\n"), `c:19: rule[2]: can never match, rules "inside" and "outside" before it take everything`},
		{"unprovable rule", change(outside, `need = ["password+passkey"]`), `c:13: rule[1].need: can't be shown at any door of this rule`},
		{"time", change(outside, outside+"\nticket = '10 hours'"), `c:14: rule[1].ticket: "10 hours" is not a time; write it like "10h"`},
		{"negative time", change(outside, outside+"\nticket = '-1h'"), `c:14: rule[1].ticket: "-1h" is negative`},
		{"time of a wrong type", change(outside, outside+"\nticket = 10"), `c:14: rule[1].ticket: is a number; write a time in quotes`},
		{"reuse beyond ticket", change(outside, outside+"\nticket = '1h'\nreuse = '2h'"), `c:15: rule[1].reuse: 2h0m0s is longer than the ticket lives`},
		{"repeat by session without accounting", change(outside, outside+"\nrepeat = 'session'") + "[radius]\nacct = []\n", `c:14: rule[1].repeat: "session" needs accounting, and radius.acct is empty`},
		{"repeat by session at a door without any", change(outside, outside+"\nrepeat = 'session'\ndoor = 'ldap'") + "[ldap]\nbase = 'dc=example'\n[[ldap.listener]]\nurl = 'ldap://127.0.0.1'\nrequire_tls = false\n", `c:14: rule[1].repeat: "session" is of a VPN session`},
		{"repeat by anything", change(outside, outside+"\nrepeat = 'often'"), `c:14: rule[1].repeat: "often" is not known`},
		{"repeat of a wrong type", change(outside, outside+"\nrepeat = true"), `c:14: rule[1].repeat: is true or false; write a table`},
		{"repeat for long", change(outside, outside+"\nrepeat = {idle = '1h', max = '2h'}"), `c:14: rule[1].repeat.max: 2h0m0s makes a stolen password and code work that long; shorten it, or write repeat_risk = true`},
		{"repeat without max", change(outside, outside+"\nrepeat = {idle = '1h'}"), `c:14: rule[1].repeat: wants both idle and max`},
		{"repeat with an unknown key", change(outside, outside+"\nrepeat = {idle = '1m', mx = '2m'}"), `c:14: rule[1].repeat.mx: is not known; did you mean "max"?`},

		{"listen", change("", "[radius]\nauth = ['0.0.0.0']\n"), `c:20: radius.auth[0]: "0.0.0.0" is no address to listen at`},
		{"listen at a name", change("", "[radius]\nauth = ['localhost:1812']\n"), `c:20: radius.auth[0]: "localhost:1812" is no address to listen at`},
		{"listen at a far port", change("", "[radius]\nauth = [':65536']\n"), `c:20: radius.auth[0]: ":65536" is no address to listen at`},
		{"listen twice", change("", "[radius]\nauth = [\n':1812',\n':1812']\n"), `c:22: radius.auth[1]: ":1812" stands twice`},
		{"no door", change("", "[radius]\nauth = []\n"), `c:20: radius.auth: is empty, and no other door is open`},
		{"accounting", change("", "[radius]\nacct = ['vpn:1813']\n"), `c:20: radius.acct[0]: "vpn:1813" is no address to listen at; write it like "0.0.0.0:1813" or "[::]:1813"`},
		{"accounting twice", change("", "[radius]\nacct = [\n':1813',\n':1813']\n"), `c:22: radius.acct[1]: ":1813" stands twice`},
		{"accounting beside sign-ins", change("", "[radius]\nacct = ['0.0.0.0:1812']\n"), `c:20: radius.acct[0]: "0.0.0.0:1812" is in auth, too`},
		{"accounting at an address of where sign-ins are", change("", "[radius]\nacct = ['[::1]:1812', '127.0.0.1:1812']\n"), `c:20: radius.acct[1]: "127.0.0.1:1812" is in auth, too, as "0.0.0.0:1812"; accounting has a port of its own`},
		{"accounting at all addresses of where sign-ins are", change("", "[radius]\nauth = '127.0.0.1:1812'\nacct = ':1812'\n"), `c:21: radius.acct[0]: ":1812" is in auth, too, as "127.0.0.1:1812"`},
		{"sign-ins where accounting goes", change("", "[radius]\nauth = [\n':1812',\n'[::1]:1813']\n"), `c:22: radius.auth[1]: "[::1]:1813" is where accounting goes, one port above another of auth; write acct`},
		{"listen at one and all", change("", "[radius]\nauth = [\n'127.0.0.1:1812', '[::]:1812',\n'0.0.0.0:1812']\n"), `c:22: radius.auth[2]: "0.0.0.0:1812" is a part of another, or holds it`},
		{"workers", change("", "[radius]\nworkers = 0\n"), `c:20: radius.workers: 0 is out of bounds; choose between 1 and 65536`},
		{"long delay", change(address, address+"\nreject_delay = '6s'"), `c:17: radius.client[0].reject_delay: 6s is out of bounds; choose between 0s and 5s`},
		{"no client name", change(`name = "vpn1"`, ""), `c:14: radius.client[0].name: is missing`},
		{"no address", change(address, ""), `c:14: radius.client[0].address: is missing`},
		{"address of a wrong type", change(address, "address = 5"), `c:16: radius.client[0].address: is a number`},
		{"address", change(address, "address = 'vpn1.example'"), `c:16: radius.client[0].address: "vpn1.example" is neither an address nor a prefix`},
		{"the whole world", change(address, "address = '0.0.0.0/0'"), `c:16: radius.client[0].address: 0.0.0.0/0 lets the whole world guess`},
		{"doubled address", change("", strings.Replace(client2, "113.11", "113.10", 1)), `c:21: radius.client[1].address: 203.0.113.10/32 is the address of radius.client[0], too`},
		{"doubled address, mapped", change("", strings.Replace(client2, "203.0.113.11", "::ffff:203.0.113.10", 1)), `c:21: radius.client[1].address: 203.0.113.10/32 is the address of radius.client[0], too`},
		{"doubled client", change("", strings.Replace(client2, `"b"`, `"vpn1"`, 1)), `c:20: radius.client[1].name: "vpn1" is the name of radius.client[0], too`},
		{"no service", change(service, ""), `c:14: radius.client[0].service: is missing`},
		{"service of a wrong type, named by a rule", strings.Replace(change(service, "service = 5"), inside, inside+"\nservice = 'x'", 1), `c:19: radius.client[0].service: is a number`},
		{"misspelt source", change(address, address+"\nsource = 'capmus'"), `c:17: radius.client[0].source: "capmus" is no zone; did you mean "campus"?`},
		{"otp by anything", change(address, address+"\notp = 'sms'"), `c:17: radius.client[0].otp: "sms" is not known; write one of append, challenge, both`},
		{"separator with a digit", change(address, address+"\nseparator = 'a1'"), `c:17: radius.client[0].separator: holds a digit`},
		{"long separator", change(address, address+"\nseparator = '---------'"), `c:17: radius.client[0].separator: is longer than 8 octets`},
		{"proxy that sends no Message-Authenticator", change(address, address+"\nproxy = true\nrequire_message_authenticator = false"), `c:17: radius.client[0].proxy: can't go with require_message_authenticator = false`},

		{"no secret", change(secret, ""), `c:14: radius.client[0].secret_file: is missing`},
		{"two kinds of secret", change(secret, secret+"\nsecret = 'x'"), `c:18: radius.client[0].secret: stands beside secret_file`},
		{"secret of a wrong type", change(secret, "secret = 5"), `c:17: radius.client[0].secret: is a number`},
		{"secret file of a wrong type", change(secret, "secret_file = 5"), `c:17: radius.client[0].secret_file: is a number`},
		{"empty secret", change(secret, "secret = ''"), `c:17: radius.client[0].secret: holds no secret; make one with`},
		{"no secret file named", change(secret, "secret_file = ''"), `c:17: radius.client[0].secret_file: is empty; name a file`},
		{"absent secret file", change(secret, "secret_file = 'none'"), `c:17: radius.client[0].secret_file: DIR/none is not there; make it with: (umask 077; openssl`},
		{"secret file that others can read", change(secret, "secret_file = 'open'"), `c:17: radius.client[0].secret_file: DIR/open can be read by others (mode 0644); run: chmod 0400`},
		{"empty secret file", change(secret, "secret_file = 'empty'"), `c:17: radius.client[0].secret_file: holds no secret`},
		{"large secret file", change(secret, "secret_file = 'large'"), `c:17: radius.client[0].secret_file: DIR/large is larger than 4096 octets`},
		{"secret with a space", change(secret, "secret_file = 'space'"), `c:17: radius.client[0].secret_file: secret 1 begins or ends with a space`},

		{"throttle", change("", "[throttle]\nfirst = '1m'\nlongest = '30s'\n"), `c:20: throttle.first: 1m0s is longer than longest, 30s`},
		{"throttle bound", change("", "[throttle]\nlongest = '48h'\n"), `c:20: throttle.longest: 48h0m0s is out of bounds; choose between 1s and 24h0m0s`},
		{"spray", change("", "[throttle]\nspray = 1\n"), `c:20: throttle.spray: 1 is out of bounds`},
		{"codes", change("", "[throttle]\ncodes_a_day = 1.5\n"), `c:20: throttle.codes_a_day: is a fraction; write a whole number`},
		{"never", change("", "[throttle]\nnever = 'monitor'\n"), `c:20: throttle.never[0]: "monitor" is neither`},
		{"never anybody", change("", "[throttle]\nnever = '0.0.0.0/0'\n"), `c:20: throttle.never: 0.0.0.0/0 is the whole world`},

		{"short password", change("", "[password]\nmin_length = 7\n"), `c:20: password.min_length: 7 is too short for anybody`},
		{"hash memory", change("", "[password.argon2]\nmemory = '1GiB'\n"), `c:20: password.argon2.memory: is out of bounds`},
		{"hash time", change("", "[password.argon2]\ntime = 11\n"), `c:20: password.argon2.time: 11 is out of bounds`},
		{"window", change("", "[otp]\nwindow = 6\n"), `c:20: otp.window: 6 is out of bounds`},
		{"digits", change("", "[otp]\ndigits = 7\n"), `c:20: otp.digits: 7 is not what authenticators show`},
		{"period", change("", "[otp]\nperiod = '30500ms'\n"), `c:20: otp.period: 30.5s is not a whole number of seconds`},
		{"format", change("", "[log]\nformat = 'xml'\n"), `c:20: log.format: "xml" is not known; write one of text, json`},
		{"level", change("", "[log]\nlevel = 'INFO'\n"), `c:20: log.level: "INFO" is not known; write one of debug, info, warn, error`},
		{"metrics", change("", "[metrics]\nlisten = '9180'\n"), `c:20: metrics.listen: "9180" is no address to listen at`},
		{"memory", change("", "[process]\nmemory_limit = '1MB'\n"), `c:20: process.memory_limit: is less than the program can work in`},
		{"date", change("", "[process]\ngogc = 1979-05-27\n"), `c:20: process.gogc: is a date; write a whole number`},
	} {
		_, faults, _ := loadText(t, dir, test.text)
		compare(t, test, faults)
	}
}

func TestWarnings(t *testing.T) {
	dir := folder(t)
	put(t, filepath.Join(dir, "short"), "0123456789abcdef\nshort\n", 0o400)
	put(t, filepath.Join(dir, "common"), "testing123", 0o400)
	for _, test := range []faulty{
		{"short secret", change(secret, "secret_file = 'short'"), `c:17: warning: radius.client[0].secret_file: secret 2 has 5 octets, which can be guessed`},
		{"well-known secret", change(secret, "secret_file = 'common'"), `c:17: warning: radius.client[0].secret_file: secret 1 is the one that everybody tries first`},
		{"well-known secret on loopback", strings.Replace(change(secret, "secret_file = 'common'"), address, "address = '127.0.0.0/8'", 1), ``},
		{"no client", sound[:strings.Index(sound, "[[radius")], `c:1: warning: radius.client: there is none, so nobody can ask`},
		{"no rule", strings.Replace(strings.Replace(sound, "[[rule]]\nname = \"inside\"\nzone = \"campus\"\nneed = \"password\"\n", "", 1), "[[rule]]\nname = \"outside\"\n"+outside+"\n", "", 1), `c:1: warning: rule: there is none, so nobody is admitted`},
		{"service without a rule", change(outside, outside+"\nservice = 'other'") + strings.Replace(client2, "ssl-vpn", "other", 1), `c:19: warning: radius.client[0].service: no rule admits anybody to "ssl-vpn" from off-campus`},
		{"password alone from outside", change(outside, `need = "password"`), `c:13: warning: rule[1].need: lets people in from outside by a password alone`},
		{"long ticket outside", change(outside, outside+"\nticket = '48h'"), `c:14: warning: rule[1].ticket: 48h0m0s is long for people outside`},
		{"long idle outside", change(outside, outside+"\nidle = '2h'"), `c:14: warning: rule[1].idle: 2h0m0s is long for people outside`},
		{"long repeat", change(outside, outside+"\nrepeat = {idle = '5m', max = '30m'}"), `c:14: warning: rule[1].repeat.max: a stolen password and code work for 30m0s`},
		{"no throttle", change("", "[throttle]\nenabled = false\ndry_run = true\n"), `c:20: warning: throttle.enabled: passwords and codes can be guessed without end`},
		{"dry run", change("", "[throttle]\ndry_run = true\n"), `c:20: warning: throttle.dry_run: nobody is delayed`},
		{"short password alone", change("", "[password]\nmin_length = 8\n"), `c:20: warning: password.min_length: a rule admits by a password alone, 8 is short for that`},
		{"cheap hash", change("", "[password.argon2]\ntime = 1\n"), `c:19: warning: password.argon2.memory: memory and time are less than what is advised`},
		{"metrics for the network", change("", "[metrics]\nlisten = ':9180'\n"), `c:20: warning: metrics.listen: :9180 can be read by the network`},
	} {
		c, faults, err := loadText(t, dir, test.text)
		if strings.HasPrefix(test.want, "c:10: rule") {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, faults)
			continue
		}
		for i := range c.Warnings {
			c.Warnings[i].File = "c"
		}
		compare(t, test, c.Warnings)
	}
}

// compare wants one line a fault, in this order, each starting as said and
// telling what to do.
func compare(t *testing.T, test faulty, faults Faults) {
	t.Helper()
	var want []string
	if test.want != "" {
		want = strings.Split(test.want, "\n")
	}
	ok := len(faults) == len(want)
	for i := range min(len(faults), len(want)) {
		got := faults[i].Error()
		ok = ok && strings.HasPrefix(got, want[i]) && strings.Contains(got, "; ")
	}
	if !ok {
		t.Errorf("%s:\n got %v\nwant %s", test.name, faults, test.want)
	}
}

func TestSecretInAFileThatOthersCanRead(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "config.toml")
	put(t, path, change(secret, `secret = "`+goodSecret+`"`), 0o644)
	c, err := Load(path)
	if err != nil || len(c.Warnings) != 1 || c.Warnings[0].Key != "radius.client[0].secret" {
		t.Fatal(c, err)
	}
	if strings.Contains(c.Warnings.Error(), goodSecret) {
		t.Error("the warning tells the secret")
	}
}

func TestLeastPassword(t *testing.T) {
	dir := folder(t)
	for text, want := range map[string]int{
		sound: 15,
		strings.Replace(sound, `need = "password"`, `need = "password+otp"`, 1): 8,
		change("", "[password]\nmin_length = 20\n"):                             20,
		change("", "[password]\nmin_length = 10\n"):                             10,
	} {
		c, _, err := loadText(t, dir, text)
		if err != nil || c.Password.MinLength != want {
			t.Errorf("%v, want %d", err, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"zone", "ticket", "require_message_authenticator", "need"}
	for word, want := range map[string]string{
		"zones": "zone", "zoen": "zone", "tiket": "ticket", "require_message_authentication": "require_message_authenticator",
		"nede": "need", "x": "", "": "", "repeat": "", "Need": "need",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
