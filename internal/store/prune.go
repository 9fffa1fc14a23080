package store

import (
	"database/sql/driver"
	"time"
)

const (
	pruneTurns = 3600 // housekeeping turns from one mark to the next: an hour
	pruneSlice = 2000 // of each kind in a turn
	lostAfter  = 24 * time.Hour
	overAfter  = 30 * 24 * time.Hour // what the book knows of a session stays as long as the book does
)

// CauseLost is the cause of a session that was not seen for a day: its Stop
// was lost.
const CauseLost = "lost"

// pruning is how far what was spent can be forgotten. What was good until
// before mark is refused for its age, now and later: mark is a time that was
// booked, and an hour or two have passed since then by the count of turns. So
// a clock that leapt ahead and was set right again prunes nothing that is
// still good, and one that is behind the book prunes nothing at all. Nor does
// what was booked by a clock that is ahead of this machine's, for however long
// it was.
type pruning struct {
	turns      int
	next, mark int64 // µs; 0: not known yet
	left       bool
}

// before is the time before which all may be forgotten; 0: nothing may.
func (p *pruning) before(newest int64) int64 {
	if p.turns++; p.turns >= pruneTurns {
		p.turns, p.mark, p.next, p.left = 0, p.next, newest, true
	}
	if !p.left {
		return 0
	}
	return min(p.mark, newest, micro(time.Now()))
}

// prune removes what is over, slice by slice, sessions a month after they
// stopped, and closes those that are lost. Leases stay: they are no more than
// the pools have addresses.
func (w *writer) prune() (worked bool, err error) {
	before := w.pruning.before(w.store.newest.Load())
	if before <= 0 {
		return false, nil
	}
	spent, err := w.conn.exec("DELETE FROM spent WHERE key IN (SELECT key FROM spent WHERE until < ?1 LIMIT ?2)", before, int64(pruneSlice))
	if err != nil {
		return false, err
	}
	words, err := w.conn.exec("DELETE FROM word WHERE person IN (SELECT person FROM word WHERE until < ?1 LIMIT ?2)", before, int64(pruneSlice))
	if err != nil {
		return false, err
	}
	lost, err := w.closeLost(before)
	if err != nil {
		return false, err
	}
	over, err := w.conn.exec("DELETE FROM session WHERE id IN (SELECT id FROM session WHERE stopped <> 0 AND stopped < ?1 LIMIT ?2)",
		before-overAfter.Microseconds(), int64(pruneSlice))
	if err != nil {
		return false, err
	}
	idle, err := w.pruneAppPasswords(before)
	if err != nil {
		return false, err
	}
	w.pruning.left = max(spent, words, lost, over, idle) == pruneSlice
	return spent+words+lost+over+idle > 0, nil
}

// closeLost ends sessions, but not their tickets: the person may still be
// there, behind a NAS that stopped to tell.
func (w *writer) closeLost(before int64) (int64, error) {
	tickets := make(map[int64]int64) // by session
	err := w.conn.each("SELECT id, ticket FROM session WHERE stopped = 0 AND seen < ?1 LIMIT ?2", func(row []driver.Value) error {
		tickets[row[0].(int64)] = row[1].(int64)
		return nil
	}, before-lostAfter.Microseconds(), int64(pruneSlice))
	if err != nil {
		return 0, err
	}
	for id, ticket := range tickets {
		if _, err := w.conn.exec("UPDATE session SET stopped = ?2, cause = ?3 WHERE id = ?1", id, before, CauseLost); err != nil {
			return 0, err
		}
		if err := freeLeases(w.conn, ticket, fromMicro(before)); err != nil {
			return 0, err
		}
	}
	return int64(len(tickets)), nil
}
