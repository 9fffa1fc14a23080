package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/store"
)

// ErrNoAppPassword means that the person has no application password of that
// id.
var ErrNoAppPassword = errors.New("has no such application password")

// AppPassword is what may be shown of an application password.
type AppPassword struct {
	ID      string    `json:"id"`
	Label   string    `json:"label"`
	Service string    `json:"service"`
	Network string    `json:"network,omitempty"` // that it is good from
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
	Idle    bool      `json:"idle"` // for so long that it is refused
}

// AddAppPassword makes an application password of p's Label, Service and
// Network. What it returns as text is kept nowhere. [store.ErrTooMany] means
// that the person has enough of them, [store.ErrChanged] that they are not as in
// a any more.
func (r *Registry) AddAppPassword(ctx context.Context, a *store.Account, p store.AppPassword, event store.Event) (made AppPassword, text string, err error) {
	if err := CheckLabel(p.Label); err != nil {
		return AppPassword{}, "", err
	}
	if p.Service == "" {
		return AppPassword{}, "", errors.New("an application password is for one service; name it")
	}
	if p.Network, err = network(p.Network); err != nil {
		return AppPassword{}, "", err
	}
	drawn := keyring.NewAppPassword()
	p.Hash = r.Ring.MAC(keyring.AppPasswordUse, keyring.AppPasswordParts(a.ID, p.Service, drawn)...)
	p.Key, p.Created = r.Ring.Current(), r.Now().UTC().Truncate(time.Microsecond)
	if p, err = r.Store.AddAppPassword(ctx, a.Person, p, event); err != nil {
		return AppPassword{}, "", err
	}
	return r.describeAppPassword(p), string(drawn), nil
}

// EndAppPassword ends one of the person's, and the sign-ins that it gave.
func (r *Registry) EndAppPassword(ctx context.Context, name, id string, event store.Event) error {
	a, err := r.Store.Account(ctx, name)
	if err != nil {
		return err
	}
	err = r.Store.EndAppPassword(ctx, a.ID, store.ParseAppPassword(id), event)
	if errors.Is(err, store.ErrUnknown) {
		return fmt.Errorf("account %q %w", name, ErrNoAppPassword)
	}
	return err
}

// CheckLabel tells why a device or an application password can't be called
// so.
func CheckLabel(label string) error {
	if strings.TrimSpace(label) == "" {
		return errors.New("label: name the program or the device")
	}
	return checkText("label", label)
}

// network brings a prefix, or one address, to the form of a prefix.
func network(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()).String(), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix != prefix.Masked() || prefix.Addr().Is4In6() {
		return "", fmt.Errorf("network %q: want a prefix such as 192.0.2.0/24 or 2001:db8:1::/48", text)
	}
	return prefix.String(), nil
}

func (r *Registry) describeAppPassword(p store.AppPassword) AppPassword {
	shown := AppPassword{
		ID: p.PublicID(), Label: p.Label, Service: p.Service, Network: p.Network, Created: p.Created, Idle: p.Idle(r.Now()),
	}
	if p.Used.After(p.Created) {
		shown.Used = p.Used
	}
	return shown
}
