package ldapproxy

import (
	"errors"
	"os"
	"time"

	"sekisho/ldapproxy/wire"
)

// Two goroutines may write to a client: its own, and the one that reads the
// link to the directory behind. Each writes whole messages.

// write writes whole messages. After an error nothing more can be written: the
// last of them may be there in part.
func (c *conn) write(messages []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.put(messages)
}

// put writes octets while writing is held.
func (c *conn) put(octets []byte) error {
	if c.torn != nil {
		return c.torn
	}
	c.raw.SetWriteDeadline(time.Now().Add(c.server.limits.Write))
	_, err := c.wire.Write(octets)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errSlow
	}
	c.torn = err
	return err
}

// stream writes a message that is not all here yet: its head, and the rest as
// it comes.
func (c *conn) stream(head []byte, rest *wire.Rest) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	err := c.put(head)
	if err == nil {
		_, err = rest.WriteTo(held{c})
	}
	if c.torn == nil {
		c.torn = err
	}
	return err
}

// held writes to a client while writing is held.
type held struct{ c *conn }

func (h held) Write(octets []byte) (int, error) {
	if err := h.c.put(octets); err != nil {
		return 0, err
	}
	return len(octets), nil
}

// call has the connection's own goroutine look up from its waiting, and end
// for a reason if there is one. Anybody may call it.
func (c *conn) call(why disconnect) {
	if why != staying {
		c.ending.CompareAndSwap(nil, &why)
	}
	c.called.Store(true)
	c.waking.Lock()
	defer c.waking.Unlock()
	if !c.shaking {
		c.raw.SetReadDeadline(time.Unix(1, 0))
	}
}

// answerCall does what somebody has called for.
func (c *conn) answerCall() disconnect {
	if why := c.ending.Load(); why != nil {
		return *why
	}
	alive, err := c.alive(c.server.Gate.Stands)
	if err != nil { // it is looked at again
		c.server.log.Error("could not look at a ticket", "connection", c.number, "error", err)
		return staying
	}
	return c.behind.look(alive)
}
