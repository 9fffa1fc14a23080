package keyring

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// CheckValues is what the store keeps of each key, by its id: 16 octets derived
// from the key, from which it can't be computed back.
func (r *Ring) CheckValues() map[uint32][]byte {
	values := make(map[uint32][]byte, len(r.keys))
	for i := range r.keys {
		values[r.keys[i].id] = r.keys[i].checkValue()
	}
	return values
}

// Verify compares the ring with the check values a store keeps, all of them,
// before anything is opened or sealed. Keys that the store does not know yet
// are fine. The error names each key, says what to do, and wraps ErrUnknownKey
// or ErrWrongKey.
func (r *Ring) Verify(stored map[uint32][]byte) error {
	var faults []error
	for _, id := range slices.Sorted(maps.Keys(stored)) {
		k := r.find(id)
		switch {
		case k == nil:
			faults = append(faults, fmt.Errorf("%w, but the store has values sealed with it: "+
				"put its line back into the key file, or open the store that belongs to these keys", unknown(id)))
		case subtle.ConstantTimeCompare(k.checkValue(), stored[id]) != 1:
			faults = append(faults, fmt.Errorf("key %08x: %w: "+
				"restore the key file that was written with this store", id, ErrWrongKey))
		}
	}
	return errors.Join(faults...)
}

func (k *key) checkValue() []byte { return k.derive("check")[:16] }
