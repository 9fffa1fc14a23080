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
	"sync/atomic"
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
	Reserved     []string      // DNs of programs: none of them, nor BindDN, is a person
	PageSize     uint32        // entries of a page, of groups; 0: no pages
	Timeout      time.Duration // for a look-up, or a bind, with the wait for it; 0: 5 s
	Cache        time.Duration // how long what was looked up is believed; 0: not at all

	Log   *slog.Logger // nil: nothing is logged
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time // nil: time.After

	once  sync.Once
	base  []string                        // Base, an RDN each
	ours  atomic.Pointer[map[string]bool] // of programs
	links links
	binds chan struct{}
	seed  maphash.Seed

	mu        sync.Mutex
	looked    recent.Map[string, looked] // by canonical name, or DN
	people    recent.Map[string, known]  // by id
	looking   map[string]*search
	number    uint64 // of the last look-up that came back
	strangers int    // of those who are looked for, names that nobody is known to have
	parents   recent.Map[string, parents]
	took      pace // wrong passwords
	whole     pace // look-ups of people
	behind    sync.WaitGroup
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
		u.reserve(u.Reserved)
		u.links.slots, u.links.open = make(chan struct{}, maxLinks), make(chan struct{}, maxOpen)
		u.binds = make(chan struct{}, maxBinds)
		u.looked.Bound, u.people.Bound, u.parents.Bound = 32768, 32768, 4096
		u.looking = map[string]*search{}
		u.seed = maphash.MakeSeed()
	})
}

func (u *Upstream) timeout() time.Duration { return cmp.Or(u.Timeout, 5*time.Second) }

// Find looks the person up, in memory or in the directory. Their row, where
// there is one, is brought up to what was read just now: what is remembered
// may be older than the row, and is read again where they differ.
func (u *Upstream) Find(ctx context.Context, name string) (*store.Account, error) {
	return u.find(ctx, name, false)
}

// find is Find; again: not in memory.
func (u *Upstream) find(ctx context.Context, name string, again bool) (*store.Account, error) {
	for ; ; again = true {
		p, fresh, err := u.look(ctx, name, again)
		if err != nil {
			return nil, err
		}
		row, taken, err := u.row(ctx, p)
		switch {
		case err != nil:
			return nil, err
		case row == nil && (!taken || fresh):
			return &store.Account{Person: p.Person, DN: p.dn}, nil
		case row != nil && p.is(row.Person):
			return p.with(row), nil
		case fresh:
			return u.adopt(ctx, p)
		}
	}
}

// Adopt finds somebody and makes their row where there is none: to enrol a
// code device. The event is booked where anything was written.
func (u *Upstream) Adopt(ctx context.Context, name string, event store.Event) (*store.Account, error) {
	p, _, err := u.look(ctx, name, true)
	if err != nil {
		return nil, err
	}
	return u.adopt(ctx, p, event)
}

// Link finds somebody and makes the local account of that name theirs, codes
// and all: see [store.Store.Link].
func (u *Upstream) Link(ctx context.Context, name string, event store.Event) (*store.Account, error) {
	p, _, err := u.look(ctx, name, true)
	if err != nil {
		return nil, err
	}
	if p.Name != name { // found by something else, such as an address
		return nil, faulty("it is %q who is found by %q", p.Name, name)
	}
	if err := u.Store.Link(ctx, p.Name, p.written(u.Now()), event); err != nil {
		return nil, err
	}
	row, err := u.Store.AccountOf(ctx, p.Upstream)
	if err != nil {
		return nil, err
	}
	return p.with(row), nil
}

// row is the row of a person; nil: there is none. Taken is that another of the
// directory had the name when it was last written.
func (u *Upstream) row(ctx context.Context, p *person) (row *store.Account, taken bool, err error) {
	row, err = u.Store.Account(ctx, p.Name)
	switch {
	case err == nil && row.Upstream == "":
		return nil, false, notLinked(p.Name)
	case err == nil && row.Upstream == p.Upstream:
		return row, false, nil
	case err != nil && !errors.Is(err, store.ErrUnknown):
		return nil, false, err
	}
	taken = err == nil
	row, err = u.Store.AccountOf(ctx, p.Upstream)
	if errors.Is(err, store.ErrUnknown) {
		return nil, taken, nil
	}
	return row, taken, err
}

func (u *Upstream) adopt(ctx context.Context, p *person, events ...store.Event) (*store.Account, error) {
	row, err := u.Store.Adopt(ctx, p.written(u.Now()), events...)
	switch {
	case errors.Is(err, store.ErrLocal):
		return nil, notLinked(p.Name)
	case err != nil:
		return nil, err
	}
	return p.with(row), nil
}

// notLinked is why somebody can't sign in whose name a local account has: that
// may be theirs of before, or a stranger's, and the operator alone can tell.
func notLinked(name string) error {
	return fmt.Errorf("%w: %w that is not linked to the directory behind: sekisho account link %s, or account release %s",
		ErrName, store.ErrLocal, name, name)
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

// written is what the store keeps. Whether the directory has shut the account
// is not, but asked each time.
func (p *person) written(now time.Time) store.Person {
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

// programs are what none of the people may be: DNs in canonical form, and names
// where a directory takes other forms, DOMAIN\name or name@domain, in a bind.
func programs(list []string) map[string]bool {
	of := map[string]bool{}
	for _, who := range list {
		if rdns, err := parts(who); err == nil {
			of[strings.Join(rdns, ",")] = true
			continue
		}
		name := fold(who[strings.IndexByte(who, '\\')+1:])
		name, _, _ = strings.Cut(name, "@")
		of[name] = true
	}
	delete(of, "")
	return of
}

// Reserve says anew what Reserved says: applications come and go. Who is
// remembered as a person is one for as long as Cache.
func (u *Upstream) Reserve(dns []string) {
	u.start()
	u.reserve(dns)
}

func (u *Upstream) reserve(dns []string) {
	ours := programs(append(slices.Clone(dns), u.BindDN))
	u.ours.Store(&ours)
}

// isProgram reports whether an entry is that of a program.
func (u *Upstream) isProgram(dn, name string) bool {
	ours := *u.ours.Load()
	rdns, err := parts(dn)
	return ours[name] || err == nil && ours[strings.Join(rdns, ",")]
}

// faulty is an error of what one person's entry is like. What is in one may be
// megabytes, and the error is remembered and booked: it is cut.
func faulty(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrName, cutText(fmt.Sprintf(format, args...)))
}
