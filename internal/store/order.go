package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"
)

// Due is a live session whose NAS has to be told something.
type Due struct {
	Session
	Change bool     // only the person's groups changed; else the session has to end
	Now    []string // the person's groups now
	Name   string   // canonical, of the person
}

// Obedience is what became of an order.
type Obedience struct {
	Session int64
	Change  bool // it was to change the session; else to end it
	At      time.Time
	Answer  string   // of the NAS, or why there is none
	Done    bool     // there is nothing left to do
	Groups  []string // that a change told
}

// AnswerGone is the answer of a NAS that has no such session (RFC 5176 §3.5).
const AnswerGone = "nak 503"

// How long after an order that was not done a session may still be seen, until
// the order is due again: the first time a record of it was under way. Twice
// as long after each further one, but not after the most; and not within goneFor
// where the NAS knows nothing of a session that it tells of.
const (
	patience     = time.Minute
	patienceMost = 30 * time.Minute
	goneFor      = 10 * time.Minute
	triesMost    = 6 // that are counted
)

// dueMost are looked at at once: the clients' in turn, so that those of one
// keep back none of another.
const dueMost = 512

// due narrows down in SQL, since nearly all sessions are as they should be.
// over: the session has to end; again: the last order is open, but the session
// was seen long after it.
const due = `SELECT ` + sessionFields + `, over, person_groups, person_name FROM (
	SELECT *, row_number() OVER (PARTITION BY client ORDER BY ordered, id) AS turn FROM (
	SELECT session.*, coalesce(person.groups, '') AS person_groups, coalesce(person.name, '') AS person_name,
		CASE session.ticket WHEN 0 THEN session.told = 'end'
			ELSE ticket.ended <> 0 OR ticket.until <= ?1 OR person.disabled <> 0 OR person.changed > ticket.generation END AS over,
		person.generation <> ticket.generation AND person.groups <> session.groups AS moved,
		session.seen > session.ordered + max(min(?2 << max(session.tries - 1, 0), ?3),
			CASE session.obeyed WHEN '` + AnswerGone + `' THEN ?4 ELSE 0 END) AS again
	FROM session LEFT JOIN ticket ON ticket.id = session.ticket LEFT JOIN person ON person.id = ticket.person
	WHERE session.stopped = 0 AND session.told <> 'ended')
	WHERE CASE WHEN over THEN told <> 'end' OR again ELSE moved AND (told = '' OR again) END)
	ORDER BY turn, ordered, id LIMIT ?5`

// Due are the live sessions that have to end, since their ticket ended or ran
// out, or their person was disabled or changed by more than groups after the
// ticket was made, or since [Store.OrderEnd] wants it; and those that have to
// change, since the person's groups are others than Groups. A ticket that only
// was not used for too long does not end its session.
//
// An order that is not done is due again when the session is seen more than a
// minute after it, two after the next, and so on up to half an hour. One that
// is done is not: whoever was ended once is never due again, whoever was
// changed is when the groups change again.
//
// Of many only the first are told: those that were never ordered before those
// that were, the longest ago first, and each client's in turn.
func (s *Store) Due(ctx context.Context, now time.Time) ([]Due, error) {
	var all []Due
	err := s.reading(ctx, func(c *conn) error {
		return c.each(due, func(row []driver.Value) error {
			all = append(all, Due{Session: scanSession(row), Change: row[26].(int64) == 0,
				Now: parseGroups(row[27].(string)), Name: row[28].(string)})
			return nil
		}, micro(now), patience.Microseconds(), patienceMost.Microseconds(), goneFor.Microseconds(), int64(dueMost))
	})
	if err != nil {
		return nil, fmt.Errorf("what the NASes have to be told: %w", err)
	}
	return all, nil
}

// Ordered notes what became of an order, and books the events. ErrUnknown
// means that there is no such session.
func (s *Store) Ordered(ctx context.Context, o Obedience, events ...Event) error {
	told := "end"
	switch {
	case o.Change && o.Done:
		told = ""
	case o.Change:
		told = "change"
	case o.Done:
		told = "ended"
	}
	groups, err := groupsText(o.Groups)
	if err != nil {
		return fmt.Errorf("session %d: %w", o.Session, err)
	}
	found := int64(0)
	err = s.share(ctx, func(w *writer, j *job) (err error) {
		// A change that was under way does not undo the order to end.
		found, err = w.conn.exec(`UPDATE session SET ordered = ?2, obeyed = ?3,
			told = CASE WHEN ?5 AND told IN ('end', 'ended') THEN told ELSE ?4 END,
			groups = CASE WHEN ?5 AND ?6 THEN ?7 ELSE groups END,
			tries = CASE WHEN ?6 THEN 0 WHEN told = ?4 THEN min(tries + 1, ?8) ELSE 1 END
			WHERE id = ?1`, o.Session, micro(o.At), o.Answer, told, integer(o.Change), integer(o.Done), groups, int64(triesMost))
		if err != nil || found == 0 {
			return err
		}
		for _, e := range events {
			if err := w.book(j, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && found == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("session %d: %w", o.Session, err)
	}
	return nil
}
