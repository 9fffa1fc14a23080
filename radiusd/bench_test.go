package radiusd

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"layeh.com/radius"
	"sekisho/gate"
)

func BenchmarkCheck(b *testing.B) {
	n := newTable(mustClients(b, testClient()), newMetrics(nil)).find(netip.MustParseAddr("127.0.0.1"))
	request := pap(1, "secret123456", text(31, "198.51.100.7"), number(5, 7))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, why := n.check(request, radius.CodeAccessRequest); why != kept {
			b.Fatal(why)
		}
	}
}

// BenchmarkDropped is what a packet of somebody without the secret costs, from
// the socket's view.
func BenchmarkDropped(b *testing.B) {
	r := prepare(b, func(r *rig) { r.Sessions = new(ledger) })
	if err := r.Listen([]string{"127.0.0.1:0"}, []string{"127.0.0.1:0"}); err != nil {
		b.Fatal(err)
	}
	defer r.down()
	auth, acct := r.sockets[0], r.sockets[len(r.sockets)-1]
	from := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1).To4(), Port: 5000}
	stranger := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1).To4(), Port: 5000}
	forged := tampered(pap(1, "secret123456", text(31, "198.51.100.7"), number(5, 7)), 4)
	for _, v := range []struct {
		name     string
		socket   *socket
		from     net.Addr
		datagram []byte
	}{
		{"wrong Message-Authenticator", auth, from, forged},
		{"no Message-Authenticator", auth, from, papWithoutMAC(1, testSecret, "secret123456")},
		{"wrong record", acct, from, record(1, "other", tells(gate.AccountingInterim)...)},
		{"wrong port", acct, from, forged},
		{"stranger", auth, stranger, forged},
	} {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := v.socket.receive(v.datagram, v.from, nil, testTime); ok {
					b.Fatal("answered")
				}
			}
		})
	}
}

// BenchmarkEcho is what a server that does nothing reaches.
func BenchmarkEcho(b *testing.B) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			c.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	roundTrips(b, c.LocalAddr().(*net.UDPAddr).AddrPort(), pap(1, "secret123456"))
}

func BenchmarkKeptReply(b *testing.B) {
	r := start(b, nil)
	roundTrips(b, r.addr, pap(1, "secret123456"))
}

func BenchmarkStatusServer(b *testing.B) {
	r := start(b, func(r *rig) { r.StatusMax = 1 << 30 })
	roundTrips(b, r.addr, build(radius.CodeStatusServer, 1, testSecret, authenticator()))
}

// BenchmarkAccess asks anew each time: the whole path with a gate that knows
// the answer.
func BenchmarkAccess(b *testing.B) {
	r := start(b, func(r *rig) { r.Log = nil })
	var variants [][]byte
	for i := range 16 {
		variants = append(variants, pap(0, "secret123456", number(5, uint32(i))))
	}
	p := dial(b, r.addr)
	const window = 32
	for id := range byte(window) {
		p.tell(reidentified(variants[0], id))
	}
	reply, round := make([]byte, 4096), make([]int, window)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N { // an Identifier is used again when it was answered, and not before
		if _, err := p.Read(reply); err != nil {
			b.Fatal(err)
		}
		id := reply[1]
		round[id]++
		p.tell(reidentified(variants[round[id]%len(variants)], id))
	}
}

// reidentified signs a request anew under another Identifier.
func reidentified(request []byte, id byte) []byte {
	b := bytes.Clone(request)
	b[1] = id
	at := len(b) - authLen
	clear(b[at:])
	sum := benchSecret.messageAuthenticator(b, at)
	copy(b[at:], sum[:])
	return b
}

var benchSecret = newSecret([]byte(testSecret))

// roundTrips keeps a window of one request under way on one socket.
func roundTrips(b *testing.B, to netip.AddrPort, request []byte) {
	p := dial(b, to)
	p.tell(request) // so that it is answered before it comes again
	p.hear()
	p.SetReadDeadline(time.Time{})
	const window = 32
	reply := make([]byte, 4096)
	b.ReportAllocs()
	b.ResetTimer()
	sent := 0
	for ; sent < min(window, b.N); sent++ {
		p.tell(request)
	}
	for range b.N {
		if _, err := p.Read(reply); err != nil {
			b.Fatal(err)
		}
		if sent < b.N {
			p.tell(request)
			sent++
		}
	}
}
