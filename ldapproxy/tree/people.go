package tree

import (
	"context"

	"sekisho/internal/directory"
)

// People is where the embedded directory learns who there is.
type People interface {
	Entries(ctx context.Context, each func(directory.Entry) error) error
	Epoch() uint64
}

// Posix is what turns a person with a uidNumber into a posixAccount, and a
// group with a gidNumber into a posixGroup.
type Posix struct {
	GID    int64            // primary group of everybody
	Home   string           // "/home/%u"
	Shell  string           // loginShell; "" none
	Groups map[string]int64 // gidNumber by name
}
