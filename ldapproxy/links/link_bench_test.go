package links

import (
	"testing"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// counting is an owner that only tells of what arrives.
type counting struct{ arrived chan struct{} }

func (c counting) Deliver([]byte) error            { c.arrived <- struct{}{}; return nil }
func (c counting) Stream([]byte, *wire.Rest) error { return nil }
func (c counting) LinkLost(error)                  {}

// A search that finds one entry, from the client's request in hand to its
// answer in hand.
func BenchmarkLinkSearch(b *testing.B) {
	p := NewPool(Directory{Dial: linkstest.Quick(b)})
	defer p.Close()
	l, err := p.get(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	c := counting{make(chan struct{}, 1)}
	if err := l.Attach(c, Rules{}); err != nil {
		b.Fatal(err)
	}
	m, frame := linkstest.Request(2, searchOp("dc=behind", 2))
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Forward(m, frame); err != nil {
			b.Fatal(err)
		}
		if err := l.Flush(); err != nil {
			b.Fatal(err)
		}
		<-c.arrived
	}
}

// A bind by way of the pool.
func BenchmarkPoolBind(b *testing.B) {
	p := NewPool(Directory{Dial: linkstest.Quick(b)})
	defer p.Close()
	r := BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}
	b.ReportAllocs()
	for b.Loop() {
		l, _, err := p.Bind(b.Context(), r)
		if err != nil {
			b.Fatal(err)
		}
		p.Put(l)
	}
}

// What lies between the sockets: 10 entries and their end, cut and sorted.
func BenchmarkPumpSort(b *testing.B) {
	var stream []byte
	for range 10 {
		stream = wire.AppendEntry(stream, 2, aliceBehind, []wire.Attribute{{Name: "uid", Values: []string{"alice"}}})
	}
	stream = wire.AppendResult(stream, 2, wire.OpSearchDone, wire.Result{})
	l := newLink(NewPool(Directory{}), nil, "")
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
