package main

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"hash"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// secret is shared with every contestant.
const secret = "testing123"

const (
	headerLen = 20
	authAt    = 4 // where the authenticator is
	authLen   = 16
	idents    = 256 // an Identifier is one octet
)

// forge makes requests and checks replies. The key is mixed into its HMAC
// once. It is for one goroutine.
type forge struct {
	secret []byte
	mac    hash.Hash
}

func newForge() *forge { return forgeWith(secret) }

// forgeWith signs with a secret that need not be the right one.
func forgeWith(secret string) *forge {
	return &forge{[]byte(secret), hmac.New(md5.New, []byte(secret))}
}

// status is a Status-Server (RFC 5997).
func (f *forge) status(id byte) []byte {
	return f.sign(f.begin(radius.CodeStatusServer, id))
}

// access is an Access-Request as a VPN box sends it: PAP, with the address
// its user comes from.
func (f *forge) access(id byte, name, password, station string) []byte {
	b := f.begin(radius.CodeAccessRequest, id)
	b = attribute(b, rfc2865.UserName_Type, []byte(name))
	b = attribute(b, rfc2865.UserPassword_Type, hide([]byte(password), b[authAt:headerLen]))
	b = attribute(b, rfc2865.NASIdentifier_Type, []byte("bench"))
	b = attribute(b, rfc2865.CallingStationID_Type, []byte(station))
	return f.sign(b)
}

func (f *forge) begin(code radius.Code, id byte) []byte {
	b := make([]byte, headerLen, 144)
	b[0], b[1] = byte(code), id
	rand.Read(b[authAt:headerLen])
	return b
}

// sign ends a request with its Message-Authenticator (RFC 3579 §3.2).
func (f *forge) sign(b []byte) []byte {
	b = attribute(b, rfc2869.MessageAuthenticator_Type, make([]byte, authLen))
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	f.mac.Reset()
	f.mac.Write(b)
	f.mac.Sum(b[:len(b)-authLen])
	return b
}

// seal ends an Accounting-Request with its authenticator (RFC 2866 §3).
func (f *forge) seal(b []byte) []byte {
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	clear(b[authAt:headerLen])
	sum := md5.Sum(append(b[:len(b):len(b)], f.secret...))
	copy(b[authAt:], sum[:])
	return b
}

func integer(b []byte, typ radius.Type, n uint32) []byte {
	return attribute(b, typ, binary.BigEndian.AppendUint32(nil, n))
}

func attribute(b []byte, typ radius.Type, value []byte) []byte {
	b = append(b, byte(typ), byte(len(value)+2))
	return append(b, value...)
}

// hide encrypts a User-Password (RFC 2865 §5.2).
func hide(password, authenticator []byte) []byte {
	out := make([]byte, max(authLen, (len(password)+authLen-1)/authLen*authLen))
	copy(out, password)
	before := authenticator
	for i := 0; i < len(out); i += authLen {
		pad := md5.Sum(append([]byte(secret), before...))
		for j := range pad {
			out[i+j] ^= pad[j]
		}
		before = out[i : i+authLen]
	}
	return out
}

// authentic reports whether a reply was made for this request by somebody who
// knows the secret: its Response Authenticator (RFC 2865 §3), and the
// Message-Authenticator where it carries one.
func (f *forge) authentic(reply, request []byte) bool {
	if len(reply) < headerLen || int(binary.BigEndian.Uint16(reply[2:])) != len(reply) || reply[1] != request[1] {
		return false
	}
	b := append(make([]byte, 0, len(reply)+len(f.secret)), reply...)
	copy(b[authAt:], request[authAt:headerLen])
	if md5.Sum(append(b, f.secret...)) != [md5.Size]byte(reply[authAt:headerLen]) {
		return false
	}
	for at := headerLen; at+2 <= len(b) && int(b[at+1]) >= 2 && at+int(b[at+1]) <= len(b); at += int(b[at+1]) {
		if radius.Type(b[at]) != rfc2869.MessageAuthenticator_Type || b[at+1] != 2+authLen {
			continue
		}
		clear(b[at+2 : at+2+authLen])
		f.mac.Reset()
		f.mac.Write(b)
		return hmac.Equal(f.mac.Sum(nil), reply[at+2:at+2+authLen])
	}
	return true
}
