package passwd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// ErrBusy: there is more to hash than can be done in time. Nothing was
// judged, so it must never count as a failure of the person.
var ErrBusy = errors.New("password hashing is overloaded")

// Priority says which part of the queue a caller may use.
type Priority int

// The priorities. The zero one is for callers who have shown nothing yet.
// Whoever has no device can't keep out those who showed one, however much is
// asked: Matched goes first, and only its own jobs fill the queue for it.
const (
	Open     Priority = iota // at most half of the queue
	Reserved                 // inside sources: three quarters, and before Open
	Matched                  // a code that matched: all of the queue, and before the others
	Idle                     // work that can be left: only while nobody waits
)

// Pool is where slow hashes are computed: by a few workers, behind a queue
// that holds about a second of work. Without it twice the load takes gigabytes
// and every answer comes too late. The zero Pool is ready for use; its fields
// must not change afterwards. Workers exist only while there is work.
type Pool struct {
	Workers   int              // 0: GOMAXPROCS
	Params    Params           // of new hashes, and of the work for unknown names
	QueueWork time.Duration    // estimated wait in a full queue; 0: 1 s
	Deadline  time.Duration    // longest wait before a hash is begun; 0: 1.5 s
	Now       func() time.Time // nil: time.Now

	mu      sync.Mutex
	queue   [Idle + 1][]*job
	running int           // workers
	average time.Duration // of recent jobs; 0: none was measured yet
	closed  bool
	workers sync.WaitGroup

	around func(do func()) // nil: just do; a test decides when a job ends
}

// job is one hash to compute.
type job struct {
	ctx  context.Context
	by   time.Time // must have begun
	do   func()
	done chan struct{}
	err  error // set before done is closed
}

// Check judges password against the stored hash encoded; "" stands for a
// person who doesn't exist and costs the work of a new hash. ok tells whether
// it matched, and renew, only then, that the hash is weaker than Params.
//
// The error is [ErrBusy], the context's while still queued, or [Parse]'s for a
// record that can't be judged, which costs the same work. A hash that takes
// microseconds is judged without queueing; if it does not match, it is ErrBusy
// when there is no room to queue, so that a full queue does not tell whose
// hash is of that kind. Once begun, a hash is waited for: after Check the
// caller may clear password.
func (p *Pool) Check(ctx context.Context, encoded string, password []byte, pr Priority) (ok, renew bool, err error) {
	var h Hash
	var broken error
	if encoded != "" {
		h, broken = Parse(encoded)
	}
	if encoded == "" || broken != nil {
		h = p.nobody()
	}
	if ok, err = p.judge(ctx, h, password, pr); err != nil {
		return false, false, err
	}
	if broken != nil {
		return false, false, fmt.Errorf("check password: %w", broken)
	}
	return ok, ok && h.Renew(p.Params), nil
}

// Spend costs what [Pool.Check] of a wrong password against encoded costs, and
// judges nothing: it is for somebody who doesn't exist, in the place of
// somebody who does. "", and what can't be read, stand for a hash of Params.
// The errors are those of Check without Parse's.
func (p *Pool) Spend(ctx context.Context, encoded string, password []byte, pr Priority) error {
	h, err := Parse(encoded)
	if err != nil {
		h = p.nobody()
	}
	// Even the right password of the hash's own person must find no match:
	// else a full queue would tell it.
	h.form = mismatch{h.form}
	_, err = p.judge(ctx, h, password, pr)
	return err
}

// judge checks a fast hash at once and a slow one by the workers.
func (p *Pool) judge(ctx context.Context, h Hash, password []byte, pr Priority) (ok bool, err error) {
	if h.fast {
		if ok = h.Check(password); !ok && !p.free(pr) {
			err = ErrBusy
		}
	} else {
		err = p.do(ctx, pr, func() { ok = h.Check(password) })
	}
	if err != nil {
		return false, fmt.Errorf("check password: %w", err)
	}
	return ok, nil
}

// Make hashes a new password with Params; see the function [Make]. The error
// is [ErrBusy] or the context's while still queued.
func (p *Pool) Make(ctx context.Context, password []byte, pr Priority) (string, error) {
	var encoded string
	if err := p.do(ctx, pr, func() { encoded = Make(password, p.Params) }); err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return encoded, nil
}

// nobody is the hash of no known password, as expensive as a real one.
func (p *Pool) nobody() Hash {
	a := argon2Key{p.Params.bounded(), "argon2id", make([]byte, saltOctets), make([]byte, keyOctets)}
	rand.Read(a.key)
	return Hash{scheme: a.variant, form: a}
}

// Wait estimates how long a job that comes now would be queued behind all
// others.
func (p *Pool) Wait() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.estimate(Open, Reserved, Matched)
}

// Load is the part of the queue in use: 0 when nobody waits, 1 when it is
// full, and more where matched codes come on top. Idle work doesn't count.
func (p *Pool) Load() float64 {
	return float64(p.Wait()) / float64(p.queueWork())
}

// Close answers ErrBusy to all who are queued or come later, and returns when
// what was begun has ended.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for pr, jobs := range p.queue {
		for _, j := range jobs {
			j.end(ErrBusy)
		}
		p.queue[pr] = nil
	}
	p.mu.Unlock()
	p.workers.Wait()
}

// do queues a function and returns when it has run, or when it was given up
// and never will.
func (p *Pool) do(ctx context.Context, pr Priority, do func()) error {
	if pr < Open || pr > Idle {
		pr = Open
	}
	j := &job{ctx: ctx, by: p.now().Add(p.deadline()), do: do, done: make(chan struct{})}
	if err := p.enter(j, pr); err != nil {
		return err
	}
	late := time.NewTimer(p.deadline())
	defer late.Stop()
	select {
	case <-j.done:
	case <-late.C:
		if p.leave(j, pr) {
			return ErrBusy
		}
	case <-ctx.Done():
		if p.leave(j, pr) {
			return context.Cause(ctx)
		}
	}
	<-j.done
	return j.err
}

// enter queues a job, if there is room, and starts a worker, if one is free.
func (p *Pool) enter(j *job, pr Priority) error {
	if j.ctx.Err() != nil {
		return context.Cause(j.ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.room(pr) {
		return ErrBusy
	}
	p.queue[pr] = append(p.queue[pr], j)
	if p.running < p.size() {
		p.running++
		p.workers.Go(p.work)
	}
	return nil
}

// free tells whether a job that came now could queue.
func (p *Pool) free(pr Priority) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.room(pr)
}

// room tells whether one more may queue.
func (p *Pool) room(pr Priority) bool {
	limit := p.queueWork()
	switch {
	case p.closed:
		return false
	case pr == Matched:
		return p.estimate(Matched) < limit
	case pr == Idle:
		return p.estimate(Open, Reserved, Matched) == 0 && p.estimate(Idle) < limit/2
	case p.estimate(Open, Reserved) >= limit*3/4 || p.estimate(Open, Reserved, Matched) >= limit:
		return false
	}
	return pr == Reserved || p.estimate(Open) < limit/2
}

// estimate is the time the workers need for what is queued.
func (p *Pool) estimate(of ...Priority) time.Duration {
	average := p.average
	if average == 0 {
		average = 30 * time.Millisecond
	}
	n := 0
	for _, pr := range of {
		n += len(p.queue[pr])
	}
	// Jobs that take no time would make the queue endless.
	return time.Duration(n) * max(average, time.Millisecond) / time.Duration(p.size())
}

// leave takes a job out of the queue; false: it has begun or has ended.
func (p *Pool) leave(j *job, pr Priority) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.queue[pr], j)
	if i < 0 {
		return false
	}
	p.queue[pr] = slices.Delete(p.queue[pr], i, i+1)
	return true
}

// work runs jobs until there are none.
func (p *Pool) work() {
	for j := p.next(); j != nil; j = p.next() {
		switch began := p.now(); {
		case j.ctx.Err() != nil:
			j.end(context.Cause(j.ctx))
		case began.After(j.by):
			j.end(ErrBusy)
		default:
			err := p.run(j.do)
			p.measure(p.now().Sub(began))
			j.end(err)
		}
	}
}

// next takes the job to do now, or ends the worker.
func (p *Pool) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pr := range []Priority{Matched, Reserved, Open, Idle} {
		if jobs := p.queue[pr]; len(jobs) > 0 {
			first := jobs[0]
			p.queue[pr] = slices.Delete(jobs, 0, 1)
			return first
		}
	}
	p.running--
	return nil
}

// run keeps one impossible hash from ending the program.
func (p *Pool) run(do func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("hashing panicked: %v", r)
		}
	}()
	if p.around != nil {
		p.around(do)
		return nil
	}
	do()
	return nil
}

// measure keeps the average over about the last eight jobs.
func (p *Pool) measure(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.average == 0 {
		p.average = took
		return
	}
	p.average += (took - p.average) / 8
}

func (j *job) end(err error) {
	j.err = err
	close(j.done)
}

func (p *Pool) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

func (p *Pool) size() int {
	if p.Workers > 0 {
		return p.Workers
	}
	return runtime.GOMAXPROCS(0)
}

func (p *Pool) queueWork() time.Duration {
	if p.QueueWork > 0 {
		return p.QueueWork
	}
	return time.Second
}

func (p *Pool) deadline() time.Duration {
	if p.Deadline > 0 {
		return p.Deadline
	}
	return 1500 * time.Millisecond
}
