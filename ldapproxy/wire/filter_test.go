package wire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestFiltersOfGoLDAP(t *testing.T) {
	tests := []struct {
		text string
		want Filter
	}{
		{"(uid=alice)", Filter{Kind: FilterEqual, Attribute: "uid", Value: []byte("alice")}},
		{"(uid=)", Filter{Kind: FilterEqual, Attribute: "uid", Value: []byte{}}},
		{`(cn;lang-ja=\e9\96\a2)`, Filter{Kind: FilterEqual, Attribute: "cn;lang-ja", Value: []byte("関")}},
		{"(uidNumber>=1000)", Filter{Kind: FilterGreater, Attribute: "uidNumber", Value: []byte("1000")}},
		{"(uidNumber<=2000)", Filter{Kind: FilterLess, Attribute: "uidNumber", Value: []byte("2000")}},
		{"(cn~=alice)", Filter{Kind: FilterApprox, Attribute: "cn", Value: []byte("alice")}},
		{"(objectClass=*)", Filter{Kind: FilterPresent, Attribute: "objectClass"}},
		{"(cn=a*)", Filter{Kind: FilterSubstrings, Attribute: "cn", Initial: []byte("a")}},
		{"(cn=*b)", Filter{Kind: FilterSubstrings, Attribute: "cn", Final: []byte("b")}},
		{"(cn=*m*)", Filter{Kind: FilterSubstrings, Attribute: "cn", Any: [][]byte{[]byte("m")}}},
		{"(cn=a*m*n*b)", Filter{Kind: FilterSubstrings, Attribute: "cn", Initial: []byte("a"),
			Any: [][]byte{[]byte("m"), []byte("n")}, Final: []byte("b")}},
		{"(cn:=Alice)", Filter{Kind: FilterExtensible, Attribute: "cn", Value: []byte("Alice")}},
		{"(cn:caseExactMatch:=Alice)", Filter{Kind: FilterExtensible, Attribute: "cn", Rule: "caseExactMatch", Value: []byte("Alice")}},
		{"(:dn:2.5.13.5:=Alice)", Filter{Kind: FilterExtensible, Rule: "2.5.13.5", DNAttrs: true, Value: []byte("Alice")}},
		{"(ou:dn:=People)", Filter{Kind: FilterExtensible, Attribute: "ou", DNAttrs: true, Value: []byte("People")}},
		{"(!(uid=a))", Filter{Kind: FilterNot, Children: []*Filter{{Kind: FilterEqual, Attribute: "uid", Value: []byte("a")}}}},
		{"(|(a=*)(b=*))", Filter{Kind: FilterOr, Children: []*Filter{
			{Kind: FilterPresent, Attribute: "a"}, {Kind: FilterPresent, Attribute: "b"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			packet, err := ldap.CompileFilter(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseFilter(packet.Bytes())
			if err != nil || !reflect.DeepEqual(*got, tt.want) {
				t.Fatalf("got %+v, %v", got, err)
			}
			// go-ldap's TRUE is 01.
			want := bytes.Replace(packet.Bytes(), []byte{tagDNAttributes, 1, 1}, []byte{tagDNAttributes, 1, 0xff}, 1)
			if !bytes.Equal(got.Encode(), want) {
				t.Errorf("% x became % x", want, got.Encode())
			}
		})
	}
}

func TestFilters(t *testing.T) {
	uid := Octets("uid")
	leaf := Element(FilterPresent, []byte("uid"))
	substrings := func(parts ...[]byte) []byte { return Element(FilterSubstrings, uid, Element(TagSequence, parts...)) }
	a := []byte("a")
	tests := []struct {
		name string
		in   []byte
		err  error
	}{
		{"absolute true", Element(FilterAnd), nil},
		{"absolute false", Element(FilterOr), nil},
		{"a choice of the future", Element(0xaa, []byte("anything")), nil},
		{"empty substring", substrings(Element(TagAny)), nil},
		{"dnAttributes FALSE, said", Element(FilterExtensible, Element(tagMatchType, a), Element(TagMatchValue, a), []byte{tagDNAttributes, 1, 0}), nil},

		{"not of nothing", Element(FilterNot), ErrFrame},
		{"not of two", Element(FilterNot, leaf, leaf), ErrFrame},
		{"nothing", nil, ErrFrame},
		{"a universal tag", Octets("uid=a"), ErrFrame},
		{"present, constructed", Element(0xa7, a), ErrFrame},
		{"and, primitive", Element(0x80, leaf), ErrFrame},
		{"garbage in and", Element(FilterAnd, leaf, []byte{0x87}), ErrFrame},
		{"equality without a value", Element(FilterEqual, uid), ErrFrame},
		{"equality with a third part", Element(FilterEqual, uid, uid, uid), ErrFrame},
		{"substrings without a part", substrings(), errRequest},
		{"substrings without a list", Element(FilterSubstrings, uid), ErrFrame},
		{"initial behind another", substrings(Element(TagAny, a), Element(tagInitial, a)), errRequest},
		{"two initials", substrings(Element(tagInitial, a), Element(tagInitial, a)), errRequest},
		{"any behind final", substrings(Element(tagFinal, a), Element(TagAny, a)), errRequest},
		{"any behind an empty final", substrings(Element(tagFinal), Element(TagAny, a)), errRequest},
		{"two finals", substrings(Element(tagFinal, a), Element(tagFinal, a)), errRequest},
		{"a part of no kind", substrings(Element(0x83, a)), errRequest},
		{"a part that is cut", substrings([]byte{TagAny, 2, 'a'}), ErrFrame},
		{"extensible without rule and attribute", Element(FilterExtensible, Element(TagMatchValue, a)), errRequest},
		{"extensible without a value", Element(FilterExtensible, Element(tagMatchType, a)), ErrFrame},
		{"extensible out of order", Element(FilterExtensible, Element(tagMatchType, a), Element(TagMatchingRule, a), Element(TagMatchValue, a)), ErrFrame},
		{"extensible with two values", Element(FilterExtensible, Element(tagMatchType, a), Element(TagMatchValue, a), Element(TagMatchValue, a)), ErrFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if f, err := ParseFilter(tt.in); err != tt.err {
				t.Errorf("got %+v, %v; want %v", f, err, tt.err)
			}
		})
	}
}

func nested(kind byte, depth int) []byte {
	b := Element(FilterPresent, []byte("uid"))
	for range depth - 1 {
		b = Element(kind, b)
	}
	return b
}

func TestFilterNestedTooDeepIsRefused(t *testing.T) {
	for _, kind := range []byte{FilterAnd, FilterOr, FilterNot} {
		if _, err := ParseFilter(nested(kind, maxDepth)); err != nil {
			t.Errorf("%#x, %d deep: %v", kind, maxDepth, err)
		}
		for _, depth := range []int{maxDepth + 1, 100, 2_000} {
			m := parsed(t, envelope(searchBody(nested(kind, depth), Element(TagSequence))))
			if _, err := m.Search(); err != errDeep {
				t.Errorf("%#x, %d deep: %v", kind, depth, err)
			}
		}
	}
}

func TestFilterOfTooManyPartsIsRefused(t *testing.T) {
	leaf := Element(FilterPresent, []byte("u"))
	any := Element(TagAny, []byte("u"))
	rule, value := Element(TagMatchingRule, []byte("caseIgnoreMatch")), Element(TagMatchValue, []byte("x"))
	anyAttribute := Element(FilterExtensible, rule, value)
	oneAttribute := Element(FilterExtensible, rule, Element(tagMatchType, []byte("cn")), value)
	tests := []struct {
		name string
		in   []byte
		err  error
	}{
		{"512 nodes", Element(FilterOr, bytes.Repeat(leaf, 511)), nil},
		{"513 nodes", Element(FilterOr, bytes.Repeat(leaf, 512)), errMany},
		{"511 substrings", Element(FilterSubstrings, Octets("u"), Element(TagSequence, bytes.Repeat(any, 511))), nil},
		{"512 substrings", Element(FilterSubstrings, Octets("u"), Element(TagSequence, bytes.Repeat(any, 512))), errMany},
		{"15 matches of any attribute", Element(FilterOr, bytes.Repeat(anyAttribute, 15)), nil},
		{"16 matches of any attribute", Element(FilterOr, bytes.Repeat(anyAttribute, 16)), errMany},
		{"511 matches of one attribute", Element(FilterOr, bytes.Repeat(oneAttribute, 511)), nil},
	}
	for _, tt := range tests {
		if _, err := ParseFilter(tt.in); err != tt.err {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
