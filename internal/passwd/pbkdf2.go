package passwd

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
	"strconv"
	"strings"
)

// pbkdf2Key is one PBKDF2 hash (RFC 8018 §5.2).
type pbkdf2Key struct {
	new        func() hash.Hash
	iterations int
	salt, key  []byte
}

func (k pbkdf2Key) match(password []byte) bool {
	key, err := pbkdf2.Key(k.new, string(password), k.salt, k.iterations, len(k.key))
	return err == nil && subtle.ConstantTimeCompare(key, k.key) == 1
}

// parsePBKDF2 reads what follows {PBKDF2-SHA256} and $pbkdf2-sha256$:
// iterations$salt$key.
func parsePBKDF2(name, rest string) (Hash, error) {
	part := strings.Split(rest, "$")
	if len(part) != 3 {
		return Hash{}, unreadable("a PBKDF2 hash has iterations, salt and key")
	}
	salt, err := decode64(part[1])
	if err != nil {
		return Hash{}, unreadable("the salt of the PBKDF2 hash is not base64")
	}
	return newPBKDF2(name, part[0], salt, part[2])
}

// parseDjango reads pbkdf2_sha256$iterations$salt$key, where the salt is text.
func parseDjango(s string) (Hash, error) {
	part := strings.Split(s, "$")
	if len(part) != 4 {
		return Hash{}, unreadable("a Django hash has name, iterations, salt and key")
	}
	return newPBKDF2(strings.Replace(part[0], "_", "-", 1), part[1], []byte(part[2]), part[3])
}

func newPBKDF2(name, iterations string, salt []byte, key64 string) (Hash, error) {
	k := pbkdf2Key{salt: salt}
	switch name {
	case "pbkdf2", "pbkdf2-sha1":
		k.new = sha1.New
	case "pbkdf2-sha256":
		k.new = sha256.New
	case "pbkdf2-sha512":
		k.new = sha512.New
	default:
		return Hash{}, unreadable("of PBKDF2 only SHA-1, SHA-256 and SHA-512 are accepted; %s", setNew)
	}
	n, err := strconv.ParseUint(iterations, 10, 32)
	if err != nil {
		return Hash{}, unreadable("the iterations of the PBKDF2 hash are not a number")
	}
	k.iterations = int(n)
	if k.key, err = decode64(key64); err != nil {
		return Hash{}, unreadable("the key of the PBKDF2 hash is not base64")
	}
	switch {
	case n < 1 || n > maxRounds:
		return Hash{}, outOfBounds("PBKDF2 with %d iterations, not 1 to %d; %s", n, maxRounds, setNew)
	case len(k.salt) > 128:
		return Hash{}, outOfBounds("PBKDF2 salt has %d octets, more than 128; %s", len(k.salt), setNew)
	case len(k.key) < minKey || len(k.key) > maxKey:
		return Hash{}, outOfBounds("PBKDF2 key has %d octets, not %d to %d; %s", len(k.key), minKey, maxKey, setNew)
	}
	return Hash{scheme: name, form: k}, nil
}
