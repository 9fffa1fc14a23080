package ldapproxy

import (
	"context"

	"sekisho/ldapproxy/wire"
)

// behind is the directory that answers behind the door, as one connection
// asks it: the embedded one, or a relay to another. Only the connection's own
// goroutine calls it, but for what says so.
type behind interface {
	// parse reads the envelope of a request, as strictly as it has to be.
	parse([]byte) (wire.Message, error)
	// controls refuses a request of an application, or of none, for its
	// controls, unless it is a success.
	controls(*app, wire.Message) wire.Result

	// Judge a bind that is fit to be judged; then enter begins the session, or
	// drops what was made ready for one.
	bindPerson(*credential) verdict
	bindAccount(*credential, *account) verdict
	observe(*credential) verdict
	enter(*verdict)

	// The operations, of a session that has been found alive. What they don't
	// answer at once is answered later.
	search(wire.Message) disconnect
	compare(wire.Message) disconnect
	change(wire.Message) disconnect // Modify, Add, Delete, ModifyDN
	extended(wire.Message, wire.ExtendedRequest) disconnect
	abandon(wire.Message)

	largest() int               // octets of a message after a bind
	busy() bool                 // operations are not answered yet
	look(alive bool) disconnect // somebody has called, and asks whether the session is still good
	send()                      // what was gathered leaves
	leave()                     // the session ends, a BindRequest has come
	end(disconnect)             // the connection ends

	// Anybody may call these.
	holds() bool // a link to a directory behind
	rests() bool // on one that can go back
}

// directory is the one that this connection asks.
func (s *Server) directory(c *conn) behind {
	if s.Upstream != nil {
		return &relay{conn: c, upstream: s.Upstream}
	}
	return embedded{c}
}

// operate answers any request but a bind.
func (c *conn) operate(m wire.Message) disconnect {
	alive, err := c.alive(c.server.Gate.Live)
	switch {
	case err != nil:
		c.server.log.Error("could not look at a ticket", "connection", c.number, "error", err)
		c.reply(m, wire.Result{Code: wire.ResultUnavailable, Diagnostic: "could not be judged: try again"})
		return staying
	case !alive:
		return byTicket
	}
	switch m.Op {
	case wire.OpExtended:
		return c.extended(m)
	case wire.OpSearch:
		return c.behind.search(m)
	case wire.OpCompare:
		return c.behind.compare(m)
	}
	return c.behind.change(m)
}

// extended answers an ExtendedRequest (RFC 4511 §4.12).
func (c *conn) extended(m wire.Message) disconnect {
	e, err := m.Extended()
	if err != nil {
		return c.unreadable(m, err)
	}
	if e.OID == wire.OIDStartTLS { // never anybody's but ours
		return c.startTLS(m, e)
	}
	return c.behind.extended(m, e)
}

// alive reports whether the session is still good: as long as the connection is
// of an application like the one that it has bound for, and a person's ticket
// lives, or the application has the service account, with the password that was
// shown.
func (c *conn) alive(lives func(context.Context, string) (bool, error)) (bool, error) {
	s := &c.session
	if s.over {
		return false, nil
	}
	if table := c.server.table.Load(); (s.bound() || s.observed) && table != s.table {
		app := c.appOf(table)
		if app == nil || s.observed && !app.Observe || !app.standsFor(s.table.find(c.marks)) {
			return false, nil
		}
		if s.account != nil {
			found := app.accounts[s.account.key]
			if found == nil || found.password != s.account.password {
				return false, nil
			}
			s.account = found
		}
		s.table = table
	}
	if s.ticket != "" {
		return lives(c.server.ctx, s.ticket)
	}
	return true, nil
}

// noSuchOperation is the answer to an extended operation that is not served,
// without a responseName (RFC 4511 §4.12).
var noSuchOperation = wire.Result{Code: wire.ResultProtocolError, Diagnostic: "no such extended operation"}

// bindFirst is the answer to whoever would change something as nobody.
var bindFirst = wire.Result{Code: wire.ResultStrongerAuthRequired, Diagnostic: "bind first"}
