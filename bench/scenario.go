package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// How many people take part. Sekisho remembers 32,768 accounts at least: who
// is to be remembered must be fewer, who is not, more than one round's.
const (
	campus     = 60_000
	remembered = 30_000
	hashed     = 10_000 // whose password hash is slow
)

func scenarios() []scenario {
	list := []scenario{
		{"status/256", (*Bench).status},
		{"kept/256", (*Bench).kept},
		{"duplicates", (*Bench).duplicates},
	}
	for _, window := range []int{256, 16, 1} {
		list = append(list, scenario{fmt.Sprintf("password/%d", window), func(b *Bench) (Section, error) { return b.password(window) }})
	}
	for _, window := range []int{256, 16, 1} {
		list = append(list, scenario{fmt.Sprintf("code/%d", window), func(b *Bench) (Section, error) { return b.code(window) }})
	}
	for _, p := range patterns {
		for _, conns := range []int{ldapConns, 64} {
			list = append(list, scenario{fmt.Sprintf("relay-%s/%d", p.name, conns), func(b *Bench) (Section, error) { return b.relays(p, conns) }})
		}
	}
	return append(list,
		scenario{"password-fresh/256", (*Bench).passwordFresh},
		scenario{"code-fresh/256", (*Bench).codeFresh},
		scenario{"argon2id", (*Bench).argon2id},
		scenario{"bcrypt", (*Bench).bcrypt},
		scenario{"burst", (*Bench).burst},
		scenario{"onecode", (*Bench).oneCode},
		scenario{"storm", (*Bench).storm},
		scenario{"noise", (*Bench).noise},
		scenario{"accounting", (*Bench).accounting},
		scenario{"demo", (*Bench).demo},
		scenario{"million", (*Bench).million},
		scenario{"ldap-search", (*Bench).ldapSearch},
		scenario{"ldap-bind", (*Bench).ldapBind},
		scenario{"ldap-code/8", func(b *Bench) (Section, error) { return b.ldapCode(8) }},
		scenario{"ldap-code/64", func(b *Bench) (Section, error) { return b.ldapCode(64) }},
		scenario{"relay-code/8", (*Bench).relayCode},
		scenario{"idle", (*Bench).idle},
		scenario{"relay-idle", (*Bench).relayIdle},
		scenario{"verify", (*Bench).verify},
		scenario{"page", (*Bench).page},
	)
}

// people makes, once, the house of that name.
func (b *Bench) people(name string, n int, hash string, devices bool) (*house, error) {
	if h := b.houses[name]; h != nil {
		return h, nil
	}
	b.say("making %d people: %s", n, name)
	h, err := build(filepath.Join(b.folder, name), n, hash, devices)
	if err != nil {
		return nil, fmt.Errorf("make people: %w", err)
	}
	b.houses[name] = h
	return h, nil
}

func (b *Bench) campus() (*house, error) { return b.people("campus", campus, ssha, true) }

// field is what a person types at a time.
type field func(p person, at time.Time) string

func passwordOnly(person, time.Time) string         { return password }
func passwordAndCode(p person, at time.Time) string { return password + p.code(at) }
func (f field) packet(g *forge, p person, at time.Time, id byte) []byte {
	return g.access(id, p.name(), f(p, at), p.station())
}

// loader builds a load with the codes of a time.
type loader func(at time.Time) *Load

// unsigned is the same load for a peer that echoes.
func (build loader) unsigned() loader {
	return func(at time.Time) *Load {
		l := build(at)
		l.Unsigned = true
		return l
	}
}

// signIns is a load of these people, who sign in one after the other.
func (b *Bench) signIns(from netip.Addr, people, window int, o order, f field) loader {
	return func(at time.Time) *Load {
		g := newForge()
		return &Load{
			From: from, Order: o, Window: window, For: b.time,
			Requests: spread(people, sockets(window), func(i int, id byte) []byte { return f.packet(g, person(i), at, id) }),
		}
	}
}

// same builds a load once and has it in every round.
func same(l *Load) loader {
	return func(time.Time) *Load {
		c := *l
		return &c
	}
}

// introduce has people sign in from inside, so that they are remembered: twice,
// since the first time some have their hash replaced, and the new one is
// checked once more, as slowly as it is meant to be.
func (b *Bench) introduce(people int) func(p *peer) error {
	return func(p *peer) error {
		for _, window := range []int{256, 16} {
			l := b.signIns(inside, people, window, once, passwordOnly)(time.Now())
			l.For, l.To = 0, p.to
			t, err := l.Run()
			if err != nil {
				return err
			}
			if t.Refused > 0 || t.Lost > people/100 {
				return fmt.Errorf("%d of %d were admitted, %d refused", t.Accepted, people, t.Refused)
			}
			p.rest()
		}
		return nil
	}
}

// scratch is a new folder.
func (b *Bench) scratch(name string) (string, error) { return os.MkdirTemp(b.folder, name+"-") }
