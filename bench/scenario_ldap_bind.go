package main

import (
	"fmt"
	"net/netip"
	"time"
)

// binds is a load of simple binds.
func (b *Bench) binds(from netip.Addr, conns int, o order, f field, list []person) talker {
	return func(at time.Time) *Talk {
		t := &Talk{From: from, Conns: conns, Order: o, For: b.time, Parse: ldapAnswer}
		for i, p := range list {
			t.Requests = append(t.Requests, bindRequest(1+i, p.dn(), f(p, at)))
		}
		return t
	}
}

// everybody are all of them, once.
func everybody(n int) []person {
	list := make([]person, n)
	for i := range list {
		list[i] = person(i)
	}
	return list
}

// bindAll has everybody bind from inside, twice, for the same reason as
// introduce has it.
func (b *Bench) bindAll(people int) func(p *peer) error {
	return func(p *peer) error {
		for range 2 {
			t := b.binds(inside, 16, once, passwordOnly, everybody(people))(time.Now())
			t.To, t.For = p.to, 0
			tally, err := t.Run()
			if err != nil {
				return err
			}
			if tally.Accepted != people {
				return fmt.Errorf("%d of %d were admitted", tally.Accepted, people)
			}
			p.rest()
		}
		return nil
	}
}

// rowLasts is how long a row of the book counts the binds that say the same,
// and a little.
const rowLasts = 62 * time.Second

// ldapBind: inside a password suffices.
func (b *Bench) ldapBind() (Section, error) {
	h, err := b.directory(ldapPeople)
	if err != nil {
		return nil, err
	}
	slapd, err := b.slapd(ldapPeople, false)
	if err != nil {
		return nil, err
	}
	ours, used, err := b.sekishoWith(h, ldapDoor, ldapLine)
	if err != nil {
		return nil, err
	}
	before := 0
	known := b.bindAll(ldapPeople)
	load := b.binds(inside, ldapConns, around, passwordOnly, anybody(20_000, ldapPeople))
	s, err := b.hold(contest{
		name: "ldap-bind",
		entrants: []*entrant{
			{peer: slapd, talk: load},
			{peer: ours, talk: load, warm: func(p *peer) error {
				if err := known(p); err != nil {
					return err
				}
				if err := b.wait(rowLasts); err != nil { // what it made of these binds counts no more
					return err
				}
				before, err = used.rows()
				return err
			}},
		},
	})
	if err != nil {
		return nil, err
	}
	rows, err := used.rows()
	if err != nil {
		return nil, err
	}
	admitted := 0
	for _, r := range s.find("sekisho").Rounds {
		admitted += r.Accepted
	}
	s.Note = fmt.Sprintf("Simple binds with the password of people at random of %d, {SSHA} imported, %d connections that bind again and again. "+
		"Sekisho judges each and remembers that a password was right; it books a person once a minute and counts the others in that row: "+
		"%d binds made %d rows. slapd writes nothing.", ldapPeople, ldapConns, admitted, rows-before)
	s.reach("sekisho", "slapd", 1)
	return s, nil
}

// ldapCode: password and code, each code for the first time.
func (b *Bench) ldapCode(conns int) (Section, error) {
	h, err := b.directory(ldapPeople)
	if err != nil {
		return nil, err
	}
	slapd, err := b.slapd(ldapPeople, true)
	if err != nil {
		return nil, err
	}
	ours, _, err := b.sekishoWith(h, ldapDoor, ldapLine)
	if err != nil {
		return nil, err
	}
	load := b.binds(outside, conns, once, passwordAndCode, everybody(ldapPeople))
	s, err := b.hold(contest{
		name: fmt.Sprintf("ldap-code/%d", conns),
		note: fmt.Sprintf("Simple binds with password and TOTP code, another person in each, until the time or the %d people are over; %d connections. "+
			"Sekisho burns the code, books and issues a ticket durably. slapd's otp overlay burns the code, as durably: mdb without dbnosync.", ldapPeople, conns),
		entrants: []*entrant{
			{peer: slapd, talk: load},
			{peer: ours, talk: load, warm: b.bindAll(ldapPeople)},
		},
		atStep: true,
	})
	if err != nil {
		return nil, err
	}
	s.reach("sekisho", "slapd", 20)
	return s, nil
}
