// Package store keeps the state in one SQLite file: people, code devices,
// tickets, throttle counters and the book.
//
// One request, told: the gate asks [Store.Account] for the person, mostly
// from memory, judges, and hands over one [Settlement]: the code to burn, the
// ticket to put, the counters and the event. The writer goroutine collects
// the settlements that are waiting, runs them in one transaction, and answers
// all of them when COMMIT has returned. Whatever was answered is on the disk;
// a code that was accepted stays burnt through a crash. Of two settlements
// that burn the same step, the first wins and the other is booked as lost.
// What a NAS tells of a session ([Store.ChangeSession]) goes the same way, in
// the same transactions.
//
// Other processes (the commands) may write to the same file. They are noticed
// by PRAGMA data_version, at each batch and each second, and what was
// remembered is then forgotten.
package store

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The errors that have a meaning.
var (
	// ErrUnknown means that there is no such row.
	ErrUnknown = errors.New("unknown")
	// ErrExists means that a row of that name is there already.
	ErrExists = errors.New("exists already")
	// ErrChanged means that the row changed after it was read.
	ErrChanged = errors.New("changed meanwhile; try again")
	// ErrLocal means that a local account has the name, and is nobody's of the
	// directory behind.
	ErrLocal = errors.New("a local account has this name")
	// ErrTooMany means that there are as many as there may be.
	ErrTooMany = errors.New("too many")
	// ErrLocked means that another serve holds the file.
	ErrLocked = errors.New("another sekisho serve uses this store")
	// ErrRecord means that this settlement alone can't be written, while
	// others can.
	ErrRecord = errors.New("this record can't be written")
	// ErrClosed means that the store is shutting down.
	ErrClosed = errors.New("the store is closed")
)

const (
	readers      = 4
	queueLength  = 8192
	checkpointAt = 300 * time.Millisecond
)

// Options are the bounds of a [Store]; the zero value suits a command.
type Options struct {
	Exclusive bool  // refuse a second process that wants the same
	Accounts  int   // remembered accounts, and tickets; 0: 65,536; below 0: none
	Reserve   int64 // free octets of disk under which refusals are only counted; 0: never
}

// Store is the state. It is safe for many goroutines.
type Store struct {
	file string
	opt  Options
	lock *os.File

	jobs   chan *job
	stop   chan struct{}
	ended  sync.WaitGroup
	read   chan *conn
	closed atomic.Bool

	accounts accounts
	tickets  tickets
	shuffle  struct{ event, ticket shuffle }
	epoch    atomic.Uint64
	newest   atomic.Int64 // µs: the newest booked time
	living   atomic.Int64 // no ticket before this id was found to live by SignedIn
	sick     atomic.Bool  // the last commit failed
	scarce   atomic.Bool  // free disk is below the reserve
	dirty    atomic.Bool  // there is something to checkpoint
}

// Open opens or creates the store in file.
func Open(file string, o Options) (*Store, error) {
	s := &Store{
		file: file,
		opt:  o,
		jobs: make(chan *job, queueLength),
		stop: make(chan struct{}),
		read: make(chan *conn, readers),
	}
	s.accounts.recent.Bound = o.Accounts
	s.tickets.recent.Bound = o.Accounts
	if o.Exclusive {
		if err := s.takeLock(); err != nil {
			return nil, err
		}
	}
	if err := s.start(); err != nil {
		s.dropLock()
		return nil, err
	}
	return s, nil
}

func (s *Store) start() error {
	// The file holds password hashes: it is made before SQLite would, so
	// that nobody else can read it. One that is there is not touched: closing
	// any descriptor of a file drops this process' locks on it.
	if f, err := os.OpenFile(s.file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		f.Close()
	} else if !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("open the store: %w", err)
	}
	if err := s.private(); err != nil {
		return err
	}
	c, err := s.dialWriter()
	if err != nil {
		return err
	}
	w := &writer{store: s, conn: c}
	// In this order: a store of a newer schema is not written to.
	for _, step := range []func() error{
		func() error { return migrate(c) },
		func() error { return s.loadKeys(c) },
		w.refresh,
	} {
		if err := step(); err != nil {
			c.close()
			return err
		}
	}
	check, err := dial(s.file, "wal_autocheckpoint=0", "cache_size=-64")
	if err != nil {
		c.close()
		return err
	}
	for range readers {
		r, err := dial(s.file, "query_only=1", "wal_autocheckpoint=0", "cache_size=-2048")
		if err != nil {
			return errors.Join(err, c.close(), check.close(), s.closeReaders(len(s.read)))
		}
		s.read <- r
	}
	s.ended.Add(2)
	go w.run()
	go s.checkpoint(check)
	return nil
}

// private refuses a file that others can read: one copied from a backup, say.
func (s *Store) private() error {
	for _, name := range []string{s.file, s.file + "-wal"} {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Mode()&0o077 != 0 {
			return fmt.Errorf("open the store: %[1]s can be read by others; run: chmod 0600 %[1]s %[1]s-wal %[1]s-shm", s.file)
		}
	}
	return nil
}

// dialWriter tries again for a while: of two processes that turn a new file
// to WAL at once, SQLite sends one away without waiting.
func (s *Store) dialWriter() (*conn, error) {
	for wait := time.Millisecond; ; wait *= 2 {
		c, err := dial(s.file, "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "cache_size=-8192")
		if err == nil || !isBusy(err) || wait > time.Second {
			return c, err
		}
		time.Sleep(wait)
	}
}

// Close writes what is waiting, lets the reads under way end, and closes the
// file.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	close(s.stop)
	s.ended.Wait()
	err := s.closeReaders(readers)
	s.dropLock()
	return err
}

func (s *Store) closeReaders(n int) error {
	var errs []error
	for range n {
		c := <-s.read
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}

// Alive reports whether the last write succeeded.
func (s *Store) Alive() bool { return !s.sick.Load() && !s.closed.Load() }

// Newest is the newest booked time: a clock behind it has gone back.
func (s *Store) Newest() time.Time { return fromMicro(s.newest.Load()) }

// Epoch moves on when people may have changed, here or, within a second, by
// another process.
func (s *Store) Epoch() uint64 { return s.epoch.Load() }

// Reference is the short code of an event, as people read it aloud.
func (s *Store) Reference(event int64) string { return s.shuffle.event.text(event) }

// TicketName is the public name of a ticket.
func (s *Store) TicketName(ticket int64) string { return "T" + s.shuffle.ticket.text(ticket) }

// reading runs do on one of the reading connections.
func (s *Store) reading(ctx context.Context, do func(c *conn) error) error {
	select {
	case c := <-s.read:
		defer func() { s.read <- c }()
		if s.closed.Load() {
			return ErrClosed
		}
		return do(c)
	case <-s.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) takeLock() error {
	f, err := os.OpenFile(s.file+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("lock the store: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", s.file, ErrLocked)
	}
	s.lock = f
	return nil
}

// dropLock leaves the lock file in place: removing it would let two
// processes lock two files of the same name.
func (s *Store) dropLock() {
	if s.lock != nil {
		s.lock.Close()
	}
}

// loadKeys reads, or makes, what shuffles ids into references.
func (s *Store) loadKeys(c *conn) error {
	for name, k := range map[string]*shuffle{"shuffle_event": &s.shuffle.event, "shuffle_ticket": &s.shuffle.ticket} {
		fresh := make([]byte, shuffleKey)
		rand.Read(fresh)
		if _, err := c.exec("INSERT OR IGNORE INTO meta (name, value) VALUES (?1, ?2)", name, fresh); err != nil {
			return err
		}
		err := c.each("SELECT value FROM meta WHERE name = ?1", func(row []driver.Value) (err error) {
			key, _ := row[0].([]byte)
			*k, err = newShuffle(key)
			return err
		}, name)
		if err != nil {
			return err
		}
	}
	return nil
}

// checkpoint moves the write-ahead log into the file, beside the writer so
// that no settlement waits for it.
func (s *Store) checkpoint(c *conn) {
	defer s.ended.Done()
	tick := time.NewTicker(checkpointAt)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			c.close()
			return
		case <-tick.C:
			if s.dirty.Swap(false) {
				// A failure is met again by the writer, which reports it.
				c.pragma("wal_checkpoint(PASSIVE)")
			}
		}
	}
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicro(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
