package ldapproxy

import (
	"bytes"
	"io"
	"reflect"
	"testing"
)

// Whatever comes, the frames are the stream, cut; and they are the same
// frames however it arrives.
func FuzzFrame(f *testing.F) {
	f.Add(envelope(tlv(opUnbind)))
	f.Add([]byte{0x30, 0x84, 0, 0, 0, 5, 2, 1, 5, 0x42, 0, 0x30, 0})
	f.Add([]byte{0x30, 0x84, 0x40, 0, 0, 0, 1, 2, 3})
	f.Add(append(envelope(tlv(opDelete, make([]byte, 3000))), 0x30, 0x82))
	f.Fuzz(func(t *testing.T, stream []byte) {
		a, b := newFrameReader(bytes.NewReader(stream)), newFrameReader(dripping{bytes.NewReader(stream)})
		at := 0
		for {
			one, errOne := a.next(maxFrameUnbound)
			two, errTwo := b.next(maxFrameUnbound)
			if !bytes.Equal(one, two) || errOne != errTwo {
				t.Fatalf("%x, %v at once; %x, %v octet by octet", one, errOne, two, errTwo)
			}
			if errOne != nil {
				if errOne == io.EOF && at != len(stream) {
					t.Fatalf("%d of %d octets, then io.EOF", at, len(stream))
				}
				return
			}
			if !bytes.HasPrefix(stream[at:], one) {
				t.Fatalf("%x is not what stands at %d", one, at)
			}
			at += len(one)
			parseMessage(one)
		}
	})
}

func FuzzBind(f *testing.F) {
	f.Add([]byte("\x02\x01\x03\x04\x05uid=a\x80\x06secret"))
	f.Add([]byte("\x02\x01\x03\x04\x00\xa3\x09\x04\x05PLAIN\x04\x00"))
	f.Add([]byte("\x02\x01\x02\x04\x00\x80\x00\x84\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := message{op: opBind, body: body}.bind()
		if err != nil {
			return
		}
		choice := tlv(0x81)
		switch {
		case b.simple:
			choice = tlv(tagSimple, b.password)
		case b.mechanism != nil:
			choice = tlv(tagSASL, tlv(tagString, b.mechanism))
		}
		again := bytes.Join([][]byte{appendNumber(nil, tagInteger, int32(b.version)), tlv(tagString, b.dn), choice}, nil)
		if c, err := (message{op: opBind, body: again}).bind(); err != nil || !reflect.DeepEqual(b, c) {
			t.Errorf("%+v became %+v, %v", b, c, err)
		}
	})
}

func FuzzFilter(f *testing.F) {
	f.Add(nested(filterAnd, 5))
	f.Add(tlv(filterSubstrings, tlvString("uid"), tlv(tagSequence, tlv(tagInitial, []byte("a")), tlv(tagFinal, []byte("b")))))
	f.Add(tlv(filterExtensible, tlv(tagMatchingRule, []byte("1.2")), tlv(tagMatchValue, []byte("b")), []byte{tagDNAttributes, 1, 0xff}))
	f.Add(tlv(filterOr, tlv(filterNot, tlv(0x8a)), tlv(filterLess, tlvString("a"), tlvString("b"))))
	f.Fuzz(func(t *testing.T, in []byte) {
		one, err := readFilter(in)
		if err != nil {
			return
		}
		var empty func(*filter) bool // a name of no octets, which encode leaves out
		empty = func(f *filter) bool {
			for _, c := range f.children {
				if empty(c) {
					return true
				}
			}
			return f.kind == filterExtensible && f.rule == "" && f.attribute == ""
		}
		two, err := readFilter(one.encode())
		if !empty(one) && (err != nil || !reflect.DeepEqual(one, two)) {
			t.Errorf("%+v became %+v, %v", one, two, err)
		}
	})
}

func FuzzControls(f *testing.F) {
	f.Add(wireControl("1.2", []byte{1, 1, 0xff}, tlvString("v")))
	f.Add(append(wireControl("1.2"), wireControl("1.2")...))
	f.Add(appendControls(nil, []control{pagedControl(100, []byte("cookie"))})[2:])
	f.Fuzz(func(t *testing.T, list []byte) {
		controls, err := parseControls(list)
		if err != nil {
			return
		}
		again := appendControls(nil, controls)
		if len(again) != sizeOfControls(controls) {
			t.Fatalf("%d octets, announced as %d", len(again), sizeOfControls(controls))
		}
		m, err := parseMessage(envelope(tlv(opUnbind), again))
		if err != nil || !reflect.DeepEqual(controls, m.controls) {
			t.Errorf("%+v became %+v, %v", controls, m.controls, err)
		}
		for _, c := range controls {
			if size, cookie, err := parsePaged(c.value); err == nil {
				p := pagedControl(size, cookie)
				if s, k, err := parsePaged(p.value); err != nil || s != size || !bytes.Equal(k, cookie) {
					t.Errorf("paged %d, %x became %d, %x, %v", size, cookie, s, k, err)
				}
			}
		}
	})
}

func FuzzExtended(f *testing.F) {
	f.Add([]byte("\x80\x031.2\x81\x05value"))
	f.Add([]byte("\x80\x161.3.6.1.4.1.1466.20037"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m := message{op: opExtended, body: body}
		e, err := m.extended()
		m.search()
		m.compare()
		m.abandon()
		if err != nil {
			return
		}
		again := tlv(tagRequestName, []byte(e.oid))
		if e.hasValue {
			again = append(again, tlv(tagRequestValue, e.value)...)
		}
		if g, err := (message{op: opExtended, body: again}).extended(); err != nil || !reflect.DeepEqual(e, g) {
			t.Errorf("%+v became %+v, %v", e, g, err)
		}
	})
}
