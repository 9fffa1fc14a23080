package ldapproxy

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"time"

	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

// batch is how many octets of replies are gathered before they are written.
const batch = 32 << 10

// linger is how long, and for how many octets, we listen after a notice: a
// socket closed over unread octets is reset, and the notice lost on its way.
const (
	linger       = time.Second
	lingerOctets = 256 << 10
)

// conn is one client. It lives in one goroutine, so requests are answered in
// the order they came, and while a bind is undecided nothing is read.
type conn struct {
	server   *Server
	listener *Listener
	number   uint64
	raw      net.Conn // the socket
	wire     net.Conn // what is read and written: the socket, or TLS over it
	addr     netip.Addr
	frames   *wire.FrameReader
	out      []byte // replies that were not written yet
	timed    bool   // the deadline of the present wait is set
	counted  bool   // among the connections of its address
	stranger bool   // the address was no application's when it came
	came     time.Time
	asked    wire.Message // what is being answered
	session  session
}

// session is who has bound. The zero session is anonymous.
type session struct {
	dn      string     // as WhoAmI tells it; "": anonymous
	ticket  string     // public ID; of a person
	account *account   // of a service account
	table   *table     // under which it is good
	pages   tree.Pages // paged searches that go on
}

func (s session) bound() bool { return s.dn != "" }

// serve is the life of a connection.
func (c *conn) serve() { c.close(c.live()) }

// live answers until there is a reason to end. A handler that panics costs
// its own client the connection, and nobody else anything.
func (c *conn) live() (why disconnect) {
	defer func() {
		if p := recover(); p != nil {
			c.panicked(p)
			why = byPanic
		}
	}()
	why = c.open()
	for why == staying {
		why = c.step()
	}
	return why
}

// open does what comes before the first message.
func (c *conn) open() disconnect {
	// Where a PROXY header is expected this waits for it.
	if at, err := netip.ParseAddrPort(c.raw.RemoteAddr().String()); err == nil {
		c.addr = at.Addr().Unmap().WithZone("")
	}
	c.stranger = c.server.table.Load().find(c.addr) == nil
	if why := c.server.crowd.count(c); why != staying {
		return why
	}
	if c.listener.TLS != nil && !c.listener.StartTLS {
		return c.handshake()
	}
	return staying
}

// step reads one message and answers it.
func (c *conn) step() disconnect {
	limit := wire.MaxFrameUnbound
	if c.session.bound() {
		limit = wire.MaxFrameBound
	}
	c.timed = false
	frame, err := c.frames.Next(limit)
	if err != nil {
		return c.lost(err)
	}
	why := c.answer(frame)
	c.asked = wire.Message{}
	if len(c.out) >= batch && why == staying {
		if err := c.flush(); err != nil {
			return c.lost(err)
		}
	}
	return why
}

// Read feeds the frame reader. It comes here only for octets that have not
// arrived, so this is the time to write what was gathered, and to start the
// clock: one deadline for a whole message, however slowly it drips.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	if !c.timed {
		c.timed = true
		c.raw.SetReadDeadline(c.deadline())
		// Shutdown sets its flag first and then a deadline that has passed:
		// either ours was before that, or the flag is seen here.
		if c.server.stopping.Load() {
			return 0, errStopping
		}
	}
	return c.wire.Read(p)
}

// deadline is until when the next message has to be there. A stranger gets no
// more time by asking again.
func (c *conn) deadline() time.Time {
	switch {
	case c.session.bound():
		return time.Now().Add(c.server.limits.IdleBound)
	case c.stranger:
		return c.came.Add(c.server.limits.IdleUnbound)
	}
	return time.Now().Add(c.server.limits.IdleUnbound)
}

var (
	errStopping = errors.New("shutting down")
	errSlow     = errors.New("the client does not read")
)

// lost tells why no further message could be read.
func (c *conn) lost(err error) disconnect {
	switch {
	case errors.Is(err, errSlow):
		return byWrite
	case c.server.stopping.Load():
		return byShutdown
	case errors.Is(err, os.ErrDeadlineExceeded):
		return byIdleness
	case errors.Is(err, wire.ErrTooLarge):
		return bySize
	case errors.Is(err, wire.ErrFrame):
		return byProtocol
	}
	return byClient
}

// answer answers one message.
func (c *conn) answer(frame []byte) disconnect {
	m, err := wire.ParseMessage(frame)
	if errors.Is(err, wire.ErrFrame) {
		return byProtocol
	}
	c.asked = m
	if m.Op == wire.OpBind {
		defer clear(frame)    // of the password
		c.session = session{} // RFC 4511 §4.2.1: before anything is looked at
	}
	switch {
	case m.Op == wire.OpUnbind: // whatever its controls are
		return byUnbind
	case m.Op == wire.OpAbandon: // what it names was answered before it was read
		return staying
	case err != nil:
		return c.unreadable(m, err)
	case !c.understands(m):
		c.reply(m, wire.Result{Code: wire.ResultUnavailableCritical, Diagnostic: "a critical control is not known"})
		return staying
	case m.Op == wire.OpBind:
		return c.bind(m)
	}
	return c.operate(m)
}

// understands reports whether no critical control is one that is not served
// for this operation (RFC 4511 §4.1.11).
func (c *conn) understands(m wire.Message) bool {
	for _, control := range m.Controls {
		if control.Critical && !wire.Serves(m.Op, control.OID) {
			return false
		}
	}
	return true
}

// unreadable answers a request that has an envelope, but no good content.
func (c *conn) unreadable(m wire.Message, err error) disconnect {
	r, last := wire.Fault(err)
	if last {
		return byProtocol
	}
	c.reply(m, r)
	return staying
}

// reply ends an operation.
func (c *conn) reply(m wire.Message, r wire.Result, controls ...wire.Control) {
	response, _ := wire.ResponseTo(m.Op)
	c.room()
	c.out = wire.AppendResult(c.out, m.ID, response, r, controls...)
	c.server.metrics.operation(m.Op, r.Code)
}

// room makes sure that there is a buffer for replies; a resting connection
// has none.
func (c *conn) room() {
	if c.out == nil {
		c.out = *c.server.buffers.Get().(*[]byte)
	}
}

// flush writes what was gathered, and gives the buffer back.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	c.raw.SetWriteDeadline(time.Now().Add(c.server.limits.Write))
	_, err := c.wire.Write(c.out)
	if cap(c.out) <= 2*batch {
		clean := c.out[:0]
		c.server.buffers.Put(&clean)
	}
	c.out = nil
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSlow
	}
	return err
}

// close says the last words, if there are any for this, and ends the
// connection.
func (c *conn) close(why disconnect) {
	notice, last := notices[why]
	if last {
		c.room()
		c.out = wire.AppendNotice(c.out, notice.Code, notice.Diagnostic)
	}
	if err := c.flush(); err == nil && last && why != byShutdown {
		c.drain()
	}
	c.server.metrics.connections.Dec()
	c.server.metrics.disconnects.WithLabelValues(string(why)).Inc()
	c.server.log.Debug("ldap connection ended", "connection", c.number, "from", c.addr.String(), "reason", string(why))
	c.wire.Close()
	c.server.crowd.leave(c)
}

// drain takes what the client has still sent, so that the last words arrive.
func (c *conn) drain() {
	half, ok := c.wire.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.raw.SetReadDeadline(time.Now().Add(linger))
	io.CopyN(io.Discard, c.raw, lingerOctets)
}

// panicked answers the operation that a handler failed at. The log gets the
// stack, which holds no content of the frame.
func (c *conn) panicked(p any) {
	stack := make([]byte, 16<<10)
	stack = stack[:runtime.Stack(stack, false)]
	c.server.log.Error("panic in an LDAP operation", "connection", c.number, "from", c.addr.String(), "panic", p, "stack", string(stack))
	if response, _ := wire.ResponseTo(c.asked.Op); response != 0 {
		c.reply(c.asked, wire.Result{Code: wire.ResultOther, Diagnostic: "internal error"})
	}
}
