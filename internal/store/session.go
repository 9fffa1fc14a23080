package store

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// errNotBuilt marks what this commit only outlines.
var errNotBuilt = errors.New("not built")

// SessionKey tells one session from all others (RFC 2866 §5.5).
type SessionKey struct {
	Client string
	NAS    string // which of the machines that share the client's address
	Name   string // Acct-Session-Id
}

// Session is a connection as its NAS tells it by accounting.
type Session struct {
	SessionKey
	ID       int64
	User     string // as the NAS has it
	Person   int64  // 0: nobody was found
	Ticket   int64  // 0: none was found
	Station  string // where the person is, as the NAS has it
	Address4 netip.Addr
	Address6 netip.Prefix // a single address, or the network that the person was given
	Named    time.Time    // when a record last told the addresses
	Ousted   bool         // another session was seen on one of the addresses
	Started  time.Time
	Event    time.Time // of the latest record, by the NAS's clock
	Seen     time.Time // when that came
	Interval time.Duration
	Seconds  time.Duration
	Input    uint64
	Output   uint64
	Stopped  time.Time // zero: lives
	Cause    string
	Groups   []string // that the NAS was told last
	Ordered  time.Time
	Obeyed   string
}

// SessionChange is what a record makes of a session.
type SessionChange struct {
	Session   Session
	Claims    bool    // the session's addresses are its own from now on: others on them are ousted
	EndTicket bool    // the session's ticket ends, unless another live session has it
	Events    []Event // booked in the same transaction
}

// ChangeSession hands the session of the key to change, or one that is zero
// but for the key, and writes what comes back, durable when it returns.
// change runs in the writer and may run twice: it must be quick and have no
// effect of its own.
func (s *Store) ChangeSession(ctx context.Context, key SessionKey, change func(Session) SessionChange) error {
	return errNotBuilt
}

// EndSessions ends all live sessions of a NAS, for Accounting-On and -Off, and
// their tickets, and books the event.
func (s *Store) EndSessions(ctx context.Context, client, nas string, at time.Time, cause string, event Event) (ended int, err error) {
	return 0, errNotBuilt
}

// Sessions calls each for the sessions that live or ended after since, the
// newest first, with the public name of each one's ticket ("" none).
func (s *Store) Sessions(ctx context.Context, since time.Time, each func(s Session, ticket string) error) error {
	return errNotBuilt
}

// SessionsAt are the live sessions on a tunnel address, of any client, and
// those of the same clients whose address is not known.
func (s *Store) SessionsAt(ctx context.Context, addr netip.Addr) (on, nameless []Session, err error) {
	return nil, nil, errNotBuilt
}
