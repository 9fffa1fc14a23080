package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDisconnectFaults(t *testing.T) {
	const (
		to   = "disconnect = '203.0.113.10:3799'"
		file = "disconnect_secret_file = 'vpn1.secret'"
	)
	dir := folder(t)
	put(t, filepath.Join(dir, "two"), goodSecret+"\n"+goodSecret+"-too\n", 0o400)
	put(t, filepath.Join(dir, "open"), goodSecret, 0o644)
	put(t, filepath.Join(dir, "empty"), "\n", 0o400)
	for _, test := range []faulty{
		{"no port", with("disconnect = '203.0.113.10'", file), `c:17: radius.client[0].disconnect: "203.0.113.10" is no address with a port; write it like "203.0.113.10:3799"`},
		{"a name", with("disconnect = 'vpn1:3799'", file), `c:17: radius.client[0].disconnect: "vpn1:3799" is no address`},
		{"port 0", with("disconnect = '203.0.113.10:0'", file), `c:17: radius.client[0].disconnect: "203.0.113.10:0" is no address`},
		{"nobody's address", with("disconnect = '[::]:3799'", file), `c:17: radius.client[0].disconnect: "[::]:3799" is no address`},
		{"a scope", with("disconnect = '[fe80::1%eth0]:3799'", file), `c:17: radius.client[0].disconnect: "[fe80::1%eth0]:3799" is no address`},
		{"behind a proxy", with(to, file, "proxy = true"), `c:17: radius.client[0].disconnect: can't go with proxy = true: the machine that holds the session stands behind the proxy`},
		{"many machines", strings.Replace(with(to, file), "203.0.113.10", "203.0.113.0/24", 1), `c:17: radius.client[0].disconnect: can't go with the addresses of 203.0.113.0/24: each machine takes its own orders; give it a [[radius.client]] of its own`},
		{"no secret", with(to), `c:14: radius.client[0].disconnect_secret_file: is missing`},
		{"two kinds of secret", with(to, file, "disconnect_secret = 'x'"), `c:19: radius.client[0].disconnect_secret: stands beside disconnect_secret_file`},
		{"two secrets", with(to, "disconnect_secret_file = 'two'"), `c:18: radius.client[0].disconnect_secret_file: holds 2 secrets; keep one`},
		{"secret file that others can read", with(to, "disconnect_secret_file = 'open'"), `c:18: radius.client[0].disconnect_secret_file: DIR/open can be read by others`},
		{"empty secret file", with(to, "disconnect_secret_file = 'empty'"), `c:18: radius.client[0].disconnect_secret_file: holds no disconnect_secret`},
		{"secret with a space", with(to, "disconnect_secret = ' a secret that is long enough'"), `c:18: radius.client[0].disconnect_secret: secret 1 begins or ends with a space`},
		{"a secret for nobody", with(file), `c:17: radius.client[0].disconnect_secret_file: only goes with disconnect`},
		{"a written secret for nobody", with("disconnect_secret = 'x'"), `c:17: radius.client[0].disconnect_secret: only goes with disconnect`},
		{"an address for nobody", with("disconnect_address = true"), `c:17: radius.client[0].disconnect_address: only goes with disconnect`},
	} {
		_, faults, err := loadText(t, dir, test.text)
		compare(t, test, faults)
		if err != nil && strings.Contains(err.Error(), goodSecret) {
			t.Errorf("%s: the fault tells the secret", test.name)
		}
	}
	for text, want := range map[string]string{
		with(to, "disconnect_secret = 'short'"):      "radius.client[0].disconnect_secret: secret 1 has 5 octets",
		with(to, "disconnect_secret = 'testing123'"): "radius.client[0].disconnect_secret: secret 1 is the one that everybody tries first",
	} {
		c, faults, err := loadText(t, dir, text)
		if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings.Error(), want) {
			t.Errorf("want %s; got %v, %v", want, c, faults)
		}
	}
}
