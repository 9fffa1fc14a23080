package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Adopt makes or updates the row of p.Upstream, an entry of the directory
// behind, and returns it. It takes over p's Name, Display, Mail and Groups;
// everything else is as it was, and p.ID is not looked at. Created is the time
// of the change.
//
// A name that somebody else of the directory has is taken from them: the
// directory says whose it is now. They keep their codes, under a name that
// nobody can type, until they are adopted under their new one. ErrLocal means
// that a local account has the name: whose that is nobody but the operator can
// tell, by [Store.Link] or [Store.Release].
//
// Other groups raise the generation, and so does another name: rules name
// people, and what was given out under the former name may be shown where it
// means somebody else by now. What is as it was writes and books nothing.
func (s *Store) Adopt(ctx context.Context, p Person, events ...Event) (*Account, error) {
	if p.Upstream == "" || p.Name == "" {
		return nil, errors.New("adopt: the entry has no id, or no name")
	}
	a, err := s.AccountOf(ctx, p.Upstream)
	if err == nil && p.same(a.Person) {
		return a, nil
	}
	// On the first morning there is one after the other: nobody else is forgotten
	// for it.
	err = s.changePeople(ctx, func(c *conn) (touched []Person, err error) {
		a, touched, err = adopt(c, p, slices.Clone(events))
		return touched, err
	})
	if err != nil {
		return nil, fmt.Errorf("adopt: %w", err)
	}
	return a, nil
}

// AccountOf finds the person by the id of their entry in the directory behind.
// ErrUnknown means that they have no row. The account is shared and must not
// be changed.
func (s *Store) AccountOf(ctx context.Context, upstream string) (*Account, error) {
	var a *Account
	err := s.reading(ctx, func(c *conn) (err error) {
		a, err = accountOf(c, upstream)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read an account by its id: %w", err)
	}
	return a, nil
}

// adopt does the work of Adopt, inside its transaction. touched is whose row it
// wrote; nil where somebody has another name now, which the tickets tell, too.
func adopt(c *conn, p Person, events []Event) (a *Account, touched []Person, err error) {
	own, err := accountOf(c, p.Upstream)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return nil, nil, err
	}
	if own != nil && p.same(own.Person) {
		return own, []Person{own.Person}, nil // another came first
	}
	namesake, err := readAccount(c, p.Name)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return nil, nil, err
	}
	if namesake != nil && namesake.Upstream == "" {
		return nil, nil, ErrLocal
	}
	renamed := own != nil && own.Name != p.Name
	if namesake != nil && (own == nil || namesake.ID != own.ID) {
		renamed = true
		if err := giveUpName(c, namesake.Person); err != nil {
			return nil, nil, err
		}
	}
	if own == nil {
		p.ID, err = addPerson(c, Person{
			Name: p.Name, Display: p.Display, Mail: p.Mail, Lang: p.Lang, Groups: p.Groups, Upstream: p.Upstream, Created: p.Created,
		})
	} else {
		p.ID = own.ID
		err = takeOver(c, own.Person, p)
	}
	if err != nil {
		return nil, nil, err
	}
	for i := range events {
		events[i].Person, events[i].Name = p.ID, p.Name
	}
	if err := book(c, events); err != nil {
		return nil, nil, err
	}
	if !renamed {
		touched = []Person{p}
	}
	a, err = accountOf(c, p.Upstream)
	return a, touched, err
}

// takeOver writes into the row of own what the directory behind says of it.
func takeOver(c *conn, own, p Person) error {
	link := own.Upstream == ""
	renamed, regrouped := own.Name != p.Name, !sameGroups(own.Groups, p.Groups)
	own.Name, own.Display, own.Mail, own.Upstream = p.Name, p.Display, p.Mail, p.Upstream
	if regrouped {
		own.Groups = p.Groups
	}
	if link || renamed || regrouped {
		own.Generation++
	}
	if link || renamed {
		own.Changed = own.Generation
	}
	_, err := c.exec("UPDATE person SET name = ?2, upstream = ?3 WHERE id = ?1", own.ID, own.Name, own.Upstream)
	if err != nil {
		return err
	}
	return updatePerson(c, own)
}

// giveUpName leaves the person's name to somebody else. Names as people type
// them are folded, so none has a capital letter.
func giveUpName(c *conn, p Person) error {
	_, err := c.exec("UPDATE person SET name = ?2, generation = generation + 1, changed = generation + 1 WHERE id = ?1",
		p.ID, p.Name+former+strconv.FormatInt(p.ID, 10))
	return err
}

const former = "#FORMER-"

// same reports that adopting p would change nothing of row.
func (p Person) same(row Person) bool {
	return p.Upstream == row.Upstream && p.Name == row.Name && p.Display == row.Display && p.Mail == row.Mail &&
		sameGroups(p.Groups, row.Groups)
}

// sameGroups does not mind the order: a directory keeps none.
func sameGroups(a, b []string) bool {
	sorted := func(groups []string) []string { return slices.Compact(slices.Sorted(slices.Values(groups))) }
	return slices.Equal(sorted(a), sorted(b))
}
