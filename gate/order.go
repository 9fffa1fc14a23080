package gate

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

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

	name           string // canonical
	person, ticket int64
}

// What a NAS answers, as far as it matters here.
const (
	obeyedAck  = "ack"
	obeyedGone = "nak 503" // it has no such session (RFC 5176 §3.5)
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
			Change: d.Change, Groups: d.Now, name: d.Name, person: d.Person, ticket: d.Ticket}
		if !o.Address.IsValid() && d.Address6.IsValid() {
			o.Address = d.Address6.Addr()
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// Obeyed books what became of an order: "ack", "nak 503", "silent", "no_way".
// done tells that there is nothing left to do.
func (g *Gate) Obeyed(ctx context.Context, o Order, result string, done bool) error {
	e := store.Event{
		At: g.Now(), Door: policy.DoorRADIUS, Client: o.Client, Typed: o.User, Person: o.person, Name: o.name,
		Outcome: "noticed", Reason: string(o.became(result)), Ticket: o.ticket,
		Detail: "answer " + result + ", " + whose(o.NAS, o.Session),
	}
	err := g.Store.Ordered(ctx, store.Obedience{
		Session: o.ID, Change: o.Change, At: e.At, Answer: result, Done: done, Groups: o.Groups,
	}, e)
	if err == nil && strings.HasPrefix(result, obeyedGone) {
		err = g.gone(ctx, o)
	}
	if err != nil {
		return fmt.Errorf("book what became of an order to %s: %w", o.Client, err)
	}
	return nil
}

// gone ends a session that its NAS knows nothing of: its Stop was lost.
func (g *Gate) gone(ctx context.Context, o Order) error {
	now := g.Now()
	key := store.SessionKey{Client: o.Client, NAS: o.NAS, Name: o.Session}
	return g.Store.ChangeSession(ctx, key, func(s store.Session) store.SessionChange {
		if s.ID != o.ID || !s.Stopped.IsZero() {
			return store.SessionChange{Session: s}
		}
		s.Stopped, s.Cause = now, causeGone
		return store.SessionChange{Session: s, EndTicket: true}
	})
}

// became is how the book has the result.
func (o *Order) became(result string) reason.Code {
	done := result == obeyedAck || result == obeyedNone || strings.HasPrefix(result, obeyedGone)
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
