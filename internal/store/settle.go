package store

import (
	"context"
	"fmt"
	"sync"
)

// job is a settlement, an administrator's change, or a turn at the writer
// itself, on its way through the writer.
type job struct {
	settlement *Settlement
	change     func(c *conn) error // run in a transaction of its own
	turn       func(w *writer)     // run between transactions
	only       string              // the one account the change touches; "": any, and the book
	ticket     int64               // the one ticket the change ends, with what rests on it and the book; 0: any
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

// change runs an administrator's change in the writer, in a transaction of
// its own, between two batches.
func (s *Store) change(ctx context.Context, do func(c *conn) error) error {
	return s.submitChange(ctx, &job{change: do})
}

// changeOne is change for what touches one account and books nothing.
func (s *Store) changeOne(ctx context.Context, name string, do func(c *conn) error) error {
	return s.submitChange(ctx, &job{change: do, only: name})
}

// changeTicket is change for what ends one ticket and books that.
func (s *Store) changeTicket(ctx context.Context, id int64, do func(c *conn) error) error {
	return s.submitChange(ctx, &job{change: do, ticket: id})
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
