package tree

import "sekisho/ldapproxy/wire"

// truth is three-valued (RFC 4511 §4.5.1.7): what can't be decided, since
// nobody knows the attribute or the value is none of its kind, is Undefined;
// it matches nothing, and its negation does not either.
type truth uint8

const (
	no truth = iota
	undefined
	yes
)

// op is what a clause asks.
type op uint8

const (
	opConstant op = iota
	opAnd
	opOr
	opNot
	opPresent
	opEqual
	opSubstrings
	opGreater // or equal
	opLess    // or equal
	opBelow   // less, not equal
	opWithin  // the entry is one of these
)

// clause is a filter made ready for one tree: names are looked up, values
// read and prepared once, not for each entry.
type clause struct {
	op       op
	truth    truth // of a constant
	children []clause
	attr     attr
	exact    bool   // case counts
	text     string // prepared
	pieces   pieces
	number   int64
	link     uint32 // the entry that a DN names; noID: none
	spans    []span
}

// pieces are the parts of a substrings filter, prepared.
type pieces struct {
	initial []byte
	any     [][]byte
	final   []byte
}

func constant(v truth) clause { return clause{truth: v} }

// compile makes a filter ready.
func (t *tree) compile(f *wire.Filter) clause {
	switch f.Kind {
	case wire.FilterAnd:
		return clause{op: opAnd, children: t.compileAll(f.Children)}
	case wire.FilterOr:
		return clause{op: opOr, children: t.compileAll(f.Children)}
	case wire.FilterNot:
		return clause{op: opNot, children: t.compileAll(f.Children)}
	case wire.FilterPresent:
		return described(f.Attribute, func(a attr) clause { return clause{op: opPresent, attr: a} })
	case wire.FilterEqual, wire.FilterApprox:
		return described(f.Attribute, func(a attr) clause { return t.equal(a, f.Value) })
	case wire.FilterSubstrings:
		return described(f.Attribute, func(a attr) clause { return substrings(a, f) })
	case wire.FilterGreater:
		return described(f.Attribute, func(a attr) clause { return ordered(a, opGreater, f.Value) })
	case wire.FilterLess:
		return described(f.Attribute, func(a attr) clause { return ordered(a, opLess, f.Value) })
	case wire.FilterExtensible:
		return t.extensible(f)
	}
	return constant(undefined)
}

func (t *tree) compileAll(filters []*wire.Filter) []clause {
	clauses := make([]clause, len(filters))
	for i, f := range filters {
		clauses[i] = t.compile(f)
	}
	return clauses
}

// described asks of the attribute that a description names, or of each of its
// subtypes.
func described(description string, ask func(attr) clause) clause {
	a, ok := attributeNamed(description)
	if !ok {
		return constant(undefined)
	}
	family := families[a]
	if len(family) == 1 {
		return ask(a)
	}
	c := clause{op: opOr}
	for _, a := range family {
		c.children = append(c.children, ask(a))
	}
	return c
}

// equal is the attribute's own equality.
func (t *tree) equal(a attr, value []byte) clause {
	c := clause{op: opEqual, attr: a}
	ok := false
	switch a.kind() {
	case kindText, kindMail, kindExact, kindPhone:
		return t.equalText(a, value, a.kind() == kindExact, a.kind() != kindText)
	case kindInteger, kindTime, kindUUID:
		return ordered(a, opEqual, value)
	case kindBoolean:
		c.text = string(value)
		ok = c.text == "TRUE" || c.text == "FALSE"
	case kindOID:
		c.text, ok = parseOID(string(value))
	case kindDN:
		var err error
		c.link, _, err = t.find(string(value))
		ok = err == nil
	}
	if !ok {
		return constant(undefined)
	}
	return c
}

func (t *tree) equalText(a attr, value []byte, exact, ascii bool) clause {
	if !isValue(value, ascii) {
		return constant(undefined)
	}
	text := string(prepare(nil, string(value), !exact))
	if a == attrMemberUID {
		return clause{op: opWithin, spans: t.joinedBy(text, exact)}
	}
	return clause{op: opEqual, attr: a, exact: exact, text: text}
}

// joinedBy is the groups of whoever has this prepared name: a group may have
// too many members to look at each.
func (t *tree) joinedBy(name string, exact bool) []span {
	var groups []span
	for _, id := range t.indexed(attrUID, string(prepare(nil, name, true))) {
		if id < t.peopleAt || string(prepare(nil, t.person(id).name, !exact)) != name {
			continue
		}
		for _, group := range t.groupsOf(id) {
			groups = append(groups, span{group, group + 1})
		}
	}
	return merge(groups)
}

// ordered compares a value that has an order; others are Undefined.
func ordered(a attr, o op, value []byte) clause {
	c := clause{op: o, attr: a}
	ok := false
	switch a.kind() {
	case kindInteger:
		c.number, ok = parseInteger(string(value))
	case kindTime:
		at, isTime := parseTime(string(value))
		c.number, ok = at.UnixMicro(), isTime
	case kindUUID:
		c.text, ok = parseUUID(string(value))
	}
	if !ok {
		return constant(undefined)
	}
	return c
}

func substrings(a attr, f *wire.Filter) clause {
	k := a.kind()
	ok := kinds[k].substrings != ""
	c := clause{op: opSubstrings, attr: a, exact: k == kindExact}
	piece := func(raw []byte, left, right bool) []byte {
		ok = ok && len(raw) > 0 && isValue(raw, k != kindText)
		return preparePiece(string(raw), !c.exact, left, right)
	}
	if f.Initial != nil {
		c.pieces.initial = piece(f.Initial, false, true)
	}
	for _, raw := range f.Any {
		c.pieces.any = append(c.pieces.any, piece(raw, true, true))
	}
	if f.Final != nil {
		c.pieces.final = piece(f.Final, true, false)
	}
	if !ok {
		return constant(undefined)
	}
	return c
}

// extensible asks by a rule, of one attribute or of all that the rule fits,
// and perhaps of the parts of the DN, too (RFC 4511 §4.5.1.7.7).
func (t *tree) extensible(f *wire.Filter) clause {
	var r *rule
	if f.Rule != "" {
		if r = ruleNamed(f.Rule); r == nil {
			return constant(undefined)
		}
	}
	ask := func(a attr) clause {
		c := t.byRule(a, r, f.Value)
		if !f.DNAttrs {
			return c
		}
		return clause{op: opOr, children: []clause{c, {op: opWithin, spans: t.inNames(c)}}}
	}
	if f.Attribute != "" {
		return described(f.Attribute, ask)
	}
	c := clause{op: opOr}
	for a := range attrsHeld {
		if r != nil && r.fits(a.kind()) {
			c.children = append(c.children, ask(a))
		}
	}
	return c
}

// byRule compares by this rule, nil for the attribute's own.
func (t *tree) byRule(a attr, r *rule, value []byte) clause {
	switch {
	case r == nil:
		return t.equal(a, value)
	case !r.fits(a.kind()):
		return constant(undefined)
	case r.text:
		return t.equalText(a, value, r.exact, r.ascii || a.kind() != kindText)
	case r.ordering:
		return ordered(a, opBelow, value)
	}
	return t.equal(a, value)
}
