package radiusd

import (
	"net/netip"
	"strings"
	"testing"
	"unicode"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2868"
	"sekisho/gate"
)

func TestStation(t *testing.T) {
	for value, want := range map[string]string{
		"198.51.100.7":            "198.51.100.7",
		" 198.51.100.7 ":          "198.51.100.7",
		"198.51.100.7:443":        "198.51.100.7",
		"198.51.100.7[4500]":      "198.51.100.7",
		"[198.51.100.7]":          "198.51.100.7",
		"::ffff:198.51.100.7":     "198.51.100.7",
		"[::ffff:198.51.100.7]:1": "198.51.100.7",
		"2001:db8::1":             "2001:db8::1",
		"2001:DB8:0:0:0:0:0:1":    "2001:db8::1",
		"[2001:db8::1]":           "2001:db8::1",
		"[2001:db8::1]:443":       "2001:db8::1",
		"2001:db8::1[4500]":       "2001:db8::1",
		"fe80::1%eth0":            "fe80::1",

		"00-11-22-33-44-55":        "label 00-11-22-33-44-55",
		"00:11:22:33:44:55":        "label 00:11:22:33:44:55",
		"0011.2233.4455":           "label 0011.2233.4455",
		"00:11:22:33:44:55:66:77":  "label 00:11:22:33:44:55:66:77", // an EUI-64, and a well-formed IPv6 address
		"0.0.0.0":                  "label 0.0.0.0",
		"::":                       "label ::",
		"[::]:443":                 "label [::]:443",
		"03-1234\x00\x1b[31m\xff5": "label 03-1234[31m5",
		"198.51.100.7/24":          "label 198.51.100.7/24",
		"198.51.100.07":            "label 198.51.100.07",
		"198.51.100.7:65536":       "label 198.51.100.7:65536",
		"198.51.100.7[x]":          "label 198.51.100.7[x]",
		"198.51.100.7[4500":        "label 198.51.100.7[4500",
		"198.51.100.7]":            "label 198.51.100.7]",
		"[198.51.100.7":            "label [198.51.100.7",
		"[[198.51.100.7]]":         "label [[198.51.100.7]]",
		"198.51.100.7 192.0.2.1":   "label 198.51.100.7 192.0.2.1",
		"198.51.100.7,192.0.2.1":   "label 198.51.100.7,192.0.2.1",
		"198.51.100.7\x00":         "label 198.51.100.7",
		"ip=198.51.100.7":          "label ip=198.51.100.7",
		"3325256711":               "label 3325256711",
		"":                         "",
		" ":                        "",
		"\x00":                     "",
	} {
		s := station([]byte(value))
		got := ""
		if s.Addr.IsValid() {
			got = s.Addr.String()
		} else if s.Label != "" {
			got = "label " + s.Label
		}
		if got != want || (s.How == "calling-station-id") != (want != "") {
			t.Errorf("%q: %+v, want %q", value, s, want)
		}
	}
}

// FuzzStation: what is read as an address is one, and is plainly there.
func FuzzStation(f *testing.F) {
	for _, seed := range []string{"198.51.100.7", "198.51.100.7:443", "198.51.100.7[4500]", "[2001:db8::1]:443", "00:11:22:33:44:55:66:77", "fe80::1%eth0", "\x01198.51.100.7", "", "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, s := range []gate.Source{station(value), endpoint(value)} {
			switch {
			case s.Addr.IsValid() && s.Label != "", (s.How == "") != (s == gate.Source{}):
				t.Fatalf("%q: %+v", value, s)
			case strings.ContainsFunc(s.Label, func(r rune) bool { return !unicode.IsPrint(r) }):
				t.Fatalf("%q: label %q", value, s.Label)
			case !s.Addr.IsValid():
				continue
			}
			if s.Addr.Is4In6() || s.Addr.Zone() != "" || s.Addr.AsSlice()[0] == 0 {
				t.Fatalf("%q: %v", value, s.Addr)
			}
			if again := station([]byte(s.Addr.String())); again.Addr != s.Addr {
				t.Fatalf("%q: %v is read as %v", value, s.Addr, again.Addr)
			}
			if scope := strings.IndexByte(string(value), '%'); scope < 0 && strings.Trim(strings.TrimSpace(string(value)), "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f0123456789abcdefABCDEF.:[]") != "" {
				t.Fatalf("%q: %v", value, s.Addr)
			}
		}
	})
}

// Where the person is, by what the client tells of each.
func TestOwnAddress(t *testing.T) {
	tell := func(value string) []byte { return text(rfc2865.CallingStationID_Type, value) }
	tunnel := func(value string) []byte { return text(rfc2868.TunnelClientEndpoint_Type, value) }
	const inside, other, mac = "192.0.2.7", "203.0.113.9", "02-00-5e-10-00-01"
	for _, test := range []struct {
		name   string
		tunnel bool
		told   [][]byte
		want   gate.Source
	}{
		{"an address", false, [][]byte{tell(inside)}, gate.Source{Addr: netip.MustParseAddr(inside), How: "calling-station-id"}},
		{"a MAC is no address", false, [][]byte{tell(mac)}, gate.Source{Label: mac, How: "calling-station-id"}},
		{"nothing", false, nil, gate.Source{}},
		{"an empty one", false, [][]byte{tell("")}, gate.Source{}},
		{"the same twice", false, [][]byte{tell(inside), tell(inside)}, gate.Source{Addr: netip.MustParseAddr(inside), How: "calling-station-id"}},
		{"two that differ", false, [][]byte{tell(other), tell(inside)}, gate.Source{}},
		{"two that differ, and the first again", false, [][]byte{tell(inside), tell(other), tell(inside)}, gate.Source{}},
		{"one beside an empty one", false, [][]byte{tell(""), tell(inside)}, gate.Source{}},
		{"an address beside a MAC", false, [][]byte{tell(mac), tell(inside)}, gate.Source{}},
		{"a tunnel that nobody asked for", false, [][]byte{tell(other), tunnel(inside)}, gate.Source{Addr: netip.MustParseAddr(other), How: "calling-station-id"}},
		{"a tunnel alone that nobody asked for", false, [][]byte{tunnel(inside)}, gate.Source{}},
		{"the tunnel alone", true, [][]byte{tunnel(inside)}, gate.Source{Addr: netip.MustParseAddr(inside), How: "tunnel-client-endpoint"}},
		{"the tunnel behind a tag", true, [][]byte{tunnel("\x01" + inside)}, gate.Source{Addr: netip.MustParseAddr(inside), How: "tunnel-client-endpoint"}},
		{"both agree", true, [][]byte{tell(inside + ":500"), tunnel("\x01" + inside)}, gate.Source{Addr: netip.MustParseAddr(inside), How: "calling-station-id"}},
		{"both differ", true, [][]byte{tell(other), tunnel(inside)}, gate.Source{}},
		{"a MAC and a tunnel", true, [][]byte{tell(mac), tunnel(inside)}, gate.Source{}},
		{"two tunnels", true, [][]byte{tunnel("\x01" + inside), tunnel("\x02" + other)}, gate.Source{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testClient()
			c.OwnAddress, c.TunnelEndpoint = true, test.tunnel
			r := start(t, nil, c)
			if got := r.dial().ask(pap(1, "secret123456", test.told...)); got.Code != radius.CodeAccessAccept {
				t.Fatalf("got %v", got.Code)
			}
			asked := r.gate.lastRequest()
			if asked.Zone != "" || asked.Source != test.want {
				t.Errorf("zone %q, source %+v, want %+v", asked.Zone, asked.Source, test.want)
			}
		})
	}
}

// Without OwnAddress what the client tells never chooses the zone.
func TestZoneOfTheClientIsKept(t *testing.T) {
	c := testClient()
	c.Zone = "lab"
	r := start(t, nil, c)
	r.dial().ask(pap(1, "secret123456", text(rfc2865.CallingStationID_Type, "192.0.2.7")))
	if asked := r.gate.lastRequest(); asked.Zone != "lab" {
		t.Errorf("zone %q", asked.Zone)
	}
}
