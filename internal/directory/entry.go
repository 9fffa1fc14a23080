package directory

import (
	"context"
	"time"

	"sekisho/internal/store"
)

// Entry is what the directory shows of a person to programs that look people
// up. It holds no secret and no hash.
type Entry struct {
	Name      string // canonical
	Display   string
	Mail      string
	Groups    []string
	UIDNumber int64 // 0: no POSIX account
	Created   time.Time
}

// Entries calls each for every person, in the order of names.
func (l *Local) Entries(ctx context.Context, each func(Entry) error) error {
	return l.Store.People(ctx, "", func(p store.Person) error {
		return each(Entry{Name: p.Name, Display: p.Display, Mail: p.Mail, Groups: p.Groups, UIDNumber: p.UIDNumber, Created: p.Created})
	})
}

// Epoch moves on when what Entries gives may have changed.
func (l *Local) Epoch() uint64 { return l.Store.Epoch() }
