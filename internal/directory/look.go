package directory

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	missedFor  = 5 * time.Second // before somebody who was not found is searched again
	maxLooking = 1024            // look-ups under way, for as many names
)

// looked is what became of a look-up: a person, or ErrUnknown or ErrName.
type looked struct {
	person *person
	err    error
	at     time.Time
}

// search is a look-up under way. All who ask for that name wait for it.
type search struct {
	done   chan struct{}
	result looked
}

var errLooking = errors.New("too many names are being looked up")

// look finds the person of a canonical name. Who was not found is searched
// again soon, but behind the answer: it may not take longer than that of
// somebody who is known.
func (u *Upstream) look(ctx context.Context, name string) (*person, error) {
	u.start()
	if _, ok := u.personDN(name); !ok && !lookable(name) {
		return nil, ErrName
	}
	u.mu.Lock()
	old, ok := u.looked.Get(name)
	age := u.Now().Sub(old.at)
	ok = ok && age < u.Cache
	if ok && (old.err == nil || age < missedFor) {
		u.mu.Unlock()
		return old.person, old.err
	}
	s := u.looking[name]
	if s == nil && len(u.looking) < maxLooking {
		s = &search{done: make(chan struct{})}
		u.looking[name] = s
		u.behind.Go(func() { u.run(s, name) })
	}
	u.mu.Unlock()
	switch {
	case ok:
		return old.person, old.err
	case s == nil:
		return nil, errLooking
	}
	select {
	case <-s.done:
		return s.result.person, s.result.err
	case <-ctx.Done():
		return nil, fmt.Errorf("look up: %w", ctx.Err())
	}
}

// run looks a name up for all who wait, whoever of them gives up.
func (u *Upstream) run(s *search, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), u.timeout())
	defer cancel()
	began := u.Now()
	p, err := u.read(ctx, name)
	s.result = looked{p, err, began}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil || errors.Is(err, ErrUnknown) || errors.Is(err, ErrName) {
		u.looked.Put(name, s.result)
	}
	delete(u.looking, name)
	close(s.done)
}

// lookAgain is look for whom what is remembered will not do.
func (u *Upstream) lookAgain(ctx context.Context, name string) (*person, error) {
	u.mu.Lock()
	u.looked.Delete(name)
	u.mu.Unlock()
	return u.look(ctx, name)
}
