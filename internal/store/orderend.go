package store

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// OrderEnd makes a session due to end whose ticket does not live any more, or
// that never had one, whatever its NAS answered before, and books the event.
// ErrUnknown means that no such session lives.
func (s *Store) OrderEnd(ctx context.Context, session int64, event Event) error {
	found := int64(0)
	err := s.share(ctx, func(w *writer, j *job) (err error) {
		found, err = w.conn.exec(`UPDATE session SET told = 'end', ordered = 0, obeyed = '', tries = 0
			WHERE id = ?1 AND stopped = 0`, session)
		if err != nil || found == 0 {
			return err
		}
		err = w.conn.each(`SELECT person, ticket, coalesce(person.name, '') FROM session LEFT JOIN person ON person.id = session.person
			WHERE session.id = ?1`, func(row []driver.Value) error {
			event.Person, event.Ticket, event.Name = row[0].(int64), row[1].(int64), row[2].(string)
			return nil
		}, session)
		if err != nil {
			return err
		}
		return w.book(j, event)
	})
	if err == nil && found == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("end session %d: %w", session, err)
	}
	return nil
}
