// Package keyring holds the keys that seal secrets at rest and bind proofs.
//
// One secret, told: somebody enrols a code device. [Ring.Seal] encrypts its
// secret under the current key and ties it to what it is for and to the row it
// will lie in, so that whoever can write to the database still can't move it to
// another person. At the next sign-in [Ring.Open] reads the key's id from the
// sealed octets, picks that key out of the ring and refuses whatever was
// altered, moved or swapped. [Ring.MAC] binds what leaves the house and comes
// back, such as a ticket's id in a RADIUS Class.
//
// The keys never lie beside the data: [Open] takes them from a systemd
// credential, a file of mode 0400 or a command. The store keeps a check value
// for each key, and [Ring.Verify] compares them at start, before anything is
// read with a wrong key. A ring holds old keys for reading; only the current
// one seals. To rotate is to make a new one current, seal every row again and
// retire the old one.
package keyring

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The faults that a caller tells apart.
var (
	// ErrUnknownKey is wrapped with the id of a key that the ring lacks.
	ErrUnknownKey = errors.New("key is not in the key ring")

	// ErrSealed says that sealed octets are damaged, or were made for another
	// purpose or row, or under another key of the same id.
	ErrSealed = errors.New("sealed value is damaged or belongs elsewhere")

	// ErrWrongKey is wrapped with the id of a key whose octets are not those
	// the store was sealed with.
	ErrWrongKey = errors.New("key is not the one this store was sealed with")
)

// Ring is a set of keys, one of them current. It never changes: rotating makes
// another Ring, and any number of goroutines may use the same one. Rings come
// from [New] and [Open]; the zero Ring has no key, opens and verifies nothing,
// and panics when it is to seal.
type Ring struct {
	keys    []key // in the order of the file
	current uint32
	aeads   sync.Map // use -> cipher.AEAD
	macs    sync.Map // use -> *sync.Pool of hash.Hash
}

type key struct {
	id      uint32
	secret  [32]byte
	created time.Time // a day, UTC
}

// Key describes a key without giving it away.
type Key struct {
	ID      uint32 // written as 8 hexadecimal digits
	Created time.Time
	Current bool
}

// New makes a ring with one new key.
func New(now time.Time) *Ring {
	return new(Ring).Rotate(now)
}

// Keys lists the keys in the order they were added.
func (r *Ring) Keys() []Key {
	list := make([]Key, len(r.keys))
	for i, k := range r.keys {
		list[i] = Key{ID: k.id, Created: k.created, Current: k.id == r.current}
	}
	return list
}

// Current is the id of the key that seals. 0: the ring has none.
func (r *Ring) Current() uint32 { return r.current }

// Add returns a ring with one more key, which opens but does not seal yet.
// Where several nodes share a store each of them must have the key before the
// first one seals with it, so there Add comes first and Use later.
func (r *Ring) Add(now time.Time) (*Ring, uint32) {
	k := key{created: day(now)}
	rand.Read(k.secret[:]) // never fails: it ends the program rather than return less
	for k.id == 0 || r.find(k.id) != nil {
		var id [4]byte
		rand.Read(id[:])
		k.id = binary.BigEndian.Uint32(id[:])
	}
	return &Ring{keys: append(slices.Clone(r.keys), k), current: r.current}, k.id
}

// Use returns a ring in which the key seals. The error is ErrUnknownKey.
func (r *Ring) Use(id uint32) (*Ring, error) {
	if r.find(id) == nil {
		return nil, unknown(id)
	}
	return &Ring{keys: slices.Clone(r.keys), current: id}, nil
}

// Rotate returns a ring in which a new key seals: Add and Use in one, for a
// single node. What the old keys sealed still opens.
func (r *Ring) Rotate(now time.Time) *Ring {
	next, id := r.Add(now)
	next.current = id
	return next
}

// Retire returns a ring without the key; the current one can't be retired.
// What was sealed with it is lost, so the caller makes sure that no row is
// left. The error wraps ErrUnknownKey where there is no such key.
func (r *Ring) Retire(id uint32) (*Ring, error) {
	if r.find(id) == nil {
		return nil, unknown(id)
	}
	if id == r.current {
		return nil, fmt.Errorf("key %08x is the current one: rotate before you retire it", id)
	}
	keys := slices.DeleteFunc(slices.Clone(r.keys), func(k key) bool { return k.id == id })
	return &Ring{keys: keys, current: r.current}, nil
}

// String names the keys and hides them.
func (r *Ring) String() string {
	return fmt.Sprintf("[key ring: %d keys, current %08x]", len(r.keys), r.current)
}

// GoString hides the keys from %#v, too.
func (r *Ring) GoString() string { return r.String() }

func (k key) String() string   { return fmt.Sprintf("[key %08x]", k.id) }
func (k key) GoString() string { return k.String() }

func (r *Ring) find(id uint32) *key {
	for i := range r.keys {
		if r.keys[i].id == id {
			return &r.keys[i]
		}
	}
	return nil
}

// sealing is the current key.
func (r *Ring) sealing() *key {
	k := r.find(r.current)
	if k == nil {
		panic("keyring: a Ring without keys can't seal; make one with New or Open")
	}
	return k
}

// derive makes the subkey for one use of a key (RFC 5869). The first word of
// use keeps sealing, MACs and check values apart whatever the purpose is named.
func (k *key) derive(use string) []byte {
	subkey, err := hkdf.Key(sha256.New, k.secret[:], nil, "sekisho "+use, 32)
	if err != nil {
		// It fails beyond 255 hashes of output, or for a short key in FIPS mode.
		panic(fmt.Sprintf("keyring: derive %q: %v", use, err))
	}
	return subkey
}

func unknown(id uint32) error { return fmt.Errorf("key %08x: %w", id, ErrUnknownKey) }

func day(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
