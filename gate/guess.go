package gate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"sekisho/internal/recent"
	"sekisho/internal/store"
	"sekisho/policy"
)

// guess is an attempt's reservation: it counts as in work until it succeeds,
// fails or is given back.
type guess struct {
	t        *throttle
	own      *count // nil: nothing is reserved
	place    place
	among    *recent.Map[memory, *count] // who has no place: nobody's names, or newcomers
	stranger *memory                     // key of among; then place is unused
	codes    place
	afar     bool   // a wrong code counts for codes, too
	net      string // "": the source has no counter
}

// giveBack ends the reservation: nothing was judged, or it was right.
func (g *guess) giveBack() {
	if g.own == nil {
		return
	}
	g.t.mu.Lock()
	defer g.t.mu.Unlock()
	g.release()
}

func (g *guess) release() {
	if g.own.inWork--; g.own.inWork == 0 && g.own.n == 0 {
		if g.stranger != nil {
			if now, _ := g.among.Get(*g.stranger); now == g.own {
				g.among.Delete(*g.stranger)
			}
		} else if g.t.people[g.place] == g.own {
			delete(g.t.people, g.place)
		}
	}
	g.own = nil
}

// memory is what the throttle keeps instead of what was typed.
type memory [sha256.Size]byte

// memory is of this person since their last change, which may make right what
// was wrong, or of a name that nobody has, or somebody without a row. Other
// groups make nothing right.
func (a *attempt) memory(kind string, parts ...[]byte) memory {
	var who [16]byte
	if p := a.account; p != nil {
		binary.BigEndian.PutUint64(who[:], uint64(p.ID))
		binary.BigEndian.PutUint64(who[8:], uint64(p.Changed))
	}
	return a.gate.throttle.mac(append([][]byte{[]byte(kind), []byte(a.name), who[:]}, parts...)...)
}

// wrongLately reports whether this password was wrong within the last hour:
// it is refused again without being hashed, and counts nothing.
func (t *throttle) wrongLately(password memory, at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, ok := t.wrongs.Get(password)
	if !ok || at.Sub(before) >= sameFor {
		return false
	}
	t.wrongs.Put(password, at)
	return true
}

// wrongBehind reports whether the directory behind found this password wrong a
// moment ago. Nobody tells us what is changed there: who changes the password
// to exactly the one that was wrong waits for behindFor at most, since asking
// again does not prolong it.
func (t *throttle) wrongBehind(password memory, at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, ok := t.behind.Get(password)
	return ok && at.Sub(before) < behindFor
}

func (t *throttle) foundWrong(password memory, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.behind.Put(password, at)
}

// failed counts the guess and returns the counters to settle. The same wrong
// password again, and the same refusal within seconds, count once.
func (a *attempt) failed() []store.Counter {
	g := &a.guess
	if g.own == nil {
		return nil
	}
	t := g.t
	t.mu.Lock()
	defer t.mu.Unlock()
	own := g.own
	g.release()
	before, again := t.wrongs.Get(a.typed)
	age := a.at.Sub(before)
	switch {
	case again && a.wrong == wrongPassword && age < sameFor: // both were in work at once
		t.wrongs.Put(a.typed, a.at)
		return nil
	case again && age < repeatedFor:
		// Not put anew: the same digits are another guess in the next step.
		return nil
	}
	t.wrongs.Put(a.typed, a.at)
	if own.n > 0 && a.at.Sub(own.last) >= countsFor {
		own.n = 0
	}
	own.n, own.last = own.n+1, a.at
	if own.n == 1 {
		own.since = a.at
	}
	if g.stranger != nil {
		g.among.Put(*g.stranger, own)
		return t.spread(a, nil)
	}
	t.people[g.place] = own
	counters := []store.Counter{own.row(g.place)}
	if a.wrong == wrongCode && g.afar {
		codes := t.people[g.codes]
		if codes == nil || a.at.Sub(codes.since) >= countsFor {
			codes = &count{since: a.at}
			t.people[g.codes] = codes
		}
		codes.n, codes.last = codes.n+1, a.at
		counters = append(counters, codes.row(g.codes))
	}
	return t.spread(a, counters)
}

// spread counts the person into those who failed from this network.
func (t *throttle) spread(a *attempt, counters []store.Counter) []store.Counter {
	network := a.guess.net
	if network == "" {
		return counters
	}
	c, _ := t.networks.Get(network)
	if c == nil || a.at.Sub(c.since) >= t.Window && a.at.Sub(c.last) >= t.delay(len(c.people)-t.Spray) {
		c = &count{since: a.at, people: make(map[uint64]bool)}
		t.networks.Put(network, c)
	}
	m := hmac.New(sha256.New, t.spray)
	m.Write([]byte(a.name))
	who := binary.BigEndian.Uint64(m.Sum(nil))
	if c.people[who] || len(c.people) >= sprayed {
		return counters
	}
	c.people[who] = true
	c.n, c.last = len(c.people), a.at
	if c.n <= t.Spray {
		// It delays nobody yet: not worth a row.
		return counters
	}
	return append(counters, c.row(place{kind: ofNetwork, where: network}))
}

// succeeded returns the counters that the success resets. They are forgotten
// when the settlement is durable, by forget.
func (a *attempt) succeeded() []store.Counter {
	g := &a.guess
	if g.own == nil || g.stranger != nil {
		return nil
	}
	g.t.mu.Lock()
	defer g.t.mu.Unlock()
	var counters []store.Counter
	if g.own.n > 0 {
		counters = append(counters, store.Counter{Name: g.place.String()})
	}
	// Inside nobody guesses codes from afar: it opens what they had shut.
	if a.zone.Name != policy.OffCampus && g.t.people[g.codes] != nil {
		counters = append(counters, store.Counter{Name: g.codes.String()})
	}
	return counters
}

func (a *attempt) forget() {
	g := &a.guess
	if g.own == nil {
		return
	}
	g.t.mu.Lock()
	defer g.t.mu.Unlock()
	g.own.n = 0
	g.release()
	if a.zone.Name != policy.OffCampus {
		delete(g.t.people, g.codes)
	}
}
