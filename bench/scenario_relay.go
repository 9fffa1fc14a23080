package main

import (
	"fmt"
	"net/netip"
	"time"
)

// pattern is how a program uses a directory.
type pattern struct {
	name   string
	note   string
	unit   []func(id int, p person, typed string) []byte // what it sends for one sign-in or look-up
	fresh  bool                                          // over a connection of its own
	asUser bool                                          // connections that are kept are bound by none beforehand
	bar    float64                                       // of our rate to slapd's
}

func byService(id int, _ person, _ string) []byte {
	return bindRequest(id, serviceAccount, servicePass)
}

func byPerson(id int, p person, typed string) []byte { return bindRequest(id, p.dn(), typed) }

func lookUp(id int, p person, _ string) []byte { return searchRequest(id, ldapBase, p.name()) }

// patterns are those of rules that programs follow.
var patterns = []pattern{
	{name: "rebind", note: "A person binds on a connection that is kept",
		unit: []func(int, person, string) []byte{byPerson}, asUser: true},
	{name: "bind-search", note: "A person binds on a connection that is kept, and is looked up",
		unit: []func(int, person, string) []byte{byPerson, lookUp}, asUser: true, bar: .75},
	{name: "search", note: "A person is looked up by a bound service account",
		unit: []func(int, person, string) []byte{lookUp}},
	{name: "connect", note: "A connection, a bind, an Unbind",
		unit: []func(int, person, string) []byte{byPerson}, fresh: true, bar: 1},
	{name: "app", note: "On a connection that is kept the service account binds, looks a person up, and the person binds",
		unit: []func(int, person, string) []byte{byService, lookUp, byPerson}, asUser: true, bar: .80},
}

// pattern builds the load of one.
func (b *Bench) pattern(p pattern, from netip.Addr, conns int, o order, f field, people []person) talker {
	return func(at time.Time) *Talk {
		t := &Talk{From: from, Conns: conns, Order: o, For: b.time, Parse: ldapAnswer, Unit: len(p.unit), Fresh: p.fresh}
		id := 2
		for _, who := range people {
			for _, request := range p.unit {
				t.Requests = append(t.Requests, request(id, who, f(who, at)))
				id++
			}
		}
		if p.fresh {
			t.Farewell = unbindRequest(id)
		}
		if !p.asUser && !p.fresh {
			t.Greeting = bindRequest(1, serviceAccount, servicePass)
		}
		return t
	}
}

// relays has slapd asked directly and through what can stand before it.
func (b *Bench) relays(p pattern, conns int) (Section, error) {
	h, err := b.directory(ldapPeople)
	if err != nil {
		return nil, err
	}
	slapd, err := b.slapd(ldapPeople, false)
	if err != nil {
		return nil, err
	}
	ours, others, err := b.proxies(h, slapd)
	if err != nil {
		return nil, err
	}
	load := b.pattern(p, inside, conns, around, passwordOnly, anybody(20_000, ldapPeople))
	entrants := []*entrant{{peer: slapd, talk: load}, {peer: ours, talk: load, warm: b.bindAll(ldapPeople)}}
	for _, other := range others {
		entrants = append(entrants, &entrant{peer: other, talk: load, fits: nearlyAll})
	}
	s, err := b.hold(contest{
		name: fmt.Sprintf("relay-%s/%d", p.name, conns),
		note: fmt.Sprintf("%s; %d connections, %d people at random of %d, {SSHA}. Inside a password suffices. "+
			"The CPU of a proxy is its own and slapd's together.", p.note, conns, 20_000, ldapPeople),
		entrants: entrants,
	})
	if err != nil {
		return nil, err
	}
	if conns > ldapConns {
		direct, through := s.find("slapd").quantile(.99), s.find("sekisho").quantile(.99)
		s.Bars = append(s.Bars, Bar{What: "p99 of sekisho ÷ slapd", Is: float64(through) / float64(direct), Bar: 1.6, Most: true})
		return s, nil
	}
	if p.bar > 0 {
		s.reach("sekisho", "slapd", p.bar)
	}
	if p.name == "search" {
		own := s.find("sekisho").cpu() - s.find("slapd").cpu()
		s.Bars = append(s.Bars, Bar{What: "CPU of the proxy alone ÷ slapd's", Is: own / s.find("slapd").cpu(), Bar: 1, Most: true})
	}
	return s, nil
}

// relayCode: a bind with a code that is used for the first time, durably.
func (b *Bench) relayCode() (Section, error) {
	h, err := b.directory(ldapPeople)
	if err != nil {
		return nil, err
	}
	slapd, err := b.slapd(ldapPeople, false)
	if err != nil {
		return nil, err
	}
	ours, _, err := b.relay(h, slapd)
	if err != nil {
		return nil, err
	}
	plain := *ours
	plain.name = "sekisho-plain"
	rebind := patterns[0]
	s, err := b.hold(contest{
		name: "relay-code/8",
		note: fmt.Sprintf("Binds with password and TOTP code through the relay, another person in each, until the time or the %d people are over; 8 connections. "+
			"The code is burnt and the ticket put durably, and slapd checks the password. `sekisho-plain` and `slapd` take the password alone.", ldapPeople),
		entrants: []*entrant{
			{peer: slapd, talk: b.pattern(rebind, inside, ldapConns, once, passwordOnly, everybody(ldapPeople))},
			{peer: &plain, talk: b.pattern(rebind, inside, ldapConns, once, passwordOnly, everybody(ldapPeople))},
			{peer: ours, talk: b.pattern(rebind, outside, ldapConns, once, passwordAndCode, everybody(ldapPeople)), warm: b.bindAll(ldapPeople)},
		},
		atStep: true,
	})
	if err != nil {
		return nil, err
	}
	s.reach("sekisho", "sekisho-plain", .5)
	s.reach("sekisho", "slapd", .5)
	return s, nil
}

// nearlyAll lets another's proxy refuse one in a hundred, which counts as lost:
// back-ldap does so now and then under load.
func nearlyAll(t *Tally) error {
	if 100*t.Refused > t.Answered() {
		return fmt.Errorf("%d of %d were refused", t.Refused, t.Answered())
	}
	t.Lost += t.Refused
	return nil
}
