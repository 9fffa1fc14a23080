package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// What the tests of the wire share: BER by hand, and go-ldap as the other
// side.

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// envelope is a message with the id 5, of an operation and perhaps controls.
func envelope(op []byte, controls ...[]byte) []byte {
	return Element(TagSequence, []byte{2, 1, 5}, op, bytes.Join(controls, nil))
}

func parsed(t *testing.T, frame []byte) Message {
	t.Helper()
	m, err := ParseMessage(frame)
	if err != nil {
		t.Fatalf("%x: %v", frame, err)
	}
	return m
}

// wired is a go-ldap connection to a server that answers each message by fn;
// nil ends the connection.
func wired(t *testing.T, fn func(Message) []byte) *ldap.Conn {
	t.Helper()
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer here.Close()
		r := NewFrameReader(here)
		for {
			frame, err := r.Next(MaxFrameBound)
			if err != nil {
				return
			}
			m, err := ParseMessage(frame)
			if err != nil {
				t.Errorf("%x: %v", frame, err)
				return
			}
			reply := fn(m)
			if reply == nil {
				return
			}
			if _, err := here.Write(reply); err != nil {
				return
			}
		}
	}()
	c := ldap.NewConn(there, false)
	c.Start()
	t.Cleanup(func() {
		c.Close()
		<-done
	})
	return c
}

// sent is the message that go-ldap sends for a call.
func sent(t *testing.T, call func(*ldap.Conn)) Message {
	t.Helper()
	var got Message
	call(wired(t, func(m Message) []byte {
		got = m
		got.body = bytes.Clone(m.body)
		return nil
	}))
	if got.Op == 0 {
		t.Fatal("nothing was sent")
	}
	return got
}

// dripping yields one octet with each Read.
type dripping struct{ from io.Reader }

func (d dripping) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return d.from.Read(p[:1])
}

// scripted yields these chunks and errors, one with each Read, then io.EOF.
type scripted struct{ steps []any }

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	switch step := step.(type) {
	case error:
		return 0, step
	case []byte:
		n := copy(p, step)
		if n < len(step) {
			s.steps = append([]any{step[n:]}, s.steps...)
		}
		return n, nil
	}
	return 0, errors.New("a step is a chunk or an error")
}
