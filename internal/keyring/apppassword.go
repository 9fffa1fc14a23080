package keyring

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
)

// An application password stands in the settings of a program that binds all
// day: nobody remembers one, so it is drawn, of 20 letters that are not taken
// for each other, 24 times: 103 bits. What a ring hashes so can't be guessed
// from the hash, and takes microseconds to check.
const (
	appPasswordPrefix  = "app-"
	appPasswordLetters = "bcdfghjkmnpqrstvwxyz"
	appPasswordLength  = 24 // letters behind the prefix
)

// AppPasswordUse is the purpose of the MAC of an application password.
const AppPasswordUse = "app password"

// NewAppPassword draws one, each letter with equal chances.
func NewAppPassword() []byte {
	text := []byte(appPasswordPrefix)
	const fair = 256 - 256%len(appPasswordLetters)
	for b := make([]byte, 1); len(text) < len(appPasswordPrefix)+appPasswordLength; {
		if rand.Read(b); int(b[0]) < fair {
			text = append(text, appPasswordLetters[int(b[0])%len(appPasswordLetters)])
		}
	}
	return text
}

// AppPassword reports whether what was typed has the shape of an application
// password, whatever its case, and returns a copy as it is hashed. What has
// the shape is never taken for anything else.
func AppPassword(typed []byte) (text []byte, ok bool) {
	const n = len(appPasswordPrefix)
	if len(typed) != n+appPasswordLength {
		return nil, false
	}
	text = bytes.ToLower(typed)
	if len(text) != len(typed) || string(text[:n]) != appPasswordPrefix { // what is no ASCII may have got shorter
		return nil, false
	}
	for _, c := range text[n:] {
		if bytes.IndexByte([]byte(appPasswordLetters), c) < 0 {
			return nil, false
		}
	}
	return text, true
}

// AppPasswordParts bind an application password to its person and service.
func AppPasswordParts(person int64, service string, text []byte) [][]byte {
	return [][]byte{binary.BigEndian.AppendUint64(nil, uint64(person)), []byte(service), text}
}
