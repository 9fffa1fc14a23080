package ldapproxy

import (
	"net/netip"
	"testing"

	"sekisho/gate"
	"sekisho/ldapproxy/wire"
)

// trackingOf is a session tracking control that tells an address.
func trackingOf(source string, critical ...byte) []byte {
	value := wire.Element(wire.TagSequence, wire.Octets(source), wire.Octets("webmail.example"),
		wire.Octets("1.3.6.1.4.1.21008.108.63.1.3"), wire.Octets("alice"))
	return tracking(value, critical...)
}

func tracking(value []byte, critical ...byte) []byte {
	var parts [][]byte
	if len(critical) > 0 {
		parts = append(parts, append([]byte{wire.TagBoolean, 1}, critical...))
	}
	return control(wire.OIDSessionTracking, append(parts, wire.Octets(string(value)))...)
}

// trackingApp is dovecot, which is believed.
func trackingApp(zone string) App {
	a := testApp()
	a.Zone, a.Tracking = zone, true
	return a
}

func TestWhereAnApplicationSaysThatPeopleAre(t *testing.T) {
	r := start(t, nil, trackingApp(""))
	p := r.dial()
	four := wire.Element(wire.TagSequence, wire.Octets("192.0.2.9"), wire.Octets(""), wire.Octets(""), wire.Octets(""))
	for i, tt := range []struct {
		name     string
		controls [][]byte
		want     string // "": nobody knows
	}{
		{"an address", [][]byte{trackingOf("192.0.2.7")}, "192.0.2.7"},
		{"IPv6", [][]byte{trackingOf("2001:db8::7")}, "2001:db8::7"},
		{"IPv4 as IPv6", [][]byte{trackingOf("::ffff:192.0.2.7")}, "192.0.2.7"},
		{"empty names", [][]byte{tracking(four)}, "192.0.2.9"},
		{"nothing", nil, ""},
		{"an empty address", [][]byte{trackingOf("")}, ""},
		{"a name", [][]byte{trackingOf("localhost")}, ""},
		{"a port", [][]byte{trackingOf("192.0.2.7:80")}, ""},
		{"a prefix", [][]byte{trackingOf("192.0.2.0/24")}, ""},
		{"two", [][]byte{trackingOf("192.0.2.7, 192.0.2.8")}, ""},
		{"a space", [][]byte{trackingOf(" 192.0.2.7")}, ""},
		{"octal", [][]byte{trackingOf("192.0.2.007")}, ""},
		{"a zone", [][]byte{trackingOf("fe80::1%eth0")}, ""},
		{"this host", [][]byte{trackingOf("127.0.0.1")}, ""},
		{"this host, mapped", [][]byte{trackingOf("::ffff:127.0.0.1")}, ""},
		{"no host", [][]byte{trackingOf("0.0.0.0")}, ""},
		{"many hosts", [][]byte{trackingOf("224.0.0.1")}, ""},
		{"no value", [][]byte{control(wire.OIDSessionTracking)}, ""},
		{"a short value", [][]byte{tracking(wire.Element(wire.TagSequence, wire.Octets("192.0.2.7")))}, ""},
		{"a long value", [][]byte{tracking(append(four, 0))}, ""},
		{"no sequence", [][]byte{tracking([]byte("192.0.2.7"))}, ""},
		{"critical", [][]byte{trackingOf("192.0.2.7", 0xff)}, "192.0.2.7"},
	} {
		p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"), tt.controls...)
		asked := r.gate.judged()
		if len(asked) != i+1 {
			t.Fatalf("%s: not judged", tt.name)
		}
		want := gate.Source{How: "session-tracking"}
		if tt.want != "" {
			want.Addr = netip.MustParseAddr(tt.want)
		}
		if got := asked[i]; got.Source != want || got.Zone != "" {
			t.Errorf("%s: %+v in %q, want %+v", tt.name, got.Source, got.Zone, want)
		}
	}
	p.wants(wire.ResultProtocolError, bindOp(aliceDN, "secret123456"), trackingOf("192.0.2.7"), trackingOf("192.0.2.8"))
}

// A zone that is fixed stays, and the address is the person's own.
func TestSessionTrackingInAFixedZone(t *testing.T) {
	r := start(t, nil, trackingApp("off-campus"))
	r.dial().wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"), trackingOf("192.0.2.7"))
	want := gate.Source{Addr: netip.MustParseAddr("192.0.2.7"), How: "session-tracking"}
	if got := r.gate.judged()[0]; got.Zone != "off-campus" || got.Source != want {
		t.Errorf("%+v in %q", got.Source, got.Zone)
	}
}

func TestStrangersSessionTrackingIsNotBelieved(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"), trackingOf("192.0.2.7"))
	want := gate.Source{Addr: netip.MustParseAddr("127.0.0.1"), How: "socket", Shared: true}
	if got := r.gate.judged()[0]; got.Zone != "off-campus" || got.Source != want {
		t.Errorf("%+v in %q", got.Source, got.Zone)
	}
	p.wants(wire.ResultUnavailableCritical, bindOp(aliceDN, "secret123456"), trackingOf("192.0.2.7", 0xff))
	if n := len(r.gate.judged()); n != 1 {
		t.Errorf("judged %d times", n)
	}
}

func TestSessionTrackingOfABindStaysHere(t *testing.T) {
	app := relayApp()
	app.Zone, app.Tracking = "", true
	r := startRelay(t, nil, app)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice), trackingOf("192.0.2.7", 0xff))
	if got := r.gate.judged()[0]; got.Source.Addr != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("%+v", got.Source)
	}
	if got := r.up.SeenBinds(); len(got) != 1 || len(got[0].Controls) != 0 {
		t.Errorf("went on: %+v", got)
	}
	app.Tracking = false
	r.SetApps(mustApps(t, app))
	p.wants(wire.ResultUnavailableCritical, bindOp(aliceBehind, "secret"+codeOfAlice), trackingOf("192.0.2.7", 0xff))
}
