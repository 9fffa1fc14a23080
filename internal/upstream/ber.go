package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
)

// What a message may be at most. An entry with ten thousand groups fits.
const (
	maxMessage  = 4 << 20   // octets of a message with an entry
	maxDSE      = 256 << 10 // of one of the RootDSE
	maxAnswer   = 64 << 10  // of one with a result alone
	maxDepth    = 32
	maxElements = 1 << 16 // each costs a reader some hundred octets, however short it is
)

// The tags of RFC 4511 that are spoken here.
const (
	tagInteger          = 0x02
	tagOctets           = 0x04
	tagEnumerated       = 0x0a
	tagSequence         = 0x30
	tagBindRequest      = 0x60
	tagBindResponse     = 0x61
	tagUnbindRequest    = 0x42
	tagSearchRequest    = 0x63
	tagSearchEntry      = 0x64
	tagSearchDone       = 0x65
	tagExtendedRequest  = 0x77
	tagExtendedResponse = 0x78
	tagControls         = 0xa0
)

var (
	errForm     = errors.New("it speaks no LDAP: a message is malformed")
	errLarge    = errors.New("a message is too large")
	errElements = errors.New("a message has too many elements")
)

// tlv is an element of these parts.
func tlv(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	out := make([]byte, 0, 5+n)
	if n < 0x80 {
		out = append(out, tag, byte(n))
	} else {
		out = append(out, tag, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	for _, part := range parts {
		out = append(out, part...)
	}
	return out
}

// message is an LDAPMessage; id is below 128.
func message(id byte, parts ...[]byte) []byte {
	return tlv(tagSequence, append([][]byte{{tagInteger, 1, id}}, parts...)...)
}

// next takes the first element off b.
func next(b []byte) (tag byte, value, rest []byte, err error) {
	head, n, err := size(b)
	if err != nil || head == 0 || n > len(b)-head {
		return 0, nil, nil, errForm
	}
	return b[0], b[head : head+n], b[head+n:], nil
}

// size reads the header of an element: how long it is, and what it is followed
// by. A head of 0 means that the header has not come to its end. Indefinite
// lengths are no LDAP (RFC 4511 §5.1).
func size(b []byte) (head, n int, err error) {
	if len(b) < 2 {
		return 0, 0, nil
	}
	if b[0]&0x1f == 0x1f {
		return 0, 0, errForm
	}
	if b[1] < 0x80 {
		return 2, int(b[1]), nil
	}
	more := int(b[1] & 0x7f)
	if more == 0 || more > 4 {
		return 0, 0, errForm
	}
	if len(b) < 2+more {
		return 0, 0, nil
	}
	length := uint32(0)
	for _, c := range b[2 : 2+more] {
		length = length<<8 | uint32(c)
	}
	if length > 1<<30 {
		return 0, 0, errLarge
	}
	return 2 + more, int(length), nil
}

// readMessage reads one LDAPMessage, and not an octet more. Memory grows with
// what has come, never with a length that was only claimed.
func readMessage(from io.Reader, limit int) ([]byte, error) {
	b := make([]byte, 2, 512)
	if _, err := io.ReadFull(from, b); err != nil {
		return nil, cut(err)
	}
	if b[0] != tagSequence {
		return nil, errForm
	}
	head, n, err := size(b)
	if err == nil && head == 0 {
		b = b[:2+b[1]&0x7f]
		if _, err := io.ReadFull(from, b[2:]); err != nil {
			return nil, cut(err)
		}
		head, n, err = size(b)
	}
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, fmt.Errorf("%w: %d octets, and %d are enough", errLarge, n, limit)
	}
	for left := n; left > 0; {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		got, err := from.Read(b[len(b):min(cap(b), len(b)+left)])
		b, left = b[:len(b)+got], left-got
		if err != nil && left > 0 {
			return nil, cut(err)
		}
	}
	return b, sound(b[head:], maxDepth, new(int))
}

// cut is why a message came to no end.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it closed the connection: %w", err)
	}
	return err
}

// sound checks that these elements, and those in them, have lengths that agree.
func sound(b []byte, depth int, elements *int) error {
	if depth == 0 {
		return errElements
	}
	for len(b) > 0 {
		if *elements++; *elements > maxElements {
			return errElements
		}
		tag, value, rest, err := next(b)
		if err != nil {
			return err
		}
		if tag&0x20 != 0 {
			if err := sound(value, depth-1, elements); err != nil {
				return err
			}
		}
		b = rest
	}
	return nil
}

// Guard lets whole messages through alone, each checked, of a size that an
// entry may have: the reader of go-ldap allocates for whatever it is shown.
func Guard(conn net.Conn) net.Conn { return &guarded{Conn: conn, from: bufio.NewReader(conn)} }

type guarded struct {
	net.Conn
	from *bufio.Reader
	rest []byte // of a message, still to be read
	err  error  // what has gone wrong stays so
}

func (g *guarded) Read(b []byte) (int, error) {
	if len(g.rest) == 0 && g.err == nil {
		g.rest, g.err = readMessage(g.from, maxMessage)
	}
	if g.err != nil {
		return 0, g.err
	}
	n := copy(b, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}
