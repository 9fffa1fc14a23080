package passwd

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Params are the costs of argon2id (RFC 9106 §3.1). A zero field means its
// value in [Default].
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

// Default is what new hashes cost: 19 MiB and two passes.
var Default = Params{Memory: 19 * 1024, Time: 2, Threads: 1}

const (
	saltOctets = 16
	keyOctets  = 32

	maxMemory  = 256 * 1024 // KiB
	maxPasses  = 10
	maxThreads = 16
)

// Make hashes a new password and returns a PHC string. The password is
// brought to Unicode's form NFC first, so that it matches from any keyboard.
// Params outside of what [Parse] accepts are moved to the nearest bound.
func Make(password []byte, p Params) string {
	p = p.bounded()
	if !norm.NFC.IsNormal(password) {
		password = norm.NFC.Bytes(password)
		defer clear(password)
	}
	a := argon2Key{Params: p, variant: "argon2id", salt: make([]byte, saltOctets)}
	rand.Read(a.salt) // never fails: it ends the program instead
	a.key = argon2.IDKey(password, a.salt, p.Time, p.Memory, p.Threads, keyOctets)
	return a.encode()
}

func (p Params) bounded() Params {
	if p.Memory == 0 {
		p.Memory = Default.Memory
	}
	if p.Time == 0 {
		p.Time = Default.Time
	}
	if p.Threads == 0 {
		p.Threads = Default.Threads
	}
	p.Threads = min(p.Threads, maxThreads)
	p.Memory = min(max(p.Memory, 8*uint32(p.Threads)), maxMemory)
	p.Time = min(p.Time, maxPasses)
	return p
}

// argon2Key is one argon2 hash.
type argon2Key struct {
	Params
	variant   string // argon2id or argon2i
	salt, key []byte
}

func (a argon2Key) match(password []byte) bool {
	derive := argon2.IDKey
	if a.variant == "argon2i" {
		derive = argon2.Key
	}
	key := derive(password, a.salt, a.Time, a.Memory, a.Threads, uint32(len(a.key)))
	return subtle.ConstantTimeCompare(key, a.key) == 1
}

func (a argon2Key) encode() string {
	return fmt.Sprintf("$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", a.variant, argon2.Version, a.Memory, a.Time, a.Threads,
		base64.RawStdEncoding.EncodeToString(a.salt), base64.RawStdEncoding.EncodeToString(a.key))
}

// parseArgon2 reads $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func parseArgon2(s string) (Hash, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" {
		return Hash{}, unreadable("an argon2 hash has five parts after its first $: variant, v=19, parameters, salt, key")
	}
	if part[2] != "v=19" {
		return Hash{}, unreadable("only version 19 of argon2 is accepted; %s", setNew)
	}
	var value [3]uint64
	names := [3]string{"m", "t", "p"}
	params := strings.Split(part[3], ",")
	if len(params) != len(names) {
		return Hash{}, unreadable("argon2 parameters are m=, t= and p=, in this order")
	}
	for i, param := range params {
		digits, found := strings.CutPrefix(param, names[i]+"=")
		n, err := strconv.ParseUint(digits, 10, 32)
		if !found || err != nil {
			return Hash{}, unreadable("argon2 parameters are m=, t= and p=, in this order")
		}
		value[i] = n
	}
	salt, err := decode64(part[4])
	if err != nil {
		return Hash{}, unreadable("the salt of the argon2 hash is not base64")
	}
	key, err := decode64(part[5])
	if err != nil {
		return Hash{}, unreadable("the key of the argon2 hash is not base64")
	}
	return newArgon2(part[1], value[0], value[1], value[2], salt, key)
}

func newArgon2(variant string, memory, passes, threads uint64, salt, key []byte) (Hash, error) {
	switch {
	case variant != "argon2id" && variant != "argon2i":
		return Hash{}, unreadable("of argon2 only argon2id and argon2i are accepted; %s", setNew)
	case passes < 1 || passes > maxPasses:
		return Hash{}, outOfBounds("argon2 t=%d is not 1 to %d; %s", passes, maxPasses, setNew)
	case threads < 1 || threads > maxThreads:
		return Hash{}, outOfBounds("argon2 p=%d is not 1 to %d; %s", threads, maxThreads, setNew)
	case memory < 8*threads || memory > maxMemory:
		return Hash{}, outOfBounds("argon2 m=%d is not %d (8 KiB a lane) to %d (256 MiB); %s", memory, 8*threads, maxMemory, setNew)
	case len(salt) < 8 || len(salt) > 64:
		return Hash{}, outOfBounds("argon2 salt has %d octets, not 8 to 64; %s", len(salt), setNew)
	case len(key) < minKey || len(key) > maxKey:
		return Hash{}, outOfBounds("argon2 key has %d octets, not %d to %d; %s", len(key), minKey, maxKey, setNew)
	}
	p := Params{Memory: uint32(memory), Time: uint32(passes), Threads: uint8(threads)}
	return Hash{scheme: variant, form: argon2Key{p, variant, salt, key}}, nil
}

// A key shorter than minKey would match by chance; a PBKDF2 key longer than
// its digest costs the iterations again.
const (
	minKey = 16
	maxKey = 64
)

// decode64 reads base64 as it is found: with or without padding, and with the
// dot that passlib and OpenLDAP write for the plus.
func decode64(s string) ([]byte, error) {
	s = strings.ReplaceAll(strings.TrimRight(s, "="), ".", "+")
	if strings.ContainsAny(s, "\r\n") { // the decoder would skip them
		return nil, base64.CorruptInputError(0)
	}
	return base64.RawStdEncoding.DecodeString(s)
}
