// Package directory is who people are and who checks their password.
//
// One sign-in, told: the gate asks Find for what was typed as a name. Find
// brings it to the canonical form, whether it was typed as a bare name, as
// name@domain, DOMAIN\name or a DN, and returns the account. When policy and
// code say so the gate asks CheckPassword, once. Local people have a hash in
// the store, checked in the bounded pool; a hash in an old format is renewed
// afterwards, off the answer path. A name that nobody has costs as much work
// as one that somebody has: it is judged in the place of one of the people.
package directory

import (
	"context"
	"errors"
	"time"

	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

// The errors of Find that mean a refusal. Any other error, of Find or
// CheckPassword, means that nothing could be judged.
var (
	// ErrUnknown means that nobody has this name.
	ErrUnknown = errors.New("nobody has this name")
	// ErrName means that this can't be anybody's name, or is the name of
	// several people: the next person's sign-in is not affected.
	ErrName = errors.New("the name can't be looked up")
)

// Priority is whose password is hashed first.
type Priority = passwd.Priority

// The priorities.
const (
	Open     = passwd.Open     // has shown nothing: half of the queue
	Reserved = passwd.Reserved // an inside source: three quarters
	Matched  = passwd.Matched  // a code that matched: before all others
	Idle     = passwd.Idle     // off the answer path
)

// Directory is where people are looked up.
type Directory interface {
	// Canonical is the one form of a name as typed, whether or not anybody
	// has it. It never fails: what is no name comes back folded.
	Canonical(typed string) string

	// Find returns the account of a canonical name.
	Find(ctx context.Context, name string) (*store.Account, error)

	// FindSince is Find by what was looked up at that time or later; Find may
	// believe what is older. Whoever has the name by now may be somebody else.
	FindSince(ctx context.Context, name string, since time.Time) (*store.Account, error)

	// CheckPassword tells whether the password is this person's. An account
	// with nothing but a Name is nobody's: it costs the same work, for one
	// name always the same, and is never right.
	CheckPassword(ctx context.Context, a *store.Account, password []byte, p Priority) (Verdict, error)

	// StillTheirs is for whoever checks a password otherwise than by
	// CheckPassword, once it has turned out to be right: it fails with ErrName
	// if the entry with the account's DN is somebody else's by now.
	StillTheirs(ctx context.Context, a *store.Account) error

	// Behind reports whether another directory checks the passwords. What it
	// takes changes without a new generation of the account, so it is asked each
	// time.
	Behind() bool

	// Backlog is how long a check waits at present where more than half of
	// the queue is taken, else 0.
	Backlog() time.Duration
}
