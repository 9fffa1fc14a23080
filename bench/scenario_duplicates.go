package main

import (
	"fmt"
	"slices"
	"time"
)

// duplicates: a NAS that did not hear the answers asks for them again. A code
// that was judged twice would be refused the second time.
func (b *Bench) duplicates() (Section, error) {
	const people, times, ports = 10_000, 10, 40 // at most 256 requests a port
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	echo, err := b.start(roleEcho)
	if err != nil {
		return nil, err
	}
	ours, used, err := b.sekishoOn(h, "")
	if err != nil {
		return nil, err
	}
	if err := b.introduce(people)(ours); err != nil {
		return nil, err
	}
	s := &Standing{Name: "duplicates", Contestants: []*Contestant{{Name: echo.name}, {Name: ours.name}}}
	var again, changed int
	var booked decisions
	for i := range b.rounds {
		at := nextStep()
		g := newForge()
		requests := spread(people, ports, func(i int, id byte) []byte { return field(passwordAndCode).packet(g, person(i), at, id) })
		time.Sleep(time.Until(at.Add(inStep)))
		for k, p := range []*peer{echo, ours} {
			before, err := used.lastRow()
			if err != nil {
				return nil, err
			}
			m := newMemory()
			l := &Load{To: p.to, Order: once, Window: doorWindow, Requests: requests, Unsigned: p == echo, Heard: m.heard}
			r, err := l.repeated(p, times)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			b.say("%-16s round %d  %-12s %9.0f/s  %6.1f ms/1000  %d lost", s.Name, i+1, p.name, r.Rate(), ms(r.CPU), r.Lost)
			x := s.Contestants[k]
			x.Rounds = append(x.Rounds, r)
			_, peak := p.memory()
			x.Peak = max(x.Peak, peak)
			if p == echo {
				continue
			}
			if err := used.booked(before, &booked); err != nil {
				return nil, err
			}
			again, changed = again+m.again, changed+m.changed
		}
	}
	s.Note = fmt.Sprintf("%d people sign in from outside with password and code, and each request comes %d times again, byte for byte, within 30 s "+
		"from the port that it came from first; %d outstanding. Of the duplicates alone: the figures are of sending them. "+
		"Sekisho answered %d duplicates; the book has %d admissions, of %d people a round, and %d refusals.",
		people, times, doorWindow, again, booked.admitted, booked.people/b.rounds, booked.refused)
	s.Bars = []Bar{
		{What: "duplicates answered, a round", Is: float64(again) / float64(b.rounds), Bar: people * times},
		{What: "answers that differ from the first", Is: float64(changed), Most: true},
		{What: "people admitted, a round", Is: float64(booked.people) / float64(b.rounds), Bar: people},
		{What: "judged again", Is: float64(booked.admitted + booked.refused - booked.people), Most: true},
	}
	return s, nil
}

// reopened is a load through ports that are open.
type reopened struct {
	*Load
	ports ports
}

func (r reopened) Run() (*Tally, error) { return r.through(r.ports) }

// repeated runs the load once and then so many times again, which is the
// round. All of it has to end while answers are kept.
func (l *Load) repeated(p *peer, times int) (Round, error) {
	const kept = 30 * time.Second // RFC 5080 §2.2.2
	ports, err := l.open()
	if err != nil {
		return Round{}, err
	}
	defer ports.close()
	start := time.Now()
	first, err := l.through(ports)
	if err != nil {
		return Round{}, err
	}
	if first.Accepted != first.Sent {
		return Round{}, fmt.Errorf("%d of %d were admitted, %d refused", first.Accepted, first.Sent, first.Refused)
	}
	p.rest()
	copies := *l
	copies.Requests = make([][][]byte, len(l.Requests))
	for i, list := range l.Requests {
		copies.Requests[i] = slices.Repeat(list, times)
	}
	e := &entrant{peer: p, fits: func(*Tally) error { return nil }} // the bars tell of refusals
	r, err := e.round(reopened{&copies, ports})
	if took := time.Since(start); err == nil && took > kept {
		return r, fmt.Errorf("the last duplicate came after %s: too late for a kept answer", brief(took))
	}
	return r, err
}
