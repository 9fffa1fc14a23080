package wire

// Sizes of messages that are passed on.
const (
	MaxFrameRelay    = 4 << 20  // from a client that has bound: it may write a photograph
	MaxFrameUpstream = 16 << 20 // from a server
	MaxHeld          = 64 << 10 // larger ones from a server are not held as a whole

	// maxHead is a message up to the content of its operation, each length in
	// the longest form that we read.
	maxHead = maxHeader + maxHeader + 4 + maxHeader
)

// Head is what has to be known of a message in order to pass it on.
type Head struct {
	ID   int32
	Op   byte
	Size int // of the whole message
}

// readHead reads the head of a message of size octets, of which b has all, or
// the first maxHead at least. Where it has all, it is also sure that the
// message is what it seems: an id, an operation and perhaps controls, nothing
// beyond the end of another.
func readHead(b []byte, size int) (Head, error) {
	in, _, err := header(b)
	if err != nil || in == 0 {
		return Head{}, ErrFrame
	}
	at := in
	head, n, err := header(b[at:])
	if err != nil || head == 0 || b[at] != TagInteger || n > 4 || int(n) > len(b)-at-head {
		return Head{}, ErrFrame
	}
	at += head
	id, err := number(b[at : at+int(n)])
	if err != nil {
		return Head{}, ErrFrame
	}
	at += int(n)
	head, n, err = header(b[at:])
	if err != nil || head == 0 || n > int64(size-at-head) {
		return Head{}, ErrFrame
	}
	h := Head{ID: int32(id), Op: b[at], Size: size}
	at += head + int(n)
	if at < size && len(b) == size {
		d := Decoder{Rest: b[at:]}
		if d.Peek() == TagControls {
			d.Take(TagControls)
		}
		if d.End(TagControls) != nil {
			return Head{}, ErrFrame
		}
	}
	return h, nil
}
