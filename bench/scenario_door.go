package main

const doorWindow = 256

// status: how fast the door is when the gate is not asked at all.
func (b *Bench) status() (Section, error) {
	echo, err := b.start(roleEcho)
	if err != nil {
		return nil, err
	}
	door, err := b.start(roleDoor)
	if err != nil {
		return nil, err
	}
	free, err := b.freeradius(clearText)
	if err != nil {
		return nil, err
	}
	g := newForge()
	// More than there are Identifiers, so that each is new to the server.
	load := Load{Window: doorWindow, For: b.time, Requests: spread(20_000, sockets(doorWindow), func(_ int, id byte) []byte { return g.status(id) })}
	bare := load
	bare.Unsigned = true
	return b.hold(contest{
		name: "status/256",
		note: "Status-Server. `door` is package radiusd alone, without the bound of 20 a second that serve has.",
		entrants: []*entrant{
			{peer: echo, load: same(&bare)}, {peer: door, load: same(&load)}, {peer: free, load: same(&load)},
		},
	})
}

// kept: a retransmission gets the reply that was kept (RFC 5080 §2.2.2).
func (b *Bench) kept() (Section, error) {
	h, err := b.campus()
	if err != nil {
		return nil, err
	}
	entrants, err := b.three(h, clearText, b.signIns(inside, doorWindow, doorWindow, again, passwordOnly))
	if err != nil {
		return nil, err
	}
	entrants[1].warm = b.introduce(doorWindow)
	return b.hold(contest{
		name:     "kept/256",
		note:     "256 Access-Requests, retransmitted byte for byte as soon as they are answered.",
		entrants: entrants,
	})
}
