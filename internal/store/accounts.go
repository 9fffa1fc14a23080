package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unique"

	"sekisho/internal/recent"
)

// accounts remembers accounts by name.
type accounts struct {
	mu      sync.Mutex
	recent  recent.Map[string, *Account]
	loading map[string]*load
}

// load is a read under way. A write that commits meanwhile spoils it: what
// was read may be older than what is committed, so it is not remembered.
type load struct {
	readers int
	spoilt  bool
}

func (c *accounts) get(name string) *Account {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, _ := c.recent.Get(name)
	return a
}

func (c *accounts) begin(name string) *load {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.loading[name]
	if l == nil {
		if c.loading == nil {
			c.loading = make(map[string]*load)
		}
		l = &load{}
		c.loading[name] = l
	}
	l.readers++
	return l
}

func (c *accounts) end(name string, l *load, a *Account) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.readers--; l.readers == 0 && c.loading[name] == l {
		delete(c.loading, name)
	}
	if a != nil && !l.spoilt {
		c.recent.Put(name, a)
	}
}

// update replaces a remembered account by a changed copy.
func (c *accounts) update(name string, change func(*Account)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spoil(name)
	a, ok := c.recent.Get(name)
	if !ok {
		return
	}
	b := *a
	change(&b)
	c.recent.Put(name, &b)
}

func (c *accounts) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spoil(name)
	c.recent.Delete(name)
}

func (c *accounts) spoil(name string) {
	if l := c.loading[name]; l != nil {
		l.spoilt = true
		delete(c.loading, name)
	}
}

func (c *accounts) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.Clear()
	for _, l := range c.loading {
		l.spoilt = true
	}
	c.loading = nil
}

// settled carries a committed settlement over to a copy of the account.
func (a *Account) settled(st *Settlement, done Settled) {
	if b := st.Burn; b != nil {
		a.Tokens = slices.Clone(a.Tokens)
		for i := range a.Tokens {
			if t := &a.Tokens[i]; t.ID == b.Token {
				t.Step, t.Drift, t.Ticket = b.Step, b.Drift, done.Ticket
			}
		}
	}
	if t := st.Ticket; t != nil && t.AppPassword != 0 {
		a.useAppPassword(t.AppPassword, st.Event.At)
	}
	for _, source := range st.Known {
		a.Known = a.Known.with(source, st.Event.At)
	}
	if len(st.Known) > 0 && len(a.Known) > knownMost {
		a.Known = a.Known.latest(knownMost)
	}
}

// Account finds the person of this canonical name with code devices and known
// sources. ErrUnknown means that there is none; any other error is the
// store's and does not repeat the name. The account is shared and must not be changed.
func (s *Store) Account(ctx context.Context, name string) (*Account, error) {
	if a := s.accounts.get(name); a != nil {
		return a, nil
	}
	l := s.accounts.begin(name)
	var a *Account
	err := s.reading(ctx, func(c *conn) (err error) {
		a, err = readAccount(c, name)
		return err
	})
	s.accounts.end(name, l, a)
	switch {
	case errors.Is(err, ErrUnknown):
		return nil, fmt.Errorf("account %q: %w", name, err)
	case err != nil:
		// It reaches the log, and people type passwords where the name belongs.
		return nil, fmt.Errorf("read an account: %w", err)
	}
	return a, nil
}

const personColumns = `id, name, display, mail, lang, groups, hash, previous, disabled, must_change, expires, generation,
	changed, uid_number, created, upstream`

func scanPerson(row []driver.Value) Person {
	return Person{
		ID: row[0].(int64), Name: row[1].(string), Display: row[2].(string), Mail: row[3].(string), Lang: row[4].(string),
		Groups: parseGroups(row[5].(string)), Hash: row[6].(string), Previous: row[7].(string),
		Disabled: row[8].(int64) != 0, MustChange: row[9].(int64) != 0, Expires: fromMicro(row[10].(int64)),
		Generation: row[11].(int64), Changed: row[12].(int64), UIDNumber: row[13].(int64), Created: fromMicro(row[14].(int64)),
		Upstream: row[15].(string),
	}
}

func readAccount(c *conn, name string) (*Account, error) { return readAccountBy(c, "name = ?1", name) }

func accountByID(c *conn, id int64) (*Account, error) { return readAccountBy(c, "id = ?1", id) }

// accountOf reads the row of an entry of the directory behind.
func accountOf(c *conn, upstream string) (*Account, error) {
	return readAccountBy(c, "upstream = ?1 AND upstream <> ''", upstream)
}

func readAccountBy(c *conn, condition string, value any) (*Account, error) {
	var a *Account
	err := c.each("SELECT "+personColumns+" FROM person WHERE "+condition, func(row []driver.Value) error {
		a = &Account{Person: scanPerson(row)}
		return nil
	}, value)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, ErrUnknown
	}
	if a.Tokens, err = readTokens(c, a.ID); err != nil {
		return nil, err
	}
	if a.AppPasswords, err = readAppPasswords(c, a.ID); err != nil {
		return nil, err
	}
	err = c.each("SELECT source, at FROM known WHERE person = ?1", func(row []driver.Value) error {
		a.Known = append(a.Known, KnownSource{row[0].(string), fromMicro(row[1].(int64))})
		return nil
	}, a.ID)
	return a, err
}

func readTokens(c *conn, person int64) ([]Token, error) {
	var tokens []Token
	err := c.each(`SELECT id, person, kind, label, digits, period, algorithm, sealed, version, created, step, drift, ticket
		FROM token JOIN burnt ON token = id WHERE person = ?1 ORDER BY id`, func(row []driver.Value) error {
		tokens = append(tokens, Token{
			ID: row[0].(int64), Person: row[1].(int64), Kind: shared(row[2]), Label: shared(row[3]),
			Digits: int(row[4].(int64)), Period: int(row[5].(int64)), Algorithm: shared(row[6]), Sealed: row[7].([]byte),
			Version: row[8].(int64), Created: fromMicro(row[9].(int64)),
			Step: row[10].(int64), Drift: int(row[11].(int64)), Ticket: row[12].(int64),
		})
		return nil
	}, person)
	return tokens, err
}

// shared is a text that many rows have, kept once.
func shared(v driver.Value) string { return unique.Make(v.(string)).Value() }
