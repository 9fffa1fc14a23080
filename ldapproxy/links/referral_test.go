package links

import (
	"bytes"
	"strings"
	"testing"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// referred is a response with a referral, to be put together by hand.
func referred(id int32, op byte, code int, behind ...[]byte) []byte {
	body := wire.AppendNumber(nil, wire.TagEnumerated, int32(code))
	body = append(body, wire.Octets("dc=x")...)
	body = append(body, wire.Octets("text")...)
	body = append(body, wire.Element(wire.TagReferral, wire.Octets("ldap://elsewhere/dc=x"))...)
	return wire.Element(wire.TagSequence, wire.AppendNumber(nil, wire.TagInteger, id), wire.Element(op, body, bytes.Join(behind, nil)))
}

func TestReferralsAreNotPassedOn(t *testing.T) {
	for name, tt := range map[string]struct {
		code int // that upstream sends
		want int
		text string
	}{
		"a referral":                    {wire.ResultReferral, wire.ResultUnwillingToPerform, "the directory refers elsewhere"},
		"a success that refers as well": {wire.ResultSuccess, wire.ResultSuccess, "text"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			u.Reply = func(x *linkstest.Exchange) {
				if x.Op == wire.OpBind {
					x.Usual()
					return
				}
				x.Send(referred(x.ID, wire.OpExtendedResponse, tt.code, wire.Element(wire.TagResponseValue, []byte("value"))))
			}
			_, l, c := bound(t, u, Rules{})
			ask(t, l, 2, extendedOp(wire.OIDWhoAmI))
			r, err := wire.ParseResponse(c.receive(t, 1))
			if err != nil || r.ID != 2 || r.Code != tt.want || r.Referral != nil || string(r.Diagnostic) != tt.text || string(r.Matched) != "dc=x" || r.Value() != "value" {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func TestReferralsPassWhereTheyMay(t *testing.T) {
	u := newUpstream(t)
	var want []byte
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpBind {
			x.Usual()
			return
		}
		reference := wire.Element(wire.TagSequence, []byte{2, 1, byte(x.ID)}, wire.Element(wire.OpSearchReference, wire.Octets("ldap://elsewhere/")))
		want = append(reference, referred(x.ID, wire.OpSearchDone, wire.ResultReferral)...)
		x.Send(want)
	}
	_, l, c := bound(t, u, Rules{PassReferrals: true})
	ask(t, l, 2, searchOp("dc=x", 2))
	if got := c.receive(t, 60); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// A client that chases it shows its password and code to whoever is named.
func TestReferralToABindIsTakenOutOfIt(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) { x.Send(referred(x.ID, wire.OpBindResponse, wire.ResultReferral)) }
	p := newTestPool(t, u)
	l, a, err := p.Bind(t.Context(), BindRequest{ID: 5, DN: aliceBehind, Password: []byte("secret")})
	if err != nil || a.Code != wire.ResultReferral {
		t.Fatalf("%+v, %v", a, err)
	}
	p.Put(l)
	out, err := referredElsewhere(nil, a.Frame, wire.ResultUnavailable)
	if err != nil || strings.Contains(string(out), "ldap:") {
		t.Errorf("%q, %v", out, err)
	}
	if r, err := wire.ParseResponse(out); err != nil || r.ID != 5 || r.Op != wire.OpBindResponse || r.Code != wire.ResultUnavailable {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := referredElsewhere(nil, out[:9], wire.ResultUnavailable); err == nil {
		t.Error("what is no response was rewritten")
	}
}
