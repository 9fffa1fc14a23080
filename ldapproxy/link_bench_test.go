package ldapproxy

import (
	"context"
	"net"
	"testing"

	"sekisho/ldapproxy/wire"
)

var (
	benchEntry   = wire.AppendEntry(nil, 2, aliceBehind, []wire.Attribute{{Name: "uid", Values: []string{"alice"}}, {Name: "cn", Values: []string{"Alice Liddell"}}})
	benchFound   = wire.AppendResult(benchEntry, 2, wire.OpSearchDone, wire.Result{})
	benchWelcome = wire.AppendResult(nil, 1, wire.OpBindResponse, wire.Result{})
)

// quick is an upstream that answers at once, with little of its own to be
// measured: what one read brings is one short request, a bind with the id 1 or
// a search with the id 2.
func quick(b *testing.B) Upstream {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4<<10)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					answer := benchFound
					if buf[5] == wire.OpBind {
						answer = benchWelcome
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return Upstream{Dial: func(ctx context.Context) (net.Conn, string, error) {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
		return c, "quick", err
	}}
}

// counting is an owner that only tells of what arrives.
type counting struct{ arrived chan struct{} }

func (c counting) deliver([]byte) error            { c.arrived <- struct{}{}; return nil }
func (c counting) stream([]byte, *wire.Rest) error { return nil }
func (c counting) upstreamLost(error)              {}

// A search that finds one entry, from the client's request in hand to its
// answer in hand.
func BenchmarkLinkSearch(b *testing.B) {
	p := newPool(quick(b))
	defer p.close()
	l, err := p.get(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	c := counting{make(chan struct{}, 1)}
	if err := l.attach(c, rules{}); err != nil {
		b.Fatal(err)
	}
	m, frame := requestOf(2, searchOp("dc=behind", 2))
	b.ReportAllocs()
	for b.Loop() {
		if err := l.forward(m, frame); err != nil {
			b.Fatal(err)
		}
		if err := l.flush(); err != nil {
			b.Fatal(err)
		}
		<-c.arrived
	}
}

// A bind by way of the pool.
func BenchmarkPoolBind(b *testing.B) {
	p := newPool(quick(b))
	defer p.close()
	r := bindRequest{id: 1, dn: aliceBehind, password: []byte("secret")}
	b.ReportAllocs()
	for b.Loop() {
		l, _, err := p.bind(b.Context(), r)
		if err != nil {
			b.Fatal(err)
		}
		p.put(l)
	}
}

// What lies between the sockets: 10 entries and their end, cut and sorted.
func BenchmarkPumpSort(b *testing.B) {
	var stream []byte
	for range 10 {
		stream = wire.AppendEntry(stream, 2, aliceBehind, []wire.Attribute{{Name: "uid", Values: []string{"alice"}}})
	}
	stream = wire.AppendResult(stream, 2, wire.OpSearchDone, wire.Result{})
	l := newLink(newPool(Upstream{}), nil, "")
	from := &again{stream}
	l.in = wire.NewBatchReader(from, &l.pool.buffers)
	l.owner = counting{make(chan struct{}, 100)}
	b.ReportAllocs()
	for b.Loop() {
		l.ops = append(l.ops, operation{id: 2, response: wire.OpSearchDone})
		if err := l.in.Fill(); err != nil {
			b.Fatal(err)
		}
		if err := l.pass(); err != nil {
			b.Fatal(err)
		}
		<-l.owner.(counting).arrived
	}
}

// again reads the same with each Read.
type again struct{ octets []byte }

func (a *again) Read(p []byte) (int, error) { return copy(p, a.octets), nil }
