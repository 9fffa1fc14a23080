package ldapproxy

import (
	"testing"

	"sekisho/ldapproxy/wire"
)

// OpenLDAP's decoder, and that of 389-ds with it, does not skip what stands
// behind the elements of a SEQUENCE that it knows: it goes on reading there. So
// what we overlook may be a control, a change or a clause over there, and the
// control that we append would be none.
func TestNothingPassesThatWasNotRead(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, nil, app)
	p := r.bound()
	actAs := wire.Element(wire.TagControls, wire.Element(wire.TagSequence, wire.Octets(wire.OIDProxyAuthorization), []byte{wire.TagBoolean, 1, 0xff}, wire.Octets("dn:"+bobBehind)))
	secret := wire.Element(wire.FilterEqual, wire.Octets("userPassword"), wire.Octets("guess"))
	clause := wire.Element(wire.FilterEqual, wire.Octets("uid"), wire.Octets("alice"), secret)
	numbers := []byte{wire.TagEnumerated, 1, 2, wire.TagEnumerated, 1, 0, wire.TagInteger, 1, 0, wire.TagInteger, 1, 0, wire.TagBoolean, 1, 0}
	present := wire.Element(wire.FilterPresent, []byte("uid"))
	values := wire.Element(0x31, wire.Octets("x"))
	change := func(behind ...[]byte) []byte {
		parts := [][]byte{{wire.TagEnumerated, 1, 2}, wire.Element(wire.TagSequence, wire.Octets("cn"), values)}
		return wire.Element(wire.TagSequence, wire.Element(wire.TagSequence, append(parts, behind...)...))
	}
	another := wire.Element(0xa5, []byte{wire.TagEnumerated, 1, 2}, wire.Element(wire.TagSequence, wire.Octets("userPassword"), values))
	for name, op := range map[string][]byte{
		"search, controls":          wire.Element(wire.OpSearch, wire.Octets(behindBase), numbers, present, wire.Element(wire.TagSequence), actAs),
		"search, a clause":          wire.Element(wire.OpSearch, wire.Octets(behindBase), numbers, wire.Element(wire.FilterAnd, clause), wire.Element(wire.TagSequence)),
		"search, behind substrings": wire.Element(wire.OpSearch, wire.Octets(behindBase), numbers, wire.Element(wire.FilterSubstrings, wire.Octets("uid"), wire.Element(wire.TagSequence, wire.Element(0x80, []byte("a"))), secret), wire.Element(wire.TagSequence)),
		"search, behind a rule":     wire.Element(wire.OpSearch, wire.Octets(behindBase), numbers, wire.Element(wire.FilterExtensible, wire.Element(0x82, []byte("uid")), wire.Element(0x83, []byte("a")), secret), wire.Element(wire.TagSequence)),
		"compare, controls":         wire.Element(wire.OpCompare, wire.Octets(aliceBehind), wire.Element(wire.TagSequence, wire.Octets("uid"), wire.Octets("alice")), actAs),
		"compare, within":           wire.Element(wire.OpCompare, wire.Octets(aliceBehind), wire.Element(wire.TagSequence, wire.Octets("uid"), wire.Octets("alice"), actAs)),
		"modify, controls":          wire.Element(wire.OpModify, wire.Octets(aliceBehind), change(), actAs),
		"modify, another change":    wire.Element(wire.OpModify, wire.Octets(aliceBehind), change(another)),
		"add, controls":             wire.Element(wire.OpAdd, wire.Octets(aliceBehind), wire.Element(wire.TagSequence), actAs),
		"modify DN, controls":       wire.Element(wire.OpModifyDN, wire.Octets(aliceBehind), wire.Octets("uid=x"), []byte{wire.TagBoolean, 1, 0}, wire.Element(0xa1, actAs)),
		"extended, controls":        wire.Element(wire.OpExtended, wire.Element(wire.TagRequestName, []byte(wire.OIDWhoAmI)), actAs),
	} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			p.wants(wire.ResultProtocolError, op)
		})
	}
	p.t = t
	for _, op := range [][]byte{searchOp(behindBase, 2), wire.Element(wire.OpDelete, []byte(aliceBehind))} {
		for _, name := range []string{wire.OIDProxyAuthorization + "\x00", "1.3.6.1.1.12\x00", "1..2", "", "01.2", "1.2.", "paged"} {
			p.wants(wire.ResultProtocolError, op, criticalControl(name))
		}
	}
	r.untouched(1)
}

func TestAddWithoutStructureDoesNotPass(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, nil, app)
	p := r.bound()
	p.send(p.put(wire.Element(wire.OpAdd, []byte("no ASN.1 at all"))))
	p.notice(wire.ResultProtocolError)
	r.untouched(1)
}
