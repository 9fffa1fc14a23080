package main

import (
	"fmt"
)

// three are echo, sekisho on a copy of the house, and freeradius, all under
// the same load.
func (b *Bench) three(h *house, c credentials, load loader) ([]*entrant, error) {
	echo, err := b.start(roleEcho)
	if err != nil {
		return nil, err
	}
	ours, err := b.sekishoCopy(h)
	if err != nil {
		return nil, err
	}
	free, err := b.freeradius(c)
	if err != nil {
		return nil, err
	}
	return []*entrant{{peer: echo, load: load.unsigned()}, {peer: ours, load: load}, {peer: free, load: load}}, nil
}

// password: from inside a password suffices. Every admission is on the disk
// before it leaves.
func (b *Bench) password(window int) (Section, error) {
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	load := b.signIns(inside, freeradiusPeople, window, around, passwordOnly)
	entrants, err := b.three(h, clearText, load)
	if err != nil {
		return nil, err
	}
	entrants[1].warm = b.introduce(freeradiusPeople)
	return b.hold(contest{
		name: fmt.Sprintf("password/%d", window),
		note: fmt.Sprintf("PAP from inside, %d people in turn, %d requests outstanding. Sekisho books each sign-in durably and issues a ticket; "+
			"it remembers the people and that their password was right. FreeRADIUS compares clear text and writes nothing.", freeradiusPeople, window),
		entrants: entrants,
	})
}

// passwordFresh: nobody is remembered yet, and every password hash is one
// from another system that is to be replaced.
func (b *Bench) passwordFresh() (Section, error) {
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	const window = 256
	load := b.signIns(inside, campus, window, once, passwordOnly)
	entrants, err := b.three(h, clearText, load)
	if err != nil {
		return nil, err
	}
	entrants[1].anew = func() (*peer, error) { return b.sekishoCopy(h) }
	entrants[2].load = b.signIns(inside, freeradiusPeople, window, around, passwordOnly)
	return b.hold(contest{
		name:     "password-fresh/256",
		note:     "As password/256, but sekisho has just started with imported {SSHA} hashes, and each request is another person's first.",
		entrants: entrants,
	})
}
