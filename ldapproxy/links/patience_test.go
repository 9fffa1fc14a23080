package links

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// stalled is a server that says nothing, behind a socket with a deadline.
type stalled struct {
	net.Conn
	by    time.Time
	reads int
}

func (s *stalled) SetReadDeadline(t time.Time) error {
	s.by = t
	return nil
}

func (s *stalled) Read([]byte) (int, error) {
	if s.reads++; s.reads > 10 {
		return 0, io.EOF
	}
	<-time.After(time.Until(s.by))
	return 0, os.ErrDeadlineExceeded
}

// The deadline of a bind before it may pass while a large message is awaited.
// That does not begin its time anew.
func TestStalledMessageHasOneDeadline(t *testing.T) {
	u := newUpstream(t)
	u.Answer = 5 * time.Millisecond
	s := new(stalled)
	l := newLink(NewPool(u.Directory), s, "behind.example")
	l.setUntil(time.Now().Add(time.Millisecond)) // of the bind
	l.setUntil(time.Time{})
	l.streaming = true
	if _, err := (incoming{l}).Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || s.reads > 2 {
		t.Errorf("after %d reads: %v", s.reads, err)
	}
}
