package store

import (
	"context"
	"time"
)

// Word is what one person may type in place of password and code, once.
type Word struct {
	Person  int64
	Hash    []byte
	Service string // that it opens
	Ticket  int64  // that it lends
	Until   time.Time
}

// PutWord keeps the word, in place of the person's former one, and books the
// event.
func (s *Store) PutWord(ctx context.Context, w Word, event Event) error { return errNotBuilt }

// Word is the person's word, spent or not, late or not; ErrUnknown if there is
// none.
func (s *Store) Word(ctx context.Context, person int64) (Word, error) { return Word{}, errNotBuilt }
