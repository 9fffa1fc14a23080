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
	PerAddress  int           // of IPv6 a /64; 0: 2,500
	Strangers   int           // in all, from addresses of no application; 0: 64
	Handshakes  int           // of TLS under way at once; 0: 256
	IdleBound   time.Duration // 0: 15 min
	IdleUnbound time.Duration // 0: 30 s; all that a stranger has
	Frame       time.Duration // for all of a message that has begun; 0: 30 s
	Large       int64         // octets held of messages above 64 KiB, in all; 0: 256 MiB
	Write       time.Duration // for a client that does not read; 0: 30 s
	Handshake   time.Duration // 0: 10 s
}

// withDefaults fills in what was left zero.
func (l Limits) withDefaults() Limits {
	return Limits{
		Connections: cmp.Or(l.Connections, 10_000),
		PerAddress:  cmp.Or(l.PerAddress, 2_500),
		Strangers:   cmp.Or(l.Strangers, 64),
		Handshakes:  cmp.Or(l.Handshakes, 256),
		IdleBound:   cmp.Or(l.IdleBound, 15*time.Minute),
		IdleUnbound: cmp.Or(l.IdleUnbound, 30*time.Second),
		Frame:       cmp.Or(l.Frame, 30*time.Second),
		Large:       cmp.Or(l.Large, 256<<20),
		Write:       cmp.Or(l.Write, 30*time.Second),
		Handshake:   cmp.Or(l.Handshake, 10*time.Second),
	}
}

// crowd is the connections that are open. Its fields are set before use.
type crowd struct {
	limits Limits

	mu        sync.Mutex
	conns     map[*conn]bool
	addresses map[netip.Addr]int
	strangers int
	closed    bool
	left      sync.WaitGroup
}

func (w *crowd) init(limits Limits) {
	w.limits = limits
	w.conns = make(map[*conn]bool)
	w.addresses = make(map[netip.Addr]int)
}

// enter takes a connection in, unless there are too many or we are closing.
func (w *crowd) enter(c *conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.conns) >= w.limits.Connections {
		return false
	}
	w.conns[c] = true
	w.left.Add(1)
	return true
}

// count counts a connection for its address, once that is known, or tells of
// what there are too many.
func (w *crowd) count(c *conn) disconnect {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := neighbourhood(c.addr)
	switch {
	case w.addresses[at] >= w.limits.PerAddress:
		return byAddress
	case c.stranger && w.strangers >= w.limits.Strangers:
		return byStrangers
	}
	w.addresses[at]++
	if c.stranger {
		w.strangers++
	}
	c.counted = true
	return staying
}

// neighbourhood is what one client may have as many addresses of as it likes:
// of IPv6 a /64.
func neighbourhood(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	return netip.PrefixFrom(addr, 64).Masked().Addr()
}

// leave lets a connection go.
func (w *crowd) leave(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
	if c.counted {
		at := neighbourhood(c.addr)
		if w.addresses[at]--; w.addresses[at] == 0 {
			delete(w.addresses, at)
		}
		if c.stranger {
			w.strangers--
		}
	}
	w.left.Done()
}

// each calls one function for every connection.
func (w *crowd) each(do func(*conn)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		do(c)
	}
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
