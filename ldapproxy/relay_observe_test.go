package ldapproxy

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"sekisho/gate"
	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

func observed() App {
	app := relayApp()
	app.Observe = true
	return app
}

// The whole password goes to the directory, with the name and the controls as
// they came, and its answer comes back as it is.
func TestObservedBindPassesAsItCame(t *testing.T) {
	var sent []byte
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			if x.Op == wire.OpBind {
				sent = x.Result(wire.ResultSuccess, "as it is", wire.Control{OID: "1.2.3"})
				x.Send(sent)
				return
			}
			x.Usual()
		}
	}, observed())
	p := r.dial()
	p.send(p.put(bindOp("UID=Alice , ou=people,dc=behind", "secret"+codeOfAlice), criticalControl("1.2.3.4")))
	if got := p.frame(); !bytes.Equal(got, sent) {
		t.Errorf("got %x\nsent %x", got, sent)
	}
	binds := r.up.SeenBinds()
	if len(binds) != 1 || binds[0].DN != "UID=Alice , ou=people,dc=behind" || binds[0].Password != "secret"+codeOfAlice {
		t.Errorf("bound with %+v", binds)
	}
	if c := binds[0].Controls; len(c) != 1 || c[0].OID != "1.2.3.4" || !c[0].Critical {
		t.Errorf("controls %+v", c)
	}
	if w := r.gate.watched; len(w) != 1 || string(w[0].Password) != "secret"+codeOfAlice || w[0].Client != "dovecot" || len(r.gate.judged()) != 0 {
		t.Errorf("observed %+v, judged %d", w, len(r.gate.judged()))
	}
	if r.gate.lookups.Load() != 0 {
		t.Error("a ticket was looked at that nobody has given")
	}
}

func TestObservedRefusalPassesAsItIs(t *testing.T) {
	r := startRelay(t, nil, observed())
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"))
	got := p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "guess"))
	if got.diagnostic == reference || got.diagnostic == "" {
		t.Errorf("told %q", got.diagnostic)
	}
	if who := p.who(); who != "" {
		t.Errorf("still %q", who)
	}
	if n := len(r.gate.booked()); n != 0 {
		t.Errorf("%d booked as refused", n)
	}
}

// A gate that is broken hinders nobody who is only watched.
func TestObservedBindPassesWhateverTheGateSays(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { r.gate.broken.Store(true) }, observed())
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"))
	if who := p.who(); who != "dn:"+aliceBehind {
		t.Errorf("bound as %q", who)
	}
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "guess"))
}

// What was made here in place of a password is not shown over there.
func TestObservedBindThatTheGateKeepsBack(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.gate.observe = func(context.Context, gate.Request) (gate.Answer, error) {
			return gate.Answer{Outcome: gate.Admitted, Reason: "admitted", Reference: reference}, nil
		}
	}, observed())
	p := r.dial()
	if got := p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, appOfAlice)); got.diagnostic != reference {
		t.Errorf("told %q", got.diagnostic)
	}
	r.untouched(0)
}

func TestObservedApplicationMayAskAnything(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { r.listener.PlainBinds = false }, observed())
	for name, p := range map[string]*peer{"nobody": r.dial(), "alice": r.dial(), "the account": r.dial()} {
		switch name {
		case "alice":
			p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"))
		case "the account":
			p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
		}
		before := len(r.up.Seen())
		if name == "nobody" {
			before++ // the bind as nobody
		}
		asked := 0
		for _, op := range changes() {
			p.wants(wire.ResultSuccess, op)
			asked++
		}
		for _, op := range [][]byte{
			compareOp(aliceBehind, "userPassword", "secret"), filterOp(equals("userPassword", "secret")), searchOp(behindBase, 2),
			extendedOp("1.3.6.1.4.1.4203.666.6.5", []byte("x")), extendedOp(wire.OIDWhoAmI),
			modifyOp(bobBehind, wire.ChangeDelete, "unicodePwd", "guess"), passwordOp(bobBehind, "guess", "better"),
		} {
			p.wants(wire.ResultSuccess, op, control(wire.OIDProxyAuthorization, []byte{wire.TagBoolean, 1, 0xff}, wire.Octets("dn:")))
			asked++
		}
		if n := len(r.up.Seen()); name != "nobody" && n != before+asked {
			t.Errorf("%s: %d of %d reached upstream", name, n-before, asked)
		}
	}
	if n := len(r.gate.watched); n != 1 {
		t.Errorf("%d observed", n)
	}
}

// Even here StartTLS and the RootDSE are ours, and SASL would put a layer over
// the link that we can't read through.
func TestObservedApplicationKeepsToTheProtocol(t *testing.T) {
	r := startRelay(t, nil, observed())
	p := r.dial()
	p.wants(wire.ResultAuthMethodNotSupported, bindVersion(3, "", wire.Element(wire.TagSASL, wire.Octets("GSSAPI"))))
	p.wants(wire.ResultProtocolError, bindVersion(2, aliceBehind, wire.Element(wire.TagSimple, []byte("secret"))))
	p.wants(wire.ResultSuccess, bindOp("", ""))
	p.wants(wire.ResultSuccess, searchOp("", 0))
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	r.untouched(0)
}

// The directory says whether it takes a bind without a password; but then it
// has bound nobody.
func TestObservedBindWithoutAPassword(t *testing.T) {
	r := startRelay(t, nil, observed())
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, ""))
	if who := p.who(); who != "" {
		t.Errorf("is %q", who)
	}
	if n := len(r.gate.watched); n != 0 {
		t.Errorf("%d observed", n)
	}
	if strings.Contains(r.log.String(), aliceBehind) {
		t.Errorf("logged as one who has bound: %s", r.log)
	}
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "guess"))
}

func TestObservedBindReachesUpstreamOnce(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.gate.observe = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			q.Verify(ctx, aliceBehind, q.Password)
			_, err := q.Verify(ctx, aliceBehind, q.Password)
			return gate.Answer{}, err
		}
	}, observed())
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"))
	r.untouched(1)
	p.wants(wire.ResultSuccess, bindOp("", ""))
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"))
	r.up.Await(1, 1)
}

func TestObservedBindWithoutAnUpstream(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { r.up.Dialled = func() error { return errDown } }, observed())
	p := r.dial()
	p.wants(wire.ResultUnavailable, bindOp(aliceBehind, "secret"))
	p.wants(wire.ResultUnavailable, bindOp(mailBehind, mailPassword))
	p.wants(wire.ResultUnavailable, searchOp(behindBase, 2))
}

// Who was let through while nothing was enforced is not signed in when it is.
func TestObservedSessionEndsWhenTheApplicationIsEnforced(t *testing.T) {
	r := startRelay(t, nil, observed())
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"))
	r.SetApps(mustApps(t, relayApp()))
	p.send(p.put(searchOp(behindBase, 2)))
	p.notice(wire.ResultStrongerAuthRequired)
	r.ends(byTicket, 1)
}

// And the reverse: a link that is another's does not become free to use.
func TestLentSessionStaysLentWhenTheApplicationIsObserved(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { r.lends(true) })
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
	r.SetApps(mustApps(t, observed()))
	p.wants(wire.ResultUnwillingToPerform, modifyOp(aliceBehind, 2, "mail", "x"))
	p.wants(wire.ResultInsufficientAccessRights, compareOp(bobBehind, "userPassword", "x"))
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
	frames := r.up.Seen(wire.OpSearch)
	m, err := wire.ParseMessage(frames[len(frames)-1].Frame)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Control(wire.OIDProxyAuthorization); !ok {
		t.Error("searched as the account that lends")
	}
}

// Such an answer may refuse a bind, but never be its success.
func TestExtendedResponseToABind(t *testing.T) {
	code := wire.ResultUnavailableCritical
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			x.Send(wire.AppendExtended(nil, x.ID, wire.Result{Code: code}, "", nil))
		}
	}, observed())
	p := r.dial()
	p.send(p.put(bindOp(aliceBehind, "secret"), criticalControl("1.2.3")))
	if got := p.receive(); got.op != wire.OpExtendedResponse || got.code != code {
		t.Errorf("%+v", got)
	}
	code = wire.ResultSuccess
	p.wants(wire.ResultUnavailable, bindOp(aliceBehind, "secret"))
}
