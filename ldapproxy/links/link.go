package links

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
	errGarbage = errors.New("the directory sent what is not an answer")
	errForeign = errors.New("not to be passed on")
)

// Owner is the client that a link is attached to. Its methods are called by
// the link's own goroutine.
type Owner interface {
	// Deliver writes whole messages to the client, between two others. An
	// error ends the link.
	Deliver(frames []byte) error
	// Stream does so with one message that is too large to be held: head, and
	// behind it what rest writes. If it fails in the middle, nothing can be
	// said to this client any more, not even good-bye.
	Stream(head []byte, rest *wire.Rest) error
	// LinkLost tells that the link ended by itself; the last call.
	LinkLost(why error)
}

// Rules say what is passed on to an owner. With the zero value that is no
// referral.
type Rules struct {
	PassReferrals bool // false: clients chase them with password and code
}

// Link is a connection to the directory behind, made by a Pool. Until Put it is
// one client's, whose goroutine calls all methods. Close, and those that only
// look (Outstanding, Idle, Awaits, Server), may be called by anybody.
type Link struct {
	pool   *Pool
	raw    net.Conn
	name   string // of the server, for the log
	in     *wire.BatchReader
	answer chan BindAnswer // to the bind that waits

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
	owner   Owner
	rules   Rules
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

func newLink(p *Pool, raw net.Conn, name string) *Link {
	l := &Link{pool: p, raw: raw, name: name, answer: make(chan BindAnswer, 1)}
	l.in = wire.NewBatchReader(incoming{l}, &p.buffers)
	return l
}

// Server is the name of the server at the other end, for the log.
func (l *Link) Server() string { return l.name }

// Attach gives what comes from now on to a client. The error is ErrAway, if the
// link has ended.
func (l *Link) Attach(o Owner, r Rules) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return fmt.Errorf("%w: %s has gone", ErrAway, l.name)
	}
	l.owner, l.rules = o, r
	return nil
}

// Detach ends that: when it returns, the client gets nothing more from here.
// It waits for what is being written, so a client that must not be waited for
// has closed its own connection before.
func (l *Link) Detach() {
	l.delivery.Lock()
	defer l.delivery.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owner = nil
}

// rest reports whether the link is as it was made, but for its identity, and
// if so has it rest.
func (l *Link) rest() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.tainted || l.owner != nil || l.pages > 0 || len(l.ops) > 0 || l.binding != 0 {
		return false
	}
	l.setUntil(time.Now().Add(l.pool.dir.Idle))
	return true
}

// wake ends the rest. It reports false if the link has ended meanwhile.
func (l *Link) wake() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setUntil(time.Time{})
	return !l.ended
}

// Close ends the link, as often as it is called; the pump does what is to be
// done then.
func (l *Link) Close() {
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
func (l *Link) leave() {
	l.raw.SetWriteDeadline(time.Now().Add(time.Second))
	l.raw.Write(unbind)
}
