package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

// ErrPassword means that a [Password] says nothing, or two things at once.
var ErrPassword = errors.New("want one of: a typed password, an initial one, a hash")

// Password is where a password comes from; exactly one field is set.
type Password struct {
	Typed   []byte // chosen by a person, held against the rules; the caller clears it
	Initial bool   // made here, told once, to be changed within InitialFor
	Hash    string // brought from another system, in a form that passwd.Parse reads
}

// String hides the password.
func (Password) String() string { return "[password]" }

// GoString hides the password from %#v, too.
func (Password) GoString() string { return "[password]" }

// secret is what a Password came to.
type secret struct {
	hash    string
	initial string // to be told once; "": none
	detail  string // for the book
}

func (r *Registry) secret(ctx context.Context, name string, pw Password) (secret, error) {
	switch {
	case len(pw.Typed) > 0 && !pw.Initial && pw.Hash == "":
		if fault := r.Rules.Fault(pw.Typed, name); fault != nil {
			return secret{}, fmt.Errorf("password of %q: %w", name, fault)
		}
		hash, err := r.Pool.Make(ctx, pw.Typed, passwd.Reserved)
		return secret{hash: hash}, err
	case pw.Initial && len(pw.Typed) == 0 && pw.Hash == "":
		s := secret{initial: passwd.Random(0), detail: "initial password"}
		var err error
		s.hash, err = r.Pool.Make(ctx, []byte(s.initial), passwd.Reserved)
		return s, err
	case pw.Hash != "" && len(pw.Typed) == 0 && !pw.Initial:
		h, err := passwd.Parse(pw.Hash)
		if err != nil {
			return secret{}, fmt.Errorf("hash of %q: %w", name, err)
		}
		return secret{hash: pw.Hash, detail: "imported hash " + h.String()}, nil
	}
	return secret{}, ErrPassword
}

func (s secret) put(p *store.Person, now time.Time) {
	p.Hash, p.MustChange, p.Expires = s.hash, false, time.Time{}
	if s.initial != "" {
		p.MustChange, p.Expires = true, now.Add(InitialFor)
	}
}
