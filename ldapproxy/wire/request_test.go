package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestBindOfGoLDAP(t *testing.T) {
	m := sent(t, func(c *ldap.Conn) { c.Bind("uid=alice,dc=example", "secret\x00123456") })
	b, err := m.Bind()
	if err != nil || b.Version != 3 || string(b.DN) != "uid=alice,dc=example" ||
		!b.Simple || string(b.Password) != "secret\x00123456" || b.mechanism != nil {
		t.Errorf("%+v, %v", b, err)
	}
	m = sent(t, func(c *ldap.Conn) { c.ExternalBind() })
	if b, err := m.Bind(); err != nil || b.Simple || string(b.mechanism) != "EXTERNAL" {
		t.Errorf("EXTERNAL: %+v, %v", b, err)
	}
	m = sent(t, func(c *ldap.Conn) { c.UnauthenticatedBind("uid=alice") })
	if b, err := m.Bind(); err != nil || !b.Simple || len(b.Password) != 0 || string(b.DN) != "uid=alice" {
		t.Errorf("empty password: %+v, %v", b, err)
	}
}

func TestBind(t *testing.T) {
	version, dn := []byte{2, 1, 3}, Octets("uid=a")
	tests := []struct {
		name string
		body [][]byte
		want BindRequest
		err  error
	}{
		{"simple", [][]byte{version, dn, Element(TagSimple, []byte("pw"))},
			BindRequest{Version: 3, DN: []byte("uid=a"), Simple: true, Password: []byte("pw")}, nil},
		{"LDAPv2", [][]byte{{2, 1, 2}, dn, Element(TagSimple, nil)},
			BindRequest{Version: 2, DN: []byte("uid=a"), Simple: true, Password: []byte{}}, nil},
		{"SASL with credentials", [][]byte{version, dn, Element(TagSASL, Octets("PLAIN"), Octets("\x00a\x00b"))},
			BindRequest{Version: 3, DN: []byte("uid=a"), mechanism: []byte("PLAIN")}, nil},
		{"SASL, empty mechanism", [][]byte{version, dn, Element(TagSASL, Octets(""))},
			BindRequest{Version: 3, DN: []byte("uid=a"), mechanism: []byte{}}, nil},
		{"Kerberos of LDAPv2", [][]byte{version, dn, Element(0x81, []byte("ticket"))},
			BindRequest{Version: 3, DN: []byte("uid=a")}, nil},
		{"sicily", [][]byte{version, dn, Element(0x8a, []byte("NTLM"))},
			BindRequest{Version: 3, DN: []byte("uid=a")}, nil},
		{"component of a later version", [][]byte{version, dn, Element(TagSimple, []byte("pw")), Element(0x84, nil)},
			BindRequest{Version: 3, DN: []byte("uid=a"), Simple: true, Password: []byte("pw")}, nil},

		{"empty", nil, BindRequest{}, ErrFrame},
		{"no credential", [][]byte{version, dn}, BindRequest{}, ErrFrame},
		{"two passwords", [][]byte{version, dn, Element(TagSimple, []byte("pw")), Element(TagSimple, []byte("other"))}, BindRequest{}, ErrFrame},
		{"password and SASL", [][]byte{version, dn, Element(TagSimple, []byte("pw")), Element(TagSASL, Octets("PLAIN"))}, BindRequest{}, ErrFrame},
		{"password as a plain string", [][]byte{version, dn, Octets("pw")}, BindRequest{}, ErrFrame},
		{"negative version", [][]byte{{2, 1, 0xff}, dn, Element(TagSimple, nil)}, BindRequest{}, errRequest},
		{"version of five octets", [][]byte{{2, 5, 0, 0, 0, 0, 3}, dn, Element(TagSimple, nil)}, BindRequest{}, errRequest},
		{"version that is a string", [][]byte{Octets("3"), dn, Element(TagSimple, nil)}, BindRequest{}, ErrFrame},
		{"garbage in SASL", [][]byte{version, dn, Element(TagSASL, Octets("PLAIN"), []byte{0xff})}, BindRequest{}, ErrFrame},
		{"SASL without mechanism", [][]byte{version, dn, Element(TagSASL)}, BindRequest{}, ErrFrame},
		{"octets behind", [][]byte{version, dn, Element(TagSimple, nil), {0}}, BindRequest{}, ErrFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsed(t, envelope(Element(OpBind, tt.body...))).Bind()
			if err != tt.err || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestSearchOfGoLDAP(t *testing.T) {
	req := ldap.NewSearchRequest("ou=people,dc=example", ldap.ScopeWholeSubtree, ldap.DerefAlways, 500, 30, true,
		"(&(objectClass=person)(uid=alice))", []string{"uid", "+", "1.1"}, []ldap.Control{ldap.NewControlPaging(100)})
	m := sent(t, func(c *ldap.Conn) { c.Search(req) })
	s, err := m.Search()
	if err != nil {
		t.Fatal(err)
	}
	f := s.Filter
	s.Filter = nil
	want := &SearchRequest{Base: "ou=people,dc=example", Scope: 2, deref: 3, SizeLimit: 500, TimeLimit: 30,
		TypesOnly: true, Attributes: []string{"uid", "+", "1.1"}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v, want %+v", s, want)
	}
	if f.Kind != FilterAnd || len(f.Children) != 2 || f.Children[1].Attribute != "uid" {
		t.Errorf("filter: %+v", f)
	}
	c, ok := m.Control(OIDPaged)
	if size, cookie, err := ParsePaged(c.Value); !ok || err != nil || size != 100 || len(cookie) != 0 {
		t.Errorf("paging: %v, %d, %x, %v", ok, size, cookie, err)
	}
	if _, ok := m.Control("1.2.3"); ok {
		t.Error("a control that is not there")
	}
}

// search is the body of a SearchRequest with this filter and what follows it.
func searchBody(rest ...[]byte) []byte {
	return Element(OpSearch, Octets("dc=example"), []byte{0x0a, 1, 2, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0}, bytes.Join(rest, nil))
}

func TestSearch(t *testing.T) {
	present := Element(FilterPresent, []byte("uid"))
	head := func(given ...byte) []byte {
		return Element(OpSearch, Octets(""), given, present, Element(TagSequence))
	}
	tests := []struct {
		name string
		op   []byte
		err  error
	}{
		{"no attributes", searchBody(present, Element(TagSequence)), nil},
		{"unknown scope", head(0x0a, 1, 9, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0), nil},
		{"TRUE as 01", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 1), nil},
		{"largest limits", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 4, 0x7f, 0xff, 0xff, 0xff, 2, 4, 0x7f, 0xff, 0xff, 0xff, 1, 1, 0), nil},
		{"511 attributes", searchBody(present, Element(TagSequence, bytes.Repeat(Octets("a"), 511))), nil},

		{"negative size limit", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0xff, 2, 1, 0, 1, 1, 0), errRequest},
		{"512 attributes", searchBody(present, Element(TagSequence, bytes.Repeat(Octets("a"), 512))), errMany},
		{"BOOLEAN of two octets", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 2, 0, 0), ErrFrame},
		{"BOOLEAN of none", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 0), ErrFrame},
		{"scope as INTEGER", head(2, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0), ErrFrame},
		{"no filter", searchBody(Element(TagSequence)), ErrFrame},
		{"no attribute list", searchBody(present), ErrFrame},
		{"an attribute that is a number", searchBody(present, Element(TagSequence, []byte{2, 1, 5})), ErrFrame},
		{"garbage behind", searchBody(present, Element(TagSequence), []byte{0x80, 5}), ErrFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parsed(t, envelope(tt.op)).Search()
			if err != tt.err || (s == nil) != (err != nil) {
				t.Errorf("got %+v, %v; want %v", s, err, tt.err)
			}
		})
	}
}

func TestCompareOfGoLDAP(t *testing.T) {
	m := sent(t, func(c *ldap.Conn) { c.Compare("uid=alice", "mail", "a@example.ac.jp") })
	got, err := m.Compare()
	if err != nil || got.DN != "uid=alice" || got.Attribute != "mail" || string(got.Value) != "a@example.ac.jp" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestExtendedOfGoLDAP(t *testing.T) {
	m := sent(t, func(c *ldap.Conn) { c.WhoAmI(nil) })
	if e, err := m.Extended(); err != nil || e.OID != "1.3.6.1.4.1.4203.1.11.3" || e.HasValue {
		t.Errorf("WhoAmI: %+v, %v", e, err)
	}
	m = sent(t, func(c *ldap.Conn) { c.PasswordModify(ldap.NewPasswordModifyRequest("uid=alice", "old", "new")) })
	if e, err := m.Extended(); err != nil || e.OID != "1.3.6.1.4.1.4203.1.11.1" || !e.HasValue || !bytes.Contains(e.Value, []byte("old")) {
		t.Errorf("PasswordModify: %+v, %v", e, err)
	}
}

func TestExtendedAndCompareThatAreNot(t *testing.T) {
	name := Element(TagRequestName, []byte("1.2"))
	ava := Element(TagSequence, Octets("uid"), Octets("a"))
	for _, op := range [][]byte{
		Element(OpExtended),
		Element(OpExtended, Octets("1.2")),
		Element(OpExtended, Element(TagRequestValue, []byte("v"))),
		Element(OpExtended, name, name),
		Element(OpExtended, name, Element(TagRequestValue), Element(TagRequestValue)),
		Element(OpExtended, name, Octets("v")),
		Element(OpExtended, name, []byte{0x81, 1}),
	} {
		if e, err := parsed(t, envelope(op)).Extended(); err != ErrFrame {
			t.Errorf("%x: %+v, %v", op, e, err)
		}
	}
	for _, op := range [][]byte{
		Element(OpCompare),
		Element(OpCompare, Octets("uid=a")),
		Element(OpCompare, Octets("uid=a"), Element(TagSequence, Octets("uid"))),
		Element(OpCompare, Octets("uid=a"), Element(TagSequence, Octets("uid"), Octets("a"), Octets("b"))),
		Element(OpCompare, Octets("uid=a"), ava, ava),
	} {
		if c, err := parsed(t, envelope(op)).Compare(); err != ErrFrame {
			t.Errorf("%x: %+v, %v", op, c, err)
		}
	}
}

func TestAbandon(t *testing.T) {
	if id, err := parsed(t, envelope(Element(OpAbandon, []byte{1, 0}))).Abandoned(); err != nil || id != 256 {
		t.Errorf("%d, %v", id, err)
	}
	for _, body := range [][]byte{nil, {0xff}, {0, 0, 0, 0, 1}} {
		if _, err := parsed(t, envelope(Element(OpAbandon, body))).Abandoned(); err == nil {
			t.Errorf("%x is an id", body)
		}
	}
}

// Each request, cut anywhere inside, is an error and never half a request.
func TestRequestsTruncatedAtEveryOctet(t *testing.T) {
	requests := map[byte][]byte{
		OpBind:     Element(OpBind, []byte{2, 1, 3}, Octets("uid=a"), Element(TagSimple, []byte("secret"))),
		OpSearch:   searchBody(Element(FilterAnd, Element(FilterPresent, []byte("uid"))), Element(TagSequence, Octets("cn"))),
		OpCompare:  Element(OpCompare, Octets("uid=a"), Element(TagSequence, Octets("uid"), Octets("a"))),
		OpExtended: Element(OpExtended, Element(TagRequestName, []byte(strings.Repeat("1.2", 9)))),
	}
	for op, whole := range requests {
		for n := range len(whole) - 2 {
			m := Message{Op: op, body: whole[2 : 2+n]}
			var err error
			switch op {
			case OpBind:
				_, err = m.Bind()
			case OpSearch:
				_, err = m.Search()
			case OpCompare:
				_, err = m.Compare()
			case OpExtended:
				_, err = m.Extended()
			}
			if err != ErrFrame {
				t.Errorf("%#x cut to %d octets: %v", op, n, err)
			}
		}
	}
}
