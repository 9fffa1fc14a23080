// Package linkstest holds directories behind, for tests: one that does as it is
// told, and a quick one for benchmarks.
package linkstest

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/ldapproxy/wire"
)

// Server is a directory behind that does as it is told. Set the fields
// before the first connection.
type Server struct {
	Passwords map[string]string       // by DN
	Reply     func(*Exchange)         // to a request other than Unbind; nil: Usual
	Dialled   func() error            // before each connection; an error: it is away
	TLS       *tls.Config             // nil: in clear
	Wrap      func(net.Conn) net.Conn // our side of a connection

	t        testing.TB
	listener net.Listener
	starts   sync.Once
	served   sync.WaitGroup

	mu     sync.Mutex
	change *sync.Cond // something below has changed
	over   bool
	conns  map[net.Conn]int // those that are open, by number
	dials  int
	binds  []SeenBind
	frames []SeenFrame
}

// SeenBind is a simple bind that came.
type SeenBind struct {
	Conn     int // number of the connection, from 1
	DN       string
	Password string
	Controls []wire.Control
}

// SeenFrame is any request that came.
type SeenFrame struct {
	Conn  int
	Op    byte
	ID    int32
	Frame []byte
}

// Alice is the DN of the one person that there is.
const Alice = "uid=alice,ou=people,dc=behind"

// NewServer starts one on a free loopback port, where alice has the password
// "secret".
func NewServer(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &Server{
		t: t, listener: l, Passwords: map[string]string{Alice: "secret"},
		conns: make(map[net.Conn]int),
	}
	u.change = sync.NewCond(&u.mu)
	t.Cleanup(func() {
		l.Close()
		u.mu.Lock()
		u.over = true
		for c := range u.conns {
			c.Close()
		}
		u.mu.Unlock()
		u.served.Wait()
	})
	return u
}

// Dial connects to it, and names it behind.example.
func (u *Server) Dial(ctx context.Context) (net.Conn, string, error) {
	u.starts.Do(func() { u.served.Go(u.accept) })
	if u.Dialled != nil {
		if err := u.Dialled(); err != nil {
			return nil, "", err
		}
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", u.listener.Addr().String())
	if err != nil {
		return nil, "", err
	}
	if u.Wrap != nil {
		raw = u.Wrap(raw)
	}
	if u.TLS != nil {
		raw = tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	}
	return raw, "behind.example", nil
}

func (u *Server) accept() {
	for {
		raw, err := u.listener.Accept()
		if err != nil {
			return
		}
		if u.TLS != nil {
			raw = tls.Server(raw, u.TLS)
		}
		u.mu.Lock()
		if u.over {
			raw.Close()
		} else {
			u.dials++
			u.conns[raw] = u.dials
			u.change.Broadcast()
			number := u.dials
			u.served.Go(func() { u.serve(raw, number) })
		}
		u.mu.Unlock()
	}
}

func (u *Server) serve(raw net.Conn, number int) {
	defer func() {
		raw.Close()
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.conns, raw)
		u.change.Broadcast()
	}()
	frames := wire.NewFrameReader(raw)
	who := ""
	for {
		frame, err := frames.Next(wire.MaxFrameRelay)
		if err != nil {
			return
		}
		x := &Exchange{up: u, Conn: raw, Number: number, Who: &who, Frame: bytes.Clone(frame)}
		if x.Message, err = wire.ParseMessage(x.Frame); err != nil {
			u.t.Errorf("upstream got %x: %v", frame, err)
			return
		}
		u.record(x)
		switch {
		case x.Op == wire.OpUnbind:
			return
		case u.Reply != nil:
			u.Reply(x)
		default:
			x.Usual()
		}
	}
}

func (u *Server) record(x *Exchange) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.frames = append(u.frames, SeenFrame{Conn: x.Number, Op: x.Op, ID: x.ID, Frame: x.Frame})
	if x.Op == wire.OpBind {
		b, err := x.Bind()
		if err != nil || !b.Simple {
			u.t.Errorf("upstream got a bind %x: %v", x.Frame, err)
		}
		u.binds = append(u.binds, SeenBind{Conn: x.Number, DN: string(b.DN), Password: string(b.Password), Controls: x.Controls})
	}
	u.change.Broadcast()
}

// SeenBinds are the binds that have come.
func (u *Server) SeenBinds() []SeenBind {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.binds)
}

// Seen are the requests that have come, of these operations, or all.
func (u *Server) Seen(ops ...byte) (found []SeenFrame) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, f := range u.frames {
		if len(ops) == 0 || slices.Contains(ops, f.Op) {
			found = append(found, f)
		}
	}
	return found
}

// Await waits until so many connections are open, and so many were made in
// all; -1: any number.
func (u *Server) Await(open, dials int) {
	u.t.Helper()
	u.awaitThat(func() bool {
		return (open < 0 || len(u.conns) == open) && (dials < 0 || u.dials == dials)
	})
}

// AwaitSeen waits until so many requests of an operation have come.
func (u *Server) AwaitSeen(op byte, n int) {
	u.t.Helper()
	u.awaitThat(func() bool {
		have := 0
		for _, f := range u.frames {
			if f.Op == op {
				have++
			}
		}
		return have >= n
	})
}

// awaitThat waits until something holds, which is looked at with mu held.
func (u *Server) awaitThat(holds func() bool) {
	u.t.Helper()
	late := false
	limit := time.AfterFunc(20*time.Second, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		late = true
		u.change.Broadcast()
	})
	defer limit.Stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	for !holds() {
		if late {
			u.t.Fatalf("upstream has %d connections open of %d, %d frames came", len(u.conns), u.dials, len(u.frames))
		}
		u.change.Wait()
	}
}

// Cut closes the connections that are open, as a server does that ends.
func (u *Server) Cut() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		c.Close()
	}
}
