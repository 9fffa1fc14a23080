package main

import (
	"encoding/binary"
	"errors"
)

// Tags of the LDAP messages that are sent and awaited (RFC 4511 §4).
const (
	tagInteger  = 0x02
	tagString   = 0x04
	tagEnum     = 0x0a
	tagSequence = 0x30

	tagBind      = 0x60
	tagBound     = 0x61
	tagSearch    = 0x63
	tagEntry     = 0x64
	tagFound     = 0x65
	tagPassword  = 0x80 // of a simple bind
	tagEquality  = 0xa3
	scopeSubtree = 2
)

// bindRequest is a simple bind; its answer is good if it is success.
func bindRequest(id int, dn, password string) []byte {
	return message(id, element(tagBind, number(tagInteger, 3), text(tagString, dn), text(tagPassword, password)))
}

// searchRequest looks for (uid=…) in the whole tree, as an application does
// before a bind; its answer is good if it is success and just one entry.
func searchRequest(id int, base, uid string) []byte {
	return message(id, element(tagSearch,
		text(tagString, base), number(tagEnum, scopeSubtree), number(tagEnum, 0), // never dereferencing
		number(tagInteger, 0), number(tagInteger, 0), []byte{0x01, 1, 0}, // no limits; values, too
		element(tagEquality, text(tagString, "uid"), text(tagString, uid)),
		element(tagSequence, text(tagString, "uid"), text(tagString, "cn"), text(tagString, "mail")),
	))
}

func message(id int, op []byte) []byte { return element(tagSequence, number(tagInteger, id), op) }

func text(tag byte, s string) []byte { return element(tag, []byte(s)) }

// number is one of at most 31 bits, in the fewest octets.
func number(tag byte, n int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(n))
	for len(b) > 1 && b[0] == 0 && b[1] < 0x80 {
		b = b[1:]
	}
	return element(tag, b)
}

// element is a BER element of up to 64 KiB.
func element(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n+4)
	switch {
	case n < 0x80:
		b = append(b, tag, byte(n))
	case n < 0x100:
		b = append(b, tag, 0x81, byte(n))
	default:
		b = append(b, tag, 0x82, byte(n>>8), byte(n))
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

var errBER = errors.New("that is no LDAP message")

// next cuts the first element off b; while it is not all there, ok is false.
func next(b []byte) (tag byte, body, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	head, n := 2, int(b[1])
	if n >= 0x80 {
		head += n & 0x7f
		if len(b) < head || head > 6 {
			return 0, nil, nil, false
		}
		n = 0
		for _, octet := range b[2:head] {
			n = n<<8 | int(octet)
		}
	}
	if len(b)-head < n {
		return 0, nil, nil, false
	}
	return b[0], b[head : head+n], b[head+n:], true
}

// operation takes an LDAPMessage apart.
func operation(body []byte) (id string, op byte, content []byte, err error) {
	tag, number, rest, ok := next(body)
	if !ok || tag != tagInteger {
		return "", 0, nil, errBER
	}
	op, content, _, ok = next(rest)
	if !ok {
		return "", 0, nil, errBER
	}
	return string(number), op, content, nil
}

// ldapAnswer reads the entries and the result that answer a request.
func ldapAnswer(b, request []byte) (used int, good bool, err error) {
	_, asked, _, _ := next(request)
	id, op, _, err := operation(asked)
	if err != nil {
		return 0, false, err
	}
	entries, rest := 0, b
	for {
		tag, body, after, ok := next(rest)
		if !ok {
			return 0, false, nil
		}
		got, kind, content, err := operation(body)
		if err != nil || tag != tagSequence || got != id {
			return 0, false, errBER
		}
		rest = after
		if kind == tagEntry && op == tagSearch {
			entries++
			continue
		}
		code, value, _, ok := next(content)
		success := ok && code == tagEnum && len(value) == 1 && value[0] == 0
		switch {
		case op == tagBind && kind == tagBound:
			return len(b) - len(rest), success, nil
		case op == tagSearch && kind == tagFound:
			return len(b) - len(rest), success && entries == 1, nil
		}
		return 0, false, errBER
	}
}

// unbindRequest ends a session.
func unbindRequest(id int) []byte { return message(id, []byte{0x42, 0}) }
