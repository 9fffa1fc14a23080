package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"
)

// burst: a NAS that comes back after an outage sends everything at once.
func (b *Bench) burst() (Section, error) {
	const packets = 1_024
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	load := b.signIns(inside, packets, packets, once, passwordOnly)
	entrants, err := b.three(h, clearText, load)
	if err != nil {
		return nil, err
	}
	f := &Facts{Name: "burst", Note: fmt.Sprintf("%d Access-Requests at once to a server that was idle; nothing is retransmitted.", packets)}
	for _, e := range entrants {
		answered, lost := 0, 0
		var last []time.Duration
		for range b.rounds {
			l := e.load(time.Now())
			l.To, l.For = e.to, 0
			t, err := l.Run()
			if err != nil {
				return nil, err
			}
			answered, lost, last = answered+t.Answered(), lost+t.Lost, append(last, t.Took)
			e.rest()
		}
		f.List = append(f.List, Fact{e.name, fmt.Sprintf("%d of %d answered, %d lost, the last after %s", answered, b.rounds*packets, lost, brief(median(last)))})
	}
	return f, nil
}

// demo: what the first five minutes cost.
func (b *Bench) demo() (Section, error) {
	const signIns = 20
	folder, err := b.scratch("demo")
	if err != nil {
		return nil, err
	}
	base, err := freeBase()
	if err != nil {
		return nil, err
	}
	p, err := b.launch(folder, b.program, "demo", "--base-port", fmt.Sprint(base), "--json")
	if err != nil {
		return nil, err
	}
	text, err := p.line("{")
	if err != nil {
		return nil, err
	}
	var told struct {
		Users map[string]struct {
			Password string
			Secret   string `json:"otp_secret"`
		}
	}
	if err := json.Unmarshal([]byte("{"+text), &told); err != nil {
		return nil, fmt.Errorf("what the demo printed: %w", err)
	}
	var names []string
	for name := range told.Users {
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, errors.New("the demo names nobody")
	}
	to := netip.AddrPortFrom(outside, base)
	first, err := p.awaken(to)
	if err != nil {
		return nil, err
	}
	started, _ := p.memory()
	g := newForge()
	l := &Load{To: to, From: inside, Order: once, Window: 1, Requests: spread(signIns, 1, func(i int, id byte) []byte {
		name := names[i%len(names)]
		return g.access(id, name, told.Users[name].Password, person(i).station())
	})}
	t, err := l.Run()
	if err != nil {
		return nil, err
	}
	after, peak := p.memory()
	return &Facts{Name: "demo", Note: "`sekisho demo`, its people made and hashed.", List: []Fact{
		{"first answer", brief(first.Sub(p.began))},
		{"RSS then", mega(started)},
		{fmt.Sprintf("RSS after %d sign-ins (%d accepted)", signIns, t.Accepted), mega(after)},
		{"RSS at the most", mega(peak)},
	}}, nil
}

// freeBase is a base port for the demo, which takes UDP there and TCP some
// ports above it.
func freeBase() (uint16, error) {
	for range 100 {
		base, err := freePort()
		if err != nil {
			return 0, err
		}
		if base < math.MaxUint16-demoPorts && allFree(base) {
			return base, nil
		}
	}
	return 0, errors.New("no free ports for the demo")
}

// demoPorts is how many ports above its first one the demo may take.
const demoPorts = 7

func allFree(base uint16) bool {
	for above := range uint16(demoPorts) {
		l, err := net.Listen("tcp4", netip.AddrPortFrom(outside, base+1+above).String())
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// million: as many accounts as the largest university has ever given out.
func (b *Bench) million() (Section, error) {
	const people, signIns = 1_000_000, 100_000
	start := time.Now()
	h, err := b.people("million", people, ssha, true)
	if err != nil {
		return nil, err
	}
	b.say("made in %s", brief(time.Since(start)))
	info, err := os.Stat(h.store())
	if err != nil {
		return nil, err
	}
	p, err := b.sekisho(h)
	if err != nil {
		return nil, err
	}
	started, _ := p.memory()
	g := newForge()
	random := rand.New(rand.NewPCG(1, 2))
	l := &Load{To: p.to, From: inside, Order: once, Window: doorWindow, Requests: spread(signIns, sockets(doorWindow), func(_ int, id byte) []byte {
		return field(passwordOnly).packet(g, person(random.Uint32N(people)), start, id)
	})}
	t, err := l.Run()
	if err != nil {
		return nil, err
	}
	p.rest()
	after, peak := p.memory()
	return &Facts{
		Name: "million", Note: "1,000,000 accounts with a code device each; sign-ins from inside of people chosen at random, 256 outstanding.",
		List: []Fact{
			{"file", mega(info.Size())},
			{"first answer after the start", brief(p.first.Sub(p.began))},
			{"RSS then", mega(started)},
			{fmt.Sprintf("%d sign-ins", signIns), fmt.Sprintf("%.0f/s, p99 %s, %d accepted, %d lost", t.Rate(), brief(t.Quantile(0.99)), t.Accepted, t.Lost)},
			{"RSS after them, at the most", mega(after) + ", " + mega(peak)},
		},
	}, nil
}
