package tree

import (
	"bytes"
	"cmp"
	"strings"
)

// matcher holds a clause against entries; it keeps room to prepare values in.
type matcher struct {
	tree *tree
	patience
	room   []byte
	values []string
	ids    []uint32
}

// matches is whether a clause is true of an entry. It tells nothing once the
// patience has ended.
func (m *matcher) matches(c *clause, id uint32) truth {
	if m.spend(1) {
		return undefined
	}
	switch c.op {
	case opConstant:
		return c.truth
	case opAnd:
		v := yes
		for i := range c.children {
			if v = min(v, m.matches(&c.children[i], id)); v == no {
				break
			}
		}
		return v
	case opOr:
		v := no
		for i := range c.children {
			if v = max(v, m.matches(&c.children[i], id)); v == yes {
				break
			}
		}
		return v
	case opNot:
		return yes - m.matches(&c.children[0], id)
	case opWithin:
		m.spend(len(c.spans))
		return truly(within(c.spans, id))
	}
	return truly(m.holds(c, id))
}

func truly(b bool) truth {
	if b {
		return yes
	}
	return no
}

// holds is whether a value of the entry is as the clause wants it. An
// attribute that the entry has not, is not.
func (m *matcher) holds(c *clause, id uint32) bool {
	t := m.tree
	switch c.attr.kind() {
	case kindDN:
		if c.op == opEqual {
			return c.link != noID && t.linked(id, c.attr, c.link)
		}
		m.ids = t.links(m.ids[:0], id, c.attr)
		m.spend(len(m.ids))
		return len(m.ids) > 0
	case kindInteger, kindTime:
		n, ok := t.number(id, c.attr)
		return ok && (c.op == opPresent || compares(cmp.Compare(n, c.number), c.op))
	}
	m.values = t.texts(m.values[:0], id, c.attr)
	if c.op == opPresent {
		m.spend(len(m.values))
		return len(m.values) > 0
	}
	for _, v := range m.values {
		if m.spend(1) || m.textHolds(c, v) {
			return true
		}
	}
	return false
}

func (m *matcher) textHolds(c *clause, v string) bool {
	switch c.attr.kind() {
	case kindUUID, kindBoolean, kindOID:
		return compares(strings.Compare(v, c.text), c.op)
	}
	m.room = prepare(m.room[:0], v, !c.exact)
	if c.op == opEqual {
		return string(m.room) == c.text
	}
	return c.pieces.in(m.room)
}

// in is whether a prepared value has the pieces, one behind the other.
func (p *pieces) in(v []byte) bool {
	v, ok := bytes.CutPrefix(v, p.initial)
	if !ok {
		return false
	}
	for _, piece := range p.any {
		at := bytes.Index(v, piece)
		if at < 0 {
			return false
		}
		v = v[at+len(piece):]
	}
	return bytes.HasSuffix(v, p.final)
}

// compares is whether a comparison has come out as wanted.
func compares(order int, o op) bool {
	switch o {
	case opEqual:
		return order == 0
	case opGreater:
		return order >= 0
	case opLess:
		return order <= 0
	case opBelow:
		return order < 0
	}
	return false
}

func within(spans []span, id uint32) bool {
	for _, s := range spans {
		if s.from <= id && id < s.to {
			return true
		}
	}
	return false
}
