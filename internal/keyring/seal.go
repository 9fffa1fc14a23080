package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

// Row is where a sealed value lies. It can be opened nowhere else: not for
// another person, not in another row, and not after the row went on to another
// version, so that an old backup of one cell can't be slipped in.
type Row struct {
	Person  int64
	ID      int64
	Version int64
}

// A sealed value is version(1) | key id(4) | nonce(12) | ciphertext and tag(16).
const (
	version  = 1
	header   = 1 + 4
	overhead = header + 12 + 16
)

type use struct {
	key     uint32
	purpose string
}

// Seal encrypts plain for one purpose and row with AES-256-GCM under the
// current key. purpose is a constant of the program ("otp secret"), never
// input: a subkey is derived and kept for each. The nonce is random, which
// bounds a key to 2^32 values a purpose (NIST SP 800-38D §8.3).
func (r *Ring) Seal(purpose string, row Row, plain []byte) []byte {
	k := r.sealing()
	sealed := make([]byte, header, overhead+len(plain))
	sealed[0] = version
	binary.BigEndian.PutUint32(sealed[1:], k.id)
	return r.aead(k, purpose).Seal(sealed, nil, plain, bind(purpose, row))
}

// Open decrypts what Seal made for the same purpose and row. The error is
// ErrUnknownKey with the id of a key that the ring lacks, or ErrSealed.
func (r *Ring) Open(purpose string, row Row, sealed []byte) ([]byte, error) {
	id, ok := KeyOf(sealed)
	if !ok {
		return nil, fmt.Errorf("open %s: %w", purpose, ErrSealed)
	}
	k := r.find(id)
	if k == nil {
		return nil, fmt.Errorf("open %s: %w", purpose, unknown(id))
	}
	plain, err := r.aead(k, purpose).Open(nil, nil, sealed[header:], bind(purpose, row))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", purpose, ErrSealed)
	}
	return plain, nil
}

// KeyOf is the id of the key that a value was sealed with. ok is false for
// what Seal can't have made. It proves nothing: the id is not secret, and
// authentic only where Open succeeds.
func KeyOf(sealed []byte) (id uint32, ok bool) {
	if len(sealed) < overhead || sealed[0] != version {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:header]), true
}

func (r *Ring) aead(k *key, purpose string) cipher.AEAD {
	u := use{k.id, purpose}
	if kept, ok := r.aeads.Load(u); ok {
		return kept.(cipher.AEAD)
	}
	block, err := aes.NewCipher(k.derive("seal " + purpose))
	if err != nil {
		panic(fmt.Sprintf("keyring: AES of 32 octets: %v", err))
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(fmt.Sprintf("keyring: GCM of AES: %v", err))
	}
	r.aeads.Store(u, aead)
	return aead
}

// bind is the associated data: the purpose and the row, no two pairs alike.
func bind(purpose string, row Row) []byte {
	b := make([]byte, 0, 4+len(purpose)+3*8)
	b = binary.BigEndian.AppendUint32(b, uint32(len(purpose)))
	b = append(b, purpose...)
	b = binary.BigEndian.AppendUint64(b, uint64(row.Person))
	b = binary.BigEndian.AppendUint64(b, uint64(row.ID))
	return binary.BigEndian.AppendUint64(b, uint64(row.Version))
}
