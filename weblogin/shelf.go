package weblogin

import (
	"crypto/subtle"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"sekisho/gate"
)

const (
	shelfLife  = 10 * time.Minute
	shelfBound = 16_384
	shelfShare = 1_024 // of one source: many people may sit behind an address
)

// shelf keeps what a browser comes back for, for ten minutes. A row opens
// only to the browser that it was put for. The zero shelf is ready. Since all
// rows live equally long, the queue is in the order in which they end.
//
// Somebody who floods us pushes out rows of the same source first; where all
// is full, the oldest of the source that has most.
type shelf[V any] struct {
	forget func(*V) // called on what is dropped; nil: nothing to do

	// now, if not nil, has what has ended removed at its time, not only when
	// the shelf is next used: that may be tomorrow.
	now func() time.Time

	mu     sync.Mutex
	waits  bool // a timer runs
	rows   map[string]*row[V]
	queue  []*row[V]
	shares map[netip.Prefix]int
}

type row[V any] struct {
	id      string
	browser string
	from    netip.Prefix
	ends    time.Time
	gone    bool
	value   V
}

// put returns the name of a new row.
func (s *shelf[V]) put(v V, browser string, from gate.Source, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows, s.shares = make(map[string]*row[V]), make(map[netip.Prefix]int)
	}
	s.sweep(now)
	r := &row[V]{id: newID(), browser: strings.Clone(browser), from: share(from), ends: now.Add(shelfLife), value: v}
	if s.shares[r.from] >= shelfShare {
		s.oldest(r.from)
	} else if len(s.rows) >= shelfBound {
		s.oldest(s.heaviest())
	}
	s.rows[r.id] = r
	s.shares[r.from]++
	s.queue = append(s.queue, r)
	s.wait(now)
	return r.id
}

// wait has the shelf tidied up when the first row ends.
func (s *shelf[V]) wait(now time.Time) {
	if s.now == nil || s.waits || len(s.queue) == 0 {
		return
	}
	s.waits = true
	time.AfterFunc(s.queue[0].ends.Sub(now), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waits = false
		now := s.now()
		s.sweep(now)
		s.wait(now)
	})
}

// see returns a copy of a row's value.
func (s *shelf[V]) see(id, browser string, now time.Time) (v V, ok bool) {
	ok = s.change(id, browser, now, func(kept *V) { v = *kept })
	return v, ok
}

// change lets f work on a row's value; false if the row is not there for this
// browser.
func (s *shelf[V]) change(id, browser string, now time.Time, f func(*V)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	r := s.rows[id]
	if r == nil || subtle.ConstantTimeCompare([]byte(r.browser), []byte(browser)) != 1 {
		return false
	}
	f(&r.value)
	return true
}

// take returns a row's value and ends the row, in one step: of two who take it
// one gets it.
func (s *shelf[V]) take(id, browser string, now time.Time) (v V, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	r := s.rows[id]
	if r == nil || subtle.ConstantTimeCompare([]byte(r.browser), []byte(browser)) != 1 {
		return v, false
	}
	v = r.value
	s.remove(r)
	return v, true
}

// drop ends a row.
func (s *shelf[V]) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rows[id]; r != nil {
		s.remove(r)
	}
}

func (s *shelf[V]) remove(r *row[V]) {
	if s.forget != nil {
		s.forget(&r.value)
	}
	var none V
	r.value, r.gone = none, true
	delete(s.rows, r.id)
	if s.shares[r.from]--; s.shares[r.from] == 0 {
		delete(s.shares, r.from)
	}
}

// sweep removes what has ended, from the front of the queue.
func (s *shelf[V]) sweep(now time.Time) {
	n := 0
	for n < len(s.queue) && (s.queue[n].gone || !now.Before(s.queue[n].ends)) {
		if !s.queue[n].gone {
			s.remove(s.queue[n])
		}
		s.queue[n] = nil
		n++
	}
	s.queue = s.queue[n:]
	if len(s.queue) > 2*len(s.rows)+16 { // many were dropped before their time
		s.queue = slices.DeleteFunc(s.queue, func(r *row[V]) bool { return r.gone })
	}
}

func (s *shelf[V]) oldest(of netip.Prefix) {
	for _, r := range s.queue {
		if !r.gone && r.from == of {
			s.remove(r)
			return
		}
	}
}

func (s *shelf[V]) heaviest() (most netip.Prefix) {
	for p, n := range s.shares {
		if n > s.shares[most] {
			most = p
		}
	}
	return most
}

// share is whose bound a source's rows count for: an address, of IPv6 its
// /64. All unknown sources are one.
func share(from gate.Source) netip.Prefix {
	a := from.Addr.Unmap().WithZone("")
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p
	}
	p, _ := a.Prefix(32)
	return p
}
