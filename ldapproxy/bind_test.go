package ldapproxy

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
	"sekisho/policy"
)

func TestPersonBinds(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if got := p.who(); got != "dn:"+aliceDN {
		t.Errorf("bound as %q", got)
	}
	asked := r.gate.judged()[0]
	want := gate.Request{
		Door: policy.DoorLDAP, Service: "webmail", Client: "dovecot", Zone: "off-campus",
		Source: gate.Source{Addr: netip.MustParseAddr("127.0.0.1"), How: "socket", Shared: true},
		User:   aliceDN, Separator: ":", Recurs: true, Came: testTime,
	}
	if string(asked.Password) != "secret123456" {
		t.Errorf("password %q", asked.Password)
	}
	asked.Password = nil
	if got := asked; got.Source != want.Source || got.User != want.User || got.Zone != want.Zone ||
		got.Client != want.Client || got.Service != want.Service || got.Door != want.Door ||
		got.Separator != want.Separator || !got.Recurs || !got.Came.Equal(want.Came) {
		t.Errorf("asked %+v\nwant  %+v", got, want)
	}
}

func TestZoneOfTheListenerGoesFirst(t *testing.T) {
	r := start(t, func(r *rig) { r.listener.Zone, r.listener.How = "guests", "proxy-header" })
	r.dial().wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if got := r.gate.judged()[0]; got.Zone != "guests" || got.Source.How != "proxy-header" {
		t.Errorf("asked %+v", got)
	}
}

func TestApplicationOnAPersonsOwnMachineIsNotShared(t *testing.T) {
	app := testApp()
	app.Zone = ""
	r := start(t, nil, app)
	r.dial().wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if got := r.gate.judged()[0]; got.Zone != "" || got.Source.Shared {
		t.Errorf("asked %+v", got)
	}
}

// What the answer to a refusal tells is the reference, and nothing else.
func TestRefusalTellsTheReferenceOnly(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if got := p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "guess")); got.diagnostic != reference {
		t.Errorf("told %q", got.diagnostic)
	}
	if who := p.who(); who != "" {
		t.Errorf("still %q after a refused bind", who)
	}
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456")) // the connection goes on
}

// LDAP can't ask back: a challenge must not look like success.
func TestChallengeIsARefusal(t *testing.T) {
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			return gate.Answer{Outcome: gate.Challenged, Reference: reference}, nil
		}
	})
	p := r.dial()
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123456"))
	if p.who() != "" {
		t.Error("a challenge has bound somebody")
	}
}

func TestWhatCannotBeJudgedIsNoRefusal(t *testing.T) {
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) { return gate.Answer{}, errBroken }
		r.gate.broken.Store(true)
	})
	p := r.dial()
	got := p.wants(wire.ResultUnavailable, bindOp(aliceDN, "secret123456"))
	if strings.Contains(got.diagnostic, errBroken.Error()) {
		t.Errorf("the error went out: %q", got.diagnostic)
	}
	p.wants(wire.ResultUnavailable, bindOp(mailDN, "wrong"))
	if p.who() != "" || r.count("binds_total", "unjudged") != 2 {
		t.Error("not counted as unjudged")
	}
}

// The gate gets a name as it was sent; the directory finds the person by it.
func TestNamesInEveryForm(t *testing.T) {
	names := directory.Names{Domains: []string{"example.ac.jp", "EXAMPLE"}, Base: testBase}
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			if names.Canonical(q.User) != "alice" {
				return gate.Answer{Reference: reference}, nil
			}
			return welcome(), nil
		}
	})
	p := r.dial()
	for _, name := range []string{
		"alice", "Alice@EXAMPLE.AC.JP", `EXAMPLE\alice`, "UID = alice , OU=People," + testBase,
		"uid=#0405616c696365,ou=people," + testBase, `uid=al\69ce,ou=people,` + testBase,
		"0.9.2342.19200300.100.1.1=alice,ou=people," + testBase, "cn=Alice+uid=alice,ou=people," + testBase,
		"userid=alice,organizationalUnitName=people," + testBase,
	} {
		p.wants(wire.ResultSuccess, bindOp(name, "secret123456"))
		asked := r.gate.judged()
		if got := asked[len(asked)-1].User; got != name {
			t.Errorf("%q was asked for as %q", name, got)
		}
	}
	for _, name := range []string{"uid=alice+uid=bob,ou=people," + testBase, "uid=bob+userid=alice,ou=people," + testBase, "uid=alice,ou=services," + testBase} {
		p.wants(wire.ResultInvalidCredentials, bindOp(name, "secret123456"))
	}
}

// What nobody has decided is no success, whoever forgot to.
func TestVerdictThatNobodyFilledInIsNoSuccess(t *testing.T) {
	if got := new(verdict).answered(); got.Code != wire.ResultOther {
		t.Errorf("the zero verdict is %+v", got)
	}
	for _, o := range []outcome{bindAdmitted, bindService, bindAnonymous, bindRefused, bindUnbooked, bindUnfit, bindUnjudged, ""} {
		success := o == bindAdmitted || o == bindService || o == bindAnonymous
		v := verdict{outcome: o, session: session{dn: aliceDN}}
		if got := v.answered().Code; (got == wire.ResultSuccess) != success {
			t.Errorf("%q is answered with %d", o, got)
		}
	}
}

func TestNamesThatAreNone(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	names := []string{
		"uid=alice,", "=alice", "uid=alice,ou", "uid=\\zz", "uid=#04ff", "a\x00b", "\xff\xfe", "  ", "a\nb",
		strings.Repeat("x", maxBindName+1),
	}
	for _, name := range names {
		if got := p.wants(wire.ResultInvalidDNSyntax, bindOp(name, "secret123456")); got.diagnostic != reference {
			t.Errorf("%q: told %q", name, got.diagnostic)
		}
	}
	if faults := r.gate.booked(); len(r.gate.judged()) != 0 || len(faults) != len(names) || faults[0] != gate.FaultBadName {
		t.Errorf("judged %d, booked %v", len(r.gate.judged()), faults)
	}
}

// Each of these is decided without looking at a password.
func TestBindsThatNeedNoJudgement(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	simple := wire.Element(wire.TagSimple, []byte("secret123456"))
	for name, c := range map[string]struct {
		op       []byte
		controls [][]byte
		code     int
	}{
		"LDAPv2":                       {op: bindVersion(2, aliceDN, simple), code: wire.ResultProtocolError},
		"LDAPv4":                       {op: bindVersion(4, aliceDN, simple), code: wire.ResultProtocolError},
		"SASL EXTERNAL":                {op: bindVersion(3, "", wire.Element(wire.TagSASL, wire.Octets("EXTERNAL"))), code: wire.ResultAuthMethodNotSupported},
		"SASL PLAIN":                   {op: bindVersion(3, "", wire.Element(wire.TagSASL, wire.Octets("PLAIN"), wire.Octets("\x00alice\x00x"))), code: wire.ResultAuthMethodNotSupported},
		"SASL without a mechanism":     {op: bindVersion(3, "", wire.Element(wire.TagSASL, wire.Octets(""))), code: wire.ResultAuthMethodNotSupported},
		"the Kerberos of LDAPv2":       {op: bindVersion(3, aliceDN, wire.Element(0x81, []byte("x"))), code: wire.ResultAuthMethodNotSupported},
		"anonymous":                    {op: bindOp("", ""), code: wire.ResultSuccess},
		"a DN and an empty password":   {op: bindOp(aliceDN, ""), code: wire.ResultUnwillingToPerform},
		"a password without a DN":      {op: bindOp("", "secret123456"), code: wire.ResultInvalidCredentials},
		"an unknown critical control":  {op: bindOp(aliceDN, "secret123456"), controls: [][]byte{criticalControl("1.2.3.4")}, code: wire.ResultUnavailableCritical},
		"a critical control of search": {op: bindOp(aliceDN, "secret123456"), controls: [][]byte{criticalControl(wire.OIDPaged)}, code: wire.ResultUnavailableCritical},
		"the same control twice":       {op: bindOp(aliceDN, "secret123456"), controls: [][]byte{wire.Element(wire.TagSequence, wire.Octets("1.2")), wire.Element(wire.TagSequence, wire.Octets("1.2"))}, code: wire.ResultProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
			before := len(r.gate.judged())
			p.t = t
			p.wants(c.code, c.op, c.controls...)
			if who := p.who(); who != "" {
				t.Errorf("the session is %q's", who)
			}
			if len(r.gate.judged()) != before {
				t.Error("the gate was asked")
			}
		})
	}
	p.t = t
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"), wire.Element(wire.TagSequence, wire.Octets("1.3.6.1.4.1.42.2.27.8.5.1"))) // not critical
}

func TestClearTextPasswordWhereTLSIsRequired(t *testing.T) {
	r := start(t, func(r *rig) { r.listener.PlainBinds = false })
	p := r.dial()
	p.wants(wire.ResultConfidentialityRequired, bindOp(aliceDN, "secret123456"))
	p.wants(wire.ResultConfidentialityRequired, bindOp(mailDN, mailPassword))
	p.wants(wire.ResultConfidentialityRequired, bindOp("", "secret123456"))
	p.wants(wire.ResultSuccess, searchOp("", 0)) // the RootDSE tells that there is StartTLS
	if len(r.gate.judged()) != 0 {
		t.Error("a password that everybody could read was judged")
	}
	if faults := r.gate.booked(); len(faults) != 3 || faults[0] != gate.FaultTLSRequired {
		t.Errorf("booked %v", faults)
	}
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	p.secure()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if r.count("binds_total", "admitted", "yes") != 1 || r.count("binds_total", "refused", "no") != 3 {
		t.Error("TLS was not counted")
	}
}

func TestServiceAccount(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	for _, dn := range []string{mailDN, "UID=Svc-Mail, ou=services ,DC=example,dc=ac,dc=JP", `uid=svc\2dmail,ou=services,` + testBase} {
		p.wants(wire.ResultSuccess, bindOp(dn, mailPassword))
		if got := p.who(); got != "dn:"+mailDN {
			t.Errorf("bound as %q", got)
		}
	}
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456")) // and a person on the same connection
	if got := p.who(); got != "dn:"+aliceDN {
		t.Errorf("bound as %q", got)
	}
	p.wants(wire.ResultSuccess, bindOp(mailDN, mailPassword))
	if len(r.gate.judged()) != 1 || len(r.gate.booked()) != 0 {
		t.Error("the gate was asked about a service account")
	}
}

func TestServiceAccountRefused(t *testing.T) {
	for name, c := range map[string][2]string{
		"a wrong password":           {mailDN, "wrong"},
		"the password and a code":    {mailDN, mailPassword + "123456"},
		"of another application":     {elsewhere().Accounts[0].DN, mailPassword},
		"of another, wrong password": {elsewhere().Accounts[0].DN, "wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			p := r.dial()
			if got := p.wants(wire.ResultInvalidCredentials, bindOp(c[0], c[1])); got.diagnostic != reference {
				t.Errorf("told %q", got.diagnostic)
			}
			if faults := r.gate.booked(); len(faults) != 1 || faults[0] != gate.FaultServiceAccount || len(r.gate.judged()) != 0 {
				t.Errorf("booked %v, judged %d", faults, len(r.gate.judged()))
			}
			if p.who() != "" {
				t.Error("bound")
			}
		})
	}
}

func TestAddressOfNoApplication(t *testing.T) {
	r := start(t, nil, elsewhere())
	p := r.dial()
	p.wants(wire.ResultSuccess, searchOp("", 0))
	for _, op := range [][]byte{bindOp(aliceDN, "secret123456"), bindOp(mailDN, mailPassword), bindOp(elsewhere().Accounts[0].DN, mailPassword), bindOp("", "")} {
		if got := p.wants(wire.ResultInvalidCredentials, op); got.diagnostic != reference {
			t.Errorf("told %q", got.diagnostic)
		}
	}
	if faults := r.gate.booked(); len(faults) != 4 || faults[0] != gate.FaultUnknownApp || len(r.gate.judged()) != 0 {
		t.Errorf("booked %v, judged %d", faults, len(r.gate.judged()))
	}
}

func TestPasswordIsCleared(t *testing.T) {
	var kept []byte
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			kept = q.Password // which a gate must not do
			if string(kept) == "panic" {
				panic("in the gate")
			}
			return welcome(), nil
		}
	})
	for _, password := range []string{"secret123456", "panic"} {
		r.dial().ask(bindOp(aliceDN, password))
		if len(kept) != len(password) || strings.Trim(string(kept), "\x00") != "" {
			t.Errorf("%q is still in the buffer: %q", password, kept)
		}
	}
}

func TestRefusalWaitsForItsTime(t *testing.T) {
	app := testApp()
	app.RejectDelay = time.Second
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			if string(q.Password) == "right" {
				return welcome(), nil
			}
			r.clock.move(1200 * time.Millisecond)
			return gate.Answer{Reference: reference, Ready: q.Came.Add(2500 * time.Millisecond)}, nil
		}
	}, app)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "right"))
	if len(r.held) > 0 {
		t.Error("an admission waited")
	}
	p.send(p.put(bindOp(aliceDN, "wrong")), p.put(extendedOp(wire.OIDWhoAmI)))
	h := <-r.held
	if h.wait != 1800*time.Millisecond { // the third second after it came, which is when it is ready
		t.Errorf("waits %v", h.wait)
	}
	h.go_ <- time.Time{}
	if got := p.receive(); got.code != wire.ResultInvalidCredentials {
		t.Errorf("%+v", got)
	}
	if got := p.receive(); got.code != wire.ResultSuccess || len(got.value) != 0 {
		t.Errorf("%+v", got)
	}
	p.send(p.put(bindOp(mailDN, "wrong"))) // refused by us, held likewise
	if h := <-r.held; h.wait != time.Second {
		t.Errorf("waits %v", h.wait)
	} else {
		h.go_ <- time.Time{}
	}
	p.receive()
}

func TestLeaveAt(t *testing.T) {
	at := func(ms int) time.Time { return testTime.Add(time.Duration(ms) * time.Millisecond) }
	for _, c := range []struct{ now, ready, delay, want int }{
		{300, 0, 0, 300}, {0, 0, 1000, 1000}, {999, 0, 1000, 1000}, {1000, 0, 1000, 1000},
		{1001, 0, 1000, 2000}, {10, 1500, 1000, 2000},
	} {
		if got := leaveAt(testTime, at(c.now), at(c.ready), time.Duration(c.delay)*time.Millisecond); !got.Equal(at(c.want)) {
			t.Errorf("%+v: leaves after %v", c, got.Sub(testTime))
		}
	}
}

func TestLogOfABind(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	p.wants(wire.ResultInvalidCredentials, bindOp("hunter2", "hunter2")) // the password where the name belongs
	p.wants(wire.ResultInvalidCredentials, bindOp("uid=hunter2,ou=people,dc=wrong", "hunter2"))
	p.wants(wire.ResultInvalidDNSyntax, bindOp("\x1b[2Jroot", "hunter2"))
	p.wants(wire.ResultInvalidCredentials, bindOp("\u202egnitset", "hunter2"))
	p.wants(wire.ResultSuccess, bindOp(mailDN, mailPassword))
	lines := r.log.String()
	for _, want := range []string{
		"app=dovecot", "service=webmail", "person=alice", "reference=" + reference, "reason=wrong_password", "from=127.0.0.1",
		`dn="` + aliceDN + `"`, `dn="` + mailDN + `"`, `dn="u…,ou=people,dc=wrong"`, "outcome=service", "how=socket", "code=49",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("no %s in:\n%s", want, lines)
		}
	}
	for _, secret := range []string{"secret123456", "hunter2", mailPassword, "of the ticket", "\x1b", "\u202e"} {
		if strings.Contains(lines, secret) {
			t.Errorf("%q in the log:\n%s", secret, lines)
		}
	}
}

// The text that a handler of the log does not escape by itself.
func TestLogCannotBeTurnedRound(t *testing.T) {
	r := start(t, func(r *rig) { r.Log = slog.New(slog.NewJSONHandler(r.log, nil)) })
	r.dial().wants(wire.ResultInvalidCredentials, bindOp("uid=x,ou=\u202epeople,"+testBase, "hunter2"))
	if log := r.log.String(); strings.Contains(log, "\u202e") || !strings.Contains(log, `u…,ou=\\u202epeople`) {
		t.Errorf("log: %s", log)
	}
}
