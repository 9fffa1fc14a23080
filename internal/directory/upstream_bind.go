package directory

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"sekisho/internal/store"
)

const (
	maxBinds  = 64 // at a time; more wait
	tookKept  = 32
	tookUsual = 10 * time.Millisecond // until anybody has typed a wrong password
)

var errNotFound = errors.New("the account was not looked up in the directory")

// CheckPassword binds once as the person. An account with nothing but a Name
// takes the time that somebody's wrong password took lately, and the directory
// is not asked: by time it can't be told from anybody's.
func (u *Upstream) CheckPassword(ctx context.Context, a *store.Account, password []byte, _ Priority) (Verdict, error) {
	u.start()
	switch {
	case len(password) == 0: // which a directory may take for anonymous, and answer with success
		return Wrong, nil
	case a.DN == "" && (a.ID != 0 || a.Upstream != ""):
		return Wrong, fmt.Errorf("check password: %w", errNotFound)
	case a.DN == "":
		return Wrong, u.spend(ctx, a.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, u.timeout())
	defer cancel()
	began := u.Now()
	v, err := u.bind(ctx, a.DN, password)
	if err != nil {
		return Wrong, fmt.Errorf("check password: %w", err)
	}
	if v == Wrong {
		u.Took(u.Now().Sub(began))
	}
	return v, nil
}

func (u *Upstream) bind(ctx context.Context, dn string, password []byte) (Verdict, error) {
	select {
	case u.binds <- struct{}{}:
		defer func() { <-u.binds }()
	case <-ctx.Done():
		return Wrong, fmt.Errorf("too many binds wait: %w", ctx.Err())
	}
	answer, err := u.Servers.Bind(ctx, dn, password)
	if err != nil {
		return Wrong, err
	}
	policy, _ := answer.Control(PolicyControl)
	_, expired := answer.Control(ExpiredControl)
	return BindVerdict(answer.Code, answer.Diagnostic, policy, expired)
}

// Took notes how long a wrong password took to be judged. Whoever judges some
// by binds of their own calls it, so that unknown names take as long.
func (u *Upstream) Took(d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.took) == tookKept {
		u.took = append(u.took[:0], u.took[1:]...)
	}
	u.took = append(u.took, d)
}

// spend takes the time of one of those, for a name always the same place among
// them.
func (u *Upstream) spend(ctx context.Context, name string) error {
	d := tookUsual
	u.mu.Lock()
	if n := uint64(len(u.took)); n > 0 {
		d = u.took[maphash.String(u.seed, name)%n]
	}
	u.mu.Unlock()
	after := u.After
	if after == nil {
		after = time.After
	}
	select {
	case <-after(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
