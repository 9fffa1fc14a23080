package account

import (
	"context"

	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/store"
)

// place is where a device's secret lies, and the only place where it opens.
func place(row store.Token) keyring.Row {
	return keyring.Row{Person: row.Person, ID: row.ID, Version: row.Version}
}

func (r *Registry) seal(row store.Token, secret []byte) []byte {
	return r.Ring.Seal(otp.Purpose, place(row), secret)
}

func (r *Registry) open(row store.Token) (otp.Token, error) {
	secret, err := r.Ring.Open(otp.Purpose, place(row), row.Sealed)
	if err != nil {
		return otp.Token{}, err
	}
	t := otp.Token{Secret: secret, Digits: row.Digits, Period: row.Period, Last: row.Step, Drift: row.Drift}
	t.Kind, _ = otp.KindOf(row.Kind)
	t.Algorithm, _ = otp.AlgorithmOf(row.Algorithm)
	return t, nil
}

// Reseal seals again whatever another key than the ring's current one sealed,
// and returns how many devices that were. What was done stays done where an
// error ends it.
func (r *Registry) Reseal(ctx context.Context) (int, error) {
	current := r.Ring.Current()
	stale := func(sealed []byte) bool {
		id, ok := keyring.KeyOf(sealed)
		return !ok || id != current
	}
	return r.Store.Reseal(ctx, stale, func(row store.Token) ([]byte, error) {
		secret, err := r.Ring.Open(otp.Purpose, place(row), row.Sealed)
		if err != nil {
			return nil, err
		}
		defer clear(secret)
		row.Version++
		return r.seal(row, secret), nil
	})
}

// SealedBy counts the devices that each key sealed. Under 0 are those that no
// key can have sealed.
func (r *Registry) SealedBy(ctx context.Context) (map[uint32]int, error) {
	counts := make(map[uint32]int)
	// Nothing is ever found stale, so this only reads.
	_, err := r.Store.Reseal(ctx, func(sealed []byte) bool {
		id, _ := keyring.KeyOf(sealed)
		counts[id]++
		return false
	}, nil)
	return counts, err
}
