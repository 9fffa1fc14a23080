//go:build linux

package ldapproxy

import (
	"sekisho/ldapproxy/wire"
)

// sound is a message as slapd's decoder takes it: it reads elements by their
// places, and looks neither at the tags of simple ones nor at what stands
// behind the last; of an INTEGER or BOOLEAN it takes any size. X.690 and RFC
// 4511 §5.1 know none of these, and we refuse them. What is wrong beyond that
// stays.
func sound(frame []byte) []byte {
	d := wire.Decoder{Rest: frame}
	in := d.Within(wire.TagSequence)
	id := plainNumber(&in, wire.TagInteger)
	if id == nil || allZero(id[2:]) || id[2] > 0x7f {
		id = []byte{wire.TagInteger, 1, 1}
	}
	op, body := in.Next()
	if d.Err != nil || in.Err != nil {
		return frame
	}
	parts := [][]byte{id, soundOperation(op, body)}
	if in.Peek() == wire.TagControls {
		parts = append(parts, wire.Element(wire.TagControls, soundControls(in.Take(wire.TagControls))))
	}
	return wire.Element(wire.TagSequence, parts...)
}

func soundOperation(op byte, body []byte) []byte {
	d := wire.Decoder{Rest: body}
	var parts [][]byte
	text := func() { parts = append(parts, plainText(&d)) }
	number := func(tag byte) { parts = append(parts, plainNumber(&d, tag)) }
	switch op {
	case wire.OpSearch:
		text()
		number(wire.TagEnumerated)
		number(wire.TagEnumerated)
		number(wire.TagInteger)
		number(wire.TagInteger)
		parts = append(parts, plainBoolean(&d, wire.TagBoolean), soundFilter(&d, 1))
		var list []byte
		if d.More() {
			_, list = d.Next()
		}
		var wanted [][]byte
		for in := (wire.Decoder{Rest: list}); in.More(); {
			wanted = append(wanted, plainText(&in))
		}
		parts = append(parts, wire.Element(wire.TagSequence, wanted...))
	case wire.OpCompare:
		text()
		_, assertion := d.Next()
		in := wire.Decoder{Rest: assertion}
		parts = append(parts, wire.Element(wire.TagSequence, plainText(&in), plainText(&in)))
	case wire.OpBind:
		number(wire.TagInteger)
		text()
		tag, choice := d.Next()
		if tag == wire.TagSASL {
			in := wire.Decoder{Rest: choice}
			choice = plainText(&in)
			if in.More() {
				choice = append(choice, plainText(&in)...)
			}
		}
		if tag&0xc0 != 0x80 {
			tag = 0x85 // a choice that nobody knows
		}
		parts = append(parts, wire.Element(tag, choice))
	case wire.OpExtended:
		_, name := d.Next()
		parts = append(parts, wire.Element(wire.TagRequestName, name))
	default:
		return wire.Element(op, body)
	}
	if d.Err != nil {
		return wire.Element(op, body)
	}
	return wire.Element(op, parts...)
}

// soundFilter is a filter; slapd takes no more of one than it needs.
func soundFilter(d *wire.Decoder, depth int) []byte {
	tag, body := d.Next()
	in := wire.Decoder{Rest: body}
	var parts [][]byte
	switch tag {
	case wire.FilterAnd, wire.FilterOr, wire.FilterNot:
		for in.More() && depth < 40 {
			parts = append(parts, soundFilter(&in, depth+1))
			if tag == wire.FilterNot {
				break
			}
		}
	case wire.FilterEqual, wire.FilterGreater, wire.FilterLess, wire.FilterApprox:
		parts = append(parts, plainText(&in), plainText(&in))
	case wire.FilterPresent, wire.FilterSubstrings, wire.FilterExtensible:
		if _, err := wire.ParseFilter(wire.Element(tag, body)); err != wire.ErrFrame {
			return wire.Element(tag, body)
		}
		return unknownFilter
	default:
		return unknownFilter
	}
	if tag == wire.FilterNot && parts == nil {
		return wire.Element(tag, unknownFilter)
	}
	return wire.Element(tag, parts...)
}

var unknownFilter = wire.Element(0x8b)

func soundControls(list []byte) (out []byte) {
	d := wire.Decoder{Rest: list}
	for d.More() {
		_, body := d.Next()
		in := wire.Decoder{Rest: body}
		parts := [][]byte{plainText(&in)}
		if in.Peek() == wire.TagBoolean {
			parts = append(parts, plainBoolean(&in, wire.TagBoolean))
		}
		if in.Peek() == wire.TagString {
			parts = append(parts, plainText(&in))
		}
		out = append(out, wire.Element(wire.TagSequence, parts...)...)
	}
	return out
}

func plainText(d *wire.Decoder) []byte {
	_, body := d.Next()
	return wire.Element(wire.TagString, body)
}

func plainNumber(d *wire.Decoder, tag byte) []byte {
	_, body := d.Next()
	if len(body) == 0 {
		body = []byte{0}
	}
	return wire.Element(tag, body)
}

func plainBoolean(d *wire.Decoder, tag byte) []byte {
	d.Next()
	return []byte{tag, 1, 0}
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
