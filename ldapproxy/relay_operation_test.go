package ldapproxy

import (
	"bytes"
	"testing"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// After a bind everything passes octet by octet, in both directions.
func TestOperationsReachTheDirectoryAsTheyWere(t *testing.T) {
	app := relayApp()
	app.Writes = true
	answers := make(chan []byte, 100)
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			if x.Op == wire.OpBind {
				x.Usual()
				return
			}
			answer := x.Result(wire.ResultSuccess, "as it is", wire.Control{OID: "1.2.3", Value: []byte("v"), HasValue: true})
			if x.Op == wire.OpSearch {
				x.Send(wire.AppendEntry(nil, x.ID, "cn=x", nil))
			}
			answers <- answer
			x.Send(answer)
		}
	}, app)
	p := r.bound()
	long := []byte{0x30, 0x84, 0, 0, 0, 20, 2, 1, 99, 0x6e, 0x84, 0, 0, 0, 9, 4, 1, 'a', 0x30, 5, 4, 1, 'b', 4, 0} // as Active Directory writes lengths
	long[5] = byte(len(long) - 6)
	long[14] = byte(len(long) - 15)
	sent := [][]byte{
		p.put(searchOp(behindBase, 2), criticalControl("1.2.3.4")), p.put(compareOp(aliceBehind, "uid", "alice")),
		p.put(wire.Element(wire.OpAdd, wire.Octets("cn=x"), wire.Element(wire.TagSequence))), p.put(wire.Element(wire.OpDelete, []byte("cn=x"))),
		p.put(wire.Element(wire.OpModifyDN, wire.Octets("cn=x"), wire.Octets("cn=y"), []byte{1, 1, 0xff})),
		p.put(modifyOp(aliceBehind, 2, "mail", "a@example.ac.jp")), p.put(passwordOp("", "secret", "better")), p.put(extendedOp(wire.OIDWhoAmI)),
		long,
	}
	for _, frame := range sent {
		p.send(frame)
		got := p.frame()
		if bytes.Contains(got, []byte{wire.OpSearchEntry}) && !bytes.Contains(got, []byte("as it is")) {
			got = p.frame()
		}
		if want := <-answers; !bytes.Equal(got, want) {
			t.Errorf("got %x\nsent %x", got, want)
		}
	}
	seen := r.up.Seen()[1:]
	for i, frame := range sent {
		if i >= len(seen) || !bytes.Equal(seen[i].Frame, frame) {
			t.Errorf("%d: sent %x", i, frame)
		}
	}
}

func TestVerifyCredentialsIsShut(t *testing.T) {
	r := startRelay(t, nil)
	for _, p := range []*peer{r.dial(), r.bound(), r.asService()} {
		for _, oid := range []string{
			"1.3.6.1.4.1.4203.666.6.5", // Verify Credentials
			"1.2.840.113556.1.4.1781",  // fast bind
			"1.3.6.1.1.21.1",           // transactions
			wire.OIDNotice, "", "nonsense",
		} {
			if got := p.wants(wire.ResultProtocolError, extendedOp(oid, []byte("x"))); got.named || got.value != nil {
				t.Errorf("%s: %+v", oid, got)
			}
		}
	}
	r.untouched(2)
}

func TestCompareOnAPassword(t *testing.T) {
	r := startRelay(t, nil)
	for _, p := range []*peer{r.dial(), r.bound(), r.asService()} {
		for _, attribute := range []string{"userPassword", "USERPASSWORD;x-a", "2.5.4.35", "oid.2.5.4.35", "unicodePwd", "sambaNTPassword"} {
			p.wants(wire.ResultInsufficientAccessRights, compareOp(aliceBehind, attribute, "secret"))
		}
	}
	r.untouched(2)
}

func TestFilterOnAPasswordMatchesNothing(t *testing.T) {
	secret := equals("userPassword", "secret")
	uid := equals("uid", "alice")
	r := startRelay(t, nil)
	for _, p := range []*peer{r.bound(), r.asService()} {
		for name, filter := range map[string][]byte{
			"equality":   secret,
			"presence":   wire.Element(wire.FilterPresent, []byte("userpassword")),
			"and":        wire.Element(wire.FilterAnd, uid, secret),
			"or":         wire.Element(wire.FilterOr, uid, secret),
			"not":        wire.Element(wire.FilterNot, secret),
			"deep":       wire.Element(wire.FilterAnd, wire.Element(wire.FilterNot, wire.Element(wire.FilterOr, uid, secret))),
			"OID":        equals("2.5.4.35", "secret"),
			"option":     equals("userPassword;lang-ja", "secret"),
			"substrings": wire.Element(wire.FilterSubstrings, wire.Octets("userPassword"), wire.Element(wire.TagSequence, wire.Element(0x80, []byte("s")))),
			"at least":   wire.Element(wire.FilterGreater, wire.Octets("unicodePwd"), wire.Octets("s")),
			"extensible": wire.Element(wire.FilterExtensible, wire.Element(0x82, []byte("userPassword")), wire.Element(0x83, []byte("secret"))),
			"any of all": wire.Element(wire.FilterExtensible, wire.Element(0x81, []byte("2.5.13.17")), wire.Element(0x83, []byte("secret"))),
			"unknown":    wire.Element(0xaa, []byte{}),
		} {
			p.send(p.put(filterOp(filter)))
			if m, err := wire.ParseResponse(p.frame()); err != nil || m.Op != wire.OpSearchDone || m.Code != wire.ResultSuccess {
				t.Errorf("%s: %+v, %v", name, m, err)
			}
		}
	}
	r.untouched(2)
}

// Where a filter can stand besides in a search.
func TestControlOnAPasswordIsRefused(t *testing.T) {
	secret, uid := equals("userPassword", "secret"), equals("uid", "alice")
	r := startRelay(t, nil)
	p := r.bound()
	for name, c := range map[string][]byte{
		"assertion":            control(oidAssertion, wire.Element(wire.TagString, secret)),
		"assertion, critical":  control(oidAssertion, []byte{wire.TagBoolean, 1, 0xff}, wire.Element(wire.TagString, wire.Element(wire.FilterNot, secret))),
		"assertion of nothing": control(oidAssertion),
		"matched values":       control(oidMatchedValues, wire.Element(wire.TagString, wire.Element(wire.TagSequence, uid, secret))),
		"sort":                 control(oidSort, wire.Element(wire.TagString, wire.Element(wire.TagSequence, wire.Element(wire.TagSequence, wire.Octets("unicodePwd"))))),
		"sort of garbage":      control(oidSort, wire.Octets("x")),
	} {
		p.t.Log(name)
		p.wants(wire.ResultInsufficientAccessRights, searchOp(behindBase, 2), c)
	}
	r.untouched(1)
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2), control(oidAssertion, wire.Element(wire.TagString, uid)))
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2), control(oidMatchedValues, wire.Element(wire.TagString, wire.Element(wire.TagSequence, uid))))
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2), control(oidSort, wire.Element(wire.TagString, wire.Element(wire.TagSequence, wire.Element(wire.TagSequence, wire.Octets("cn"))))))
}

func TestNobodyChangesAnything(t *testing.T) {
	app := relayApp()
	app.Writes, app.Anonymous = true, true
	r := startRelay(t, nil, app)
	p := r.dial()
	for _, op := range changes() {
		p.wants(wire.ResultStrongerAuthRequired, op)
	}
	r.untouched(0)
}

// changes is one of each operation that changes something.
func changes() map[string][]byte {
	return map[string][]byte{
		"modify":   modifyOp(aliceBehind, 2, "mail", "a@example.ac.jp"),
		"add":      wire.Element(wire.OpAdd, wire.Octets("cn=x"), wire.Element(wire.TagSequence)),
		"delete":   wire.Element(wire.OpDelete, []byte("cn=x")),
		"rename":   wire.Element(wire.OpModifyDN, wire.Octets("cn=x"), wire.Octets("cn=y"), []byte{1, 1, 0xff}),
		"password": passwordOp("", "secret", "better"),
	}
}

func TestReadOnlyApplicationChangesNothing(t *testing.T) {
	r := startRelay(t, nil)
	for _, p := range []*peer{r.bound(), r.asService()} {
		for _, op := range changes() {
			p.wants(wire.ResultUnwillingToPerform, op)
		}
	}
	r.untouched(2)
}

// A Password Modify with the old password in it is a way to try it.
func TestPasswordOfSomebodyElseIsNotModified(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, nil, app)
	p := r.bound()
	for _, identity := range []string{bobBehind, "u:bob", "bob", "uid=alice,ou=people,dc=elsewhere", "dn:" + bobBehind} {
		p.wants(wire.ResultInsufficientAccessRights, passwordOp(identity, "guess", "better"))
	}
	p.wants(wire.ResultProtocolError, extendedOp(wire.OIDModifyPassword, []byte("x")))
	r.untouched(1)
	p.wants(wire.ResultSuccess, passwordOp("UID=Alice, ou=people,DC=behind", "secret", "better"))
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDModifyPassword))
	r.asService().wants(wire.ResultSuccess, passwordOp(bobBehind, "", "better")) // sets one anew, and tries none
	r.asService().wants(wire.ResultInsufficientAccessRights, passwordOp(bobBehind, "guess", "better"))
}

// Active Directory lets everybody take away a password that they can name.
func TestPasswordOfSomebodyElseIsNotTriedByAModify(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, nil, app)
	p := r.bound()
	p.wants(wire.ResultInsufficientAccessRights, modifyOp(bobBehind, wire.ChangeDelete, "unicodePwd", "guess"))
	p.wants(wire.ResultInsufficientAccessRights, modifyOp(bobBehind, wire.ChangeDelete, "userPassword;x-a", "guess"))
	r.untouched(1)
	p.wants(wire.ResultSuccess, modifyOp(aliceBehind, wire.ChangeDelete, "unicodePwd", "secret"))
	p.wants(wire.ResultSuccess, modifyOp(bobBehind, 2, "userPassword", "new")) // what the directory allows, or not
	for _, attribute := range []string{"userPassword", "clearTextPassword", "homemadePasswd", "userPassword\x00x"} {
		r.asService().wants(wire.ResultInsufficientAccessRights, modifyOp(bobBehind, wire.ChangeDelete, attribute, "guess"))
	}
	r.asService().wants(wire.ResultSuccess, modifyOp(bobBehind, 2, "userPassword", "new"))
}

// An application password makes no other password.
func TestWhoWasLentALinkSetsNoPassword(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, func(r *relayRig) { r.lends(true) }, app)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
	p.wants(wire.ResultUnwillingToPerform, passwordOp("", "secret", "better"))
	p.wants(wire.ResultUnwillingToPerform, passwordOp(aliceBehind, "secret", "better"))
	p.wants(wire.ResultUnwillingToPerform, modifyOp(aliceBehind, 2, "userPassword", "better"))
	r.untouched(0)
	p.wants(wire.ResultSuccess, modifyOp(aliceBehind, 2, "mail", "a@example.ac.jp"))
}

// The account that lends may do more than the person.
func TestWhoWasLentALinkWithoutProxyOnlyReads(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, func(r *relayRig) { r.lends(false) }, app)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
	for name, op := range changes() {
		t.Log(name)
		p.wants(wire.ResultUnwillingToPerform, op)
	}
	r.untouched(0)
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
	for name, op := range changes() {
		t.Log(name)
		p.wants(wire.ResultUnwillingToPerform, op)
	}
}

func TestOnlyServiceAccountsActForOthers(t *testing.T) {
	app := relayApp()
	app.Anonymous = true
	r := startRelay(t, func(r *relayRig) { r.lends(true) }, app)
	lent := r.dial()
	lent.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
	other := wire.Octets("dn:" + bobBehind)
	controls := [][]byte{
		control(wire.OIDProxyAuthorization, []byte{wire.TagBoolean, 1, 0xff}, other), control(wire.OIDProxyAuthorization, other),
		control(oidProxiedOld, []byte{wire.TagBoolean, 1, 0xff}, other),
	}
	for _, p := range []*peer{r.dial(), r.bound(), lent} {
		for _, c := range controls {
			p.wants(wire.ResultAuthorizationDenied, searchOp(behindBase, 2), c)
			p.wants(wire.ResultAuthorizationDenied, extendedOp(wire.OIDWhoAmI), c)
		}
	}
	r.untouched(1)
	r.asService().wants(wire.ResultSuccess, searchOp(behindBase, 2), controls[0])
}

func TestBeforeABindThereIsOnlyTheRootDSE(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, searchOp("", 0))
	for _, op := range [][]byte{searchOp("", 1), searchOp("", 2), searchOp(behindBase, 0), searchOp("cn=Subschema", 0), filterOp(equals("userPassword", "x")), compareOp(aliceBehind, "uid", "alice")} {
		p.wants(wire.ResultInsufficientAccessRights, op)
	}
	if p.who() != "" {
		t.Error("somebody")
	}
	r.untouched(0)
}

func TestNobodySearchesWhereItIsAllowed(t *testing.T) {
	app := relayApp()
	app.Anonymous = true
	r := startRelay(t, nil, app)
	p := r.dial()
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
	p.wants(wire.ResultSuccess, compareOp(aliceBehind, "uid", "alice"))
	if who := p.who(); who != "" {
		t.Errorf("nobody is %q", who)
	}
	if n := len(r.up.Seen(wire.OpSearch, wire.OpCompare)); n != 2 {
		t.Errorf("%d reached upstream", n)
	}
	// And not in clear text, where passwords are not either.
	r = startRelay(t, func(r *relayRig) { r.listener.PlainBinds = false }, app)
	r.dial().wants(wire.ResultInsufficientAccessRights, searchOp(behindBase, 2))
}

func TestCancelOfWhatIsNotInWork(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			switch x.Op {
			case wire.OpSearch:
			case wire.OpExtended:
				x.Send(wire.AppendResult(nil, x.ID-1, wire.OpSearchDone, wire.Result{Code: 118}), x.Result(wire.ResultSuccess, ""))
			default:
				x.Usual()
			}
		}
	})
	p := r.bound()
	cancel := func(id int32) []byte {
		return extendedOp(wire.OIDCancel, wire.Element(wire.TagSequence, wire.AppendNumber(nil, wire.TagInteger, id)))
	}
	p.wants(wire.ResultNoSuchOperation, cancel(77))
	p.wants(wire.ResultNoSuchOperation, cancel(p.id)) // itself, that has not begun
	p.wants(wire.ResultProtocolError, extendedOp(wire.OIDCancel))
	r.untouched(1)
	p.send(p.put(searchOp(behindBase, 2)), p.put(cancel(p.id)))
	if got := p.receive(); got.code != 118 || got.op != wire.OpSearchDone {
		t.Errorf("%+v", got)
	}
	if got := p.receive(); got.code != wire.ResultSuccess || got.op != wire.OpExtendedResponse {
		t.Errorf("%+v", got)
	}
}

// What the directory still says of an abandoned operation is nobody's.
func TestLateResultsAreDropped(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		var late []byte
		r.up.Reply = func(x *linkstest.Exchange) {
			switch x.Op {
			case wire.OpSearch:
				if late == nil {
					late = append(wire.AppendEntry(nil, x.ID, "cn=late", nil), x.Result(wire.ResultSuccess, "late")...)
					return
				}
				x.Send(late, x.Result(wire.ResultSuccess, "in time"))
			default:
				x.Usual()
			}
		}
	})
	p := r.bound()
	p.send(p.put(searchOp(behindBase, 2)), p.put(wire.Element(wire.OpAbandon, wire.AppendNumber(nil, wire.TagInteger, p.id)[2:])))
	p.send(p.put(searchOp(behindBase, 2)))
	if got := p.receive(); got.id != p.id || got.diagnostic != "in time" {
		t.Errorf("%+v", got)
	}
	if n := len(r.up.Seen(wire.OpAbandon)); n != 1 {
		t.Errorf("%d Abandons reached upstream", n)
	}
	// Of what is not in work, a bind among it, there is nothing to abandon.
	p.send(p.put(wire.Element(wire.OpAbandon, []byte{1})), p.put(wire.Element(wire.OpAbandon, []byte{99})), p.put(wire.Element(wire.OpAbandon, []byte{0xff})))
	p.wants(wire.ResultSuccess, compareOp(aliceBehind, "uid", "alice"))
	if n := len(r.up.Seen(wire.OpAbandon)); n != 1 {
		t.Errorf("%d Abandons reached upstream", n)
	}
}

func TestBrokenRequestsDoNotPass(t *testing.T) {
	app := relayApp()
	app.Writes = true
	for name, op := range map[string][]byte{
		"search":  wire.Element(wire.OpSearch, wire.Octets("x")),
		"filter":  filterOp([]byte{0xa3, 0x20}),
		"compare": wire.Element(wire.OpCompare, wire.Octets("x")),
		"modify":  wire.Element(wire.OpModify, wire.Octets("x")),
	} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, nil, app)
			p := r.bound()
			p.send(p.put(op))
			p.notice(wire.ResultProtocolError)
			r.untouched(1)
		})
	}
	r := startRelay(t, nil, app)
	p := r.bound()
	deep := equals("uid", "alice")
	for range 40 {
		deep = wire.Element(wire.FilterNot, deep)
	}
	p.wants(11, filterOp(deep)) // adminLimitExceeded
	p.wants(wire.ResultProtocolError, searchOp(behindBase, 2), control("1.2"), control("1.2"))
	r.untouched(1)
}

// Programs ask for many at once; how many parts a filter has is the
// directory's matter.
func TestWideFilterPasses(t *testing.T) {
	r := startRelay(t, nil)
	p := r.bound()
	var parts [][]byte
	for range 2000 {
		parts = append(parts, equals("uid", "somebody"))
	}
	p.send(p.put(filterOp(wire.Element(wire.FilterOr, parts...)))) // too wide for the fake to read
	if got := p.receive(); got.op != wire.OpSearchDone {
		t.Errorf("%+v", got)
	}
	if n := len(r.up.Seen(wire.OpSearch)); n != 1 {
		t.Errorf("%d searches reached upstream", n)
	}
}

// Samba answers a critical control that it has not by an ExtendedResponse,
// whatever was asked.
func TestExtendedResponseEndsAnyOperation(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			if len(x.Controls) > 0 {
				x.Send(wire.AppendExtended(nil, x.ID, wire.Result{Code: wire.ResultUnavailableCritical}, "", nil))
				return
			}
			x.Usual()
		}
	}, app)
	p := r.bound()
	for name, op := range changes() {
		p.send(p.put(op, criticalControl("1.2.3")))
		if got := p.receive(); got.op != wire.OpExtendedResponse || got.code != wire.ResultUnavailableCritical || got.id != p.id {
			t.Errorf("%s: %+v", name, got)
		}
	}
	p.send(p.put(searchOp(behindBase, 2), criticalControl("1.2.3")))
	if got := p.receive(); got.op != wire.OpExtendedResponse || got.code != wire.ResultUnavailableCritical {
		t.Errorf("%+v", got)
	}
	if who := p.who(); who != "dn:"+aliceBehind {
		t.Errorf("is %q", who)
	}
}

// shownOp asks for attributes of alice.
func shownOp(attributes ...string) []byte {
	var list [][]byte
	for _, a := range attributes {
		list = append(list, wire.Octets(a))
	}
	return wire.Element(wire.OpSearch, wire.Octets(aliceBehind), []byte{wire.TagEnumerated, 1, 0}, []byte{wire.TagEnumerated, 1, 0},
		[]byte{wire.TagInteger, 1, 0}, []byte{wire.TagInteger, 1, 0}, []byte{wire.TagBoolean, 1, 0},
		wire.Element(wire.FilterPresent, []byte("objectClass")), wire.Element(wire.TagSequence, list...))
}

// The account that lends may read more than those whom it lends to.
func TestWhoWasLentALinkIsShownNoPassword(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { r.lends(false) })
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
	for _, name := range []string{"userPassword", "USERPASSWORD;x-old", "2.5.4.35", "sambaNTPassword"} {
		p.wants(wire.ResultInsufficientAccessRights, shownOp("cn", name))
	}
	if n := len(r.up.Seen(wire.OpSearch)); n != 0 {
		t.Errorf("%d of them passed", n)
	}
	p.wants(wire.ResultSuccess, shownOp("*", "+", "pwdLastSet"))
	r.asService().wants(wire.ResultSuccess, shownOp("userPassword")) // as the directory has it

	r = startRelay(t, func(r *relayRig) { r.lends(true) })
	p = r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
	p.wants(wire.ResultSuccess, shownOp("userPassword")) // she is judged herself
}
