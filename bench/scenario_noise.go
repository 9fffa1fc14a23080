package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// stranger is no client of anybody's.
var stranger = netip.AddrFrom4([4]byte{127, 0, 0, 9})

// wrongSecret is what the noise is signed with.
const wrongSecret = "testing124"

// noise: packets that somebody forged must not keep people from signing in.
func (b *Bench) noise() (Section, error) {
	const people, rate, packets = 500, 50, 10_000
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	p, err := b.sekishoCopy(h)
	if err != nil {
		return nil, err
	}
	f := &Facts{Name: "noise", Note: fmt.Sprintf("%d people a second sign in from outside with password and code, for 10 s, while %d packets a second come "+
		"that were made with another secret: half of them from the client's own address, half from one that is no client's.", rate, packets)}
	next := person(0)
	for _, kind := range []struct {
		name   string
		forged func(to *peer) []*Load
	}{
		{"no noise", func(*peer) []*Load { return nil }},
		{"Access-Requests", func(p *peer) []*Load { return loud(p.to, packets, forgedAccess) }},
		{"Accounting-Requests", func(p *peer) []*Load { return loud(p.acct, packets, forgedRecord) }},
	} {
		var sent, answered, overflowed, lost, refused int
		var p50, p99 []time.Duration
		var cpu time.Duration
		for range b.rounds {
			p.rest()
			forged := kind.forged(p)
			real := arriving(next%campus, people, rate, time.Now())
			next += people
			real.To = p.to
			for _, l := range forged {
				l.For = real.For
			}
			before, full := p.cpu(), overflows(p.to.Port())+overflows(p.acct.Port())
			tallies, err := together(append(forged, real))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", kind.name, err)
			}
			cpu += p.cpu() - before
			overflowed += overflows(p.to.Port()) + overflows(p.acct.Port()) - full
			t := tallies[len(forged)]
			if t.Sent != people {
				return nil, fmt.Errorf("only %d people came", t.Sent)
			}
			for _, n := range tallies[:len(forged)] {
				sent, answered = sent+n.Sent, answered+n.Stray
			}
			lost, refused = lost+t.Lost, refused+t.Refused
			p50, p99 = append(p50, t.Quantile(0.5)), append(p99, t.Quantile(0.99))
		}
		span := time.Duration(b.rounds) * people * time.Second / rate
		b.say("%-16s %-20s p99 %s, %d lost", "noise", kind.name, brief(slices.Max(p99)), lost)
		f.List = append(f.List, Fact{kind.name, fmt.Sprintf("%d forged (%.0f/s), %d answered; p50 and p99 of people, at the worst: %s, %s; %.0f %% of a processor",
			sent, float64(sent)/span.Seconds(), answered, brief(slices.Max(p50)), brief(slices.Max(p99)), 100*cpu.Seconds()/span.Seconds())})
		f.Bars = append(f.Bars,
			Bar{What: kind.name + ": p99, ms", Is: ms(slices.Max(p99)), Bar: 250, Most: true},
			Bar{What: kind.name + ": people lost or refused", Is: float64(lost + refused), Most: true},
			Bar{What: kind.name + ": forged packets answered, or that the kernel kept from the server", Is: float64(answered + overflowed), Most: true},
		)
	}
	return f, nil
}

// loud is noise from two addresses, at the rate in all.
func loud(to netip.AddrPort, rate float64, forged func(i int, id byte) []byte) []*Load {
	const different = 4_096
	var list []*Load
	for _, from := range []netip.Addr{outside, stranger} {
		list = append(list, &Load{To: to, From: from, Rate: rate / 2, Noise: true, Requests: spread(different, maxSockets, forged)})
	}
	return list
}

func forgedAccess(i int, id byte) []byte {
	return field(passwordOnly).packet(forgeWith(wrongSecret), person(i), time.Now(), id)
}

func forgedRecord(i int, id byte) []byte {
	s := session{person: person(i), name: "forged", began: time.Now().Add(-lasts), class: []byte("sk1.forged")}
	return s.record(forgeWith(wrongSecret), i%records, id)
}

// together runs loads at the same time.
func together(list []*Load) ([]*Tally, error) {
	tallies, errs := make([]*Tally, len(list)), make([]error, len(list))
	var wait sync.WaitGroup
	for i, l := range list {
		wait.Go(func() { tallies[i], errs[i] = l.Run() })
	}
	wait.Wait()
	return tallies, errors.Join(errs...)
}
