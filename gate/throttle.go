package gate

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/netip"
	"strings"
	"sync"
	"time"

	"sekisho/internal/recent"
	"sekisho/policy"
)

// Throttle is how guessing is slowed down. The zero value throttles by the
// defaults.
type Throttle struct {
	Off       bool
	DryRun    bool          // book what would be delayed, delay nothing
	First     time.Duration // after the first failure, doubled by each; 0: 1 s
	Longest   time.Duration // 0: 15 min
	Spray     int           // people failing from one network before it is delayed; 0: 20
	Window    time.Duration // in which they are counted; 0: 10 min
	CodesADay int           // unmatched codes before new sources are shut out; 0: 100
	Never     []netip.Prefix
}

const (
	knownFor    = 30 * 24 * time.Hour
	sameFor     = time.Hour        // the same wrong password counts once
	behindFor   = 5 * time.Minute  // and the directory behind is asked once
	repeatedFor = 15 * time.Second // the same refusal again does not count
	countsFor   = 24 * time.Hour
	atOnce      = 8  // attempts in work at once while nothing has failed
	sprayed     = 64 // people remembered of one network
)

// throttle holds the counters. Those of people are in the store, too; those
// of names that nobody has are only here, so they can't fill the disk.
type throttle struct {
	Throttle
	spray []byte // key of what ofNetwork remembers

	mu        sync.Mutex
	people    map[place]*count
	networks  recent.Map[string, *count]    // bounded: anybody with IPv6 has networks without end
	strangers recent.Map[memory, *count]    // by HMAC: people type passwords where the name belongs
	newcomers recent.Map[memory, *count]    // of the directory behind, without a row: no flood of names pushes them out
	wrongs    recent.Map[memory, time.Time] // passwords without their code, and codes with what stood before
	behind    recent.Map[memory, time.Time] // when the directory behind found a password wrong
	waits     recent.Map[memory, time.Time] // since when a new source is kept out by atZone
	keyed     sync.Pool                     // of hash.Hash: what makes a memory, by a key of this process
}

func (t *throttle) start(ctx context.Context, g *Gate) error {
	t.Throttle = g.Throttle
	t.First = or(t.First, time.Second)
	t.Longest = or(t.Longest, 15*time.Minute)
	t.Window = or(t.Window, 10*time.Minute)
	if t.Spray == 0 {
		t.Spray = 20
	}
	if t.CodesADay == 0 {
		t.CodesADay = 100
	}
	key := make([]byte, sha256.Size)
	rand.Read(key)
	t.keyed.New = func() any { return hmac.New(sha256.New, key) }
	t.spray = g.Ring.MAC("spray")
	t.people = make(map[place]*count)
	stored, err := g.Store.Counters(ctx, g.Now().Add(-countsFor))
	for _, c := range stored {
		p, ok := parsePlace(c.Name)
		if !ok {
			continue
		}
		read := &count{n: c.Count, since: c.Since, last: c.Last}
		if p.kind == ofNetwork {
			read.people = parsePeople(c.Data)
			t.networks.Put(p.where, read)
		} else {
			t.people[p] = read
		}
	}
	return err
}

func or(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// reserve counts the attempt as in work, and reports whether it may be judged
// now. All of that is one step, so that many at once can't slip through.
func (a *attempt) reserve() bool {
	t := &a.gate.throttle
	if t.Off || t.never(a.r.Source.Addr) {
		return true
	}
	g := guess{t: t}
	known, private := false, false // private: and nobody else comes from there
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := a.account; p != nil && p.ID != 0 {
		g.place = place{atZone, p.ID, p.Changed, a.zone.Name}
		// The browser first: many people may sit behind an address.
		for _, source := range []string{a.browser, a.source} {
			if seen, ok := p.Known.At(source); !known && ok && source != "" && a.at.Sub(seen) < knownFor {
				known, private = true, source == a.browser || !a.zone.Shared
				g.place.kind, g.place.where = atSource, source
			}
		}
		g.codes, g.afar = place{ofCodes, p.ID, p.Changed, ""}, !private
		g.own = t.people[g.place]
	} else {
		name := a.memory("stranger", []byte(a.zone.Name))
		g.stranger, g.among = &name, &t.strangers
		if p != nil {
			g.among = &t.newcomers
		}
		g.own, _ = g.among.Get(name)
	}
	if !known && !a.zone.Shared {
		g.net = a.r.Source.network()
	}
	// What was guessed from afar shuts nobody out inside. Behind an application
	// anybody may be guessing, while the person succeeds there all day.
	shut := !private && a.zone.Name == policy.OffCampus && t.shut(g.codes, a.at)
	delayed := shut || t.sprayed(g.net, a.at) || t.delayed(g.own, a.at) && (known || !t.waited(a))
	if delayed && !t.DryRun {
		a.throttled = true
		return false
	}
	if t.waits.Len() > 0 {
		t.waits.Delete(a.waiting())
	}
	if delayed {
		a.event.Detail = strings.TrimSpace("would have been delayed " + a.event.Detail)
	}
	if g.own == nil {
		g.own = &count{}
		if g.stranger != nil {
			g.among.Put(*g.stranger, g.own)
		} else {
			t.people[g.place] = g.own
		}
	}
	g.own.inWork++
	a.guess = g
	return true
}

// delayed: while nothing failed a few may be in work at once, as a mail
// program opens several connections. After a failure it is one at a time, and
// that one's delay starts before it is judged.
func (t *throttle) delayed(c *count, at time.Time) bool {
	switch {
	case c == nil:
		return false
	case c.n == 0:
		return c.inWork >= atOnce
	case at.Sub(c.last) >= countsFor:
		return c.inWork > 0
	}
	return c.inWork > 0 || at.Before(c.last.Add(t.delay(c.n)))
}

// waited reports whether a source new to the person has been kept out for the
// longest delay. All such sources share a counter; whoever keeps that up from
// one of them must not keep the person out at the others for ever.
func (t *throttle) waited(a *attempt) bool {
	wait := a.waiting()
	since, ok := t.waits.Get(wait)
	if !ok {
		t.waits.Put(wait, a.at)
	}
	return ok && a.at.Sub(since) >= t.Longest
}

func (a *attempt) waiting() memory {
	return a.memory("wait", []byte(a.zone.Name), []byte(a.source))
}

// shut reports whether a day's unmatched codes are used up.
func (t *throttle) shut(p place, at time.Time) bool {
	c := t.people[p]
	return c != nil && c.n >= t.CodesADay && at.Sub(c.since) < countsFor
}

// sprayed reports whether too many people failed from one network.
func (t *throttle) sprayed(network string, at time.Time) bool {
	c, _ := t.networks.Get(network)
	return c != nil && len(c.people) > t.Spray && at.Before(c.last.Add(t.delay(len(c.people)-t.Spray)))
}

// delay after n failures: First, doubled by each further one.
func (t *throttle) delay(n int) time.Duration {
	d := t.First
	for range min(n-1, 30) {
		if d *= 2; d >= t.Longest {
			return t.Longest
		}
	}
	return d
}

func (t *throttle) never(addr netip.Addr) bool {
	for _, p := range t.Never {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// mac is what is remembered instead of names and passwords.
func (t *throttle) mac(parts ...[]byte) (sum memory) {
	m := t.keyed.Get().(hash.Hash)
	defer t.keyed.Put(m)
	m.Reset()
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		m.Write(size[:])
		m.Write(part)
	}
	m.Sum(sum[:0])
	return sum
}
