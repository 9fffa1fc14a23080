package ldapproxy

import (
	"sekisho/gate"
	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

// embedded asks the directory that is part of this program. Each request is
// answered before the next one is read.
type embedded struct{ *conn }

// controls wants no critical control that is not served for the operation
// (RFC 4511 §4.1.11).
func (c embedded) controls(a *app, m wire.Message) wire.Result {
	for _, control := range m.Controls {
		if control.Critical && !wire.Serves(m.Op, control.OID) && !a.believes(control) {
			return unknownControl
		}
	}
	return wire.Result{}
}

// unknownControl is the answer to a critical control that is not served.
var unknownControl = wire.Result{Code: wire.ResultUnavailableCritical, Diagnostic: "a critical control is not known"}

// bindPerson asks the gate.
func (c embedded) bindPerson(k *credential) verdict {
	answer, err := c.server.Gate.Admit(c.server.ctx, c.request(k))
	if err != nil {
		return c.unjudged(k, err)
	}
	if answer.Outcome != gate.Admitted { // LDAP has no way to ask back
		return c.refusal(k, answer, wire.ResultInvalidCredentials)
	}
	return verdict{
		outcome: bindAdmitted, answer: answer,
		session: session{dn: c.server.personDN(answer.Person.Name), ticket: answer.Ticket.ID, table: k.table},
	}
}

// bindAccount binds a service account by its password alone.
func (c embedded) bindAccount(k *credential, found *account) verdict {
	if !found.is(k.password) {
		return c.refuse(k, gate.FaultServiceAccount, wire.ResultInvalidCredentials)
	}
	return verdict{outcome: bindService, session: session{dn: found.dn, account: found, table: k.table}}
}

// observe judges like any bind: there is nobody behind who would.
func (c embedded) observe(k *credential) verdict { return c.decide(k) }

func (c embedded) enter(*verdict) {}

// search answers a search; entries leave as they are found.
func (c embedded) search(m wire.Message) disconnect {
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

func (c embedded) compare(m wire.Message) disconnect {
	q, err := m.Compare()
	if err != nil {
		return c.unreadable(m, err)
	}
	c.reply(m, c.server.forest.Compare(c.server.ctx, &q, c.asker()))
	return staying
}

// change refuses whatever would change the directory, unread.
func (c embedded) change(m wire.Message) disconnect {
	if !c.session.bound() {
		c.reply(m, bindFirst)
	} else {
		c.reply(m, readOnly)
	}
	return staying
}

// readOnly is the answer to whoever would change what can't be changed here.
var readOnly = wire.Result{Code: wire.ResultUnwillingToPerform, Diagnostic: "the directory is read-only"}

// extended: what is not listed here is not served. Among what other servers
// know there are ways to check a password past the gate.
func (c embedded) extended(m wire.Message, e wire.ExtendedRequest) disconnect {
	switch e.OID {
	case wire.OIDWhoAmI:
		c.whoAmI(m, e)
	case wire.OIDCancel:
		// Every operation that came before it is answered already, so there
		// is never one to be cancelled (RFC 3909 §2.3).
		if _, err := wire.ParseCancel(e); err != nil {
			return c.unreadable(m, err)
		}
		c.reply(m, wire.Result{Code: wire.ResultNoSuchOperation})
	case wire.OIDModifyPassword:
		return c.change(m)
	default:
		c.unserved(m, e)
	}
	return staying
}

// abandon: what it names was answered before it was read.
func (embedded) abandon(wire.Message) {}

func (embedded) parse(frame []byte) (wire.Message, error) { return wire.ParseMessage(frame) }

func (embedded) largest() int { return wire.MaxFrameBound }
func (embedded) busy() bool   { return false }
func (embedded) look(alive bool) disconnect {
	if !alive {
		return byTicket
	}
	return staying
}
func (embedded) holds() bool    { return false }
func (embedded) rests() bool    { return false }
func (embedded) send()          {}
func (embedded) leave()         {}
func (embedded) end(disconnect) {}

// gone reports whether nobody waits for an answer any more.
func (c *conn) gone() bool { return c.server.ctx.Err() != nil || hungUp(c.raw) }

// asker is what this client may see. Before a bind that is the RootDSE, if
// its application may not search without one, or not in clear text.
func (c *conn) asker() tree.Asker {
	who := tree.Asker{
		Admitted: c.session.bound(),
		StartTLS: c.offersTLS(),
		Pages:    &c.session.pages,
		Now:      c.server.Now,
		Gone:     c.gone,
	}
	if app := c.appOf(c.server.table.Load()); app != nil {
		who.Admitted = who.Admitted || app.Anonymous && c.private(app)
		who.SizeLimit, who.TimeLimit = app.SizeLimit, app.TimeLimit
	}
	return who
}
