package ldapproxy

import (
	"bytes"
	"testing"
)

func TestMessageEnvelope(t *testing.T) {
	unbind := tlv(opUnbind)
	id := func(octets ...byte) []byte { return tlv(tagSequence, tlv(tagInteger, octets), unbind) }
	tests := []struct {
		name  string
		frame []byte
		id    int32 // 0: errFrame
	}{
		{"the smallest", id(1), 1},
		{"largest id", id(0x7f, 0xff, 0xff, 0xff), 1<<31 - 1},
		{"id in more octets than it needs", id(0, 0, 0, 7), 7},
		{"lengths in four octets", []byte{0x30, 0x84, 0, 0, 0, 15, 2, 0x84, 0, 0, 0, 1, 9, 0x42, 0x84, 0, 0, 0, 0}, 0}, // two octets short
		{"lengths in four octets, whole", []byte{0x30, 0x84, 0, 0, 0, 13, 2, 0x84, 0, 0, 0, 1, 9, 0x42, 0x84, 0, 0, 0, 0}, 9},
		{"component of a later version", tlv(tagSequence, []byte{2, 1, 5}, unbind, tlv(0xa1, []byte("new"))), 5},

		{"empty", nil, 0},
		{"no SEQUENCE", tlv(tagSet, []byte{2, 1, 5}, unbind), 0},
		{"empty SEQUENCE", tlv(tagSequence), 0},
		{"id 0", id(0), 0},
		{"negative id", id(0xff), 0},
		{"id 2^31", id(0, 0x80, 0, 0, 0), 0},
		{"id without octets", id(), 0},
		{"id that is a string", tlv(tagSequence, tlvString("5"), unbind), 0},
		{"no operation", tlv(tagSequence, []byte{2, 1, 5}), 0},
		{"octets behind the SEQUENCE", append(id(1), 0), 0},
		{"garbage behind the operation", tlv(tagSequence, []byte{2, 1, 5}, unbind, []byte{0x04}), 0},
		{"a string behind the operation", tlv(tagSequence, []byte{2, 1, 5}, unbind, tlvString("x")), 0},
		{"a component with a long tag", tlv(tagSequence, []byte{2, 1, 5}, unbind, []byte{0xbf, 1, 0}), 0},
		{"controls twice", envelope(unbind, tlv(tagControls), tlv(tagControls)), 0},
		{"operation longer than its message", []byte{0x30, 5, 2, 1, 5, 0x42, 1}, 0},
		{"a response", envelope(tlv(opSearchDone)), 0},
		{"an operation nobody knows", envelope(tlv(0x7d)), 0},
		{"an operation with a long tag", []byte{0x30, 6, 2, 1, 5, 0x7f, 0x20, 0}, 0},
		{"Unbind with the constructed bit", envelope(tlv(0x62)), 0},
		{"a universal tag as operation", envelope(tlv(tagSequence)), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parseMessage(tt.frame)
			switch {
			case tt.id == 0 && err != errFrame:
				t.Errorf("got %+v, %v; want errFrame", m, err)
			case tt.id != 0 && (err != nil || m.id != tt.id):
				t.Errorf("got id %d, %v", m.id, err)
			}
		})
	}
}

func TestEveryRequestHasItsResponse(t *testing.T) {
	want := map[byte]byte{
		opBind: opBindResponse, opUnbind: 0, opSearch: opSearchDone, opModify: opModifyResponse,
		opAdd: opAddResponse, opDelete: opDeleteResponse, opModifyDN: opModifyDNResponse,
		opCompare: opCompareResponse, opAbandon: 0, opExtended: opExtendedResponse,
	}
	for op := range 256 {
		response, request := responseTo(byte(op))
		answer, listed := want[byte(op)]
		if request != listed || response != answer {
			t.Errorf("%#x: response %#x, request %v", op, response, request)
		}
		_, err := parseMessage(envelope(tlv(byte(op))))
		if (err == nil) != listed {
			t.Errorf("%#x: %v", op, err)
		}
	}
}

func TestMessageTruncatedAtEveryOctet(t *testing.T) {
	whole := envelope(tlv(opDelete, []byte("uid=alice")),
		tlv(tagControls, tlv(tagSequence, tlvString("1.2.3"), []byte{1, 1, 0xff}, tlvString("value"))))
	parsed(t, whole)
	for n := range whole {
		if _, err := parseMessage(whole[:n]); err != errFrame {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	// The same with lengths that fit: what is cut is inside.
	inside := whole[2:]
	for n := range inside {
		m, err := parseMessage(tlv(tagSequence, inside[:n]))
		if err == nil && len(m.controls) != 0 {
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
		{errFrame, resultProtocolError, true},
		{errTooLarge, resultProtocolError, true},
		{errRequest, resultProtocolError, false},
		{errDoubled, resultProtocolError, false},
		{errDeep, resultAdminLimitExceeded, false},
		{errMany, resultAdminLimitExceeded, false},
	}
	for _, tt := range tests {
		r, last := fault(tt.err)
		if r.code != tt.code || last != tt.last || r.diagnostic == "" {
			t.Errorf("%v: %+v, last %v", tt.err, r, last)
		}
	}
}

func TestAMessageIsAViewThatCannotGrowOverItsNeighbour(t *testing.T) {
	frame := envelope(tlv(opDelete, []byte("uid=alice")), tlv(tagControls, tlv(tagSequence, tlvString("1.2"))))
	before := bytes.Clone(frame)
	m := parsed(t, frame)
	_ = append(m.body, "overwritten"...)
	if !bytes.Equal(frame, before) {
		t.Error("the frame was written over")
	}
}
