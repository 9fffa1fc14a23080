package store

import (
	"maps"
	"slices"
	"time"
)

const (
	usesKept  = 65536 // noted at once; what comes beyond is not
	usesSlice = 2000  // written in a housekeeping turn
	usesTurns = 10    // housekeeping turns from one writing to the next
)

// Use notes that a ticket was used, and with it what it rests on, so that it
// is not taken for idle. The note is written within seconds: a crash loses
// only that a ticket was used lately. A ticket that did not live at that time
// is not brought back.
func (s *Store) Use(h Held, at time.Time) {
	if !h.Live(at) {
		return
	}
	c := &s.tickets
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note(h.ID, at)
	for _, id := range h.above {
		c.note(id, at)
	}
}

// UseAlone is Use without what the ticket rests on.
func (s *Store) UseAlone(h Held, at time.Time) {
	h.above = nil
	s.Use(h, at)
}

func (c *tickets) note(id int64, at time.Time) {
	if own, ok := c.recent.Get(id); ok {
		if !at.After(own.Used) {
			return
		}
		own.Used = at
	}
	used := micro(at)
	before, there := c.noted[id]
	if used <= before || !there && len(c.noted) >= usesKept {
		return
	}
	if c.noted == nil {
		c.noted = make(map[int64]int64)
	}
	c.noted[id] = used
}

// turnNotes hands over what was noted; nothing is added to it any more.
func (c *tickets) turnNotes() map[int64]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing, c.noted = c.noted, nil
	return c.writing
}

func (c *tickets) manyNotes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.noted) > usesKept/2
}

// uses is what the writer has taken over of the notes.
type uses struct {
	at    map[int64]int64
	left  []int64 // ids that are not written yet
	turns int
}

// due is the slice to be written in this turn, often none.
func (w *writer) due() []int64 {
	u := &w.uses
	u.turns++
	if len(u.left) == 0 && (u.turns >= usesTurns || w.store.tickets.manyNotes()) {
		w.takeNotes()
	}
	return u.left[:min(len(u.left), usesSlice)]
}

func (w *writer) takeNotes() {
	at := w.store.tickets.turnNotes()
	w.uses = uses{at: at, left: slices.Sorted(maps.Keys(at))}
}

// use writes when these tickets were used. People and the book stay as they
// are, so nothing that is remembered has to be forgotten.
func (w *writer) use(ids []int64) error {
	for _, id := range ids {
		_, err := w.conn.exec("UPDATE ticket SET used = ?2 WHERE id = ?1 AND ended = 0 AND used < ?2", id, w.uses.at[id])
		if err != nil {
			return err
		}
	}
	return nil
}

// lastUses writes all that was noted, at the end. Where that fails, it is
// lost as by a crash.
func (w *writer) lastUses() {
	if w.store.sick.Load() {
		return
	}
	w.conn.transaction(func() error {
		if err := w.use(w.uses.left); err != nil {
			return err
		}
		w.takeNotes()
		return w.use(w.uses.left)
	})
}
