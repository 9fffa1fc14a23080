package gate

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// Order is a session that its NAS has to end, or to change.
type Order struct {
	ID      int64 // of the session
	Client  string
	NAS     string
	Session string
	User    string
	Address netip.Addr // in the tunnel; zero: not known
	Change  bool       // the person's groups changed; else the session has to end
	Groups  []string   // now
	Had     []string   // that the NAS was told last

	name           string // canonical
	person, ticket int64
	permitted      bool // the ticket lives: only groups changed, whatever the door made of Change
}

// What a NAS answers, as far as it matters here.
const (
	obeyedAck  = "ack"
	obeyedGone = store.AnswerGone
	obeyedNone = "no_change"

	causeGone = "gone" // of a session that its NAS knows nothing of
)

// Orders are the sessions whose ticket ended, or whose person's groups
// changed, and whose NAS was not told yet.
func (g *Gate) Orders(ctx context.Context) ([]Order, error) {
	due, err := g.Store.Due(ctx, g.Now())
	if err != nil {
		return nil, fmt.Errorf("find the sessions that have to end or to change: %w", err)
	}
	var orders []Order
	for _, d := range due {
		o := Order{ID: d.ID, Client: d.Client, NAS: d.NAS, Session: d.Session.Name, User: d.User, Address: d.Address4,
			Change: d.Change, Groups: d.Now, Had: d.Groups, name: d.Name, person: d.Person, ticket: d.Ticket, permitted: d.Change}
		if !o.Address.IsValid() && d.Address6.IsValid() {
			o.Address = d.Address6.Addr()
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// Obeyed notes what became of an order: "ack", "nak 503", "silent", "no_way".
// done tells that there is nothing left to do. The book has what was not
// obeyed once an hour: a NAS that is silent stays so.
func (g *Gate) Obeyed(ctx context.Context, o Order, result string, done bool) error {
	now := g.Now()
	e := store.Event{
		At: now, Door: policy.DoorRADIUS, Client: o.Client, Typed: o.User, Person: o.person, Name: o.name,
		Outcome: "noticed", Reason: string(o.became(result)), Ticket: o.ticket,
		Detail: "answer " + result + ", " + whose(o.NAS, o.Session),
	}
	told := tale{SessionKey: o.key(), why: reason.Code(e.Reason), answer: result, event: hour(now)}
	var events []store.Event
	if result == obeyedAck || !g.tales.told(told) {
		events = append(events, e)
	}
	// What is gone now may be heard of again, and is not done then. A change
	// stays one where it was made an end: what is due next is told by the groups.
	err := g.Store.Ordered(ctx, store.Obedience{
		Session: o.ID, Change: o.permitted, At: now, Answer: result, Done: done && result != obeyedGone, Groups: o.Groups,
	}, events...)
	if err == nil && result == obeyedGone {
		err = g.gone(ctx, o, now)
	}
	if err != nil {
		return fmt.Errorf("book what became of an order to %s: %w", o.Client, err)
	}
	g.tales.tell(told)
	return nil
}

func (o *Order) key() store.SessionKey {
	return store.SessionKey{Client: o.Client, NAS: o.NAS, Name: o.Session}
}

// gone ends a session that its NAS knows nothing of: its Stop was lost. Some
// say so of one that lives, if they look for it by another name; so whoever is
// permitted keeps the ticket.
func (g *Gate) gone(ctx context.Context, o Order, now time.Time) error {
	return g.Store.ChangeSession(ctx, o.key(), func(s store.Session) store.SessionChange {
		if s.ID != o.ID || !s.Stopped.IsZero() {
			return store.SessionChange{Session: s}
		}
		s.Stopped, s.Cause = now, causeGone
		return store.SessionChange{Session: s, EndTicket: !o.permitted}
	})
}

// became is how the book has the result.
func (o *Order) became(result string) reason.Code {
	done := result == obeyedAck || result == obeyedNone || result == obeyedGone
	switch {
	case o.Change && done:
		return reason.ChangeDone
	case o.Change:
		return reason.ChangeFailed
	case done:
		return reason.DisconnectDone
	}
	return reason.DisconnectFailed
}
