package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Recount sets how many admissions rows of the book stand for, by event. What
// is remembered of people and tickets stays good. A row that was pruned is
// passed over. An error means that nothing was written.
func (s *Store) Recount(ctx context.Context, counts map[int64]int) error {
	j := &job{}
	j.turn = func(w *writer) { j.err = w.recount(counts) }
	if err := s.submitChange(ctx, j); err != nil {
		return fmt.Errorf("recount: %w", err)
	}
	return nil
}

func (w *writer) recount(counts map[int64]int) error {
	err := w.conn.transaction(func() error {
		for _, id := range slices.Sorted(maps.Keys(counts)) {
			if _, err := w.conn.exec("UPDATE event SET count = ?2 WHERE id = ?1", id, int64(counts[id])); err != nil {
				return err
			}
		}
		return nil
	})
	w.note(err)
	return err
}
