package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	perSocket  = 32 // of the window
	maxSockets = 8
	buffer     = 4 << 20
	afterward  = 500 * time.Millisecond // that the answers to the last copies may take
)

// order is which request leaves next.
type order int

const (
	around order = iota // the next one, and after the last the first
	once                // the next one, until there are no more
	again               // the very one that was answered
)

// Load sends requests to a server and counts what comes back. Nothing is
// retransmitted unless there are Copies. The requests are built before the
// time starts.
type Load struct {
	To       netip.AddrPort
	From     netip.Addr // local address; the zero one is outside
	Requests [][][]byte // of each socket; see spread
	Order    order
	Window   int           // outstanding at once; as long as one is, none is sent for it
	Rate     float64       // requests a second, answered or not; 0: by the window
	For      time.Duration // 0: until there are no more
	Unsigned bool          // the peer only echoes
	Noise    bool          // with a Rate: nobody shall answer, an answer is a stray

	// Copies, with a Rate, are when each request is sent again, answered or
	// not, reckoned from the first time.
	Copies []time.Duration

	// Heard, if not nil, is told of each answer to the request that was the
	// last of its Identifier, also of the second to the same. Several
	// goroutines call it.
	Heard func(request, reply []byte)
}

// ports are the sockets of a Load: of another one, too, if it is to come from
// the same ports.
type ports []*net.UDPConn

func (p ports) close() {
	for _, conn := range p {
		conn.Close()
	}
}

// sockets is how many a window needs: a source port has 256 Identifiers, and
// the kernel spreads source ports over a server's sockets.
func sockets(window int) int { return min(max(window/perSocket, 1), maxSockets) }

// spread builds n requests and deals them out. The k-th of a socket has the
// Identifier k modulo 256.
func spread(n, sockets int, build func(i int, id byte) []byte) [][][]byte {
	requests := make([][][]byte, sockets)
	for s := range requests {
		requests[s] = make([][]byte, 0, n/sockets+1)
	}
	for i := range n {
		s := i % sockets
		requests[s] = append(requests[s], build(i, byte(len(requests[s])%idents)))
	}
	return requests
}

// Run sends and waits for the last reply.
func (l *Load) Run() (*Tally, error) {
	p, err := l.open()
	if err != nil {
		return nil, err
	}
	defer p.close()
	return l.through(p)
}

// open opens a socket for each list of requests.
func (l *Load) open() (ports, error) {
	if !l.From.IsValid() {
		l.From = outside
	}
	var p ports
	for range l.Requests {
		conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(l.From, 0)), net.UDPAddrFromAddrPort(l.To))
		if err != nil {
			p.close()
			return nil, fmt.Errorf("load: %w", err)
		}
		conn.SetReadBuffer(buffer)
		conn.SetWriteBuffer(buffer)
		p = append(p, conn)
	}
	return p, nil
}

// through is Run through sockets that are open, and stay so.
func (l *Load) through(p ports) (*Tally, error) {
	lines := make([]*line, len(p))
	for i, conn := range p {
		lines[i] = newLine(l, i, conn)
	}
	start := time.Now()
	var wait sync.WaitGroup
	for _, x := range lines {
		x.start = start
		wait.Go(x.listen)
	}
	if l.Rate > 0 {
		l.pace(lines, start)
	}
	wait.Wait()

	var t Tally
	var errs []error
	for _, x := range lines {
		errs = append(errs, x.err)
		t.Sent += x.tally.Sent
		t.Accepted += x.tally.Accepted
		t.Refused += x.tally.Refused
		t.Lost += x.tally.Lost
		t.Copies += x.tally.Copies
		t.Forged += x.tally.Forged
		t.Stray += x.tally.Stray
		t.Took = max(t.Took, x.tally.Took)
		t.Latency = append(t.Latency, x.tally.Latency...)
	}
	slices.Sort(t.Latency)
	return &t, errors.Join(errs...)
}

// pace sends at the rate, whatever comes back, and then the copies that are
// left.
func (l *Load) pace(lines []*line, start time.Time) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := l.For
	if len(l.Copies) > 0 {
		end += slices.Max(l.Copies) + afterward
	}
	turn, sent := 0, 0
	for now := range tick.C {
		past := now.Sub(start)
		for due := int(min(past, l.For).Seconds() * l.Rate); sent < due; sent++ {
			lines[turn].postOne(now)
			turn = (turn + 1) % len(lines)
		}
		if len(l.Copies) > 0 {
			for _, x := range lines {
				x.postCopies(now)
			}
		}
		if past >= end {
			break
		}
	}
	for _, x := range lines {
		x.stop()
	}
}
