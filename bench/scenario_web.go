package main

import (
	"fmt"
	"time"
)

// verify: what every request to a service waits for.
func (b *Bench) verify() (Section, error) {
	const conns = 64
	h, err := b.directory(ldapPeople)
	if err != nil {
		return nil, err
	}
	handler, err := b.start(roleHandler)
	if err != nil {
		return nil, err
	}
	ours, _, err := b.sekishoWith(h, webDoor, webLine)
	if err != nil {
		return nil, err
	}
	var requests [][]byte
	for i := range conns {
		cookies, err := newVisitor(ours.to).signIn(person(i))
		if err != nil {
			return nil, fmt.Errorf("sign in: %w", err)
		}
		requests = append(requests, verifyRequest(wikiHost, inside, cookies))
	}
	load := func(time.Time) *Talk {
		return &Talk{Conns: conns, Requests: requests, Order: around, For: b.time, Parse: httpAnswer}
	}
	s, err := b.hold(contest{
		name: "verify",
		note: fmt.Sprintf("GET /verify as nginx asks it, with the service cookies of %d people who signed in, over %d connections that are kept. "+
			"`handler` answers the same requests with an empty 200 and looks at nothing.", conns, conns),
		entrants: []*entrant{{peer: handler, talk: load, warm: look(load)}, {peer: ours, talk: load, warm: look(load)}},
	})
	if err != nil {
		return nil, err
	}
	s.reach("sekisho", "handler", 0.5)
	s.Bars = append(s.Bars, Bar{What: "p99 of sekisho, ms", Is: ms(s.find("sekisho").quantile(0.99)), Bar: 5, Most: true})
	return s, nil
}

// page: what a telephone has to load before somebody can sign in.
func (b *Bench) page() (Section, error) {
	h, err := b.directory(ldapPeople)
	if err != nil {
		return nil, err
	}
	p, _, err := b.sekishoWith(h, webDoor, webLine)
	if err != nil {
		return nil, err
	}
	html, css, err := newVisitor(p.to).weigh()
	if err != nil {
		return nil, err
	}
	return &Facts{
		Name: "page", Note: "The sign-in page with all that it loads, without a logo; octets before any compression.",
		List: []Fact{{"HTML", fmt.Sprint(html)}, {"CSS", fmt.Sprint(css)}},
		Bars: []Bar{{What: "KB in all", Is: float64(html+css) / 1e3, Bar: 20, Most: true}},
	}, nil
}
