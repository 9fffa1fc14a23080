package ldapproxy

import (
	"time"

	"sekisho/ldapproxy/wire"
)

// clock says until when the next message has to be there: one time for all of
// it, however slowly it drips, and a shorter one from its first octet on.
func (c *conn) clock() {
	begun := c.frames.Buffered() > 0
	if c.until.IsZero() || begun && !c.begun {
		c.begun, c.timed = begun, false
		c.until = c.deadline()
	}
}

// deadline is that time. A stranger gets no more of it by asking again, nor by
// asking slowly.
func (c *conn) deadline() time.Time {
	switch {
	case c.stranger && !c.session.bound():
		return c.came.Add(c.server.limits.IdleUnbound)
	case c.begun:
		return time.Now().Add(c.server.limits.Frame)
	case c.session.bound():
		return time.Now().Add(c.server.limits.IdleBound)
	}
	return time.Now().Add(c.server.limits.IdleUnbound)
}

// stays reports whether a client may wait on whose wait has ended. Whoever
// waits for an answer is not idle; and what ended may be a wait that was called
// off before, by somebody who was late to say so.
func (c *conn) stays() bool {
	switch {
	case time.Now().Before(c.until):
		return true
	case c.begun || !c.behind.busy():
		return false
	}
	c.until = time.Time{}
	return true
}

// hold counts what is held of a message, unless that is little. It fails if
// too much is held of all.
func (c *conn) hold(octets int) error {
	more := int64(octets) - c.large
	if octets <= wire.MaxFrameUnbound || more <= 0 {
		return nil
	}
	if c.server.large.Add(more) > c.server.limits.Large {
		c.server.large.Add(-more)
		return errFull
	}
	c.large += more
	return nil
}

// letGo ends that, when the message is done with.
func (c *conn) letGo() {
	if c.large > 0 {
		c.server.large.Add(-c.large)
		c.large = 0
	}
}
