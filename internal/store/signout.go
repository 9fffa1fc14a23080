package store

import (
	"context"
	"fmt"
)

// SignOut voids what the person was given, tickets and app passwords, in one
// step, and books the event. Nothing that was judged before gives any after it:
// the generation is raised. ErrUnknown means that there is no such person.
func (s *Store) SignOut(ctx context.Context, person int64, event Event) error {
	err := s.changePeople(ctx, func(c *conn) ([]Person, error) {
		a, err := accountByID(c, person)
		if err != nil {
			return nil, err
		}
		if err := endAppPasswords(c, a.ID); err != nil {
			return nil, err
		}
		p := a.Person
		p.Generation++
		p.Changed = p.Generation
		if err := updatePerson(c, p); err != nil {
			return nil, err
		}
		event.Person, event.Name = p.ID, p.Name
		return []Person{p}, book(c, []Event{event})
	})
	if err != nil {
		return fmt.Errorf("sign a person out: %w", err)
	}
	return nil
}

func endAppPasswords(c *conn, person int64) error {
	_, err := c.exec("DELETE FROM app_password WHERE person = ?1", person)
	return err
}
