// Package ldapproxy is the LDAP door: legacy applications bind people here.
//
// One connection, told: it is accepted from an address that an application
// has. The frame reader takes one message, checked for size and depth before
// anything is allocated. A bind makes the session anonymous first; its DN
// becomes a name, the gate judges password and code, and the answer is
// success or 49 with a reference. Searches and compares are then answered
// from the embedded directory, which holds the people and groups of the local
// accounts. Nothing is ever written.
//
// Or there is a directory behind. Then the gate, once the code is right, has
// the password tried by a bind on a link of this client's own, and after that
// requests and answers pass over the link as they are, but for those by which
// a password could be tried past the gate.
//
// The protocol is in package wire; a session in conn.go and bind.go. What
// comes after a bind begins in operation.go, and goes on in embedded.go, with
// package tree, or in the files relay*.go, with package links.
package ldapproxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sekisho/gate"
	"sekisho/ldapproxy/insight"
	"sekisho/ldapproxy/links"
	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

// Gate is what the door asks.
type Gate interface {
	Admit(context.Context, gate.Request) (gate.Answer, error)
	Refuse(context.Context, gate.Request, gate.Fault) (gate.Answer, error)
	// Live reports whether the ticket with this public ID still lives, and
	// counts as using it. Stands does not count.
	Live(ctx context.Context, id string) (bool, error)
	Stands(ctx context.Context, id string) (bool, error)
	// Observe books what Admit would have decided of an attempt that is passed
	// on whatever that is; Verify passes it on.
	Observe(context.Context, gate.Request) (gate.Answer, error)
}

// Server is the LDAP door. Set the fields before the first call: Gate, and
// either People and Base or Upstream must be set. Then call SetApps, Serve,
// and once Shutdown.
type Server struct {
	Gate     Gate
	Upstream *Upstream // the directory behind; nil: the embedded one

	People  tree.People
	Base    string // DN of the embedded directory, such as dc=example,dc=ac,dc=jp
	Posix   tree.Posix
	Log     *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil counts nothing
	Now     func() time.Time      // nil: the machine's
	Limits  Limits

	// After is when a refusal may leave that waits so long. Nil: time.After.
	After func(time.Duration) <-chan time.Time

	once       sync.Once
	log        *slog.Logger
	metrics    *metrics
	limits     Limits
	table      atomic.Pointer[table]
	forest     *tree.Forest // the embedded directory; nil: err, or links
	links      *links.Pool  // to the directory behind
	err        error        // why there is none
	crowd      crowd
	handshakes chan struct{}   // TLS handshakes under way
	strangers  tally           // binds from addresses of no application that were booked
	guesses    guesses         // at service accounts of the directory behind
	evidence   insight.Archive // what was seen of applications
	buffers    sync.Pool       // of *[]byte, for replies
	numbers    atomic.Uint64
	large      atomic.Int64 // octets held of large messages

	ctx    context.Context // of the operations in work
	cancel context.CancelFunc

	mu        sync.Mutex
	listeners []Listener
	serving   bool
	closing   bool
	stopping  atomic.Bool   // nothing more is read
	done      chan struct{} // closed when Shutdown is through
	failed    chan error
}

// ErrStarted is returned by a Serve that comes too late.
var ErrStarted = errors.New("ldapproxy: already serving, or shut down")

// setup fills in what was left zero, once.
func (s *Server) setup() {
	s.once.Do(func() {
		s.log = s.Log
		if s.log == nil {
			s.log = slog.New(slog.DiscardHandler)
		}
		if s.Now == nil {
			s.Now = time.Now
		}
		if s.After == nil {
			s.After = time.After
		}
		s.limits = s.Limits.withDefaults()
		s.crowd.init(s.limits)
		s.handshakes = make(chan struct{}, s.limits.Handshakes)
		s.buffers.New = func() any { return new(make([]byte, 0, 4<<10)) }
		s.metrics = newMetrics(s.Metrics)
		s.table.Store(newTable(nil))
		s.ctx, s.cancel = context.WithCancel(context.Background())
		if s.Upstream != nil {
			s.links = links.NewPool(s.Upstream.directory())
		} else {
			s.forest, s.err = tree.NewForest(s.Base, s.Posix, nil, s.People, s.log, s.Now)
		}
		s.done = make(chan struct{})
		s.failed = make(chan error, 1)
	})
}

// SetApps puts another list of applications in force, at any time. The next
// bind is judged under it; a service account that is gone, or has another
// password, is signed out at its next operation. Until the first call no
// application is known.
func (s *Server) SetApps(apps *Apps) {
	s.setup()
	t := newTable(apps)
	s.table.Store(t)
	if s.forest != nil {
		s.forest.SetServices(t.services)
	}
	if s.links != nil {
		s.links.Among(len(t.apps))
		s.crowd.each(lookUp) // what is answered now was perhaps allowed only then
	}
}

// Serve answers on the listeners until Shutdown is through, and then returns
// nil. Shutdown closes them. It returns an error if Base is none, or if a
// listener fails for good; Shutdown is still to be called.
func (s *Server) Serve(listeners ...Listener) error {
	s.setup()
	if s.err != nil {
		return fmt.Errorf("ldap: %w", s.err)
	}
	s.mu.Lock()
	if s.serving || s.closing {
		s.mu.Unlock()
		return ErrStarted
	}
	s.serving = true
	s.listeners = listeners
	for i := range listeners {
		go s.accept(&listeners[i])
	}
	if s.links != nil {
		go s.sweep(sweepEvery, lookUp)
		go s.sweep(spareEvery, giveBack)
	}
	s.mu.Unlock()
	select {
	case err := <-s.failed:
		return err
	case <-s.done:
		return nil
	}
}

// accept takes connections until its listener is closed.
func (s *Server) accept(l *Listener) {
	for {
		raw, err := l.Accept()
		switch {
		case err == nil:
			s.take(l, raw)
		case s.stopping.Load():
			return
		case errors.Is(err, net.ErrClosed):
			select {
			case s.failed <- fmt.Errorf("ldap: accept on %v: %w", l.Addr(), err):
			default:
			}
			return
		default: // out of descriptors, or the client is gone again
			s.log.Error("could not accept", "address", l.Addr().String(), "error", err)
			select {
			case <-s.After(acceptPause):
			case <-s.ctx.Done():
				return
			}
		}
	}
}

// acceptPause keeps a lack of descriptors from becoming a busy loop.
const acceptPause = 100 * time.Millisecond

// take begins a connection.
func (s *Server) take(l *Listener, raw net.Conn) {
	c := s.newConn(l, raw)
	if !s.crowd.enter(c) {
		s.metrics.disconnects.WithLabelValues(string(byCap)).Inc()
		raw.Close()
		return
	}
	s.metrics.connections.Inc()
	go c.serve()
}

func (s *Server) newConn(l *Listener, raw net.Conn) *conn {
	c := &conn{server: s, listener: l, number: s.numbers.Add(1), raw: raw, wire: raw, came: time.Now()}
	c.through = l.Name
	c.frames = wire.NewFrameReader(c)
	c.behind = s.directory(c)
	return c
}

// Shutdown stops accepting, lets the operations in work be answered, says
// good-bye on every connection and closes it. If ctx ends before that, what
// is left is cut and the error is that of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.setup()
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		<-s.done
		return nil
	}
	s.closing = true
	s.stopping.Store(true)
	for _, l := range s.listeners {
		l.Close()
	}
	s.mu.Unlock()
	s.crowd.wake()

	drained := make(chan struct{})
	go func() {
		s.crowd.left.Wait()
		close(drained)
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.cancel()
	s.crowd.cut()
	if s.links != nil {
		s.links.Close()
	}
	close(s.done)
	return err
}

// Listener is one address that the door listens at.
type Listener struct {
	net.Listener             // TCP; what wraps it has dealt with the PROXY header
	Name         string      // as applications name it
	TLS          *tls.Config // nil: no TLS here, and no StartTLS
	StartTLS     bool        // ldap://: TLS begins when asked for; false: at once
	PlainBinds   bool        // allow a password in clear text
	Zone         string      // of everybody who comes here; "": by the application
	How          string      // how the clients' addresses are known; "": "socket"
}
