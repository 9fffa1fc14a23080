package store

import (
	"context"
	"database/sql/driver"
	"fmt"
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
// event. Whoever takes a word spends it: see [Spend].
func (s *Store) PutWord(ctx context.Context, word Word, event Event) error {
	err := s.share(ctx, func(w *writer, j *job) error {
		_, err := w.conn.exec(`INSERT INTO word VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
			SET hash = excluded.hash, service = excluded.service, ticket = excluded.ticket, until = excluded.until`,
			word.Person, word.Hash, word.Service, word.Ticket, micro(word.Until))
		if err != nil {
			return err
		}
		return w.book(j, event)
	})
	if err != nil {
		return fmt.Errorf("put a word: %w", err)
	}
	return nil
}

// Word is the person's word, spent or not, late or not; ErrUnknown if there is
// none.
func (s *Store) Word(ctx context.Context, person int64) (Word, error) {
	var w Word
	err := s.reading(ctx, func(c *conn) error {
		return c.each("SELECT person, hash, service, ticket, until FROM word WHERE person = ?1", func(row []driver.Value) error {
			w = Word{row[0].(int64), row[1].([]byte), row[2].(string), row[3].(int64), fromMicro(row[4].(int64))}
			return nil
		}, person)
	})
	if err == nil && w.Person == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return Word{}, fmt.Errorf("word: %w", err)
	}
	return w, nil
}
