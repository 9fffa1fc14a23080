// Package radiusd is the RADIUS door (RFC 2865, 2866, 2869, 3579, 5080, 5176,
// 5997).
//
// One request, told: a reader takes a batch of datagrams from its socket,
// finds the client by the longest prefix, checks the framing and then the
// Message-Authenticator. What fails is dropped in silence and counted; it
// never reaches the gate. A retransmission gets the very octets it was
// answered with, or nothing while it is in work; a Status-Server is answered
// on the spot. Anything else goes to a worker, which reads the credential,
// asks the gate once and builds the reply: Message-Authenticator first,
// Proxy-State copied. A refusal waits for its time; then the reply is kept
// for 30 seconds and leaves through the socket, from the address, that was
// asked. If the gate could not judge there is no reply at all, so that the
// NAS turns to its other server.
//
// An accounting record goes the same way, through a port and workers of its
// own: its authenticator shows who sent it, and it is answered once it is
// durable.
//
// The other way round, the gate is asked each second which sessions have to
// end or to change; their NASes are told, and what they answer is booked.
package radiusd

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"layeh.com/radius"
	"sekisho/gate"
)

// Gate is what this door needs of the gate. An error means that it could not
// judge: the server then keeps silent.
type Gate interface {
	// Admit judges an attempt.
	Admit(context.Context, gate.Request) (gate.Answer, error)

	// Refuse books a request that can't be judged, and words the refusal.
	Refuse(context.Context, gate.Request, gate.Fault) (gate.Answer, error)

	// Alive is false while nothing could be judged. It is asked for each
	// Status-Server and must not wait.
	Alive() bool
}

// Sessions is what this door needs to keep track of sessions.
type Sessions interface {
	// Account takes in an Accounting-Request; nil means that it is durable.
	Account(context.Context, gate.Accounting) error

	// Lease gives the ticket a tunnel address of the pool, zero if none is
	// free.
	Lease(ctx context.Context, client, ticket string, pool []netip.Prefix) (netip.Addr, error)

	// Orders are the sessions that their NAS has to end or to change. Obeyed
	// books what became of one.
	Orders(context.Context) ([]gate.Order, error)
	Obeyed(ctx context.Context, o gate.Order, result string, done bool) error
}

// Server answers Access-Request, Accounting-Request and Status-Server over
// UDP. Set the fields before the first call; Gate is the only one that must
// be set. Then call SetClients, Listen, Serve, and once Shutdown.
type Server struct {
	Gate     Gate
	Sessions Sessions              // nil: accounting is not taken, no address given out, no session ended
	Log      *slog.Logger          // nil: nothing is logged
	Metrics  prometheus.Registerer // nil: nothing is registered
	Now      func() time.Time      // nil: time.Now

	// After runs the function once the duration has passed, in a goroutine of
	// its own. Nil: time.AfterFunc.
	After func(time.Duration, func())

	Readers   int // sockets an address; 0: GOMAXPROCS
	Workers   int // requests that are judged at once; 0: 1,024
	Queue     int // requests that wait for a worker, more are dropped; 0: 4,096
	StatusMax int // Status-Server answers a second to one client; 0: 20

	// Accounting has workers of its own: when all NASes tell of everybody
	// after an outage, people still sign in.
	AcctWorkers int // records that are written at once; 0: 256
	AcctQueue   int // records that wait for a worker, more are dropped; 0: 4,096

	once    sync.Once
	log     *slog.Logger
	metrics *metrics
	table   atomic.Pointer[table]
	witness witness
	unknown *nas // stands for whoever is no client, in counters and log
	pool    pool // for Access-Requests
	records pool // for Accounting-Requests
	holds   holds

	ctx    context.Context // of the requests in work
	cancel context.CancelFunc

	ordering  context.Context // ends when Shutdown begins
	endOrders context.CancelFunc

	mu       sync.Mutex
	sockets  []*socket
	serving  bool
	closing  bool
	stopping atomic.Bool   // the readers stop
	quit     chan struct{} // closed when nothing is left to send
	done     chan struct{} // closed when Shutdown is through
	failed   chan error
	readers  sync.WaitGroup
	senders  sync.WaitGroup
	work     sync.WaitGroup // requests that were taken on and not finished
}

// ErrStarted is returned by a Listen or Serve that comes too late.
var ErrStarted = errors.New("radiusd: already serving, or shut down")

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
			s.After = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
		}
		s.Readers = orDefault(s.Readers, runtime.GOMAXPROCS(0))
		s.StatusMax = orDefault(s.StatusMax, 20)
		s.pool.init(orDefault(s.Workers, 1_024), orDefault(s.Queue, 4_096), s.run)
		s.records.init(orDefault(s.AcctWorkers, 256), orDefault(s.AcctQueue, 4_096), s.keep)
		s.metrics = newMetrics(s.Metrics)
		s.unknown = &nas{evidence: newEvidence(s.Now()), counters: counters{drops: s.metrics.drops("", dropClient)}}
		s.table.Store(newTable(nil, s.metrics))
		s.ctx, s.cancel = context.WithCancel(context.Background())
		s.ordering, s.endOrders = context.WithCancel(s.ctx)
		s.quit = make(chan struct{})
		s.done = make(chan struct{})
		s.failed = make(chan error, 1)
	})
}

func orDefault(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// SetClients puts another list of clients in force, at any time. Requests in
// work are answered under the old one; kept replies stay, for as long as the
// secret that they were made with does. Until the first call nobody is known.
func (s *Server) SetClients(clients *Clients) {
	s.setup()
	t := newTable(clients, s.metrics)
	for _, n := range t.all {
		n.evidence = s.witness.of(n.Name, s.Now())
	}
	s.table.Store(t)
}

// Addrs are the addresses that are listened on, in the order given to Listen.
func (s *Server) Addrs() (auth, acct []netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		addrs := &auth
		if k.takes == radius.CodeAccountingRequest {
			addrs = &acct
		}
		if len(*addrs) == 0 || (*addrs)[len(*addrs)-1] != k.local {
			*addrs = append(*addrs, k.local)
		}
	}
	return auth, acct
}

// Serve answers until Shutdown is through, and then returns nil. It returns
// an error if a socket fails for good; Shutdown is still to be called.
func (s *Server) Serve() error {
	s.setup()
	s.mu.Lock()
	if s.serving {
		s.mu.Unlock()
		return ErrStarted
	}
	if !s.closing {
		s.serving = true
		for _, k := range s.sockets {
			s.readers.Go(func() {
				if err := k.read(); err != nil {
					select {
					case s.failed <- err:
					default:
					}
				}
			})
			s.senders.Go(k.send)
		}
		if s.Sessions != nil {
			s.work.Go(func() { s.command(s.ordering) })
		}
	}
	s.mu.Unlock()
	select {
	case err := <-s.failed:
		return err
	case <-s.done:
		return nil
	}
}

// Shutdown stops reading, lets everything in work be answered, delayed
// refusals at their time, and closes the sockets. If ctx ends before that,
// what is left is dropped and the error is that of ctx.
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
	s.endOrders()
	for _, k := range s.sockets {
		k.conn.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
	}
	s.mu.Unlock()
	s.readers.Wait()

	drained := make(chan struct{})
	go func() {
		s.work.Wait()
		close(drained)
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.cancel()
	close(s.quit)
	s.pool.close()
	s.records.close()
	s.senders.Wait()
	for _, k := range s.sockets {
		k.conn.Close()
	}
	close(s.done)
	return err
}
