//go:build linux

package ldapproxy

import (
	"sekisho/ldapproxy/wire"
)

// tape is random choices: octets of a fuzzer, one after the other, and 0 when
// there are no more.
type tape []byte

func (p *tape) below(n int) int {
	if len(*p) == 0 {
		return 0
	}
	b := (*p)[0]
	*p = (*p)[1:]
	return int(b) % n
}

func pick[T any](p *tape, from []T) T { return from[p.below(len(from))] }

// written is a few requests, most of them well-formed.
func written(p *tape) []request {
	var requests []request
	for n := 1 + p.below(4); n > 0; n-- {
		requests = append(requests, p.request(int32(len(requests)+1)))
	}
	return requests
}

// request is one; its own id is the place that it has, mostly.
func (p *tape) request(place int32) request {
	id := wire.AppendNumber(nil, wire.TagInteger, place)
	if p.below(64) == 63 {
		id = pick(p, messageIDs)
	}
	op := p.operation()
	controls := p.controls()
	damage := p.damage()
	return func(cookie []byte) []byte {
		parts := [][]byte{id, op}
		if list := controls(cookie); list != nil {
			parts = append(parts, list)
		}
		return damage(wire.Element(wire.TagSequence, parts...))
	}
}

var messageIDs = [][]byte{
	{wire.TagInteger, 1, 0}, {wire.TagInteger, 1, 0x7f}, {wire.TagInteger, 2, 0, 0x80}, {wire.TagInteger, 4, 0x7f, 0xff, 0xff, 0},
	{wire.TagInteger, 3, 0, 0, 1}, {wire.TagInteger, 1, 0xff}, {wire.TagInteger, 5, 0, 0, 0, 0, 1}, {wire.TagInteger, 0}, {wire.TagEnumerated, 1, 1},
}

func (p *tape) operation() []byte {
	switch p.below(16) {
	case 0:
		return bindOp(pick(p, names), pick(p, words))
	case 1:
		return p.oddBind()
	case 2, 3:
		name := pick(p, names[:12])
		if p.below(4) == 3 {
			name = pick(p, names)
		}
		return wire.Element(wire.OpCompare, wire.Octets(name), p.assertion(wire.TagSequence))
	case 4:
		return p.extended()
	case 5:
		switch p.below(4) {
		case 0:
			return wire.Element(wire.OpUnbind)
		case 1:
			return wire.Element(wire.OpAbandon, pick(p, [][]byte{{1}, {2}, {0}, {}, {0xff}, {0, 0, 0, 0, 1}}))
		case 2:
			return p.change()
		}
		return wire.Element(byte(p.below(256)), wire.Octets("x"))
	}
	return p.search()
}

func (p *tape) oddBind() []byte {
	choice := pick(p, [][]byte{
		wire.Element(wire.TagSimple, []byte(mailPassword)), wire.Element(wire.TagSASL, wire.Octets("NONE-SUCH")),
		wire.Element(wire.TagSASL, wire.Octets("")), wire.Element(wire.TagSASL, wire.Octets("NONE-SUCH"), wire.Octets("x")),
		wire.Element(wire.TagSASL), wire.Element(0x81, []byte("x")), wire.Element(0x82), wire.Element(0x89, []byte("ntlm")), wire.Octets("x"), nil,
		append(wire.Element(wire.TagSimple, []byte(mailPassword)), 0x85, 0),
	})
	return bindVersion(pick(p, []byte{3, 2, 1, 4, 0, 127, 255}), pick(p, names), choice)
}

func (p *tape) extended() []byte {
	oid := pick(p, []string{wire.OIDWhoAmI, wire.OIDStartTLS, wire.OIDCancel, "1.2.3.4", "", "x", "1.3.6.1.4.1.4203.666.6.5", "1.2.840.113556.1.4.1781", "1.3.6.1.1.21.1", "1.3.6.1.1.21.3"})
	switch p.below(4) {
	case 0, 1:
		return extendedOp(oid)
	case 2:
		return extendedOp(oid, pick(p, [][]byte{wire.Element(wire.TagSequence, []byte{2, 1, 1}), {}, []byte("x"), wire.Element(wire.TagSequence, []byte{2, 1, 1}, []byte{0})}))
	}
	return wire.Element(wire.OpExtended, wire.Element(wire.TagRequestName, []byte(oid)), wire.Element(0x85))
}

func (p *tape) change() []byte {
	name := wire.Octets(pick(p, names))
	switch p.below(4) {
	case 0:
		return wire.Element(wire.OpDelete, name[2:])
	case 1:
		return wire.Element(wire.OpModify, name, wire.Element(wire.TagSequence))
	case 2:
		return wire.Element(wire.OpModifyDN, name, wire.Octets("uid=x"), []byte{wire.TagBoolean, 1, 0})
	}
	return wire.Element(wire.OpAdd, name, wire.Element(wire.TagSequence))
}

func (p *tape) search() []byte {
	base := pick(p, names[:7])
	if p.below(4) == 3 {
		base = pick(p, names)
	}
	parts := [][]byte{wire.Octets(base), p.number(wire.TagEnumerated, 2, 1, 2, 0), p.number(wire.TagEnumerated, 0, 3, 1, 2),
		p.number(wire.TagInteger, 0, 0, 0, 2, 0, 1, 100), p.number(wire.TagInteger, 0, 30)}
	parts = append(parts, pick(p, [][]byte{{1, 1, 0}, {1, 1, 0xff}, {1, 1, 0}, {1, 1, 1}}), p.filter(4))
	var wanted [][]byte
	for n := p.below(4); n > 0; n-- {
		wanted = append(wanted, wire.Octets(pick(p, selectors)))
	}
	return wire.Element(wire.OpSearch, append(parts, wire.Element(wire.TagSequence, wanted...))...)
}

// number is one of these, and seldom one that can't be, or has a length of its
// own.
func (p *tape) number(tag byte, from ...int32) []byte {
	switch p.below(128) {
	case 120:
		return []byte{tag, 5, 0, 0x80, 0, 0, 0} // 2^31
	case 121:
		return []byte{tag, 4, 0x7f, 0xff, 0xff, 0xff}
	case 122:
		return []byte{tag, 3, 0, 0, byte(from[0])}
	case 123:
		return []byte{tag, 1, 0xff}
	case 124:
		return []byte{tag, 1, 3}
	case 125:
		return []byte{tag, 1, 4}
	}
	return wire.AppendNumber(nil, tag, pick(p, from))
}

// filter is one, nested so deep at most.
func (p *tape) filter(depth int) []byte {
	switch kind := p.below(32); {
	case kind < 10 && depth > 0:
		var parts [][]byte
		n := p.below(4)
		if kind >= 6 {
			n, kind = 1, 2*2
		}
		for ; n > 0; n-- {
			parts = append(parts, p.filter(depth-1))
		}
		return wire.Element(wire.FilterAnd+byte(kind/2), parts...)
	case kind < 18:
		return p.assertion(wire.FilterEqual)
	case kind < 21:
		return wire.Element(wire.FilterPresent, []byte(p.attribute()))
	case kind < 25:
		return p.substrings()
	case kind == 25:
		return p.assertion(wire.FilterGreater)
	case kind == 26:
		return p.assertion(wire.FilterLess)
	case kind == 27:
		return p.assertion(wire.FilterApprox)
	case kind < 31:
		return p.extensible()
	}
	return pick(p, [][]byte{{0x8a, 0}, {0xaa, 0}, {0x8b, 1, 'x'}})
}

// attribute is mostly one that somebody has.
func (p *tape) attribute() string {
	if p.below(4) == 3 {
		return pick(p, attributes)
	}
	return pick(p, facts)[0]
}

// fact is an attribute and a value, which mostly somebody has.
func (p *tape) fact() (attribute, value string) {
	f := pick(p, facts)
	switch p.below(8) {
	case 5:
		return f[0], p.value()
	case 6:
		return p.attribute(), f[1]
	case 7:
		return p.attribute(), p.value()
	}
	return f[0], f[1]
}

func (p *tape) assertion(tag byte) []byte {
	attribute, value := p.fact()
	return wire.Element(tag, wire.Octets(attribute), wire.Octets(value))
}

func (p *tape) value() string {
	switch p.below(4) {
	case 0:
		return pick(p, names)
	case 1:
		return pick(p, values)
	}
	return pick(p, words)
}

// substrings are mostly parts of a value, in their order.
func (p *tape) substrings() []byte {
	attribute, value := p.fact()
	var parts [][]byte
	if p.below(8) == 7 {
		for n := 1 + p.below(3); n > 0; n-- {
			parts = append(parts, wire.Element(wire.TagAny-1+byte(p.below(3)), []byte(pick(p, words))))
		}
		return wire.Element(wire.FilterSubstrings, wire.Octets(attribute), wire.Element(wire.TagSequence, parts...))
	}
	cut := func() string {
		n := p.below(len(value) + 1)
		part := value[:n]
		value = value[n:]
		return part
	}
	kinds := 1 + p.below(7)
	for kind := range byte(3) {
		part := cut()
		if kinds&(1<<kind) != 0 {
			parts = append(parts, wire.Element(wire.TagAny-1+kind, []byte(part)))
		}
	}
	return wire.Element(wire.FilterSubstrings, wire.Octets(attribute), wire.Element(wire.TagSequence, parts...))
}

func (p *tape) extensible() []byte {
	attribute, value := p.fact()
	var parts [][]byte
	shape := p.below(8)
	if shape&1 == 0 {
		parts = append(parts, wire.Element(wire.TagMatchingRule, []byte(pick(p, matchingRules))))
	}
	if shape&3 != 0 || p.below(4) == 3 {
		parts = append(parts, wire.Element(0x82, []byte(attribute)))
	}
	parts = append(parts, wire.Element(wire.TagMatchValue, []byte(value)))
	if shape&4 == 0 {
		parts = append(parts, []byte{0x84, 1, byte(p.below(2) * 255)})
	}
	return wire.Element(wire.FilterExtensible, parts...)
}

// controls are made when the cookie of the page before is known.
func (p *tape) controls() func(cookie []byte) []byte {
	if p.below(8) != 7 {
		return func([]byte) []byte { return nil }
	}
	var makers []func(cookie []byte) []byte
	for n := p.below(3); n >= 0; n-- {
		critical := pick(p, [][]byte{nil, {wire.TagBoolean, 1, 0xff}, {wire.TagBoolean, 1, 0}})
		if p.below(2) == 0 {
			size := pick(p, [][]byte{{2, 1, 1}, {2, 1, 2}, {2, 1, 3}, {2, 1, 100}, {2, 1, 0}, {2, 1, 0xff}})
			own := pick(p, [][]byte{{}, nil, nil, []byte("garbage"), make([]byte, 8), make([]byte, 16)})
			makers = append(makers, func(cookie []byte) []byte {
				if own != nil {
					cookie = own
				}
				value := wire.Element(wire.TagSequence, size, wire.Element(wire.TagString, cookie))
				return wire.Element(wire.TagSequence, wire.Octets(wire.OIDPaged), critical, wire.Element(wire.TagString, value))
			})
			continue
		}
		c := wire.Element(wire.TagSequence, wire.Octets(pick(p, controlNames)), critical, pick(p, [][]byte{nil, nil, nil, wire.Octets(""), wire.Octets("x")}))
		makers = append(makers, func([]byte) []byte { return c })
	}
	return func(cookie []byte) []byte {
		var list [][]byte
		for _, c := range makers {
			list = append(list, c(cookie))
		}
		return wire.Element(wire.TagControls, list...)
	}
}
