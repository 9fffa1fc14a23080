package config

import (
	"cmp"
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// filter reads a search filter (RFC 4515) that holds one of the marks for
// what it is searched with. A mark stands for a whole value that an attribute
// is to have, and nobody may be found without one.
func (t *table) filter(key, def string, marks ...string) string {
	text := t.text(key, def)
	if text == "" && def == "" || t.r.faults.blames(t.name(key)) {
		return text
	}
	like := cmp.Or(def, "(member=%d)")
	written := 0
	for _, mark := range marks {
		written += strings.Count(text, mark)
	}
	if written == 0 {
		t.fault(key, "%q holds no %s, so it finds the same for everybody; write it like %q", text, strings.Join(marks, " and no "), like)
		return text
	}
	f, err := ldap.CompileFilter(text)
	if err != nil {
		t.fault(key, "%q is not a search filter: %v; write it like %q", text, err, like)
		return text
	}
	m := marked{marks: marks}
	bound := m.bind(f)
	switch {
	case len(m.by) != written:
		t.fault(key, "%q has %s where it is not the whole value of an attribute, or below a !; write it like %q", text, strings.Join(marks, " or "), like)
	case !bound:
		t.fault(key, "%q finds some without %s, so the same for everybody; write it like %q", text, strings.Join(marks, " or "), like)
	}
	return text
}

// others are the attributes other than name by which a filter finds somebody.
func (t *table) others(key, text, name string) (list string, ok bool) {
	f, err := ldap.CompileFilter(text)
	if err != nil || t.r.faults.blames(t.name(key)) {
		return "", false
	}
	m := marked{marks: []string{"%s"}}
	m.bind(f)
	same := func(by string) bool { return strings.EqualFold(by, name) }
	m.by = slices.DeleteFunc(m.by, same)
	return strings.Join(m.by, " and "), len(m.by) > 0
}

// marked is where a filter holds its marks.
type marked struct {
	marks []string
	by    []string // the attributes whose whole value is a mark
}

// bind reports whether whatever f finds has a value that a mark stands for.
// Below a ! nothing counts.
func (m *marked) bind(f *ber.Packet) (bound bool) {
	switch f.Tag {
	case ldap.FilterAnd:
		for _, part := range f.Children {
			bound = m.bind(part) || bound
		}
		return bound
	case ldap.FilterOr:
		bound = true
		for _, part := range f.Children {
			bound = m.bind(part) && bound
		}
		return bound && len(f.Children) > 0
	case ldap.FilterEqualityMatch:
		return m.value(f.Children[0], f.Children[1])
	case ldap.FilterExtensibleMatch:
		var by, value *ber.Packet
		for _, part := range f.Children {
			switch part.Tag {
			case ldap.MatchingRuleAssertionType:
				by = part
			case ldap.MatchingRuleAssertionMatchValue:
				value = part
			}
		}
		return by != nil && value != nil && m.value(by, value)
	}
	return false
}

func (m *marked) value(by, value *ber.Packet) bool {
	if !slices.Contains(m.marks, value.Data.String()) {
		return false
	}
	m.by = append(m.by, by.Data.String())
	return true
}
