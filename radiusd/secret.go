package radiusd

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"hash"
	"sync"
)

// secret is one shared secret of a client. It keeps HMAC states that have
// the key mixed in already, since a check is made for every datagram.
type secret struct {
	key  []byte
	macs sync.Pool
}

// mac is one such state with the room that a sum needs.
type mac struct {
	hash.Hash
	plain hash.Hash // without the key
	zero  [authLen]byte
	sum   [authLen]byte
}

func newSecret(key []byte) *secret {
	s := &secret{key: bytes.Clone(key)}
	s.macs.New = func() any { return &mac{Hash: hmac.New(md5.New, s.key), plain: md5.New()} }
	return s
}

// String hides the secret.
func (s *secret) String() string { return "[secret]" }

// messageAuthenticator is the HMAC-MD5 over a packet whose Message-Authenticator,
// with its value at the given place, is taken as zero (RFC 3579 §3.2).
func (s *secret) messageAuthenticator(octets []byte, at int) [authLen]byte {
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	m.Reset()
	m.Write(octets[:at])
	m.Write(m.zero[:])
	m.Write(octets[at+authLen:])
	m.Sum(m.sum[:0])
	return m.sum
}

// verify reports whether the Message-Authenticator at the given place was
// made with this secret.
func (s *secret) verify(p packet, at int) bool {
	sum := s.messageAuthenticator(p, at)
	return subtle.ConstantTimeCompare(sum[:], p[at:at+authLen]) == 1
}

// verifyRecord is verify for an Accounting-Request. Its authenticator depends
// on the Message-Authenticator, so that is made first, over zeros: RFC 5176
// §3.4 says so of a Disconnect-Request, and FreeRADIUS does it here, too.
func (s *secret) verifyRecord(p packet, at int) bool {
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	m.Reset()
	m.Write(p[:4])
	m.Write(m.zero[:])
	m.Write(p[headerLen:at])
	m.Write(m.zero[:])
	m.Write(p[at+authLen:])
	return subtle.ConstantTimeCompare(m.Sum(m.sum[:0]), p[at:at+authLen]) == 1
}

// signed reports whether the authenticator of an Accounting-Request was made
// with this secret (RFC 2866 §3).
func (s *secret) signed(p packet) bool {
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	m.plain.Reset()
	m.plain.Write(p[:4])
	m.plain.Write(m.zero[:])
	m.plain.Write(p[headerLen:])
	m.plain.Write(s.key)
	return subtle.ConstantTimeCompare(m.plain.Sum(m.sum[:0]), p.authenticator()) == 1
}

// responseAuthenticator is MD5 over a reply that still carries the request's
// authenticator, and the secret (RFC 2865 §3).
func (s *secret) responseAuthenticator(reply []byte) [authLen]byte {
	return md5.Sum(append(reply, s.key...))
}

// reveal undoes the hiding of a User-Password (RFC 2865 §5.2) into dst, which
// has room for it, and strips the padding. The hidden value is a multiple of
// 16 octets long. NULs inside the password stay: the caller refuses them,
// for cutting there would let a shorter password pass for a longer one.
func (s *secret) reveal(dst, hidden, authenticator []byte) []byte {
	pad := make([]byte, len(s.key), len(s.key)+authLen)
	copy(pad, s.key)
	before := authenticator
	for i := 0; i < len(hidden); i += authLen {
		sum := md5.Sum(append(pad, before...))
		before = hidden[i : i+authLen]
		subtle.XORBytes(dst[i:], before, sum[:])
	}
	return bytes.TrimRight(dst[:len(hidden)], "\x00")
}
