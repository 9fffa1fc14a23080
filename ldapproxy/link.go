package ldapproxy

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"sekisho/ldapproxy/wire"
)

var (
	errStale   = errors.New("the link had ended while it rested") // nothing of an answer has come
	errCrowded = errors.New("too many operations at once")
	errGarbage = errors.New("the directory sent what is not an answer")
	errForeign = errors.New("not to be passed on")
)

// owner is the client that a link is attached to. Its methods are called by
// the link's own goroutine.
type owner interface {
	// deliver writes whole messages to the client, between two others. An
	// error ends the link.
	deliver(frames []byte) error
	// stream does so with one message that is too large to be held: head, and
	// behind it what rest writes. If it fails in the middle, nothing can be
	// said to this client any more, not even good-bye.
	stream(head []byte, rest *wire.Rest) error
	// upstreamLost tells that the link ended by itself; the last call.
	upstreamLost(why error)
}

// rules say what is not passed on to an owner.
type rules struct {
	passReferrals bool // false: clients chase them with password and code
}

// link is a connection to the directory behind. From get to put it is one
// client's, whose goroutine calls all methods but those of the pump; close may
// be called by anybody.
type link struct {
	pool   *pool
	raw    net.Conn
	server string // its name for the log
	in     *wire.BatchReader
	answer chan bindAnswer // to the bind that waits

	// Of the pool, which has its own mutex for them.
	app   string // whose client has the link
	taken bool   // somebody has it

	// Only of the goroutine that has the link.
	out     *[]byte   // requests that were not written yet; nil: none
	writeBy time.Time // the socket's deadline
	used    bool      // an answer has come from here before
	marked  bool      // a bind was sent: there may be an identity

	delivery  sync.Mutex // held while something is written to the owner
	streaming bool       // only of the pump

	mu      sync.Mutex
	owner   owner
	rules   rules
	ops     []operation // that the owner waits for
	binding int32       // id of the bind that waits; 0: none
	heard   bool        // something came since the bind was sent
	pages   int         // paged searches that could go on
	tainted bool        // there may be something left of the owner: not for another
	ended   bool
	until   time.Time     // when patience ends; zero: never
	readBy  time.Time     // the socket's deadline, never behind until
	drained chan struct{} // closed when nothing is outstanding; nil: nobody waits
}

func newLink(p *pool, raw net.Conn, server string) *link {
	l := &link{pool: p, raw: raw, server: server, answer: make(chan bindAnswer, 1)}
	l.in = wire.NewBatchReader(l, &p.buffers)
	return l
}

// attach gives what comes from now on to a client. It fails if the link has
// ended.
func (l *link) attach(o owner, r rules) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return fmt.Errorf("%w: %s has gone", errAway, l.server)
	}
	l.owner, l.rules = o, r
	return nil
}

// detach ends that: when it returns, the client gets nothing more from here.
// It waits for what is being written, so a client that must not be waited for
// has closed its own connection before.
func (l *link) detach() {
	l.delivery.Lock()
	defer l.delivery.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owner = nil
}

// rest reports whether the link is as it was made, but for its identity, and
// if so has it rest.
func (l *link) rest() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.tainted || l.owner != nil || l.pages > 0 || len(l.ops) > 0 || l.binding != 0 {
		return false
	}
	l.setUntil(time.Now().Add(l.pool.Idle))
	return true
}

// wake ends the rest. It reports false if the link has ended meanwhile.
func (l *link) wake() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setUntil(time.Time{})
	return !l.ended
}

// close ends the link; the pump does what is to be done then.
func (l *link) close() {
	l.mu.Lock()
	ended := l.ended
	l.ended = true
	l.mu.Unlock()
	if !ended {
		l.leave()
	}
	l.raw.Close()
}

// unbind is what a client ends with, so that the server's log has no lost
// connection (RFC 4511 §4.3).
var unbind = []byte{wire.TagSequence, 8, wire.TagInteger, 4, 0x7f, 0xff, 0xff, 0xff, wire.OpUnbind, 0}

// leave says so, if the server takes it at once.
func (l *link) leave() {
	l.raw.SetWriteDeadline(time.Now().Add(time.Second))
	l.raw.Write(unbind)
}
