package wire

import (
	"bytes"
	"testing"
)

func TestMessageEnvelope(t *testing.T) {
	unbind := Element(OpUnbind)
	id := func(octets ...byte) []byte { return Element(TagSequence, Element(TagInteger, octets), unbind) }
	tests := []struct {
		name  string
		frame []byte
		id    int32 // 0: ErrFrame
	}{
		{"the smallest", id(1), 1},
		{"largest id", id(0x7f, 0xff, 0xff, 0xff), 1<<31 - 1},
		{"id in more octets than it needs", id(0, 0, 0, 7), 7},
		{"lengths in four octets", []byte{0x30, 0x84, 0, 0, 0, 15, 2, 0x84, 0, 0, 0, 1, 9, 0x42, 0x84, 0, 0, 0, 0}, 0}, // two octets short
		{"lengths in four octets, whole", []byte{0x30, 0x84, 0, 0, 0, 13, 2, 0x84, 0, 0, 0, 1, 9, 0x42, 0x84, 0, 0, 0, 0}, 9},
		{"component of a later version", Element(TagSequence, []byte{2, 1, 5}, unbind, Element(0xa1, []byte("new"))), 5},

		{"empty", nil, 0},
		{"no SEQUENCE", Element(tagSet, []byte{2, 1, 5}, unbind), 0},
		{"empty SEQUENCE", Element(TagSequence), 0},
		{"id 0", id(0), 0},
		{"negative id", id(0xff), 0},
		{"id 2^31", id(0, 0x80, 0, 0, 0), 0},
		{"id without octets", id(), 0},
		{"id that is a string", Element(TagSequence, Octets("5"), unbind), 0},
		{"no operation", Element(TagSequence, []byte{2, 1, 5}), 0},
		{"octets behind the SEQUENCE", append(id(1), 0), 0},
		{"garbage behind the operation", Element(TagSequence, []byte{2, 1, 5}, unbind, []byte{0x04}), 0},
		{"a string behind the operation", Element(TagSequence, []byte{2, 1, 5}, unbind, Octets("x")), 0},
		{"a component with a long tag", Element(TagSequence, []byte{2, 1, 5}, unbind, []byte{0xbf, 1, 0}), 0},
		{"controls twice", envelope(unbind, Element(TagControls), Element(TagControls)), 0},
		{"operation longer than its message", []byte{0x30, 5, 2, 1, 5, 0x42, 1}, 0},
		{"a response", envelope(Element(OpSearchDone)), 0},
		{"an operation nobody knows", envelope(Element(0x7d)), 0},
		{"an operation with a long tag", []byte{0x30, 6, 2, 1, 5, 0x7f, 0x20, 0}, 0},
		{"Unbind with the constructed bit", envelope(Element(0x62)), 0},
		{"a universal tag as operation", envelope(Element(TagSequence)), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseMessage(tt.frame)
			switch {
			case tt.id == 0 && err != ErrFrame:
				t.Errorf("got %+v, %v; want errFrame", m, err)
			case tt.id != 0 && (err != nil || m.ID != tt.id):
				t.Errorf("got id %d, %v", m.ID, err)
			}
		})
	}
}

func TestEveryRequestHasItsResponse(t *testing.T) {
	want := map[byte]byte{
		OpBind: OpBindResponse, OpUnbind: 0, OpSearch: OpSearchDone, OpModify: opModifyResponse,
		OpAdd: opAddResponse, OpDelete: opDeleteResponse, OpModifyDN: opModifyDNResponse,
		OpCompare: opCompareResponse, OpAbandon: 0, OpExtended: OpExtendedResponse,
	}
	for op := range 256 {
		response, request := ResponseTo(byte(op))
		answer, listed := want[byte(op)]
		if request != listed || response != answer {
			t.Errorf("%#x: response %#x, request %v", op, response, request)
		}
		_, err := ParseMessage(envelope(Element(byte(op))))
		if (err == nil) != listed {
			t.Errorf("%#x: %v", op, err)
		}
	}
}

func TestMessageTruncatedAtEveryOctet(t *testing.T) {
	whole := envelope(Element(OpDelete, []byte("uid=alice")),
		Element(TagControls, Element(TagSequence, Octets("1.2.3"), []byte{1, 1, 0xff}, Octets("value"))))
	parsed(t, whole)
	for n := range whole {
		if _, err := ParseMessage(whole[:n]); err != ErrFrame {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	// The same with lengths that fit: what is cut is inside.
	inside := whole[2:]
	for n := range inside {
		m, err := ParseMessage(Element(TagSequence, inside[:n]))
		if err == nil && len(m.Controls) != 0 {
			t.Errorf("%d octets: %+v", n, m)
		}
	}
}

func TestWhatAFaultAnswers(t *testing.T) {
	tests := []struct {
		err  error
		code int
		last bool
	}{
		{ErrFrame, ResultProtocolError, true},
		{ErrTooLarge, ResultProtocolError, true},
		{errRequest, ResultProtocolError, false},
		{errDoubled, ResultProtocolError, false},
		{errDeep, resultAdminLimitExceeded, false},
		{errMany, resultAdminLimitExceeded, false},
	}
	for _, tt := range tests {
		r, last := Fault(tt.err)
		if r.Code != tt.code || last != tt.last || r.Diagnostic == "" {
			t.Errorf("%v: %+v, last %v", tt.err, r, last)
		}
	}
}

func TestAMessageIsAViewThatCannotGrowOverItsNeighbour(t *testing.T) {
	frame := envelope(Element(OpDelete, []byte("uid=alice")), Element(TagControls, Element(TagSequence, Octets("1.2"))))
	before := bytes.Clone(frame)
	m := parsed(t, frame)
	_ = append(m.body, "overwritten"...)
	if !bytes.Equal(frame, before) {
		t.Error("the frame was written over")
	}
}
