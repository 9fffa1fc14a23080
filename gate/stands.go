package gate

import (
	"context"
	"errors"
	"fmt"

	"sekisho/internal/store"
)

// Stands reports the same as [Gate.Live], but does not count as using the
// ticket: a door asks it of its own accord, while the client only waits.
func (g *Gate) Stands(ctx context.Context, id string) (bool, error) {
	h, err := g.standing(ctx, id)
	return h != nil, err
}

// standing is the ticket of this public ID, if it lives and its person may
// still be signed in; else nil.
func (g *Gate) standing(ctx context.Context, id string) (*store.Held, error) {
	ticket, err := g.Store.ParseTicket(id)
	if err != nil {
		return nil, nil
	}
	h, err := g.Store.Held(ctx, ticket)
	if errors.Is(err, store.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look whether a ticket lives: %w", err)
	}
	if !h.Live(g.Now()) {
		return nil, nil
	}
	account, err := g.find(ctx, h.Name)
	if err != nil {
		return nil, fmt.Errorf("look whether a ticket lives: %w", err)
	}
	if account == nil || !owns(account, &h) {
		return nil, nil
	}
	return &h, nil
}
