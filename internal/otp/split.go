package otp

import (
	"bytes"
	"unicode/utf8"
)

// Split cuts a code off the end of a field that holds a password, the
// separator (often "") and the code, in this order. It counts octets from the
// end, so that the password may hold anything: digits, the separator itself,
// octets that are not UTF-8. digits is the length of the code; 0: 6.
//
// When the field does not end in a code, ok is false and password is the whole
// field. A field that is nothing but a code has an empty password; to refuse it
// is left to the caller. Both results share the memory of field.
func Split(field []byte, digits int, separator string) (password, code []byte, ok bool) {
	if digits == 0 {
		digits = 6
	}
	n := len(field) - digits
	if digits < 0 || n < 0 || !digitsOnly(field[n:]) {
		return field, nil, false
	}
	password, ok = bytes.CutSuffix(field[:n:n], []byte(separator))
	if !ok {
		return field, nil, false
	}
	return password[:len(password):len(password)], field[n:], true
}

// Wide reports whether field ends in a code that a Japanese keyboard typed in
// full-width digits (U+FF10 to U+FF19), all of them or some. Such a code is
// worth a hint rather than a guess: behind a password it is not narrowed, since
// the password may end in full-width digits of its own.
func Wide(field []byte, digits int) bool {
	if digits == 0 {
		digits = 6
	}
	wide := false
	for range digits {
		r, size := utf8.DecodeLastRune(field)
		switch {
		case isWide(r):
			wide = true
		case r < '0' || r > '9':
			return false
		}
		field = field[:len(field)-size]
	}
	return wide
}

// Narrow returns a copy of a code from a field of its own, with full-width
// digits turned into ASCII and everything else as it was.
func Narrow(code []byte) []byte {
	narrow := make([]byte, 0, len(code))
	for len(code) > 0 {
		r, size := utf8.DecodeRune(code)
		if isWide(r) {
			narrow = append(narrow, byte('0'+r-'０'))
		} else {
			narrow = append(narrow, code[:size]...)
		}
		code = code[size:]
	}
	return narrow
}

func isWide(r rune) bool { return r >= '０' && r <= '９' }

func digitsOnly(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
