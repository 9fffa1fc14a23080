package main

import (
	"fmt"
	"time"
)

// code: from outside, password and code in one field. Each person has one
// code in 30 s and sekisho takes it once, so every round has a step of its
// own.
func (b *Bench) code(window int) (Section, error) {
	entrants, err := b.codes(remembered, window)
	if err != nil {
		return nil, err
	}
	entrants[1].warm = b.introduce(remembered)
	return b.hold(contest{
		name: fmt.Sprintf("code/%d", window),
		note: fmt.Sprintf("PAP from outside, password and TOTP code, another person in each request, %d requests outstanding. "+
			"Sekisho burns the code, books and issues a ticket durably; it remembers the people. FreeRADIUS (rlm_totp) writes nothing and takes a code any number of times.", window),
		entrants: entrants, atStep: true,
	})
}

// codeFresh: nobody is remembered yet.
func (b *Bench) codeFresh() (Section, error) {
	entrants, err := b.codes(campus, 256)
	if err != nil {
		return nil, err
	}
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	entrants[1].anew = func() (*peer, error) { return b.sekishoCopy(h) }
	return b.hold(contest{
		name:     "code-fresh/256",
		note:     "As code/256, but sekisho has just started with imported {SSHA} hashes, and each request is another person's first.",
		entrants: entrants, atStep: true,
	})
}

func (b *Bench) codes(people, window int) ([]*entrant, error) {
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	entrants, err := b.three(h, clearTextAndCode, b.signIns(outside, people, window, once, passwordAndCode))
	if err != nil {
		return nil, err
	}
	entrants[2].load = b.signIns(outside, freeradiusPeople, window, around, passwordAndCode)
	return entrants, nil
}

// oneCode: the same code in 60,000 requests is good once.
func (b *Bench) oneCode() (Section, error) {
	const requests, window = 60_000, 256
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	folder, err := b.scratch("onecode")
	if err != nil {
		return nil, err
	}
	if h, err = h.copy(folder); err != nil {
		return nil, err
	}
	// Without the throttle it is the code alone that is judged.
	if err := h.configure(false); err != nil {
		return nil, err
	}
	ours, err := b.sekisho(h)
	if err != nil {
		return nil, err
	}
	free, err := b.freeradius(clearTextAndCode)
	if err != nil {
		return nil, err
	}
	f := &Facts{Name: "onecode", Note: "60,000 requests with one code, each from another address; repeat and throttle off. RFC 6238 §5.2: the second must not be accepted."}
	if err := b.introduce(1)(ours); err != nil {
		return nil, err
	}
	g := newForge()
	for _, p := range []*peer{ours, free} {
		at := nextStep()
		l := Load{To: p.to, From: outside, Order: once, Window: window, Requests: spread(requests, sockets(window), func(i int, id byte) []byte {
			return g.access(id, person(0).name(), passwordAndCode(0, at), person(i).station())
		})}
		time.Sleep(time.Until(at.Add(inStep)))
		t, err := l.Run()
		if err != nil {
			return nil, err
		}
		f.List = append(f.List, Fact{p.name, fmt.Sprintf("%d accepted, %d refused, %d lost, %.0f/s", t.Accepted, t.Refused, t.Lost, t.Rate())})
		if p == ours && t.Accepted != 1 {
			return nil, fmt.Errorf("one code was accepted %d times", t.Accepted)
		}
	}
	return f, nil
}
