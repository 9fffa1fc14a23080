package passwd

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	//lint:ignore SA1019 the NT hash is MD4; it is read, never made
	"golang.org/x/crypto/md4"
)

// digest is one round of a hash function over password and salt: what LDAP
// servers kept for twenty years. It stops nobody who has the file.
type digest struct {
	new       func() hash.Hash
	sum, salt []byte
}

func (d digest) match(password []byte) bool {
	h := d.new()
	h.Write(password)
	h.Write(d.salt)
	return subtle.ConstantTimeCompare(h.Sum(nil), d.sum) == 1
}

// parseDigest reads {SSHA} and its relatives: base64 of the sum, followed by
// the salt where the name has an S for it. A bare sum may be in hex, too, as
// home-made applications keep it.
func parseDigest(name, rest string) (Hash, error) {
	var d digest
	salted := false
	switch name {
	case "MD5", "SMD5":
		d.new, salted = md5.New, name == "SMD5"
	case "SHA", "SSHA":
		d.new, salted = sha1.New, name == "SSHA"
	case "SHA256", "SSHA256":
		d.new, salted = sha256.New, name == "SSHA256"
	case "SHA384", "SSHA384":
		d.new, salted = sha512.New384, name == "SSHA384"
	case "SHA512", "SSHA512":
		d.new, salted = sha512.New, name == "SSHA512"
	default:
		return Hash{}, unreadable("{%s} is not accepted; %s", printable(name), setNew)
	}

	size := d.new().Size()
	raw, err := decode64(rest)
	if !salted && len(rest) == 2*size {
		raw, err = hex.DecodeString(rest)
	}
	if err != nil {
		return Hash{}, unreadable("what follows {%s} is not base64", name)
	}
	switch {
	case salted && len(raw) <= size:
		return Hash{}, unreadable("{%s} needs %d octets and a salt behind them, here are %d", name, size, len(raw))
	case !salted && len(raw) != size:
		return Hash{}, unreadable("{%s} needs %d octets, here are %d", name, size, len(raw))
	}
	d.sum, d.salt = raw[:size], raw[size:]
	return Hash{scheme: strings.ToLower(name), form: d, fast: true}, nil
}

// nt is MD4 over the password in UTF-16, little-endian ([MS-NLMP] §3.3.1).
type nt struct {
	sum   []byte
	crypt bool // crypt(3) widens each octet instead; ASCII comes out the same
}

func (n nt) match(password []byte) bool {
	var units []uint16
	if utf8.Valid(password) { // else U+FFFD would stand for any broken octet
		units = utf16.Encode([]rune(string(password)))
	}
	ok := units != nil && subtle.ConstantTimeCompare(md4UTF16(units), n.sum) == 1
	if ok || !n.crypt {
		return ok
	}
	units = units[:0]
	for _, octet := range password {
		units = append(units, uint16(octet))
	}
	return subtle.ConstantTimeCompare(md4UTF16(units), n.sum) == 1
}

func md4UTF16(units []uint16) []byte {
	wide := make([]byte, 0, 2*len(units))
	for _, u := range units {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	h := md4.New()
	h.Write(wide)
	clear(wide)
	return h.Sum(nil)
}

func parseNT(digits string, crypt bool) (Hash, error) {
	sum, err := hex.DecodeString(digits)
	if err != nil || len(sum) != md4.Size {
		return Hash{}, unreadable("an NT hash has 32 hex digits")
	}
	return Hash{scheme: "nt", form: nt{sum, crypt}, fast: true}, nil
}
