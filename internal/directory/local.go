package directory

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sekisho/internal/passwd"
	"sekisho/internal/recent"
	"sekisho/internal/store"
)

const rememberFor = time.Hour

// Local is the people of this store.
type Local struct {
	Names
	Store *store.Store
	Pool  *passwd.Pool
	Log   *slog.Logger
	Now   func() time.Time

	once    sync.Once
	key     [32]byte // of what is remembered; made at the first use, never stored
	mu      sync.Mutex
	right   recent.Map[int64, proof]
	renewal sync.WaitGroup
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

// CheckPassword checks the hash in the pool, or remembers that this very
// password was right under this generation, at most an hour ago.
func (l *Local) CheckPassword(ctx context.Context, a *store.Account, password []byte, p Priority) (bool, error) {
	if a == nil || a.Hash == "" {
		_, _, err := l.Pool.Check(ctx, "", password, p)
		return false, err
	}
	mac := l.mac(a, password)
	if l.remembers(a, mac) {
		return true, nil
	}
	ok, renew, err := l.Pool.Check(ctx, a.Hash, password, p)
	if errors.Is(err, passwd.ErrFormat) || errors.Is(err, passwd.ErrBounds) {
		// This person's record is broken, not the directory.
		return false, fmt.Errorf("%w: %w", ErrName, err)
	}
	if err != nil || !ok {
		return false, err
	}
	l.mu.Lock()
	l.right.Put(a.ID, proof{mac, a.Generation, l.Now()})
	l.mu.Unlock()
	if renew {
		l.renew(a.Name, a.Hash, password)
	}
	return true, nil
}

// mac binds the password to the very hash that it fitted: the previous hash
// is asked, too, and what fits that one must not be remembered as right.
func (l *Local) mac(a *store.Account, password []byte) (sum [sha256.Size]byte) {
	l.once.Do(func() { rand.Read(l.key[:]) })
	m := hmac.New(sha256.New, l.key[:])
	var ids [16]byte
	binary.BigEndian.PutUint64(ids[:], uint64(a.ID))
	binary.BigEndian.PutUint64(ids[8:], uint64(len(a.Hash)))
	m.Write(ids[:])
	m.Write([]byte(a.Hash))
	m.Write(password)
	m.Sum(sum[:0])
	return sum
}

func (l *Local) remembers(a *store.Account, mac [sha256.Size]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.right.Get(a.ID)
	return ok && p.generation == a.Generation && l.Now().Sub(p.at) < rememberFor && hmac.Equal(p.mac[:], mac[:])
}

// renew hashes the password anew on idle workers. A busy pool drops it: the
// next sign-in tries again.
func (l *Local) renew(name, old string, password []byte) {
	password = append([]byte(nil), password...)
	l.renewal.Add(1)
	go func() {
		defer l.renewal.Done()
		defer clear(password)
		ctx := context.Background()
		hash, err := l.Pool.Make(ctx, password, Idle)
		if err == nil {
			err = l.Store.RenewHash(ctx, name, old, hash)
		}
		if err != nil && !errors.Is(err, passwd.ErrBusy) && !errors.Is(err, store.ErrChanged) {
			l.Log.Warn("password hash not renewed", "person", name, "error", err)
		}
	}()
}

// Close waits for the renewals under way.
func (l *Local) Close() { l.renewal.Wait() }
