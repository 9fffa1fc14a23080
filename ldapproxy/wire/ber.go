package wire

import "encoding/binary"

// Tags of BER that LDAP uses besides its own (X.690 §8.1.2).
const (
	TagBoolean    = 0x01
	TagInteger    = 0x02
	TagString     = 0x04
	TagEnumerated = 0x0a
	TagSequence   = 0x30
	tagSet        = 0x31

	classMask    = 0xc0
	classContext = 0x80
	longTag      = 0x1f // a tag number above 30, which LDAP has none of
)

// maxHeader is a tag, and a length in the longest form that we read.
const maxHeader = 6

// header reads tag and length at the start of b: head octets, then n of
// content. While they are not all there, head is 0. The indefinite form is
// not LDAP (RFC 4511 §5.1); a length longer than it need be is, and Active
// Directory and Java send four octets for everything.
func header(b []byte) (head int, n int64, err error) {
	if len(b) > 0 && b[0]&longTag == longTag {
		return 0, 0, ErrFrame
	}
	if len(b) < 2 {
		return 0, 0, nil
	}
	if b[1] < 0x80 {
		return 2, int64(b[1]), nil
	}
	octets := int(b[1] & 0x7f)
	if octets == 0 || octets > 4 {
		return 0, 0, ErrFrame
	}
	if len(b) < 2+octets {
		return 0, 0, nil
	}
	var wide [4]byte
	copy(wide[4-octets:], b[2:])
	return 2 + octets, int64(binary.BigEndian.Uint32(wide[:])), nil
}

// Decoder reads elements one after the other. After the first fault it reads
// nothing more, so that err is looked at once, at the end. What it returns
// are views.
type Decoder struct {
	Rest []byte
	Err  error
	// Strict: nothing may stand behind what was read. Whoever the request is
	// passed on to may make something of it, as OpenLDAP's decoder does, which
	// goes on inside of a SEQUENCE that has more elements than it knows.
	Strict bool
}

func (d *Decoder) fail(err error) {
	if d.Err == nil {
		d.Err = err
	}
	d.Rest = nil
}

func (d *Decoder) More() bool { return len(d.Rest) > 0 }

// Peek is the tag of the next element, 0 at the end.
func (d *Decoder) Peek() byte {
	if len(d.Rest) == 0 {
		return 0
	}
	return d.Rest[0]
}

// Next takes an element of any tag.
func (d *Decoder) Next() (tag byte, body []byte) {
	head, n, err := header(d.Rest)
	if err != nil || head == 0 || n > int64(len(d.Rest)-head) {
		d.fail(ErrFrame)
		return 0, nil
	}
	tag, end := d.Rest[0], head+int(n)
	body = d.Rest[head:end:end]
	d.Rest = d.Rest[end:]
	return tag, body
}

// Take takes an element that must have this tag.
func (d *Decoder) Take(tag byte) []byte {
	got, body := d.Next()
	if got != tag {
		d.fail(ErrFrame)
		return nil
	}
	return body
}

// Within is a Decoder for the elements inside the next one.
func (d *Decoder) Within(tag byte) Decoder {
	body := d.Take(tag)
	return Decoder{Rest: body, Err: d.Err, Strict: d.Strict}
}

func (d *Decoder) Text(tag byte) string { return string(d.Take(tag)) }

// Number takes an INTEGER or ENUMERATED. LDAP has none that is negative or
// above 2^31-1 in a request.
func (d *Decoder) Number(tag byte) int64 {
	body := d.Take(tag)
	if d.Err != nil {
		return 0
	}
	n, err := number(body)
	if err != nil {
		d.fail(err)
	}
	return n
}

// number reads the content of an INTEGER of at most four octets, which need
// not be the fewest.
func number(body []byte) (int64, error) {
	if len(body) == 0 {
		return 0, ErrFrame
	}
	if len(body) > 4 || body[0] >= 0x80 {
		return 0, errRequest
	}
	var n int64
	for _, b := range body {
		n = n<<8 | int64(b)
	}
	return n, nil
}

// boolean takes a BOOLEAN. TRUE is FF (RFC 4511 §5.1), but plain BER encoders
// send 01, and every server takes it.
func (d *Decoder) boolean(tag byte) bool {
	body := d.Take(tag)
	if len(body) != 1 {
		d.fail(ErrFrame)
		return false
	}
	return body[0] != 0
}

// End ends a SEQUENCE. Components that a later version appended are ignored,
// as RFC 4511 §4 demands, if they are whole and their tags are none of those
// that were known here; anything else is garbage. A strict Decoder refuses all.
func (d *Decoder) End(known ...byte) error {
	if d.Strict && d.More() {
		d.fail(errRequest)
	}
	for d.More() {
		tag, _ := d.Next()
		if tag&classMask != classContext {
			d.fail(ErrFrame)
		}
		for _, k := range known {
			if tag == k {
				d.fail(ErrFrame)
			}
		}
	}
	return d.Err
}

// sizeOf is the size of an element with n octets of content.
func sizeOf(n int) int {
	switch {
	case n < 1<<7:
		return 2 + n
	case n < 1<<8:
		return 3 + n
	case n < 1<<16:
		return 4 + n
	case n < 1<<24:
		return 5 + n
	}
	return 6 + n
}

// appendHeader begins an element with n octets of content; the length takes
// the fewest octets.
func appendHeader(dst []byte, tag byte, n int) []byte {
	switch {
	case n < 1<<7:
		return append(dst, tag, byte(n))
	case n < 1<<8:
		return append(dst, tag, 0x81, byte(n))
	case n < 1<<16:
		return append(dst, tag, 0x82, byte(n>>8), byte(n))
	case n < 1<<24:
		return append(dst, tag, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(dst, tag, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendString[T string | []byte](dst []byte, tag byte, s T) []byte {
	return append(appendHeader(dst, tag, len(s)), s...)
}

// sizeOfNumber is the size of an INTEGER or ENUMERATED, which is not negative.
func sizeOfNumber(n int32) int {
	switch {
	case n < 1<<7:
		return 3
	case n < 1<<15:
		return 4
	case n < 1<<23:
		return 5
	}
	return 6
}

func AppendNumber(dst []byte, tag byte, n int32) []byte {
	octets := sizeOfNumber(n) - 2
	dst = append(dst, tag, byte(octets))
	for shift := 8 * (octets - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(n>>shift))
	}
	return dst
}

// Element is an element of these parts.
func Element(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	b := appendHeader(make([]byte, 0, sizeOf(n)), tag, n)
	for _, part := range parts {
		b = append(b, part...)
	}
	return b
}

// Octets is an OCTET STRING.
func Octets(s string) []byte { return Element(TagString, []byte(s)) }
