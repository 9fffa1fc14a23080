package ldapproxy

import (
	"encoding/hex"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/ldapproxy/wire"
)

// unfolding is a DN of some 60 KB of which a parser makes 57 MiB.
func unfolding() string {
	inner := wire.Element(0x04, make([]byte, 26_000))
	for range 900 {
		inner = wire.Element(0x30, inner)
	}
	return "cn=#" + hex.EncodeToString(inner)
}

// Nobody makes us hold much before they have shown anything.
func TestDNThatUnfoldsTakesNoMemory(t *testing.T) {
	dn := unfolding()
	byName := wire.Element(wire.OpSearch, wire.Octets(""), []byte{wire.TagEnumerated, 1, 0}, []byte{wire.TagEnumerated, 1, 0},
		[]byte{wire.TagInteger, 1, 0}, []byte{wire.TagInteger, 1, 0}, []byte{wire.TagBoolean, 1, 0},
		wire.Element(wire.FilterExtensible, wire.Element(wire.TagMatchingRule, []byte("distinguishedNameMatch")), wire.Element(wire.TagMatchValue, []byte(dn))), wire.Element(wire.TagSequence))
	equal := wire.Element(wire.TagSequence, wire.Octets("uid"), wire.Octets("alice"))
	for name, c := range map[string]struct {
		op   []byte
		code int
		app  App
	}{
		"base":                  {searchOp(dn, 0), wire.ResultInsufficientAccessRights, testApp()},
		"base, of a stranger":   {searchOp(dn, 0), wire.ResultInsufficientAccessRights, elsewhere()},
		"filter, of a stranger": {byName, wire.ResultSuccess, elsewhere()},
		"compare":               {wire.Element(wire.OpCompare, wire.Octets(dn), equal), wire.ResultInsufficientAccessRights, testApp()},
		"bind":                  {bindOp(dn, "x"), wire.ResultInvalidDNSyntax, testApp()},
		"bind, of a stranger":   {bindOp(dn, "x"), wire.ResultInvalidCredentials, elsewhere()},
		"many parts":            {searchOp(strings.Repeat("a=b,", 15_000)+"c=d", 0), wire.ResultInsufficientAccessRights, testApp()},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, nil, c.app).dial()
			p.wants(wire.ResultSuccess, searchOp("", 0)) // what is made once
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p.wants(c.code, c.op)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 2<<20 {
				t.Errorf("took %d KiB", took>>10)
			}
		})
	}
}

func TestDNThatUnfoldsIsNoneForWhoHasBound(t *testing.T) {
	p := start(t, nil).dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	p.wants(wire.ResultInvalidDNSyntax, searchOp(unfolding(), 0))
	p.wants(wire.ResultInvalidDNSyntax, searchOp("cn=#3003040161,"+testBase, 0))
}

// A stranger asks the root DSE again and again, to stay.
func TestStrangerHasNoMoreTimeByAsking(t *testing.T) {
	r := start(t, func(r *rig) { r.Limits.IdleUnbound = 200 * time.Millisecond }, elsewhere())
	p := r.dial()
	op := searchOp("", 0)
	for range 1 << 20 {
		if _, err := p.Write(p.put(op)); err != nil {
			break
		}
		if _, err := p.frames.Next(wire.MaxFrameBound); err != nil {
			break
		}
	}
	r.ends(byIdleness, 1)
}

func TestStrangersAreFew(t *testing.T) {
	r := start(t, func(r *rig) { r.Limits.Strangers = 2 }, elsewhere())
	a, b := r.dial(), r.dial()
	a.wants(wire.ResultSuccess, searchOp("", 0))
	b.wants(wire.ResultSuccess, searchOp("", 0))
	r.dial().gone()
	if r.count("disconnects_total", string(byStrangers)) != 1 {
		t.Error("not counted")
	}
	here, there := net.Pipe()
	r.take(&Listener{}, from(there, "192.0.2.7")) // an application has that
	newPeer(t, here).who()
	a.send(a.put(wire.Element(wire.OpUnbind)))
	a.gone()
	r.open(2)
	r.dial().wants(wire.ResultSuccess, searchOp("", 0))
}

// open waits until so many connections are. The place of one is free only once
// the server is through with it, which is after its socket was closed.
func (r *rig) open(n int) {
	for {
		r.crowd.mu.Lock()
		left := len(r.crowd.conns)
		r.crowd.mu.Unlock()
		if left == n {
			return
		}
		runtime.Gosched()
	}
}

// from gives a connection the address that it comes from.
func from(c net.Conn, addr string) net.Conn {
	return elsewhereFrom{c, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 4000))}
}

type elsewhereFrom struct {
	net.Conn
	remote net.Addr
}

func (e elsewhereFrom) RemoteAddr() net.Addr { return e.remote }

// Whoever has a /64 has as many addresses as they like.
func TestConnectionsOfOneNetworkAreBounded(t *testing.T) {
	app := testApp()
	app.Prefixes = []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("192.0.2.0/24")}
	r := start(t, func(r *rig) { r.Limits.PerAddress = 1 }, app)
	dial := func(addr string) *peer {
		here, there := net.Pipe()
		r.take(&Listener{}, from(there, addr))
		return newPeer(t, here)
	}
	a := dial("2001:db8:0:1::1")
	a.who()
	dial("2001:db8:0:1:ffff::2").gone()
	r.ends(byAddress, 1)
	dial("2001:db8:0:2::1").who()
	dial("192.0.2.1").who()
	dial("192.0.2.2").who()
	a.Close()
	r.open(3)
	dial("2001:db8:0:1::3").who()
}

// Each that is booked is a write that waits for the disk.
func TestStrangersHaveFewBindsBooked(t *testing.T) {
	r := start(t, nil, elsewhere())
	p := r.dial()
	booked := 0
	for range 100 {
		if p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123456")).diagnostic == reference {
			booked++
		}
	}
	if n := len(r.gate.booked()); booked != tallied || n != tallied {
		t.Errorf("of 100 in a second %d were told a reference, %d booked", booked, n)
	}
	if n := r.count("binds_total", string(bindUnbooked)); n != 90 {
		t.Errorf("%v counted as unbooked", n)
	}
	r.clock.move(time.Second)
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123456"))
	if faults := r.gate.booked(); len(faults) != tallied+1 || faults[tallied] != gate.FaultUnknownApp {
		t.Errorf("a second later: %v", faults)
	}
}

// What may not be bound in clear text may not be read in it either.
func TestAnonymousSearchWantsTLSWhereBindsDo(t *testing.T) {
	app := testApp()
	app.Anonymous = true
	r := start(t, func(r *rig) { r.listener.PlainBinds = false }, app)
	p := r.dial()
	p.wants(wire.ResultInsufficientAccessRights, searchOp(testBase, 2))
	p.wants(wire.ResultInsufficientAccessRights, wire.Element(wire.OpCompare, wire.Octets(aliceDN), wire.Element(wire.TagSequence, wire.Octets("uid"), wire.Octets("alice"))))
	p.wants(wire.ResultSuccess, searchOp("", 0))
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	p.secure()
	p.wants(wire.ResultSuccess, searchOp(testBase, 2))
}

func TestHandshakesUnderWayAreBounded(t *testing.T) {
	r := start(t, func(r *rig) { r.Limits.Handshakes = 1; r.Limits.Handshake = 20 * time.Millisecond })
	r.handshakes <- struct{}{} // somebody's, which does not end
	p := r.dial()
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	p.gone()
	r.ends(byTLS, 1)

	r = start(t, func(r *rig) { r.Limits.Handshakes = 1 })
	r.handshakes <- struct{}{}
	p = r.dial()
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	<-r.handshakes
	p.secure()
	p.who()
	if len(r.handshakes) != 0 {
		t.Error("a handshake that is over is under way")
	}
}
