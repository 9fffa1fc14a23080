package ldapproxy

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// readFilter reads one filter and nothing behind it.
func readFilter(b []byte) (*filter, error) {
	d := decoder{rest: b}
	parts := maxParts
	f := d.filter(1, &parts)
	if d.err == nil && d.more() {
		d.fail(errFrame)
	}
	if d.err != nil {
		return nil, d.err
	}
	return f, nil
}

// encode is the filter in BER, to see that nothing was lost.
func (f *filter) encode() []byte {
	switch f.kind {
	case filterAnd, filterOr, filterNot:
		var parts [][]byte
		for _, c := range f.children {
			parts = append(parts, c.encode())
		}
		return tlv(f.kind, parts...)
	case filterEqual, filterGreater, filterLess, filterApprox:
		return tlv(f.kind, tlvString(f.attribute), tlv(tagString, f.value))
	case filterPresent:
		return tlv(f.kind, []byte(f.attribute))
	case filterSubstrings:
		var parts [][]byte
		if f.initial != nil {
			parts = append(parts, tlv(tagInitial, f.initial))
		}
		for _, s := range f.any {
			parts = append(parts, tlv(tagAny, s))
		}
		if f.final != nil {
			parts = append(parts, tlv(tagFinal, f.final))
		}
		return tlv(f.kind, tlvString(f.attribute), tlv(tagSequence, parts...))
	case filterExtensible:
		var parts [][]byte
		if f.rule != "" {
			parts = append(parts, tlv(tagMatchingRule, []byte(f.rule)))
		}
		if f.attribute != "" {
			parts = append(parts, tlv(tagMatchType, []byte(f.attribute)))
		}
		parts = append(parts, tlv(tagMatchValue, f.value))
		if f.dnAttrs {
			parts = append(parts, []byte{tagDNAttributes, 1, 0xff})
		}
		return tlv(f.kind, parts...)
	}
	return tlv(f.kind)
}

func TestFiltersOfGoLDAP(t *testing.T) {
	tests := []struct {
		text string
		want filter
	}{
		{"(uid=alice)", filter{kind: filterEqual, attribute: "uid", value: []byte("alice")}},
		{"(uid=)", filter{kind: filterEqual, attribute: "uid", value: []byte{}}},
		{`(cn;lang-ja=\e9\96\a2)`, filter{kind: filterEqual, attribute: "cn;lang-ja", value: []byte("関")}},
		{"(uidNumber>=1000)", filter{kind: filterGreater, attribute: "uidNumber", value: []byte("1000")}},
		{"(uidNumber<=2000)", filter{kind: filterLess, attribute: "uidNumber", value: []byte("2000")}},
		{"(cn~=alice)", filter{kind: filterApprox, attribute: "cn", value: []byte("alice")}},
		{"(objectClass=*)", filter{kind: filterPresent, attribute: "objectClass"}},
		{"(cn=a*)", filter{kind: filterSubstrings, attribute: "cn", initial: []byte("a")}},
		{"(cn=*b)", filter{kind: filterSubstrings, attribute: "cn", final: []byte("b")}},
		{"(cn=*m*)", filter{kind: filterSubstrings, attribute: "cn", any: [][]byte{[]byte("m")}}},
		{"(cn=a*m*n*b)", filter{kind: filterSubstrings, attribute: "cn", initial: []byte("a"),
			any: [][]byte{[]byte("m"), []byte("n")}, final: []byte("b")}},
		{"(cn:=Alice)", filter{kind: filterExtensible, attribute: "cn", value: []byte("Alice")}},
		{"(cn:caseExactMatch:=Alice)", filter{kind: filterExtensible, attribute: "cn", rule: "caseExactMatch", value: []byte("Alice")}},
		{"(:dn:2.5.13.5:=Alice)", filter{kind: filterExtensible, rule: "2.5.13.5", dnAttrs: true, value: []byte("Alice")}},
		{"(ou:dn:=People)", filter{kind: filterExtensible, attribute: "ou", dnAttrs: true, value: []byte("People")}},
		{"(!(uid=a))", filter{kind: filterNot, children: []*filter{{kind: filterEqual, attribute: "uid", value: []byte("a")}}}},
		{"(|(a=*)(b=*))", filter{kind: filterOr, children: []*filter{
			{kind: filterPresent, attribute: "a"}, {kind: filterPresent, attribute: "b"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			packet, err := ldap.CompileFilter(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readFilter(packet.Bytes())
			if err != nil || !reflect.DeepEqual(*got, tt.want) {
				t.Fatalf("got %+v, %v", got, err)
			}
			// go-ldap's TRUE is 01.
			want := bytes.Replace(packet.Bytes(), []byte{tagDNAttributes, 1, 1}, []byte{tagDNAttributes, 1, 0xff}, 1)
			if !bytes.Equal(got.encode(), want) {
				t.Errorf("% x became % x", want, got.encode())
			}
		})
	}
}

func TestFilters(t *testing.T) {
	uid := tlvString("uid")
	leaf := tlv(filterPresent, []byte("uid"))
	substrings := func(parts ...[]byte) []byte { return tlv(filterSubstrings, uid, tlv(tagSequence, parts...)) }
	a := []byte("a")
	tests := []struct {
		name string
		in   []byte
		err  error
	}{
		{"absolute true", tlv(filterAnd), nil},
		{"absolute false", tlv(filterOr), nil},
		{"a choice of the future", tlv(0xaa, []byte("anything")), nil},
		{"empty substring", substrings(tlv(tagAny)), nil},
		{"dnAttributes FALSE, said", tlv(filterExtensible, tlv(tagMatchType, a), tlv(tagMatchValue, a), []byte{tagDNAttributes, 1, 0}), nil},

		{"not of nothing", tlv(filterNot), errFrame},
		{"not of two", tlv(filterNot, leaf, leaf), errFrame},
		{"nothing", nil, errFrame},
		{"a universal tag", tlvString("uid=a"), errFrame},
		{"present, constructed", tlv(0xa7, a), errFrame},
		{"and, primitive", tlv(0x80, leaf), errFrame},
		{"garbage in and", tlv(filterAnd, leaf, []byte{0x87}), errFrame},
		{"equality without a value", tlv(filterEqual, uid), errFrame},
		{"equality with a third part", tlv(filterEqual, uid, uid, uid), errFrame},
		{"substrings without a part", substrings(), errRequest},
		{"substrings without a list", tlv(filterSubstrings, uid), errFrame},
		{"initial behind another", substrings(tlv(tagAny, a), tlv(tagInitial, a)), errRequest},
		{"two initials", substrings(tlv(tagInitial, a), tlv(tagInitial, a)), errRequest},
		{"any behind final", substrings(tlv(tagFinal, a), tlv(tagAny, a)), errRequest},
		{"any behind an empty final", substrings(tlv(tagFinal), tlv(tagAny, a)), errRequest},
		{"two finals", substrings(tlv(tagFinal, a), tlv(tagFinal, a)), errRequest},
		{"a part of no kind", substrings(tlv(0x83, a)), errRequest},
		{"a part that is cut", substrings([]byte{tagAny, 2, 'a'}), errFrame},
		{"extensible without rule and attribute", tlv(filterExtensible, tlv(tagMatchValue, a)), errRequest},
		{"extensible without a value", tlv(filterExtensible, tlv(tagMatchType, a)), errFrame},
		{"extensible out of order", tlv(filterExtensible, tlv(tagMatchType, a), tlv(tagMatchingRule, a), tlv(tagMatchValue, a)), errFrame},
		{"extensible with two values", tlv(filterExtensible, tlv(tagMatchType, a), tlv(tagMatchValue, a), tlv(tagMatchValue, a)), errFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if f, err := readFilter(tt.in); err != tt.err {
				t.Errorf("got %+v, %v; want %v", f, err, tt.err)
			}
		})
	}
}

func nested(kind byte, depth int) []byte {
	b := tlv(filterPresent, []byte("uid"))
	for range depth - 1 {
		b = tlv(kind, b)
	}
	return b
}

func TestFilterNestedTooDeepIsRefused(t *testing.T) {
	for _, kind := range []byte{filterAnd, filterOr, filterNot} {
		if _, err := readFilter(nested(kind, maxDepth)); err != nil {
			t.Errorf("%#x, %d deep: %v", kind, maxDepth, err)
		}
		for _, depth := range []int{maxDepth + 1, 100, 2_000} {
			m := parsed(t, envelope(searchBody(nested(kind, depth), tlv(tagSequence))))
			if _, err := m.search(); err != errDeep {
				t.Errorf("%#x, %d deep: %v", kind, depth, err)
			}
		}
	}
}

func TestFilterOfTooManyPartsIsRefused(t *testing.T) {
	leaf := tlv(filterPresent, []byte("u"))
	any := tlv(tagAny, []byte("u"))
	rule, value := tlv(tagMatchingRule, []byte("caseIgnoreMatch")), tlv(tagMatchValue, []byte("x"))
	anyAttribute := tlv(filterExtensible, rule, value)
	oneAttribute := tlv(filterExtensible, rule, tlv(tagMatchType, []byte("cn")), value)
	tests := []struct {
		name string
		in   []byte
		err  error
	}{
		{"512 nodes", tlv(filterOr, bytes.Repeat(leaf, 511)), nil},
		{"513 nodes", tlv(filterOr, bytes.Repeat(leaf, 512)), errMany},
		{"511 substrings", tlv(filterSubstrings, tlvString("u"), tlv(tagSequence, bytes.Repeat(any, 511))), nil},
		{"512 substrings", tlv(filterSubstrings, tlvString("u"), tlv(tagSequence, bytes.Repeat(any, 512))), errMany},
		{"15 matches of any attribute", tlv(filterOr, bytes.Repeat(anyAttribute, 15)), nil},
		{"16 matches of any attribute", tlv(filterOr, bytes.Repeat(anyAttribute, 16)), errMany},
		{"511 matches of one attribute", tlv(filterOr, bytes.Repeat(oneAttribute, 511)), nil},
	}
	for _, tt := range tests {
		if _, err := readFilter(tt.in); err != tt.err {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
