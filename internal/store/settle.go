package store

import (
	"context"
	"fmt"
	"sync"
)

// job is a settlement, a part of a batch, an administrator's change, or a turn
// at the writer itself, on its way through the writer.
type job struct {
	settlement *Settlement
	part       func(w *writer, j *job) error // run in the batch's transaction, perhaps twice
	change     func(c *conn) error           // run in a transaction of its own
	turn       func(w *writer)               // run between transactions
	only       string                        // the one account the change touches; "": any, and the book
	people     []Person                      // the accounts that a change of people touched
	aside      bool                          // the change touches no account; it may end tickets, and book
	ended      []int64                       // the tickets that such a change, or a part, ended; what rests on them ended, too
	booked     int64                         // µs: the newest of the events of a part
	settled    Settled
	err        error
	done       chan struct{} // holds one token when the job is answered
}

var jobPool = sync.Pool{New: func() any { return &job{done: make(chan struct{}, 1)} }}

// Settle writes one attempt, whole or not at all, and returns when it is
// durable. An error means that nothing was written; ErrRecord means that only
// this settlement is to blame. Once the writer has taken it the outcome is
// awaited even if ctx ends: an unknown outcome would be worse than a late one.
func (s *Store) Settle(ctx context.Context, settlement Settlement) (Settled, error) {
	j := jobPool.Get().(*job)
	*j = job{settlement: &settlement, done: j.done}
	err := s.submit(ctx, j)
	settled := j.settled
	if err == nil {
		err = j.err
	}
	jobPool.Put(j)
	if err != nil {
		return Settled{}, fmt.Errorf("settle: %w", err)
	}
	settled.Reference = s.Reference(settled.Event) // here, to spare the one writer
	return settled, nil
}

// share runs part in the writer, in one transaction with what else is waiting.
// An error of part is ErrRecord, or the store's.
func (s *Store) share(ctx context.Context, part func(w *writer, j *job) error) error {
	return s.submitChange(ctx, &job{part: part})
}

// change runs an administrator's change in the writer, in a transaction of
// its own, between two batches.
func (s *Store) change(ctx context.Context, do func(c *conn) error) error {
	return s.submitChange(ctx, &job{change: do})
}

// changeOne is change for what touches one account and books nothing.
func (s *Store) changeOne(ctx context.Context, name string, do func(c *conn) error) error {
	return s.submitChange(ctx, &job{change: do, only: name})
}

// changePeople is change for what touches the accounts that do returns, and no
// ticket. It may book.
func (s *Store) changePeople(ctx context.Context, do func(c *conn) (touched []Person, err error)) error {
	j := &job{}
	j.change = func(c *conn) (err error) {
		j.people, err = do(c)
		return err
	}
	return s.submitChange(ctx, j)
}

// changeAside is change for what touches no account. It may book, and end the
// tickets that do returns with what rests on them.
func (s *Store) changeAside(ctx context.Context, do func(c *conn) (ended []int64, err error)) error {
	j := &job{aside: true}
	j.change = func(c *conn) (err error) {
		j.ended, err = do(c)
		return err
	}
	return s.submitChange(ctx, j)
}

func (s *Store) submitChange(ctx context.Context, j *job) error {
	j.done = make(chan struct{}, 1)
	if err := s.submit(ctx, j); err != nil {
		return err
	}
	return j.err
}

func (s *Store) submit(ctx context.Context, j *job) error {
	if s.closed.Load() {
		return ErrClosed
	}
	select {
	case s.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stop:
		return ErrClosed
	}
	select {
	case <-j.done:
		return nil
	case <-s.stop:
	}
	// The writer answers what it had taken before it ends.
	s.ended.Wait()
	select {
	case <-j.done:
		return nil
	default:
		return ErrClosed
	}
}
