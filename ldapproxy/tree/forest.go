package tree

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

const (
	freshFor  = 200 * time.Millisecond // how old a look at the people's epoch may be
	buildRest = 4                      // times as long as a build took, before the next
)

// Forest gives the tree of the moment. When people have changed, the next
// tree grows beside the searches, which go on in the one before it.
type Forest struct {
	people People
	base   string
	posix  Posix
	log    *slog.Logger
	now    func() time.Time
	bare   *tree // without people, for what is told before there is a tree

	born    time.Time
	current atomic.Pointer[tree]
	look    atomic.Int64 // nanoseconds after born: when the epoch is looked at again

	mu       sync.Mutex
	services []string
	epoch    uint64        // of the current tree
	stale    bool          // the services have changed since
	building chan struct{} // closed when the build under way ends; nil: none
	err      error         // of the last build
}

// NewForest checks the base. services are the DNs of the service accounts.
func NewForest(base string, posix Posix, services []string, people People, log *slog.Logger, now func() time.Time) (*Forest, error) {
	nobody := func(func(directory.Entry) error) error { return nil }
	bare, err := newTree(base, posix, nil, nobody)
	if err != nil {
		return nil, err
	}
	return &Forest{people: people, base: base, posix: posix, services: services, log: log, now: now, bare: bare, born: now()}, nil
}

// SetServices puts other service accounts in the place of those before.
func (f *Forest) SetServices(dns []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.services, f.stale = dns, true
	f.look.Store(0)
}

// Search is the tree's; unavailable where there is no tree yet, and never an
// empty answer instead: programs take that for people who are gone.
func (f *Forest) Search(ctx context.Context, req *wire.SearchRequest, paged *wire.Control, who Asker, emit func(dn string, attributes []wire.Attribute) bool) (wire.Result, []wire.Control) {
	t, err := f.tree(ctx, req.Base, who)
	if err != nil {
		return wire.Result{Code: wire.ResultUnavailable}, nil
	}
	return t.search(req, paged, who, emit)
}

// Compare is the tree's, in the same way.
func (f *Forest) Compare(ctx context.Context, req *wire.CompareRequest, who Asker) wire.Result {
	t, err := f.tree(ctx, req.DN, who)
	if err != nil {
		return wire.Result{Code: wire.ResultUnavailable}
	}
	return t.compare(req, who)
}

// tree is the one to answer somebody about a DN. Only the first is waited for:
// who begins a build is answered from the tree before it.
func (f *Forest) tree(ctx context.Context, dn string, who Asker) (*tree, error) {
	if dn == "" || !who.Admitted {
		return f.bare, nil
	}
	t := f.current.Load()
	f.renew()
	if t != nil {
		return t, nil
	}
	f.mu.Lock()
	building := f.building
	f.mu.Unlock()
	if building != nil {
		select {
		case <-building:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.current.Load(); t != nil {
		return t, nil
	}
	return nil, f.err
}

// renew begins a build if there is need and none is under way.
func (f *Forest) renew() {
	now := int64(f.now().Sub(f.born)) // so a clock that is set back keeps nobody waiting
	if now < f.look.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if now < f.look.Load() || f.building != nil {
		return
	}
	f.look.Store(now + int64(freshFor))
	epoch := f.people.Epoch() // before the people are read: what changes meanwhile is read again
	if f.current.Load() != nil && f.epoch == epoch && !f.stale {
		return
	}
	f.building = make(chan struct{})
	f.stale = false
	go f.build(epoch, f.services)
}

// build makes the next tree the one of the moment.
func (f *Forest) build(epoch uint64, services []string) {
	began := f.now()
	t, err := f.grow(services)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.log.Error("directory not read", "error", err)
		f.stale = true
	} else {
		f.current.Store(t)
		f.epoch = epoch
	}
	f.err = err
	ended := f.now()
	f.look.Store(int64(ended.Sub(f.born) + max(freshFor, buildRest*ended.Sub(began))))
	close(f.building)
	f.building = nil
}

// grow makes a tree. It belongs to no connection, so it has no context, and a
// panic in it is nobody's but ours.
func (f *Forest) grow(services []string) (t *tree, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return newTree(f.base, f.posix, services, func(each func(directory.Entry) error) error {
		return f.people.Entries(context.Background(), each)
	})
}
