package main

import (
	"fmt"
	"net/netip"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

// appliance is a client whose people have addresses in a tunnel.
var appliance = netip.AddrFrom4([4]byte{127, 0, 0, 3})

const applianceText = `
[[radius.client]]
name    = "appliance"
address = "127.0.0.3"
secret  = "testing123"
service = "vpn"
source  = "campus"
tunnel  = ["` + tunnelPrefix + `"]
`

const (
	accounted = 10_000 // sessions a round
	apart     = 40     // sessions of a line between two records of one
)

// accounting: what NASes tell of sessions is durable before they are answered.
func (b *Bench) accounting() (Section, error) {
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	echo, err := b.start(roleEcho)
	if err != nil {
		return nil, err
	}
	ours, used, err := b.sekishoOn(h, applianceText)
	if err != nil {
		return nil, err
	}
	free, err := b.freeradius(clearText)
	if err != nil {
		return nil, err
	}
	classes, err := b.classes(ours, b.rounds+1)
	if err != nil {
		return nil, err
	}
	l := &ledger{memory: newMemory()}
	load := func(l *ledger) loader {
		round := 0
		return func(at time.Time) *Load {
			sessions := newSessions(round, at, classes[round])
			round++
			return l.load(sessions, b.time)
		}
	}
	ours.to, free.to = ours.acct, free.acct
	noted := load(l)
	s, err := b.hold(contest{name: "accounting", entrants: []*entrant{
		{peer: echo, load: load(nil).unsigned()}, {peer: ours, load: noted}, {peer: free, load: load(nil)},
	}})
	if err != nil {
		return nil, err
	}
	if err := l.killed(ours, noted, b.time/2); err != nil {
		return nil, err
	}
	found, err := l.audit(used)
	if err != nil {
		return nil, err
	}
	s.Note = fmt.Sprintf("Accounting-Requests of %d sessions a round, %d outstanding: of each session a Start, %d Interim-Updates and a Stop, "+
		"with the Class of a sign-in and an address in the tunnel. Sekisho finds the ticket and writes session and book durably before it answers. "+
		"FreeRADIUS writes rlm_detail's file and does not sync it. In the end sekisho was killed (SIGKILL) amid such a load, and its store read: "+
		"of %d records that were acknowledged, of %d sessions, %d are missing; %d sessions are without their ticket.",
		accounted, doorWindow, records-2, found.acknowledged, found.sessions, found.missing, found.stray)
	s.Bars = []Bar{
		{What: "records a second", Is: s.find("sekisho").rate(), Bar: 5_000},
		{What: "sessions of which something acknowledged is missing", Is: float64(found.missing), Most: true},
		{What: "sessions without their ticket", Is: float64(found.stray), Most: true},
	}
	return s, nil
}

// classes has people sign in by the appliance, so many times, and returns the
// Class that each got each time.
func (b *Bench) classes(p *peer, times int) ([][][]byte, error) {
	if err := b.introduce(accounted)(p); err != nil {
		return nil, err
	}
	all := make([][][]byte, times)
	for i := range all {
		m, requests := newMemory(), make([][]byte, accounted)
		g, now := newForge(), time.Now()
		l := &Load{To: p.to, From: appliance, Order: once, Window: doorWindow, Heard: m.heard}
		l.Requests = spread(accounted, sockets(doorWindow), func(i int, id byte) []byte {
			requests[i] = field(passwordOnly).packet(g, person(i), now, id)
			return requests[i]
		})
		if _, err := l.Run(); err != nil {
			return nil, err
		}
		for _, request := range requests {
			class, err := classOf(m.reply(request))
			if err != nil {
				return nil, fmt.Errorf("sign in by the appliance: %w", err)
			}
			all[i] = append(all[i], class)
		}
	}
	p.rest()
	return all, nil
}

func classOf(reply []byte) ([]byte, error) {
	p, err := radius.Parse(reply, []byte(secret))
	if err != nil {
		return nil, err
	}
	return rfc2865.Class_Lookup(p)
}
