package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const ticketFields = `id, hash, person, generation, parent, door, service, client, zone, rule, shown, created, until, idle,
	used, ended, repeat, answers, app_password`

func scanTicket(row []driver.Value) Ticket {
	t := Ticket{
		ID: row[0].(int64), Person: row[2].(int64), Generation: row[3].(int64), Parent: row[4].(int64),
		Door: shared(row[5]), Service: shared(row[6]), Client: shared(row[7]), Zone: shared(row[8]), Rule: shared(row[9]),
		Shown: parseShown(row[10].(string)), Created: fromMicro(row[11].(int64)), Until: fromMicro(row[12].(int64)),
		Idle: time.Duration(row[13].(int64)) * time.Microsecond, Used: fromMicro(row[14].(int64)),
		Ended: fromMicro(row[15].(int64)), Repeat: row[16].([]byte), Answers: int(row[17].(int64)),
		AppPassword: row[18].(int64),
	}
	copy(t.Hash[:], row[1].([]byte))
	return t
}

// Ticket reads one ticket by its id; ErrUnknown if there is none.
func (s *Store) Ticket(ctx context.Context, id int64) (Ticket, error) {
	var t Ticket
	err := s.reading(ctx, func(c *conn) error {
		return c.each("SELECT "+ticketFields+" FROM issued WHERE id = ?1", func(row []driver.Value) error {
			t = scanTicket(row)
			return nil
		}, id)
	})
	if err == nil && t.ID == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return Ticket{}, fmt.Errorf("ticket %d: %w", id, err)
	}
	return t, nil
}

// ParseTicket reads the public name of a ticket, as TicketName writes it.
func (s *Store) ParseTicket(name string) (int64, error) {
	name = strings.TrimSpace(name)
	if len(name) == 0 || name[0] != 'T' && name[0] != 't' {
		return 0, fmt.Errorf("%q is not a ticket: want a T and eight letters and digits like T7F3K-92QD", name)
	}
	id, err := s.shuffle.ticket.parse(name[1:])
	if err != nil {
		return 0, fmt.Errorf("%q is not a ticket: want a T and eight letters and digits like T7F3K-92QD", name)
	}
	return id, nil
}

// ownTickets narrows to the tickets of person ?2: each was put beside an event
// of theirs.
var ownTickets = "person = ?2 AND id IN (SELECT ticket FROM event WHERE person = ?2 AND ticket > 0 AND id IN (" +
	fmt.Sprintf(eventsOf, 2) + "))"

// Tickets calls each for the tickets that live at now, of one person or, with
// person 0, of all, newest first.
func (s *Store) Tickets(ctx context.Context, person int64, now time.Time, each func(t Ticket, name string) error) error {
	const live = "SELECT " + ticketFields + `, (SELECT name FROM person WHERE person.id = issued.person) FROM issued
		WHERE ended = 0 AND until > ?1 AND (idle = 0 OR used + idle > ?1)
		AND generation = (SELECT generation FROM person WHERE person.id = issued.person)`
	read := func(row []driver.Value) error { return each(scanTicket(row), row[19].(string)) }
	return s.reading(ctx, func(c *conn) error {
		if person == 0 {
			return c.each(live+" ORDER BY id DESC", read, micro(now))
		}
		return c.each(live+" AND "+ownTickets+" ORDER BY id DESC", read, micro(now), person)
	})
}

// EndTicket ends a ticket and its children, and theirs, and books the event.
// ErrUnknown means that there is no such ticket that lives.
func (s *Store) EndTicket(ctx context.Context, id int64, now time.Time, event Event) error {
	return s.changeAside(ctx, func(c *conn) ([]int64, error) {
		lives := false
		err := c.each("SELECT person.id, name FROM ticket JOIN person ON person.id = person WHERE ticket.id = ?1 AND ended = 0",
			func(row []driver.Value) error {
				lives = true
				event.Ticket, event.Person, event.Name = id, row[0].(int64), row[1].(string)
				return nil
			}, id)
		if err != nil {
			return nil, err
		}
		if !lives {
			return nil, ErrUnknown
		}
		if err := endLine(c, id, now); err != nil {
			return nil, err
		}
		return []int64{id}, book(c, []Event{event})
	})
}

func shownText(shown []Shown) string {
	var b strings.Builder
	for i, s := range shown {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s.Factor)
		b.WriteByte('=')
		b.WriteString(strconv.FormatInt(micro(s.At), 10))
	}
	return b.String()
}

func parseShown(text string) []Shown {
	var shown []Shown
	for _, f := range strings.Fields(text) {
		factor, at, _ := strings.Cut(f, "=")
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			continue
		}
		shown = append(shown, Shown{factor, fromMicro(n)})
	}
	return shown
}
