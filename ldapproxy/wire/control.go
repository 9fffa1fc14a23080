package wire

import "strings"

// maxControls is how many controls one message may have. Real clients send
// three or four.
const maxControls = 32

const (
	OIDPaged       = "1.2.840.113556.1.4.319"  // simple paged results (RFC 2696)
	OIDManageDsaIT = "2.16.840.1.113730.3.4.2" // referrals as entries (RFC 3296): there are none

	OIDProxyAuthorization = "2.16.840.1.113730.3.4.18"  // RFC 4370
	OIDPasswordPolicy     = "1.3.6.1.4.1.42.2.27.8.5.1" // draft-behera-ldap-password-policy
	OIDPersistentSearch   = "2.16.840.1.113730.3.4.3"   // draft-ietf-ldapext-psearch
	OIDSync               = "1.3.6.1.4.1.4203.1.9.1.1"  // RFC 4533
	OIDNotification       = "1.2.840.113556.1.4.528"    // of Active Directory
	OIDDirSync            = "1.2.840.113556.1.4.841"    // of Active Directory

	OIDSessionTracking = "1.3.6.1.4.1.21008.108.63.1" // draft-wahl-ldap-session
)

// Serves reports whether a control is served for an operation.
func Serves(op byte, oid string) bool {
	switch oid {
	case OIDPaged:
		return op == OpSearch
	case OIDManageDsaIT:
		return op == OpSearch || op == OpCompare
	}
	return false
}

// parseControls reads the content of Controls (RFC 4511 §4.1.11). The same
// control twice is errDoubled, far too many are errMany. A name that is no
// numericoid is errRequest: a server that keeps it as a C string ends it at a
// NUL, and finds a control there that we have not seen.
func parseControls(d Decoder) ([]Control, error) {
	var controls []Control
	var doubled bool
	for d.More() {
		in := d.Within(TagSequence)
		var c Control
		c.OID = in.Text(TagString)
		if in.Peek() == TagBoolean {
			c.Critical = in.boolean(TagBoolean)
		}
		if in.Peek() == TagString {
			c.Value, c.HasValue = in.Take(TagString), true
		}
		if in.End() != nil {
			return nil, ErrFrame
		}
		if !numericOID(c.OID) {
			return nil, errRequest
		}
		for _, have := range controls {
			doubled = doubled || have.OID == c.OID
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

// numericOID reports whether a name is one of RFC 4512 §1.4.
func numericOID(name string) bool {
	for arc := range strings.SplitSeq(name, ".") {
		if arc == "" || arc[0] == '0' && arc != "0" || strings.Trim(arc, "0123456789") != "" {
			return false
		}
	}
	return true
}

// Control is the message's control of this name.
func (m Message) Control(oid string) (Control, bool) {
	for _, c := range m.Controls {
		if c.OID == oid {
			return c, true
		}
	}
	return Control{}, false
}

// ParsePaged reads the value of a paged results control of a request: how
// many entries the client wants, and where to go on. The cookie aliases the
// frame.
func ParsePaged(value []byte) (size int32, cookie []byte, err error) {
	d := Decoder{Rest: value}
	in := d.Within(TagSequence)
	size = int32(in.Number(TagInteger))
	cookie = in.Take(TagString)
	if in.End() != nil || d.More() {
		return 0, nil, errRequest
	}
	return size, cookie, nil
}

// ParseSessionTracking reads where a session tracking control says that the
// person is: sessionSourceIp, which may be empty. What else it tells is not
// looked at, but has to be there (draft-wahl-ldap-session-03 §2.1).
func ParseSessionTracking(value []byte) (source string, err error) {
	d := Decoder{Rest: value}
	in := d.Within(TagSequence)
	source = in.Text(TagString)
	in.Take(TagString) // sessionSourceName
	in.Take(TagString) // formatOID
	in.Take(TagString) // sessionTrackingIdentifier
	if in.End() != nil || d.More() {
		return "", errRequest
	}
	return source, nil
}

// PagedControl is the paged results control of a response: an estimate of all
// entries, 0 for unknown, and the cookie for the next page, empty after the
// last one.
func PagedControl(size int32, cookie []byte) Control {
	n := sizeOfNumber(size) + sizeOf(len(cookie))
	value := make([]byte, 0, sizeOf(n))
	value = appendHeader(value, TagSequence, n)
	value = AppendNumber(value, TagInteger, size)
	value = appendString(value, TagString, cookie)
	return Control{OID: OIDPaged, Value: value, HasValue: true}
}

func (c Control) size() int {
	n := sizeOf(len(c.OID))
	if c.Critical {
		n += 3
	}
	if c.HasValue {
		n += sizeOf(len(c.Value))
	}
	return n
}

// AppendControls appends the Controls of a message, if there are any.
func AppendControls(dst []byte, controls []Control) []byte {
	if len(controls) == 0 {
		return dst
	}
	dst = appendHeader(dst, TagControls, sizeOfList(controls))
	for _, c := range controls {
		dst = c.append(dst)
	}
	return dst
}

func (c Control) append(dst []byte) []byte {
	dst = appendHeader(dst, TagSequence, c.size())
	dst = appendString(dst, TagString, c.OID)
	if c.Critical {
		dst = append(dst, TagBoolean, 1, 0xff)
	}
	if c.HasValue {
		dst = appendString(dst, TagString, c.Value)
	}
	return dst
}

// sizeOfControls is what AppendControls appends.
func sizeOfControls(controls []Control) int {
	if len(controls) == 0 {
		return 0
	}
	return sizeOf(sizeOfList(controls))
}

func sizeOfList(controls []Control) int {
	n := 0
	for _, c := range controls {
		n += sizeOf(c.size())
	}
	return n
}
