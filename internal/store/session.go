package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"net/netip"
	"time"
)

// SessionKey tells one session from all others (RFC 2866 §5.5).
type SessionKey struct {
	Client string
	NAS    string // which of the machines that share the client's address
	Name   string // Acct-Session-Id
}

// Session is a connection as its NAS tells it by accounting.
type Session struct {
	SessionKey
	ID       int64
	User     string // as the NAS has it
	Person   int64  // 0: nobody was found
	Ticket   int64  // 0: none was found
	Station  string // where the person is, as the NAS has it
	Address4 netip.Addr
	Address6 netip.Prefix // a single address, or the network that the person was given, of a length that is kept: see address6Text
	Named    time.Time    // when a record last told the addresses
	Ousted   bool         // another session was seen on one of the addresses; it stays so
	Started  time.Time
	Event    time.Time // of the latest record, by the NAS's clock
	Seen     time.Time // when that came
	Interval time.Duration
	Lasted   time.Duration // in whole seconds
	Input    uint64
	Output   uint64
	Stopped  time.Time // zero: lives
	Cause    string    // why it stopped; [CauseLost] is ours
	Groups   []string  // that the NAS was told last
	Ordered  time.Time
	Told     string // what is open of that order: "change", "end"; "ended": nothing will be, ever
	Obeyed   string
	Tries    int // orders one after the other that were not done
}

// SessionChange is what a record makes of a session.
type SessionChange struct {
	Session   Session // where Seen is zero, nothing but the events is written
	Claims    bool    // the session is on its addresses since Named: who was seen there before is ousted; if somebody was since, itself is
	EndTicket bool    // the session's ticket ends, unless another session that lives has it
	Events    []Event // booked in the same transaction; their time is that of our clock
}

// ChangeSession hands the session of the key to change, or one that is zero
// but for the key, and writes what comes back, durable when it returns.
// change runs in the writer and may run twice: it must be quick and have no
// effect of its own. ErrRecord means that this session alone can't be written.
func (s *Store) ChangeSession(ctx context.Context, key SessionKey, change func(Session) SessionChange) error {
	if err := s.share(ctx, changing(key, change)); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

func changing(key SessionKey, change func(Session) SessionChange) func(w *writer, j *job) error {
	return func(w *writer, j *job) error {
		before, err := readSession(w.conn, key)
		if err != nil {
			return err
		}
		made := change(before)
		if !made.Session.Seen.IsZero() {
			if err := w.keep(j, before, made); err != nil {
				return err
			}
		}
		for _, e := range made.Events {
			if err := w.book(j, e); err != nil {
				return err
			}
		}
		return nil
	}
}

// keep writes what a record made of a session.
func (w *writer) keep(j *job, before Session, made SessionChange) error {
	now := made.Session
	now.SessionKey, now.ID = before.SessionKey, before.ID // which it is does not change
	now.Ousted = now.Ousted || before.Ousted
	if made.Claims {
		later, err := oust(w.conn, now)
		if err != nil {
			return err
		}
		now.Ousted = now.Ousted || later
	}
	if err := putSession(w.conn, before, now); err != nil {
		return err
	}
	if err := heardOfLease(w.conn, now); err != nil {
		return err
	}
	if before.Ticket != 0 && before.Ticket != now.Ticket { // its name was given away again
		before.Seen = now.Seen
		if err := w.leave(j, before, true); err != nil {
			return err
		}
	}
	if now.Ticket != 0 && (made.EndTicket || !now.Stopped.IsZero()) {
		return w.leave(j, now, made.EndTicket)
	}
	return nil
}

// leave ends the ticket of a session, unless another one has it, and gives
// back its address.
func (w *writer) leave(j *job, s Session, end bool) error {
	others := int64(0)
	if end {
		var err error
		others, err = w.conn.one(`SELECT count(*) FROM session WHERE ticket = ?1 AND ticket <> 0 AND stopped = 0
			AND NOT (client = ?2 AND nas = ?3 AND name = ?4)`, s.Ticket, s.Client, s.NAS, s.Name)
		if err != nil {
			return err
		}
	}
	if !end || others > 0 {
		return freeLeases(w.conn, s.Ticket, s.Seen)
	}
	if len(w.rows.tickets) > 0 { // of this batch, that may rest on it
		if err := w.flush(); err != nil {
			return err
		}
	}
	j.ended = append(j.ended, s.Ticket)
	return endLine(w.conn, s.Ticket, s.Seen)
}

// EndSessions ends the live sessions of a NAS, for Accounting-On and -Off, but
// not those that it told of since; ends their tickets, unless another session
// has them; and books the event, which tells how many unless it has a Detail.
func (s *Store) EndSessions(ctx context.Context, client, nas string, at time.Time, cause string, event Event) (ended int, err error) {
	return s.EndSessionsOnce(ctx, nil, client, nas, at, cause, event)
}

// EndSessionsOnce is EndSessions for what can't be told from its copy by its
// time: what was spent before ends nothing, and books nothing. A nil once is
// as if it never was.
func (s *Store) EndSessionsOnce(ctx context.Context, once *Spend, client, nas string, at time.Time, cause string, event Event) (ended int, err error) {
	err = s.changeAside(ctx, func(c *conn) ([]int64, error) {
		ended = 0
		if once != nil {
			n, err := c.exec("INSERT OR IGNORE INTO spent VALUES (?1, ?2)", once.Key, micro(once.Until))
			if err != nil || n == 0 {
				return nil, err
			}
		}
		var tickets []int64
		err := c.each("SELECT DISTINCT ticket FROM session WHERE stopped = 0 AND client = ?1 AND nas = ?2 AND ticket <> 0",
			func(row []driver.Value) error {
				tickets = append(tickets, row[0].(int64))
				return nil
			}, client, nas)
		if err != nil {
			return nil, err
		}
		n, err := c.exec("UPDATE session SET stopped = ?3, cause = ?4 WHERE stopped = 0 AND client = ?1 AND nas = ?2 AND event <= ?3",
			client, nas, micro(at), cause)
		if err != nil {
			return nil, err
		}
		for _, id := range tickets {
			if live, err := sessionsOf(c, id); err != nil {
				return nil, err
			} else if live > 0 {
				continue
			}
			if err := endLine(c, id, at); err != nil {
				return nil, err
			}
		}
		ended = int(n)
		event.Detail = cmp.Or(event.Detail, fmt.Sprint("sessions ", n))
		return tickets, book(c, []Event{event})
	})
	if err != nil {
		return 0, fmt.Errorf("end the sessions of a NAS: %w", err)
	}
	return ended, nil
}

// sessionsOf counts the live sessions that have the ticket.
func sessionsOf(c *conn, ticket int64) (int64, error) {
	return c.one("SELECT count(*) FROM session WHERE ticket = ?1 AND ticket <> 0 AND stopped = 0", ticket)
}

// SessionsOf are the live sessions that have the ticket, mostly one.
func (s *Store) SessionsOf(ctx context.Context, ticket int64) (list []Session, err error) {
	err = s.reading(ctx, func(c *conn) error {
		list, err = sessionsWith(c, ticket)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sessions of ticket %d: %w", ticket, err)
	}
	return list, nil
}

func sessionsWith(c *conn, ticket int64) (list []Session, err error) {
	err = c.each("SELECT "+sessionFields+" FROM session WHERE ticket = ?1 AND ticket <> 0 AND stopped = 0",
		func(row []driver.Value) error {
			list = append(list, scanSession(row))
			return nil
		}, ticket)
	return list, err
}

// Sessions calls each for the sessions that live or ended after since, the
// newest first, with the public name of each one's ticket ("" none).
func (s *Store) Sessions(ctx context.Context, since time.Time, each func(s Session, ticket string) error) error {
	return s.reading(ctx, func(c *conn) error {
		return c.each("SELECT "+sessionFields+" FROM session WHERE stopped = 0 OR stopped > ?1 ORDER BY started DESC, id DESC",
			func(row []driver.Value) error {
				session, ticket := scanSession(row), ""
				if session.Ticket != 0 {
					ticket = s.TicketName(session.Ticket)
				}
				return each(session, ticket)
			}, micro(since))
	})
}
