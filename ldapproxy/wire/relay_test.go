package wire

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
)

func newBatch(from io.Reader) *BatchReader {
	return NewBatchReader(from, &sync.Pool{New: func() any { return new(make([]byte, MaxHeld)) }})
}

// cut reads a stream to its end, and returns the messages.
func cut(r *BatchReader) (frames [][]byte, heads []Head, err error) {
	for {
		if err := r.Fill(); err != nil {
			return frames, heads, err
		}
		for {
			h, b, err := r.Next()
			if err != nil {
				return frames, heads, err
			}
			if h.Size == 0 {
				break
			}
			whole := bytes.NewBuffer(bytes.Clone(b))
			if n := h.Size - len(b); n > 0 {
				rest := r.Rest(n)
				if _, err := rest.WriteTo(whole); err != nil {
					return frames, heads, err
				}
			}
			frames, heads = append(frames, whole.Bytes()), append(heads, h)
		}
	}
}

func entry(id int32, n int) []byte {
	return AppendEntry(nil, id, "cn=x", []Attribute{{Name: "a", Values: []string{strings.Repeat("x", n)}}})
}

func TestBatchesHoweverTheyArrive(t *testing.T) {
	frames := [][]byte{
		AppendResult(nil, 1, OpSearchDone, Result{}),
		entry(2, 100),
		entry(300, restingBuffer),
		entry(70_000, MaxHeld-30),
		entry(7, MaxHeld),
		{0x30, 0x84, 0, 0, 0, 20, 2, 4, 0, 0, 0, 9, 0x65, 0x84, 0, 0, 0, 8, 10, 2, 0, 0, 4, 0, 4, 0},
		entry(8, 1<<20),
		AppendResult(nil, 1<<31-1, OpSearchDone, Result{Diagnostic: "x"}, PagedControl(1, []byte("c"))),
	}
	stream := bytes.Join(frames, nil)
	for name, from := range map[string]io.Reader{
		"at once":        bytes.NewReader(stream),
		"octet by octet": dripping{bytes.NewReader(stream)},
	} {
		t.Run(name, func(t *testing.T) {
			got, heads, err := cut(newBatch(from))
			if err != io.EOF || len(got) != len(frames) {
				t.Fatalf("%d messages, %v", len(got), err)
			}
			for i := range frames {
				if !bytes.Equal(got[i], frames[i]) {
					t.Errorf("message %d is %d octets of %d", i, len(got[i]), len(frames[i]))
				}
			}
			for i, want := range []int32{1, 2, 300, 70_000, 7, 9, 8, 1<<31 - 1} {
				if heads[i].ID != want || heads[i].Size != len(frames[i]) {
					t.Errorf("message %d is %+v", i, heads[i])
				}
			}
			if heads[0].Op != OpSearchDone || heads[6].Op != OpSearchEntry {
				t.Errorf("%+v", heads)
			}
		})
	}
}

func TestHostileBatches(t *testing.T) {
	done := AppendResult(nil, 1, OpSearchDone, Result{})
	for name, tt := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":             {nil, io.EOF},
		"half a message":      {done[:7], io.ErrUnexpectedEOF},
		"half a large one":    {entry(1, 1<<20)[:1<<19], io.EOF},
		"no message":          {[]byte("HTTP"), ErrFrame},
		"4 GiB":               {[]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, ErrTooLarge},
		"over 16 MiB":         {[]byte{0x30, 0x84, 1, 0, 0, 0}, ErrTooLarge},
		"large with no id":    {append([]byte{0x30, 0x83, 2, 0, 0, 4, 1, 1}, make([]byte, 100)...), ErrFrame},
		"large with a bad op": {append([]byte{0x30, 0x83, 2, 0, 0, 2, 1, 1, 0x64, 0x83, 2, 0, 0}, make([]byte, 100)...), ErrFrame},
		"an empty one":        {[]byte{0x30, 0}, ErrFrame},
		"no op":               {[]byte{0x30, 3, 2, 1, 1}, ErrFrame},
		"a wide op":           {[]byte{0x30, 6, 2, 1, 1, 0x65, 2, 0, 0}, ErrFrame},
		"no controls behind":  {[]byte{0x30, 7, 2, 1, 1, 0x65, 0, 4, 0}, ErrFrame},
		"controls twice":      {[]byte{0x30, 9, 2, 1, 1, 0x65, 0, 0xa0, 0, 0xa0, 0}, ErrFrame},
	} {
		t.Run(name, func(t *testing.T) {
			if frames, _, err := cut(newBatch(bytes.NewReader(tt.in))); !errors.Is(err, tt.want) || len(frames) > 0 {
				t.Errorf("%x, %v, want %v", frames, err, tt.want)
			}
		})
	}
	if h, err := readHead([]byte{0x30, 5, 2, 1, 1, 0x65, 0}, 7); err != nil || h.ID != 1 {
		t.Errorf("the counterpart of these: %+v, %v", h, err)
	}
}

// A server that rests costs little, whatever it has sent before.
func TestRestingServerHoldsASmallBuffer(t *testing.T) {
	stream := bytes.Join([][]byte{entry(1, 10_000), entry(1, 100_000), AppendResult(nil, 1, OpSearchDone, Result{})}, nil)
	r := newBatch(&scripted{steps: []any{stream, os.ErrDeadlineExceeded}})
	if r.buf != nil {
		t.Error("a buffer before the first read")
	}
	if _, _, err := cut(r); !errors.Is(err, os.ErrDeadlineExceeded) || r.large != nil || len(r.buf) > restingBuffer {
		t.Errorf("%v, %d octets held", err, len(r.buf))
	}
}

func TestBatchesUseTheBuffersAgain(t *testing.T) {
	stream := bytes.Join([][]byte{entry(1, 10_000), entry(1, 100), entry(1, 100_000)}, nil)
	from := bytes.NewReader(nil)
	r := newBatch(from)
	n := testing.AllocsPerRun(100, func() {
		from.Reset(stream)
		for {
			if r.Fill() != nil {
				return
			}
			for {
				h, b, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if h.Size == 0 {
					break
				}
				if n := h.Size - len(b); n > 0 {
					if _, err := r.Rest(n).WriteTo(io.Discard); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
	if n > 2 { // the Rest of a large one
		t.Errorf("%v allocations", n)
	}
}

func TestBatchReaderEndsWithWhatGivesNothing(t *testing.T) {
	r := newBatch(readerFunc(func([]byte) (int, error) { return 0, nil }))
	if err := r.Fill(); err != io.ErrNoProgress {
		t.Error(err)
	}
	if _, err := r.Rest(1).WriteTo(io.Discard); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

func TestRestTellsOfAWriterThatFails(t *testing.T) {
	r := newBatch(bytes.NewReader(make([]byte, 100)))
	rest := r.Rest(200)
	broken := errors.New("gone")
	if _, err := rest.WriteTo(writerFunc(func([]byte) (int, error) { return 0, broken })); err != broken || rest.Left() != 100 {
		t.Errorf("%v, %d left", err, rest.Left())
	}
	if _, err := rest.WriteTo(io.Discard); !errors.Is(err, io.EOF) || rest.Left() != 100 {
		t.Errorf("%v, %d left", err, rest.Left())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestResponse(t *testing.T) {
	body := bytes.Join([][]byte{{10, 2, 0, 10}, Octets("dc=x"), Octets("text"), Element(TagReferral, Octets("ldap://y")), Element(TagResponseName, []byte("1.2")), Element(TagResponseValue, []byte("v"))}, nil)
	r, err := ParseResponse(envelope(Element(OpExtendedResponse, body), AppendControls(nil, []Control{{OID: "1.3", Critical: true}})))
	if err != nil || r.ID != 5 || r.Op != OpExtendedResponse || r.Code != 10 || string(r.Matched) != "dc=x" || string(r.Diagnostic) != "text" ||
		string(r.Referral) != string(Octets("ldap://y")) || r.Name() != "1.2" || r.Value() != "v" {
		t.Errorf("%+v, %v", r, err)
	}
	if controls, err := r.Controls(); err != nil || len(controls) != 1 || controls[0].OID != "1.3" {
		t.Errorf("%+v, %v", controls, err)
	}
	want := AppendExtended(nil, 5, Result{Code: 53, Matched: "dc=x", Diagnostic: "else"}, "1.2", []byte("v"), Control{OID: "1.3", Critical: true})
	r.Code, r.Diagnostic = 53, []byte("else")
	if got := r.Append([]byte("ab")); string(got) != "ab"+string(want) {
		t.Errorf("%x, want %x", got, want)
	}
	if plain, err := ParseResponse(AppendExtended(nil, 5, Result{}, "", nil)); err != nil || plain.Name() != "" || plain.Value() != "" || plain.Referral != nil {
		t.Errorf("%+v, %v", plain, err)
	}
}

func TestWhatIsNoResponse(t *testing.T) {
	result := []byte{10, 1, 0, 4, 0, 4, 0}
	for name, frame := range map[string][]byte{
		"nothing":             nil,
		"octets behind":       append(envelope(Element(OpSearchDone, result)), 0),
		"no id":               Element(TagSequence, Element(OpSearchDone, result)),
		"no op":               Element(TagSequence, []byte{2, 1, 5}),
		"no code":             envelope(Element(OpSearchDone, result[3:])),
		"no diagnostic":       envelope(Element(OpSearchDone, result[:5])),
		"a referral twice":    envelope(Element(OpSearchDone, result, []byte{TagReferral, 0, TagReferral, 0})),
		"an octet string":     envelope(Element(OpSearchDone, result, []byte{4, 0})),
		"a code that is wide": envelope(Element(OpSearchDone, []byte{10, 5, 0, 0, 0, 0, 0, 4, 0, 4, 0})),
	} {
		if r, err := ParseResponse(frame); err != ErrFrame {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	r, err := ParseResponse(envelope(Element(OpSearchDone, result), []byte{4, 0}))
	if err != nil {
		t.Fatal(err)
	}
	if controls, err := r.Controls(); err != ErrFrame {
		t.Errorf("%+v, %v", controls, err)
	}
}

// RFC 4370 §3: the value is the authorization identity itself.
func TestControlIsAddedToAFrame(t *testing.T) {
	act := ProxyAuthorization("dn:uid=alice")
	added := unhex(t, "30 2b 04 18 "+"32 2e 31 36 2e 38 34 30 2e 31 2e 31 31 33 37 33 30 2e 33 2e 34 2e 31 38"+" 01 01 ff 04 0c 64 6e 3a 75 69 64 3d 61 6c 69 63 65")
	for name, tt := range map[string]struct{ in, want []byte }{
		"no controls": {envelope(Element(OpDelete, []byte("x"))), envelope(Element(OpDelete, []byte("x")), Element(TagControls, added))},
		"a control in a form of its own": {
			unhex(t, "30 84 0000001a 02 04 00000005 4a 81 01 78 a0 82 000c 30 0a 04 03 312e32 01 01 01 8000"),
			append(unhex(t, "30 45 02 04 00000005 4a 81 01 78 a0 39 30 0a 04 03 312e32 01 01 01 8000"), added...),
		},
	} {
		got, err := AppendWithControl([]byte("ab"), tt.in, act)
		if err != nil || string(got) != "ab"+string(tt.want) {
			t.Errorf("%s: %x, %v; want %x", name, got, err, tt.want)
		}
	}
	for _, frame := range [][]byte{nil, {0x30, 0}, append(envelope(Element(OpDelete)), 0), envelope(Element(OpDelete), []byte{4, 0}),
		envelope(Element(OpDelete, []byte("x")), Element(TagControls), []byte{0x85, 0})} { // it could be ours to whoever reads on
		if got, err := AppendWithControl([]byte("ab"), frame, act); err != ErrFrame || string(got) != "ab" {
			t.Errorf("%x: %x, %v", frame, got, err)
		}
	}
}

func TestBindRequestIsWritten(t *testing.T) {
	controls := AppendControls(nil, []Control{{OID: "1.2", Critical: true}})
	m := parsed(t, AppendBind(nil, 70_000, "cn=x", "p\x00w", controls))
	b, err := m.Bind()
	if err != nil || m.ID != 70_000 || b.Version != 3 || string(b.DN) != "cn=x" || !b.Simple || string(b.Password) != "p\x00w" || len(m.Controls) != 1 {
		t.Errorf("%+v, %+v, %v", m, b, err)
	}
	m = parsed(t, AppendBind(nil, 1, "", "", nil))
	if b, err := m.Bind(); err != nil || !b.Simple || len(b.DN)+len(b.Password)+len(m.Controls) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestResponseWithoutAControl(t *testing.T) {
	odd := []byte{0x30, 0x84, 0, 0, 0, 8, 4, 3, '1', '.', '3', 1, 1, 0} // a long length, and false written out
	body := Element(OpBindResponse, []byte{TagEnumerated, 1, 49}, Octets(""), Octets("no"))
	policy := Element(TagSequence, Octets(OIDPasswordPolicy), Octets("said"))
	for name, of := range map[string]struct{ list, left [][]byte }{
		"none":   {},
		"it":     {list: [][]byte{policy}},
		"others": {list: [][]byte{odd}, left: [][]byte{odd}},
		"both":   {list: [][]byte{policy, odd}, left: [][]byte{odd}},
	} {
		var sent []byte
		if of.list != nil {
			sent = Element(TagControls, of.list...)
		}
		r, err := ParseResponse(envelope(body, sent))
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := ParseResponse(r.Without(OIDPasswordPolicy).Append(nil))
		if err != nil || got.Code != 49 || string(got.Diagnostic) != "no" || len(of.left) > 0 && !bytes.Contains(got.Append(nil), odd[6:]) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if controls, err := got.Controls(); err != nil || len(controls) != len(of.left) {
			t.Errorf("%s: controls %v, %v", name, controls, err)
		}
	}
}
