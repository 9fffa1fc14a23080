// Package passwd is the password hashes: reading what other systems left,
// making our own, and a bounded place to do the work.
//
// One sign-in, told: the directory finds a person and the hash kept for them,
// or none. [Pool.Check] reads it with [Parse], which refuses anything that
// would cost more than a sign-in may. A fast hash is judged at once; a slow
// one waits its turn, and when the queue is full or the wait too long the
// answer is [ErrBusy]: not judged, so never counted against anybody. A name
// that nobody has costs the same work. The answer also says whether the hash
// is weaker than what we make today; the caller then asks [Pool.Make] for a
// new one, after the person has been answered. A new password is first held
// against [Rules]; [Random] writes one for a letter.
package passwd

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// MaxOctets is the longest password that is ever judged or hashed. Some of
// the old formats cost time in proportion to it.
const MaxOctets = 1024

// Errors of [Parse]; the text around them says what to do.
var (
	// ErrFormat: not a password hash that can be read.
	ErrFormat = errors.New("password hash not understood")
	// ErrBounds: understood, but its parameters ask for more work than one
	// sign-in may cost, or for too little to be a hash at all.
	ErrBounds = errors.New("password hash out of bounds")
)

// maxEncoded bounds what Parse reads. A Keycloak credential, the longest
// format, has about 600 octets.
const maxEncoded = 4096

// Hash is a password hash that was read and found affordable. The zero Hash
// matches no password. It prints as the name of its scheme.
type Hash struct {
	scheme string
	form   form
	fast   bool // judged in microseconds
}

// form is one way to hash a password.
type form interface {
	match(password []byte) bool
}

// mismatch does the work of a form and fits no password.
type mismatch struct{ form }

func (m mismatch) match(password []byte) bool {
	m.form.match(password)
	return false
}

// Parse reads a stored hash:
//
//	$argon2id$ $argon2i$            PHC strings, also behind {ARGON2}
//	{SSHA} {SHA} {SMD5} {MD5} and
//	{SSHA256} {SHA256} … {SHA512}   RFC 2307 and its relatives, base64
//	$1$ $5$ $6$ $2a$ $2b$ $2y$ $y$  crypt(3), also behind {CRYPT}
//	$apr1$                          Apache
//	{NT} {SAMBANT} $3$$             MD4 of the password in UTF-16, 32 hex digits
//	{PBKDF2-SHA256} $pbkdf2-sha256$ OpenLDAP and passlib, also SHA-1 and SHA-512
//	pbkdf2_sha256$ argon2$          Django
//	{"secretData": …}               Keycloak's credential, JSON
//
// Scheme names in braces may be in either case. The error wraps [ErrFormat]
// or [ErrBounds] and never repeats the hash.
func Parse(encoded string) (Hash, error) {
	s := strings.TrimSpace(encoded)
	switch {
	case len(s) > maxEncoded:
		return Hash{}, unreadable("longer than %d octets", maxEncoded)
	case strings.HasPrefix(s, "$"):
		return parseModular(s)
	case strings.HasPrefix(s, "{"):
		if body := strings.TrimSpace(s[1:]); strings.HasPrefix(body, `"`) {
			return parseKeycloak(s)
		}
		return parseScheme(s)
	case strings.HasPrefix(s, "pbkdf2_"):
		return parseDjango(s)
	case strings.HasPrefix(s, "argon2$"):
		return parseArgon2(s[len("argon2"):])
	}
	return Hash{}, unreadable("it names no scheme; put one in front, as {MD5} or {NT}")
}

// parseScheme reads {SCHEME}rest (RFC 2307 §5.3).
func parseScheme(s string) (Hash, error) {
	name, rest, found := strings.Cut(s[1:], "}")
	if !found {
		return Hash{}, unreadable("the brace is never closed")
	}
	name = strings.ToUpper(name)
	switch name {
	case "CRYPT":
		if !strings.HasPrefix(rest, "$") {
			return Hash{}, unreadable("traditional DES crypt is not accepted; %s", setNew)
		}
		return parseModular(rest)
	case "ARGON2":
		return parseArgon2(rest)
	case "NT", "SAMBANT":
		return parseNT(rest, false)
	case "PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512":
		return parsePBKDF2(strings.ToLower(name), rest)
	}
	return parseDigest(name, rest)
}

// parseModular reads $id$…, the modular crypt format.
func parseModular(s string) (Hash, error) {
	id, rest, found := strings.Cut(s[1:], "$")
	if !found {
		return Hash{}, unreadable("nothing follows $%s", printable(id))
	}
	switch id {
	case "argon2id", "argon2i", "argon2d":
		return parseArgon2(s)
	case "1", "apr1":
		return parseMD5Crypt(id, rest)
	case "5", "6":
		return parseSHACrypt(id, s)
	case "2a", "2b", "2y":
		return parseBcrypt(s)
	case "y":
		return parseYescrypt(s)
	case "3":
		return parseNT(strings.TrimPrefix(rest, "$"), true)
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512":
		return parsePBKDF2(id, rest)
	}
	return Hash{}, unreadable("$%s$ is not accepted; %s", printable(id), setNew)
}

// Check tells whether password is the one that was hashed: as it was typed
// and, failing that, in Unicode's form NFC, since another system may have
// hashed either. An empty password, one with a NUL and one longer than
// [MaxOctets] never match: the C library ends a password at the NUL, and
// bcrypt wraps around it.
func (h Hash) Check(password []byte) bool {
	if h.form == nil || len(password) == 0 || len(password) > MaxOctets || bytes.IndexByte(password, 0) >= 0 {
		return false
	}
	if h.form.match(password) {
		return true
	}
	if norm.NFC.IsNormal(password) {
		return false
	}
	composed := norm.NFC.Bytes(password)
	defer clear(composed)
	return h.form.match(composed)
}

// Renew tells whether the hash should be replaced at the next sign-in: unless
// it is argon2id with at least the memory and passes of p, it should.
func (h Hash) Renew(p Params) bool {
	a, ok := h.form.(argon2Key)
	if !ok || a.variant != "argon2id" {
		return true
	}
	p = p.bounded()
	return a.Memory < p.Memory || a.Time < p.Time || len(a.salt) < saltOctets || len(a.key) < keyOctets
}

// String returns the scheme, so that a hash can't slip into a log.
func (h Hash) String() string {
	if h.scheme == "" {
		return "none"
	}
	return h.scheme
}

const setNew = "let this person set a new password"

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
}

func outOfBounds(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrBounds}, args...)...)
}

// printable shortens a scheme name for an error. What isn't plainly a name
// may be a piece of somebody's password and is not shown.
func printable(name string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(name) > 16 || strings.Trim(name, plain) != "" {
		return "?"
	}
	return name
}
