package main

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// peerOf answers datagrams in this process with what reply makes of them.
func peerOf(t *testing.T, reply func(request []byte) []byte) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(outside, 0)))
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadBuffer(buffer)
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if r := reply(b[:n]); r != nil {
				conn.WriteToUDPAddrPort(r, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestLoadOnce(t *testing.T) {
	f := newForge()
	to := peerOf(t, func(request []byte) []byte { return answer(t, request) })
	tally, err := (&Load{
		To: to, Order: once, Window: 64,
		Requests: spread(600, 2, func(_ int, id byte) []byte { return f.access(id, "u1", password, "198.18.0.1") }),
	}).Run()
	if err != nil {
		t.Fatal(err)
	}
	if tally.Sent != 600 || tally.Accepted != 600 || tally.Lost+tally.Forged+tally.Stray+tally.Refused != 0 {
		t.Errorf("%+v", tally)
	}
	if len(tally.Latency) != 600 || tally.Quantile(0.99) < tally.Quantile(0.5) || tally.Rate() <= 0 {
		t.Errorf("p50 %v, p99 %v, %v/s", tally.Quantile(0.5), tally.Quantile(0.99), tally.Rate())
	}
}

func TestLoadUntilTheTimeIsOver(t *testing.T) {
	f := newForge()
	to := peerOf(t, func(request []byte) []byte { return request })
	for _, o := range []order{around, again} {
		tally, err := (&Load{
			To: to, Order: o, Window: 8, For: 20 * time.Millisecond, Unsigned: true,
			Requests: spread(16, 1, func(_ int, id byte) []byte { return f.status(id) }),
		}).Run()
		if err != nil {
			t.Fatal(err)
		}
		if tally.Sent <= 16 || tally.Answered() != tally.Sent || tally.Stray != 0 {
			t.Errorf("order %d: %d sent, %d answered, %d stray", o, tally.Sent, tally.Answered(), tally.Stray)
		}
	}
}

func TestLoadAtARate(t *testing.T) {
	f := newForge()
	to := peerOf(t, func(request []byte) []byte { return request })
	tally, err := (&Load{
		To: to, Order: once, Window: 64, Rate: 2_000, For: 50 * time.Millisecond, Unsigned: true,
		Requests: spread(1_000, 2, func(_ int, id byte) []byte { return f.status(id) }),
	}).Run()
	if err != nil {
		t.Fatal(err)
	}
	if tally.Sent == 0 || tally.Sent > 100 || tally.Answered() != tally.Sent {
		t.Errorf("%d sent, %d answered", tally.Sent, tally.Answered())
	}
}

// Replies that nobody signed are noticed.
func TestLoadForged(t *testing.T) {
	f := newForge()
	to := peerOf(t, func(request []byte) []byte { return request })
	tally, err := (&Load{
		To: to, Order: once, Window: 1, Requests: spread(1, 1, func(_ int, id byte) []byte { return f.status(id) }),
	}).Run()
	if err != nil {
		t.Fatal(err)
	}
	if tally.Forged != 1 {
		t.Errorf("%+v", tally)
	}
}

// What has no answer is lost, and its Identifier is free again.
func TestSweep(t *testing.T) {
	f := newForge()
	l := &Load{Order: again, Window: 1, Requests: spread(1, 1, func(_ int, id byte) []byte { return f.status(id) })}
	x := newLine(l, 0, new(net.UDPConn))
	start := time.Unix(0, 0)
	x.pending[0] = pending{x.pick(), start}
	x.open = 1
	if x.pick() != nil {
		t.Error("its Identifier was given out again")
	}
	x.sweep(start.Add(patience - 1))
	if x.tally.Lost != 0 {
		t.Error("given up too early")
	}
	x.sweep(start.Add(patience))
	if x.tally.Lost != 1 || x.open != 0 || x.pick() == nil {
		t.Errorf("%+v, %d open", x.tally, x.open)
	}
}

// Nobody waits for the answers to noise, but if some come they are counted.
func TestLoadNoise(t *testing.T) {
	f := newForge()
	for _, answered := range []bool{false, true} {
		to := peerOf(t, func(request []byte) []byte {
			if !answered {
				return nil
			}
			return request
		})
		start := time.Now()
		tally, err := (&Load{
			To: to, Rate: 20_000, For: 50 * time.Millisecond, Noise: true,
			Requests: spread(4, 2, func(_ int, id byte) []byte { return f.status(id) }),
		}).Run()
		if err != nil {
			t.Fatal(err)
		}
		if tally.Sent != 1_000 || tally.Answered()+tally.Lost != 0 || tally.Stray > 0 != answered {
			t.Errorf("answered %v: %+v", answered, tally)
		}
		if time.Since(start) > patience {
			t.Error("an answer was waited for")
		}
	}
}

// A second load through the same sockets comes from the same ports.
func TestLoadReopened(t *testing.T) {
	f := newForge()
	to := peerOf(t, func(request []byte) []byte { return request })
	m := newMemory()
	l := &Load{
		To: to, Order: once, Window: 8, Unsigned: true, Heard: m.heard,
		Requests: spread(16, 2, func(_ int, id byte) []byte { return f.status(id) }),
	}
	ports, err := l.open()
	if err != nil {
		t.Fatal(err)
	}
	defer ports.close()
	for range 2 {
		tally, err := l.through(ports)
		if err != nil {
			t.Fatal(err)
		}
		if tally.Accepted != 16 {
			t.Errorf("%+v", tally)
		}
	}
	if m.again != 16 || m.changed != 0 {
		t.Errorf("%d again, %d changed", m.again, m.changed)
	}
}
