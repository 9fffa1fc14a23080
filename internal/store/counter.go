package store

import (
	"context"
	"database/sql/driver"
	"time"
)

// Counters reads every throttle counter that counted since from, and removes
// the older ones.
func (s *Store) Counters(ctx context.Context, from time.Time) ([]Counter, error) {
	var counters []Counter
	err := s.change(ctx, func(c *conn) error {
		if _, err := c.exec("DELETE FROM counter WHERE last < ?1", micro(from)); err != nil {
			return err
		}
		return c.each("SELECT name, count, since, last, data FROM counter", func(row []driver.Value) error {
			counters = append(counters, Counter{Name: row[0].(string), Count: int(row[1].(int64)),
				Since: fromMicro(row[2].(int64)), Last: fromMicro(row[3].(int64)), Data: row[4].([]byte)})
			return nil
		})
	})
	return counters, err
}

// KeyChecks reads what shows that a key ring is the one that sealed this
// store: a check value for each key id.
func (s *Store) KeyChecks(ctx context.Context) (map[uint32][]byte, error) {
	checks := make(map[uint32][]byte)
	err := s.reading(ctx, func(c *conn) error {
		return c.each("SELECT id, value FROM key_check", func(row []driver.Value) error {
			checks[uint32(row[0].(int64))] = row[1].([]byte)
			return nil
		})
	})
	return checks, err
}

// SetKeyChecks remembers the check values of the ring, and forgets those of
// keys that it no longer has.
func (s *Store) SetKeyChecks(ctx context.Context, checks map[uint32][]byte) error {
	return s.change(ctx, func(c *conn) error {
		if _, err := c.exec("DELETE FROM key_check"); err != nil {
			return err
		}
		for id, value := range checks {
			if _, err := c.exec("INSERT INTO key_check VALUES (?1, ?2)", int64(id), value); err != nil {
				return err
			}
		}
		return nil
	})
}
