package ldapproxy

import (
	"errors"

	"sekisho/ldapproxy/links"
	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

// passesAll reports whether the client's application is only watched. Who is
// signed in as somebody whose password the directory has not seen is not: the
// link is another's.
func (r *relay) passesAll() bool {
	app := r.appOf(r.server.table.Load())
	return app != nil && app.Observe && !r.session.lent
}

// anonymous reports whether nobody may search, too.
func (r *relay) anonymous() bool {
	app := r.appOf(r.server.table.Load())
	return app != nil && (app.Observe || app.Anonymous && r.private(app))
}

// refused ends an operation that does not pass.
func (r *relay) refused(m wire.Message, code int, text string) disconnect {
	r.reply(m, wire.Result{Code: code, Diagnostic: text})
	return staying
}

// search passes a search on, unless it is about the RootDSE, which is ours, or
// about a password, which nobody has.
func (r *relay) search(m wire.Message) disconnect {
	s, err := m.ScanSearch(tree.IsPassword[[]byte])
	switch {
	case err != nil:
		return r.unreadable(m, err)
	case len(s.Base) == 0 && s.Scope == 0:
		return r.rootDSE(m)
	case r.passesAll():
	case !r.session.bound() && !r.anonymous():
		return r.refused(m, wire.ResultInsufficientAccessRights, "bind first")
	case s.Secret:
		// As if none matched, not even those that have no password: an error
		// would end the searches of programs that ask for it among others.
		r.reply(m, wire.Result{})
		return staying
	case r.session.lent && !r.upstream.ProxyAuthorization:
		// The account that runs it may perhaps read what the person may not.
		if shows, err := m.Shows(tree.IsPassword[[]byte]); err != nil {
			return r.unreadable(m, err)
		} else if shows {
			return r.refused(m, wire.ResultInsufficientAccessRights, "passwords are shown to nobody")
		}
	}
	return r.pass(m)
}

// compare passes a compare on, but never with a password: that would be one
// more way to try it.
func (r *relay) compare(m wire.Message) disconnect {
	q, err := m.Compare()
	switch {
	case err != nil:
		return r.unreadable(m, err)
	case r.passesAll():
	case tree.IsPassword(q.Attribute):
		return r.refused(m, wire.ResultInsufficientAccessRights, "not on a password")
	case !r.session.bound() && !r.anonymous():
		return r.refused(m, wire.ResultInsufficientAccessRights, "bind first")
	}
	return r.pass(m)
}

// change passes on what changes the directory, where the application may.
func (r *relay) change(m wire.Message) disconnect {
	if r.passesAll() {
		return r.pass(m)
	}
	if no := r.writes(); no.Code != wire.ResultSuccess {
		r.reply(m, no)
		return staying
	}
	if no, err := r.reads(m); err != nil {
		return r.unreadable(m, err)
	} else if no.Code != wire.ResultSuccess {
		r.reply(m, no)
		return staying
	}
	return r.pass(m)
}

// reads reads a change to the end, whatever there is to be seen in it: what we
// overlook the directory may find. It says why the change may not be made.
func (r *relay) reads(m wire.Message) (no wire.Result, err error) {
	switch m.Op {
	case wire.OpAdd:
		err = m.Add()
	case wire.OpModifyDN:
		err = m.ModifyDN()
	case wire.OpModify:
		var dn string
		var changes []wire.Change
		if dn, changes, err = m.Modify(); err == nil {
			no = r.modifies(dn, changes)
		}
	}
	return no, err
}

// writes says why the session may change nothing; success: it may.
func (r *relay) writes() wire.Result {
	app := r.appOf(r.server.table.Load())
	switch {
	case !r.session.bound():
		return bindFirst
	case app == nil || !app.Writes:
		return readOnly
	case r.session.lent && !r.upstream.ProxyAuthorization:
		return notWithoutPassword
	}
	return wire.Result{}
}

// notYours is the answer to whoever names the password that somebody else has:
// it would tell whether that is the one.
var notYours = wire.Result{Code: wire.ResultInsufficientAccessRights, Diagnostic: "not your password"}

// notWithoutPassword is the answer to what takes the person's own password:
// the directory has to see it.
var notWithoutPassword = wire.Result{Code: wire.ResultUnwillingToPerform, Diagnostic: "not without your password"}

// modifies looks at the changes of an entry. Who was admitted without the
// password does not set a new one. And one may take away a password that one
// names, which tells whether it is the right one; Active Directory lets
// everybody do so with everybody's.
func (r *relay) modifies(dn string, changes []wire.Change) wire.Result {
	for _, c := range changes {
		switch {
		case !tree.IsPassword(c.Attribute) && !tree.MayBePassword(c.Attribute):
		case r.session.lent:
			return notWithoutPassword
		case c.Kind == wire.ChangeDelete && c.Values && !r.own(dn):
			return notYours
		}
	}
	return wire.Result{}
}

// own reports whether a DN is that of the session.
func (r *relay) own(dn string) bool {
	theirs, err := canonicalDN(dn)
	if err != nil {
		return false
	}
	mine, err := canonicalDN(r.session.dn)
	return err == nil && mine == theirs
}

// extended passes on what is listed here, and nothing else: among what the
// directory may know there are ways to check a password past the gate.
func (r *relay) extended(m wire.Message, e wire.ExtendedRequest) disconnect {
	if r.passesAll() {
		return r.pass(m)
	}
	switch e.OID {
	case wire.OIDWhoAmI:
		if !r.session.bound() || r.session.lent || e.HasValue {
			r.whoAmI(m, e)
			return staying
		}
	case wire.OIDCancel:
		id, err := wire.ParseCancel(e)
		if err != nil {
			return r.unreadable(m, err)
		}
		if l := r.link.Load(); l == nil || !l.Awaits(id) {
			return r.refused(m, wire.ResultNoSuchOperation, "")
		}
	case wire.OIDModifyPassword:
		if no := r.passwordModify(e); no.Code != wire.ResultSuccess {
			r.reply(m, no)
			return staying
		}
	default:
		r.unserved(m, e)
		return staying
	}
	return r.pass(m)
}

// passwordModify says why a password may not be changed (RFC 3062): with the
// old one in it, the request would be a way to try that of anybody.
func (r *relay) passwordModify(e wire.ExtendedRequest) wire.Result {
	if no := r.writes(); no.Code != wire.ResultSuccess {
		return no
	}
	if r.session.lent {
		return notWithoutPassword
	}
	p, err := wire.ParsePasswordModify(e)
	switch {
	case err != nil:
		no, _ := wire.Fault(err)
		return no
	case !p.Named || r.own(p.Identity):
		return wire.Result{}
	case r.session.account != nil && !p.Old: // sets somebody's anew, and tries none
		return wire.Result{}
	}
	return notYours
}

// abandon passes on what is still in work. An operation that has ended, a
// bind among them, can't be abandoned (RFC 4511 §4.11).
func (r *relay) abandon(m wire.Message) {
	id, err := m.Abandoned()
	if l := r.link.Load(); err == nil && l != nil && l.Awaits(id) {
		l.Forward(m, r.frame)
	}
}

// pass sends a request on as it is, over a link that is made ready now if the
// session has none yet. The answer comes by itself.
func (r *relay) pass(m wire.Message) disconnect {
	l := r.link.Load()
	if l == nil {
		var no wire.Result
		if l, no = r.ready(); l == nil {
			r.reply(m, no)
			return staying
		}
		r.attach(l)
	}
	r.used.Store(true)
	frame := r.frame
	if r.session.lent && r.upstream.ProxyAuthorization {
		var err error
		if frame, err = wire.AppendWithControl(nil, frame, wire.ProxyAuthorization("dn:"+r.session.dn)); err != nil {
			return r.unreadable(m, err)
		}
	}
	// Its answer is not to overtake what was answered here, such as the bind.
	if err := r.flush(); err != nil {
		return r.lost(err)
	}
	switch err := l.Forward(m, frame); {
	case errors.Is(err, links.ErrCrowded):
		return r.refused(m, wire.ResultBusy, "too many operations at once")
	case err != nil:
		return byUpstream
	}
	r.server.metrics.passed(m.Op)
	return staying
}

// ready takes a link for a session that has none: for nobody one without an
// identity, and for who was admitted without the password one that is lent.
func (r *relay) ready() (*links.Link, wire.Result) {
	ctx := r.server.ctx
	if !r.session.lent {
		l, err := r.server.links.Anonymous(ctx, r.appName())
		if err != nil {
			return nil, r.linkless(err)
		}
		return l, wire.Result{}
	}
	return r.lend(ctx)
}
