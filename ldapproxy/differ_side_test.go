//go:build linux

package ldapproxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"sekisho/ldapproxy/wire"
)

// feed is a client whose octets are put into it.
type feed struct {
	memory
	in, out bytes.Buffer
}

func (f *feed) Read(p []byte) (int, error)  { return f.in.Read(p) }
func (f *feed) Write(p []byte) (int, error) { return f.out.Write(p) }

// ours is a connection to the embedded directory.
type ours struct {
	*conn
	feed   *feed
	cookie []byte // that it gave last
	ended  bool
}

func (d *differ) dial(how standing) (*ours, error) {
	client := new(feed)
	through := &Listener{Name: "open", PlainBinds: true}
	if how == shutOut {
		through.Name = "shut"
	}
	o := &ours{d.server.newConn(through, client), client, nil, false}
	if !d.server.crowd.enter(o.conn) {
		return nil, errors.New("no room")
	}
	if why := o.open(); why != staying {
		return nil, fmt.Errorf("we are not let in: %s", why)
	}
	return o, nil
}

// ask is how it takes one message.
func (o *ours) ask(frame []byte) (a taken, err error) {
	o.feed.in.Write(frame)
	why := o.step()
	if why != staying {
		a.ended, o.ended = true, true
		o.close(why)
	} else if err := o.flush(); err != nil {
		return a, err
	}
	if why == byPanic {
		return a, errors.New("a handler has panicked")
	}
	frames := wire.NewFrameReader(bytes.NewReader(o.feed.out.Bytes()))
	for {
		frame, err := frames.Next(wire.MaxFrameUpstream)
		if err == io.EOF {
			o.feed.out.Reset()
			return a, nil
		}
		if err != nil {
			return a, fmt.Errorf("we answer %x: %w", o.feed.out.Bytes(), err)
		}
		r, cookie, err := readTold(frame)
		if err != nil {
			return a, fmt.Errorf("we answer %x: %w", frame, err)
		}
		if r.paged != "" {
			o.cookie = cookie
		}
		a.replies = append(a.replies, r)
	}
}

func (o *ours) hangUp() {
	if !o.ended {
		o.close(byClient)
	}
}

// rival is a connection to slapd.
type rival struct {
	net.Conn
	frames *wire.FrameReader
	cookie []byte // that it gave last
}

const (
	rivalWait   = 5 * time.Second // long enough for whoever is going to answer
	rivalLinger = 3 * time.Second // and for whoever is to hang up
)

// probe is a request that each server answers, on a connection that still is
// one. Nobody else has its id.
const probeID = 0x7ffffff0

var probe = wire.Element(wire.TagSequence, wire.AppendNumber(nil, wire.TagInteger, probeID), extendedOp(wire.OIDWhoAmI))

// expected is what has to come of a message, as we have taken it.
type expected int

const (
	answer expected = iota // one, and the connection stays
	end
	nothing
)

// ask is how it takes one message. Where it is to be silent, a probe tells
// that it was; requests are answered at the same time, so a probe behind one
// that has an answer would tell nothing.
func (p *rival) ask(frame []byte, want expected) (a taken, err error) {
	wait := rivalWait
	switch want {
	case end:
		wait = rivalLinger
	case nothing:
		frame = slices.Concat(frame, probe)
	}
	p.SetDeadline(time.Now().Add(wait))
	p.Write(frame) // where it has hung up, reading tells
	for {
		response, err := p.frames.Next(wire.MaxFrameUpstream)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET):
			a.ended = true
			return a, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return a, nil // no answer, or no end
		case err != nil:
			return a, fmt.Errorf("slapd after %x: %w", frame, err)
		}
		r, cookie, err := readTold(response)
		switch {
		case err != nil:
			return a, fmt.Errorf("slapd answers %x: %w", response, err)
		case r.id == probeID:
			return a, nil
		case r.paged != "":
			p.cookie = cookie
		}
		a.replies = append(a.replies, r)
		if r.op == wire.OpSearchEntry || r.op == wire.OpSearchReference || r.op == wire.OpIntermediate || r.notice {
			continue
		}
		if r.code != wire.ResultProtocolError {
			return a, nil
		}
		if want != answer { // it is told already, and may end
			p.SetDeadline(time.Now().Add(rivalWait))
		}
		p.Write(probe) // whether the connection goes on
	}
}
