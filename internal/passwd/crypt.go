package passwd

import (
	"crypto/md5"
	"crypto/subtle"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

const (
	minBcrypt = 4
	maxBcrypt = 14
	minRounds = 1000 // of SHA-crypt; the C library never does fewer
	maxRounds = 1_000_000
)

// cryptAlphabet is the base64 of crypt(3), in order of value.
const cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// crypted is a crypt(3) hash that the library judges. Its own decoder takes
// any cost, so what it is given was checked here.
type crypted struct{ algorithm.Digest }

func (c crypted) match(password []byte) bool { return c.MatchBytes(password) }

// parseSHACrypt reads $5$salt$key, $6$rounds=10000$salt$key.
func parseSHACrypt(id, s string) (Hash, error) {
	part := strings.Split(s, "$")[2:]
	if len(part) == 3 {
		digits, found := strings.CutPrefix(part[0], "rounds=")
		rounds, err := strconv.ParseUint(digits, 10, 32)
		if !found || err != nil {
			return Hash{}, unreadable("only rounds= may stand before the salt of a $%s$ hash", id)
		}
		if rounds < minRounds || rounds > maxRounds {
			return Hash{}, outOfBounds("$%s$ with %d rounds, not %d to %d; %s", id, rounds, minRounds, maxRounds, setNew)
		}
		part = part[1:]
	}
	octets := map[string]int{"5": 43, "6": 86}[id]
	if len(part) != 2 || len(part[0]) > 16 || len(part[1]) != octets || !inCrypt(part[1]) {
		return Hash{}, unreadable("a $%s$ hash has a salt of at most 16 and a key of %d characters", id, octets)
	}
	d, err := shacrypt.Decode(s)
	if err != nil {
		return Hash{}, unreadable("the $%s$ hash is damaged", id)
	}
	return Hash{scheme: map[string]string{"5": "sha256-crypt", "6": "sha512-crypt"}[id], form: crypted{d}}, nil
}

// parseBcrypt reads $2y$10$ and 53 characters of salt and key. $2x$, the
// variant of a program with a bug in it, is not accepted.
func parseBcrypt(s string) (Hash, error) {
	part := strings.Split(s, "$")
	if len(part) != 4 || len(part[2]) != 2 || len(part[3]) != 53 || !inCrypt(part[3]) {
		return Hash{}, unreadable("a bcrypt hash has a cost of two digits and 53 characters of salt and key")
	}
	cost, err := strconv.ParseUint(part[2], 10, 8)
	if err != nil {
		return Hash{}, unreadable("the cost of the bcrypt hash is not a number")
	}
	if cost < minBcrypt || cost > maxBcrypt {
		return Hash{}, outOfBounds("bcrypt cost %d is not %d to %d; %s", cost, minBcrypt, maxBcrypt, setNew)
	}
	d, err := bcrypt.Decode(s)
	if err != nil {
		return Hash{}, unreadable("the bcrypt hash is damaged")
	}
	return Hash{scheme: "bcrypt", form: crypted{d}}, nil
}

// parseYescrypt reads $y$j9T$salt$key as the C library writes it: flags j,
// then one character each for the logarithm of N and for r, both less one.
func parseYescrypt(s string) (Hash, error) {
	part := strings.Split(s, "$")
	if len(part) != 5 || len(part[2]) != 3 || part[2][0] != 'j' || len(part[4]) != 43 ||
		!inCrypt(part[2]+part[3]+part[4]) {
		return Hash{}, unreadable("of yescrypt only what crypt(3) writes is accepted, $y$j and two characters; %s", setNew)
	}
	ln := strings.IndexByte(cryptAlphabet, part[2][1]) + 1
	r := strings.IndexByte(cryptAlphabet, part[2][2]) + 1
	// One block is 128·r octets and N of them are filled.
	if ln < 2 || ln > 21 || r<<ln > maxMemory*8 {
		return Hash{}, outOfBounds("yescrypt with more than %d MiB; %s", maxMemory/1024, setNew)
	}
	d, err := scrypt.Decode(s)
	if err != nil {
		return Hash{}, unreadable("the yescrypt hash is damaged")
	}
	if y, ok := d.(*scrypt.Digest); !ok || len(y.Salt()) == 0 || len(y.Key()) != 32 {
		return Hash{}, unreadable("the yescrypt hash is damaged")
	}
	return Hash{scheme: "yescrypt", form: crypted{d}}, nil
}

// md5Crypt is $1$ and Apache's $apr1$: a thousand rounds of MD5, apart only in
// the magic that is mixed in.
type md5Crypt struct {
	magic, salt, key string
}

func parseMD5Crypt(id, rest string) (Hash, error) {
	salt, key, found := strings.Cut(rest, "$")
	if !found || len(salt) > 8 || len(key) != 22 || !inCrypt(key) {
		return Hash{}, unreadable("a $%s$ hash has a salt of at most 8 and a key of 22 characters", id)
	}
	scheme := map[string]string{"1": "md5-crypt", "apr1": "apr1"}[id]
	return Hash{scheme: scheme, form: md5Crypt{"$" + id + "$", salt, key}}, nil
}

func (m md5Crypt) match(password []byte) bool {
	return subtle.ConstantTimeCompare(m.hash(password), []byte(m.key)) == 1
}

// hash is Poul-Henning Kamp's md5crypt of FreeBSD 2.0.
func (m md5Crypt) hash(password []byte) []byte {
	h := md5.New()
	salt := []byte(m.salt)
	h.Write(password)
	h.Write(salt)
	h.Write(password)
	alternate := h.Sum(nil)

	h.Reset()
	h.Write(password)
	h.Write([]byte(m.magic))
	h.Write(salt)
	for left := len(password); left > 0; left -= md5.Size {
		h.Write(alternate[:min(left, md5.Size)])
	}
	// A bit set was meant to take from the sum and takes a NUL instead; every
	// implementation since has kept it.
	for bits := len(password); bits > 0; bits >>= 1 {
		if bits&1 == 1 {
			h.Write([]byte{0})
		} else {
			h.Write(password[:1])
		}
	}
	sum := h.Sum(nil)

	for round := range 1000 {
		h.Reset()
		odd := round%2 == 1
		if odd {
			h.Write(password)
		} else {
			h.Write(sum)
		}
		if round%3 != 0 {
			h.Write(salt)
		}
		if round%7 != 0 {
			h.Write(password)
		}
		if odd {
			h.Write(sum)
		} else {
			h.Write(password)
		}
		sum = h.Sum(sum[:0])
	}

	key := make([]byte, 0, 22)
	put := func(bits uint32, characters int) {
		for range characters {
			key = append(key, cryptAlphabet[bits&63])
			bits >>= 6
		}
	}
	for _, i := range [][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}} {
		put(uint32(sum[i[0]])<<16|uint32(sum[i[1]])<<8|uint32(sum[i[2]]), 4)
	}
	put(uint32(sum[11]), 2)
	return key
}

func inCrypt(s string) bool { return strings.Trim(s, cryptAlphabet) == "" }
