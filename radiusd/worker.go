package radiusd

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"layeh.com/radius"
	"sekisho/gate"
	"sekisho/policy"
)

// job is a request that was taken on.
type job struct {
	socket *socket
	letter letter // where the reply goes
	entry  *entry
	packet packet
	secret *secret
	from   netip.AddrPort
	came   time.Time
	first  bool // it goes before others: somebody answers a challenge
}

// take hands a job to the workers, or drops it if they have too much to do.
func (s *Server) take(j *job) {
	s.work.Add(1)
	s.metrics.working.Inc()
	pool := &s.pool
	if j.socket.takes == radius.CodeAccountingRequest {
		pool = &s.records
	}
	if !pool.submit(j) {
		s.metrics.working.Dec()
		s.giveUp(j, dropOverload)
	}
}

// giveUp ends a job without a reply. Its retransmission is judged anew.
func (s *Server) giveUp(j *job, why drop) {
	j.socket.cache.forget(j.entry)
	if why != dropPanic { // that one is counted already
		s.dropped(j.letter.nas, j.from, why, s.Now())
	}
	s.work.Done()
}

// run is one job from a worker's view.
func (s *Server) run(j *job) {
	octets, leave, why := s.judge(j)
	s.metrics.working.Dec()
	if why != kept {
		s.giveUp(j, why)
		return
	}
	n := j.letter.nas
	if wait := leave.Sub(s.Now()); wait > 0 && s.holds.take(j.from, n.Name) {
		s.metrics.held.Inc()
		s.After(wait, func() {
			s.holds.give(j.from, n.Name)
			s.metrics.held.Dec()
			s.deliver(j, octets)
		})
		return
	}
	s.deliver(j, octets)
}

// judge asks the gate and returns the reply and when it may leave.
func (s *Server) judge(j *job) (octets []byte, leave time.Time, why drop) {
	n := j.letter.nas
	defer func() {
		if p := recover(); p != nil {
			s.panicked(n, j.from, p, s.Now())
			octets, why = nil, dropPanic
		}
	}()
	var room [maxPasswordLen]byte
	defer clear(room[:])
	o := survey(j.packet)
	q := ask(j.packet, &o, &n.Client, j.secret, &room)
	n.evidence.told(&q.source, j.came)
	if q.fault != "" {
		s.explain(n, j.from, &q, &o)
	}

	// No deadline here, a timer for each request would cost more than it
	// saves: the gate bounds what it waits for.
	answer, err := s.put(s.ctx, n, &q, j.came)
	if err != nil {
		s.complain(n, j.from, slog.LevelError, "could not judge", "gate", s.Now(), "error", err)
		return nil, time.Time{}, dropUnjudged
	}
	now := s.Now()
	n.counters.took.Observe(now.Sub(j.came).Seconds())
	n.evidence.judged(answer.Outcome, now.Sub(j.came), now)
	leave = now
	switch answer.Outcome {
	case gate.Admitted:
		octets = accept(j.packet, &q, &n.Client, j.secret, &answer, s.lease(n, j.from, answer.Ticket.ID), now)
	case gate.Challenged:
		octets = challenge(j.packet, &q, j.secret, &answer)
		if !answer.Ready.IsZero() { // the code was wrong, it is asked for again
			leave = leaveAt(j.came, now, answer.Ready, n.RejectDelay)
		}
	default:
		octets = reject(j.packet, &q, j.secret, answer.Message)
		leave = leaveAt(j.came, now, answer.Ready, n.RejectDelay)
	}
	if octets == nil {
		return nil, time.Time{}, dropReplyLength
	}
	return octets, leave, kept
}

// put puts the question to the gate.
func (s *Server) put(ctx context.Context, n *nas, q *question, came time.Time) (gate.Answer, error) {
	request := gate.Request{
		Door:      policy.DoorRADIUS,
		Service:   n.Service,
		Client:    n.Name,
		Zone:      n.Zone,
		Source:    q.source,
		User:      q.user,
		Password:  q.password,
		Separator: n.Separator,
		Challenge: n.Challenge,
		State:     q.state,
		Came:      came,
	}
	if q.fault != "" {
		return s.Gate.Refuse(ctx, request, q.fault)
	}
	return s.Gate.Admit(ctx, request)
}

// explain tells the operator what to change at a client whose requests are
// refused unjudged.
func (s *Server) explain(n *nas, from netip.AddrPort, q *question, o *outline) {
	var more []any
	switch q.fault {
	case gate.FaultBadAttribute:
		more = []any{"attribute", q.attribute}
	case gate.FaultCHAP, gate.FaultMSCHAP, gate.FaultEAP:
		more = []any{"fix", "set the client to PAP: other methods can't be checked against a hashed password, nor carry a code"}
	case gate.FaultBadPassword:
		if o.mac == 0 {
			more = []any{"fix", "perhaps the secret differs: the request has no Message-Authenticator to tell"}
		}
	}
	s.complain(n, from, slog.LevelWarn, "refused unjudged", string(q.fault), s.Now(), more...)
}

// deliver keeps the reply and lets it leave, unless the client has given the
// Identifier to another request meanwhile.
func (s *Server) deliver(j *job, octets []byte) {
	if !j.socket.cache.settle(j.entry, octets, s.Now()) {
		s.dropped(j.letter.nas, j.from, dropSuperseded, s.Now())
		s.work.Done()
		return
	}
	l := j.letter
	l.octets = octets
	select {
	case j.socket.letters <- l: // the sender ends the job
	case <-s.quit:
		s.work.Done()
	}
}

// pool is a bounded number of workers before a bounded queue. Workers are
// started when they are needed and stay, since a stack that has grown once
// need not grow again.
type pool struct {
	max, queue int
	run        func(*job)

	mu      sync.Mutex
	wake    sync.Cond
	first   []*job // those that go before the others; as many may wait
	jobs    []*job
	workers int
	idle    int
	closed  bool
}

func (p *pool) init(workers, queue int, run func(*job)) {
	p.max, p.queue, p.run = workers, queue, run
	p.wake.L = &p.mu
}

// submit reports false if all workers are busy and the queue is full.
func (p *pool) submit(j *job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	lane := &p.jobs
	if j.first {
		lane = &p.first
	}
	if len(p.first)+len(p.jobs) >= p.idle {
		if p.workers < p.max {
			p.workers++
			go p.worker(j)
			return true
		}
		if len(*lane) >= p.queue+p.idle {
			return false
		}
	}
	*lane = append(*lane, j)
	p.wake.Signal()
	return true
}

func (p *pool) worker(j *job) {
	for j != nil {
		p.run(j)
		j = p.next()
	}
}

// next waits for a job; it returns nil when the pool is closed.
func (p *pool) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.first)+len(p.jobs) == 0 {
		if p.closed {
			return nil
		}
		p.idle++
		p.wake.Wait()
		p.idle--
	}
	lane := &p.jobs
	if len(p.first) > 0 {
		lane = &p.first
	}
	j := (*lane)[0]
	(*lane)[0] = nil
	*lane = (*lane)[1:]
	return j
}

// close lets the workers end when the queue is empty.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.wake.Broadcast()
}
