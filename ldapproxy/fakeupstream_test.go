package ldapproxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/ldapproxy/wire"
)

// fakeUpstream is a directory behind that does as it is told. Set the fields
// before the first connection.
type fakeUpstream struct {
	Upstream                          // to be given to a Server; its Dial comes here
	passwords map[string]string       // by DN
	answer    func(*exchange)         // a request other than Unbind; nil: usual
	dialled   func() error            // before each connection; an error: it is away
	tls       *tls.Config             // nil: in clear
	wrap      func(net.Conn) net.Conn // our side of a connection

	t        testing.TB
	listener net.Listener
	starts   sync.Once
	served   sync.WaitGroup

	mu     sync.Mutex
	change *sync.Cond // something below has changed
	over   bool
	conns  map[net.Conn]int // those that are open, by number
	dials  int
	binds  []seenBind
	frames []seenFrame
	tested chan struct{} // closed when the test is over
}

// seenBind is a simple bind that came.
type seenBind struct {
	Conn     int // number of the connection, from 1
	DN       string
	Password string
	Controls []wire.Control
}

// seenFrame is any request that came.
type seenFrame struct {
	Conn  int
	Op    byte
	ID    int32
	Frame []byte
}

const aliceBehind = "uid=alice,ou=people,dc=behind"

// newUpstream starts one on a free loopback port, where alice has the password
// "secret".
func newUpstream(t testing.TB) *fakeUpstream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &fakeUpstream{
		t: t, listener: l, passwords: map[string]string{aliceBehind: "secret"},
		conns: make(map[net.Conn]int), tested: make(chan struct{}),
	}
	u.change = sync.NewCond(&u.mu)
	u.Upstream = Upstream{Dial: u.dial, RootDSE: func() (map[string][]string, bool) {
		return map[string][]string{"namingContexts": {"dc=behind"}, "supportedLDAPVersion": {"3"}}, true
	}}
	t.Cleanup(func() {
		close(u.tested)
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

func (u *fakeUpstream) dial(ctx context.Context) (net.Conn, string, error) {
	u.starts.Do(func() { u.served.Go(u.accept) })
	if u.dialled != nil {
		if err := u.dialled(); err != nil {
			return nil, "", err
		}
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", u.listener.Addr().String())
	if err != nil {
		return nil, "", err
	}
	if u.wrap != nil {
		raw = u.wrap(raw)
	}
	if u.tls != nil {
		raw = tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	}
	return raw, "behind.example", nil
}

func (u *fakeUpstream) accept() {
	for {
		raw, err := u.listener.Accept()
		if err != nil {
			return
		}
		if u.tls != nil {
			raw = tls.Server(raw, u.tls)
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

func (u *fakeUpstream) serve(raw net.Conn, number int) {
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
		x := &exchange{up: u, Conn: raw, number: number, who: &who, frame: bytes.Clone(frame)}
		if x.Message, err = wire.ParseMessage(x.frame); err != nil {
			u.t.Errorf("upstream got %x: %v", frame, err)
			return
		}
		u.record(x)
		switch {
		case x.Op == wire.OpUnbind:
			return
		case u.answer != nil:
			u.answer(x)
		default:
			x.usual()
		}
	}
}

func (u *fakeUpstream) record(x *exchange) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.frames = append(u.frames, seenFrame{Conn: x.number, Op: x.Op, ID: x.ID, Frame: x.frame})
	if x.Op == wire.OpBind {
		b, err := x.Bind()
		if err != nil || !b.Simple {
			u.t.Errorf("upstream got a bind %x: %v", x.frame, err)
		}
		u.binds = append(u.binds, seenBind{Conn: x.number, DN: string(b.DN), Password: string(b.Password), Controls: x.Controls})
	}
	u.change.Broadcast()
}

// seenBinds are the binds that have come.
func (u *fakeUpstream) seenBinds() []seenBind {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.binds)
}

// seen are the requests that have come, of these operations, or all.
func (u *fakeUpstream) seen(ops ...byte) (found []seenFrame) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, f := range u.frames {
		if len(ops) == 0 || slices.Contains(ops, f.Op) {
			found = append(found, f)
		}
	}
	return found
}

// await waits until so many connections are open, and so many were made in
// all; -1: any number.
func (u *fakeUpstream) await(open, dials int) {
	u.t.Helper()
	u.awaitThat(func() bool {
		return (open < 0 || len(u.conns) == open) && (dials < 0 || u.dials == dials)
	})
}

// awaitSeen waits until so many requests of an operation have come.
func (u *fakeUpstream) awaitSeen(op byte, n int) {
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
func (u *fakeUpstream) awaitThat(holds func() bool) {
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

// cut closes the connections that are open, as a server does that ends.
func (u *fakeUpstream) cut() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		c.Close()
	}
}

// exchange is a request that came, and the connection that it came on.
type exchange struct {
	wire.Message
	net.Conn
	up     *fakeUpstream
	number int
	who    *string // who has bound
	frame  []byte
}

// send sends these octets, whatever they are.
func (x *exchange) send(octets ...[]byte) { x.Write(bytes.Join(octets, nil)) }

// result is the message that ends the operation.
func (x *exchange) result(code int, text string, controls ...wire.Control) []byte {
	op, _ := wire.ResponseTo(x.Op)
	return wire.AppendResult(nil, x.ID, op, wire.Result{Code: code, Diagnostic: text}, controls...)
}

// hang answers nothing from now on.
func (x *exchange) hang() { io.Copy(io.Discard, x.Conn) }

// usual is what a directory does: a bind is checked, WhoAmI tells who it was,
// a search finds the entry that is its base.
func (x *exchange) usual() {
	switch x.Op {
	case wire.OpAbandon:
	case wire.OpBind:
		b, err := x.Bind()
		if err != nil {
			x.send(x.result(wire.ResultProtocolError, ""))
			return
		}
		*x.who = ""
		password, known := x.up.passwords[string(b.DN)]
		switch {
		case len(b.Password) == 0: // RFC 4513 §5.1.2, as many a server has it
			x.send(x.result(wire.ResultSuccess, ""))
		case known && password == string(b.Password):
			*x.who = string(b.DN)
			x.send(x.result(wire.ResultSuccess, ""))
		default:
			x.send(x.result(wire.ResultInvalidCredentials, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4563"))
		}
	case wire.OpSearch:
		q, err := x.Search()
		if err != nil {
			x.send(x.result(wire.ResultProtocolError, ""))
			return
		}
		entry := wire.AppendEntry(nil, x.ID, q.Base, []wire.Attribute{{Name: "uid", Values: []string{"alice"}}})
		x.send(entry, x.result(wire.ResultSuccess, ""))
	case wire.OpExtended:
		if e, err := x.Extended(); err == nil && e.OID == wire.OIDWhoAmI {
			identity := ""
			if *x.who != "" {
				identity = "dn:" + *x.who
			}
			x.send(wire.AppendExtended(nil, x.ID, wire.Result{}, "", []byte(identity)))
			return
		}
		x.send(x.result(wire.ResultSuccess, ""))
	default:
		x.send(x.result(wire.ResultSuccess, ""))
	}
}

var errDown = errors.New("the server is down")

// fakeOwner stands for a client that a link is attached to.
type fakeOwner struct {
	arrived chan []byte // what was delivered; a large message in one piece
	lost    chan error
	broken  error         // that deliver returns
	gate    chan struct{} // not nil: deliver takes from it as it begins, and before it is done
}

func newOwner() *fakeOwner {
	return &fakeOwner{arrived: make(chan []byte, 1000), lost: make(chan error, 1)}
}

func (c *fakeOwner) deliver(frames []byte) error {
	if c.gate != nil {
		<-c.gate
		<-c.gate
	}
	if c.broken != nil {
		return c.broken
	}
	c.arrived <- bytes.Clone(frames)
	return nil
}

func (c *fakeOwner) stream(head []byte, rest *wire.Rest) error {
	if c.broken != nil {
		return c.broken
	}
	var whole bytes.Buffer
	whole.Write(head)
	_, err := rest.WriteTo(&whole)
	c.arrived <- whole.Bytes()
	return err
}

func (c *fakeOwner) upstreamLost(why error) { c.lost <- why }

// receive waits until n octets have come, and returns them.
func (c *fakeOwner) receive(t testing.TB, n int) []byte {
	t.Helper()
	var all []byte
	for len(all) < n {
		select {
		case b := <-c.arrived:
			all = append(all, b...)
		case why := <-c.lost:
			t.Fatalf("upstream lost after %d octets: %v", len(all), why)
		case <-time.After(20 * time.Second):
			t.Fatalf("%d octets came, not %d", len(all), n)
		}
	}
	return all
}

// told waits until the client was told that upstream is lost.
func (c *fakeOwner) told(t testing.TB) error {
	t.Helper()
	select {
	case why := <-c.lost:
		return why
	case <-time.After(20 * time.Second):
		t.Fatal("the client was told nothing")
	}
	return nil
}

// requestOf is a message of an operation as a client sends it, read.
func requestOf(id int32, op []byte, controls ...[]byte) (wire.Message, []byte) {
	rest := op
	if controls != nil {
		rest = append(bytes.Clone(op), wire.Element(wire.TagControls, controls...)...)
	}
	frame := wire.Element(wire.TagSequence, wire.AppendNumber(nil, wire.TagInteger, id), rest)
	m, err := wire.ParseMessage(frame)
	if err != nil {
		panic(err)
	}
	return m, frame
}
