package gate

import (
	"context"
	"errors"
	"sync"
	"time"

	"sekisho/internal/otp"
	"sekisho/internal/recent"
	"sekisho/internal/store"
	"sekisho/policy"
)

const (
	againFor   = time.Minute // how long a row of the book counts
	againKept  = 16384       // rows that count at once; what comes beyond has a row each
	againWrite = 10 * time.Second
)

// agains spare a program that signs the same person in hundreds of times a
// second as many settlements: what was admitted durably less than a minute ago
// is admitted again on the same ticket, and the row of the book counts it. The
// attempt itself is judged like any other, with the password and the throttle.
type agains struct {
	gate *Gate
	end  context.CancelFunc
	done sync.WaitGroup

	mu   sync.Mutex
	rows map[admission]*again
	due  map[int64]int // counts that are not written yet, by event

	// When tickets last answered. A ticket is used by more than answers: the
	// store knows only that.
	answered recent.Map[int64, time.Time]
}

// admission is what the book says of one, besides when: the next that says
// the same can share its row. Nothing of it is secret.
type admission struct {
	event      store.Event
	generation int64
}

// again is an admission that may come again.
type again struct {
	settled store.Settled
	ticket  int64
	since   time.Time
	count   int
}

func (m *agains) start(g *Gate) {
	ctx, cancel := context.WithCancel(context.Background())
	m.gate, m.end = g, cancel
	m.done.Go(func() {
		tick := time.NewTicker(againWrite)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.write(ctx, g.Now())
			case <-ctx.Done():
				return
			}
		}
	})
}

// close writes what was counted.
func (m *agains) close() {
	if m.end == nil {
		return
	}
	m.end()
	m.done.Wait()
	m.write(context.Background(), time.Time{})
}

// write writes the counts of the rows that count no more at now; the zero
// time ends them all. What can't be written now is tried again.
func (m *agains) write(ctx context.Context, now time.Time) {
	m.mu.Lock()
	for what, row := range m.rows {
		if now.IsZero() || !row.counts(now) {
			m.retire(what, row)
		}
	}
	due := m.due
	m.due = nil
	m.mu.Unlock()
	if len(due) == 0 {
		return
	}
	err := m.gate.Store.Recount(ctx, due)
	if err == nil {
		return
	}
	m.gate.Log.Error("admissions that came again were not counted in the book", "rows", len(due), "error", err)
	m.mu.Lock()
	defer m.mu.Unlock()
	for event, count := range due {
		m.put(event, count)
	}
}

// counts reports whether what came at that time belongs to the row: within its
// minute, or a little before, since attempts overtake each other.
func (r *again) counts(at time.Time) bool {
	age := at.Sub(r.since)
	return age > -time.Second && age < againFor
}

// retire lets a row count no more; the lock is held.
func (m *agains) retire(what admission, row *again) {
	delete(m.rows, what)
	if row.count > 1 {
		m.put(row.settled.Event, row.count)
	}
}

func (m *agains) put(event int64, count int) {
	if m.due == nil {
		m.due = make(map[int64]int)
	}
	m.due[event] = count
}

// recurs reports whether the admission may share a row: of a client whose
// sign-ins recur, by a password alone or an unbounded repeat of a code.
func (a *attempt) recurs(d policy.Decision) bool {
	return a.r.Recurs && a.source != "" && a.parent == nil && a.event.Detail == "" &&
		a.match.Found != otp.Fresh && (a.repeat == nil || d.Repeat.Answers == 0)
}

func (a *attempt) admission() admission {
	e := a.event
	e.At, e.Took = time.Time{}, 0
	return admission{e, a.account.Generation}
}

// again counts the admission into the row of one that says the same, and
// returns it with its ticket; nil if the admission has to be settled. Account
// and ticket are looked at once more, in place of the settlement's comparing
// them; what another process changed may be seen a second later.
func (a *attempt) again(ctx context.Context) (*again, *store.Held, error) {
	m, what := &a.gate.agains, a.admission()
	m.mu.Lock()
	row := m.rows[what]
	m.mu.Unlock()
	if row == nil || !row.counts(a.at) || !a.gate.Store.Alive() { // else the count would be lost
		return nil, nil, nil
	}
	held, err := a.gate.Store.Held(ctx, row.ticket)
	if errors.Is(err, store.ErrUnknown) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	now, err := a.gate.find(ctx, a.account.Name)
	if err != nil {
		return nil, nil, err
	}
	if now == nil || !owns(now, &held) || !held.Live(a.at) {
		return nil, nil, nil
	}
	a.gate.Store.Use(held, a.at)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows[what] != row {
		return nil, nil, nil // its count is being written
	}
	row.count++
	m.answer(row.ticket, a.at)
	return row, &held, nil
}

// settled notes what a settled admission answered, and lets its row count
// where it recurs.
func (m *agains) settled(a *attempt, ticket *store.Ticket, done store.Settled, recurs bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(ticket.Repeat) > 0 {
		m.answer(ticket.ID, a.at)
	}
	if !recurs {
		return
	}
	what := a.admission()
	if before := m.rows[what]; before != nil {
		m.retire(what, before)
	}
	if len(m.rows) >= againKept {
		return
	}
	if m.rows == nil {
		m.rows = make(map[admission]*again)
	}
	m.rows[what] = &again{settled: done, ticket: ticket.ID, since: a.at, count: 1}
}

// answer notes that the ticket was the answer; the lock is held.
func (m *agains) answer(ticket int64, at time.Time) {
	if before, ok := m.answered.Get(ticket); !ok || at.After(before) {
		m.answered.Put(ticket, at)
	}
}

// last is when the ticket last was the answer. What this process does not
// know it takes for the last use.
func (m *agains) last(t *store.Ticket) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.answered.Get(t.ID); ok {
		return at
	}
	return t.Used
}
