package wire

import (
	"bytes"
	"io"
	"reflect"
	"testing"
)

// What is read of a message that is passed on is what a whole reading finds,
// so that nobody behind us sees another id or operation; and however the
// stream arrives, and whoever cuts it, the borders are the same.
func FuzzHead(f *testing.F) {
	f.Add(envelope(Element(OpSearch, []byte("x")), Element(TagControls, wireControl("1.2"))))
	f.Add([]byte{0x30, 0x84, 0, 0, 0, 8, 2, 1, 5, 0x42, 0x82, 0, 0, 0x85, 0})
	f.Add(append(AppendResult(nil, 9, OpSearchDone, Result{}), 0x30, 0x84, 1, 0, 0, 0))
	f.Add(entry(70_000, 300))
	f.Fuzz(func(t *testing.T, stream []byte) {
		if len(stream) > 8<<10 {
			return // octet by octet they take too long
		}
		one, heads, errOne := cut(newBatch(bytes.NewReader(stream)))
		two, again, errTwo := cut(newBatch(dripping{bytes.NewReader(stream)}))
		if !reflect.DeepEqual(one, two) || !reflect.DeepEqual(heads, again) || (errOne == io.EOF) != (errTwo == io.EOF) {
			t.Fatalf("%x, %v at once; %x, %v octet by octet", one, errOne, two, errTwo)
		}
		frames := NewFrameReader(bytes.NewReader(stream))
		for i := range one {
			frame, err := frames.Next(MaxFrameUpstream)
			if err != nil || !bytes.Equal(frame, one[i]) || heads[i].Size != len(frame) {
				t.Fatalf("message %d is %x or %x, %+v, %v", i, one[i], frame, heads[i], err)
			}
			d := Decoder{Rest: frame}
			in := d.Within(TagSequence)
			id := in.Number(TagInteger)
			op, _ := in.Next()
			if d.Err != nil || in.Err != nil || int32(id) != heads[i].ID || op != heads[i].Op {
				t.Fatalf("%x is %+v", frame, heads[i])
			}
			if m, err := ParseMessage(frame); err == nil && (m.ID != heads[i].ID || m.Op != heads[i].Op) {
				t.Fatalf("%x is %+v or %+v", frame, heads[i], m)
			}
		}
		// What a whole reading takes, this takes, too.
		if frame, err := NewFrameReader(bytes.NewReader(stream)).Next(MaxHeld); err == nil && len(one) == 0 {
			if m, err := ParseMessage(frame); err == nil {
				t.Fatalf("%x, %+v was refused: %v", frame, m, errOne)
			}
		}
	})
}

// A message with one more control is the same message, with one more control.
func FuzzWithControl(f *testing.F) {
	f.Add(envelope(Element(OpDelete, []byte("x"))), "dn:uid=alice")
	f.Add(envelope(Element(OpSearch, []byte("x")), Element(TagControls, wireControl("1.2", []byte{1, 1, 1}, Octets("v")))), "")
	f.Add([]byte{0x30, 0x84, 0, 0, 0, 11, 2, 2, 0, 5, 0x42, 0x82, 0, 0, 0x85, 0, 0}, "u:x")
	f.Fuzz(func(t *testing.T, frame []byte, identity string) {
		before, err := ParseStrict(frame)
		if err != nil {
			return
		}
		c := ProxyAuthorization(identity)
		if _, there := before.Control(c.OID); there || len(before.Controls) == maxControls {
			return
		}
		out, err := AppendWithControl(nil, frame, c)
		if err != nil {
			t.Fatalf("%x: %v", frame, err)
		}
		after, err := ParseStrict(out)
		if err != nil || after.ID != before.ID || after.Op != before.Op || !bytes.Equal(after.body, before.body) ||
			!reflect.DeepEqual(after.Controls[:len(before.Controls)], append([]Control{}, before.Controls...)) ||
			!reflect.DeepEqual(after.Controls[len(before.Controls):], []Control{c}) {
			t.Fatalf("%x, %+v became %x, %+v, %v", frame, before, out, after, err)
		}
	})
}

// A response that was rewritten has no referral, and else what it had.
func FuzzResponse(f *testing.F) {
	f.Add(AppendResult(nil, 9, OpSearchDone, Result{Code: 10, Matched: "dc=x", Diagnostic: "y"}, PagedControl(1, nil)))
	f.Add(envelope(Element(OpExtendedResponse, []byte{10, 1, 10, 4, 0, 4, 0, TagReferral, 2, 4, 0, TagResponseName, 1, '1', TagResponseValue, 0}), []byte{0x85, 0}))
	f.Add(AppendNotice(nil, 52, "away"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		before, err := ParseResponse(frame)
		if err != nil {
			return
		}
		controls, _ := before.Controls()
		before.Name()
		before.Value()
		want := before
		want.Referral = nil
		out := before.Append(nil)
		after, err := ParseResponse(out)
		again, _ := after.Controls()
		after.rest, after.trailer = append([]byte{}, after.rest...), append([]byte{}, after.trailer...)
		want.rest, want.trailer = append([]byte{}, want.rest...), append([]byte{}, want.trailer...)
		if err != nil || !reflect.DeepEqual(after, want) || !reflect.DeepEqual(controls, again) {
			t.Fatalf("%x, %+v became %x, %+v, %v", frame, before, out, after, err)
		}
	})
}
