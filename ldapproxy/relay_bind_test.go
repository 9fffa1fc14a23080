package ldapproxy

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/directory"
	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// One bind of a client is one bind over there, with the DN that the gate
// knows and the password without the code; the client gets the directory's
// answer, octet by octet.
func TestPersonBindsOverTheirOwnLink(t *testing.T) {
	warning := wire.Control{OID: wire.OIDPasswordPolicy, Value: []byte{0x30, 0x05, 0xa0, 0x03, 0x80, 0x01, 0x3c}, HasValue: true}
	var sent []byte
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			if x.Op == wire.OpBind {
				sent = x.Result(wire.ResultSuccess, "welcome", warning)
				x.Send(sent)
				return
			}
			x.Usual()
		}
	})
	p := r.dial()
	p.send(p.put(bindOp("ALICE@example", "secret"+codeOfAlice), control(wire.OIDPasswordPolicy), control("1.2.3.4", wire.Octets("x"))))
	if got := p.frame(); !bytes.Equal(got, sent) {
		t.Errorf("got %x\nsent %x", got, sent)
	}
	binds := r.up.SeenBinds()
	if len(binds) != 1 || binds[0].DN != aliceBehind || binds[0].Password != "secret" {
		t.Errorf("bound with %+v", binds)
	}
	if c := binds[0].Controls; len(c) != 1 || c[0].OID != wire.OIDPasswordPolicy {
		t.Errorf("controls %+v", c)
	}
	line := r.log.String()
	for _, want := range []string{"upstream=behind.example", "upstream_took=0s", "rule=outside", "person=alice", "outcome=admitted"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
}

func TestCodeThatIsWrongNeverReachesUpstream(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	for _, password := range []string{"secret", "secret654321", "secret" + codeOfAlice + "0"} {
		if got := p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, password)); got.diagnostic != reference {
			t.Errorf("told %q", got.diagnostic)
		}
	}
	r.untouched(0)
}

// "123456" alone would be a bind without a password, which many a server
// answers with success.
func TestEmptyPasswordAfterTheCutNeverReachesUpstream(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, codeOfAlice)) // this gate asks for nothing better
	if who := p.who(); who != "" {
		t.Errorf("signed in as %q", who)
	}
	r.untouched(0)
}

func TestEmptyNameNeverReachesUpstream(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			if v, err := q.Verify(ctx, "", q.Password); v != directory.Wrong || err != nil {
				t.Errorf("%v, %v", v, err)
			}
			return gate.Answer{Reference: reference}, nil
		}
	})
	r.dial().wants(wire.ResultInvalidCredentials, bindOp("alice", "secret"))
	r.untouched(0)
}

func TestUpstreamIsBoundAtMostOnceForABind(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			q.Verify(ctx, aliceBehind, []byte("guess"))
			if v, err := q.Verify(ctx, aliceBehind, []byte("secret")); v == directory.Right || err == nil {
				t.Errorf("judged twice: %v, %v", v, err)
			}
			return gate.Answer{Reference: reference}, nil
		}
	})
	r.dial().wants(wire.ResultInvalidCredentials, bindOp("alice", "secret"))
	r.untouched(1)
}

// What the directory says of a wrong password names people and locks.
func TestRefusalOfTheDirectoryIsRewritten(t *testing.T) {
	for name, tell := range map[string]struct {
		code int
		text string
	}{
		"wrong":          {49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4563"},
		"unknown":        {49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 525, v4563"},
		"locked":         {49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 775, v4563"},
		"shut":           {49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 533, v4563"},
		"no such object": {32, "no such entry"},
		"no password":    {48, "inappropriate"},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, func(r *relayRig) {
				r.up.Reply = func(x *linkstest.Exchange) { x.Send(x.Result(tell.code, tell.text)) }
			})
			got := r.dial().wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "secret"+codeOfAlice))
			if got.diagnostic != reference {
				t.Errorf("told %q", got.diagnostic)
			}
		})
	}
}

// A right password that is good for changing it only: a client knows what to
// do by the directory's own words.
func TestWhatFollowsARightPasswordReachesTheClient(t *testing.T) {
	for _, data := range []string{"532", "773"} {
		var sent []byte
		r := startRelay(t, func(r *relayRig) {
			r.up.Reply = func(x *linkstest.Exchange) {
				sent = x.Result(49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data "+data+", v4563",
					wire.Control{OID: "1.2.3"})
				x.Send(sent)
			}
		})
		p := r.dial()
		p.send(p.put(bindOp(aliceBehind, "secret"+codeOfAlice)))
		if got := p.frame(); !bytes.Equal(got, sent) {
			t.Errorf("%s: got %x\nsent %x", data, got, sent)
		}
		if who := p.who(); who != "" {
			t.Errorf("%s: signed in as %q", data, who)
		}
	}
}

// The gate may refuse for another reason than the one that the directory has:
// of a code that was used before, say. Then its words stay here.
func TestExpiredPasswordIsNotToldForAnotherReason(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) { x.Send(x.Result(49, "AcceptSecurityContext error, data 532, v4563")) }
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			q.Verify(ctx, aliceBehind, []byte("secret"))
			return gate.Answer{Reference: reference, Reason: "code_used"}, nil
		}
	})
	got := r.dial().wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "secret"))
	if got.diagnostic != reference {
		t.Errorf("told %q", got.diagnostic)
	}
}

// knowsPolicy has the directory behind list the control of its password
// policy, and answer each bind with code and with that control.
func knowsPolicy(code int, value []byte) func(*relayRig) {
	return func(r *relayRig) {
		r.up.RootDSE = func() (map[string][]string, bool) {
			return map[string][]string{"supportedControl": {wire.OIDPasswordPolicy}}, true
		}
		r.up.Reply = func(x *linkstest.Exchange) {
			if x.Op != wire.OpBind {
				x.Usual()
				return
			}
			var controls []wire.Control
			if c, asked := x.Control(wire.OIDPasswordPolicy); asked {
				if c.Critical {
					r.t.Error("asked as if nothing could be judged without it")
				}
				controls = []wire.Control{{OID: wire.OIDPasswordPolicy, Value: value, HasValue: true}}
			}
			x.Send(x.Result(code, "", controls...))
		}
	}
}

// OpenLDAP tells of an expired password in the policy control alone. A client
// that has not asked for it can't read it: it gets the reference instead.
func TestExpiredPasswordIsKnownWithoutTheClientAsking(t *testing.T) {
	r := startRelay(t, knowsPolicy(wire.ResultInvalidCredentials, []byte{0x30, 3, 0x81, 1, 0}))
	var judged directory.Verdict
	r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
		judged, _ = q.Verify(ctx, aliceBehind, []byte("secret"))
		return gate.Answer{Reference: reference, Reason: "password_expired"}, nil
	}
	p := r.dial()
	got := p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "secret"))
	if got.diagnostic != reference || got.controls > 0 {
		t.Errorf("told %q, controls %d", got.diagnostic, got.controls)
	}
	if judged != directory.Expired {
		t.Errorf("judged as %d", judged)
	}
	got = p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "secret"), control(wire.OIDPasswordPolicy))
	if got.diagnostic != "" || got.controls != 1 {
		t.Errorf("who asked is told %q, controls %d", got.diagnostic, got.controls)
	}
}

func TestPolicyControlIsOnlyForWhoAsked(t *testing.T) {
	r := startRelay(t, knowsPolicy(wire.ResultSuccess, []byte{0x30, 0}))
	p := r.dial()
	if got := p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice)); got.controls > 0 {
		t.Errorf("has controls %d", got.controls)
	}
	if got := p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice), control(wire.OIDPasswordPolicy)); got.controls != 1 {
		t.Errorf("who asked has controls %d", got.controls)
	}
	// A service account's bind passes as it is.
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
	for i, want := range []int{1, 1, 0} {
		if b := r.up.SeenBinds()[i]; len(b.Controls) != want {
			t.Errorf("bind %d had controls %v", i, b.Controls)
		}
	}
}

func TestPolicyIsNotAskedOfADirectoryWithoutOne(t *testing.T) {
	r := startRelay(t, nil)
	r.bound()
	if b := r.up.SeenBinds(); len(b) != 1 || len(b[0].Controls) > 0 {
		t.Errorf("came as %+v", b)
	}
}

// Clients chase a referral with password and code.
func TestReferralOfABindIsNotChased(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			x.Send(wire.Element(wire.TagSequence, wire.AppendNumber(nil, wire.TagInteger, x.ID),
				wire.Element(wire.OpBindResponse, []byte{wire.TagEnumerated, 1, 10}, wire.Octets(""), wire.Octets("go there"),
					wire.Element(0xa3, wire.Octets("ldap://elsewhere.example/")))))
		}
	})
	p := r.dial()
	for _, op := range [][]byte{bindOp(aliceBehind, "secret"+codeOfAlice), bindOp(mailBehind, mailPassword)} {
		p.send(p.put(op))
		frame := p.frame()
		m, err := wire.ParseResponse(frame)
		if err != nil || m.Code != wire.ResultUnavailable || m.Referral != nil || bytes.Contains(frame, []byte("elsewhere")) {
			t.Errorf("answered %x, %v", frame, err)
		}
	}
	if len(r.gate.booked()) != 0 {
		t.Error("counted as a wrong password")
	}
}

// What is nobody's fault is no refusal, and no answer of ours to a password.
func TestBindThatUpstreamCannotJudge(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*relayRig)
		code   int
	}{
		"away":              {func(r *relayRig) { r.up.Dialled = func() error { return errDown } }, wire.ResultUnavailable},
		"all links are out": {func(r *relayRig) { r.up.Max, r.up.Wait = 1, time.Millisecond }, wire.ResultBusy},
		"busy": {func(r *relayRig) {
			r.up.Reply = func(x *linkstest.Exchange) { x.Send(x.Result(wire.ResultBusy, "")) }
		}, wire.ResultBusy},
		"unavailable": {func(r *relayRig) {
			r.up.Reply = func(x *linkstest.Exchange) { x.Send(x.Result(wire.ResultUnavailable, "")) }
		}, wire.ResultUnavailable},
		"hangs up": {func(r *relayRig) {
			r.up.Reply = func(x *linkstest.Exchange) { x.Close() }
		}, wire.ResultUnavailable},
		"garbage": {func(r *relayRig) {
			r.up.Reply = func(x *linkstest.Exchange) { x.Send([]byte("HTTP/1.0 400\r\n")) }
		}, wire.ResultUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, c.change)
			if name == "all links are out" {
				r.bound()
			}
			p := r.dial()
			for _, op := range [][]byte{bindOp(aliceBehind, "secret"+codeOfAlice), bindOp(mailBehind, mailPassword)} {
				got := p.wants(c.code, op)
				if strings.Contains(got.diagnostic, "behind.example") {
					t.Errorf("told %q", got.diagnostic)
				}
			}
			if n := len(r.gate.booked()); n != 0 {
				t.Errorf("%d booked as refused", n)
			}
			if p.who() != "" {
				t.Error("somebody is signed in")
			}
		})
	}
}

// Each Bind takes the old identity away before it is looked at, whatever
// becomes of it.
func TestRefusedBindLeavesNoOldIdentity(t *testing.T) {
	var errored bool
	r := startRelay(t, func(r *relayRig) {
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			if errored {
				return gate.Answer{}, errBroken
			}
			return cutting(ctx, q)
		}
	})
	for name, c := range map[string]struct {
		op   []byte
		code int
	}{
		"wrong code":     {bindOp(aliceBehind, "secret654321"), wire.ResultInvalidCredentials},
		"wrong password": {bindOp(aliceBehind, "guess"+codeOfAlice), wire.ResultInvalidCredentials},
		"no password":    {bindOp(aliceBehind, ""), wire.ResultUnwillingToPerform},
		"no name":        {bindOp("", "secret"), wire.ResultInvalidCredentials},
		"no DN":          {bindOp("=alice", "secret"), wire.ResultInvalidDNSyntax},
		"SASL":           {bindVersion(3, "", wire.Element(wire.TagSASL, wire.Octets("EXTERNAL"))), wire.ResultAuthMethodNotSupported},
		"LDAPv2":         {bindVersion(2, aliceBehind, wire.Element(wire.TagSimple, []byte("secret"))), wire.ResultProtocolError},
		"error":          {bindOp(aliceBehind, "secret"+codeOfAlice), wire.ResultUnavailable},
		"anonymous":      {bindOp("", ""), wire.ResultSuccess},
		"control":        {bindOp(aliceBehind, "secret"+codeOfAlice), wire.ResultUnavailableCritical},
	} {
		t.Run(name, func(t *testing.T) {
			errored = false
			p := r.bound()
			p.t = t
			if who := p.who(); who != "dn:"+aliceBehind {
				t.Fatalf("bound as %q", who)
			}
			errored = name == "error"
			if name == "control" {
				p.wants(c.code, c.op, criticalControl("1.2.3"))
			} else {
				p.wants(c.code, c.op)
			}
			if who := p.who(); who != "" {
				t.Errorf("still %q", who)
			}
			p.wants(wire.ResultInsufficientAccessRights, searchOp(behindBase, 2))
			p.Close()
		})
	}
}

// If the gate decides otherwise after all, the link that was bound is not the
// person's.
func TestAdmissionThatWasLostSignsNobodyIn(t *testing.T) {
	app := relayApp()
	app.Anonymous = true
	r := startRelay(t, func(r *relayRig) {
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			if v, _ := q.Verify(ctx, aliceBehind, []byte("secret")); v != directory.Right {
				t.Errorf("judged as %v", v)
			}
			return gate.Answer{Reference: reference, Reason: "code_used"}, nil
		}
	}, app)
	p := r.dial()
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "secret"))
	if who := p.who(); who != "" {
		t.Errorf("signed in as %q", who)
	}
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
	if binds := r.up.SeenBinds(); len(binds) != 2 || binds[1].DN != "" {
		t.Errorf("searched after %+v", binds)
	}
}

// A gate that admits behind a refused password must not let anybody in.
func TestAdmissionBehindARefusedPasswordIsNone(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.lends(true)
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			q.Verify(ctx, aliceBehind, []byte("guess"))
			a := welcome()
			a.Person.DN = aliceBehind
			return a, nil
		}
	})
	p := r.dial()
	p.wants(wire.ResultUnavailable, bindOp(aliceBehind, "guess"))
	if who := p.who(); who != "" {
		t.Errorf("signed in as %q", who)
	}
}

// The link goes to the next one, as whom the next one binds.
func TestNoIdentityOfThePoolsFormerOwner(t *testing.T) {
	app := relayApp()
	app.Anonymous = true
	r := startRelay(t, nil, app)
	p := r.bound()
	p.send(p.put(wire.Element(wire.OpUnbind)))
	p.gone()
	r.ends(byUnbind, 1)

	nobody := r.dial()
	nobody.wants(wire.ResultSuccess, searchOp(behindBase, 2))
	binds := r.up.SeenBinds()
	if last := binds[len(binds)-1]; len(binds) != 2 || last.DN != "" || last.Password != "" || last.Conn != 1 {
		t.Errorf("nobody asked over %+v", binds)
	}
	nobody.Close()
	r.up.Await(1, 1)
	bob := r.dial()
	bob.wants(wire.ResultSuccess, bindOp(bobBehind, "hunter2"+codeOfAlice))
	if who := bob.who(); who != "dn:"+bobBehind {
		t.Errorf("bob is %q", who)
	}
}

func TestServiceAccountBindsWithItsPasswordAsGiven(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp("CN=Mail, ou=services,dc=BEHIND", mailPassword))
	if who := p.who(); who != "dn:"+mailBehind {
		t.Errorf("bound as %q", who)
	}
	if got := r.up.SeenBinds(); len(got) != 1 || got[0].Password != mailPassword || got[0].DN != mailBehind {
		t.Errorf("bound with %+v", got)
	}
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
	if len(r.gate.judged()) != 0 {
		t.Error("the gate was asked")
	}
}

func TestServiceAccountWithAWrongPassword(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	for _, password := range []string{"guess", mailPassword + codeOfAlice} {
		if got := p.wants(wire.ResultInvalidCredentials, bindOp(mailBehind, password)); got.diagnostic != reference {
			t.Errorf("told %q", got.diagnostic)
		}
	}
	if faults := r.gate.booked(); len(faults) != 2 || faults[0] != gate.FaultServiceAccount {
		t.Errorf("booked %v", faults)
	}
	if p.who() != "" {
		t.Error("bound")
	}
}

func TestServiceAccountFromElsewhere(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	got := p.wants(wire.ResultInvalidCredentials, bindOp("cn=print,ou=services,dc=behind", mailPassword))
	if faults := r.gate.booked(); got.diagnostic != reference || len(faults) != 1 || faults[0] != gate.FaultServiceAccount {
		t.Errorf("told %q, booked %v", got.diagnostic, faults)
	}
	r.untouched(0)
}

// By another form of its name a service account is a person to the gate, which
// might ask no code of one.
func TestServiceAccountByAnotherName(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			if v, err := q.Verify(ctx, "CN=mail,ou=services, dc=behind", q.Password); v != directory.Wrong || !errors.Is(err, directory.ErrName) {
				t.Errorf("judged as %v, %v", v, err)
			}
			return gate.Answer{Reference: reference, Reason: "cannot_judge"}, nil
		}
	})
	r.dial().wants(wire.ResultInvalidCredentials, bindOp("mail@behind.example", mailPassword))
	r.untouched(0)
}

// A DN where people lie may be a service account's all the same.
func TestServiceAccountAmongThePeople(t *testing.T) {
	app := relayApp()
	app.Accounts = []Account{{DN: bobBehind}}
	r := startRelay(t, func(r *relayRig) { r.Base = behindBase }, app)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(bobBehind, "hunter2"))
	if len(r.gate.judged()) != 0 {
		t.Error("the gate was asked")
	}
}

func TestAnonymousBindDoesNotReachUpstream(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp("", ""))
	p.wants(wire.ResultInsufficientAccessRights, searchOp(behindBase, 2))
	r.untouched(0)
}

func TestClearTextPasswordNeverReachesUpstream(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { r.listener.PlainBinds = false })
	p := r.dial()
	p.wants(wire.ResultConfidentialityRequired, bindOp(aliceBehind, "secret"+codeOfAlice))
	p.wants(wire.ResultConfidentialityRequired, bindOp(mailBehind, mailPassword))
	p.wants(wire.ResultSuccess, searchOp("", 0))
	r.untouched(0)
}

// Who was admitted by an application password has shown the directory none.
func TestBindWithoutThePasswordRunsOnAnotherAccount(t *testing.T) {
	for _, proxied := range []bool{false, true} {
		r := startRelay(t, func(r *relayRig) { r.lends(proxied) })
		p := r.dial()
		p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
		r.untouched(0)
		if who := p.who(); who != "dn:"+aliceBehind {
			t.Errorf("bound as %q", who)
		}
		r.untouched(0)
		p.wants(wire.ResultSuccess, searchOp(behindBase, 2), control(wire.OIDPaged, wire.Octets("\x30\x05\x02\x01\x64\x04\x00")))
		p.wants(wire.ResultSuccess, compareOp(aliceBehind, "uid", "alice"))
		binds := r.up.SeenBinds()
		if len(binds) != 1 || binds[0].DN != lenderBehind || binds[0].Password != "lent" {
			t.Errorf("bound with %+v", binds)
		}
		for _, f := range r.up.Seen(wire.OpSearch, wire.OpCompare) {
			m, err := wire.ParseMessage(f.Frame)
			if err != nil {
				t.Fatal(err)
			}
			c, ok := m.Control(wire.OIDProxyAuthorization)
			if ok != proxied || ok && (string(c.Value) != "dn:"+aliceBehind || !c.Critical) {
				t.Errorf("proxied %v: %+v", proxied, m.Controls)
			}
			if _, ok := m.Control(wire.OIDPaged); !ok && m.Op == wire.OpSearch {
				t.Errorf("the client's own control is gone: %+v", m.Controls)
			}
		}
	}
}

func TestBindWithoutThePasswordWhereNobodyLends(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
	p.wants(wire.ResultUnwillingToPerform, searchOp(behindBase, 2))
	p.wants(wire.ResultSuccess, searchOp("", 0))
	if who := p.who(); who != "dn:"+aliceBehind {
		t.Errorf("bound as %q", who)
	}
	r.untouched(0)
}

func TestLenderThatIsRefusedLendsNothing(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.lends(true)
		r.up.Passwords[lenderBehind] = "another"
	})
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
	p.wants(wire.ResultUnavailable, searchOp(behindBase, 2))
	if n := len(r.up.Seen(wire.OpSearch)); n != 0 {
		t.Error("asked as nobody")
	}
}

// A person without a place over there can't be asked for.
func TestAdmissionWithoutADNIsNotJudged(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) { return welcome(), nil }
	})
	p := r.dial()
	p.wants(wire.ResultUnavailable, bindOp("alice", "secret"))
	if p.who() != "" {
		t.Error("signed in as nobody knows whom")
	}
}

func TestCriticalControlOfABindIsRefusedBeforeAnythingIsJudged(t *testing.T) {
	lists := false
	r := startRelay(t, func(r *relayRig) {
		r.up.RootDSE = func() (map[string][]string, bool) {
			if lists {
				return map[string][]string{"supportedControl": {wire.OIDPasswordPolicy}}, true
			}
			return nil, false
		}
	})
	p := r.dial()
	bind := bindOp(aliceBehind, "secret"+codeOfAlice)
	p.wants(wire.ResultUnavailableCritical, bind, criticalControl("1.2.3"))
	p.wants(wire.ResultUnavailableCritical, bind, criticalControl(wire.OIDPaged))
	p.wants(wire.ResultUnavailableCritical, bind, criticalControl(wire.OIDPasswordPolicy))
	p.wants(wire.ResultProtocolError, bind, control("1.2.3"), control("1.2.3"))
	if n := len(r.gate.judged()); n != 0 {
		t.Errorf("%d judged", n)
	}
	r.untouched(0)
	lists = true
	p.wants(wire.ResultSuccess, bind, criticalControl(wire.OIDPasswordPolicy))
}

// The link that a bind was tried on is not lost with the handler.
func TestPanicInAJudgementClosesTheLink(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			q.Verify(ctx, aliceBehind, []byte("secret"))
			panic("behind the verdict")
		}
	})
	p := r.dial()
	p.wants(wire.ResultOther, bindOp(aliceBehind, "secret"))
	p.gone()
	r.ends(byPanic, 1)
	r.up.Await(0, 1)
}
