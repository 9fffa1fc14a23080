package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/policy"
)

// with adds lines to the client of sound; the first is line 17.
func with(lines ...string) string {
	return change(address, address+"\n"+strings.Join(lines, "\n"))
}

func TestAccountingStandsOnePortAbove(t *testing.T) {
	for text, want := range map[string][]string{
		"": {"0.0.0.0:1813"},
		"auth = ['0.0.0.0:1812', '[::]:1812', ':1645']": {"0.0.0.0:1813", "[::]:1813", ":1646"},
		"auth = ['127.0.0.1:0', ':65535']":              {"127.0.0.1:0"},
		"auth = [':1812']\nacct = ['127.0.0.1:9']":      {"127.0.0.1:9"},
		"acct = []": nil,
	} {
		c, _, err := loadText(t, folder(t), change("", "[radius]\n"+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(c.Radius.Acct, want) {
			t.Errorf("%s: %q, want %q", text, c.Radius.Acct, want)
		}
	}
	closed := strings.Replace(sound, "[[radius.client]]", "[ignored]", 1)
	closed = closed[:strings.Index(closed, "[ignored]")] + doors + "[radius]\nauth = []\n"
	c, faults, err := loadText(t, doorFolder(t, 1000*time.Hour), closed)
	if err != nil {
		t.Fatal(faults, err)
	}
	if c.Radius.Acct != nil {
		t.Errorf("the door is closed, but accounting is not: %q", c.Radius.Acct)
	}
}

func TestInterim(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  time.Duration
	}{
		{nil, 0},
		{[]string{"tunnel = '198.51.100.0/24'"}, time.Minute},
		{[]string{"tunnel = '198.51.100.0/24'", "interim = '0s'"}, 0},
		{[]string{"interim = '10m'"}, 10 * time.Minute},
	} {
		c, faults, err := loadText(t, folder(t), with(test.lines...))
		if err != nil {
			t.Fatal(faults, err)
		}
		if got := c.Radius.Clients[0].Interim; got != test.want || c.Warnings != nil {
			t.Errorf("%q: %v, want %v; %v", test.lines, got, test.want, c.Warnings)
		}
	}
}

func TestTunnelFaults(t *testing.T) {
	const tunnel = "tunnel = ['198.51.100.0/24', '2001:db8:5::/64']"
	other := func(tunnel string) string { return client2 + "tunnel = " + tunnel + "\n" }
	for _, test := range []faulty{
		{"no prefix", with("tunnel = ['10.0.0.1-9']"), `c:17: radius.client[0].tunnel[0]: "10.0.0.1-9" is neither an address nor a prefix`},
		{"the whole world", with("tunnel = ['198.51.100.0/24', '::/0']"), `c:17: radius.client[0].tunnel[1]: ::/0 is more than one client has to give out, and it would vouch for all of it; name its addresses, a /16 at the most`},
		{"two /8", with("tunnel = '10.0.0.0/7'"), `c:17: radius.client[0].tunnel[0]: 10.0.0.0/7 is more than one client has to give out, and it would vouch for all of it; name its addresses, a /8 at the most`},
		{"two /16 of IPv6", with("tunnel = '2000::/15'"), `c:17: radius.client[0].tunnel[0]: 2000::/15 is more than one client has`},
		{"the client itself", with("tunnel = '203.0.113.0/24'"), `c:17: radius.client[0].tunnel[0]: 203.0.113.0/24 holds the client's own address, 203.0.113.10/32`},
		{"some of the clients themselves", strings.Replace(with("tunnel = '10.1.200.0/24'"), "203.0.113.10", "10.1.0.0/16", 1), `c:17: radius.client[0].tunnel[0]: 10.1.200.0/24 holds the client's own address, 10.1.0.0/16`},
		{"another's", with(tunnel) + other("['203.0.114.0/24', '198.51.100.128/25']"), `c:25: radius.client[1].tunnel[1]: 198.51.100.128/25 overlaps with the tunnel of radius.client[0]`},
		{"within another's", with(tunnel) + other("'2001:db8::/32'"), `c:25: radius.client[1].tunnel[0]: 2001:db8::/32 overlaps with the tunnel of radius.client[0]`},
		{"pool without a tunnel", with("pool = '198.51.100.0/28'"), `c:17: radius.client[0].pool[0]: 198.51.100.0/28 is not in tunnel`},
		{"pool beside the tunnel", with(tunnel, "pool = '198.51.101.0/28'"), `c:18: radius.client[0].pool[0]: 198.51.101.0/28 is not in tunnel`},
		{"pool around the tunnel", with(tunnel, "pool = '198.51.100.0/23'"), `c:18: radius.client[0].pool[0]: 198.51.100.0/23 is not in tunnel`},
		{"huge pool", with("tunnel = '10.0.0.0/8'", "pool = '10.0.0.0/15'"), `c:18: radius.client[0].pool[0]: 10.0.0.0/15 has the wrong size; choose between a /16 and a /30`},
		{"tiny pool", with(tunnel, "pool = '198.51.100.0/31'"), `c:18: radius.client[0].pool[0]: 198.51.100.0/31 has the wrong size`},
		{"pool of IPv6", with(tunnel, "pool = '2001:db8:5::/120'"), `c:18: radius.client[0].pool[0]: 2001:db8:5::/120 is IPv6`},
		{"no pool", with(tunnel, "pool = 'x'"), `c:18: radius.client[0].pool[0]: "x" is neither an address nor a prefix`},
		{"pool beside an address for everybody", with(tunnel, "pool = '198.51.100.0/28'") + block("Framed-IP-Address = '198.51.100.9'"), `c:18: radius.client[0].pool[0]: can't go with a Framed-IP-Address or`},
		{"pool beside an IPv6 address for everybody", with(tunnel, "pool = '198.51.100.0/28'") + block("Framed-IPv6-Address = '2001:db8:5::9'"), `c:18: radius.client[0].pool[0]: can't go with a Framed-IP-Address or Framed-IPv6-Address in a reply`},
		{"often", with(tunnel, "interim = '59s'"), `c:18: radius.client[0].interim: 59s is out of bounds; choose between 1m0s and 24h0m0s`},
		{"never", with(tunnel, "interim = '25h'"), `c:18: radius.client[0].interim: 25h0m0s is out of bounds`},
		{"interim of a fraction", with(tunnel, "interim = '60500ms'"), `c:18: radius.client[0].interim: 1m0.5s is not a whole number of seconds`},
		{"interim as a reply", reply("Acct-Interim-Interval = 600"), `c:21: radius.client[0].reply[0].attributes.Acct-Interim-Interval: follows from interim of the client`},
	} {
		_, faults, _ := loadText(t, folder(t), test.text)
		compare(t, test, faults)
	}
}

func TestTunnelWarnings(t *testing.T) {
	const tunnel = "tunnel = '198.51.100.0/24'"
	for _, test := range []faulty{
		{"a shared zone", with(tunnel) + "[zone.off-campus]\nprefixes = ['198.51.0.0/16']\nshared = true\n", `c:17: warning: radius.client[0].tunnel[0]: 198.51.100.0/24 is in "off-campus", where many people are behind one address`},
		{"a zone of its own within", with(tunnel) + "[zone.off-campus]\nprefixes = ['198.51.0.0/16']\nshared = true\n[zone.vpn]\nprefixes = ['198.51.100.0/24']\n", ``},
		{"a zone of its own around", with(tunnel) + "[zone.vpn]\nprefixes = ['198.51.100.0/23']\n", ``},
		{"a zone of its own between", with(tunnel) + "[zone.vpn]\nprefixes = ['198.51.100.0/23']\n[zone.all]\nprefixes = ['198.51.0.0/16']\nenrol = true\n[zone.zoo]\nprefixes = ['198.0.0.0/8']\nshared = true\n", ``},
		{"a zone next to it", with(tunnel) + "[zone.lab]\nprefixes = ['198.51.101.0/24']\nenrol = true\nshared = true\n", ``},
		{"partly a shared zone", with(tunnel) + "[zone.off-campus]\nprefixes = ['198.51.100.128/26', '198.51.100.0/30']\nshared = true\n", `c:17: warning: radius.client[0].tunnel[0]: 198.51.100.0/24 is in "off-campus", where many people are behind one address`},
		{"partly another zone", with(tunnel) + "[zone.lab]\nprefixes = ['198.51.100.0/26']\n", `c:17: warning: radius.client[0].tunnel[0]: 198.51.100.0/24 holds addresses of "lab": whoever is there counts as having come by the VPN`},
		{"the campus", with("tunnel = '192.0.0.0/16'"), `c:17: warning: radius.client[0].tunnel[0]: 192.0.0.0/16 holds addresses of "campus"`},
		{"where devices are enrolled", with(tunnel) + "[zone.home]\nprefixes = ['198.51.100.0/24']\nenrol = true\n", `c:17: warning: radius.client[0].tunnel[0]: 198.51.100.0/24 is in "home", where a first code device may be enrolled`},
		{"a zone of its own where devices are enrolled", with(tunnel) + "[zone.home]\nprefixes = ['198.51.0.0/16']\nenrol = true\n[zone.vpn]\nprefixes = ['198.51.100.0/24']\n", ``},
		{"long interim", with(tunnel, "interim = '61s'"), `c:18: warning: radius.client[0].interim: 1m1s is long: who has a tunnel address is believed for 70 s`},
		{"long interim with a pool", with(tunnel, "interim = '10m'", "pool = '198.51.100.0/25'"), ``},
		{"no port above", change("", "[radius]\nauth = ['0.0.0.0:1812',\n':65535']\n"), `c:21: warning: radius.auth[1]: ":65535" has no port above it, so no accounting is taken there; write acct`},
		{"no port above, but accounting", change("", "[radius]\nauth = ':65535'\nacct = ':1813'\n"), ``},
		{"accounting beside, of the other kind", change("", "[radius]\nauth = '0.0.0.0:1812'\nacct = '[::]:1812'\n"), ``},
		{"no accounting", with(tunnel, "disconnect = '203.0.113.10:3799'", "disconnect_secret_file = 'vpn1.secret'") + "[radius]\nacct = []\n",
			"c:17: warning: radius.client[0].tunnel: says nothing of who is there, since radius.acct is empty\nc:18: warning: radius.client[0].disconnect: ends no session, since radius.acct is empty"},
		{"no accounting, but a pool", with(tunnel, "pool = '198.51.100.0/25'") + "[radius]\nacct = []\n", ``},
	} {
		c, faults, err := loadText(t, folder(t), test.text)
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

func TestRepeatBySession(t *testing.T) {
	c, faults, err := loadText(t, folder(t), change(outside, outside+"\nrepeat = 'session'"))
	if err != nil {
		t.Fatal(faults, err)
	}
	for door, want := range map[string]policy.Repeat{
		policy.DoorRADIUS: {Idle: 15 * time.Second, Max: 15 * time.Second, Answers: 3, Session: true},
		policy.DoorLDAP:   {},
		policy.DoorWeb:    {},
	} {
		d := c.Policy().Decide(policy.Attempt{Door: door, Service: "ssl-vpn", Zone: policy.OffCampus})
		if d.Rule != "outside" || d.Repeat != want {
			t.Errorf("%s: %+v, want %+v", door, d.Repeat, want)
		}
	}
}
