package main

import (
	"fmt"
	"slices"
	"time"
)

// arriving are people from first on who come one by one from outside, so many
// a second from start on, each with the code of that moment.
func arriving(first person, people int, rate float64, start time.Time) *Load {
	g := newForge()
	every := time.Duration(float64(time.Second) / rate)
	return &Load{
		From: outside, Order: once, Rate: rate, For: time.Duration(people) * every,
		Requests: spread(people, maxSockets, func(i int, id byte) []byte {
			return field(passwordAndCode).packet(g, first+person(i), start.Add(time.Duration(i)*every), id)
		}),
	}
}

// storm: an appliance comes back and everybody connects again, and it asks
// three times for each.
func (b *Bench) storm() (Section, error) {
	const people, rate = 6_000, 200
	copies := []time.Duration{time.Second, 2 * time.Second}
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	var booked decisions
	var lost, refused, copied, again, changed int
	var p50, p99, most []time.Duration
	for i := range b.rounds {
		p, used, err := b.sekishoOn(h, "")
		if err != nil {
			return nil, err
		}
		m := newMemory()
		l := arriving(0, people, rate, time.Now())
		l.To, l.Copies, l.Heard = p.to, copies, m.heard
		t, err := l.Run()
		if err != nil {
			return nil, err
		}
		if t.Sent != people {
			return nil, fmt.Errorf("only %d requests were sent", t.Sent)
		}
		if err := used.booked(0, &booked); err != nil {
			return nil, err
		}
		p.stop()
		lost, refused, copied, again, changed = lost+t.Lost, refused+t.Refused, copied+t.Copies, again+m.again, changed+m.changed
		p50, p99, most = append(p50, t.Quantile(0.5)), append(p99, t.Quantile(0.99)), append(most, t.Quantile(1))
		b.say("%-16s round %d  %d admitted, p99 %s, %d lost", "storm", i+1, t.Accepted, brief(t.Quantile(0.99)), t.Lost)
	}
	all := float64(b.rounds * people)
	return &Facts{
		Name: "storm",
		Note: fmt.Sprintf("%d people with password and code, %d a second, to a server just started with imported {SSHA} hashes. "+
			"Each request comes three times, byte for byte: again after 1 and 2 s, answered or not. Times are from the first to the first answer.", people, rate),
		List: []Fact{
			{"requests, and copies of them", fmt.Sprintf("%d, %d", b.rounds*people, copied)},
			{"booked", fmt.Sprintf("%d admissions of %d people, %d refusals", booked.admitted, booked.people, booked.refused)},
			{"copies answered, otherwise than the first time", fmt.Sprintf("%d, %d", again, changed)},
			{"p50, p99 and the longest, at the worst", brief(slices.Max(p50)) + ", " + brief(slices.Max(p99)) + ", " + brief(slices.Max(most))},
		},
		Bars: []Bar{
			{What: "people admitted", Is: float64(booked.people), Bar: all},
			{What: "admissions", Is: float64(booked.admitted), Bar: all, Most: true},
			{What: "refused", Is: float64(refused), Most: true},
			{What: "lost", Is: float64(lost), Most: true},
			{What: "copies answered otherwise", Is: float64(changed), Most: true},
			{What: "p99, s", Is: slices.Max(p99).Seconds(), Bar: 1, Most: true},
		},
	}, nil
}
