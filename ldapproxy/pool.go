package ldapproxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sekisho/ldapproxy/wire"
)

// What a client hears of as busy(51); everything else that goes wrong with
// the directory behind is unavailable(52).
var errBusy = errors.New("all links to the directory are in use")

// errAway: no server could be reached, or the one that was has gone.
var errAway = errors.New("the directory is away")

// pool keeps the links to the directory behind that nobody has at present.
// The one that was used last is taken first, so that those that are too many
// grow idle and end.
type pool struct {
	Upstream
	buffers sync.Pool // of *[]byte, wire.MaxHeld long

	mu     sync.Mutex
	free   []*link
	links  map[*link]struct{}
	places int // of links that are being dialled
	queue  []chan *link
	closed bool
	pumps  sync.WaitGroup
}

func newPool(u Upstream) *pool {
	p := &pool{Upstream: u.withDefaults(), links: make(map[*link]struct{})}
	p.buffers.New = func() any { return new(make([]byte, wire.MaxHeld)) }
	return p
}

// get takes a link, and makes one where there is none. Whoever it was bound
// as, it may still be: the first thing to be sent is a bind. The error is
// errBusy or errAway, or that of ctx.
func (p *pool) get(ctx context.Context) (*link, error) { return p.take(ctx, false) }

// take is get; fresh: not one that was resting.
func (p *pool) take(ctx context.Context, fresh bool) (*link, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, fmt.Errorf("%w: shutting down", errAway)
		}
		if n := len(p.free); n > 0 && !fresh {
			l := p.free[n-1]
			p.free[n-1] = nil
			p.free = p.free[:n-1]
			p.mu.Unlock()
			if l.wake() {
				return l, nil
			}
			continue
		}
		if len(p.links)+p.places < p.Max {
			p.places++
			p.mu.Unlock()
			return p.dial(ctx)
		}
		turn := make(chan *link, 1)
		p.queue = append(p.queue, turn)
		p.mu.Unlock()

		l, err := p.stand(ctx, turn)
		switch {
		case err != nil:
			return nil, err
		case l == nil:
			return p.dial(ctx)
		case l.wake():
			return l, nil
		}
	}
}

// stand waits in the queue for a link, or, which is nil, for the place of one.
func (p *pool) stand(ctx context.Context, turn chan *link) (*link, error) {
	patience := time.NewTimer(p.Wait)
	defer patience.Stop()
	var err error
	select {
	case l, ok := <-turn:
		return served(l, ok)
	case <-patience.C:
		err = errBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.mu.Lock()
	at := slices.Index(p.queue, turn)
	if at >= 0 {
		p.queue = slices.Delete(p.queue, at, at+1)
	}
	p.mu.Unlock()
	if at < 0 { // it was our turn in this moment
		l, ok := <-turn
		return served(l, ok)
	}
	return nil, err
}

func served(l *link, open bool) (*link, error) {
	if !open {
		return nil, fmt.Errorf("%w: shutting down", errAway)
	}
	return l, nil
}

// dial makes a link, for which there is a place.
func (p *pool) dial(ctx context.Context) (*link, error) {
	raw, server, err := p.Dial(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places--
	if err == nil && p.closed {
		raw.Close()
		err = errors.New("shutting down")
	}
	if err != nil {
		p.vacate()
		return nil, fmt.Errorf("%w: %w", errAway, err)
	}
	l := newLink(p, raw, server)
	p.links[l] = struct{}{}
	p.pumps.Go(l.pump)
	return l, nil
}

// vacate gives a place that is free to whoever waits. mu is held.
func (p *pool) vacate() {
	if turn := p.next(); turn != nil {
		p.places++
		turn <- nil
	}
}

// next is whose turn it is, nil if nobody waits. mu is held.
func (p *pool) next() chan *link {
	if len(p.queue) == 0 {
		return nil
	}
	turn := p.queue[0]
	p.queue = slices.Delete(p.queue, 0, 1)
	return turn
}

// put takes a link back, which its owner no longer uses. One that is not as
// good as new but for its identity is closed.
func (p *pool) put(l *link) {
	if !l.rest() {
		l.close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, lives := p.links[l]; !lives || p.closed {
		return
	}
	if turn := p.next(); turn != nil {
		turn <- l
		return
	}
	p.free = append(p.free, l)
}

// drop forgets a link that has ended.
func (p *pool) drop(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
	if at := slices.Index(p.free, l); at >= 0 {
		p.free = slices.Delete(p.free, at, at+1)
	}
	if !p.closed {
		p.vacate()
	}
}

// bind binds on a link of the pool, and hands out the link with the answer: to
// be attached, or put back. A link that rested may have been closed by the
// server in this very moment; if not an octet came, it is tried once more.
func (p *pool) bind(ctx context.Context, r bindRequest) (*link, bindAnswer, error) {
	l, err := p.get(ctx)
	if err != nil {
		return nil, bindAnswer{}, err
	}
	a, err := l.bind(ctx, r)
	if errors.Is(err, errStale) {
		if l, err = p.take(ctx, true); err != nil {
			return nil, bindAnswer{}, err
		}
		a, err = l.bind(ctx, r)
	}
	if err != nil {
		return nil, bindAnswer{}, err
	}
	return l, a, nil
}

// anonymous takes a link that has no identity.
func (p *pool) anonymous(ctx context.Context) (*link, error) {
	l, err := p.get(ctx)
	for range 3 {
		if err != nil || !l.marked {
			return l, err
		}
		a, failed := l.bind(ctx, bindRequest{id: 1})
		if failed == nil && a.code == wire.ResultSuccess {
			l.marked = false
			return l, nil
		}
		l.close() // there are servers that allow no anonymous bind
		l, err = p.take(ctx, true)
	}
	return nil, fmt.Errorf("%w: no link without an identity", errAway)
}

// close ends all links, and returns when they have ended.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for _, turn := range p.queue {
		close(turn)
	}
	p.queue, p.free = nil, nil
	links := make([]*link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	p.mu.Unlock()
	for _, l := range links {
		l.close()
	}
	p.pumps.Wait()
}
