package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	ldapConns  = 8
	ldapPeople = 10_000
	ldapMany   = 100_000
)

// directory makes, once, a house of people whom a directory can show.
func (b *Bench) directory(people int) (*house, error) {
	name := fmt.Sprintf("directory-%d", people)
	if h := b.houses[name]; h != nil {
		return h, nil
	}
	h, err := b.people(name, people, ssha, people <= ldapPeople)
	if err != nil {
		return nil, err
	}
	return h, h.introduceThemselves()
}

// anybody are people at random, the same ones in each round and for all.
func anybody(n, of int) []person {
	random := rand.New(rand.NewPCG(3, 4))
	list := make([]person, n)
	for i := range list {
		list[i] = person(random.Uint32N(uint32(of)))
	}
	return list
}

// searches is a load of look-ups by a bound service account, before a bind or
// of an address book.
func (b *Bench) searches(people int) talker {
	t := Talk{Conns: ldapConns, Order: around, For: b.time, Greeting: bindRequest(1, serviceAccount, servicePass), Parse: ldapAnswer}
	for i, p := range anybody(20_000, people) {
		t.Requests = append(t.Requests, searchRequest(2+i, ldapBase, p.name()))
	}
	return func(time.Time) *Talk {
		c := t
		return &c
	}
}

// look has the load run for a moment, so that a directory has read its people.
func look(load talker) func(p *peer) error {
	return func(p *peer) error {
		t := load(time.Now())
		t.To, t.For = p.to, time.Second/2
		_, err := t.Run()
		p.rest()
		return err
	}
}

// ldapSearch: who is uid=…?
func (b *Bench) ldapSearch() (Section, error) {
	slapd, err := b.slapd(ldapPeople, false)
	if err != nil {
		return nil, err
	}
	few, many := b.searches(ldapPeople), b.searches(ldapMany)
	entrants := []*entrant{{peer: slapd, talk: few, warm: look(few)}}
	for _, people := range []int{ldapPeople, ldapMany} {
		h, err := b.directory(people)
		if err != nil {
			return nil, err
		}
		p, _, err := b.sekishoWith(h, ldapDoor, ldapLine)
		if err != nil {
			return nil, err
		}
		e := &entrant{peer: p, talk: few, warm: look(few)}
		if people == ldapMany {
			p.name, e.talk, e.warm = "sekisho-100k", many, look(many)
		}
		entrants = append(entrants, e)
	}
	s, err := b.hold(contest{
		name: "ldap-search",
		note: fmt.Sprintf("(uid=…) below the base for uid, cn and mail, by a bound service account over %d connections that are kept, one search at a time on each, "+
			"people at random of %d; `sekisho-100k` has %d. slapd has mdb with an index of uid. Each answer is one entry.", ldapConns, ldapPeople, ldapMany),
		entrants: entrants,
	})
	if err != nil {
		return nil, err
	}
	s.reach("sekisho", "slapd", 1)
	s.reach("sekisho-100k", "sekisho", 0.9)
	return s, nil
}
