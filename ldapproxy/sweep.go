package ldapproxy

import "time"

const (
	// sweepEvery is how often clients that have a link are looked at: it would
	// outlive the ticket of who asks nothing, and so would a persistent search.
	sweepEvery = 30 * time.Second

	// spareEvery is how often links are looked for that go back, because they
	// rest, and the client's next request can as well have another one.
	spareEvery = 4 * time.Second
)

// sweep does something with each connection time and again, as long as the
// server lives.
func (s *Server) sweep(every time.Duration, do func(*conn)) {
	for {
		select {
		case <-s.After(every):
			s.crowd.each(do)
		case <-s.ctx.Done():
			return
		}
	}
}

// lookUp has a connection that has a link look whether it still may.
func lookUp(c *conn) {
	if c.behind.holds() {
		c.call(staying)
	}
}

// giveBack has one that rests on a link which need not be its own give it back.
func giveBack(c *conn) {
	if c.behind.rests() {
		c.call(staying)
	}
}

func (r *relay) holds() bool { return r.link.Load() != nil }

func (r *relay) rests() bool {
	l := r.link.Load()
	return l != nil && r.spare.Load() && !r.used.Swap(false) && l.Idle()
}

// look takes the link from whoever may not have it any more, and gives back one
// that nobody's identity is on while it rests. Who waits for an answer there is
// told good-bye. Of others the connection stays, for a pool of a program keeps
// it, and takes a good-bye for the answer to what it asks next: that may be a
// bind. Anything else is told that the session has ended. What a client has
// left on the link is of no use to it then, unless that is a paged search that
// could go on.
func (r *relay) look(alive bool) disconnect {
	l := r.link.Load()
	if l == nil {
		return staying
	}
	alive = alive && (r.session.bound() || r.session.observed || r.anonymous())
	switch {
	case !alive && r.busy():
		return byTicket
	case !alive:
		r.release(l)
		r.session = session{over: true}
	case r.spare.Load() && !r.used.Load() && l.Idle():
		r.release(l)
	}
	return staying
}
