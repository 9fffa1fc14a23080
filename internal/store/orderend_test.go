package store

import (
	"testing"
	"time"
)

func testOrderEnd(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	st := admission(a, 5)
	ticket := settle(t, s, st).Ticket
	put := func(name string, change func(*Session)) int64 {
		key := SessionKey{Client: "vpn1", NAS: "nas1", Name: name}
		must(t, s.ChangeSession(ctx, key, func(now Session) SessionChange {
			now.User, now.Started, now.Seen = "alice", noon, noon
			change(&now)
			return SessionChange{Session: now}
		}))
		id := int64(0)
		must(t, s.Sessions(ctx, noon, func(s Session, _ string) error {
			if s.Name == name {
				id = s.ID
			}
			return nil
		}))
		return id
	}
	due := func(want ...string) {
		t.Helper()
		all, err := s.Due(ctx, noon)
		must(t, err)
		equal(t, "due", len(all), len(want))
		for i, d := range all {
			equal(t, "due", d.Session.Name, want[i])
			equal(t, "only a change", d.Change, false)
		}
	}
	event := Event{At: noon, Door: "command", Outcome: "done", Reason: "vpn_ended"}

	bare := put("bare", func(*Session) {})
	whole := put("whole", func(s *Session) { s.Ticket, s.Person, s.Groups = ticket, a.ID, a.Groups })
	due()
	must(t, s.OrderEnd(ctx, bare, event))
	due("bare")
	must(t, s.OrderEnd(ctx, whole, event)) // its ticket lives: nothing is due yet
	due("bare")
	must(t, s.EndTicket(ctx, ticket, noon, event))
	due("bare", "whole")

	// A NAS that said nothing is told again when it is wanted again.
	must(t, s.Ordered(ctx, Obedience{Session: bare, At: noon, Answer: "silent"}, event))
	must(t, s.Ordered(ctx, Obedience{Session: whole, At: noon, Answer: "silent"}, event))
	due()
	must(t, s.OrderEnd(ctx, bare, event))
	must(t, s.OrderEnd(ctx, whole, event))
	due("bare", "whole")
	// So is one that said it had ended it, or that could not be told.
	must(t, s.Ordered(ctx, Obedience{Session: bare, At: noon, Answer: "ack", Done: true}, event))
	due("whole")
	must(t, s.OrderEnd(ctx, bare, event))
	due("bare", "whole")
	// But not one that has told of the end.
	put("whole", func(s *Session) { s.Stopped, s.Seen = noon.Add(time.Minute), noon.Add(time.Minute) })
	wants(t, s.OrderEnd(ctx, whole, event), ErrUnknown)
	due("bare")
	wants(t, s.OrderEnd(ctx, 99, event), ErrUnknown)

	var last Event
	must(t, s.Events(ctx, Search{Person: a.ID, Reason: "vpn_ended", Most: 1}, func(e Event) error {
		last = e
		return nil
	}))
	equal(t, "name", last.Name, "alice")
	equal(t, "ticket", last.Ticket, ticket)
}
