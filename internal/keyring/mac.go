package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// MAC binds parts to a purpose: HMAC-SHA-256 under the current key, 32 octets.
// Each part goes in with its length, so that ("ab", "c") and ("a", "bc") differ.
// purpose is a constant of the program, never input.
//
// A MAC does not say which key made it. What must outlive a key is kept with
// [Ring.Current] beside it.
func (r *Ring) MAC(purpose string, parts ...[]byte) []byte {
	return r.mac(r.sealing(), purpose, parts)
}

// VerifyMAC reports whether a key of the ring, current or old, made mac for
// the purpose and parts. It wants all 32 octets and takes the same time
// whichever key it was.
func (r *Ring) VerifyMAC(purpose string, mac []byte, parts ...[]byte) bool {
	ok := false
	for i := range r.keys {
		if hmac.Equal(mac, r.mac(&r.keys[i], purpose, parts)) {
			ok = true
		}
	}
	return ok
}

func (r *Ring) mac(k *key, purpose string, parts [][]byte) []byte {
	u := use{k.id, "mac " + purpose}
	kept, ok := r.subkeys.Load(u)
	if !ok {
		kept, _ = r.subkeys.LoadOrStore(u, k.derive(u.purpose))
	}
	h := hmac.New(sha256.New, kept.([]byte))
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write(part)
	}
	return h.Sum(nil)
}
