package wire

import (
	"errors"
	"io"
	"sync"
)

// restingBuffer is what a server that says nothing costs: most answers fit.
const restingBuffer = 2 << 10

// BatchReader reads what a server sends, to be passed on: many messages come
// with one read, and stand side by side. One that is larger than MaxHeld is
// never there as a whole.
type BatchReader struct {
	from  io.Reader
	spare *sync.Pool // of *[]byte, MaxHeld long
	small []byte
	large *[]byte // from spare; nil: small is in use
	buf   []byte  // the one in use
	start int     // of what was not yet returned
	end   int     // of what was read
}

// NewBatchReader returns one that takes its large buffers from spare, which
// holds *[]byte of MaxHeld octets, while it needs them.
func NewBatchReader(from io.Reader, spare *sync.Pool) *BatchReader {
	return &BatchReader{from: from, spare: spare}
}

// Next returns the next message of those that have come; Size 0: none is
// there, Fill has to read. Of one above MaxHeld octets come those that are
// there, fewer than Size, and the others must be taken with Rest before
// anything else. What is returned is good until the next Fill or Rest, and
// lies behind what was returned before it.
func (r *BatchReader) Next() (Head, []byte, error) {
	b := r.buf[r.start:r.end]
	size, err := frameSize(b, MaxFrameUpstream)
	if err != nil || size == 0 {
		return Head{}, nil, err
	}
	switch {
	case size <= len(b):
		b = b[:size]
	case size <= MaxHeld || len(b) < maxHead:
		return Head{}, nil, nil
	}
	h, err := readHead(b, size)
	if err != nil {
		return Head{}, nil, err
	}
	r.start += len(b)
	return h, b, nil
}

// Fill reads once. The error is io.EOF where the stream ends between two
// messages and io.ErrUnexpectedEOF within one.
func (r *BatchReader) Fill() error {
	r.settle()
	if r.end == len(r.buf) {
		r.grow()
	}
	n, err := r.from.Read(r.buf[r.end:])
	r.end += n
	switch {
	case n > 0:
		return nil // an error comes again with the next read
	case err == io.EOF && r.end > r.start:
		return io.ErrUnexpectedEOF
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// settle moves what is left of a message to the start, and gives a large
// buffer back when a small one will do.
func (r *BatchReader) settle() {
	left := r.buf[r.start:r.end]
	switch {
	case r.large != nil && len(left) < restingBuffer:
		copy(r.small, left)
		r.release()
	case r.start > 0:
		copy(r.buf, left)
	}
	r.start, r.end = 0, len(left)
}

// grow goes over to a buffer that any message fits that is held.
func (r *BatchReader) grow() {
	if r.small == nil {
		r.small = make([]byte, restingBuffer)
		r.buf = r.small
		return
	}
	r.large = r.spare.Get().(*[]byte)
	large := (*r.large)[:MaxHeld]
	copy(large, r.buf[:r.end])
	r.buf = large
}

// Release gives a large buffer back; nothing is read afterwards.
func (r *BatchReader) Release() {
	if r.large != nil {
		r.release()
	}
	r.start, r.end = 0, 0
}

func (r *BatchReader) release() {
	r.spare.Put(r.large)
	r.large, r.buf = nil, r.small
}

// Rest is what is still to come of a message above MaxHeld.
type Rest struct {
	reader *BatchReader
	left   int
}

// Rest is to be called after a Next that has returned less than Size octets,
// and gets as many as are missing.
func (r *BatchReader) Rest(n int) *Rest { return &Rest{reader: r, left: n} }

// errShort is of a writer that takes less than it was given, and of a server
// that ends within a message.
var errShort = errors.New("a message cut short")

// WriteTo writes all of it as it comes.
func (s *Rest) WriteTo(to io.Writer) (written int64, err error) {
	r := s.reader
	buf := r.spare.Get().(*[]byte)
	defer r.spare.Put(buf)
	for s.left > 0 {
		n, err := r.from.Read((*buf)[:min(s.left, MaxHeld)])
		s.left -= n
		if n > 0 {
			m, err := to.Write((*buf)[:n])
			written += int64(m)
			if err != nil {
				return written, err
			}
			continue
		}
		if err == nil {
			err = io.ErrNoProgress
		}
		return written, errors.Join(errShort, err)
	}
	return written, nil
}

// Left is how many octets were not written yet.
func (s *Rest) Left() int { return s.left }
