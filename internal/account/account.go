// Package account is the life of an account: made, given a password and code
// devices, put into groups, disabled.
//
// One person, told: an administrator adds alice. [CheckName] looks at the
// name, the rules at the password; its hash goes into the store together with
// the event that books it. [Registry.Enrol] makes the secret of a code device,
// seals it for the row it will lie in and hands it out once, for the QR code.
// A telephone that is lost is taken away by [Registry.Reset]. Each of these
// changes raises the person's generation, and so ends tickets and whatever
// else was remembered of before.
//
// Events say who did it and why; the caller makes them, and what is known only
// here (the person, the device) is filled in; a detail that stands there
// already stays.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/mail"
	"slices"
	"strings"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

// InitialFor is how long an initial password can be used.
const InitialFor = 30 * 24 * time.Hour

// leastUID is the first number that Unix systems give to people.
const leastUID = 1000

// ErrNoChange means that the account is already as it was to become.
var ErrNoChange = errors.New("nothing to change")

// Registry is where accounts are kept. All fields are set before use. Where a
// name is asked for it is the canonical one; [store.ErrUnknown] means that no
// account has it.
type Registry struct {
	Store  *store.Store
	Ring   *keyring.Ring
	Pool   *passwd.Pool
	Rules  passwd.Rules
	Issuer string // of codes, as the authenticator shows it
	Now    func() time.Time
}

// Free reports, by an error, why nobody can be given this name. It is
// [store.ErrExists] where somebody has it.
func (r *Registry) Free(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	_, err := r.Store.Account(ctx, name)
	switch {
	case err == nil:
		return fmt.Errorf("account %q: %w", name, store.ErrExists)
	case errors.Is(err, store.ErrUnknown):
		return nil
	}
	return err
}

// Add makes an account of p's name, display name, mail, language, groups and
// uid number.
// It returns the initial password where pw asks for one; it is kept nowhere.
func (r *Registry) Add(ctx context.Context, p store.Person, pw Password, event store.Event) (initial string, err error) {
	if err := r.Free(ctx, p.Name); err != nil {
		return "", err
	}
	if err := checkPerson(p); err != nil {
		return "", err
	}
	if p.Groups, err = ChangeGroups(nil, p.Groups); err != nil {
		return "", err
	}
	s, err := r.secret(ctx, p.Name, pw)
	if err != nil {
		return "", err
	}
	p.Created = r.Now()
	s.put(&p, p.Created)
	event.Name, event.Detail = p.Name, cmp.Or(event.Detail, s.detail)
	if _, err := r.Store.AddPeople(ctx, []store.Person{p}, event); err != nil {
		return "", err
	}
	return s.initial, nil
}

// SetPassword gives the person another password. The hash of the one before
// is kept, so that a device that still sends it is recognised. It returns the
// initial password where pw asks for one.
func (r *Registry) SetPassword(ctx context.Context, name string, pw Password, event store.Event) (initial string, err error) {
	if _, err := r.Store.Account(ctx, name); err != nil {
		return "", err
	}
	s, err := r.secret(ctx, name, pw)
	if err != nil {
		return "", err
	}
	event.Detail = cmp.Or(event.Detail, s.detail)
	err = r.Store.ChangePerson(ctx, name, func(p *store.Person) error {
		p.Previous = p.Hash
		s.put(p, r.Now())
		return nil
	}, event)
	if err != nil {
		return "", err
	}
	return s.initial, nil
}

// Disable ends every sign-in of the person and lets in no more. It is
// [ErrNoChange] for one who is disabled already.
func (r *Registry) Disable(ctx context.Context, name string, event store.Event) error {
	return r.setDisabled(ctx, name, true, event)
}

// Enable takes back Disable. It is [ErrNoChange] for one who is not disabled.
func (r *Registry) Enable(ctx context.Context, name string, event store.Event) error {
	return r.setDisabled(ctx, name, false, event)
}

func (r *Registry) setDisabled(ctx context.Context, name string, disabled bool, event store.Event) error {
	return r.Store.ChangePerson(ctx, name, func(p *store.Person) error {
		if p.Disabled == disabled {
			return ErrNoChange
		}
		p.Disabled = disabled
		return nil
	}, event)
}

// SetGroups changes the groups as [ChangeGroups] reads the words, and returns
// what they are then. It is [ErrNoChange] where they were so already.
func (r *Registry) SetGroups(ctx context.Context, name string, words []string, event store.Event) (groups []string, err error) {
	a, err := r.Store.Account(ctx, name)
	if err != nil {
		return nil, err
	}
	// The words are judged here for the book; the change judges them again,
	// by what is committed then.
	if groups, err = ChangeGroups(a.Groups, words); err != nil {
		return nil, err
	}
	event.Detail = cmp.Or(event.Detail, "groups "+strings.Join(groups, ", "))
	err = r.Store.ChangePerson(ctx, name, func(p *store.Person) error {
		now, err := ChangeGroups(p.Groups, words)
		switch {
		case err != nil:
			return err
		case !slices.Equal(p.Groups, a.Groups):
			return store.ErrChanged
		case slices.Equal(now, p.Groups):
			return ErrNoChange
		}
		p.Groups = now
		return nil
	}, event)
	return groups, err
}

// SignOut ends everything the person is signed in to, with the application
// passwords, as they can do themselves. It returns how many tickets there were.
func (r *Registry) SignOut(ctx context.Context, name string, event store.Event) (ended int, err error) {
	a, err := r.Store.Account(ctx, name)
	if err != nil {
		return 0, err
	}
	if ended, err = r.tickets(ctx, a.ID); err != nil {
		return 0, err
	}
	event.Detail = cmp.Or(event.Detail, fmt.Sprintf("tickets %d", ended))
	return ended, r.Store.SignOut(ctx, a.ID, event)
}

func (r *Registry) tickets(ctx context.Context, person int64) (n int, err error) {
	err = r.Store.Tickets(ctx, person, r.Now(), func(store.Ticket, string) error {
		n++
		return nil
	})
	return n, err
}

func checkPerson(p store.Person) error {
	if err := checkText("display name", p.Display); err != nil {
		return err
	}
	if p.Mail != "" {
		if a, err := mail.ParseAddress(p.Mail); err != nil || a.Address != p.Mail {
			return fmt.Errorf("mail %q: want an address like alice@example.ac.jp", p.Mail)
		}
	}
	if p.Lang != "" && p.Lang != "ja" && p.Lang != "en" {
		return fmt.Errorf("language %q: want ja or en", p.Lang)
	}
	// Below are the system's own, and 0 is root; not every program reads more.
	if n := p.UIDNumber; n != 0 && (n < leastUID || n > math.MaxInt32) {
		return fmt.Errorf("uid number %d: choose between %d and %d", n, leastUID, math.MaxInt32)
	}
	return nil
}
