package ldapproxy

import (
	"sekisho/ldapproxy/wire"

	"sekisho/ldapproxy/tree"
)

// What comes after a bind: everything that asks or would change the
// directory. All of it starts here, with a session that has been found alive,
// so that another kind of directory behind this door begins here, too.

// operate answers any request but a bind.
func (c *conn) operate(m wire.Message) disconnect {
	alive, err := c.alive()
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
		return c.search(m)
	case wire.OpCompare:
		return c.compare(m)
	}
	c.reply(m, c.readOnly()) // Modify, Add, Delete, ModifyDN, unread
	return staying
}

// alive reports whether the session is still good: as long as the address is
// an application's, and a person's ticket lives, or the application has the
// service account, with the password that was shown.
func (c *conn) alive() (bool, error) {
	s := &c.session
	if table := c.server.table.Load(); s.bound() && table != s.table {
		app := table.find(c.addr)
		if app == nil {
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
		return c.server.Gate.Live(c.server.ctx, s.ticket)
	}
	return true, nil
}

// readOnly is the answer to whatever would change the directory.
func (c *conn) readOnly() wire.Result {
	if !c.session.bound() {
		return wire.Result{Code: wire.ResultStrongerAuthRequired, Diagnostic: "bind first"}
	}
	return wire.Result{Code: wire.ResultUnwillingToPerform, Diagnostic: "the directory is read-only"}
}

// search answers a search; entries leave as they are found.
func (c *conn) search(m wire.Message) disconnect {
	q, err := m.Search()
	if err != nil {
		return c.unreadable(m, err)
	}
	var paged *wire.Control
	if p, ok := m.Control(wire.OIDPaged); ok {
		paged = &p
	}
	var broken error
	r, controls := c.server.forest.Search(c.server.ctx, q, paged, c.asker(), func(dn string, attributes []wire.Attribute) bool {
		c.room()
		c.out = wire.AppendEntry(c.out, m.ID, dn, attributes)
		if len(c.out) >= batch {
			broken = c.flush()
		}
		return broken == nil
	})
	if broken != nil {
		return c.lost(broken)
	}
	c.reply(m, r, controls...)
	return staying
}

func (c *conn) compare(m wire.Message) disconnect {
	q, err := m.Compare()
	if err != nil {
		return c.unreadable(m, err)
	}
	c.reply(m, c.server.forest.Compare(c.server.ctx, &q, c.asker()))
	return staying
}

// gone reports whether nobody waits for an answer any more.
func (c *conn) gone() bool { return c.server.ctx.Err() != nil || hungUp(c.raw) }

// asker is what this client may see. Before a bind that is the RootDSE, if
// its application may not search without one, or not in clear text.
func (c *conn) asker() tree.Asker {
	who := tree.Asker{
		Admitted: c.session.bound(),
		StartTLS: c.listener.TLS != nil && c.listener.StartTLS,
		Pages:    &c.session.pages,
		Now:      c.server.Now,
		Gone:     c.gone,
	}
	if app := c.server.table.Load().find(c.addr); app != nil {
		who.Admitted = who.Admitted || app.Anonymous && c.private()
		who.SizeLimit, who.TimeLimit = app.SizeLimit, app.TimeLimit
	}
	return who
}
