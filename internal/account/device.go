package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"sekisho/internal/otp"
	"sekisho/internal/store"
)

// DefaultLabel names a device that nobody named.
const DefaultLabel = "authenticator"

// The errors of code devices.
var (
	// ErrHasDevice means that there is a device, and the enrolment does not
	// say what becomes of it.
	ErrHasDevice = errors.New("has a code device already")
	// ErrNoDevice means that there is none.
	ErrNoDevice = errors.New("has no code device")
	// ErrDevice means that no such device can be made.
	ErrDevice = errors.New("a code device has 6 or 8 digits and a period above 0 s")
	// ErrNoPair means that no device showed these two codes in a row.
	ErrNoPair = errors.New("no device shows these two codes one after the other")
)

// Enrolment is a new code device.
type Enrolment struct {
	Label   string    // "": DefaultLabel
	Token   otp.Token // Kind, Digits, Period and Algorithm; a Secret is made where it is empty
	Add     bool      // beside the devices there are
	Replace bool      // instead of them
}

// Enrol gives the person a code device and returns it with its secret, which
// is not shown again. Whoever brings it to the person sees it, too: a person
// who can enrol alone should. It is [store.ErrChanged] where the person is not
// as in a any more: the name may be somebody else's.
func (r *Registry) Enrol(ctx context.Context, a *store.Account, n Enrolment, event store.Event) (otp.Token, error) {
	if len(a.Tokens) > 0 && !n.Add && !n.Replace {
		return otp.Token{}, fmt.Errorf("account %q %w", a.Name, ErrHasDevice)
	}
	if n.Label == "" {
		n.Label = DefaultLabel
	}
	if err := checkText("label", n.Label); err != nil {
		return otp.Token{}, err
	}
	t := n.Token
	t.Last, t.Drift = -1, 0
	if len(t.Secret) == 0 {
		t.Secret = otp.NewSecret()
	}
	if t.Digits == 0 {
		t.Digits = 6
	}
	if t.Period == 0 {
		t.Period = 30
	}
	now := r.Now()
	if t.Code(now) == "" {
		return otp.Token{}, ErrDevice
	}
	row := store.Token{
		Kind: t.Kind.String(), Label: n.Label, Digits: t.Digits, Period: t.Period, Algorithm: t.Algorithm.String(),
		Created: now, Step: t.Last,
	}
	event.Detail = cmp.Or(event.Detail, "device "+n.Label)
	seal := func(row store.Token) []byte { return r.seal(row, t.Secret) }
	if _, err := r.Store.AddToken(ctx, a.Person, row, n.Replace, seal, event); err != nil {
		return otp.Token{}, err
	}
	return t, nil
}

// Reset takes all code devices from the person, and with the generation every
// ticket. It returns how many devices there were; [ErrNoDevice] means none.
func (r *Registry) Reset(ctx context.Context, name string, event store.Event) (removed int, err error) {
	a, err := r.Store.Account(ctx, name)
	if err != nil {
		return 0, err
	}
	if len(a.Tokens) == 0 {
		return 0, fmt.Errorf("account %q %w", name, ErrNoDevice)
	}
	event.Detail = cmp.Or(event.Detail, fmt.Sprintf("devices %d", len(a.Tokens)))
	return r.Store.RemoveTokens(ctx, name, event)
}

// Resync finds the device that is out of step by two codes which it showed
// one after the other, and sets its drift, in steps ahead of now. Both codes
// are burnt.
func (r *Registry) Resync(ctx context.Context, name string, code1, code2 []byte, event store.Event) (label string, drift int, err error) {
	a, err := r.Store.Account(ctx, name)
	if err != nil {
		return "", 0, err
	}
	if len(a.Tokens) == 0 {
		return "", 0, fmt.Errorf("account %q %w", name, ErrNoDevice)
	}
	now := r.Now()
	code1, code2 = otp.Narrow(code1), otp.Narrow(code2)
	for _, row := range a.Tokens {
		t, err := r.open(row)
		if err != nil {
			return "", 0, fmt.Errorf("account %q, device %q: %w", name, row.Label, err)
		}
		last, drift, ok := t.Resync(code1, code2, now)
		if !ok {
			continue
		}
		event.Person, event.Name, event.Detail = a.ID, a.Name, cmp.Or(event.Detail, "device "+row.Label)
		return row.Label, drift, r.Store.Resync(ctx, row.ID, last, drift, event)
	}
	return "", 0, fmt.Errorf("account %q: %w", name, ErrNoPair)
}
