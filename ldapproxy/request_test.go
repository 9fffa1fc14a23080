package ldapproxy

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestBindOfGoLDAP(t *testing.T) {
	m := sent(t, func(c *ldap.Conn) { c.Bind("uid=alice,dc=example", "secret\x00123456") })
	b, err := m.bind()
	if err != nil || b.version != 3 || string(b.dn) != "uid=alice,dc=example" ||
		!b.simple || string(b.password) != "secret\x00123456" || b.mechanism != nil {
		t.Errorf("%+v, %v", b, err)
	}
	m = sent(t, func(c *ldap.Conn) { c.ExternalBind() })
	if b, err := m.bind(); err != nil || b.simple || string(b.mechanism) != "EXTERNAL" {
		t.Errorf("EXTERNAL: %+v, %v", b, err)
	}
	m = sent(t, func(c *ldap.Conn) { c.UnauthenticatedBind("uid=alice") })
	if b, err := m.bind(); err != nil || !b.simple || len(b.password) != 0 || string(b.dn) != "uid=alice" {
		t.Errorf("empty password: %+v, %v", b, err)
	}
}

func TestBind(t *testing.T) {
	version, dn := []byte{2, 1, 3}, tlvString("uid=a")
	tests := []struct {
		name string
		body [][]byte
		want bindRequest
		err  error
	}{
		{"simple", [][]byte{version, dn, tlv(tagSimple, []byte("pw"))},
			bindRequest{version: 3, dn: []byte("uid=a"), simple: true, password: []byte("pw")}, nil},
		{"LDAPv2", [][]byte{{2, 1, 2}, dn, tlv(tagSimple, nil)},
			bindRequest{version: 2, dn: []byte("uid=a"), simple: true, password: []byte{}}, nil},
		{"SASL with credentials", [][]byte{version, dn, tlv(tagSASL, tlvString("PLAIN"), tlvString("\x00a\x00b"))},
			bindRequest{version: 3, dn: []byte("uid=a"), mechanism: []byte("PLAIN")}, nil},
		{"SASL, empty mechanism", [][]byte{version, dn, tlv(tagSASL, tlvString(""))},
			bindRequest{version: 3, dn: []byte("uid=a"), mechanism: []byte{}}, nil},
		{"Kerberos of LDAPv2", [][]byte{version, dn, tlv(0x81, []byte("ticket"))},
			bindRequest{version: 3, dn: []byte("uid=a")}, nil},
		{"sicily", [][]byte{version, dn, tlv(0x8a, []byte("NTLM"))},
			bindRequest{version: 3, dn: []byte("uid=a")}, nil},
		{"component of a later version", [][]byte{version, dn, tlv(tagSimple, []byte("pw")), tlv(0x84, nil)},
			bindRequest{version: 3, dn: []byte("uid=a"), simple: true, password: []byte("pw")}, nil},

		{"empty", nil, bindRequest{}, errFrame},
		{"no credential", [][]byte{version, dn}, bindRequest{}, errFrame},
		{"two passwords", [][]byte{version, dn, tlv(tagSimple, []byte("pw")), tlv(tagSimple, []byte("other"))}, bindRequest{}, errFrame},
		{"password and SASL", [][]byte{version, dn, tlv(tagSimple, []byte("pw")), tlv(tagSASL, tlvString("PLAIN"))}, bindRequest{}, errFrame},
		{"password as a plain string", [][]byte{version, dn, tlvString("pw")}, bindRequest{}, errFrame},
		{"negative version", [][]byte{{2, 1, 0xff}, dn, tlv(tagSimple, nil)}, bindRequest{}, errRequest},
		{"version of five octets", [][]byte{{2, 5, 0, 0, 0, 0, 3}, dn, tlv(tagSimple, nil)}, bindRequest{}, errRequest},
		{"version that is a string", [][]byte{tlvString("3"), dn, tlv(tagSimple, nil)}, bindRequest{}, errFrame},
		{"garbage in SASL", [][]byte{version, dn, tlv(tagSASL, tlvString("PLAIN"), []byte{0xff})}, bindRequest{}, errFrame},
		{"SASL without mechanism", [][]byte{version, dn, tlv(tagSASL)}, bindRequest{}, errFrame},
		{"octets behind", [][]byte{version, dn, tlv(tagSimple, nil), {0}}, bindRequest{}, errFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsed(t, envelope(tlv(opBind, tt.body...))).bind()
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
	s, err := m.search()
	if err != nil {
		t.Fatal(err)
	}
	f := s.filter
	s.filter = nil
	want := &searchRequest{base: "ou=people,dc=example", scope: 2, deref: 3, sizeLimit: 500, timeLimit: 30,
		typesOnly: true, attributes: []string{"uid", "+", "1.1"}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v, want %+v", s, want)
	}
	if f.kind != filterAnd || len(f.children) != 2 || f.children[1].attribute != "uid" {
		t.Errorf("filter: %+v", f)
	}
	c, ok := m.control(oidPaged)
	if size, cookie, err := parsePaged(c.value); !ok || err != nil || size != 100 || len(cookie) != 0 {
		t.Errorf("paging: %v, %d, %x, %v", ok, size, cookie, err)
	}
	if _, ok := m.control("1.2.3"); ok {
		t.Error("a control that is not there")
	}
}

// search is the body of a SearchRequest with this filter and what follows it.
func searchBody(rest ...[]byte) []byte {
	return tlv(opSearch, tlvString("dc=example"), []byte{0x0a, 1, 2, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0}, bytes.Join(rest, nil))
}

func TestSearch(t *testing.T) {
	present := tlv(filterPresent, []byte("uid"))
	head := func(octets ...byte) []byte {
		return tlv(opSearch, tlvString(""), octets, present, tlv(tagSequence))
	}
	tests := []struct {
		name string
		op   []byte
		err  error
	}{
		{"no attributes", searchBody(present, tlv(tagSequence)), nil},
		{"unknown scope", head(0x0a, 1, 9, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0), nil},
		{"TRUE as 01", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 1), nil},
		{"largest limits", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 4, 0x7f, 0xff, 0xff, 0xff, 2, 4, 0x7f, 0xff, 0xff, 0xff, 1, 1, 0), nil},
		{"511 attributes", searchBody(present, tlv(tagSequence, bytes.Repeat(tlvString("a"), 511))), nil},

		{"negative size limit", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0xff, 2, 1, 0, 1, 1, 0), errRequest},
		{"512 attributes", searchBody(present, tlv(tagSequence, bytes.Repeat(tlvString("a"), 512))), errMany},
		{"BOOLEAN of two octets", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 2, 0, 0), errFrame},
		{"BOOLEAN of none", head(0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 0), errFrame},
		{"scope as INTEGER", head(2, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0), errFrame},
		{"no filter", searchBody(tlv(tagSequence)), errFrame},
		{"no attribute list", searchBody(present), errFrame},
		{"an attribute that is a number", searchBody(present, tlv(tagSequence, []byte{2, 1, 5})), errFrame},
		{"garbage behind", searchBody(present, tlv(tagSequence), []byte{0x80, 5}), errFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parsed(t, envelope(tt.op)).search()
			if err != tt.err || (s == nil) != (err != nil) {
				t.Errorf("got %+v, %v; want %v", s, err, tt.err)
			}
		})
	}
}

func TestCompareOfGoLDAP(t *testing.T) {
	m := sent(t, func(c *ldap.Conn) { c.Compare("uid=alice", "mail", "a@example.ac.jp") })
	got, err := m.compare()
	if err != nil || got.dn != "uid=alice" || got.attribute != "mail" || string(got.value) != "a@example.ac.jp" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestExtendedOfGoLDAP(t *testing.T) {
	m := sent(t, func(c *ldap.Conn) { c.WhoAmI(nil) })
	if e, err := m.extended(); err != nil || e.oid != "1.3.6.1.4.1.4203.1.11.3" || e.hasValue {
		t.Errorf("WhoAmI: %+v, %v", e, err)
	}
	m = sent(t, func(c *ldap.Conn) { c.PasswordModify(ldap.NewPasswordModifyRequest("uid=alice", "old", "new")) })
	if e, err := m.extended(); err != nil || e.oid != "1.3.6.1.4.1.4203.1.11.1" || !e.hasValue || !bytes.Contains(e.value, []byte("old")) {
		t.Errorf("PasswordModify: %+v, %v", e, err)
	}
}

func TestExtendedAndCompareThatAreNot(t *testing.T) {
	name := tlv(tagRequestName, []byte("1.2"))
	ava := tlv(tagSequence, tlvString("uid"), tlvString("a"))
	for _, op := range [][]byte{
		tlv(opExtended),
		tlv(opExtended, tlvString("1.2")),
		tlv(opExtended, tlv(tagRequestValue, []byte("v"))),
		tlv(opExtended, name, name),
		tlv(opExtended, name, tlv(tagRequestValue), tlv(tagRequestValue)),
		tlv(opExtended, name, tlvString("v")),
		tlv(opExtended, name, []byte{0x81, 1}),
	} {
		if e, err := parsed(t, envelope(op)).extended(); err != errFrame {
			t.Errorf("%x: %+v, %v", op, e, err)
		}
	}
	for _, op := range [][]byte{
		tlv(opCompare),
		tlv(opCompare, tlvString("uid=a")),
		tlv(opCompare, tlvString("uid=a"), tlv(tagSequence, tlvString("uid"))),
		tlv(opCompare, tlvString("uid=a"), tlv(tagSequence, tlvString("uid"), tlvString("a"), tlvString("b"))),
		tlv(opCompare, tlvString("uid=a"), ava, ava),
	} {
		if c, err := parsed(t, envelope(op)).compare(); err != errFrame {
			t.Errorf("%x: %+v, %v", op, c, err)
		}
	}
}

func TestAbandon(t *testing.T) {
	if id, err := parsed(t, envelope(tlv(opAbandon, []byte{1, 0}))).abandon(); err != nil || id != 256 {
		t.Errorf("%d, %v", id, err)
	}
	for _, body := range [][]byte{nil, {0xff}, {0, 0, 0, 0, 1}} {
		if _, err := parsed(t, envelope(tlv(opAbandon, body))).abandon(); err == nil {
			t.Errorf("%x is an id", body)
		}
	}
}

// Each request, cut anywhere inside, is an error and never half a request.
func TestRequestsTruncatedAtEveryOctet(t *testing.T) {
	requests := map[byte][]byte{
		opBind:     tlv(opBind, []byte{2, 1, 3}, tlvString("uid=a"), tlv(tagSimple, []byte("secret"))),
		opSearch:   searchBody(tlv(filterAnd, tlv(filterPresent, []byte("uid"))), tlv(tagSequence, tlvString("cn"))),
		opCompare:  tlv(opCompare, tlvString("uid=a"), tlv(tagSequence, tlvString("uid"), tlvString("a"))),
		opExtended: tlv(opExtended, tlv(tagRequestName, []byte(strings.Repeat("1.2", 9)))),
	}
	for op, whole := range requests {
		for n := range len(whole) - 2 {
			m := message{op: op, body: whole[2 : 2+n]}
			var err error
			switch op {
			case opBind:
				_, err = m.bind()
			case opSearch:
				_, err = m.search()
			case opCompare:
				_, err = m.compare()
			case opExtended:
				_, err = m.extended()
			}
			if err != errFrame {
				t.Errorf("%#x cut to %d octets: %v", op, n, err)
			}
		}
	}
}
