package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
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

// VerifyCut is VerifyMAC for one of which only the first octets are kept, at
// least 8, where a wire has no room for more.
func (r *Ring) VerifyCut(purpose string, mac []byte, parts ...[]byte) bool {
	const least = 8
	if len(mac) < least || len(mac) > sha256.Size {
		return false
	}
	ok := false
	for i := range r.keys {
		if hmac.Equal(mac, r.mac(&r.keys[i], purpose, parts)[:len(mac)]) {
			ok = true
		}
	}
	return ok
}

func (r *Ring) mac(k *key, purpose string, parts [][]byte) []byte {
	pool := r.hashes(k, purpose)
	h := pool.Get().(hash.Hash)
	defer pool.Put(h)
	h.Reset()
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write(part)
	}
	return h.Sum(nil)
}

// hashes keeps keyed hashes for one use: to key one costs more than to use it.
func (r *Ring) hashes(k *key, purpose string) *sync.Pool {
	u := use{k.id, purpose}
	if kept, ok := r.macs.Load(u); ok {
		return kept.(*sync.Pool)
	}
	subkey := k.derive("mac " + purpose)
	kept, _ := r.macs.LoadOrStore(u, &sync.Pool{New: func() any { return hmac.New(sha256.New, subkey) }})
	return kept.(*sync.Pool)
}
