package ldapproxy

import (
	"context"
	"fmt"
	"time"

	"sekisho/ldapproxy/wire"
)

// bindRequest is a simple bind to be sent. Controls is the whole element.
type bindRequest struct {
	app      string // whose client asks
	id       int32
	dn       string
	password []byte
	controls []byte
}

// bindAnswer is what the server said to it.
type bindAnswer struct {
	frame      []byte // as it came
	code       int
	diagnostic string
	ppolicy    []byte // value of the response control; nil: none
	expired    bool   // it has the control that says so
}

// tells reports whether it has more than a result code for its client.
func (a *bindAnswer) tells() bool {
	return a.diagnostic != "" || a.ppolicy != nil || a.expired
}

// dropPolicy takes the policy control out of what the client gets.
func (a *bindAnswer) dropPolicy() {
	if a.ppolicy == nil {
		return
	}
	a.ppolicy = nil
	if r, err := wire.ParseResponse(a.frame); err == nil {
		a.frame = r.Without(wire.OIDPasswordPolicy).Append(nil)
	}
}

// bind sends a bind and waits for the answer. After an error the link has
// ended; errStale means that it could be tried on another one.
func (l *link) bind(ctx context.Context, r bindRequest) (bindAnswer, error) {
	if r.id == 0 {
		return bindAnswer{}, errForeign
	}
	l.mu.Lock()
	used := l.owner != nil || len(l.ops) > 0
	l.binding, l.heard = r.id, false
	l.setUntil(time.Now().Add(l.pool.Answer))
	l.mu.Unlock()
	if used { // as somebody else, who would then be this one
		l.close()
		return bindAnswer{}, errForeign
	}
	l.marked = true
	l.room()
	*l.out = wire.AppendBind(*l.out, r.id, r.dn, r.password, r.controls)
	if err := l.flush(); err != nil {
		return bindAnswer{}, l.stale(err)
	}
	select {
	case a, ok := <-l.answer:
		if !ok {
			return bindAnswer{}, l.stale(nil)
		}
		l.used = true
		return a, nil
	case <-ctx.Done():
		l.close()
		return bindAnswer{}, ctx.Err()
	}
}

// stale tells of a bind that had no answer.
func (l *link) stale(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.used && !l.heard && !l.overdue():
		return fmt.Errorf("%w: %w", errAway, errStale)
	case err != nil:
		return fmt.Errorf("%w: %w", errAway, err)
	}
	return fmt.Errorf("%w: no answer from %s", errAway, l.server)
}
