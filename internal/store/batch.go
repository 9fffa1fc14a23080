package store

import (
	"database/sql/driver"
	"errors"
	"maps"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// rows collects what a batch appends, to be written by statements of many
// rows each.
type rows struct {
	tickets []driver.NamedValue
	events  []driver.NamedValue
	floods  map[int64]flood // rows that count more than before, by event
}

// flood is the row of this minute that many refusals share.
type flood struct {
	event  int64
	minute int64
	count  int64
	last   int64
	detail string
}

const samples = 8 // references that the row of a flood names

const (
	ticketColumns = 15
	eventColumns  = 12
)

// The row counts of the statements that append: a batch is cut into the
// largest that fit.
var appendRows = []int{32, 8, 1}

var (
	insertTickets     = inserts("INSERT INTO ticket", ticketColumns)
	insertEvents      = inserts("INSERT INTO event", eventColumns)
	insertEventPerson = inserts("INSERT OR IGNORE INTO event_person", 2)
)

func inserts(into string, columns int) map[int]string {
	row := "(?" + strings.Repeat(",?", columns-1) + ")"
	out := make(map[int]string)
	for _, n := range appendRows {
		out[n] = into + " VALUES " + row + strings.Repeat(","+row, n-1)
	}
	return out
}

// reset takes back what a batch counted when its transaction fails. The last
// ids are read again: the batch may have been the first to see another
// process' rows, so those from before it may be taken.
func (w *writer) reset() {
	w.stale = true
	clear(w.floods)
	clear(w.scenes)
	w.rows = rows{}
	w.forget()
}

// one runs one job inside the batch's transaction.
func (w *writer) one(j *job) error {
	if j.part != nil {
		j.ended, j.booked = nil, 0
		return j.part(w, j)
	}
	st := j.settlement
	j.settled = Settled{}
	lost, err := w.take(st)
	if err != nil {
		return err
	}
	j.settled.Lost = lost
	event := st.Event
	switch {
	case lost == Spent:
		event = st.lost(st.IfSpent)
	case lost == Raced:
		event = st.lost(st.IfRaced)
	case lost == ChangedMeanwhile:
		event = st.lost(st.IfChanged)
	case st.Ticket != nil:
		w.ticket++
		event.Ticket, j.settled.Ticket = w.ticket, w.ticket
		if err := w.addTicket(w.ticket, st.Ticket); err != nil {
			return err
		}
	}
	for _, c := range st.Counters {
		if lost != NotLost {
			break
		}
		if err := w.counter(c); err != nil {
			return err
		}
	}
	if lost == NotLost {
		if err := w.known(st); err != nil {
			return err
		}
	}
	w.event++
	event.ID, j.settled.Event = w.event, w.event
	if st.Flood != "" || w.store.scarce.Load() && st.Ticket == nil && st.Repeat == nil {
		return w.flood(st.Flood, event)
	}
	return w.addEvent(event)
}

// lost is what is booked of a settlement that lost.
func (st *Settlement) lost(reason string) Event {
	event := st.Event
	event.Outcome, event.Reason, event.Ticket, event.Factors = st.IfLost, reason, 0, ""
	return event
}

// knownMost is how many sources of a person are remembered: a browser that
// keeps nothing is a new one at each sign-in.
const knownMost = 64

func (w *writer) known(st *Settlement) error {
	for _, source := range st.Known {
		_, err := w.conn.exec("INSERT INTO known VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = excluded.at",
			st.Person, source, micro(st.Event.At))
		if err != nil {
			return err
		}
	}
	if len(st.Known) == 0 {
		return nil
	}
	_, err := w.conn.exec(`DELETE FROM known WHERE person = ?1 AND source IN
		(SELECT source FROM known WHERE person = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)`, st.Person, int64(knownMost))
	return err
}

func (w *writer) addTicket(id int64, t *Ticket) error {
	scene, err := w.scene(t.scene())
	w.rows.tickets = appendTicket(w.rows.tickets, id, t, scene)
	return err
}

func (w *writer) addEvent(e Event) error {
	scene, err := w.scene(e.scene())
	w.rows.events = appendEvent(w.rows.events, e, scene)
	return err
}

// book books an event of a part.
func (w *writer) book(j *job, e Event) error {
	w.event++
	e.ID = w.event
	j.booked = max(j.booked, micro(e.At))
	return w.addEvent(e)
}

// take spends what may be shown once, compares the generation, uses the parent
// of the ticket, and consumes the code or the answer: each is one conditional
// statement, so of two settlements one loses.
func (w *writer) take(st *Settlement) (Loss, error) {
	if s := st.Spend; s != nil {
		n, err := w.conn.exec("INSERT OR IGNORE INTO spent VALUES (?1, ?2)", s.Key, micro(s.Until))
		if err != nil {
			return 0, err
		}
		if n == 0 && (st.Ticket != nil || st.Repeat != nil) {
			return Spent, nil
		}
	}
	if st.Person != 0 {
		now, ok := w.generation[st.Person]
		if !ok {
			var err error
			if now, err = w.conn.one("SELECT generation FROM person WHERE id = ?1", st.Person); err != nil {
				return 0, err
			}
			if len(w.generation) >= generations {
				clear(w.generation)
			}
			w.generation[st.Person] = now
		}
		if now != st.Generation {
			return ChangedMeanwhile, nil
		}
	}
	if t := st.Ticket; t != nil && t.Parent != 0 {
		n, err := w.conn.exec("UPDATE ticket SET used = max(used, ?2) WHERE id = ?1 AND ended = 0", t.Parent, micro(st.Event.At))
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return ChangedMeanwhile, nil
		}
	}
	if t := st.Ticket; t != nil && t.AppPassword != 0 {
		used, err := w.useAppPassword(t.AppPassword, st.Event.At)
		if err != nil {
			return 0, err
		}
		if !used {
			return ChangedMeanwhile, nil
		}
	}
	if b := st.Burn; b != nil {
		var ticket int64
		if st.Ticket != nil {
			ticket = w.ticket + 1
		}
		n, err := w.conn.exec("UPDATE burnt SET step = ?2, drift = ?3, ticket = ?4 WHERE token = ?1 AND step < ?2",
			b.Token, b.Step, int64(b.Drift), ticket)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return Raced, nil
		}
	}
	if r := st.Repeat; r != nil {
		n, err := w.conn.exec(`UPDATE ticket SET answers = answers + 1, used = max(used, ?3)
			WHERE id = ?1 AND ended = 0 AND (?2 = 0 OR answers < ?2)`, r.Ticket, int64(r.Answers), micro(st.Event.At))
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return Raced, nil
		}
	}
	return NotLost, nil
}

func (w *writer) counter(c Counter) error {
	if c.Count == 0 {
		_, err := w.conn.exec("DELETE FROM counter WHERE name = ?1", c.Name)
		return err
	}
	data := c.Data
	if data == nil {
		data = []byte{}
	}
	_, err := w.conn.exec(`INSERT INTO counter VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET count = excluded.count, since = excluded.since, last = excluded.last, data = excluded.data`,
		c.Name, int64(c.Count), micro(c.Since), micro(c.Last), data)
	return err
}

// flood counts the event into the row of its name and minute. The row changes
// with every batch, so a refusal that has no row of its own takes as long to
// book as one that has.
func (w *writer) flood(name string, e Event) error {
	minute := e.At.Unix() / 60
	f, ok := w.floods[name]
	if !ok || minute > f.minute || minute < f.minute-1 { // a late one counts into the newer row
		w.sweep(minute)
		detail := strings.TrimSpace(e.Detail + " references " + w.store.Reference(e.ID))
		w.floods[name] = flood{event: e.ID, minute: minute, count: 1, last: e.ID, detail: detail}
		return w.addEvent(e)
	}
	f.count++
	f.last = e.ID
	if f.count <= samples {
		f.detail += " " + w.store.Reference(e.ID)
	}
	w.floods[name] = f
	if w.rows.floods == nil {
		w.rows.floods = make(map[int64]flood)
	}
	w.rows.floods[f.event] = f
	return nil
}

// sweep forgets the rows that count no more: once a minute, since there are
// thousands where each person has one.
func (w *writer) sweep(minute int64) {
	if minute == w.swept || minute == w.swept-1 {
		return
	}
	w.swept = minute
	maps.DeleteFunc(w.floods, func(_ string, f flood) bool { return f.minute < minute-1 || f.minute > minute+1 })
}

// flush writes what the batch appends.
func (w *writer) flush() error {
	if err := w.append(insertTickets, ticketColumns, w.rows.tickets); err != nil {
		return err
	}
	if err := w.append(insertEvents, eventColumns, w.rows.events); err != nil {
		return err
	}
	for _, f := range w.rows.floods {
		if _, err := w.conn.exec("UPDATE event SET count = ?2, last = ?3, detail = ?4 WHERE id = ?1",
			f.event, f.count, f.last, f.detail); err != nil {
			return err
		}
	}
	clear(w.rows.tickets)
	clear(w.rows.events)
	clear(w.rows.floods)
	w.rows.tickets, w.rows.events = w.rows.tickets[:0], w.rows.events[:0]
	_, err := w.conn.exec("UPDATE sequence SET event = ?1, ticket = ?2", w.event, w.ticket)
	return err
}

func (w *writer) append(statements map[int]string, columns int, values []driver.NamedValue) error {
	for _, n := range appendRows {
		for len(values) >= n*columns {
			part := values[:n*columns]
			for i := range part {
				part[i].Ordinal = i + 1
			}
			if err := w.conn.execNamed(statements[n], part); err != nil {
				return err
			}
			values = values[n*columns:]
		}
	}
	return nil
}

// committed tells the memory what is on the disk now.
func (w *writer) committed(j *job) {
	st := j.settlement
	if st != nil {
		j.booked = micro(st.Event.At)
	}
	if j.booked > w.store.newest.Load() {
		w.store.newest.Store(j.booked)
	}
	if st == nil {
		for _, id := range j.ended {
			w.store.tickets.drop(id)
		}
		return
	}
	if st.Repeat != nil {
		w.store.tickets.drop(st.Repeat.Ticket)
	}
	if st.Ticket != nil && st.Ticket.Parent != 0 {
		w.store.tickets.drop(st.Ticket.Parent)
	}
	if j.settled.Lost != NotLost {
		w.store.accounts.drop(st.Event.Name)
		return
	}
	if st.Burn != nil || len(st.Known) > 0 || st.Ticket != nil && st.Ticket.AppPassword != 0 {
		w.store.accounts.update(st.Event.Name, func(a *Account) { a.settled(st, j.settled) })
	}
}

func appendTicket(v []driver.NamedValue, id int64, t *Ticket, scene int64) []driver.NamedValue {
	repeat := t.Repeat
	if repeat == nil {
		repeat = []byte{}
	}
	return values(v, id, t.Hash[:], t.Person, t.Generation, t.Parent, scene, shownText(t.Shown), micro(t.Created),
		micro(t.Until), int64(t.Idle/time.Microsecond), micro(t.Used), micro(t.Ended), repeat, int64(t.Answers), t.AppPassword)
}

func appendEvent(v []driver.NamedValue, e Event, scene int64) []driver.NamedValue {
	var typed any // none: as the name
	if e.Typed != e.Name {
		typed = e.Typed
	}
	return values(v, e.ID, micro(e.At), scene, typed, e.Person, e.Name, e.Source, e.Detail, e.Ticket,
		int64(e.Took/time.Microsecond), int64(max(e.Count, 1)), max(e.Last, e.ID))
}

func values(v []driver.NamedValue, row ...any) []driver.NamedValue {
	for _, x := range row {
		v = append(v, driver.NamedValue{Value: x})
	}
	return v
}

// isStoreError tells a fault that would stop the next settlement, too, from
// one of this record alone.
func isStoreError(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return false
	}
	return true
}

// isBusy reports that another process held the lock for the whole timeout.
func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
