package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"sekisho/internal/recent"
	"sekisho/internal/store"
	"sekisho/internal/upstream"
)

// Upstream is the people of the directory that a campus already has. Who they
// are is looked up by a service account and believed for as long as Cache;
// whether a password is right is asked by a bind, each time.
//
// A person is known by an id that outlives names. There is no row in the store
// for somebody whose name was merely typed: one is made by [store.Store.Adopt],
// at the first admission or where a code device is enrolled. From then on Find
// keeps it as the directory says.
type Upstream struct {
	Servers *upstream.Servers
	Store   *store.Store
	Domains []string // accepted behind @ and before \, in any case

	Base            string // the DN below which people are looked for
	Filter          string // of a person; each %s is the name
	Attributes      Attributes
	ActiveDirectory bool
	GroupBase       string // the DN below which groups count; "": Base
	GroupFilter     string // of a person's groups: %d is the person's DN, %s the name; "": none are searched
	Nested          bool   // the groups of groups count, too

	BindDN       string // who looks people up; "": nobody, anonymously
	BindPassword []byte
	Reserved     []string      // DNs of accounts for programs, who are no people
	PageSize     uint32        // entries of a page, of groups; 0: no pages
	Timeout      time.Duration // for a look-up, or a bind, with the wait for it; 0: 5 s
	Cache        time.Duration // how long what was looked up is believed; 0: not at all

	Log   *slog.Logger // nil: nothing is logged
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time // nil: time.After

	once  sync.Once
	base  []string // Base, an RDN each
	links links
	binds chan struct{}
	seed  maphash.Seed

	mu      sync.Mutex
	looked  recent.Map[string, looked]
	looking map[string]*search
	parents recent.Map[string, parents]
	took    []time.Duration
	behind  sync.WaitGroup
}

// Attributes are the names of what is read of a person.
type Attributes struct {
	Name    string // that is signed in with
	ID      string // that never changes: entryUUID, objectGUID, nsUniqueId
	Display string // "" none
	Mail    string // "" none
	Group   string // the DNs of the groups; "" none
}

// person is an entry, as an account that may have no row.
type person struct {
	store.Person
	dn string
}

func (u *Upstream) start() {
	u.once.Do(func() {
		u.base, _ = parts(u.Base)
		u.links.slots = make(chan struct{}, maxLinks)
		u.binds = make(chan struct{}, maxBinds)
		u.looked.Bound, u.parents.Bound = 16384, 4096
		u.looking = map[string]*search{}
		u.seed = maphash.MakeSeed()
	})
}

func (u *Upstream) timeout() time.Duration { return cmp.Or(u.Timeout, 5*time.Second) }

// Find looks the person up, in memory or in the directory. Their row, where
// there is one, is brought up to what was found. A local account of their name
// is not theirs until somebody who may has said so: see [Upstream.Link].
func (u *Upstream) Find(ctx context.Context, name string) (*store.Account, error) {
	p, err := u.look(ctx, name)
	if err != nil {
		return nil, err
	}
	row, err := u.row(ctx, p)
	if err == nil && !p.is(row.Person) {
		// What is remembered may be older than the row: only what is seen now
		// is written, else two forms of a name would change it in turns.
		if p, err = u.lookAgain(ctx, name); err == nil {
			row, err = u.row(ctx, p)
		}
		if err == nil && !p.is(row.Person) {
			row, err = u.Store.Adopt(ctx, p.row(u.Now()))
		}
	}
	switch {
	case errors.Is(err, store.ErrUnknown):
		return &store.Account{Person: p.Person, DN: p.dn}, nil
	case err != nil:
		return nil, err
	}
	return p.with(row), nil
}

// row is the person's row.
func (u *Upstream) row(ctx context.Context, p *person) (*store.Account, error) {
	row, err := u.Store.Account(ctx, p.Name)
	switch {
	case err == nil && row.Upstream == "":
		return nil, faulty("a local account is named %s and not linked to the directory behind: sekisho account link %s", p.Name, p.Name)
	case errors.Is(err, store.ErrUnknown), err == nil && row.Upstream != p.Upstream:
		return u.Store.AccountOf(ctx, p.Upstream)
	}
	return row, err
}

// Link gives somebody the local account of their name, with its devices, and
// returns it as their row.
func (u *Upstream) Link(ctx context.Context, name string, event store.Event) (*store.Account, error) {
	p, err := u.look(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := u.Store.Link(ctx, p.Name, p.row(u.Now()), event); err != nil {
		return nil, err
	}
	row, err := u.Store.AccountOf(ctx, p.Upstream)
	if err != nil {
		return nil, err
	}
	return p.with(row), nil
}

// Adopt finds somebody and makes their row where there is none: to enrol a
// code device. The event is booked where anything was written.
func (u *Upstream) Adopt(ctx context.Context, name string, event store.Event) (*store.Account, error) {
	p, err := u.look(ctx, name)
	if err != nil {
		return nil, err
	}
	row, err := u.Store.Adopt(ctx, p.row(u.Now()), event)
	if err != nil {
		return nil, err
	}
	return p.with(row), nil
}

// Backlog is none: a bind costs this machine next to nothing.
func (u *Upstream) Backlog() time.Duration { return 0 }

// Behind is true: what was wrong may be right by now.
func (u *Upstream) Behind() bool { return true }

// Close waits for what is done behind the answers, and closes the connections.
func (u *Upstream) Close() {
	u.behind.Wait()
	u.links.close()
}

// row is what Adopt writes. Whether the directory has shut the account is not
// kept, but asked each time.
func (p *person) row(now time.Time) store.Person {
	row := p.Person
	row.Created = now
	return row
}

// is reports whether the row says the same.
func (p *person) is(row store.Person) bool {
	return p.Upstream == row.Upstream && p.Name == row.Name && p.Display == row.Display && p.Mail == row.Mail &&
		(slices.Equal(p.Groups, row.Groups) || slices.Equal(p.Groups, slices.Sorted(slices.Values(row.Groups))))
}

// with is a copy of the row with what the store does not keep.
func (p *person) with(row *store.Account) *store.Account {
	a := *row
	a.DN = p.dn
	a.Disabled = a.Disabled || p.Disabled
	return &a
}

// Canonical is as of [Names.Canonical], but a DN below Base stays one, in the
// one form in which equal ones are equal strings: whose it is can't be told
// from it alone, and uid=alice of one branch need not be alice.
func (u *Upstream) Canonical(typed string) string {
	name := strings.TrimSpace(typed)
	if dn, ok := u.personDN(name); ok {
		return dn
	}
	return Names{Domains: u.Domains}.Canonical(name)
}

// personDN is a DN below Base in canonical form.
func (u *Upstream) personDN(text string) (string, bool) {
	u.start()
	if !strings.Contains(text, "=") {
		return "", false
	}
	dn, err := parts(text)
	above := len(dn) - len(u.base)
	if err != nil || len(u.base) == 0 || above < 1 || !slices.Equal(dn[above:], u.base) {
		return "", false
	}
	return strings.Join(dn, ","), true
}

// faulty is an error of what one person's entry is like.
func faulty(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrName, fmt.Errorf(format, args...))
}
