package ldapproxy

import (
	"context"
	"errors"
	"fmt"

	"sekisho/gate"
	"sekisho/internal/directory"
	"sekisho/ldapproxy/links"
	"sekisho/ldapproxy/wire"
)

// trial is the one bind at the directory behind that a client's bind may cost.
type trial struct {
	relay   *relay
	k       *credential
	asked   bool
	dn      string
	answer  links.BindAnswer
	verdict directory.Verdict
	err     error // it could not be judged over there
}

// bindAs binds a person. Whether their password has expired, or is judged at
// all, many a directory tells in the answer's policy control alone, so it is
// asked for where it is known. A client that has not asked gets the answer
// without it.
func (t *trial) bindAs(ctx context.Context, dn string, password []byte) {
	controls := passedOn(t.k.controls)
	if len(controls) > 0 || !t.relay.supports(wire.OIDPasswordPolicy) {
		t.bind(ctx, dn, password, controls)
		return
	}
	t.bind(ctx, dn, password, []wire.Control{{OID: wire.OIDPasswordPolicy}})
	t.dropPolicy()
}

// dropPolicy takes the policy control out of what the client gets.
func (t *trial) dropPolicy() {
	if t.answer.Policy == nil {
		return
	}
	t.answer.Policy = nil
	if r, err := wire.ParseResponse(t.answer.Frame); err == nil {
		t.answer.Frame = r.Without(wire.OIDPasswordPolicy).Append(nil)
	}
}

// tells reports whether the answer has more than a result code for its client.
func (t *trial) tells() bool {
	return t.answer.Diagnostic != "" || t.answer.Policy != nil || t.answer.Expired
}

// bind binds over there, once. The link stays with the relay if it is bound:
// enter or leave decides.
func (t *trial) bind(ctx context.Context, dn string, password []byte, controls []wire.Control) {
	t.asked, t.dn = true, dn
	r := t.relay
	began := r.server.Now()
	l, answer, err := r.server.links.Bind(ctx, links.BindRequest{
		App: t.k.appName(), ID: t.k.id, DN: dn, Password: password, Controls: wire.AppendControls(nil, controls),
	})
	t.k.upstreamTook = r.server.Now().Sub(began)
	if err != nil {
		t.err, t.k.upstreamFailed = err, true
		return
	}
	t.k.upstream, t.answer = l.Server(), answer
	if answer.Code == wire.ResultSuccess {
		// What its controls warn of is for the client to see, and for the
		// directory to act on.
		t.verdict = directory.Right
		r.link.Store(l)
		return
	}
	r.server.links.Put(l)
	t.verdict, t.err = directory.BindVerdict(uint16(answer.Code), answer.Diagnostic, answer.Policy, answer.Expired)
	if t.err == nil && t.verdict == directory.Wrong && r.upstream.Took != nil {
		r.upstream.Took(t.k.upstreamTook)
	}
}

var errTwice = errors.New("a second bind for one")

// verify is what the gate has check the password, once the code is right.
func (t *trial) verify(ctx context.Context, dn string, password []byte) (directory.Verdict, error) {
	switch {
	case t.asked:
		return directory.Wrong, errTwice
	case dn == "" || len(password) == 0:
		// Many a server answers such a bind with success, as nobody
		// (RFC 4513 §5.1.2). The gate asks no such thing.
		return directory.Wrong, nil
	case t.k.table.isAccount(dn):
		return directory.Wrong, fmt.Errorf("%w: a service account binds by its DN", directory.ErrName)
	}
	t.k.cut = len(password) < len(t.k.password)
	t.bindAs(ctx, dn, password)
	return t.verdict, t.err
}

// bindPerson asks the gate, which has the directory behind check the password
// if it comes to that.
func (r *relay) bindPerson(k *credential) verdict {
	t := &trial{relay: r, k: k}
	asked := r.request(k)
	asked.Verify = t.verify
	answer, err := r.server.Gate.Admit(r.server.ctx, asked)
	switch {
	case err != nil:
		return r.away(k, t, err)
	case answer.Outcome == gate.Admitted && t.asked && t.verdict == directory.Right:
		return verdict{
			outcome: bindAdmitted, answer: answer, frame: t.answer.Frame,
			session: session{dn: t.dn, ticket: answer.Ticket.ID, table: k.table},
		}
	case answer.Outcome == gate.Admitted && (t.asked || answer.Person.DN == ""):
		return r.away(k, t, errors.New("admitted behind a password that was refused, or without a DN"))
	case answer.Outcome == gate.Admitted:
		// By something else than the password over there.
		return verdict{
			outcome: bindAdmitted, answer: answer,
			session: session{dn: answer.Person.DN, ticket: answer.Ticket.ID, table: k.table, lent: true},
		}
	case answer.Stale() && (t.verdict == directory.Expired || t.verdict == directory.MustChange):
		// The directory's own words, which tell a client to have the password
		// changed. Where it has none, the reference tells the help desk.
		v := r.refusal(k, answer, t.answer.Code)
		if t.tells() {
			v.frame = t.answer.Frame
		}
		return v
	}
	return r.refusal(k, answer, wire.ResultInvalidCredentials)
}

// bindAccount has the directory behind check the password of a service
// account, as it was given.
func (r *relay) bindAccount(k *credential, found *account) verdict {
	t := &trial{relay: r, k: k}
	who := guesser{found.key, neighbourhood(r.addr)}
	if !r.server.guesses.enter(who, r.server.Now()) {
		return verdict{outcome: bindUnjudged, result: wire.Result{Code: wire.ResultBusy, Diagnostic: "too many wrong passwords: try again in a minute"}}
	}
	t.bind(r.server.ctx, found.dn, k.password, passedOn(k.controls))
	r.server.guesses.exit(who, r.server.Now(), t.verdict, t.err)
	switch {
	case t.err != nil:
		return r.away(k, t, t.err)
	case t.verdict != directory.Right:
		return r.refuse(k, gate.FaultServiceAccount, wire.ResultInvalidCredentials)
	}
	return verdict{
		outcome: bindService, frame: t.answer.Frame,
		session: session{dn: found.dn, account: found, table: k.table},
	}
}

// observe passes a bind on as it came, and tells the gate, which books what it
// would have decided. The answer is the directory's own, whether or not the
// gate can judge.
func (r *relay) observe(k *credential) verdict {
	if k.name == "" && len(k.password) == 0 {
		return verdict{outcome: bindAnonymous}
	}
	t := &trial{relay: r, k: k}
	pass := func(ctx context.Context, _ string, _ []byte) (directory.Verdict, error) {
		if t.asked {
			return directory.Wrong, errTwice
		}
		t.bind(ctx, k.name, k.password, k.controls)
		return t.verdict, t.err
	}
	var answer gate.Answer
	if k.name == "" || len(k.password) == 0 || k.table.isAccount(k.name) {
		pass(r.server.ctx, "", nil)
	} else {
		asked := r.request(k)
		asked.Verify = pass
		var err error
		if answer, err = r.server.Gate.Observe(r.server.ctx, asked); err != nil {
			r.server.log.Error("could not observe", "connection", r.number, "app", k.appName(), "error", err)
		}
	}
	v := verdict{outcome: bindObserved, answer: answer, frame: t.answer.Frame, session: session{observed: true, table: k.table}}
	switch {
	case !t.asked:
		// Something that is no password over there, and is not to be shown.
		return r.refusal(k, answer, wire.ResultInvalidCredentials)
	case v.frame == nil:
		return r.away(k, t, t.err)
	case t.answer.Code != wire.ResultSuccess:
		v.outcome, v.session = bindPassed, session{}
		v.result = wire.Result{Code: t.answer.Code, Diagnostic: t.answer.Diagnostic}
	case len(k.password) > 0: // without one nobody is who they say
		v.session.dn = k.name
	}
	return v
}

// away says that a bind could not be judged: busy where all links are taken, or
// the directory says so. A server that refers elsewhere judges nobody, and a
// client must not go there with password and code.
func (r *relay) away(k *credential, t *trial, err error) verdict {
	v := r.unjudged(k, err)
	if errors.Is(t.err, links.ErrBusy) || t.answer.Code == wire.ResultBusy {
		v.result = wire.Result{Code: wire.ResultBusy, Diagnostic: "the directory is busy: try again"}
	}
	return v
}

// lend takes a link for somebody who has not shown the password over there: it
// is bound as the account for that.
func (r *relay) lend(ctx context.Context) (*links.Link, wire.Result) {
	service := &r.upstream.Service
	if service.DN == "" {
		return nil, notWithoutPassword
	}
	l, answer, err := r.server.links.Bind(ctx, links.BindRequest{App: r.appName(), ID: 1, DN: service.DN, Password: service.Password})
	if err == nil && answer.Code != wire.ResultSuccess {
		r.server.links.Put(l)
		err = errors.New("the directory refuses the account for people without a password")
	}
	if err != nil {
		return nil, r.linkless(err)
	}
	return l, wire.Result{}
}

// linkless is the answer to an operation for which there is no link.
func (r *relay) linkless(err error) wire.Result {
	r.server.log.Error("no link to the directory", "connection", r.number, "error", err)
	if errors.Is(err, links.ErrBusy) {
		return wire.Result{Code: wire.ResultBusy, Diagnostic: "the directory is busy: try again"}
	}
	return wire.Result{Code: wire.ResultUnavailable, Diagnostic: "the directory is away: try again"}
}
