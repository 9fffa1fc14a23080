package account

import (
	"context"
	"time"

	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

// The states of an account.
const (
	Active   = "active"
	Initial  = "initial" // the initial password was not changed yet
	Expired  = "expired" // and now it is too late
	Disabled = "disabled"
)

// State is one word for what the account can do now.
func State(p store.Person, now time.Time) string {
	switch {
	case p.Disabled:
		return Disabled
	case p.MustChange && !p.Expires.IsZero() && !now.Before(p.Expires):
		return Expired
	case p.MustChange:
		return Initial
	}
	return Active
}

// Profile is what may be shown of an account: everything but secrets and
// hashes.
type Profile struct {
	User       string    `json:"user"`
	Display    string    `json:"display,omitempty"`
	Mail       string    `json:"mail,omitempty"`
	Lang       string    `json:"lang,omitempty"`
	State      string    `json:"state"`
	Expires    time.Time `json:"expires,omitzero"` // of the initial password
	Groups     []string  `json:"groups"`
	UIDNumber  int64     `json:"uid_number,omitempty"`
	Password   string    `json:"password"` // the scheme of the hash; "none", "unreadable"
	Renew      bool      `json:"renew"`    // the hash is renewed at the next sign-in
	Generation int64     `json:"generation"`
	Created    time.Time `json:"created"`
	Upstream   string    `json:"upstream,omitempty"` // id in the directory behind
	Devices    []Device  `json:"devices"`
	Tickets    int       `json:"tickets"` // that live

	AppPasswords []AppPassword `json:"app_passwords"`
}

// Device is what may be shown of a code device.
type Device struct {
	Label     string    `json:"label"`
	Kind      string    `json:"kind"`
	Digits    int       `json:"digits"`
	Period    int       `json:"period,omitempty"` // seconds; TOTP
	Algorithm string    `json:"algorithm"`
	Created   time.Time `json:"created"`
	Last      time.Time `json:"last_code,omitzero"` // TOTP: when the last burnt code was shown
	Counter   int64     `json:"counter,omitempty"`  // HOTP: how many codes are burnt
	Drift     int       `json:"drift"`              // steps ahead of now when last seen
}

// Profile shows an account.
func (r *Registry) Profile(ctx context.Context, name string) (Profile, error) {
	a, err := r.Store.Account(ctx, name)
	if err != nil {
		return Profile{}, err
	}
	p := Profile{
		User: a.Name, Display: a.Display, Mail: a.Mail, Lang: a.Lang, State: State(a.Person, r.Now()), Expires: a.Expires,
		Groups: append([]string{}, a.Groups...), UIDNumber: a.UIDNumber, Generation: a.Generation, Created: a.Created, Devices: []Device{},
		Upstream: a.Upstream, AppPasswords: []AppPassword{},
	}
	switch h, err := passwd.Parse(a.Hash); {
	case a.Hash == "":
		p.Password = "none"
	case err != nil:
		p.Password = "unreadable"
	default:
		p.Password, p.Renew = h.String(), h.Renew(r.Pool.Params)
	}
	for _, t := range a.Tokens {
		p.Devices = append(p.Devices, describe(t))
	}
	for _, one := range a.AppPasswords {
		p.AppPasswords = append(p.AppPasswords, r.describeAppPassword(one))
	}
	p.Tickets, err = r.tickets(ctx, a.ID)
	return p, err
}

func describe(t store.Token) Device {
	d := Device{Label: t.Label, Kind: t.Kind, Digits: t.Digits, Algorithm: t.Algorithm, Created: t.Created, Drift: t.Drift}
	if t.Kind == "hotp" {
		d.Counter = t.Step + 1
		return d
	}
	d.Period = t.Period
	if t.Step >= 0 {
		d.Last = time.Unix(t.Step*int64(t.Period), 0).UTC()
	}
	return d
}
