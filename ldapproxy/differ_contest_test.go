//go:build linux

package ldapproxy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

// contest is one message, and how it was taken.
type contest struct {
	how          standing // at the beginning
	bound        bool     // by now, with us
	frame        []byte
	m            wire.Message
	err          error // of reading m
	ours, theirs taken
	fell         bool // slapd has fallen over
}

// spelled is what a message asks, for a reader.
func spelled(q *contest) string {
	if q.err != nil {
		return q.err.Error()
	}
	switch q.m.Op {
	case wire.OpSearch:
		if s, err := q.m.Search(); err == nil {
			return fmt.Sprintf("search %q scope %d limits %d %d filter %s attributes %q controls %+v",
				s.Base, s.Scope, s.SizeLimit, s.TimeLimit, spelledFilter(s.Filter), s.Attributes, q.m.Controls)
		}
	case wire.OpCompare:
		if c, err := q.m.Compare(); err == nil {
			return fmt.Sprintf("compare %q %q = %q controls %+v", c.DN, c.Attribute, c.Value, q.m.Controls)
		}
	case wire.OpBind:
		if b, err := q.m.Bind(); err == nil {
			return fmt.Sprintf("bind version %d %q simple %v %q controls %+v", b.Version, b.DN, b.Simple, b.Password, q.m.Controls)
		}
	case wire.OpExtended:
		if e, err := q.m.Extended(); err == nil {
			return fmt.Sprintf("extended %q %x controls %+v", e.OID, e.Value, q.m.Controls)
		}
	}
	return fmt.Sprintf("operation %#x", q.m.Op)
}

func spelledFilter(f *wire.Filter) string {
	var parts strings.Builder
	for _, c := range f.Children {
		parts.WriteString(spelledFilter(c))
	}
	switch f.Kind {
	case wire.FilterAnd, wire.FilterOr, wire.FilterNot:
		return "(" + string("&|!"[f.Kind-wire.FilterAnd]) + parts.String() + ")"
	case wire.FilterSubstrings:
		return fmt.Sprintf("(%q=%q*%q*%q)", f.Attribute, f.Initial, f.Any, f.Final)
	case wire.FilterPresent:
		return fmt.Sprintf("(%q=*)", f.Attribute)
	case wire.FilterExtensible:
		return fmt.Sprintf("(%q:%v:%q:=%q)", f.Attribute, f.DNAttrs, f.Rule, f.Value)
	}
	return fmt.Sprintf("(%q [%#x] %q)", f.Attribute, f.Kind, f.Value)
}

// refusedWith reports whether we have answered just this.
func (q *contest) refusedWith(code int) bool {
	return !q.ours.ended && len(q.ours.replies) == 1 && q.ours.replies[0].code == code
}

func (q *contest) toldThem(code int) bool {
	return !q.theirs.ended && len(q.theirs.replies) == 1 && q.theirs.replies[0].code == code
}

func (q *contest) toldUs(code int) bool { return !q.ours.ended && q.ours.code() == code }

func isSubschema(dn string) bool {
	same, err := canonicalDN(dn)
	return err == nil && same == "cn=subschema"
}

func (q *contest) search() *wire.SearchRequest {
	if q.m.Op != wire.OpSearch {
		return nil
	}
	s, _ := q.m.Search()
	return s
}

// asks reports whether it is about entries.
func (q *contest) asks() bool { return q.m.Op == wire.OpSearch || q.m.Op == wire.OpCompare }

// readable reports whether there is an envelope.
func (q *contest) readable() bool { return q.m.ID != 0 }

// fault is what we answer to what can't be read; 0: it can.
func (q *contest) fault() int {
	err := q.err
	if err == nil {
		err = contentFault(q.m)
	}
	if err == nil {
		return 0
	}
	r, _ := wire.Fault(err)
	return r.Code
}

func contentFault(m wire.Message) (err error) {
	switch m.Op {
	case wire.OpSearch:
		_, err = m.Search()
	case wire.OpCompare:
		_, err = m.Compare()
	case wire.OpBind:
		_, err = m.Bind()
	case wire.OpExtended:
		_, err = m.Extended()
	}
	return err
}

// unsound reports whether it is what slapd's decoder overlooks that we can't
// read.
func (q *contest) unsound() bool {
	m, err := wire.ParseMessage(sound(q.frame))
	if err == nil {
		err = contentFault(m)
	}
	if err == nil {
		return true
	}
	_, last := wire.Fault(err)
	return !last
}

// appended reports whether we can read it, but for what stands behind what we
// know.
func (q *contest) appended() bool {
	if !q.readable() || q.fault() != 0 {
		return false
	}
	m, err := wire.ParseStrict(q.frame)
	if err == nil {
		err = contentFault(m)
	}
	s := q.search()
	return err != nil || s != nil && !bytes.Contains(q.frame, s.Filter.Encode())
}

func (q *contest) changes() bool {
	switch q.m.Op {
	case wire.OpModify, wire.OpAdd, wire.OpDelete, wire.OpModifyDN:
		return true
	}
	return q.extended() == wire.OIDModifyPassword
}

func (q *contest) compare() (wire.CompareRequest, bool) {
	if q.m.Op != wire.OpCompare {
		return wire.CompareRequest{}, false
	}
	c, err := q.m.Compare()
	return c, err == nil
}

func (q *contest) extended() string {
	if q.m.Op != wire.OpExtended {
		return ""
	}
	e, _ := q.m.Extended()
	return e.OID
}

func (q *contest) doubled() bool {
	r, _ := wire.Fault(q.err)
	return q.err != nil && r.Diagnostic == "a control is there twice"
}

func (q *contest) hasControl(critical bool, names []string) bool {
	return slices.ContainsFunc(q.m.Controls, func(c wire.Control) bool { return c.Critical == critical && slices.Contains(names, c.OID) })
}

// controlNamesOf is the names of controls, whatever else is wrong.
func controlNamesOf(frame []byte) (names []string) {
	d := wire.Decoder{Rest: frame}
	in := d.Within(wire.TagSequence)
	in.Next()
	in.Next()
	for list := in.Within(wire.TagControls); list.More(); {
		_, body := list.Next()
		c := wire.Decoder{Rest: body}
		names = append(names, c.Text(wire.TagString))
	}
	return names
}

// name is the DN that it is about.
func (q *contest) name() string {
	d := wire.Decoder{Rest: q.frame}
	in := d.Within(wire.TagSequence)
	in.Next()
	op, body := in.Next()
	b := wire.Decoder{Rest: body}
	switch op {
	case wire.OpBind:
		b.Next()
		_, name := b.Next()
		return string(name)
	case wire.OpSearch, wire.OpCompare:
		_, name := b.Next()
		return string(name)
	}
	return ""
}

func (q *contest) isDN() bool {
	_, err := directory.ParseDN(q.name())
	return err == nil && utf8.ValidString(q.name())
}

// op is the operation, of what may be no message.
func (q *contest) op() byte {
	d := wire.Decoder{Rest: q.frame}
	in := d.Within(wire.TagSequence)
	in.Next()
	return in.Peek()
}

// miscounted reports whether the operation has not as many parts as it has in
// RFC 4511.
func (q *contest) miscounted() bool {
	wants := map[byte]int{wire.OpSearch: 8, wire.OpCompare: 2, wire.OpBind: 3}
	d := wire.Decoder{Rest: q.frame}
	in := d.Within(wire.TagSequence)
	in.Next()
	op, body := in.Next()
	n := 0
	for b := (wire.Decoder{Rest: body}); b.More(); n++ {
		b.Next()
	}
	if op == wire.OpExtended { // its value is optional
		return n == 0
	}
	return wants[op] > 0 && n != wants[op]
}

func hasEmptyPart(f *wire.Filter) bool {
	return anyPart(f, func(part string) bool { return part == "" })
}

func hasBlankPart(f *wire.Filter) bool {
	return anyPart(f, func(part string) bool { return strings.TrimSpace(part) == "" })
}

// anyPart reports whether something holds of a part of a substrings filter.
func anyPart(f *wire.Filter, holds func(string) bool) bool {
	parts := slices.Clone(f.Any)
	for _, end := range [][]byte{f.Initial, f.Final} {
		if end != nil {
			parts = append(parts, end)
		}
	}
	return f.Kind == wire.FilterSubstrings && slices.ContainsFunc(parts, func(p []byte) bool { return holds(string(p)) })
}

// filters reports whether it is a search that both have answered with what they
// have found, and something holds of a part of its filter.
func (q *contest) filters(holds func(*wire.Filter) bool) bool {
	s := q.search()
	found := func(a taken) bool {
		return !a.ended && (a.code() == wire.ResultSuccess || a.code() == wire.ResultSizeLimitExceeded)
	}
	return s != nil && found(q.ours) && found(q.theirs) && anyOf(s.Filter, holds)
}

// isNameToSlapd reports whether slapd surely takes it for a DN: it wants to
// know each type, and each value is to be one of the type.
func (q *contest) isNameToSlapd() bool { return isNameToSlapd(q.name()) }

func isNameToSlapd(name string) bool {
	dn, err := directory.ParseDN(name)
	if err != nil || !utf8.ValidString(name) || strings.Contains(name, "=#") || strings.ContainsAny(name, "\t\n\v\f\r") {
		return false
	}
	for _, rdn := range dn.RDNs {
		if len(rdn.Attributes) > 1 { // perhaps of one type
			return false
		}
		for _, a := range rdn.Attributes {
			kind := strings.ToLower(a.Type)
			if !slices.Contains(typesOfNames, kind) || a.Value == "" || !utf8.ValidString(a.Value) || strings.HasSuffix(kind, "dc") && strings.ContainsFunc(a.Value, func(r rune) bool { return r > unicode.MaxASCII }) {
				return false
			}
		}
	}
	return true
}

// tiles reports whether the elements fill each other, as deep as there are
// constructed ones.
func tiles(b []byte, depth int) bool {
	d := wire.Decoder{Rest: b}
	for d.More() {
		tag, body := d.Next()
		if d.Err != nil || depth > 64 || tag&0x20 != 0 && !tiles(body, depth+1) {
			return false
		}
	}
	return true
}

// anyOf reports whether something holds of a part of a filter.
func anyOf(f *wire.Filter, holds func(*wire.Filter) bool) bool {
	return holds(f) || slices.ContainsFunc(f.Children, func(c *wire.Filter) bool { return anyOf(c, holds) })
}
