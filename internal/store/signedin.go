package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"
)

// signedIn walks the tickets, not the people: those from the first on that
// lived when it was last asked are few.
const signedIn = `SELECT person.id, person.name, person.upstream, min(ticket.id) FROM ticket CROSS JOIN person
	WHERE ticket.id >= ?1 AND ticket.ended = 0 AND ticket.until > ?2
	AND person.id = ticket.person AND person.upstream <> '' AND person.changed <= ticket.generation
	GROUP BY person.id ORDER BY person.id`

// SignedIn are the people of the directory behind who have a ticket, or a
// session that goes on by one, whether or not it was used lately: their ID, Name
// and Upstream alone.
func (s *Store) SignedIn(ctx context.Context, now time.Time) (people []Person, err error) {
	var first int64 // of the tickets that live
	err = s.reading(ctx, func(c *conn) error {
		return c.each(signedIn, func(row []driver.Value) error {
			people = append(people, Person{ID: row[0].(int64), Name: row[1].(string), Upstream: row[2].(string)})
			if ticket := row[3].(int64); first == 0 || ticket < first {
				first = ticket
			}
			return nil
		}, s.living.Load(), micro(now))
	})
	if err != nil {
		return nil, fmt.Errorf("find who is signed in: %w", err)
	}
	// None of those before it will live again.
	if first > 0 {
		s.living.Store(first)
	}
	return people, nil
}
