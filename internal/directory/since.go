package directory

import (
	"context"
	"time"

	"sekisho/internal/store"
)

// FindSince is Find: what the store has is as of now.
func (l *Local) FindSince(ctx context.Context, name string, _ time.Time) (*store.Account, error) {
	return l.Find(ctx, name)
}

// FindSince is Find by what was looked up at that time or later. While the
// directory is away, what is remembered stays good for those who sign in.
func (u *Upstream) FindSince(ctx context.Context, name string, since time.Time) (*store.Account, error) {
	u.start()
	m, _ := u.remembered(name)
	return u.find(ctx, name, m.at.Before(since))
}
