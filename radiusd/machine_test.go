package radiusd

import (
	"net/netip"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"sekisho/gate"
)

// The parts by which a machine may be told.
var (
	nasID = text(rfc2865.NASIdentifier_Type, "box")
	nasV4 = attr(rfc2865.NASIPAddress_Type, []byte{192, 0, 2, 1})
	nasV6 = attr(95, netip.MustParseAddr("2001:db8::1").AsSlice())
)

// A client that is no proxy is known by where its packets come from: an On or
// Off ends its sessions, whatever it tells of itself.
func TestMachineThatSendsItsOwnRecords(t *testing.T) {
	network, alone := testClient(), testClient()
	alone.Prefix = netip.PrefixFrom(nasPort.Addr(), 32)
	for _, parts := range [][][]byte{{nasV4, nasV6, nasID}, {nasV4}, {nasID}, nil} {
		if got, _ := read(t, alone, parts...); got.NAS != "" {
			t.Errorf("one machine: %q", got.NAS)
		}
		if got, _ := read(t, network, parts...); got.NAS != "from:203.0.113.10" {
			t.Errorf("a machine of a network: %q", got.NAS)
		}
	}
}

// Two NASes behind one proxy are two if anything that they tell differs.
func TestMachinesBehindAProxy(t *testing.T) {
	proxy, alone := testClient(), testClient()
	proxy.Proxy = true
	alone.Prefix = netip.PrefixFrom(nasPort.Addr(), 32)
	mapped := attr(95, netip.MustParseAddr("::ffff:192.0.2.1").AsSlice())
	seen := make(map[string]string)
	for _, tt := range []struct {
		name  string
		parts [][]byte
		want  string
	}{
		{"all", [][]byte{nasID, nasV6, nasV4}, "ip:192.0.2.1,ip:2001:db8::1,id:box"},
		{"identifier and address", [][]byte{nasV4, nasID}, "ip:192.0.2.1,id:box"},
		{"the same identifier, another address", [][]byte{attr(4, []byte{192, 0, 2, 2}), nasID}, "ip:192.0.2.2,id:box"},
		{"addresses", [][]byte{nasV4, nasV6}, "ip:192.0.2.1,ip:2001:db8::1"},
		{"IPv4", [][]byte{nasV4}, "ip:192.0.2.1"},
		{"IPv4 in IPv6", [][]byte{mapped}, "ip:::ffff:192.0.2.1"},
		{"identifier like an address", [][]byte{text(32, "192.0.2.1")}, "id:192.0.2.1"},
		{"identifier like a name of ours", [][]byte{text(32, "ip:192.0.2.1,id:box")}, "id:ip:192.0.2.1,id:box"},
		{"identifier like a sender", [][]byte{text(32, "from:203.0.113.10")}, "id:from:203.0.113.10"},
		{"junk", [][]byte{text(32, "b\x00x")}, `id:b\x00x`},
		{"junk spelled out", [][]byte{text(32, `b\x00x`)}, `id:b\\x00x`},
		{"nothing", nil, ""},
	} {
		got, _ := read(t, proxy, tt.parts...)
		if got.NAS != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got.NAS, tt.want)
		}
		if other, taken := seen[got.NAS]; taken {
			t.Errorf("%s and %s are one: %q", tt.name, other, got.NAS)
		}
		seen[got.NAS] = tt.name
		// A proxy that nobody told us of gives itself away by its Proxy-State.
		if got, _ := read(t, alone, append(tt.parts, attr(rfc2865.ProxyState_Type, nil))...); got.NAS != tt.want {
			t.Errorf("%s behind an unknown proxy: %q, want %q", tt.name, got.NAS, tt.want)
		}
	}
	for name, parts := range map[string][][]byte{
		"empty identifier":          {attr(32, nil)},
		"two identifiers":           {nasID, text(32, "other")},
		"address of the wrong size": {attr(4, []byte{1, 2, 3, 4, 5})},
	} {
		if got, _ := read(t, proxy, parts...); got.NAS != "" {
			t.Errorf("%s: %q", name, got.NAS)
		}
	}
}

// What a machine tells comes back to it in the same attributes.
func TestMachineIsCalledAsItCallsItself(t *testing.T) {
	proxy := testClient()
	proxy.Proxy = true
	for _, parts := range [][][]byte{
		{nasV4, nasV6, nasID}, {nasV4}, {nasID}, {text(32, "192.0.2.1")}, {text(32, "ip:192.0.2.1,id:\xff\\x")},
		{attr(95, netip.MustParseAddr("::ffff:192.0.2.1").AsSlice())},
	} {
		told, _ := read(t, proxy, parts...)
		r := newReply(radius.CodeDisconnectRequest, make(packet, headerLen))
		began := len(r.octets)
		r.machine(told.NAS)
		var want []byte
		for _, part := range parts {
			want = append(want, part...)
		}
		if got := r.octets[began:]; string(got) != string(want) {
			t.Errorf("%q became % x, want % x", told.NAS, got, want)
		}
	}
}

// A session of a client that is one machine goes by the client. An order
// calls that as its latest record did, also after a restart.
func TestOrderCallsAClientAsItCallsItself(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	c := nas.client()
	c.Prefix = netipPrefix("127.0.0.1/32")
	heard := account(t, nil, c)
	heard.nas.report(record(1, testSecret, number(rfc2866.AcctStatusType_Type, uint32(gate.AccountingStart)), text(44, "S1"), nasV4, nasID))
	heard.nas.report(record(2, testSecret, number(rfc2866.AcctStatusType_Type, uint32(gate.AccountingOn)))) // tells nothing: no reason to forget
	for _, r := range heard.records() {
		if r.NAS != "" {
			t.Errorf("the session goes by %q", r.NAS)
		}
	}

	p := startPost(t, c)
	for id, want := range []int{3, 5} { // attributes besides Message-Authenticator
		o := anOrder(int64(id))
		o.NAS = ""
		p.want(o)
		p.tick()
		request := nas.hear()
		got := request.parsed()
		if len(got.Attributes) != 1+want || want == 5 && (rfc2865.NASIdentifier_GetString(got) != "box" || rfc2865.NASIPAddress_Get(got).String() != "192.0.2.1") {
			t.Errorf("order %d: %s", id, attributes(got))
		}
		request.ack()
		<-p.booked
		p.Remember(heard.Readiness())
	}
}
