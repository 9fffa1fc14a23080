package radiusd

import (
	"bytes"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3162"
	"layeh.com/radius/rfc6911"
	"sekisho/gate"
)

var nasPort = netip.MustParseAddrPort("203.0.113.10:1646")

// read reads a record that tells the parts and what each has to.
func read(t testing.TB, c Client, parts ...[]byte) (gate.Accounting, *report) {
	t.Helper()
	p, why := frame(record(1, testSecret, append([][]byte{number(40, 3), text(44, "s1")}, parts...)...))
	if why != kept {
		t.Fatal(why)
	}
	r := layOut(p, &c)
	a, why := r.accounting(nasPort, testTime)
	if why != kept {
		t.Fatal(why)
	}
	return a, r
}

func TestReadingARecord(t *testing.T) {
	c := testClient()
	c.Tunnel = []netip.Prefix{netipPrefix("198.51.100.0/24")}
	got, r := read(t, c,
		text(rfc2865.UserName_Type, "alice"),
		attr(rfc2865.NASIPAddress_Type, []byte{192, 0, 2, 1}), text(rfc2865.NASIdentifier_Type, "box"),
		text(rfc2865.Class_Type, "sk1.abc.mac"), text(rfc2865.Class_Type, "staff"),
		text(rfc2865.CallingStationID_Type, "192.0.2.7:500"),
		attr(rfc2865.FramedIPAddress_Type, []byte{198, 51, 100, 9}),
		attr(rfc3162.FramedIPv6Prefix_Type, append([]byte{0, 64}, netip.MustParseAddr("2001:db8:5::").AsSlice()[:8]...)),
		number(rfc2869.EventTimestamp_Type, uint32(testTime.Unix()-5)), number(rfc2866.AcctDelayTime_Type, 600),
		number(rfc2866.AcctSessionTime_Type, 3600),
		number(rfc2866.AcctInputOctets_Type, 7), number(rfc2869.AcctInputGigawords_Type, 1),
		number(rfc2866.AcctOutputOctets_Type, math.MaxUint32), number(rfc2869.AcctOutputGigawords_Type, math.MaxUint32),
		number(rfc2866.AcctTerminateCause_Type, 1),
		text(rfc2865.UserPassword_Type, "not its place"), text(200, "unknown"),
	)
	want := gate.Accounting{
		Client: "vpn1", Service: "ssl-vpn", Tunnel: c.Tunnel, Status: gate.AccountingInterim, NAS: "from:203.0.113.10", Session: "s1",
		Class: []string{"sk1.abc.mac", "staff"}, User: "alice",
		Source:   gate.Source{Addr: netip.MustParseAddr("192.0.2.7"), How: "calling-station-id"},
		Address4: netip.MustParseAddr("198.51.100.9"), Address6: netipPrefix("2001:db8:5::/64"),
		Event: testTime.Add(-5 * time.Second), Lasted: time.Hour,
		Input: 1<<32 + 7, Output: math.MaxUint64, Cause: "User-Request", Came: testTime,
	}
	if !got.Event.Equal(want.Event) {
		t.Errorf("event %v", got.Event)
	}
	got.Event = want.Event
	if !reflect.DeepEqual(got, want) || r.unfit != "" {
		t.Errorf("read\n%+v, want\n%+v; unfit %q", got, want, r.unfit)
	}
}

func TestTunnelAddresses(t *testing.T) {
	v4 := func(octets ...byte) []byte { return attr(rfc2865.FramedIPAddress_Type, octets) }
	v6 := func(addr string) []byte {
		return attr(rfc6911.FramedIPv6Address_Type, netip.MustParseAddr(addr).AsSlice())
	}
	prefix := func(reserved, length byte, addr string, octets int) []byte {
		return attr(rfc3162.FramedIPv6Prefix_Type, append([]byte{reserved, length}, netip.MustParseAddr(addr).AsSlice()[:octets]...))
	}
	mapped := func(n int) []byte {
		b := netip.MustParseAddr("192.0.2.1").As16()
		return b[:n]
	}
	for _, tt := range []struct {
		name   string
		parts  [][]byte
		v4, v6 string
		unfit  string
	}{
		{name: "none"},
		{"IPv4", [][]byte{v4(198, 51, 100, 9)}, "198.51.100.9", "", ""},
		{"the person chooses", [][]byte{v4(255, 255, 255, 255)}, "", "", ""},
		{"the NAS chooses", [][]byte{v4(255, 255, 255, 254)}, "", "", ""},
		{"zero", [][]byte{v4(0, 0, 0, 0)}, "", "", ""},
		{"3 octets", [][]byte{v4(198, 51, 100)}, "", "", "Framed-IP-Address"},
		{"no octets", [][]byte{v4()}, "", "", "Framed-IP-Address"},
		{"two IPv4", [][]byte{v4(198, 51, 100, 9), v4(198, 51, 100, 10)}, "", "", "Framed-IP-Address"},
		{"three IPv4", [][]byte{v4(198, 51, 100, 9), v4(198, 51, 100, 10), v4(198, 51, 100, 11)}, "", "", "Framed-IP-Address"},
		{"IPv6", [][]byte{v6("2001:db8::9")}, "", "2001:db8::9/128", ""},
		{"IPv6 of zeros", [][]byte{v6("::")}, "", "", "Framed-IPv6-Address"},
		{"IPv4 in IPv6", [][]byte{attr(168, mapped(16))}, "", "", "Framed-IPv6-Address"},
		{"IPv6 of 15 octets", [][]byte{attr(168, make([]byte, 15))}, "", "", "Framed-IPv6-Address"},
		{"address and prefix", [][]byte{prefix(0, 64, "2001:db8::", 8), v6("2001:db8::9")}, "", "2001:db8::9/128", ""},
		{"prefix", [][]byte{prefix(0, 64, "2001:db8::", 8)}, "", "2001:db8::/64", ""},
		{"prefix with all octets", [][]byte{prefix(0, 60, "2001:db8::", 16)}, "", "2001:db8::/60", ""},
		{"prefix of an address", [][]byte{prefix(0, 128, "2001:db8::9", 16)}, "", "2001:db8::9/128", ""},
		{"prefix of no octets", [][]byte{prefix(0, 0, "::", 0)}, "", "", "Framed-IPv6-Prefix"},
		{"everything", [][]byte{prefix(0, 0, "::", 16)}, "", "", "Framed-IPv6-Prefix"},
		{"prefix with too few octets", [][]byte{prefix(0, 65, "2001:db8::", 8)}, "", "", "Framed-IPv6-Prefix"},
		{"prefix longer than an address", [][]byte{prefix(0, 129, "2001:db8::9", 16)}, "", "", "Framed-IPv6-Prefix"},
		{"bits beyond the prefix", [][]byte{prefix(0, 63, "2001:db8:0:1::", 8)}, "", "", "Framed-IPv6-Prefix"},
		{"the reserved octet", [][]byte{prefix(1, 64, "2001:db8::", 8)}, "", "", "Framed-IPv6-Prefix"},
		{"prefix of IPv4 in IPv6", [][]byte{attr(97, append([]byte{0, 128}, mapped(16)...))}, "", "", "Framed-IPv6-Prefix"},
		{"one octet", [][]byte{attr(97, []byte{0})}, "", "", "Framed-IPv6-Prefix"},
		{"19 octets", [][]byte{attr(97, make([]byte, 19))}, "", "", "Framed-IPv6-Prefix"},
	} {
		a, r := read(t, testClient(), tt.parts...)
		v4, v6 := "", ""
		if a.Address4.IsValid() {
			v4 = a.Address4.String()
		}
		if a.Address6.IsValid() {
			v6 = a.Address6.String()
		}
		if v4 != tt.v4 || v6 != tt.v6 || r.unfit != tt.unfit {
			t.Errorf("%s: %q %q, unfit %q", tt.name, v4, v6, r.unfit)
		}
	}
}

func TestTimeOfTheEvent(t *testing.T) {
	stamp := func(n int64) []byte { return number(rfc2869.EventTimestamp_Type, uint32(n)) }
	delay := func(n uint32) []byte { return number(rfc2866.AcctDelayTime_Type, n) }
	for _, tt := range []struct {
		name  string
		parts [][]byte
		want  time.Duration // before it came
	}{
		{"neither", nil, 0},
		{"delay", [][]byte{delay(90)}, 90 * time.Second},
		{"timestamp", [][]byte{stamp(testTime.Unix() - 7)}, 7 * time.Second},
		{"in the future", [][]byte{stamp(testTime.Unix() + 7)}, -7 * time.Second},
		{"both", [][]byte{stamp(testTime.Unix() - 7), delay(90)}, 7 * time.Second},
		{"no clock", [][]byte{stamp(0), delay(90)}, 90 * time.Second},
		{"endless delay", [][]byte{delay(math.MaxUint32)}, longestDelay},
		{"timestamp of 3 octets", [][]byte{attr(55, []byte{1, 2, 3}), delay(90)}, 90 * time.Second},
		{"delay of 8 octets", [][]byte{attr(41, make([]byte, 8))}, 0},
	} {
		if a, _ := read(t, testClient(), tt.parts...); !a.Event.Equal(testTime.Add(-tt.want)) {
			t.Errorf("%s: %v", tt.name, a.Event)
		}
	}
}

func TestCauseOfTheEnd(t *testing.T) {
	for n, want := range map[uint32]string{1: "User-Request", 2: "Lost-Carrier", 18: "Host-Request", 0: "0", 99: "99", math.MaxUint32: "4294967295"} {
		if a, _ := read(t, testClient(), number(rfc2866.AcctTerminateCause_Type, n)); a.Cause != want {
			t.Errorf("%d is %q, want %q", n, a.Cause, want)
		}
	}
}

// Where the person is, is told as in a sign-in.
func TestStationOfARecord(t *testing.T) {
	endpoint := text(66, "192.0.2.8")
	calling := text(31, "192.0.2.7")
	c := testClient()
	if a, _ := read(t, c, calling, endpoint); a.Source.Addr.String() != "192.0.2.7" {
		t.Errorf("source %+v", a.Source)
	}
	if a, _ := read(t, c, text(31, "02-00-00-00-00-01")); a.Source.Addr.IsValid() || a.Source.Label != "02-00-00-00-00-01" {
		t.Errorf("source %+v", a.Source)
	}
	c.OwnAddress, c.TunnelEndpoint = true, true
	if a, _ := read(t, c, endpoint); a.Source.Addr.String() != "192.0.2.8" {
		t.Errorf("source %+v", a.Source)
	}
	if a, _ := read(t, c, calling, endpoint); a.Source.Addr.IsValid() {
		t.Errorf("two that differ give %+v", a.Source)
	}
}

func TestTwoNamesAreNone(t *testing.T) {
	a, r := read(t, testClient(), text(1, "alice"), text(1, "bob"))
	if a.User != "" || r.unfit != "User-Name" {
		t.Errorf("user %q, unfit %q", a.User, r.unfit)
	}
	if a, _ = read(t, testClient(), text(1, "al\xffi\x00ce")); a.User != "al\uFFFDi\uFFFDce" {
		t.Errorf("user %q", a.User)
	}
}

// Two sessions never become one, whatever octets their names are of.
func TestEscapedNamesStayApart(t *testing.T) {
	names := []string{
		"", "s1", "セッション", " ", `\`, `\\`, `\x00`, "\x00", "\x00\x00", `\x`, `\x5c`, "\xff", "\xef\xbf\xbd", `\xff`,
		"\u202e", "\n", "\x7f", "\xc3", "\xc3\xa9", "\xe3\x82", "a\\", strings.Repeat("\xff", 253),
	}
	seen := make(map[string]string)
	for _, name := range names {
		got := escaped([]byte(name))
		if other, taken := seen[got]; taken {
			t.Errorf("%q and %q are both %q", name, other, got)
		}
		seen[got] = name
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\n") {
			t.Errorf("%q became %q", name, got)
		}
		if back := unescaped(got); string(back) != name {
			t.Errorf("%q came back as %q", name, back)
		}
	}
	if got := escaped([]byte("80f1:a\\b\x01é\xff")); got != `80f1:a\\b\x01é\xff` {
		t.Errorf("escaped %q", got)
	}
	for text, want := range map[string]string{`\`: `\`, `\x`: `\x`, `\x0`: `\x0`, `\xzz`: `\xzz`, `\n`: `\n`, `\x+1`: `\x+1`} {
		if got := unescaped(text); string(got) != want {
			t.Errorf("%q came back as %q", text, got)
		}
	}
}

// FuzzAccounting: no record makes a panic, what is read of it can be kept,
// and its response is the NAS's.
func FuzzAccounting(f *testing.F) {
	for _, parts := range [][][]byte{
		tells(gate.AccountingStart),
		tells(gate.AccountingStop, number(49, 1), number(55, 1<<31), number(41, math.MaxUint32), text(33, "ps"), attr(33, nil)),
		tells(gate.AccountingInterim, attr(8, []byte{198, 51, 100, 9}), attr(97, []byte{0, 8, 0x20}), attr(168, make([]byte, 16))),
		{number(40, 7), text(44, "\x00\xff\\"), text(66, "\x01192.0.2.1"), text(25, "sk1.")},
	} {
		f.Add(bytes.Join(parts, nil))
	}
	c := testClient()
	c.OwnAddress, c.TunnelEndpoint = true, true
	n := newTable(mustClients(f, c), newMetrics(nil)).find(netipPrefix("127.0.0.1/32").Addr())
	f.Fuzz(func(t *testing.T, attributes []byte) {
		if len(attributes) > maxPacketLen-headerLen {
			return
		}
		datagram := record(1, testSecret, attributes)
		if _, _, _, why := n.check(tampered(datagram, 5), radius.CodeAccountingRequest); why == kept {
			t.Fatal("believed a forgery")
		}
		p, _, key, why := n.check(datagram, radius.CodeAccountingRequest)
		if why != kept {
			return
		}
		r := layOut(p, &n.Client)
		a, why := r.accounting(nasPort, testTime)
		if back := unescaped(a.Session); !bytes.Equal(back, r.told[rfc2866.AcctSessionID_Type]) {
			t.Fatalf("session % x became %q", r.told[rfc2866.AcctSessionID_Type], a.Session)
		}
		for _, text := range []string{a.Session, a.NAS, a.User, a.Source.Label, a.Cause} {
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
				t.Fatalf("text %q", text)
			}
		}
		// One that a proxy passed on may tell nothing of its NAS.
		if a.NAS == "" && r.told[rfc2865.ProxyState_Type] == nil || a.Address4.IsValid() && !a.Address4.Is4() || a.Address6 != a.Address6.Masked() ||
			a.Event.Before(testTime.Add(-longestDelay)) && r.told[55] == nil {
			t.Fatalf("read %+v", a)
		}
		if why == kept {
			if got := response(p, key); len(got) > len(p) {
				t.Fatal("the response is longer than the request")
			} else {
				responded(t, got, p, testSecret)
			}
		}
	})
}
