package ldapproxy

import (
	"slices"
	"time"

	"sekisho/gate"
	"sekisho/internal/directory"
	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
	"sekisho/policy"
)

// verdict is what a bind comes to.
type verdict struct {
	result  wire.Result // unless it succeeded
	frame   []byte      // the answer of the directory behind, which goes out as it is; nil: result
	session session     // if it succeeded and was not anonymous
	outcome outcome
	answer  gate.Answer // the gate's, if it was asked
	leave   time.Time   // when the answer may leave; zero: at once
}

// outcome is what became of a bind, for counters and the log. The list is
// closed.
type outcome string

const (
	bindAdmitted  outcome = "admitted"  // a person
	bindService   outcome = "service"   // a service account
	bindAnonymous outcome = "anonymous" // RFC 4513 §5.1.1
	bindRefused   outcome = "refused"   // booked, with a reference
	bindUnbooked  outcome = "unbooked"  // of strangers, more than are booked
	bindUnfit     outcome = "unfit"     // nothing that could be judged, and no secret seen
	bindUnjudged  outcome = "unjudged"  // the gate could not
	bindObserved  outcome = "observed"  // whatever would have been decided, the directory behind has bound it
	bindPassed    outcome = "passed"    // likewise, and it has not
)

// credential is a simple bind on its way: what its answer depends on.
type credential struct {
	came     time.Time
	app      *app // nil: the connection is no application's
	table    *table
	claim    *account // that makes the connection the application's, if it binds
	name     string
	password []byte

	// For a directory behind, and what it took there.
	id             int32
	controls       []wire.Control
	upstream       string // the server that was asked; "": none
	upstreamTook   time.Duration
	upstreamFailed bool // there was no answer
	cut            bool // a code was cut off before
}

// bind answers a BindRequest (RFC 4511 §4.2). The session is anonymous by
// now, and stays so unless this one succeeds.
func (c *conn) bind(m wire.Message) disconnect {
	b, err := m.Bind()
	s := c.server
	k := credential{came: s.Now(), table: s.table.Load(), name: string(b.DN), password: b.Password, id: m.ID, controls: m.Controls}
	k.app, k.claim = c.claimed(&k)
	switch {
	case !c.serves(k.app, m):
		return staying
	case err != nil:
		return c.unreadable(m, err)
	}
	// What was asked before need not wait for this judgement.
	if err := c.flush(); err != nil {
		return c.lost(err)
	}
	v := c.judge(b, &k)
	c.logBind(&k, &v)
	if !s.hold(v.leave) {
		return byShutdown
	}
	if v.outcome.success() {
		c.session = v.session
		if k.claim != nil && v.session.bound() {
			c.claim = k.claim
		}
	}
	c.behind.enter(&v)
	if v.frame == nil {
		c.reply(m, v.answered())
		return staying
	}
	c.room()
	c.out = append(c.out, v.frame...)
	c.server.metrics.operation(m.Op, v.answered().Code)
	return staying
}

// claimed is the application that asks for a bind, and its account if it is
// one of those that it is known by: once that has bound, the connection is
// this application's until it ends.
func (c *conn) claimed(k *credential) (*app, *account) {
	if len(k.table.claims) == 0 {
		return c.appOf(k.table), nil
	}
	dn, err := canonicalDN(k.name)
	if err != nil || !k.table.claims[dn] {
		return c.appOf(k.table), nil
	}
	m := c.marks
	m.binding = dn
	found := k.table.find(m)
	if found == nil || !slices.Contains(found.claims, dn) {
		return found, nil
	}
	return found, found.accounts[dn]
}

func (o outcome) success() bool {
	return o == bindAdmitted || o == bindService || o == bindAnonymous || o == bindObserved
}

// answered is what the client is told: success by the outcome alone. A verdict
// that nobody has filled in is none.
func (v *verdict) answered() wire.Result {
	switch {
	case v.outcome.success():
		return wire.Result{}
	case v.result.Code == wire.ResultSuccess:
		return wire.Result{Code: wire.ResultOther, Diagnostic: "internal error"}
	}
	return v.result
}

// judge decides a bind. What needs no judgement comes first, then what
// forbids one, so that a password is looked at only if it may be.
func (c *conn) judge(b wire.BindRequest, k *credential) verdict {
	switch {
	case b.Version != 3:
		return unfitFor(wire.ResultProtocolError, "only LDAPv3 is spoken here")
	case !b.Simple:
		return unfitFor(wire.ResultAuthMethodNotSupported, "only simple binds are taken")
	case k.app == nil:
		if !c.server.strangers.take(k.came) {
			return verdict{outcome: bindUnbooked, result: wire.Result{Code: wire.ResultInvalidCredentials}}
		}
		return c.refuse(k, gate.FaultUnknownApp, wire.ResultInvalidCredentials)
	case k.app.Observe:
		return c.behind.observe(k)
	}
	return c.decide(k)
}

// decide decides a simple bind of an application.
func (c *conn) decide(k *credential) verdict {
	switch {
	case k.name == "" && len(k.password) == 0:
		// Always success, never inappropriateAuthentication: what may be asked
		// without a name is decided when it is asked.
		return verdict{outcome: bindAnonymous}
	case len(k.password) == 0:
		// The "unauthenticated bind": many an application takes its success
		// for a sign-in (RFC 4513 §5.1.2).
		return unfitFor(wire.ResultUnwillingToPerform, "a name without a password")
	case !c.private(k.app):
		return c.refuse(k, gate.FaultTLSRequired, wire.ResultConfidentialityRequired) // RFC 4513 §6.3.3
	case k.name == "":
		return c.refuse(k, gate.FaultBadName, wire.ResultInvalidCredentials)
	}
	if c.server.plain(k.name) {
		return c.behind.bindPerson(k)
	}
	if !nameable(k.name) {
		return c.refuse(k, gate.FaultBadName, wire.ResultInvalidDNSyntax)
	}
	dn, err := canonicalDN(k.name)
	if err != nil || !k.table.accounts[dn] {
		return c.behind.bindPerson(k)
	}
	found := k.app.accounts[dn]
	if found == nil { // another application's, or from elsewhere
		return c.refuse(k, gate.FaultServiceAccount, wire.ResultInvalidCredentials)
	}
	return c.behind.bindAccount(k, found)
}

// plain reports whether a name is a person's DN in the embedded directory,
// which needs no more reading.
func (s *Server) plain(name string) bool {
	_, ok := directory.Names{Base: s.Base}.Plain(name)
	return ok && s.forest != nil
}

// refuse refuses without a judgement, and has it booked.
func (c *conn) refuse(k *credential, why gate.Fault, code int) verdict {
	answer, err := c.server.Gate.Refuse(c.server.ctx, c.request(k), why)
	if err != nil {
		return c.unjudged(k, err)
	}
	return c.refusal(k, answer, code)
}

// refusal words a refusal: the reference and nothing else, for an application
// shows it to anybody.
func (c *conn) refusal(k *credential, answer gate.Answer, code int) verdict {
	v := verdict{outcome: bindRefused, answer: answer, result: wire.Result{Code: code, Diagnostic: answer.Reference}}
	if k.app != nil {
		v.leave = leaveAt(k.came, c.server.Now(), answer.Ready, k.app.RejectDelay)
	}
	return v
}

// unjudged says that it is our fault: an application then tries again, or
// asks another server.
func (c *conn) unjudged(k *credential, err error) verdict {
	c.server.log.Error("could not judge", "connection", c.number, "app", k.appName(), "error", err)
	return verdict{outcome: bindUnjudged, result: wire.Result{Code: wire.ResultUnavailable, Diagnostic: "could not be judged: try again"}}
}

func unfitFor(code int, text string) verdict {
	return verdict{outcome: bindUnfit, result: wire.Result{Code: code, Diagnostic: text}}
}

// request puts the bind as the gate takes it. What one listener says of
// everybody goes before what the application says.
func (c *conn) request(k *credential) gate.Request {
	r := gate.Request{
		Door:     policy.DoorLDAP,
		Zone:     c.listener.Zone,
		Source:   gate.Source{Addr: c.addr, How: c.listener.How},
		User:     k.name,
		Password: k.password,
		Recurs:   true,
		Came:     k.came,
	}
	if r.Source.How == "" {
		r.Source.How = "socket"
	}
	if k.app != nil {
		r.Client, r.Service, r.Separator = k.app.Name, k.app.Service, k.app.Separator
		r.Source.Shared = k.app.Zone != "" // many people sit behind it
		if k.app.Tracking {
			r.Source = toldSource(k.controls)
		}
		if r.Zone == "" {
			r.Zone = k.app.Zone
		}
		r.Repeat = k.app.Repeat
	}
	return r
}

func (k *credential) appName() string {
	if k.app == nil {
		return ""
	}
	return k.app.Name
}

// personDN is where a person lies in the embedded directory.
func (s *Server) personDN(name string) string {
	return "uid=" + tree.Escape(name) + ",ou=people," + s.Base
}

// hold waits until an answer may leave. It reports false if we are to end
// before that. Nothing is bounded here: each connection has at most one bind
// that waits, and connections are bounded.
func (s *Server) hold(leave time.Time) bool {
	if leave.IsZero() {
		return true
	}
	wait := leave.Sub(s.Now())
	if wait <= 0 {
		return true
	}
	select {
	case <-s.After(wait):
		return true
	case <-s.ctx.Done():
		return false
	}
}

// leaveAt is when a refusal leaves: the first multiple of delay after its
// request came at which it is ready, the first one at the earliest. So the
// time it takes tells only how many delays the slowest path needs, not which
// path was gone.
func leaveAt(came, now, ready time.Time, delay time.Duration) time.Time {
	if delay <= 0 {
		return now
	}
	if ready.After(now) {
		now = ready
	}
	steps := max(1, (now.Sub(came)+delay-1)/delay)
	return came.Add(steps * delay)
}
