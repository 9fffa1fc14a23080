package store

import (
	"context"
	"time"
)

// Due is a live session whose NAS has to be told something.
type Due struct {
	Session
	Change bool     // only the person's groups changed; else the session has to end
	Now    []string // the person's groups now
	Name   string   // canonical, of the person
}

// Due are the live sessions whose ticket does not live any more, or whose
// person's groups are others than Groups, and that were not ordered since. One
// whose order was not obeyed is due again when its NAS tells of it later.
func (s *Store) Due(ctx context.Context, now time.Time) ([]Due, error) { return nil, errNotBuilt }

// Ordered notes what became of an order, and which groups the NAS was told,
// and books the event.
func (s *Store) Ordered(ctx context.Context, session int64, at time.Time, obeyed string, groups []string, event Event) error {
	return errNotBuilt
}
