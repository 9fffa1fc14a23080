package ldapproxy

// What comes after a bind: everything that asks or would change the
// directory. All of it starts here, with a session that has been found alive,
// so that another kind of directory behind this door begins here, too.

// operate answers any request but a bind.
func (c *conn) operate(m message) disconnect {
	alive, err := c.alive()
	switch {
	case err != nil:
		c.server.log.Error("could not look at a ticket", "connection", c.number, "error", err)
		c.reply(m, result{code: resultUnavailable, diagnostic: "could not be judged: try again"})
		return staying
	case !alive:
		return byTicket
	}
	switch m.op {
	case opExtended:
		return c.extended(m)
	case opSearch:
		return c.search(m)
	case opCompare:
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
func (c *conn) readOnly() result {
	if !c.session.bound() {
		return result{code: resultStrongerAuthRequired, diagnostic: "bind first"}
	}
	return result{code: resultUnwillingToPerform, diagnostic: "the directory is read-only"}
}

// search answers a search; entries leave as they are found.
func (c *conn) search(m message) disconnect {
	q, err := m.search()
	if err != nil {
		return c.unreadable(m, err)
	}
	var paged *control
	if p, ok := m.control(oidPaged); ok {
		paged = &p
	}
	var broken error
	r, controls := c.server.forest.search(c.server.ctx, q, paged, c.asker(), func(dn string, attributes []attribute) bool {
		c.room()
		c.out = appendEntry(c.out, m.id, dn, attributes)
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

func (c *conn) compare(m message) disconnect {
	q, err := m.compare()
	if err != nil {
		return c.unreadable(m, err)
	}
	c.reply(m, c.server.forest.compare(c.server.ctx, &q, c.asker()))
	return staying
}

// gone reports whether nobody waits for an answer any more.
func (c *conn) gone() bool { return c.server.ctx.Err() != nil || hungUp(c.raw) }

// asker is what this client may see. Before a bind that is the RootDSE, if
// its application may not search without one, or not in clear text.
func (c *conn) asker() asker {
	who := asker{
		admitted: c.session.bound(),
		startTLS: c.listener.TLS != nil && c.listener.StartTLS,
		pages:    &c.session.pages,
		now:      c.server.Now,
		gone:     c.gone,
	}
	if app := c.server.table.Load().find(c.addr); app != nil {
		who.admitted = who.admitted || app.Anonymous && c.private()
		who.sizeLimit, who.timeLimit = app.SizeLimit, app.TimeLimit
	}
	return who
}
