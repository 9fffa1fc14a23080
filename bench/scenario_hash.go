package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"

	"sekisho/internal/passwd"
)

// argon2id: how much of what the processors can hash becomes sign-ins, and
// what happens at twice that load.
func (b *Bench) argon2id() (Section, error) {
	h, err := b.people("argon2id", hashed, passwd.Make([]byte(password), passwd.Params{}), false)
	if err != nil {
		return nil, err
	}
	const window = 16
	var can, does []float64
	for range b.rounds {
		p, err := b.sekishoCopy(h)
		if err != nil {
			return nil, err
		}
		can = append(can, b.hashes())
		l := b.signIns(inside, hashed, window, once, passwordOnly)(time.Now())
		l.To = p.to
		t, err := l.Run()
		if err != nil {
			return nil, err
		}
		does = append(does, t.Rate())
		b.say("%-16s %.1f hashes/s, %.1f sign-ins/s", "argon2id", can[len(can)-1], does[len(does)-1])
		p.stop()
	}
	over, err := b.overload(h, 2*median(can))
	if err != nil {
		return nil, err
	}
	return &Facts{
		Name: "argon2id",
		Note: "19 MiB, 2 passes; each request another person's first. Twice the load is open: requests come whether or not any were answered.",
		List: append([]Fact{
			{"hashes a second on all processors, nothing else running", fmt.Sprintf("%.1f (%s)", median(can), rounds(can))},
			{"sign-ins a second, 16 outstanding", fmt.Sprintf("%.1f (%s)", median(does), rounds(does))},
		}, over...),
	}, nil
}

// overload offers more than can be hashed, for longer than any queue holds.
func (b *Bench) overload(h *house, rate float64) ([]Fact, error) {
	p, err := b.sekishoCopy(h)
	if err != nil {
		return nil, err
	}
	l := b.signIns(inside, hashed, doorWindow, once, passwordOnly)(time.Now())
	l.To, l.Rate, l.For = p.to, rate, 2*b.time
	before, _ := p.memory()
	t, err := l.Run()
	if err != nil {
		return nil, err
	}
	_, peak := p.memory()
	return []Fact{
		{fmt.Sprintf("at %.0f/s for %v: answered", rate, l.For), fmt.Sprintf("%d of %d, %.1f/s", t.Answered(), t.Sent, t.Rate())},
		{"refused (must be 0: nobody was wrong)", fmt.Sprint(t.Refused)},
		{"without an answer", fmt.Sprint(t.Lost)},
		{"p50 and p99 of the answered", brief(t.Quantile(0.5)) + ", " + brief(t.Quantile(0.99))},
		{"RSS before, at the most", mega(before) + ", " + mega(peak)},
	}, nil
}

// hashes is how many a second this process can make with a worker a
// processor.
func (b *Bench) hashes() float64 {
	var n atomic.Int64
	var wait sync.WaitGroup
	start := time.Now()
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for time.Since(start) < b.time {
				passwd.Make([]byte(password), passwd.Params{})
				n.Add(1)
			}
		})
	}
	wait.Wait()
	return float64(n.Load()) / time.Since(start).Seconds()
}

// bcrypt: imported hashes, beside a server that checks them one at a time.
func (b *Bench) bcrypt() (Section, error) {
	const window, cost = 16, 10
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return nil, err
	}
	h, err := b.people("bcrypt", hashed, string(hash), false)
	if err != nil {
		return nil, err
	}
	ours, err := b.sekishoCopy(h)
	if err != nil {
		return nil, err
	}
	free, err := b.freeradius(crypted(string(hash)))
	if err != nil {
		return nil, err
	}
	load := b.signIns(inside, hashed, window, once, passwordOnly)
	return b.hold(contest{
		name: "bcrypt",
		note: "Password hashes of bcrypt, cost 10; 16 requests outstanding, each another person's first. FreeRADIUS checks under one lock.",
		entrants: []*entrant{
			{peer: ours, load: load, anew: func() (*peer, error) { return b.sekishoCopy(h) }},
			{peer: free, load: load},
		},
	})
}

func rounds(list []float64) (text string) {
	for i, x := range list {
		if i > 0 {
			text += " "
		}
		text += fmt.Sprintf("%.1f", x)
	}
	return text
}
