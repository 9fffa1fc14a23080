package gate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// The errors of a person's own application passwords.
var (
	// ErrManyAppPasswords means that the person has as many as anybody may.
	ErrManyAppPasswords = errors.New("too many application passwords")
	// ErrNoAppPassword means that the person has none of that id.
	ErrNoAppPassword = errors.New("no such application password")
)

// mintWithin is how long after the code was shown an application password is
// made.
const mintWithin = 5 * time.Minute

// Program is what an application password is for.
type Program struct {
	Service string
	Label   string // what the person calls it
}

// MakeAppPassword makes an application password of the person whose ticket r
// presents. It is good for long and shows no code, so the ticket has to prove
// what would let the person in from outside by other means, at each door that
// takes it, or, where nothing but an application password lets them in, what
// r.Service asks for outside, and was shown within the last five minutes. The
// empty Secret means that the ticket proves less, that no rule takes an application password for that service, or that
// the ticket is nobody's who may still sign in.
func (g *Gate) MakeAppPassword(ctx context.Context, r Request, p Program) (Secret, error) {
	text, err := g.makeAppPassword(ctx, r, p)
	if errors.Is(err, store.ErrTooMany) {
		return "", ErrManyAppPasswords
	}
	if err != nil {
		g.Metrics.Error(r.Door)
		return "", fmt.Errorf("make an application password by %s: %w", r.Client, err)
	}
	return text, nil
}

// MayMakeAppPassword reports whether MakeAppPassword would make one for the
// service.
func (g *Gate) MayMakeAppPassword(ctx context.Context, r Request, service string) (bool, error) {
	a, _, err := g.maker(ctx, r, service)
	if err != nil {
		g.Metrics.Error(r.Door)
		return false, fmt.Errorf("judge who wants an application password by %s: %w", r.Client, err)
	}
	return a != nil, nil
}

// maker begins an attempt of the person whose ticket r presents, if it proves
// what an application password for the service takes; else it is nil.
func (g *Gate) maker(ctx context.Context, r Request, service string) (*attempt, *store.Held, error) {
	a, h, err := g.present(ctx, r)
	if err != nil || h == nil {
		return nil, nil, err
	}
	if ok, err := a.stillThere(ctx); !ok || err != nil || a.account.MustChange {
		return nil, nil, err
	}
	if !a.shownLately() || !a.earns(service) {
		return nil, nil, nil
	}
	// Whoever has the tunnel's address has proved nothing of their own.
	if borrowed, err := g.borrowedByAddress(ctx, h); err != nil || borrowed {
		return nil, nil, err
	}
	return a, h, nil
}

func (g *Gate) makeAppPassword(ctx context.Context, r Request, p Program) (Secret, error) {
	a, h, err := g.maker(ctx, r, p.Service)
	if err != nil || a == nil {
		return "", err
	}
	text := keyring.NewAppPassword()
	row := store.AppPassword{
		Label: p.Label, Service: p.Service, Key: g.Ring.Current(), Created: a.at,
		Hash: g.Ring.MAC(keyring.AppPasswordUse, keyring.AppPasswordParts(a.account.ID, p.Service, text)...),
	}
	e := g.done(r, personOf(a.account), reason.AppPasswordAdded)
	e.Ticket = h.ID
	_, err = g.Store.AddAppPassword(ctx, a.account.Person, row, e)
	if errors.Is(err, store.ErrChanged) { // and with that the ticket is worth nothing
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return Secret(text), nil
}

// shownLately reports whether the person was there a moment ago: the code
// counts, or the password of who showed none. Whoever finds a browser open at
// the portal must not leave with what outlives it.
func (a *attempt) shownLately() bool {
	at, ok := a.shown[policy.OTP]
	if !ok {
		at, ok = a.shown[policy.Password]
	}
	return ok && a.at.Sub(at) <= mintWithin
}

// earns reports whether an application password would let the person in to
// the service, and the ticket proves as much as [Gate.MakeAppPassword] says. An
// application password never counts.
func (a *attempt) earns(service string) bool {
	taken := false
	for _, door := range []string{policy.DoorRADIUS, policy.DoorLDAP} {
		there := policy.Attempt{Door: door, Service: service, User: a.name, Groups: a.account.Groups, At: a.at}
		if a.takesApp(there) {
			if taken = true; !a.suffices(there) {
				return false
			}
		}
	}
	return taken
}

// takesApp reports whether an application password lets the person in there,
// from anywhere.
func (a *attempt) takesApp(there policy.Attempt) bool {
	there.Shown = map[policy.Factor]time.Time{policy.AppPassword: a.at}
	return slices.ContainsFunc(a.rules.zones.Names(), func(zone string) bool {
		there.Zone = zone
		return a.rules.policy.Decide(there).Verdict == policy.Allow
	})
}

// suffices reports whether what was shown lets the person in there from
// outside.
func (a *attempt) suffices(there policy.Attempt) bool {
	there.Zone, there.Shown = policy.OffCampus, maps.Clone(a.shown)
	delete(there.Shown, policy.AppPassword)
	d := a.rules.policy.Decide(there)
	otherwise := func(n policy.Need) bool { return !slices.Contains(n, policy.AppPassword) }
	if d.Verdict == policy.Ask && !slices.ContainsFunc(d.Need, otherwise) {
		there.Door, there.Service = a.r.Door, a.r.Service
		d = a.rules.policy.Decide(there)
	}
	return d.Verdict == policy.Allow
}

// EndAppPassword ends an application password of p, with the sign-ins that it
// gave, and books it.
func (g *Gate) EndAppPassword(ctx context.Context, r Request, p Person, id string) error {
	err := g.Store.EndAppPassword(ctx, p.ID, store.ParseAppPassword(id), g.done(r, p, reason.AppPasswordEnded))
	if errors.Is(err, store.ErrUnknown) {
		return ErrNoAppPassword
	}
	if err != nil {
		return fmt.Errorf("end an application password by %s: %w", r.Client, err)
	}
	return nil
}
