// Package book reads the audit log and tells a decision in plain words, in
// Japanese and English.
//
// One call to the help desk, told: a person reads out a reference from the
// message that refused them. [Book.Why] finds what was booked under it, or,
// for a refusal out of a flood, the summary that counted it, and [Story.Tell]
// says when, who, from where, by which rule and why, and what helps. Who looks
// for a pattern instead goes through [Book.Search], one [Line] an event, made
// for grep and, as JSON, for programs.
//
// What people typed is in the book. Before it is shown, characters that could
// move a cursor or forge a line are escaped.
package book

import (
	"context"
	"slices"
	"strings"
	"time"

	"sekisho/internal/store"
)

// slice is how many events are read at a time: a reader who stops to look
// must not hold the store's log open.
const slice = 500

// Book reads what was booked.
type Book struct {
	Store *store.Store
	Local *time.Location // of the times that are told; nil: time.Local
}

// Search calls each for every event that q finds, the oldest first; with
// q.Most only for the newest of them. q.After other than 0 finds only later
// ids.
func (b *Book) Search(ctx context.Context, q store.Search, each func(Line) error) error {
	if q.Most > 0 && q.After == 0 {
		found, err := b.read(ctx, q)
		if err != nil {
			return err
		}
		slices.Reverse(found)
		return b.tell(found, each)
	}
	most := q.Most
	if q.After == 0 {
		q.After = -1 // the oldest first, from the beginning
	}
	for {
		q.Most = slice
		if most > 0 {
			q.Most = min(slice, most)
		}
		found, err := b.read(ctx, q)
		if err != nil {
			return err
		}
		if err := b.tell(found, each); err != nil {
			return err
		}
		if most -= len(found); len(found) < q.Most || most == 0 {
			return nil
		}
		q.After = found[len(found)-1].ID
	}
}

func (b *Book) read(ctx context.Context, q store.Search) (found []store.Event, err error) {
	err = b.Store.Events(ctx, q, func(e store.Event) error {
		found = append(found, e)
		return nil
	})
	return found, err
}

func (b *Book) tell(found []store.Event, each func(Line) error) error {
	for _, e := range found {
		if err := each(b.Line(e)); err != nil {
			return err
		}
	}
	return nil
}

// Why finds what was booked under a reference. The error is
// [store.ErrReference] for what is no reference and [store.ErrUnknown] where
// nothing was booked under it.
func (b *Book) Why(ctx context.Context, reference string) (Story, error) {
	found, exact, err := b.Store.Lookup(ctx, reference)
	if err != nil {
		return Story{}, err
	}
	s := Story{Reference: strings.ToUpper(strings.TrimSpace(reference)), Exact: exact}
	for _, e := range found {
		s.Lines = append(s.Lines, b.Line(e))
	}
	if exact {
		s.Reference = s.Lines[0].Reference
	}
	return s, nil
}
