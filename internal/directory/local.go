package directory

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"sync"
	"time"

	"sekisho/internal/passwd"
	"sekisho/internal/recent"
	"sekisho/internal/store"
)

const (
	rememberFor = time.Hour
	renewalRest = 4 // times as long as a renewal took, before the next
)

// Local is the people of this store.
type Local struct {
	Names
	Store *store.Store
	Pool  *passwd.Pool
	Log   *slog.Logger
	Now   func() time.Time

	once     sync.Once
	keyed    sync.Pool // of hash.Hash, by a key that is made at the first use and never stored
	mu       sync.Mutex
	right    recent.Map[int64, proof]
	renewing bool
	next     time.Time // no renewal begins before
	behind   sync.WaitGroup
	standIns standIns
}

// proof remembers that a password was right. Only successes are remembered.
type proof struct {
	mac        [sha256.Size]byte
	generation int64
	at         time.Time
}

// Find returns the local account of that name.
func (l *Local) Find(ctx context.Context, name string) (*store.Account, error) {
	if !lookable(name) {
		return nil, ErrName
	}
	a, err := l.Store.Account(ctx, name)
	if errors.Is(err, store.ErrUnknown) {
		return nil, ErrUnknown
	}
	return a, err
}

// Backlog is the pool's.
func (l *Local) Backlog() time.Duration {
	if l.Pool.Load() <= 0.5 {
		return 0
	}
	return l.Pool.Wait()
}

// StillTheirs is nil: a name is nobody else's.
func (l *Local) StillTheirs(context.Context, *store.Account) error { return nil }

// Behind is false: what was wrong stays wrong while the generation does.
func (l *Local) Behind() bool { return false }

// CheckPassword checks the hash in the pool, or remembers that this very
// password was right under this generation, at most an hour ago.
func (l *Local) CheckPassword(ctx context.Context, a *store.Account, password []byte, p Priority) (Verdict, error) {
	if a.Hash == "" {
		return Wrong, l.Pool.Spend(ctx, l.standIn(a.Name), password, p)
	}
	mac := l.mac(a, password)
	if l.remembers(a, mac) {
		return Right, nil
	}
	if _, broken := passwd.Parse(a.Hash); broken != nil {
		if err := l.Pool.Spend(ctx, l.standIn(a.Name), password, p); err != nil {
			return Wrong, err
		}
		// This person's record is broken, not the directory.
		return Wrong, fmt.Errorf("%w: check password: %w", ErrName, broken)
	}
	ok, renew, err := l.Pool.Check(ctx, a.Hash, password, p)
	if err != nil || !ok {
		return Wrong, err
	}
	shown := proof{mac, a.Generation, l.Now()}
	l.remember(a, shown)
	if renew {
		l.renew(a, password, shown)
	}
	return Right, nil
}

// mac binds the password to the very hash that it fitted: the previous hash
// is asked, too, and what fits that one must not be remembered as right.
func (l *Local) mac(a *store.Account, password []byte) [sha256.Size]byte {
	return l.sum(binary.BigEndian.AppendUint64(nil, uint64(a.ID)), []byte(a.Hash), password)
}

// sum is by a key of this process: what was typed is not kept in any form
// that could be guessed at elsewhere.
func (l *Local) sum(parts ...[]byte) (sum [sha256.Size]byte) {
	l.once.Do(func() {
		key := make([]byte, sha256.Size)
		rand.Read(key)
		l.keyed.New = func() any { return hmac.New(sha256.New, key) }
	})
	m := l.keyed.Get().(hash.Hash)
	defer l.keyed.Put(m)
	m.Reset()
	for _, part := range parts {
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		m.Write(part)
	}
	m.Sum(sum[:0])
	return sum
}

func (l *Local) remember(a *store.Account, p proof) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.right.Put(a.ID, p)
}

func (l *Local) remembers(a *store.Account, mac [sha256.Size]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.right.Get(a.ID)
	return ok && p.generation == a.Generation && l.Now().Sub(p.at) < rememberFor && hmac.Equal(p.mac[:], mac[:])
}

// renew hashes the password anew on idle workers, one at a time and with
// pauses: on the morning after thousands were imported it would else keep the
// processors from those who wait. What can't be done now, and what a busy pool
// drops, is done at a later sign-in.
func (l *Local) renew(a *store.Account, password []byte, shown proof) {
	began := l.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewing || began.Before(l.next) {
		return
	}
	l.renewing = true
	password = bytes.Clone(password)
	l.behind.Go(func() {
		defer clear(password)
		err := l.replace(a, password, shown)
		if err != nil && !errors.Is(err, passwd.ErrBusy) && !errors.Is(err, store.ErrChanged) {
			l.Log.Warn("password hash not renewed", "person", a.Name, "error", err)
		}
		ended := l.Now()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.renewing, l.next = false, ended.Add(renewalRest*ended.Sub(began))
	})
}

// replace puts a new hash in the place of the account's. What was shown for
// the old one holds for it, too: else the next sign-in would hash once more.
func (l *Local) replace(a *store.Account, password []byte, shown proof) error {
	ctx := context.Background()
	hash, err := l.Pool.Make(ctx, password, Idle)
	if err != nil {
		return err
	}
	if err := l.Store.RenewHash(ctx, a.Name, a.Hash, hash); err != nil {
		return err
	}
	renewed := *a
	renewed.Hash = hash
	shown.mac = l.mac(&renewed, password)
	l.remember(a, shown)
	return nil
}

// Close waits for what is done behind the answers.
func (l *Local) Close() { l.behind.Wait() }
