package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"
)

const eventFields = `id, at, door, client, service, typed, person, name, source, how, zone, rule, factors, outcome, reason,
	detail, ticket, took, count, last`

func scanEvent(row []driver.Value) Event {
	return Event{
		ID: row[0].(int64), At: fromMicro(row[1].(int64)), Door: row[2].(string), Client: row[3].(string),
		Service: row[4].(string), Typed: row[5].(string), Person: row[6].(int64), Name: row[7].(string),
		Source: row[8].(string), How: row[9].(string), Zone: row[10].(string), Rule: row[11].(string),
		Factors: row[12].(string), Outcome: row[13].(string), Reason: row[14].(string), Detail: row[15].(string),
		Ticket: row[16].(int64), Took: time.Duration(row[17].(int64)) * time.Microsecond,
		Count: int(row[18].(int64)), Last: row[19].(int64),
	}
}

// book appends events inside a change, outside the batches.
func book(c *conn, events []Event) error {
	for _, e := range events {
		if _, err := c.exec("UPDATE sequence SET event = event + 1"); err != nil {
			return err
		}
		id, err := c.one("SELECT event FROM sequence")
		if err != nil {
			return err
		}
		e.ID = id
		scene, err := e.scene().number(c)
		if err != nil {
			return err
		}
		if err := c.execNamed(insertEvents[1], ordinal(appendEvent(nil, e, scene))); err != nil {
			return err
		}
	}
	return nil
}

func ordinal(v []driver.NamedValue) []driver.NamedValue {
	for i := range v {
		v[i].Ordinal = i + 1
	}
	return v
}

// Book books one event that is no attempt.
func (s *Store) Book(ctx context.Context, e Event) error {
	return s.change(ctx, func(c *conn) error { return book(c, []Event{e}) })
}

// AcceptClock books that the clock is right as it is now: from here on it may
// be behind what was booked before.
func (s *Store) AcceptClock(ctx context.Context, e Event) error {
	return s.change(ctx, func(c *conn) error {
		if err := book(c, []Event{e}); err != nil {
			return err
		}
		_, err := c.exec(`INSERT INTO meta SELECT 'clock_accepted', event FROM sequence WHERE true
			ON CONFLICT DO UPDATE SET value = excluded.value`)
		return err
	})
}

// eventsOf are the ids of a person's events, and of all that the index does
// not cover yet.
const eventsOf = `SELECT event FROM event_person WHERE person = ?%[1]d
	UNION ALL SELECT id FROM event WHERE id > (SELECT filed FROM sequence)`

// Search is what to look for in the book; the zero value finds everything.
type Search struct {
	Person  int64
	Name    string // of the person, then: for those without a row
	Source  string
	Client  string
	Reason  string
	Outcome string
	From    time.Time
	To      time.Time // zero: no end
	After   int64     // only events of a greater id, oldest first
	Most    int       // 0: no limit
}

// Events calls each for what was found: the newest first, or with After the
// oldest.
func (s *Store) Events(ctx context.Context, q Search, each func(Event) error) error {
	sql := "SELECT " + eventFields + " FROM booked WHERE id > ?1 AND at >= ?2"
	args := []any{q.After, micro(q.From)}
	and := func(condition string, value any) {
		args = append(args, value)
		sql += fmt.Sprintf(" AND "+condition, len(args))
	}
	if q.Person != 0 {
		and("person = ?%d", q.Person)
		and("id IN ("+eventsOf+")", q.Person)
	}
	if q.Name != "" {
		and("name = ?%d", q.Name)
	}
	if q.Source != "" {
		and("source = ?%d", q.Source)
	}
	if q.Client != "" {
		and("client = ?%d", q.Client)
	}
	if q.Reason != "" {
		and("reason = ?%d", q.Reason)
	}
	if q.Outcome != "" {
		and("outcome = ?%d", q.Outcome)
	}
	if !q.To.IsZero() {
		and("at < ?%d", micro(q.To))
	}
	sql += " ORDER BY id"
	if q.After == 0 {
		sql += " DESC"
	}
	if q.Most > 0 {
		args = append(args, int64(q.Most))
		sql += fmt.Sprintf(" LIMIT ?%d", len(args))
	}
	return s.reading(ctx, func(c *conn) error {
		return c.each(sql, func(row []driver.Value) error { return each(scanEvent(row)) }, args...)
	})
}

// floodSpan is how many ids before its own a reference may be told by the row
// of a flood: more than a minute can hold.
const floodSpan = 1 << 22

// Lookup finds the event of a reference. A refusal of a flood has no row of
// its own: then every row that may stand for it is returned, and exact is
// false. ErrReference means that the text is no reference, ErrUnknown that
// nothing was booked under it.
func (s *Store) Lookup(ctx context.Context, reference string) (found []Event, exact bool, err error) {
	id, err := s.shuffle.event.parse(reference)
	if err != nil {
		return nil, false, fmt.Errorf("%q: %w", reference, err)
	}
	err = s.reading(ctx, func(c *conn) error {
		err := c.each("SELECT "+eventFields+" FROM booked WHERE id = ?1", func(row []driver.Value) error {
			found, exact = append(found, scanEvent(row)), true
			return nil
		}, id)
		if err != nil || exact {
			return err
		}
		return c.each("SELECT "+eventFields+" FROM booked WHERE id < ?1 AND id > ?1 - ?2 AND last >= ?1 ORDER BY id DESC",
			func(row []driver.Value) error {
				found = append(found, scanEvent(row))
				return nil
			}, id, int64(floodSpan))
	})
	if err == nil && len(found) == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return nil, false, fmt.Errorf("reference %q: %w", reference, err)
	}
	return found, exact, nil
}
