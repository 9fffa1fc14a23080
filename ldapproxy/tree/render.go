package tree

import "sekisho/ldapproxy/wire"

// attrSet is a set of attributes.
type attrSet [2]uint64

func (s *attrSet) add(a attr)      { s[a/64] |= 1 << (a % 64) }
func (s *attrSet) has(a attr) bool { return s[a/64]&(1<<(a%64)) != 0 }

// wanted is the attributes that a search asks for (RFC 4511 §4.5.1.8, RFC
// 3673): all for users if it names none or "*", those for the directory with
// "+", and what it names, with subtypes. Unknown ones are passed over, "1.1"
// among them.
func wanted(names []string) (s attrSet) {
	every := func(users bool) {
		for a := range attrsHeld {
			if (attributeTypes[a].usage == forUsers) == users {
				s.add(a)
			}
		}
	}
	if len(names) == 0 {
		every(true)
	}
	for _, name := range names {
		switch name {
		case "*":
			every(true)
		case "+":
			every(false)
		default:
			if a, ok := attributeNamed(name); ok {
				for _, a := range families[a] {
					s.add(a)
				}
			}
		}
	}
	return s
}

// renderer makes entries ready to be sent, in room that it uses again.
type renderer struct {
	tree      *tree
	wanted    attrSet
	typesOnly bool

	attributes []wire.Attribute
	values     []string
}

// entry is good until the next call.
func (r *renderer) entry(id uint32) (dn string, attributes []wire.Attribute) {
	r.attributes, r.values = r.attributes[:0], r.values[:0]
	for _, a := range r.tree.attributes(id) {
		if !r.wanted.has(a) {
			continue
		}
		from := len(r.values)
		r.values = r.tree.values(r.values, id, a)
		if from == len(r.values) {
			continue
		}
		out := wire.Attribute{Name: a.name(), Values: r.values[from:]}
		if r.typesOnly {
			out.Values = nil
		}
		r.attributes = append(r.attributes, out)
	}
	return r.tree.dn(id), r.attributes
}
