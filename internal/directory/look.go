package directory

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"
)

const (
	missedFor    = 5 * time.Second // before somebody who was not found is searched again
	maxLooking   = 1024            // look-ups under way, for as many names
	maxStrangers = maxLooking / 2  // of them, for names that nobody is known to have
)

// looked is what became of the look-up of a name: the id of whom was found,
// with the name that they had, or ErrUnknown or ErrName.
type looked struct {
	id, name string
	err      error
	at       time.Time
	number   uint64 // of the look-up
}

// known is what was last read of a person, by whatever name.
type known struct {
	*person
	at   time.Time
	sure time.Time // when the entry was last seen to be this person's
}

// search is a look-up under way. All who ask for that name wait for it.
type search struct {
	stranger bool // nobody is known to have the name
	done     chan struct{}
	person   *person
	err      error
}

var errLooking = errors.New("too many names are being looked up")

// look finds the person of a canonical name; again: not in memory. Who was not
// found is searched again soon, but behind the answer: it may not take longer
// than that of somebody who is known. Fresh is what was read just now.
func (u *Upstream) look(ctx context.Context, name string, again bool) (p *person, fresh bool, err error) {
	u.start()
	if _, ok := u.personDN(name); !ok && !lookable(name) {
		return nil, false, ErrName
	}
	old, seen := u.remembered(name)
	age := u.Now().Sub(old.at)
	believed := (old.person != nil || old.err != nil) && age < u.Cache && !again
	if believed && (old.err == nil || age < missedFor) {
		return old.person, false, old.err
	}
	s := u.search(ctx, name, seen, old.number)
	switch {
	case believed:
		return nil, false, old.err
	case s == nil:
		return nil, false, errLooking
	}
	select {
	case <-s.done:
		return s.person, true, s.err
	case <-ctx.Done():
		return nil, false, fmt.Errorf("look up: %w", ctx.Err())
	}
}

// memory is what is remembered of a name: at most one of person and err.
type memory struct {
	person *person
	err    error
	at     time.Time
	number uint64 // of the look-up
}

// remembered is the last look-up of a name, with the last that was read of that
// person, by this name or another; nobody, if they have another name by then.
// Seen reports whether anybody had it.
func (u *Upstream) remembered(name string) (m memory, seen bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.recall(name)
}

// recall is remembered. mu is held.
func (u *Upstream) recall(name string) (m memory, seen bool) {
	old, ok := u.looked.Get(name)
	if !ok || old.err != nil {
		return memory{err: old.err, at: old.at, number: old.number}, false
	}
	if k, ok := u.people.Get(old.id); ok && k.Name == old.name {
		return memory{person: k.person, at: old.at, number: old.number}, true
	}
	return memory{number: old.number}, true
}

// search begins to look a name up, or joins those who do; nil: there are too
// many. A part is for people: made-up names, however slow, don't stop them. Last
// is the number of the look-up that was remembered: one that came back since
// will do.
func (u *Upstream) search(ctx context.Context, name string, seen bool, last uint64) *search {
	if !seen {
		_, err := u.Store.Account(ctx, u.nameIn(name))
		seen = err == nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if s := u.looking[name]; s != nil {
		return s
	}
	if m, _ := u.recall(name); m.number != last && (m.person != nil || m.err != nil) {
		s := &search{done: make(chan struct{}), person: m.person, err: m.err}
		close(s.done)
		return s
	}
	if len(u.looking) >= maxLooking || !seen && u.strangers >= maxStrangers {
		return nil
	}
	s := &search{stranger: !seen, done: make(chan struct{})}
	if s.stranger {
		u.strangers++
	}
	u.looking[name] = s
	u.behind.Go(func() { u.run(s, name) })
	return s
}

// nameIn is the name that a DN seems to have: programs bind people by it.
func (u *Upstream) nameIn(name string) string {
	if _, ok := u.personDN(name); !ok {
		return name
	}
	dn, err := ParseDN(name)
	if err != nil || len(dn.RDNs[0].Attributes) != 1 {
		return name
	}
	if a := dn.RDNs[0].Attributes[0]; shortType(a.Type) == shortType(u.Attributes.Name) {
		return fold(a.Value)
	}
	return name
}

// run looks a name up for all who wait, whoever of them gives up.
func (u *Upstream) run(s *search, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), u.timeout())
	defer cancel()
	began := u.Now()
	s.person, s.err = u.read(ctx, name, s.stranger)
	took := u.Now().Sub(began)
	if errors.Is(s.err, ErrUnknown) {
		u.hold(ctx, name, took)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.number++
	switch {
	case s.err == nil:
		u.whole.note(took)
		u.looked.Put(name, looked{id: s.person.Upstream, name: s.person.Name, at: began, number: u.number})
		if k, ok := u.people.Get(s.person.Upstream); ok && k.at.After(began) {
			s.person = k.person // a later look, by another name, came back before
		} else {
			u.people.Put(s.person.Upstream, known{s.person, began, began})
		}
	case judged(s.err):
		u.looked.Put(name, looked{err: s.err, at: began, number: u.number})
	}
	if s.stranger {
		u.strangers--
	}
	delete(u.looking, name)
	close(s.done)
}

// hold lets the time pass that a look-up of somebody took lately: that of a
// name which nobody has needs fewer searches.
func (u *Upstream) hold(ctx context.Context, name string, took time.Duration) {
	u.mu.Lock()
	d := u.whole.of(maphash.String(u.seed, name), 0) - took
	u.mu.Unlock()
	if d > 0 {
		u.wait(ctx, d)
	}
}

// forget has the person looked up anew.
func (u *Upstream) forget(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.people.Delete(id)
}
