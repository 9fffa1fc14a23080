package ldapproxy

import (
	"cmp"
	"net/netip"
	"sync"
	"time"
)

// Limits bound what one client can take; a zero field is its default.
type Limits struct {
	Connections int           // in all; 0: 10,000
	PerAddress  int           // 0: 2,500
	IdleBound   time.Duration // 0: 15 min
	IdleUnbound time.Duration // 0: 30 s
	Write       time.Duration // for a client that does not read; 0: 30 s
	Handshake   time.Duration // 0: 10 s
}

// withDefaults fills in what was left zero.
func (l Limits) withDefaults() Limits {
	return Limits{
		Connections: cmp.Or(l.Connections, 10_000),
		PerAddress:  cmp.Or(l.PerAddress, 2_500),
		IdleBound:   cmp.Or(l.IdleBound, 15*time.Minute),
		IdleUnbound: cmp.Or(l.IdleUnbound, 30*time.Second),
		Write:       cmp.Or(l.Write, 30*time.Second),
		Handshake:   cmp.Or(l.Handshake, 10*time.Second),
	}
}

// crowd is the connections that are open. Its fields are set before use.
type crowd struct {
	most       int
	perAddress int

	mu        sync.Mutex
	conns     map[*conn]bool
	addresses map[netip.Addr]int
	closed    bool
	left      sync.WaitGroup
}

func (w *crowd) init(most, perAddress int) {
	w.most, w.perAddress = most, perAddress
	w.conns = make(map[*conn]bool)
	w.addresses = make(map[netip.Addr]int)
}

// enter takes a connection in, unless there are too many or we are closing.
func (w *crowd) enter(c *conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.conns) >= w.most {
		return false
	}
	w.conns[c] = true
	w.left.Add(1)
	return true
}

// count counts a connection for its address, once that is known. It reports
// false if the address has too many.
func (w *crowd) count(c *conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.addresses[c.addr] >= w.perAddress {
		return false
	}
	w.addresses[c.addr]++
	c.counted = true
	return true
}

// leave lets a connection go.
func (w *crowd) leave(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
	if c.counted {
		if w.addresses[c.addr]--; w.addresses[c.addr] == 0 {
			delete(w.addresses, c.addr)
		}
	}
	w.left.Done()
}

// wake ends every wait for a message, and lets nobody in any more.
func (w *crowd) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for c := range w.conns {
		c.raw.SetReadDeadline(time.Unix(1, 0))
	}
}

// cut closes what is left.
func (w *crowd) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		c.raw.Close()
	}
}
