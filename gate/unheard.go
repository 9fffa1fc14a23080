package gate

import (
	"context"
	"slices"
	"time"

	"sekisho/internal/store"
)

// expectedMost are the Accepts of one client that are remembered: more people
// than ever dial in between one failure of a NAS and its end.
const expectedMost = 8192

// unheard are, by client, the Access-Accepts of whose sessions no address is
// known yet: each may be on any address of the client's by now. Unlike those
// that a session is found by, one counts whatever is known of its source.
//
// An Accept counts for acceptsFor. A NAS that was told to let somebody in
// begins the session within seconds, and tells the address a minute later; what
// is not heard of in five was given up. That the ticket ended says nothing: its
// person can end it before the session begins.
type unheard map[string]*expecting

// expecting are those of one client.
type expecting struct {
	line    []expected         // the oldest first; one that is not in tickets as it stands is over
	tickets map[int64]expected // the latest of each
	dropped time.Time          // of the latest that there was no room for
}

// expected is one of them.
type expected struct {
	ticket, person int64
	at             time.Time
	leased         bool // an address went with it
}

// expect notes an Accept; of a ticket the one that was noted last stands.
func (m *accepts) expect(client string, e expected) {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.unheard[client]
	if x == nil {
		x = &expecting{tickets: make(map[int64]expected)}
		if m.unheard == nil {
			m.unheard = make(unheard)
		}
		m.unheard[client] = x
	}
	if before, ok := x.tickets[e.ticket]; ok {
		e.leased = e.leased || before.leased
	}
	x.line, x.tickets[e.ticket] = append(x.line, e), e
	for first := x.line[0]; len(x.line) > expectedMost || e.at.Sub(first.at) > acceptsFor; first = x.line[0] {
		if x.stands(first) {
			x.dropped = latest(x.dropped, first.at)
			delete(x.tickets, first.ticket)
		}
		x.line = x.line[1:]
	}
}

// stands reports whether the Accept is the latest of its ticket, and was not
// heard of.
func (x *expecting) stands(e expected) bool {
	return x.tickets[e.ticket].at.Equal(e.at)
}

// lent notes that an address went with the ticket's Accept.
func (m *accepts) lent(client string, ticket int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.unheard[client]; x != nil {
		if e, ok := x.tickets[ticket]; ok {
			e.leased = true
			x.tickets[ticket] = e
		}
	}
}

// heard forgets the Accept of a session that has told its address, or is over.
// A later Accept of the same ticket, a repeat, begins another session.
func (m *accepts) heard(client string, s *store.Session) {
	if s.Ticket != 0 && (placed(s) || !s.Stopped.IsZero()) {
		m.done(client, s.Ticket, s.Started)
	}
}

func placed(s *store.Session) bool { return s.Address4.IsValid() || s.Address6.IsValid() }

// done forgets the ticket's Accept if a session that began then is its own.
func (m *accepts) done(client string, ticket int64, began time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.unheard[client]; x != nil && !x.tickets[ticket].at.After(began) {
		delete(x.tickets, ticket)
	}
}

// latest is when the client was last told to let somebody other than the
// person in of whom no address is known; zero if it was not. spared leaves out
// who was given one.
func (m *accepts) latest(ctx context.Context, g *Gate, client string, person int64, spared bool) (time.Time, error) {
	for {
		e := m.find(client, person, spared, g.Now())
		if e.ticket == 0 {
			return e.at, nil
		}
		// One that was read from the book may have its session.
		of, err := g.Store.SessionsOf(ctx, e.ticket)
		if err != nil {
			return time.Time{}, err
		}
		if !slices.ContainsFunc(of, func(s store.Session) bool { return placed(&s) && !s.Started.Before(e.at) }) {
			return e.at, nil
		}
		m.done(client, e.ticket, e.at)
	}
}

// find is the last that was noted and counts at now; without a ticket it stands
// for those that there was no room for, or for none. One of a time to come, of
// a clock that was set back, counts.
func (m *accepts) find(client string, person int64, spared bool, now time.Time) expected {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.unheard[client]
	if x == nil {
		return expected{}
	}
	counts := func(at time.Time) bool { return now.Sub(at) <= acceptsFor }
	for _, e := range slices.Backward(x.line) {
		e = x.tickets[e.ticket]
		if e.ticket != 0 && counts(e.at) && e.person != person && !(spared && e.leased) {
			return e
		}
	}
	if counts(x.dropped) {
		return expected{at: x.dropped}
	}
	return expected{}
}
