package radiusd

import (
	"container/list"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"layeh.com/radius"
)

// keepFor is how long an answer is kept for retransmissions: the upper bound
// of RFC 5080 §2.2.2.
const keepFor = 30 * time.Second

// limits bound the kept answers of one socket. What is in work is bounded by
// the workers, their queue and the holds.
type limits struct {
	entries, octets       int // of one client
	allEntries, allOctets int
}

var keptLimits = limits{
	entries: 16_384, octets: 8 << 20,
	allEntries: 65_536, allOctets: 32 << 20,
}

// entryCost is what an entry takes besides its reply, in octets.
const entryCost = 256

// slot is where at most one request of a client is alive: the index of
// RFC 5080 §2.2.2. An Identifier stands in it, so a source port has 256.
type slot struct {
	from       netip.AddrPort
	to         netip.Addr // the address that was asked, on a wildcard socket
	code       radius.Code
	identifier byte
}

// entry is one request and, later, its answer.
type entry struct {
	slot   slot
	sum    uint64 // keyed hash of the whole packet
	client string

	stale atomic.Bool // the slot has another request: no answer may leave any more

	reply []byte // nil: in work
	until time.Time
	place *list.Element // in its client's answers
}

// cache knows the requests of one socket that are in work and the answers of
// the last 30 seconds, so that a retransmission is never judged twice: a
// one-time code would be refused the second time. Only a request that is
// believed may be shown to it. Answers are bounded for each client; when all
// of them are too many, the client that has the most loses its oldest, so
// nobody can push out another's.
type cache struct {
	limits limits

	mu      sync.Mutex
	slots   map[slot]*entry
	clients map[string]*answers
	entries int // answered ones
	octets  int
	swept   time.Time
}

// answers are those of one client, the oldest first.
type answers struct {
	list   list.List
	octets int
}

func newCache(l limits) *cache {
	return &cache{limits: l, slots: make(map[slot]*entry), clients: make(map[string]*answers)}
}

// standing says what is known of a request.
type standing int

const (
	fresh    standing = iota // it is new, and now in work
	inWork                   // being judged, or held back
	answered                 // the entry has the reply
)

// meet looks a request up. A fresh one takes the slot; an older request in it
// becomes stale.
func (c *cache) meet(at slot, sum uint64, client string, now time.Time) (standing, *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.slots[at]; e != nil {
		if e.sum == sum {
			if e.reply == nil {
				return inWork, e
			}
			if now.Before(e.until) {
				return answered, e
			}
		}
		e.stale.Store(true)
		c.remove(e)
	}
	e := &entry{slot: at, sum: sum, client: client}
	c.slots[at] = e
	return fresh, e
}

// settle keeps the answer. It reports false if the request is stale.
func (c *cache) settle(e *entry, reply []byte, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slots[e.slot] != e {
		return false
	}
	c.sweep(now)
	e.reply, e.until = reply, now.Add(keepFor)
	a := c.clients[e.client]
	if a == nil {
		a = new(answers)
		c.clients[e.client] = a
	}
	e.place = a.list.PushBack(e)
	a.octets += e.cost()
	c.entries++
	c.octets += e.cost()

	for a.list.Len() > c.limits.entries || a.octets > c.limits.octets {
		c.remove(a.list.Front().Value.(*entry))
	}
	for c.entries > c.limits.allEntries || c.octets > c.limits.allOctets {
		c.remove(c.largest().list.Front().Value.(*entry))
	}
	return true
}

// forget frees the slot of a request that was not judged, so that its
// retransmission is.
func (c *cache) forget(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slots[e.slot] == e {
		c.remove(e)
	}
}

// sweep removes what has expired, of all clients, once a second.
func (c *cache) sweep(now time.Time) {
	if now.Sub(c.swept) < time.Second {
		return
	}
	c.swept = now
	for name, a := range c.clients {
		for first := a.list.Front(); first != nil && !now.Before(first.Value.(*entry).until); first = a.list.Front() {
			c.remove(first.Value.(*entry))
		}
		if a.list.Len() == 0 {
			delete(c.clients, name)
		}
	}
}

func (c *cache) largest() (most *answers) {
	for _, a := range c.clients {
		if most == nil || a.octets > most.octets {
			most = a
		}
	}
	return most
}

// remove takes an entry out of its slot and, if it is answered, out of its
// client's answers.
func (c *cache) remove(e *entry) {
	delete(c.slots, e.slot)
	if e.place == nil {
		return
	}
	a := c.clients[e.client]
	a.list.Remove(e.place)
	e.place = nil
	a.octets -= e.cost()
	c.entries--
	c.octets -= e.cost()
}

func (e *entry) cost() int { return entryCost + len(e.reply) }
