//go:build linux

package ldapproxy

import (
	"bytes"
	"encoding/binary"
	"slices"

	"sekisho/ldapproxy/wire"
)

// damage changes one element of some messages, and seldom one octet.
func (p *tape) damage() func([]byte) []byte {
	switch p.below(32) {
	case 29, 30:
		return p.damageElement()
	case 31:
		return p.damageOctet()
	}
	return func(frame []byte) []byte { return frame }
}

func (p *tape) damageElement() func([]byte) []byte {
	kind, which, with := p.below(8), p.below(64), byte(p.below(256))
	return func(frame []byte) []byte {
		left := 1 + which%max(1, elements(frame)-1) // it stays one message
		return changed(frame, &left, func(tag byte, body []byte) []byte {
			switch kind {
			case 0:
				return wire.Element(tag^1<<(with%8), body)
			case 1:
				return wire.Element(with, body)
			case 2:
				return nil
			case 3:
				return slices.Concat(wire.Element(tag, body), wire.Element(tag, body))
			case 4:
				return slices.Concat(wire.Element(tag, body), []byte{with, 0})
			case 5:
				return wire.Element(tag)
			case 6:
				return wire.Element(tag, body, []byte{with})
			}
			return long(wire.Element(tag, body))
		})
	}
}

// elements is how many there are, at any depth.
func elements(b []byte) (n int) {
	for d := (wire.Decoder{Rest: b}); d.More(); n++ {
		if tag, body := d.Next(); tag&0x20 != 0 {
			n += elements(body)
		}
	}
	return n
}

// changed is a message with the element that has so many before it changed;
// all lengths are right again.
func changed(b []byte, left *int, change func(tag byte, body []byte) []byte) (out []byte) {
	for d := (wire.Decoder{Rest: b}); d.More(); {
		tag, body := d.Next()
		*left--
		switch {
		case *left == -1:
			out = append(out, change(tag, body)...)
		case tag&0x20 != 0:
			out = append(out, wire.Element(tag, changed(body, left, change))...)
		default:
			out = append(out, wire.Element(tag, body)...)
		}
	}
	return out
}

func (p *tape) damageOctet() func([]byte) []byte {
	kind, with := p.below(3), byte(p.below(256))
	high, low := p.below(256), p.below(256)
	return func(frame []byte) []byte {
		if len(frame) < 3 {
			return frame
		}
		out := bytes.Clone(frame)
		at := 2 + (high<<8|low)%(len(frame)-2)
		switch kind {
		case 0:
			out[at] = with
		case 1:
			out[at] ^= 1 << (with % 8)
		case 2:
			out[at]++
		}
		return out
	}
}

// long is the message with every length in four octets, as Active Directory
// and Java send them.
func long(b []byte) (out []byte) {
	d := wire.Decoder{Rest: b}
	for d.More() {
		tag, body := d.Next()
		if d.Err != nil {
			return b
		}
		if tag&0x20 != 0 {
			body = long(body)
		}
		out = append(out, tag, 0x84)
		out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
		out = append(out, body...)
	}
	return out
}
