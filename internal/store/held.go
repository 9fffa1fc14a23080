package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
	"time"

	"sekisho/internal/recent"
)

// Held is a ticket that somebody presents, with all that its life hangs on.
// Ended and Until are those of the tickets that it rests on, too: whichever
// comes first. Used is the latest that is known, written or only noted.
type Held struct {
	Ticket
	Name string // canonical, of its person

	// Rests is when the tickets that it rests on will not have been used for
	// too long, unless they are used before; zero: never.
	Rests time.Time

	above []int64 // what it rests on, the nearest first; never changed
}

// Live reports whether the ticket lives at that time, and what it rests on
// does. Whether its person's generation is still the same, who asks compares.
func (h *Held) Live(at time.Time) bool {
	return h.Ended.IsZero() && at.Before(h.Until) && !h.unused(at) && (h.Rests.IsZero() || at.Before(h.Rests))
}

// Lapsed reports whether the ticket would live had it been used in time. One
// that rests on another does not lapse: it is over.
func (h *Held) Lapsed(at time.Time) bool {
	return h.Ended.IsZero() && at.Before(h.Until) && h.unused(at) && h.Parent == 0
}

func (h *Held) unused(at time.Time) bool { return h.Idle > 0 && at.Sub(h.Used) >= h.Idle }

// rest takes over how long a ticket that h rests on lives.
func (h *Held) rest(p *Ticket) {
	if h.Ended.IsZero() {
		h.Ended = p.Ended
	}
	if p.Until.Before(h.Until) {
		h.Until = p.Until
	}
	if p.Idle > 0 {
		if end := p.Used.Add(p.Idle); h.Rests.IsZero() || end.Before(h.Rests) {
			h.Rests = end
		}
	}
}

// tickets remembers tickets, each by itself, and notes their use.
type tickets struct {
	mu     sync.Mutex
	recent recent.Map[int64, *Held] // without what they rest on
	moved  uint64                   // how often something was dropped

	// When tickets were used: what is to be written yet, and what is being
	// written or was so lately. A read that began before the write did would
	// miss the latter.
	noted, writing map[int64]int64
}

func (c *tickets) get(id int64) (h Held, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own, ok := c.recent.Get(id)
	if !ok {
		return Held{}, false
	}
	h = *own
	for _, id := range h.above {
		p, ok := c.recent.Get(id)
		if !ok {
			return Held{}, false
		}
		h.rest(&p.Ticket)
	}
	return h, true
}

// begin starts a read; put ends it.
func (c *tickets) begin() (moved uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moved
}

// put remembers what was read, unless something was dropped since the read
// began: it may be older than what is committed. It returns the first, resting
// on the others.
func (c *tickets) put(moved uint64, line []*Held) Held {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range line {
		if used := fromMicro(max(c.noted[h.ID], c.writing[h.ID])); used.After(h.Used) {
			h.Used = used
		}
	}
	h := *line[0]
	for _, p := range line[1:] {
		h.rest(&p.Ticket)
	}
	if moved == c.moved {
		for _, each := range line {
			c.recent.Put(each.ID, each)
		}
	}
	return h
}

// drop forgets a ticket; those that rest on it are read again, too.
func (c *tickets) drop(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved++
	c.recent.Delete(id)
}

func (c *tickets) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved++
	c.recent.Clear()
}

// Held finds the ticket of this id, mostly in memory, whether it lives or
// not. ErrUnknown means that there is none, or none of what it rests on.
func (s *Store) Held(ctx context.Context, id int64) (Held, error) {
	if h, ok := s.tickets.get(id); ok {
		return h, nil
	}
	moved := s.tickets.begin()
	var line []*Held
	err := s.reading(ctx, func(c *conn) (err error) {
		line, err = readLine(c, id)
		return err
	})
	if err != nil {
		return Held{}, fmt.Errorf("ticket %d: %w", id, err)
	}
	return s.tickets.put(moved, line), nil
}

// lineLength is how many tickets may rest on each other: each sign-in that
// takes over another adds one, and every use walks them all.
const lineLength = 64

// readLine reads a ticket and what it rests on.
func readLine(c *conn, id int64) ([]*Held, error) {
	const held = "SELECT " + ticketFields + ", (SELECT name FROM person WHERE person.id = issued.person) FROM issued WHERE id = ?1"
	var line []*Held
	for id != 0 {
		var h *Held
		err := c.each(held, func(row []driver.Value) error {
			name, _ := row[19].(string)
			h = &Held{Ticket: scanTicket(row), Name: name}
			return nil
		}, id)
		if err != nil {
			return nil, err
		}
		if h == nil || len(line) == lineLength {
			return nil, ErrUnknown
		}
		line = append(line, h)
		id = h.Parent
	}
	if len(line) == 0 {
		return nil, ErrUnknown
	}
	above := make([]int64, 0, len(line))
	for _, h := range line {
		above = append(above, h.ID)
	}
	for i, h := range line {
		h.above = above[i+1:]
	}
	return line, nil
}
