package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// ErrNoSession means that the person has no such ticket that lives.
var ErrNoSession = errors.New("no such sign-in")

// Session is a live ticket as its person sees it.
type Session struct {
	ID      string // public
	Parent  string // public; of the ticket it rests on; "" none
	Door    string
	Service string
	Client  string
	Zone    string
	Factors []policy.Factor
	Since   time.Time
	Used    time.Time
	Until   time.Time
}

// Sessions lists the live tickets of a person, newest first.
func (g *Gate) Sessions(ctx context.Context, person int64) ([]Session, error) {
	if person == 0 { // has no row, and so no ticket
		return nil, nil
	}
	var ids []int64
	now := g.Now()
	err := g.Store.Tickets(ctx, person, now, func(t store.Ticket, _ string) error {
		ids = append(ids, t.ID)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list a person's tickets: %w", err)
	}
	var sessions []Session
	for _, id := range ids {
		h, err := g.Store.Held(ctx, id)
		if errors.Is(err, store.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list a person's tickets: %w", err)
		}
		if h.Live(now) {
			sessions = append(sessions, g.session(&h))
		}
	}
	return sessions, nil
}

func (g *Gate) session(h *store.Held) Session {
	s := Session{
		ID: g.Store.TicketName(h.ID), Door: h.Door, Service: h.Service, Client: h.Client, Zone: h.Zone,
		Since: h.Created, Used: h.Used, Until: h.Until,
	}
	if h.Parent != 0 {
		s.Parent = g.Store.TicketName(h.Parent)
	}
	for _, shown := range h.Shown {
		s.Factors = append(s.Factors, policy.Factor(shown.Factor))
	}
	return s
}

// Began tells whose ticket r presents, alive or not, and the public ID of the
// one that this sign-in began with. The zero Person means that there is none.
func (g *Gate) Began(ctx context.Context, r Request) (p Person, id string, err error) {
	var account *store.Account
	h, err := g.held(ctx, r)
	if err == nil && h != nil {
		account, err = g.find(ctx, h.Name)
	}
	if err == nil && account != nil {
		err = g.began(ctx, h)
	}
	if err != nil {
		return Person{}, "", fmt.Errorf("find what a sign-in by %s began with: %w", r.Client, err)
	}
	if account == nil || account.ID != h.Person {
		return Person{}, "", nil
	}
	return personOf(account), g.Store.TicketName(h.ID), nil
}

// began makes of h the ticket that its sign-in began with: where more had to
// be shown, another of the same service rests on it. Any other that it rests
// on, of a VPN say, is a sign-in of its own.
func (g *Gate) began(ctx context.Context, h *store.Held) error {
	for h.Parent != 0 {
		parent, err := g.Store.Held(ctx, h.Parent)
		if err != nil {
			return err
		}
		if parent.Door != h.Door || parent.Service != h.Service {
			return nil
		}
		*h = parent
	}
	return nil
}

// EndSession ends a sign-in of p, with all that rests on it, and books why; id
// is any of its tickets, each of which rests on the one before. [ErrNoSession]
// means that p has no such ticket: it has ended, or is somebody else's.
func (g *Gate) EndSession(ctx context.Context, r Request, p Person, id string, why Fault) error {
	ticket, err := g.Store.ParseTicket(id)
	if err != nil {
		return ErrNoSession
	}
	h, err := g.Store.Held(ctx, ticket)
	if err == nil && h.Person != p.ID {
		return ErrNoSession
	}
	if err == nil {
		err = g.began(ctx, &h)
	}
	if err == nil {
		err = g.Store.EndTicket(ctx, h.ID, g.Now(), g.done(r, p, why))
	}
	if errors.Is(err, store.ErrUnknown) {
		return ErrNoSession
	}
	if err != nil {
		return fmt.Errorf("end a ticket by %s: %w", r.Client, err)
	}
	return nil
}

// SignOut ends everything that p is signed in to, at every door, with the
// application passwords, which sign in again by themselves. It returns how many
// tickets that were.
func (g *Gate) SignOut(ctx context.Context, r Request, p Person) (ended int, err error) {
	sessions, err := g.Sessions(ctx, p.ID)
	if err != nil {
		return 0, err
	}
	event := g.done(r, p, reason.SignedOutAll)
	event.Detail = fmt.Sprintf("tickets %d", len(sessions))
	err = g.Store.SignOut(ctx, p.ID, event)
	if errors.Is(err, store.ErrUnknown) {
		err = ErrNoSession
	}
	if err != nil {
		return 0, fmt.Errorf("sign a person out everywhere by %s: %w", r.Client, err)
	}
	return len(sessions), nil
}

// done is the event of what p did themselves.
func (g *Gate) done(r Request, p Person, why Fault) store.Event {
	r.User = p.Name
	e := g.begin(r).event
	if !reason.Valid(why) {
		why = reason.SessionEnded
	}
	e.Typed, e.Outcome, e.Reason = p.Name, "done", string(why)
	return e
}

// Live reports whether the ticket of this public ID lives and its person may
// still be signed in, and counts as using it. It opens nothing: whoever asks
// has seen the person's proof before.
func (g *Gate) Live(ctx context.Context, id string) (bool, error) {
	h, err := g.standing(ctx, id)
	if h == nil || err != nil {
		return false, err
	}
	g.Store.Use(*h, g.Now())
	return true, nil
}
