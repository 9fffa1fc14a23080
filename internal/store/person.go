package store

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// lastID keeps the ids of this process apart from each other; 20 random bits
// keep them apart from those of a process that writes in the same moment.
var lastID atomic.Int64

// newID makes a key that grows with time, so that rows that belong together
// lie together.
func newID(now time.Time) int64 {
	var b [4]byte
	rand.Read(b[:])
	id := max(now.UnixMilli(), 0)<<20 | int64(binary.BigEndian.Uint32(b[:])>>12)
	for {
		last := lastID.Load()
		if id <= last {
			id = last + 1
		}
		if lastID.CompareAndSwap(last, id) {
			return id
		}
	}
}

// AddPeople adds accounts, all or none, with the events that book it, and
// returns their ids. ErrExists names the first name, or number, that is taken.
// Created is the time of the change; Generation and Changed start at 1.
func (s *Store) AddPeople(ctx context.Context, people []Person, events ...Event) ([]int64, error) {
	ids, booked := make([]int64, len(people)), slices.Clone(events)
	err := s.change(ctx, func(c *conn) error {
		for i, p := range people {
			taken, err := c.one("SELECT count(*) FROM person WHERE name = ?1", p.Name)
			if err != nil {
				return err
			}
			if taken > 0 {
				return fmt.Errorf("account %q: %w", p.Name, ErrExists)
			}
			if ids[i], err = addPerson(c, p); err != nil {
				return err
			}
			if i < len(booked) {
				booked[i].Person = ids[i]
			}
		}
		return book(c, booked)
	})
	return ids, err
}

func addPerson(c *conn, p Person) (id int64, err error) {
	groups, err := groupsText(p.Groups)
	if err != nil {
		return 0, fmt.Errorf("account %q: %w", p.Name, err)
	}
	if err := uidFree(c, p); err != nil {
		return 0, err
	}
	id = newID(p.Created)
	_, err = c.exec("INSERT INTO person ("+personColumns+") VALUES (?1,?2,?3,?4,?5,?6,?7,'',?8,?9,?10,1,1,?11,?12,?13)",
		id, p.Name, p.Display, p.Mail, p.Lang, groups, p.Hash,
		integer(p.Disabled), integer(p.MustChange), micro(p.Expires), p.UIDNumber, micro(p.Created), p.Upstream)
	return id, err
}

// ChangePerson writes what change made of the person, raises the generation
// (so tickets and remembered proofs of before are void), and books the event.
// With the password the app passwords go, which somebody else may have made who
// knew it. ErrUnknown means that there is no person of that name, ErrExists that
// somebody else has the UIDNumber; an error of change is returned as it is and
// nothing is written.
func (s *Store) ChangePerson(ctx context.Context, name string, change func(*Person) error, event Event) error {
	return s.changePeople(ctx, func(c *conn) ([]Person, error) {
		a, err := readAccount(c, name)
		if err != nil {
			return nil, err
		}
		p := a.Person
		if err := change(&p); err != nil {
			return nil, err
		}
		p.ID, p.Name, p.Upstream = a.ID, a.Name, a.Upstream // who it is does not change
		p.Generation, p.Changed = a.Generation+1, a.Changed
		if !groupsAlone(a.Person, p) {
			p.Changed = p.Generation
		}
		if err := updatePerson(c, p); err != nil {
			return nil, err
		}
		if p.Hash != a.Hash {
			if err := endAppPasswords(c, p.ID); err != nil {
				return nil, err
			}
		}
		event.Person, event.Name = p.ID, p.Name
		return []Person{p}, book(c, []Event{event})
	})
}

// groupsAlone reports whether the groups changed and nothing else did. A
// change of nothing is made to void what was given out: it counts as more.
func groupsAlone(before, after Person) bool {
	same := slices.Equal(before.Groups, after.Groups)
	after.Groups, after.Generation, after.Changed = before.Groups, before.Generation, before.Changed
	return !same && reflect.DeepEqual(before, after)
}

func updatePerson(c *conn, p Person) error {
	groups, err := groupsText(p.Groups)
	if err != nil {
		return fmt.Errorf("account %q: %w", p.Name, err)
	}
	if err := uidFree(c, p); err != nil {
		return err
	}
	_, err = c.exec(`UPDATE person SET display = ?2, mail = ?3, lang = ?4, groups = ?5, hash = ?6, previous = ?7,
		disabled = ?8, must_change = ?9, expires = ?10, uid_number = ?11, generation = ?12, changed = ?13
		WHERE id = ?1`,
		p.ID, p.Display, p.Mail, p.Lang, groups, p.Hash, p.Previous,
		integer(p.Disabled), integer(p.MustChange), micro(p.Expires), p.UIDNumber, p.Generation, p.Changed)
	return err
}

// uidFree reports, by ErrExists, that somebody else has the person's number.
func uidFree(c *conn, p Person) error {
	if p.UIDNumber == 0 {
		return nil
	}
	return c.each("SELECT name FROM person WHERE uid_number = ?1 AND name <> ?2", func(row []driver.Value) error {
		return fmt.Errorf("account %q: uid number %d of %q: %w", p.Name, p.UIDNumber, row[0], ErrExists)
	}, p.UIDNumber, p.Name)
}

// RenewHash replaces a password's hash by a better one of the same password.
// It compares and sets: ErrChanged means that the password was changed
// meanwhile. What is remembered of the person stays good.
func (s *Store) RenewHash(ctx context.Context, name, from, to string) error {
	return s.changeOne(ctx, name, func(c *conn) error {
		n, err := c.exec("UPDATE person SET hash = ?3 WHERE name = ?1 AND hash = ?2", name, from, to)
		if err == nil && n == 0 {
			return ErrChanged
		}
		return err
	})
}

// People calls each for every person in the order of names, from the first
// name that is not before from.
func (s *Store) People(ctx context.Context, from string, each func(Person) error) error {
	return s.reading(ctx, func(c *conn) error {
		return c.each("SELECT "+personColumns+" FROM person WHERE name >= ?1 ORDER BY name", func(row []driver.Value) error {
			return each(scanPerson(row))
		}, from)
	})
}

// groupsText puts one group on a line: names with spaces are common in
// directories, and no part of one may pass for another group.
func groupsText(groups []string) (string, error) {
	for _, g := range groups {
		if g == "" || strings.Contains(g, "\n") {
			return "", fmt.Errorf("group %q: want one line that is not empty", g)
		}
	}
	return strings.Join(groups, "\n"), nil
}

func parseGroups(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func integer(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
