package links

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sekisho/ldapproxy/wire"
)

// Pool keeps the links to the directory behind that nobody has at present.
// The one that was used last is taken first, so that those that are too many
// grow idle and end. It is made by NewPool; all methods may be called by
// anybody.
type Pool struct {
	dir     Directory
	buffers sync.Pool // of *[]byte, wire.MaxHeld long

	mu     sync.Mutex
	free   []*Link
	links  map[*Link]struct{}
	places int // of links that are being dialled
	shares shares
	queue  []waiter // none of which could be served now: see serve
	closed bool
	pumps  sync.WaitGroup
}

// waiter is one that waits for a link, or, which is nil, for the place of one.
type waiter struct {
	app  string
	turn chan *Link
}

// NewPool makes a pool that has no links yet.
func NewPool(d Directory) *Pool {
	p := &Pool{dir: d.withDefaults(), links: make(map[*Link]struct{})}
	p.shares = newShares(p.dir.Max)
	p.buffers.New = func() any { return new(make([]byte, wire.MaxHeld)) }
	return p
}

// get takes a link for a client of an application, and makes one where there
// is none. Whoever it was bound as, it may still be: the first thing to be sent
// is a bind. The error is ErrBusy or ErrAway, or that of ctx.
func (p *Pool) get(ctx context.Context, app string) (*Link, error) { return p.take(ctx, app, false) }

// take is get; fresh: one that was just made, unless it comes by the queue.
func (p *Pool) take(ctx context.Context, app string, fresh bool) (*Link, error) {
	for {
		l, err := p.obtain(ctx, app, fresh)
		switch {
		case err != nil:
			return nil, err
		case l == nil:
			return p.dial(ctx, app)
		case l.wake():
			return l, nil
		}
	}
}

// obtain returns a link, or nil for the place of one.
func (p *Pool) obtain(ctx context.Context, app string, fresh bool) (*Link, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, fmt.Errorf("%w: shutting down", ErrAway)
	}
	if l, ok := p.grab(app, fresh); ok {
		p.mu.Unlock()
		return l, nil
	}
	if p.shares.waiting[app] >= maxWaiting {
		p.mu.Unlock()
		return nil, ErrBusy
	}
	turn := make(chan *Link, 1)
	p.queue = append(p.queue, waiter{app, turn})
	p.shares.waiting.add(app, 1)
	p.mu.Unlock()
	return p.stand(ctx, turn)
}

// grab takes a link for an application, or, which is nil, the place of one, if
// there is any and the application may have it. mu is held.
func (p *Pool) grab(app string, fresh bool) (*Link, bool) {
	if !p.shares.admits(app) {
		return nil, false
	}
	var l *Link
	n := len(p.free)
	room := len(p.links)+p.places < p.dir.Max
	switch {
	case n > 0 && !fresh:
		l = p.free[n-1]
		p.free[n-1] = nil
		p.free = p.free[:n-1]
		l.app, l.taken = app, true
	case room:
		p.places++
	case n > 0: // in the place of one that rests
		old := p.free[0]
		p.free = slices.Delete(p.free, 0, 1)
		delete(p.links, old)
		go old.Close() // which may take a moment
		p.places++
	default:
		return nil, false
	}
	p.shares.take(app)
	return l, true
}

// stand waits in the queue.
func (p *Pool) stand(ctx context.Context, turn chan *Link) (*Link, error) {
	patience := time.NewTimer(p.dir.Wait)
	defer patience.Stop()
	var err error
	select {
	case l, ok := <-turn:
		return served(l, ok)
	case <-patience.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.mu.Lock()
	at := slices.IndexFunc(p.queue, func(w waiter) bool { return w.turn == turn })
	if at >= 0 {
		p.unqueue(at)
	}
	p.mu.Unlock()
	if at < 0 { // it was our turn in this moment
		l, ok := <-turn
		return served(l, ok)
	}
	return nil, err
}

func served(l *Link, open bool) (*Link, error) {
	if !open {
		return nil, fmt.Errorf("%w: shutting down", ErrAway)
	}
	return l, nil
}

// dial makes a link, for which there is a place.
func (p *Pool) dial(ctx context.Context, app string) (*Link, error) {
	raw, name, err := p.dir.Dial(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places--
	if err == nil && p.closed {
		raw.Close()
		err = errors.New("shutting down")
	}
	if err != nil {
		p.shares.give(app)
		p.serve()
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	l := newLink(p, raw, name)
	l.app, l.taken = app, true
	p.links[l] = struct{}{}
	p.pumps.Go(l.pump)
	return l, nil
}

// serve gives what is free to those who wait, in their order, but past those
// whose application has its share. It is called after whatever may let one of
// them have something, so that nobody waits who need not. mu is held.
func (p *Pool) serve() {
	for i := 0; i < len(p.queue); {
		if len(p.free) == 0 && len(p.links)+p.places >= p.dir.Max {
			return
		}
		w := p.queue[i]
		l, ok := p.grab(w.app, false)
		if !ok {
			i++
			continue
		}
		p.unqueue(i)
		w.turn <- l
	}
}

// unqueue takes one out of the queue. mu is held.
func (p *Pool) unqueue(i int) {
	p.shares.waiting.add(p.queue[i].app, -1)
	p.queue = slices.Delete(p.queue, i, i+1)
}

// Among says between how many applications the links are to be shared.
func (p *Pool) Among(apps int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shares.among(apps)
	p.serve()
}

// yield ends the time that an application has had a link. mu is held.
func (p *Pool) yield(l *Link) {
	if l.taken {
		p.shares.give(l.app)
		l.taken = false
	}
}

// Put takes a link back, which its owner has been detached from and no longer
// uses. One that is not as good as new but for its identity is closed.
func (p *Pool) Put(l *Link) {
	if !l.rest() {
		l.Close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, lives := p.links[l]; !lives || p.closed {
		return
	}
	p.yield(l)
	p.free = append(p.free, l)
	p.serve()
}

// drop forgets a link that has ended.
func (p *Pool) drop(l *Link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
	p.yield(l)
	if at := slices.Index(p.free, l); at >= 0 {
		p.free = slices.Delete(p.free, at, at+1)
	}
	p.serve()
}

// Bind binds on a link of the pool, and hands out the link with the answer,
// whatever that is: to be attached, or put back. A link that rested may have
// been closed by the server in this very moment; if not an octet came, it is
// tried once more. The error is ErrBusy or ErrAway, or that of ctx, and there is
// no link then.
func (p *Pool) Bind(ctx context.Context, r BindRequest) (*Link, BindAnswer, error) {
	l, err := p.get(ctx, r.App)
	if err != nil {
		return nil, BindAnswer{}, err
	}
	a, err := l.bind(ctx, r)
	if errors.Is(err, errStale) {
		if l, err = p.take(ctx, r.App, true); err != nil {
			return nil, BindAnswer{}, err
		}
		a, err = l.bind(ctx, r)
	}
	if err != nil {
		return nil, BindAnswer{}, err
	}
	return l, a, nil
}

// Anonymous takes a link that has no identity. The errors are those of Bind.
func (p *Pool) Anonymous(ctx context.Context, app string) (*Link, error) {
	for i := range 3 {
		l, err := p.take(ctx, app, i > 0)
		if err != nil || !l.marked {
			return l, err
		}
		a, err := l.bind(ctx, BindRequest{ID: 1})
		if err == nil && a.Code == wire.ResultSuccess {
			l.marked = false
			return l, nil
		}
		l.Close() // there are servers that allow no anonymous bind
	}
	return nil, fmt.Errorf("%w: no link without an identity", ErrAway)
}

// Len is how many links there are, and how many of them rest.
func (p *Pool) Len() (all, resting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links), len(p.free)
}

// Close ends all links, and returns when they have ended. Whoever wants one then
// gets ErrAway.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.queue {
		close(w.turn)
	}
	p.queue, p.free = nil, nil
	clear(p.shares.waiting)
	links := make([]*Link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	p.mu.Unlock()
	for _, l := range links {
		l.Close()
	}
	p.pumps.Wait()
}
