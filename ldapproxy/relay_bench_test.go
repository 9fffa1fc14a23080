package ldapproxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"sekisho/gate"
	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// benchRelay is a relay before a quick upstream, that nobody listens to.
func benchRelay(b *testing.B) *relayRig {
	return startRelay(b, func(r *relayRig) {
		r.up.Upstream = Upstream{Dial: linkstest.Quick(b)}
		r.Log = slog.New(slog.DiscardHandler)
		r.gate = nil
		r.Gate = opening{r.Gate}
	})
}

// opening is a gate that leaves it to the directory behind.
type opening struct{ Gate }

func (opening) Admit(ctx context.Context, r gate.Request) (gate.Answer, error) {
	if _, err := r.Verify(ctx, aliceBehind, r.Password); err != nil {
		return gate.Answer{}, err
	}
	answer := welcome()
	answer.Person.DN = aliceBehind
	return answer, nil
}

// asks writes a request and reads its answer, which it does not look at.
func asks(b *testing.B, c net.Conn, request []byte, answer int) {
	if _, err := c.Write(request); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, answer)); err != nil {
		b.Fatal(err)
	}
}

func dialRelay(b *testing.B, r *relayRig) net.Conn {
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func BenchmarkRelaySearch(b *testing.B) {
	r := benchRelay(b)
	c := dialRelay(b, r)
	defer c.Close()
	_, bind := linkstest.Request(1, bindOp(aliceBehind, "secret"))
	_, search := linkstest.Request(2, searchOp("dc=behind", 2))
	asks(b, c, bind, len(linkstest.Welcome))
	b.ReportAllocs()
	for b.Loop() {
		asks(b, c, search, len(linkstest.Found))
	}
}

func BenchmarkRelayBind(b *testing.B) {
	r := benchRelay(b)
	c := dialRelay(b, r)
	defer c.Close()
	_, bind := linkstest.Request(1, bindOp(aliceBehind, "secret"))
	b.ReportAllocs()
	for b.Loop() {
		asks(b, c, bind, len(linkstest.Welcome))
	}
}

func BenchmarkRelayConnect(b *testing.B) {
	r := benchRelay(b)
	_, bind := linkstest.Request(1, bindOp(aliceBehind, "secret"))
	_, bye := linkstest.Request(3, wire.Element(wire.OpUnbind))
	b.ReportAllocs()
	for b.Loop() {
		c := dialRelay(b, r)
		asks(b, c, bind, len(linkstest.Welcome))
		if _, err := c.Write(bye); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
