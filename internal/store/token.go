package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"
)

// AddToken adds a code device; seal makes its sealed secret once its id is
// known. With replace the person's other devices are removed. The generation
// is raised. The step starts at t.Step: -1 where no code was accepted yet.
//
// Judged is the person as they were found: by their ID, since the name may be
// somebody else's by now. ErrChanged means that their Generation is another,
// ErrUnknown that there is no such person.
func (s *Store) AddToken(ctx context.Context, judged Person, t Token, replace bool, seal func(t Token) []byte, event Event) (Token, error) {
	err := s.change(ctx, func(c *conn) error {
		a, err := accountByID(c, judged.ID)
		if err != nil {
			return err
		}
		if a.Generation != judged.Generation {
			return ErrChanged
		}
		if replace {
			if err := removeTokens(c, a.ID); err != nil {
				return err
			}
		}
		t.ID, t.Person, t.Version = newID(t.Created), a.ID, 1
		t.Sealed = seal(t)
		_, err = c.exec("INSERT INTO token VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
			t.ID, t.Person, t.Kind, t.Label, int64(t.Digits), int64(t.Period), t.Algorithm, t.Sealed, t.Version, micro(t.Created))
		if err != nil {
			return err
		}
		if _, err := c.exec("INSERT INTO burnt VALUES (?1,?2,?3,0)", t.ID, t.Step, int64(t.Drift)); err != nil {
			return err
		}
		return raise(c, a.Person, event)
	})
	return t, err
}

// RemoveTokens removes every code device of the person, with the app passwords,
// which may lie on the same telephone, and raises the generation.
func (s *Store) RemoveTokens(ctx context.Context, name string, event Event) (removed int, err error) {
	err = s.change(ctx, func(c *conn) error {
		a, err := readAccount(c, name)
		if err != nil {
			return err
		}
		removed = len(a.Tokens)
		if err := removeTokens(c, a.ID); err != nil {
			return err
		}
		if err := endAppPasswords(c, a.ID); err != nil {
			return err
		}
		return raise(c, a.Person, event)
	})
	return removed, err
}

func removeTokens(c *conn, person int64) error {
	if _, err := c.exec("DELETE FROM burnt WHERE token IN (SELECT id FROM token WHERE person = ?1)", person); err != nil {
		return err
	}
	_, err := c.exec("DELETE FROM token WHERE person = ?1", person)
	return err
}

// raise makes what was remembered of the person void and books why.
func raise(c *conn, p Person, event Event) error {
	if _, err := c.exec("UPDATE person SET generation = generation + 1, changed = generation + 1 WHERE id = ?1", p.ID); err != nil {
		return err
	}
	event.Person, event.Name = p.ID, p.Name
	return book(c, []Event{event})
}

// Resync sets a device's drift and its last step; every step up to it is
// burnt. A step that went on meanwhile is ErrChanged.
func (s *Store) Resync(ctx context.Context, token, step int64, drift int, event Event) error {
	return s.change(ctx, func(c *conn) error {
		n, err := c.exec("UPDATE burnt SET step = ?2, drift = ?3, ticket = 0 WHERE token = ?1 AND step < ?2", token, step, int64(drift))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrChanged
		}
		return book(c, []Event{event})
	})
}

// Fence burns every step of every device up to now and window steps beyond,
// counted from where a device that runs ahead has drifted to, and ahead
// counters of a HOTP device: codes that were accepted before data was lost
// can't be used again. It returns how many devices it moved.
func (s *Store) Fence(ctx context.Context, now time.Time, window, ahead int, event Event) (moved int64, err error) {
	err = s.change(ctx, func(c *conn) error {
		moved, err = c.exec(`UPDATE burnt SET ticket = 0, step = fence.step
			FROM (SELECT token, CASE kind WHEN 'hotp' THEN step + ?3
				ELSE ?1 / period + max(drift, 0) + ?2 END AS step FROM burnt JOIN token ON id = token) AS fence
			WHERE fence.token = burnt.token AND fence.step > burnt.step`,
			now.Unix(), int64(window), int64(ahead))
		if err != nil {
			return err
		}
		event.Detail = fmt.Sprintf("devices %d", moved)
		return book(c, []Event{event})
	})
	return moved, err
}

// Reseal calls seal for every device whose seal stale reports, in slices, and
// replaces it by compare-and-set. It returns how many were replaced. seal gets
// the device as it is and seals for the next Version, which is the one stored.
func (s *Store) Reseal(ctx context.Context, stale func(sealed []byte) bool, seal func(Token) ([]byte, error)) (int, error) {
	const slice = 500
	done, last := 0, int64(0)
	for {
		var found []Token
		rows := 0
		err := s.reading(ctx, func(c *conn) error {
			return c.each("SELECT id, person, sealed, version FROM token WHERE id > ?1 ORDER BY id LIMIT ?2", func(row []driver.Value) error {
				t := Token{ID: row[0].(int64), Person: row[1].(int64), Sealed: row[2].([]byte), Version: row[3].(int64)}
				last = t.ID
				rows++
				if stale(t.Sealed) {
					found = append(found, t)
				}
				return nil
			}, last, int64(slice))
		})
		if err != nil {
			return done, err
		}
		if rows == 0 {
			return done, nil
		}
		if len(found) == 0 {
			continue
		}
		replaced := 0
		err = s.change(ctx, func(c *conn) error {
			for _, t := range found {
				old := t.Version
				t.Version++
				sealed, err := seal(Token{ID: t.ID, Person: t.Person, Sealed: t.Sealed, Version: old})
				if err != nil {
					return err
				}
				n, err := c.exec("UPDATE token SET sealed = ?3, version = ?4 WHERE id = ?1 AND version = ?2", t.ID, old, sealed, t.Version)
				if err != nil {
					return err
				}
				replaced += int(n)
			}
			return nil
		})
		if err != nil {
			return done, err
		}
		done += replaced
	}
}
