package links

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"sekisho/ldapproxy/wire"
)

// pump reads what the server sends, as long as the link lives: while it rests
// in the pool, too, so that one which the server has closed is not handed out.
func (l *Link) pump() {
	why := l.run()
	l.in.Release()
	l.end(why)
}

func (l *Link) run() (why error) {
	defer func() {
		if p := recover(); p != nil { // costs one client its connection
			why = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	for {
		if err := l.in.Fill(); err != nil {
			return fmt.Errorf("%w: read from %s: %w", ErrAway, l.name, err)
		}
		if err := l.pass(); err != nil {
			return err
		}
	}
}

// end does what is to be done when a link has ended, however that came.
func (l *Link) end(why error) {
	l.mu.Lock()
	l.ended = true
	o := l.owner
	l.owner, l.ops = nil, nil
	if l.drained != nil {
		close(l.drained)
		l.drained = nil
	}
	l.mu.Unlock()
	close(l.answer)
	if errors.Is(why, os.ErrDeadlineExceeded) {
		l.leave()
	}
	l.raw.Close()
	l.pool.drop(l)
	if o != nil {
		o.LinkLost(why)
	}
}

// portion is what can be done with one part of what was read.
type portion struct {
	owner   Owner  // nil: nobody, and all of it is dropped
	run     []byte // messages that are written as they came
	changed []byte // then one that was rewritten
	large   []byte // then the head of a large one; nil: it is dropped
	left    int    // of it: what is still to come
	last    bool   // there is nothing more until the next read
}

// pass writes what was read to the owner.
func (l *Link) pass() error {
	l.delivery.Lock()
	defer l.delivery.Unlock()
	for {
		p, err := l.sort()
		if failed := l.hand(p); failed != nil {
			return failed
		}
		if err != nil || p.last {
			return err
		}
	}
}

// hand writes one portion.
func (l *Link) hand(p portion) error {
	for _, messages := range [...][]byte{p.run, p.changed} {
		if p.owner == nil || len(messages) == 0 {
			continue
		}
		if err := p.owner.Deliver(messages); err != nil {
			return err
		}
	}
	if p.left == 0 {
		return nil
	}
	l.streaming = true
	rest := l.in.Rest(p.left)
	var err error
	if p.owner != nil && p.large != nil {
		err = p.owner.Stream(p.large, rest)
	} else {
		_, err = rest.WriteTo(io.Discard)
	}
	l.streaming = false
	l.mu.Lock()
	l.setUntil(time.Time{})
	l.mu.Unlock()
	if err == nil && rest.Left() > 0 {
		err = errForeign
	}
	return err
}

// sort takes messages for as long as they lie side by side and go the same
// way. What stands before a fault still counts.
func (l *Link) sort() (portion, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = true
	p := portion{owner: l.owner}
	for {
		h, b, err := l.in.Next()
		if err != nil {
			return p, fmt.Errorf("%w: %w", errGarbage, err)
		}
		if h.Size == 0 {
			p.last = true
			return p, nil
		}
		left := h.Size - len(b)
		fate, err := l.judge(h, b)
		switch {
		case err != nil:
			return p, err
		case left > 0:
			p.left = left
			if fate == passed {
				p.large = b
			}
			return p, nil
		case fate == rewritten:
			p.changed, err = referredElsewhere(nil, b, wire.ResultUnwillingToPerform)
			return p, err
		case fate == passed:
			p.run = extend(p.run, b)
		case len(p.run) > 0: // dropped, and what follows does not lie beside
			return p, nil
		}
	}
}

// extend adds to a run what lies right behind it.
func extend(run, b []byte) []byte {
	if run == nil {
		return b
	}
	return run[:len(run)+len(b)]
}
