package wire

import "io"

const (
	MaxFrameUnbound = 64 << 10 // octets of a message before a bind
	// And after it: nothing is written here, so these are searches. A relay to
	// a directory behind would need more.
	MaxFrameBound = 256 << 10

	smallBuffer = 512     // what a connection begins with: a bind or a small search fits
	keptBuffer  = 4 << 10 // a larger one is let go when its frame is done with
)

// FrameReader cuts LDAPMessages out of a stream. Its buffer grows with the
// octets that have come, never with a length that was only claimed, and a
// connection that rests holds a small one.
type FrameReader struct {
	from  io.Reader
	buf   []byte
	start int // of the frame last returned, or to be returned
	frame int // octets of the frame last returned
	end   int // of what was read
}

func NewFrameReader(from io.Reader) *FrameReader { return &FrameReader{from: from} }

// Buffered is how many octets behind the frame were read already. StartTLS
// refuses to begin over any: they were sent in clear, and would be believed
// as if they had come through TLS.
func (r *FrameReader) Buffered() int { return r.end - r.start - r.frame }

// Next returns one whole LDAPMessage of at most limit octets. The frame is
// good until the next call. After ErrFrame or ErrTooLarge nothing more can be
// read. The error is io.EOF where the stream ends between two messages and
// io.ErrUnexpectedEOF within one; after any other error of the stream, such as
// a deadline, the next call goes on where this one was.
func (r *FrameReader) Next(limit int) ([]byte, error) {
	r.start += r.frame
	r.frame = 0
	r.settle()
	for {
		total, err := frameSize(r.buf[r.start:r.end], limit)
		if err != nil {
			return nil, err
		}
		if total > 0 && total <= r.end-r.start {
			r.frame = total
			end := r.start + total
			return r.buf[r.start:end:end], nil
		}
		if err := r.fill(max(total, maxHeader)); err != nil {
			return nil, err
		}
	}
}

// frameSize is the size of the message at the start of b, 0 while its length
// has not come.
func frameSize(b []byte, limit int) (int, error) {
	if len(b) > 0 && b[0] != TagSequence {
		return 0, ErrFrame
	}
	head, n, err := header(b)
	if err != nil || head == 0 {
		return 0, err
	}
	if n > int64(limit-head) {
		return 0, ErrTooLarge
	}
	return head + int(n), nil
}

// fill reads some octets, towards total of them from start on. Behind those
// that have filled a buffer there are likely more, so the next one is larger,
// as long as it may be kept.
func (r *FrameReader) fill(total int) error {
	switch size := len(r.buf); {
	case size == 0:
		r.buf = make([]byte, smallBuffer)
	case r.end == size && (r.start == 0 || size < keptBuffer):
		r.move(make([]byte, min(2*size, max(total, keptBuffer))))
	case r.start > 0 && total > size-r.start:
		r.move(r.buf)
	}
	for range 100 {
		n, err := r.from.Read(r.buf[r.end:])
		r.end += n
		switch {
		case n > 0:
			return nil // an error comes again with the next read
		case err == io.EOF && r.end > r.start:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// settle lets a large buffer go when little is left in it.
func (r *FrameReader) settle() {
	switch rest := r.end - r.start; {
	case len(r.buf) > keptBuffer && rest <= smallBuffer:
		r.move(make([]byte, smallBuffer))
	case rest == 0:
		r.start, r.end = 0, 0
	}
}

// move moves what was not yet returned to the start of a buffer, which may be
// the present one, and clears where it was: it may be a password.
func (r *FrameReader) move(to []byte) {
	n := copy(to, r.buf[r.start:r.end])
	if &to[0] == &r.buf[0] {
		clear(to[n:r.end])
	} else {
		clear(r.buf)
	}
	r.buf, r.start, r.end = to, 0, n
}
