package wire

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
)

func TestFramesHoweverTheyArrive(t *testing.T) {
	frames := [][]byte{
		envelope(Element(OpUnbind)),
		envelope(Element(OpDelete, []byte("uid=alice"))),
		envelope(Element(OpDelete, bytes.Repeat([]byte("x"), smallBuffer-9))),
		envelope(Element(OpDelete, bytes.Repeat([]byte("y"), 70_000))),
		envelope(Element(OpDelete, bytes.Repeat([]byte("z"), keptBuffer))),
		{0x30, 0x84, 0, 0, 0, 5, 2, 1, 5, 0x42, 0},
		envelope(Element(OpUnbind)),
	}
	stream := bytes.Join(frames, nil)
	for name, from := range map[string]io.Reader{
		"at once":        bytes.NewReader(stream),
		"octet by octet": dripping{bytes.NewReader(stream)},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewFrameReader(from)
			for i, want := range frames {
				got, err := r.Next(MaxFrameBound)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("frame %d: %d octets, %v; want %d", i, len(got), err, len(want))
				}
				if cap(got) != len(got) {
					t.Errorf("frame %d can be appended to over the next one", i)
				}
			}
			for range 2 {
				if _, err := r.Next(MaxFrameBound); err != io.EOF {
					t.Errorf("at the end: %v", err)
				}
			}
		})
	}
}

// A client that sends each octet in a packet of its own costs no more than
// the octets: with a new buffer a packet this test takes minutes.
func TestLargeFrameOctetByOctet(t *testing.T) {
	frame := envelope(Element(OpDelete, make([]byte, 2<<20)))
	got, err := NewFrameReader(dripping{bytes.NewReader(frame)}).Next(4 << 20)
	if err != nil || !bytes.Equal(got, frame) {
		t.Errorf("%d octets, %v", len(got), err)
	}
}

func TestHostileFrames(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, io.EOF},
		{"TLS on a plain port", []byte{0x16, 3, 1, 2, 0}, ErrFrame},
		{"HTTP", []byte("GET / HTTP/1.1\r\n"), ErrFrame},
		{"one wrong octet", []byte{0x31}, ErrFrame},
		{"indefinite length", []byte{0x30, 0x80, 2, 1, 1, 0x42, 0, 0, 0}, ErrFrame},
		{"five length octets", []byte{0x30, 0x85, 0, 0, 0, 0, 5, 2, 1, 1, 0x42, 0}, ErrFrame},
		{"reserved length", []byte{0x30, 0xff}, ErrFrame},
		{"1 GiB", []byte{0x30, 0x84, 0x40, 0, 0, 0}, ErrTooLarge},
		{"4 GiB", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, ErrTooLarge},
		{"one octet over the limit", []byte{0x30, 0x82, 0xff, 0xfd}, ErrTooLarge},
		{"at the limit, cut", []byte{0x30, 0x82, 0xff, 0xfc}, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewFrameReader(bytes.NewReader(tt.in)).Next(1 << 16); err != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFrameLimitCountsTheWholeMessage(t *testing.T) {
	frame := envelope(Element(OpDelete, make([]byte, 200)))
	if _, err := NewFrameReader(bytes.NewReader(frame)).Next(len(frame)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := NewFrameReader(bytes.NewReader(frame)).Next(len(frame) - 1); err != ErrTooLarge {
		t.Errorf("over the limit: %v", err)
	}
}

func TestFrameTruncatedAtEveryOctet(t *testing.T) {
	frame := envelope(Element(OpDelete, make([]byte, 300)))
	for n := 1; n < len(frame); n++ {
		if _, err := NewFrameReader(bytes.NewReader(frame[:n])).Next(MaxFrameBound); err != io.ErrUnexpectedEOF {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func TestNothingIsAllocatedForALengthThatHasNotArrived(t *testing.T) {
	claims := append([]byte{0x30, 0x83, 0x3f, 0xff, 0x00}, make([]byte, 1500)...) // 4 MiB claimed
	var before, after runtime.MemStats
	r := NewFrameReader(&scripted{steps: []any{claims, os.ErrDeadlineExceeded}})
	runtime.ReadMemStats(&before)
	_, err := r.Next(4 << 20)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<10 {
		t.Errorf("%d octets allocated for 1,505 that came", n)
	}
	if len(r.buf) > 2*len(claims) {
		t.Errorf("holds %d octets for 1,505 that came", len(r.buf))
	}
}

func TestRefusedLengthAllocatesNothing(t *testing.T) {
	claim := []byte{0x30, 0x84, 0x40, 0, 0, 0}
	from := bytes.NewReader(nil)
	r := NewFrameReader(from)
	r.buf = make([]byte, smallBuffer)
	n := testing.AllocsPerRun(100, func() {
		from.Reset(claim)
		r.start, r.end = 0, 0
		if _, err := r.Next(MaxFrameBound); err != ErrTooLarge {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for a message of 1 GiB", n)
	}
}

func TestRestingConnectionHoldsASmallBuffer(t *testing.T) {
	large := envelope(Element(OpDelete, make([]byte, 200<<10)))
	next := envelope(Element(OpUnbind))
	r := NewFrameReader(&scripted{steps: []any{append(bytes.Clone(large), next[:3]...), os.ErrDeadlineExceeded, next[3:]}})
	if r.buf != nil {
		t.Error("a buffer before the first read")
	}
	if got, err := r.Next(MaxFrameBound); err != nil || !bytes.Equal(got, large) {
		t.Fatal(err)
	}
	if len(r.buf) > len(large)+smallBuffer {
		t.Errorf("%d octets held for a message of %d", len(r.buf), len(large))
	}
	if _, err := r.Next(MaxFrameBound); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if len(r.buf) > smallBuffer {
		t.Errorf("%d octets held while it rests", len(r.buf))
	}
	if got, err := r.Next(MaxFrameBound); err != nil || !bytes.Equal(got, next) {
		t.Errorf("after the deadline: %x, %v", got, err)
	}
}

func TestClientThatHasBoundHoldsASmallBuffer(t *testing.T) {
	dn := "uid=a-rather-long-name,ou=people,ou=campus,dc=example,dc=ac,dc=jp"
	bind := envelope(Element(OpBind, []byte{2, 1, 3}, Octets(dn), Element(TagSimple, []byte("secret123456"))))
	r := NewFrameReader(bytes.NewReader(bind))
	if _, err := r.Next(MaxFrameUnbound); err != nil {
		t.Fatal(err)
	}
	if len(r.buf) > 512 {
		t.Errorf("%d octets held behind a bind", len(r.buf))
	}
}

// A client that sends much at once costs few reads, and no more memory for it.
func TestPipelinedMessagesAreReadManyAtATime(t *testing.T) {
	const messages = 1000
	stream := bytes.NewReader(bytes.Repeat(envelope(Element(OpDelete, make([]byte, 90))), messages))
	reads, least := 0, stream.Len()/keptBuffer
	r := NewFrameReader(readerFunc(func(p []byte) (int, error) { reads++; return stream.Read(p) }))
	for i := range messages {
		if _, err := r.Next(MaxFrameBound); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if reads > least+10 {
		t.Errorf("%d reads, where %d would do", reads, least)
	}
	if len(r.buf) > keptBuffer {
		t.Errorf("%d octets held for small messages", len(r.buf))
	}
}

func TestFramesUseTheBufferAgain(t *testing.T) {
	frame := envelope(Element(OpDelete, make([]byte, 100)))
	from := bytes.NewReader(nil)
	r := NewFrameReader(from)
	n := testing.AllocsPerRun(100, func() {
		from.Reset(frame)
		if _, err := r.Next(MaxFrameBound); err != nil {
			t.Fatal(err)
		}
	})
	if n > 1 { // the first one
		t.Errorf("%v allocations a frame", n)
	}
}

func TestPlainOctetsBehindAMessageAreSeen(t *testing.T) {
	one, two := envelope(Element(OpUnbind)), envelope(Element(OpDelete, []byte("uid=a")))
	r := NewFrameReader(bytes.NewReader(bytes.Join([][]byte{one, two}, nil)))
	if r.Buffered() != 0 {
		t.Error("buffered before anything was read")
	}
	for i, want := range []int{len(two), 0} {
		if _, err := r.Next(MaxFrameBound); err != nil {
			t.Fatal(err)
		}
		if got := r.Buffered(); got != want {
			t.Errorf("behind frame %d: %d octets, want %d", i, got, want)
		}
	}
}

func TestAPasswordDoesNotStayWhereAFrameWasMovedFrom(t *testing.T) {
	bind := Element(OpBind, []byte{2, 1, 3}, Octets(""), Element(TagSimple, []byte("secret123456")))
	tests := []struct {
		name   string
		stream [][]byte
	}{
		// The first read ends in the password.
		{"to the start", [][]byte{envelope(Element(OpDelete, make([]byte, smallBuffer-35))), envelope(bind)}},
		{"to a larger buffer", [][]byte{envelope(bind, Element(0xa1, make([]byte, 2000)))}},
		{"to a smaller buffer", [][]byte{envelope(Element(OpDelete, make([]byte, 2*keptBuffer))), envelope(bind)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream := bytes.NewReader(bytes.Join(tt.stream, nil))
			buffers := make(map[*byte][]byte)
			var r *FrameReader
			r = NewFrameReader(readerFunc(func(p []byte) (int, error) {
				buffers[&r.buf[0]] = r.buf
				return stream.Read(p)
			}))
			for range tt.stream {
				frame, err := r.Next(MaxFrameBound)
				if err != nil {
					t.Fatal(err)
				}
				clear(frame) // as a bind does
			}
			for _, b := range buffers {
				if bytes.Contains(b, []byte("secret")) {
					t.Error("the password is still there")
				}
			}
		})
	}
}

func TestStreamThatGivesNothingEnds(t *testing.T) {
	r := NewFrameReader(readerFunc(func([]byte) (int, error) { return 0, nil }))
	if _, err := r.Next(MaxFrameBound); err != io.ErrNoProgress {
		t.Error(err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
