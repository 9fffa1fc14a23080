package directory

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/store"
	"sekisho/internal/upstream"
)

const (
	maxBinds   = 64                    // at a time; more wait
	tookUsual  = 10 * time.Millisecond // until anybody has typed a wrong password
	stillTheir = 10 * time.Second      // before it is asked whose the entry is
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
	}
	ctx, cancel := context.WithTimeout(ctx, u.timeout())
	defer cancel()
	if a.DN == "" {
		if err := u.spend(ctx, a.Name); err != nil {
			return Wrong, fmt.Errorf("check password: %w", err)
		}
		return Wrong, nil
	}
	began := u.Now()
	v, err := u.bind(ctx, a.DN, password)
	if err != nil {
		return Wrong, fmt.Errorf("check password: %w", err)
	}
	if v == Wrong {
		u.Took(u.Now().Sub(began))
		return Wrong, nil
	}
	if v.Proved() {
		if err := u.StillTheirs(ctx, a); err != nil {
			return Wrong, fmt.Errorf("check password: %w", err)
		}
	}
	return v, nil
}

// StillTheirs finds out whether the entry that was bound to is that of the
// account, where nobody has looked lately: a DN may have been given to somebody
// else since.
func (u *Upstream) StillTheirs(ctx context.Context, a *store.Account) error {
	u.start()
	u.mu.Lock()
	k, ok := u.people.Get(a.Upstream)
	u.mu.Unlock()
	now := u.Now()
	if ok && k.dn == a.DN && now.Sub(k.sure) < stillTheir {
		return nil
	}
	id := ""
	err := u.with(ctx, false, func(l *link) error {
		e, err := u.one(l, a.DN, ldap.ScopeBaseObject, "(objectClass=*)", u.Attributes.ID)
		if err == nil {
			id, err = u.id(e)
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrUnknown) {
		return err
	}
	if id == "" || id != a.Upstream {
		u.forget(a.Upstream)
		return faulty("the entry at %q is somebody else's by now", a.DN)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if k, ok := u.people.Get(a.Upstream); ok && k.dn == a.DN && now.After(k.sure) {
		k.sure = now
		u.people.Put(a.Upstream, k)
	}
	return nil
}

// slot is one of the binds at a time.
func (u *Upstream) slot(ctx context.Context) (release func(), err error) {
	select {
	case u.binds <- struct{}{}:
		return func() { <-u.binds }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("too many binds wait: %w", ctx.Err())
	}
}

func (u *Upstream) bind(ctx context.Context, dn string, password []byte) (Verdict, error) {
	release, err := u.slot(ctx)
	if err != nil {
		return Wrong, err
	}
	defer release()
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
	u.took.note(d)
}

// spend takes the time of one of those, for a name always the same place among
// them. It fails where a bind would.
func (u *Upstream) spend(ctx context.Context, name string) error {
	release, err := u.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	if !u.Servers.Up() {
		return upstream.ErrNone
	}
	u.mu.Lock()
	d := u.took.of(maphash.String(u.seed, name), tookUsual)
	u.mu.Unlock()
	return u.wait(ctx, d)
}
