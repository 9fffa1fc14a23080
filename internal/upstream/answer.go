package upstream

import (
	"fmt"
	"io"
)

// Answer is an LDAPResult (RFC 4511 §4.1.9) with its controls.
type Answer struct {
	Code       uint16
	Diagnostic string
	Controls   []Control
}

// Control is one of a response.
type Control struct {
	OID   string
	Value []byte
}

// Control returns the value of the control of that name.
func (a Answer) Control(oid string) (value []byte, ok bool) {
	for _, c := range a.Controls {
		if c.OID == oid {
			return c.Value, true
		}
	}
	return nil, false
}

// The result codes by which a server says that it can't work at present
// (RFC 4511 appendix A).
const (
	codeBusy        = 51
	codeUnavailable = 52
	codeOther       = 80
)

func (a Answer) failing() bool {
	return a.Code == codeBusy || a.Code == codeUnavailable || a.Code == codeOther
}

// response is a message that came: its operation, and the controls behind it.
type response struct {
	tag      byte
	op, rest []byte
}

// readResponse reads a message of ours, which are all number 1.
func readResponse(from io.Reader, limit int) (response, error) {
	b, err := readMessage(from, limit)
	if err != nil {
		return response{}, err
	}
	_, b, _, err = next(b)
	if err != nil {
		return response{}, err
	}
	tag, id, b, err := next(b)
	if err != nil || tag != tagInteger {
		return response{}, errForm
	}
	var r response
	if r.tag, r.op, r.rest, err = next(b); err != nil {
		return response{}, err
	}
	switch {
	case number(id) == 0 && r.tag == tagExtendedResponse: // RFC 4511 §4.4.1
		notice, err := r.answer()
		if err != nil {
			return response{}, err
		}
		return response{}, fmt.Errorf("it ends the connection with %d %q", notice.Code, notice.Diagnostic)
	case number(id) != 1:
		return response{}, fmt.Errorf("it answered message %d, which was not sent", number(id))
	}
	return r, nil
}

// readAnswer reads a response of that tag.
func readAnswer(from io.Reader, tag byte) (Answer, error) {
	r, err := readResponse(from, maxAnswer)
	if err != nil {
		return Answer{}, err
	}
	if r.tag != tag {
		return Answer{}, fmt.Errorf("it answered with an operation of tag %#x; wanted %#x", r.tag, tag)
	}
	return r.answer()
}

func (r response) answer() (Answer, error) {
	codeTag, code, b, err := next(r.op)
	if err != nil || codeTag != tagEnumerated || len(code) == 0 || len(code) > 2 {
		return Answer{}, errForm
	}
	if _, _, b, err = next(b); err != nil { // matchedDN
		return Answer{}, err
	}
	_, diagnostic, _, err := next(b)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Code: uint16(number(code)), Diagnostic: string(diagnostic)}
	if len(r.rest) == 0 {
		return a, nil
	}
	tag, list, _, err := next(r.rest)
	switch {
	case err != nil:
		return Answer{}, err
	case tag != tagControls: // of a later version of LDAP (RFC 4511 §4)
		return a, nil
	}
	for len(list) > 0 {
		var one []byte
		if _, one, list, err = next(list); err != nil {
			return Answer{}, err
		}
		c, err := readControl(one)
		if err != nil {
			return Answer{}, err
		}
		a.Controls = append(a.Controls, c)
	}
	return a, nil
}

func readControl(b []byte) (Control, error) {
	_, oid, b, err := next(b)
	if err != nil {
		return Control{}, err
	}
	c := Control{OID: string(oid)}
	for len(b) > 0 { // criticality, value
		var tag byte
		var value []byte
		if tag, value, b, err = next(b); err != nil {
			return Control{}, err
		}
		if tag == tagOctets {
			c.Value = value
		}
	}
	return c, nil
}

// number reads an INTEGER or ENUMERATED that is not negative; -1 is too large.
func number(b []byte) int {
	if len(b) > 4 {
		return -1
	}
	n := 0
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n
}
