package linkstest

import (
	"context"
	"net"
	"testing"

	"sekisho/ldapproxy/wire"
)

// What Quick answers to a search with the id 2, and to a bind with the id 1.
var (
	Found = wire.AppendResult(wire.AppendEntry(nil, 2, Alice, []wire.Attribute{
		{Name: "uid", Values: []string{"alice"}}, {Name: "cn", Values: []string{"Alice Liddell"}},
	}), 2, wire.OpSearchDone, wire.Result{})
	Welcome = wire.AppendResult(nil, 1, wire.OpBindResponse, wire.Result{})
)

// Quick starts a server that answers at once, with little of its own to be
// measured, and returns how it is dialled: what one read brings is one short
// request, a bind with the id 1 or a search with the id 2.
func Quick(b *testing.B) func(context.Context) (net.Conn, string, error) {
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
			go answerQuickly(c)
		}
	}()
	return func(ctx context.Context) (net.Conn, string, error) {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
		return c, "quick", err
	}
}

func answerQuickly(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 4<<10)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
		answer := Found
		if buf[5] == wire.OpBind {
			answer = Welcome
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
