package wire

import (
	"bytes"
	"io"
	"reflect"
	"testing"
)

// Whatever comes, the frames are the stream, cut; and they are the same
// frames however it arrives.
func FuzzFrame(f *testing.F) {
	f.Add(envelope(Element(OpUnbind)))
	f.Add([]byte{0x30, 0x84, 0, 0, 0, 5, 2, 1, 5, 0x42, 0, 0x30, 0})
	f.Add([]byte{0x30, 0x84, 0x40, 0, 0, 0, 1, 2, 3})
	f.Add(append(envelope(Element(OpDelete, make([]byte, 3000))), 0x30, 0x82))
	f.Fuzz(func(t *testing.T, stream []byte) {
		a, b := NewFrameReader(bytes.NewReader(stream)), NewFrameReader(dripping{bytes.NewReader(stream)})
		at := 0
		for {
			one, errOne := a.Next(MaxFrameUnbound)
			two, errTwo := b.Next(MaxFrameUnbound)
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
			ParseMessage(one)
		}
	})
}

func FuzzBind(f *testing.F) {
	f.Add([]byte("\x02\x01\x03\x04\x05uid=a\x80\x06secret"))
	f.Add([]byte("\x02\x01\x03\x04\x00\xa3\x09\x04\x05PLAIN\x04\x00"))
	f.Add([]byte("\x02\x01\x02\x04\x00\x80\x00\x84\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Message{Op: OpBind, body: body}.Bind()
		if err != nil {
			return
		}
		choice := Element(0x81)
		switch {
		case b.Simple:
			choice = Element(TagSimple, b.Password)
		case b.mechanism != nil:
			choice = Element(TagSASL, Element(TagString, b.mechanism))
		}
		again := bytes.Join([][]byte{AppendNumber(nil, TagInteger, int32(b.Version)), Element(TagString, b.DN), choice}, nil)
		if c, err := (Message{Op: OpBind, body: again}).Bind(); err != nil || !reflect.DeepEqual(b, c) {
			t.Errorf("%+v became %+v, %v", b, c, err)
		}
	})
}

func FuzzFilter(f *testing.F) {
	f.Add(nested(FilterAnd, 5))
	f.Add(Element(FilterSubstrings, Octets("uid"), Element(TagSequence, Element(tagInitial, []byte("a")), Element(tagFinal, []byte("b")))))
	f.Add(Element(FilterExtensible, Element(TagMatchingRule, []byte("1.2")), Element(TagMatchValue, []byte("b")), []byte{tagDNAttributes, 1, 0xff}))
	f.Add(Element(FilterOr, Element(FilterNot, Element(0x8a)), Element(FilterLess, Octets("a"), Octets("b"))))
	f.Fuzz(func(t *testing.T, in []byte) {
		one, err := ParseFilter(in)
		if err != nil {
			return
		}
		var empty func(*Filter) bool // a name of no octets, which encode leaves out
		empty = func(f *Filter) bool {
			for _, c := range f.Children {
				if empty(c) {
					return true
				}
			}
			return f.Kind == FilterExtensible && f.Rule == "" && f.Attribute == ""
		}
		two, err := ParseFilter(one.Encode())
		if !empty(one) && (err != nil || !reflect.DeepEqual(one, two)) {
			t.Errorf("%+v became %+v, %v", one, two, err)
		}
	})
}

func FuzzControls(f *testing.F) {
	f.Add(wireControl("1.2", []byte{1, 1, 0xff}, Octets("v")))
	f.Add(append(wireControl("1.2"), wireControl("1.2")...))
	f.Add(AppendControls(nil, []Control{PagedControl(100, []byte("cookie"))})[2:])
	f.Fuzz(func(t *testing.T, list []byte) {
		controls, err := parseControls(Decoder{Rest: list})
		if err != nil {
			return
		}
		again := AppendControls(nil, controls)
		if len(again) != sizeOfControls(controls) {
			t.Fatalf("%d octets, announced as %d", len(again), sizeOfControls(controls))
		}
		m, err := ParseMessage(envelope(Element(OpUnbind), again))
		if err != nil || !reflect.DeepEqual(controls, m.Controls) {
			t.Errorf("%+v became %+v, %v", controls, m.Controls, err)
		}
		for _, c := range controls {
			if size, cookie, err := ParsePaged(c.Value); err == nil {
				p := PagedControl(size, cookie)
				if s, k, err := ParsePaged(p.Value); err != nil || s != size || !bytes.Equal(k, cookie) {
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
		m := Message{Op: OpExtended, body: body}
		e, err := m.Extended()
		m.Search()
		m.Compare()
		m.Abandoned()
		if err != nil {
			return
		}
		again := Element(TagRequestName, []byte(e.OID))
		if e.HasValue {
			again = append(again, Element(TagRequestValue, e.Value)...)
		}
		if g, err := (Message{Op: OpExtended, body: again}).Extended(); err != nil || !reflect.DeepEqual(e, g) {
			t.Errorf("%+v became %+v, %v", e, g, err)
		}
	})
}
