package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Link makes a local account the row of p.Upstream, an entry of the directory
// behind that has its name: so an operator moves to a directory. It keeps its
// id, its codes and its app passwords. Its own password is forgotten: nobody is
// asked for it any more, and it must not be good for anything later. What was
// linked to that entry before is left as it is.
//
// ErrUnknown means that nobody has the name, ErrExists that the account, or the
// entry, is linked to another.
func (s *Store) Link(ctx context.Context, name string, p Person, event Event) error {
	if p.Upstream == "" || p.Name != name {
		return errors.New("link: the entry has no id, or another name")
	}
	err := s.change(ctx, func(c *conn) error {
		a, err := readAccount(c, name)
		if err != nil || a.Upstream == p.Upstream {
			return err
		}
		if a.Upstream != "" {
			return fmt.Errorf("%w: it is another entry's", ErrExists)
		}
		switch own, err := accountOf(c, p.Upstream); {
		case err == nil:
			return fmt.Errorf("%w: the entry is that of account %q", ErrExists, own.Name)
		case !errors.Is(err, ErrUnknown):
			return err
		}
		local := a.Person
		local.Hash, local.Previous, local.MustChange, local.Expires = "", "", false, time.Time{}
		if err := takeOver(c, local, p); err != nil {
			return err
		}
		event.Person, event.Name = a.ID, name
		return book(c, []Event{event})
	})
	if err != nil {
		return fmt.Errorf("link account %q: %w", name, err)
	}
	return nil
}

// Release has a local account give up its name to somebody of the directory
// behind. It is disabled, and keeps its codes under a name that nobody can type.
// ErrUnknown means that nobody has the name, ErrExists that the account is
// linked to an entry: the directory says whose name it is.
func (s *Store) Release(ctx context.Context, name string, event Event) error {
	err := s.change(ctx, func(c *conn) error {
		a, err := readAccount(c, name)
		if err != nil {
			return err
		}
		if a.Upstream != "" {
			return fmt.Errorf("%w: it is linked to the directory behind", ErrExists)
		}
		if err := giveUpName(c, a.Person); err != nil {
			return err
		}
		if _, err := c.exec("UPDATE person SET disabled = 1 WHERE id = ?1", a.ID); err != nil {
			return err
		}
		event.Person, event.Name = a.ID, name
		return book(c, []Event{event})
	})
	if err != nil {
		return fmt.Errorf("release account %q: %w", name, err)
	}
	return nil
}

// Unlinked reports whether this is a local account that keeps somebody of the
// directory behind out, who has its name.
func (p Person) Unlinked() bool { return p.Upstream == "" && !strings.Contains(p.Name, former) }

// Unlinked is how many of them there are.
func (s *Store) Unlinked(ctx context.Context) (n int64, err error) {
	err = s.reading(ctx, func(c *conn) error {
		n, err = unlinked(c)
		return err
	})
	return n, err
}

// UnlinkedIn is the same of a file, into which nothing is written: it may be a
// store that another program, of an earlier schema, is at work on.
func UnlinkedIn(file string) (int64, error) {
	c, err := dial(file, "query_only=1", "wal_autocheckpoint=0")
	if err != nil {
		return 0, err
	}
	n, err := unlinked(c)
	return n, errors.Join(err, c.close())
}

func unlinked(c *conn) (int64, error) {
	return c.one("SELECT count(*) FROM person WHERE upstream = '' AND instr(name, ?1) = 0", former)
}
