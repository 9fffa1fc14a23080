package ldapproxy

// maxControls is how many controls one message may have. Real clients send
// three or four.
const maxControls = 32

const (
	oidPaged       = "1.2.840.113556.1.4.319"  // simple paged results (RFC 2696)
	oidManageDsaIT = "2.16.840.1.113730.3.4.2" // referrals as entries (RFC 3296): there are none
)

// serves reports whether a control is served for an operation.
func serves(op byte, oid string) bool {
	switch oid {
	case oidPaged:
		return op == opSearch
	case oidManageDsaIT:
		return op == opSearch || op == opCompare
	}
	return false
}

// parseControls reads the content of Controls (RFC 4511 §4.1.11). The same
// control twice is errDoubled, far too many are errMany.
func parseControls(list []byte) ([]control, error) {
	d := decoder{rest: list}
	var controls []control
	var doubled bool
	for d.more() {
		in := d.within(tagSequence)
		var c control
		c.oid = in.string(tagString)
		if in.peek() == tagBoolean {
			c.critical = in.boolean(tagBoolean)
		}
		if in.peek() == tagString {
			c.value, c.hasValue = in.take(tagString), true
		}
		if in.end() != nil {
			return nil, errFrame
		}
		for _, have := range controls {
			doubled = doubled || have.oid == c.oid
		}
		if len(controls) == maxControls {
			return nil, errMany
		}
		controls = append(controls, c)
	}
	if doubled {
		return nil, errDoubled
	}
	return controls, nil
}

// control is the message's control of this name.
func (m message) control(oid string) (control, bool) {
	for _, c := range m.controls {
		if c.oid == oid {
			return c, true
		}
	}
	return control{}, false
}

// parsePaged reads the value of a paged results control of a request: how
// many entries the client wants, and where to go on. The cookie aliases the
// frame.
func parsePaged(value []byte) (size int32, cookie []byte, err error) {
	d := decoder{rest: value}
	in := d.within(tagSequence)
	size = int32(in.number(tagInteger))
	cookie = in.take(tagString)
	if in.end() != nil || d.more() {
		return 0, nil, errRequest
	}
	return size, cookie, nil
}

// pagedControl is the paged results control of a response: an estimate of all
// entries, 0 for unknown, and the cookie for the next page, empty after the
// last one.
func pagedControl(size int32, cookie []byte) control {
	n := sizeOfNumber(size) + sizeOf(len(cookie))
	value := make([]byte, 0, sizeOf(n))
	value = appendHeader(value, tagSequence, n)
	value = appendNumber(value, tagInteger, size)
	value = appendString(value, tagString, cookie)
	return control{oid: oidPaged, value: value, hasValue: true}
}

func (c control) size() int {
	n := sizeOf(len(c.oid))
	if c.critical {
		n += 3
	}
	if c.hasValue {
		n += sizeOf(len(c.value))
	}
	return n
}

func appendControls(dst []byte, controls []control) []byte {
	if len(controls) == 0 {
		return dst
	}
	dst = appendHeader(dst, tagControls, sizeOfList(controls))
	for _, c := range controls {
		dst = appendHeader(dst, tagSequence, c.size())
		dst = appendString(dst, tagString, c.oid)
		if c.critical {
			dst = append(dst, tagBoolean, 1, 0xff)
		}
		if c.hasValue {
			dst = appendString(dst, tagString, c.value)
		}
	}
	return dst
}

// sizeOfControls is what appendControls appends.
func sizeOfControls(controls []control) int {
	if len(controls) == 0 {
		return 0
	}
	return sizeOf(sizeOfList(controls))
}

func sizeOfList(controls []control) int {
	n := 0
	for _, c := range controls {
		n += sizeOf(c.size())
	}
	return n
}
