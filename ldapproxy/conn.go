package ldapproxy

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
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

// conn is one client. It lives in one goroutine at a time, so while a bind is
// undecided nothing is read. What comes from a directory behind is written by
// another one: see write and call.
type conn struct {
	server   *Server
	listener *Listener
	number   uint64
	raw      net.Conn // the socket
	wire     net.Conn // what is read and written: the socket, or TLS over it
	marks             // what it is known by
	app      knownApp // that it is of
	frames   *wire.FrameReader
	behind   behind
	out      []byte    // replies that were not written yet
	until    time.Time // when the next message has to be there; zero: nobody waits yet
	begun    bool      // some of it is there
	timed    bool      // the socket's deadline is until
	large    int64     // octets of it that are counted: see hold
	counted  bool      // among the connections of its address
	stranger bool      // the address was no application's when it came
	came     time.Time
	frame    []byte       // what is being answered
	asked    wire.Message // the same, read
	session  session
	boundFor string // the application that it has bound for last

	called  atomic.Bool // see call
	waking  sync.Mutex  // held while a call ends a wait, or a handshake begins or ends
	shaking bool        // a handshake is under way, which no call ends
	ending  atomic.Pointer[disconnect]

	writing sync.Mutex // held while whole messages are written
	torn    error      // why none can be: one was cut short
}

// session is who has bound. The zero session is anonymous.
type session struct {
	dn      string     // as WhoAmI tells it; "": anonymous
	ticket  string     // public ID; of a person
	account *account   // of a service account
	table   *table     // under which it is good
	pages   tree.Pages // paged searches that go on

	// lent: who was admitted has not shown the password to the directory
	// behind, so what is asked there is asked as Upstream.Service.
	lent     bool
	observed bool // of an application that is only watched; perhaps nobody has bound
	over     bool // it has ended, and the client does not know yet
}

func (s session) bound() bool { return s.dn != "" }

// serve is the life of a connection. A handshake, and a bind that dials, leave
// a large stack behind, of which the runtime takes back but a part. So whoever
// has bound, and mostly rests from then on, does so in another goroutine.
func (c *conn) serve() {
	if why := c.live(c.begin); why != staying {
		c.close(why)
		return
	}
	go func() { c.close(c.live(c.goOn)) }()
}

// live is a part of that life. A handler that panics costs its own client the
// connection, and nobody else anything.
func (c *conn) live(part func() disconnect) (why disconnect) {
	defer func() {
		if p := recover(); p != nil {
			c.panicked(p)
			why = byPanic
		}
	}()
	return part()
}

// begin answers until somebody has bound.
func (c *conn) begin() disconnect {
	why := c.open()
	for why == staying && !c.session.bound() {
		why = c.step()
	}
	return why
}

// goOn answers until there is a reason to end.
func (c *conn) goOn() (why disconnect) {
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
	c.stranger = !c.server.table.Load().expects(c.marks)
	if why := c.server.crowd.count(c); why != staying {
		return why
	}
	if c.listener.TLS != nil && !c.listener.StartTLS {
		return c.handshake()
	}
	return staying
}

// knownApp is the answer to what was asked last.
type knownApp struct {
	table *table
	marks marks
	found *app
}

// appOf is the application that this connection is of, nil if there is none.
func (c *conn) appOf(t *table) *app {
	if c.app.table != t || c.app.marks != c.marks {
		c.app = knownApp{t, c.marks, t.find(c.marks)}
	}
	return c.app.found
}

// appName is the name of that application, "" if there is none.
func (c *conn) appName() string {
	if app := c.appOf(c.server.table.Load()); app != nil {
		return app.Name
	}
	return ""
}

// step reads one message and answers it.
func (c *conn) step() disconnect {
	limit := wire.MaxFrameUnbound
	if c.session.bound() {
		limit = c.behind.largest()
	}
	c.timed = false
	frame, err := c.frames.Next(limit)
	if c.called.Swap(false) {
		if why := c.answerCall(); why != staying || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errCalled) {
			return why
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.server.stopping.Load() && c.stays() {
		return staying
	}
	if err != nil {
		return c.lost(err)
	}
	c.frame = frame
	why := c.answer(frame)
	c.frame, c.asked = nil, wire.Message{}
	c.until, c.begun = time.Time{}, false
	c.letGo()
	if len(c.out) >= batch && why == staying {
		if err := c.flush(); err != nil {
			return c.lost(err)
		}
	}
	return why
}

// Read feeds the frame reader. It comes here only for octets that have not
// arrived, so this is the time to write what was gathered, to either side, and
// to start the clock.
func (c *conn) Read(p []byte) (int, error) {
	c.behind.send()
	if err := c.flush(); err != nil {
		return 0, err
	}
	if err := c.hold(c.frames.Buffered() + len(p)); err != nil {
		return 0, err
	}
	c.clock()
	if !c.timed {
		c.timed = true
		c.raw.SetReadDeadline(c.until)
		// Shutdown sets its flag first and then a deadline that has passed:
		// either ours was before that, or the flag is seen here. So does call.
		if c.server.stopping.Load() {
			return 0, errStopping
		}
		if c.called.Load() {
			return 0, errCalled
		}
	}
	return c.wire.Read(p)
}

var (
	errStopping = errors.New("shutting down")
	errCalled   = errors.New("called")
	errSlow     = errors.New("the client does not read")
	errFull     = errors.New("too much is held of large messages")
)

// lost tells why no further message could be read.
func (c *conn) lost(err error) disconnect {
	switch {
	case errors.Is(err, errSlow):
		return byWrite
	case c.server.stopping.Load():
		return byShutdown
	case errors.Is(err, os.ErrDeadlineExceeded) && c.begun && !c.stranger:
		return bySender
	case errors.Is(err, os.ErrDeadlineExceeded):
		return byIdleness
	case errors.Is(err, errFull):
		return byMemory
	case errors.Is(err, wire.ErrTooLarge):
		return bySize
	case errors.Is(err, wire.ErrFrame):
		return byProtocol
	}
	return byClient
}

// answer answers one message.
func (c *conn) answer(frame []byte) disconnect {
	m, err := c.behind.parse(frame)
	if errors.Is(err, wire.ErrFrame) {
		return byProtocol
	}
	c.asked = m
	if m.Op == wire.OpBind {
		defer clear(frame) // of the password
		c.leave()          // RFC 4511 §4.2.1: before anything is looked at
	}
	switch {
	case m.Op == wire.OpUnbind: // whatever its controls are
		return byUnbind
	case m.Op == wire.OpAbandon:
		c.behind.abandon(m)
		return staying
	case err != nil:
		return c.unreadable(m, err)
	}
	if m.Op == wire.OpBind {
		return c.bind(m)
	}
	if !c.serves(c.appOf(c.server.table.Load()), m) {
		return staying
	}
	return c.operate(m)
}

// serves reports whether a request may have the controls that it has, of this
// application. If not, it has been answered.
func (c *conn) serves(app *app, m wire.Message) bool {
	r := c.behind.controls(app, m)
	if r.Code == wire.ResultSuccess {
		return true
	}
	c.missed(app, m, r)
	c.reply(m, r)
	return false
}

// leave makes the session anonymous.
func (c *conn) leave() {
	c.behind.leave()
	c.session = session{}
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
	err := c.write(c.out)
	if cap(c.out) <= 2*batch {
		clean := c.out[:0]
		c.server.buffers.Put(&clean)
	}
	c.out = nil
	return err
}

// close says the last words, if there are any for this, and ends the
// connection.
func (c *conn) close(why disconnect) {
	c.behind.end(why)
	c.letGo()
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
