package radiusd

import (
	"net/netip"
	"sync"
	"time"
)

// How many refusals are held back at once. Beyond that they leave at once:
// somebody who floods us learns the time of a refusal, and no memory is lost.
const (
	holdsPerPort   = 128
	holdsPerClient = 4_096
	holdsInAll     = 65_536
)

// holds counts the refusals that are held back. Its zero value is ready.
type holds struct {
	mu      sync.Mutex
	ports   map[netip.AddrPort]int
	clients map[string]int
	all     int
}

// take reserves a place; it reports false if a bound is reached.
func (h *holds) take(port netip.AddrPort, client string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all >= holdsInAll || h.clients[client] >= holdsPerClient || h.ports[port] >= holdsPerPort {
		return false
	}
	if h.ports == nil {
		h.ports = make(map[netip.AddrPort]int)
		h.clients = make(map[string]int)
	}
	h.all++
	h.clients[client]++
	h.ports[port]++
	return true
}

// give returns a place.
func (h *holds) give(port netip.AddrPort, client string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all--
	if h.clients[client]--; h.clients[client] == 0 {
		delete(h.clients, client)
	}
	if h.ports[port]--; h.ports[port] == 0 {
		delete(h.ports, port)
	}
}

// leaveAt is when a refusal leaves: the first multiple of delay after its
// request came at which it is ready, the first one at the earliest. So the
// time it takes tells only how many delays the slowest path needs, not which
// path was gone.
func leaveAt(came, now, ready time.Time, delay time.Duration) time.Time {
	if delay <= 0 {
		return now
	}
	if ready.After(now) {
		now = ready
	}
	steps := max(1, (now.Sub(came)+delay-1)/delay)
	return came.Add(steps * delay)
}
