package links

import (
	"context"

	"sekisho/ldapproxy/wire"
)

// MaxOutstanding is how many operations one client may wait for at once; slapd
// ends a connection at 1000.
const MaxOutstanding = 1024

// operation is one that the owner waits for.
type operation struct {
	id       int32
	response byte // that ends it
	paged    pagedKind
}

type pagedKind byte

const (
	notPaged  pagedKind = iota
	firstPage           // without a cookie
	laterPage
)

// Forward has a request sent as it is, with the next Flush. The error is
// ErrCrowded if nothing is wrong but the number, and ErrAway if the link has
// ended. A Bind, an Unbind and StartTLS are ours, and are never sent.
func (l *Link) Forward(m wire.Message, frame []byte) error {
	if err := l.note(m); err != nil {
		return err
	}
	l.room()
	if len(*l.out)+len(frame) > cap(*l.out) {
		if err := l.Flush(); err != nil {
			return err
		}
		if len(frame) > wire.MaxHeld {
			return l.write(frame)
		}
		l.room()
	}
	*l.out = append(*l.out, frame...)
	return nil
}

// note remembers what is asked, and what it leaves behind.
func (l *Link) note(m wire.Message) error {
	response, _ := wire.ResponseTo(m.Op)
	op := operation{id: m.ID, response: response}
	taints := false
	switch m.Op {
	case wire.OpBind, wire.OpUnbind:
		return errForeign
	case wire.OpExtended:
		e, err := m.Extended()
		if err != nil || e.OID == wire.OIDStartTLS {
			return errForeign
		}
		taints = e.OID != wire.OIDWhoAmI && e.OID != wire.OIDModifyPassword
	}
	for i := range m.Controls {
		switch c := &m.Controls[i]; c.OID {
		case wire.OIDPaged:
			op.paged = laterPage
			if _, cookie, err := wire.ParsePaged(c.Value); err == nil && len(cookie) == 0 {
				op.paged = firstPage
			}
		case wire.OIDPersistentSearch, wire.OIDSync, wire.OIDNotification, wire.OIDDirSync:
			taints = true
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ops) >= MaxOutstanding && response != 0 {
		return ErrCrowded
	}
	l.tainted = l.tainted || taints
	if m.Op == wire.OpAbandon {
		l.abandon(m)
		return nil
	}
	l.ops = append(l.ops, op)
	return nil
}

// abandon frees the id of an operation that will have no answer, or one that
// comes late (RFC 4511 §4.11). mu is held.
func (l *Link) abandon(m wire.Message) {
	l.tainted = true
	id, err := m.Abandoned()
	if err != nil {
		return
	}
	if i := l.find(id); i >= 0 {
		l.remove(i)
	}
}

// find is where an operation stands, -1 if nobody waits for it. Answers come
// mostly in the order of the requests. mu is held.
func (l *Link) find(id int32) int {
	for i := range l.ops {
		if l.ops[i].id == id {
			return i
		}
	}
	return -1
}

// remove ends an operation. mu is held.
func (l *Link) remove(i int) {
	l.ops = append(l.ops[:i], l.ops[i+1:]...)
	if len(l.ops) == 0 && l.drained != nil {
		close(l.drained)
		l.drained = nil
	}
}

// Outstanding is how many operations the owner waits for.
func (l *Link) Outstanding() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ops)
}

// Idle reports whether the owner waits for nothing, and has nothing to go on
// with.
func (l *Link) Idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ops) == 0 && l.pages == 0
}

// Awaits reports whether the owner waits for the operation with this id.
func (l *Link) Awaits(id int32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.find(id) >= 0
}

// Wait waits until nothing is outstanding, or the link has ended. What came
// last may still be on its way to the client; Detach waits for that. The
// error is that of ctx.
func (l *Link) Wait(ctx context.Context) error {
	l.mu.Lock()
	if len(l.ops) == 0 || l.ended {
		l.mu.Unlock()
		return nil
	}
	if l.drained == nil {
		l.drained = make(chan struct{})
	}
	drained := l.drained
	l.mu.Unlock()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
