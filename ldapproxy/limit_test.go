package ldapproxy

import (
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"sekisho/ldapproxy/wire"
)

// addressed is a pipe that has an address.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.9:4000"))
}

// Whoever asks and never reads must not hold us.
func TestSlowReaderIsCut(t *testing.T) {
	r := start(t, func(r *rig) { r.Limits.Write = 20 * time.Millisecond })
	here, there := net.Pipe() // has no buffer at all
	r.take(&Listener{}, addressed{there})
	p := newPeer(t, here)
	p.send(p.put(extendedOp(wire.OIDWhoAmI)))
	r.ends(byWrite, 1)
}

func TestConnectionsAreBounded(t *testing.T) {
	r := start(t, func(r *rig) { r.Limits.Connections = 2 })
	a, b := r.dial(), r.dial()
	a.who()
	b.who()
	r.dial().gone()
	if r.count("disconnects_total", string(byCap)) != 1 || r.count("connections") != 2 {
		t.Error("not counted")
	}
	a.send(a.put(wire.Element(wire.OpUnbind)))
	a.gone()
	r.open(1)
	r.dial().who()
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	r := start(t, func(r *rig) { r.Limits.PerAddress = 1 })
	a := r.dial()
	a.who()
	r.dial().gone()
	here, there := net.Pipe()
	r.take(&Listener{}, addressed{there}) // another address
	newPeer(t, here).who()
	a.who()
	if r.count("disconnects_total", string(byAddress)) != 1 {
		t.Error("not counted")
	}
}

// Applications keep pools of connections that do nothing for hours.
func TestIdleConnectionsAreCheap(t *testing.T) {
	const crowd, most = 2000, 20 << 10
	r := start(t, func(r *rig) { r.Log = nil })
	measure := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	r.dial().wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456")) // what is made once
	before := measure()
	clients := make([]net.Conn, crowd)
	octets := (&peer{}).put(bindOp(mailDN, mailPassword))
	for i := range clients {
		socket, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		clients[i] = socket
	}
	answer := make([]byte, 64)
	for _, c := range clients {
		if _, err := c.Write(octets); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(answer); err != nil {
			t.Fatal(err)
		}
	}
	after := measure()
	if r.count("connections") != crowd+1 {
		t.Fatalf("%v connections", r.count("connections"))
	}
	each := (after - before) / crowd
	t.Logf("%d octets a connection, the client's side included", each)
	if each > most {
		t.Errorf("%d octets a connection, more than %d", each, most)
	}
	runtime.KeepAlive(clients)
}
