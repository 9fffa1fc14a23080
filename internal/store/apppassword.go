package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"time"
)

const (
	// MostAppPasswords is how many a person may have.
	MostAppPasswords = 20
	// AppPasswordIdle is for how long one may go unused and still be good. It
	// is kept longer, so that it can be told why it is not.
	AppPasswordIdle = 30 * 24 * time.Hour

	appPasswordKept = 3 * AppPasswordIdle
)

// Idle reports whether it was not used for too long.
func (p AppPassword) Idle(now time.Time) bool { return now.Sub(p.Used) >= AppPasswordIdle }

func (p AppPassword) detail() string { return "for " + p.Service + ": " + p.Label }

// PublicID is how people name it.
func (p AppPassword) PublicID() string { return strconv.FormatInt(p.ID, 36) }

// ParseAppPassword reads what PublicID writes; 0 is none.
func ParseAppPassword(text string) (id int64) {
	id, err := strconv.ParseInt(text, 36, 64)
	if err != nil {
		return 0
	}
	return id
}

// AddAppPassword adds an app password of p's Label, Service, Network, Hash,
// Key and Created, and returns it. judged is its person as the caller read
// them: [ErrChanged] means that they have changed since, [ErrTooMany] that they
// have enough. It changes nothing of what was given out before, so the
// generation stays.
func (s *Store) AddAppPassword(ctx context.Context, judged Person, p AppPassword, event Event) (AppPassword, error) {
	err := s.change(ctx, func(c *conn) error {
		a, err := accountByID(c, judged.ID)
		if err != nil {
			return err
		}
		switch {
		case a.Generation != judged.Generation:
			return ErrChanged
		case len(a.AppPasswords) >= MostAppPasswords:
			return ErrTooMany
		}
		p.ID, p.Person, p.Used = newID(p.Created), a.ID, p.Created
		_, err = c.exec("INSERT INTO app_password VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)",
			p.ID, p.Person, p.Label, p.Service, p.Network, p.Hash, int64(p.Key), micro(p.Created), micro(p.Used))
		if err != nil {
			return err
		}
		event.Person, event.Name, event.Detail = a.ID, a.Name, p.detail()
		return book(c, []Event{event})
	})
	if err != nil {
		return AppPassword{}, fmt.Errorf("add an app password: %w", err)
	}
	return p, nil
}

// EndAppPassword removes a person's app password, ends the tickets that were
// given for it with all that rests on them, and books the event. The person's
// other sign-ins go on. ErrUnknown means that this person has none of that id.
func (s *Store) EndAppPassword(ctx context.Context, person, id int64, event Event) error {
	err := s.change(ctx, func(c *conn) error {
		a, err := accountByID(c, person)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(a.AppPasswords, func(p AppPassword) bool { return p.ID == id })
		if i < 0 {
			return ErrUnknown
		}
		if _, err := c.exec("DELETE FROM app_password WHERE id = ?1", id); err != nil {
			return err
		}
		var tickets []int64
		err = c.each("SELECT id FROM ticket WHERE app_password = ?1 AND app_password <> 0 AND ended = 0", func(row []driver.Value) error {
			tickets = append(tickets, row[0].(int64))
			return nil
		}, id)
		if err != nil {
			return err
		}
		for _, ticket := range tickets {
			if err := endLine(c, ticket, event.At); err != nil {
				return err
			}
		}
		event.Person, event.Name, event.Detail = a.ID, a.Name, a.AppPasswords[i].detail()
		return book(c, []Event{event})
	})
	if err != nil {
		return fmt.Errorf("end an app password: %w", err)
	}
	return nil
}

// AppPasswordsBy counts the app passwords that each key of the ring hashed.
func (s *Store) AppPasswordsBy(ctx context.Context) (map[uint32]int, error) {
	counts := make(map[uint32]int)
	err := s.reading(ctx, func(c *conn) error {
		return c.each("SELECT key, count(*) FROM app_password GROUP BY key", func(row []driver.Value) error {
			counts[uint32(row[0].(int64))] = int(row[1].(int64))
			return nil
		})
	})
	return counts, err
}

// useAppPassword writes that it was used. It is one conditional statement:
// what was ended before is not used.
func (w *writer) useAppPassword(id int64, at time.Time) (used bool, err error) {
	n, err := w.conn.exec("UPDATE app_password SET used = max(used, ?2) WHERE id = ?1", id, micro(at))
	return n > 0, err
}

// useAppPassword carries that over to a copy of the account.
func (a *Account) useAppPassword(id int64, at time.Time) {
	a.AppPasswords = slices.Clone(a.AppPasswords)
	for i := range a.AppPasswords {
		if p := &a.AppPasswords[i]; p.ID == id && at.After(p.Used) {
			p.Used = at
		}
	}
}

func readAppPasswords(c *conn, person int64) ([]AppPassword, error) {
	var found []AppPassword
	err := c.each(`SELECT id, person, label, service, network, hash, key, created, used FROM app_password
		WHERE person = ?1 ORDER BY id`, func(row []driver.Value) error {
		found = append(found, AppPassword{
			ID: row[0].(int64), Person: row[1].(int64), Label: row[2].(string), Service: shared(row[3]), Network: shared(row[4]),
			Hash: row[5].([]byte), Key: uint32(row[6].(int64)), Created: fromMicro(row[7].(int64)), Used: fromMicro(row[8].(int64)),
		})
		return nil
	}, person)
	return found, err
}

// pruneAppPasswords removes those that are idle for long.
func (w *writer) pruneAppPasswords(before int64) (int64, error) {
	return w.conn.exec("DELETE FROM app_password WHERE id IN (SELECT id FROM app_password WHERE used < ?1 LIMIT ?2)",
		before-appPasswordKept.Microseconds(), int64(pruneSlice))
}
