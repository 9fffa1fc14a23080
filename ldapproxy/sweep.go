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
	return l != nil && r.spare.Load() && !r.used.Swap(false) && l.idle()
}

// look ends a session that may not have its link any more, and gives back one
// that nobody's identity is on while it rests. What a client has left on it is
// of no use to it then, unless that is a paged search that could go on.
func (r *relay) look() disconnect {
	l := r.link.Load()
	switch {
	case l == nil:
	case !r.session.bound() && !r.session.observed && !r.anonymous():
		return byTicket
	case r.spare.Load() && !r.used.Load() && l.idle():
		r.release(l)
	}
	return staying
}
