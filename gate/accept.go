package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/recent"
	"sekisho/internal/store"
	"sekisho/policy"
)

// A session begins at most acceptFor after its Accept, and by the NAS's count
// of seconds a little before it.
const (
	acceptFor  = time.Minute
	acceptLate = 5 * time.Second

	acceptsFor  = 5 * time.Minute // the first Interim-Update may be the first record that arrives
	acceptsMost = 16              // of one kind; more than one are one too many
)

// accepts are the Access-Accepts of the last minutes, with which the sessions
// begin that accounting tells of.
type accepts struct {
	mu      sync.Mutex
	recent  recent.Map[accept, []accepted]
	unheard unheard
}

// accept is what an Access-Accept has in common with the records of its
// session, as far as every NAS tells it.
type accept struct{ client, name, source string }

type accepted struct {
	ticket int64
	at     time.Time
}

// start reads the latest from the book.
func (m *accepts) start(ctx context.Context, g *Gate) error {
	enough := errors.New("enough")
	now := g.Now()
	stopped := make(map[int64]bool)
	var unheard []store.Event
	err := g.Store.Events(ctx, store.Search{}, func(e store.Event) error {
		if now.Sub(e.At) > acceptsFor {
			return enough
		}
		switch {
		case e.Door != policy.DoorRADIUS:
		case e.Reason == string(reason.SessionStopped):
			stopped[e.Ticket] = true
		case e.Outcome == Admitted.String():
			m.put(accept{e.Client, e.Name, strings.ToLower(e.Source)}, e.Ticket, e.At)
			if !stopped[e.Ticket] || e.Reason == string(reason.Repeated) { // for another session, perhaps
				unheard = append(unheard, e)
			}
		}
		return nil
	})
	for _, e := range slices.Backward(unheard) { // the book was read from its end
		m.expect(e.Client, expected{ticket: e.Ticket, person: e.Person, at: e.At})
	}
	if err != nil && !errors.Is(err, enough) {
		return fmt.Errorf("read the latest sign-ins: %w", err)
	}
	return nil
}

// settled notes an admission. One that recurs, as only LDAP's do, and shares a
// row of the book does not come here ([agains.again]).
func (m *accepts) settled(a *attempt, ticket int64) {
	if a.r.Door == policy.DoorRADIUS {
		m.put(accept{a.r.Client, a.account.Name, a.r.Source.told()}, ticket, a.at)
		if !a.renewed {
			m.expect(a.r.Client, expected{ticket: ticket, person: a.account.ID, at: a.at})
		}
	}
}

func (m *accepts) put(k accept, ticket int64, at time.Time) {
	if k.source == "" {
		return // nothing would tell it from others
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before, _ := m.recent.Get(k)
	list := []accepted{{ticket, at}}
	for _, each := range before {
		switch {
		case each.ticket == ticket: // a repeat
			list[0].at = latest(list[0].at, each.at)
		case at.Sub(each.at) <= acceptsFor && len(list) < acceptsMost:
			list = append(list, each)
		}
	}
	m.recent.Put(k, list)
}

// before are the tickets of those after which a session may have begun at that
// time.
func (m *accepts) before(k accept, began time.Time) (tickets []int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list, _ := m.recent.Get(k)
	for _, each := range list {
		if age := began.Sub(each.at); age >= -acceptLate && age <= acceptFor {
			tickets = append(tickets, each.ticket)
		}
	}
	return tickets
}

// told is the source as a NAS tells it each time; "" where it told none.
func (s Source) told() string { return strings.ToLower(s.String()) }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
