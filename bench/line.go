package main

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"layeh.com/radius"
)

const (
	patience    = 3 * time.Second // a request without an answer is lost
	batchSize   = 64              // datagrams a system call
	sampleEvery = 64              // replies, of which one has its authenticators checked
)

// line is one socket with what is outstanding on it.
type line struct {
	load  *Load
	conn  *net.UDPConn
	batch *ipv4.PacketConn
	forge *forge
	start time.Time
	out   []ipv4.Message

	mu       sync.Mutex
	requests [][]byte
	next     int
	pending  [idents]pending
	last     [idents][]byte // request of each Identifier, answered or not
	sent     []pending      // in this order, for the copies
	copied   []int          // how many of them, for each of the Copies
	open     int            // how many are pending
	window   int
	stopped  bool
	tally    Tally
	err      error
}

type pending struct {
	request []byte // nil: none
	sent    time.Time
}

func newLine(l *Load, i int, conn *net.UDPConn) *line {
	x := &line{
		load: l, conn: conn, batch: ipv4.NewPacketConn(conn), forge: newForge(), requests: l.Requests[i],
		out:    make([]ipv4.Message, idents),
		copied: make([]int, len(l.Copies)),
		window: l.Window / len(l.Requests),
	}
	if i < l.Window%len(l.Requests) {
		x.window++
	}
	for i := range x.out {
		x.out[i].Buffers = make([][]byte, 1)
	}
	x.tally.Latency = make([]uint32, 0, 1<<16)
	return x
}

// listen takes replies until nothing more is to be sent and nothing is
// outstanding.
func (x *line) listen() {
	in := make([]ipv4.Message, batchSize)
	for i := range in {
		in[i].Buffers = [][]byte{make([]byte, 4096)}
	}
	if x.load.Rate == 0 {
		x.post(x.start)
	}
	swept := x.start
	for !x.done() {
		x.conn.SetReadDeadline(time.Now().Add(patience))
		n, err := x.batch.ReadBatch(in, 0)
		now := time.Now()
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			x.fail(err)
			return
		}
		x.take(in[:max(n, 0)], now)
		if now.Sub(swept) > patience/3 {
			x.sweep(now)
			swept = now
		}
		if x.load.Rate == 0 {
			x.post(now)
		}
	}
}

func (x *line) done() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.load.Rate == 0 && x.load.For > 0 && time.Since(x.start) >= x.load.For {
		x.stopped = true
	}
	return x.stopped && x.open == 0 || x.err != nil
}

func (x *line) stop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stopped = true
	if x.open == 0 {
		x.conn.SetReadDeadline(time.Now()) // wakes listen
	}
}

func (x *line) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.err = errors.Join(x.err, err)
}

// take counts replies.
func (x *line) take(in []ipv4.Message, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range in {
		reply := in[i].Buffers[0][:in[i].N]
		if len(reply) >= headerLen && x.load.Heard != nil && x.last[reply[1]] != nil {
			x.load.Heard(x.last[reply[1]], reply)
		}
		if len(reply) < headerLen || x.pending[reply[1]].request == nil {
			x.tally.Stray++
			continue
		}
		p := &x.pending[reply[1]]
		if !x.load.Unsigned && x.tally.Answered()%sampleEvery == 0 && !x.forge.authentic(reply, p.request) {
			x.tally.Forged++
		}
		if x.load.good(reply) {
			x.tally.Accepted++
		} else {
			x.tally.Refused++
		}
		x.tally.Latency = append(x.tally.Latency, uint32(now.Sub(p.sent)/time.Microsecond))
		x.tally.Took = now.Sub(x.start)
		x.release(p)
	}
}

// good reports whether a reply is what was hoped for.
func (l *Load) good(reply []byte) bool {
	switch radius.Code(reply[0]) {
	case radius.CodeAccessAccept, radius.CodeAccountingResponse:
		return true
	}
	return l.Unsigned
}

// release frees an Identifier.
func (x *line) release(p *pending) {
	if x.load.Order == again {
		x.requests = append(x.requests, p.request)
	}
	p.request = nil
	x.open--
}

// sweep gives up what has waited too long.
func (x *line) sweep(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.pending {
		if p := &x.pending[i]; p.request != nil && now.Sub(p.sent) >= patience {
			x.release(p)
			x.tally.Lost++
		}
	}
}

// post sends requests until the window is full.
func (x *line) post(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.send(x.window-x.open, now)
}

func (x *line) postOne(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.send(1, now)
}

// postCopies sends the copies that are due.
func (x *line) postCopies(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := x.out[:0]
	for i, after := range x.load.Copies {
		for x.copied[i] < len(x.sent) && len(out) < len(x.out) && now.Sub(x.sent[x.copied[i]].sent) >= after {
			out = out[:len(out)+1]
			out[len(out)-1].Buffers[0] = x.sent[x.copied[i]].request
			x.copied[i]++
		}
	}
	x.tally.Copies += len(out)
	x.write(out, now)
}

// send sends the next n requests in one system call.
func (x *line) send(n int, now time.Time) {
	out := x.out[:0]
	for len(out) < min(n, len(x.out)) && !x.stopped {
		request := x.pick()
		if request == nil {
			break
		}
		if !x.load.Noise {
			x.pending[request[1]] = pending{request, now}
			x.open++
		}
		x.last[request[1]] = request
		if len(x.load.Copies) > 0 {
			x.sent = append(x.sent, pending{request, now})
		}
		out = out[:len(out)+1]
		out[len(out)-1].Buffers[0] = request
	}
	x.tally.Sent += len(out)
	x.write(out, now)
}

func (x *line) write(out []ipv4.Message, now time.Time) {
	for len(out) > 0 {
		sent, err := x.batch.WriteBatch(out, 0)
		if err != nil {
			x.err = errors.Join(x.err, err)
			x.conn.SetReadDeadline(now) // wakes listen
			return
		}
		out = out[sent:]
	}
}

// pick is the request that leaves next; nil: there is none now. One whose
// Identifier is still awaited comes later: its reply could be taken for the
// other's.
func (x *line) pick() []byte {
	if x.next == len(x.requests) && x.load.Order == around {
		x.next = 0
	}
	left := x.requests[x.next:]
	for i, request := range left[:min(len(left), idents)] {
		if x.pending[request[1]].request == nil {
			left[0], left[i] = left[i], left[0]
			x.next++
			return request
		}
	}
	x.stopped = len(left) == 0 && x.load.Order == once
	return nil
}
