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
type unheard map[string][]expected

// expected is one of them. person 0 stands for those that there was no room
// for.
type expected struct {
	ticket, person int64
	at             time.Time
	leased         bool // an address went with it
}

// expect notes an Accept, as late as the ticket's latest.
func (m *accepts) expect(client string, e expected) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unheard == nil {
		m.unheard = make(unheard)
	}
	list := slices.DeleteFunc(m.unheard[client], func(other expected) bool {
		if other.ticket == e.ticket {
			e.at, e.leased = latest(e.at, other.at), e.leased || other.leased
			return true
		}
		return e.at.Sub(other.at).Abs() > acceptsFor
	})
	if len(list) >= expectedMost {
		e = expected{at: latest(e.at, list[len(list)-1].at)}
		list = list[:len(list)-1]
	}
	m.unheard[client] = append(list, e)
}

// lent notes that an address went with the ticket's Accept.
func (m *accepts) lent(client string, ticket int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.unheard[client]
	for i := range list {
		list[i].leased = list[i].leased || list[i].ticket == ticket
	}
}

// heard forgets the Accept of a session that has told its address, or is over.
func (m *accepts) heard(client string, s *store.Session) {
	if s.Ticket != 0 && (placed(s) || !s.Stopped.IsZero()) {
		m.done(client, s.Ticket)
	}
}

func placed(s *store.Session) bool { return s.Address4.IsValid() || s.Address6.IsValid() }

func (m *accepts) done(client string, ticket int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if list, ok := m.unheard[client]; ok {
		m.unheard[client] = slices.DeleteFunc(list, func(e expected) bool { return e.ticket == ticket && ticket != 0 })
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
		// One that was read from the book, or is a repeat, may have its session.
		of, err := g.Store.SessionsOf(ctx, e.ticket)
		if err != nil {
			return time.Time{}, err
		}
		if !slices.ContainsFunc(of, func(s store.Session) bool { return placed(&s) }) {
			return e.at, nil
		}
		m.done(client, e.ticket)
	}
}

func (m *accepts) find(client string, person int64, spared bool, now time.Time) (found expected) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.unheard[client] {
		switch {
		case e.person == person && person != 0, spared && e.leased, now.Sub(e.at).Abs() > acceptsFor:
		case !e.at.Before(found.at):
			found = e
		}
	}
	return found
}
