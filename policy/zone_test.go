package policy

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestZoneOfAnAddress(t *testing.T) {
	zones, err := NewZones([]Zone{
		{Name: "campus", Prefixes: prefixes("192.0.2.0/24", "2001:db8:1::/48", "::ffff:203.0.113.0/120"), Enrol: true},
		{Name: "lab", Prefixes: prefixes("192.0.2.64/26", "2001:db8:1:2::/64", "192.0.2.7/32")},
		{Name: OffCampus, Prefixes: prefixes("192.0.2.128/26"), Shared: true},
		{Name: "named-only"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ addr, want string }{
		{"192.0.2.1", "campus"},
		{"192.0.2.7", "lab"},
		{"192.0.2.65", "lab"},
		{"192.0.2.128", OffCampus},
		{"192.0.2.191", OffCampus},
		{"192.0.2.192", "campus"},
		{"192.0.3.1", OffCampus},
		{"::ffff:192.0.2.1", "campus"},
		{"::ffff:192.0.2.1%eth0", "campus"},
		{"203.0.113.9", "campus"},
		{"::ffff:203.0.113.9", "campus"},
		{"2001:db8:1::1", "campus"},
		{"2001:db8:1:2::1", "lab"},
		{"2001:db8:1:2::1%eth0", "lab"},
		{"2001:db8:2::1", OffCampus},
		{"::192.0.2.1", OffCampus}, // IPv4-compatible is not IPv4-mapped
		{"::", OffCampus},
		{"0.0.0.0", OffCampus},
	} {
		if got := zones.Of(netip.MustParseAddr(test.addr)).Name; got != test.want {
			t.Errorf("%s: %s, want %s", test.addr, got, test.want)
		}
	}
	if got := zones.Of(netip.Addr{}).Name; got != OffCampus {
		t.Error("unknown address:", got)
	}
	if !zones.Of(netip.MustParseAddr("192.0.2.1")).Enrol {
		t.Error("the zone does not carry what was configured")
	}
	if !zones.Of(netip.MustParseAddr("192.0.2.129")).Shared {
		t.Error("guest Wi-Fi is not shared")
	}
	if zones.Of(netip.MustParseAddr("203.0.112.1")).Shared || zones.Of(netip.Addr{}).Shared {
		t.Error("the rest of the world is shared, too")
	}
	if want := []string{"campus", "lab", "named-only", OffCampus}; !slices.Equal(zones.Names(), want) {
		t.Error("names:", zones.Names())
	}
	for _, name := range []string{"lab", "named-only", OffCampus} {
		if zone, ok := zones.Named(name); !ok || zone.Name != name {
			t.Errorf("Named(%q) = %v, %v", name, zone, ok)
		}
	}
	if _, ok := zones.Named("nowhere"); ok {
		t.Error("Named finds what is not there")
	}
	if zone, _ := zones.Named(OffCampus); zone.Shared {
		t.Error("a fixed off-campus is shared")
	}
	addr := netip.MustParseAddr("2001:db8:9::1")
	if n := testing.AllocsPerRun(100, func() { zones.Of(addr) }); n > 0 {
		t.Errorf("Of allocates %v times", n)
	}
}

func TestNoZones(t *testing.T) {
	var zones *Zones
	if got := zones.Of(netip.MustParseAddr("192.0.2.1")).Name; got != OffCampus {
		t.Error(got)
	}
	if _, ok := zones.Named(OffCampus); !ok || !slices.Equal(zones.Names(), []string{OffCampus}) {
		t.Error("off-campus is not there")
	}
	if _, ok := zones.Named("campus"); ok {
		t.Error("campus is there")
	}
}

func TestNewZonesRefuses(t *testing.T) {
	p := prefixes
	for _, test := range []struct {
		name  string
		zones []Zone
		want  string
	}{
		{"no name", []Zone{{}}, "zone..name: is empty"},
		{"doubled name", []Zone{{Name: "a"}, {Name: "a"}}, "zone.a.name: stands twice"},
		{"doubled prefix", []Zone{{Name: "a", Prefixes: p("192.0.2.0/24")}, {Name: "b", Prefixes: p("192.0.2.0/24")}}, `zone.b.prefixes[0]: 192.0.2.0/24 is in zone "a", too`},
		{"doubled mapped", []Zone{{Name: "a", Prefixes: p("192.0.2.0/24")}, {Name: "b", Prefixes: p("2001:db8::/32", "::ffff:192.0.2.0/120")}}, `zone.b.prefixes[1]: 192.0.2.0/24 is in zone "a", too`},
		{"mapped too wide", []Zone{{Name: "a", Prefixes: p("::ffff:0:0/95")}}, "zone.a.prefixes[0]: "},
		{"host bits", []Zone{{Name: "a", Prefixes: p("192.0.2.1/24")}}, "zone.a.prefixes[0]: \"192.0.2.1/24\" has bits behind its length; did you mean 192.0.2.0/24 or 192.0.2.1/32?"},
		{"no prefix", []Zone{{Name: "a", Prefixes: []netip.Prefix{{}}}}, "zone.a.prefixes[0]: is no prefix"},
		{"enrolment from outside", []Zone{{Name: OffCampus, Enrol: true}}, "zone.off-campus.enrol: would let whoever has a password enrol"},
	} {
		zones, err := NewZones(test.zones)
		if zones != nil || err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), `"`, ""), strings.ReplaceAll(test.want, `"`, "")) {
			t.Errorf("%s:\n got %v\nwant %s…", test.name, err, test.want)
		}
	}
	if _, err := NewZones([]Zone{{Name: "a", Prefixes: p("192.0.2.0/24", "192.0.2.0/24")}}); err != nil {
		t.Error("a prefix twice in one zone does no harm:", err)
	}
}

func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1/32",
		"::ffff:192.0.2.1":     "192.0.2.1/32",
		"2001:db8::1":          "2001:db8::1/128",
		"192.0.2.0/24":         "192.0.2.0/24",
		"::ffff:192.0.2.0/120": "192.0.2.0/24",
		"0.0.0.0/0":            "0.0.0.0/0",
		"192.0.2.1/24":         "",
		"fe80::1%eth0":         "",
		"fe80::%eth0/64":       "",
		"192.0.2.0/33":         "",
		"campus":               "",
		"":                     "",
	} {
		got, err := ParsePrefix(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q: %v", text, got)
			}
		} else if err != nil || got.String() != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func BenchmarkZoneOf(b *testing.B) {
	zones := campusZones(b)
	addr := netip.MustParseAddr("203.0.113.1")
	for b.Loop() {
		zones.Of(addr)
	}
}
