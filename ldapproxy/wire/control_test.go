package wire

import (
	"bytes"
	"reflect"
	"strconv"
	"testing"
)

// wireControl is a control as an application sends it.
func wireControl(oid string, rest ...[]byte) []byte {
	return Element(TagSequence, Octets(oid), bytes.Join(rest, nil))
}

func TestControls(t *testing.T) {
	critical := []byte{1, 1, 0xff}
	tests := []struct {
		name string
		list [][]byte
		want []Control
		err  error
	}{
		{"none", nil, nil, nil},
		{"name alone", [][]byte{wireControl("1.2")}, []Control{{OID: "1.2"}}, nil},
		{"critical", [][]byte{wireControl("1.2", critical)}, []Control{{OID: "1.2", Critical: true}}, nil},
		{"critical as 01", [][]byte{wireControl("1.2", []byte{1, 1, 1})}, []Control{{OID: "1.2", Critical: true}}, nil},
		{"FALSE, said", [][]byte{wireControl("1.2", []byte{1, 1, 0})}, []Control{{OID: "1.2"}}, nil},
		{"an empty value is a value", [][]byte{wireControl("1.2", Octets(""))}, []Control{{OID: "1.2", Value: []byte{}, HasValue: true}}, nil},
		{"two", [][]byte{wireControl("1.2", critical, Octets("v")), wireControl("1.3")},
			[]Control{{OID: "1.2", Critical: true, Value: []byte("v"), HasValue: true}, {OID: "1.3"}}, nil},

		{"the same twice", [][]byte{wireControl("1.2"), wireControl("1.3"), wireControl("1.2", critical)}, nil, errDoubled},
		{"no name", [][]byte{Element(TagSequence)}, nil, ErrFrame},
		{"value before criticality", [][]byte{wireControl("1.2", Octets("v"), critical)}, nil, ErrFrame},
		{"two values", [][]byte{wireControl("1.2", Octets("v"), Octets("w"))}, nil, ErrFrame},
		{"no SEQUENCE", [][]byte{Octets("1.2")}, nil, ErrFrame},
		{"cut behind a doubled one", [][]byte{wireControl("1.2"), wireControl("1.2"), {0x30, 5}}, nil, ErrFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseMessage(envelope(Element(OpUnbind), Element(TagControls, tt.list...)))
			if err != tt.err || !reflect.DeepEqual(m.Controls, tt.want) {
				t.Errorf("got %+v, %v; want %+v, %v", m.Controls, err, tt.want, tt.err)
			}
			if err == errDoubled && (m.ID != 5 || m.Op != OpUnbind) {
				t.Errorf("can't be answered: %+v", m)
			}
		})
	}
}

func TestCrowdOfControlsIsRefused(t *testing.T) {
	var list [][]byte
	for i := range maxControls {
		list = append(list, wireControl("1."+strconv.Itoa(i)))
	}
	m, err := ParseMessage(envelope(Element(OpUnbind), Element(TagControls, list...)))
	if err != nil || len(m.Controls) != maxControls {
		t.Errorf("%d controls, %v", len(m.Controls), err)
	}
	list = append(list, wireControl("1.99"))
	if m, err = ParseMessage(envelope(Element(OpUnbind), Element(TagControls, list...))); err != errMany || m.ID != 5 {
		t.Errorf("one more: %+v, %v", m, err)
	}
}

func TestPagedValue(t *testing.T) {
	tests := []struct {
		value  []byte
		size   int32
		cookie string
		ok     bool
	}{
		{[]byte{0x30, 5, 2, 1, 100, 4, 0}, 100, "", true},
		{[]byte{0x30, 0x84, 0, 0, 0, 9, 2, 2, 0x03, 0xe8, 4, 3, 'a', 'b', 'c'}, 1000, "abc", true},
		{nil, 0, "", false},
		{[]byte{0x30, 5, 2, 1, 0xff, 4, 0}, 0, "", false},
		{[]byte{0x30, 5, 2, 1, 1, 4, 0, 0}, 0, "", false},
		{[]byte{0x30, 3, 2, 1, 1}, 0, "", false},
		{[]byte{0x30, 4, 2, 0, 4, 0}, 0, "", false},
	}
	for _, tt := range tests {
		size, cookie, err := ParsePaged(tt.value)
		if (err == nil) != tt.ok || size != tt.size || string(cookie) != tt.cookie {
			t.Errorf("% x: %d, %q, %v", tt.value, size, cookie, err)
		}
		if err != nil && err != errRequest {
			t.Errorf("% x: %v ends the connection", tt.value, err)
		}
	}
}

func TestPagedControlReadsBack(t *testing.T) {
	for _, size := range []int32{0, 1, 127, 128, 32767, 32768, 1<<23 - 1, 1 << 23, 1<<31 - 1} {
		for _, cookie := range []string{"", "next", string(make([]byte, 300))} {
			c := PagedControl(size, []byte(cookie))
			gotSize, gotCookie, err := ParsePaged(c.Value)
			if err != nil || gotSize != size || string(gotCookie) != cookie || c.OID != OIDPaged || c.Critical || !c.HasValue {
				t.Errorf("%d, %q: %+v, %v", size, cookie, c, err)
			}
		}
	}
}
