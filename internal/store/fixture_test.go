package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"
)

var (
	ctx  = context.Background()
	noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// enrolled adds a person with one TOTP device that was never used.
func enrolled(t testing.TB, s *Store, name string) *Account {
	t.Helper()
	_, err := s.AddPeople(ctx, []Person{{Name: name, Groups: []string{"staff"}, Hash: "hash of " + name, Created: noon}})
	must(t, err)
	addToken(t, s, name, Token{Kind: "totp", Period: 30, Step: -1}, false)
	return account(t, s, name)
}

func addToken(t testing.TB, s *Store, name string, token Token, replace bool) Token {
	t.Helper()
	token.Digits, token.Algorithm, token.Created = 6, "SHA1", noon
	token, err := s.AddToken(ctx, account(t, s, name).Person, token, replace, func(t Token) []byte { return []byte{byte(t.Version), 7} },
		Event{At: noon, Outcome: "done", Reason: "otp_enrolled"})
	must(t, err)
	return token
}

func account(t testing.TB, s *Store, name string) *Account {
	t.Helper()
	a, err := s.Account(ctx, name)
	must(t, err)
	return a
}

// admission is what the gate settles when a's first device showed step.
func admission(a *Account, step int64) Settlement {
	return Settlement{
		Person: a.ID, Generation: a.Generation,
		Burn: &Burn{Token: a.Tokens[0].ID, Step: step},
		Ticket: &Ticket{
			Hash: sha256.Sum256([]byte(a.Name)), Person: a.ID, Generation: a.Generation,
			Door: "radius", Service: "ssl-vpn", Created: noon, Until: noon.Add(10 * time.Hour), Used: noon,
		},
		Event: Event{
			At: noon, Door: "radius", Client: "vpn1", Service: "ssl-vpn", Typed: a.Name, Person: a.ID, Name: a.Name,
			Source: "203.0.113.7", Zone: "off-campus", Rule: "outside", Factors: "password+otp",
			Outcome: "admitted", Reason: "admitted",
		},
		IfRaced: "code_used", IfChanged: "changed_meanwhile", IfLost: "refused",
	}
}

func refusal(name string, at time.Time) Settlement {
	return Settlement{Event: Event{At: at, Door: "radius", Client: "vpn1", Typed: name, Outcome: "refused", Reason: "unknown_user"}}
}

func settle(t testing.TB, s *Store, st Settlement) Settled {
	t.Helper()
	settled, err := s.Settle(ctx, st)
	must(t, err)
	return settled
}

// event reads the one row that the reference names.
func event(t testing.TB, s *Store, reference string) Event {
	t.Helper()
	found, exact, err := s.Lookup(ctx, reference)
	must(t, err)
	if len(found) != 1 || !exact {
		t.Fatalf("%s: %d rows, exact %v; want its own", reference, len(found), exact)
	}
	return found[0]
}

func events(t testing.TB, s *Store, q Search) []Event {
	t.Helper()
	var found []Event
	must(t, s.Events(ctx, q, func(e Event) error {
		found = append(found, e)
		return nil
	}))
	return found
}

func counters(t testing.TB, s *Store) map[string]Counter {
	t.Helper()
	list, err := s.Counters(ctx, time.Time{})
	must(t, err)
	byName := make(map[string]Counter)
	for _, c := range list {
		byName[c.Name] = c
	}
	return byName
}

// inWriter runs turn in the writer, between two transactions.
func inWriter(t testing.TB, s *Store, turn func(w *writer)) {
	t.Helper()
	must(t, s.submitChange(ctx, &job{turn: turn}))
}

func housekeepNow(t testing.TB, s *Store) {
	t.Helper()
	inWriter(t, s, (*writer).housekeep)
}

// pragma sets what one test needs on the writer's connection.
func pragma(t testing.TB, s *Store, text string) {
	t.Helper()
	inWriter(t, s, func(w *writer) {
		if _, err := w.conn.one("PRAGMA " + text); err != nil {
			t.Errorf("PRAGMA %s: %v", text, err)
		}
	})
}

// oneBatch makes the writer meet all jobs at once, in this order.
func oneBatch(t testing.TB, s *Store, jobs ...*job) {
	t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	go s.submitChange(ctx, &job{turn: func(*writer) {
		close(held)
		<-release
	}})
	<-held
	for _, j := range jobs {
		j.done = make(chan struct{}, 1)
		s.jobs <- j
	}
	close(release)
	for _, j := range jobs {
		<-j.done
	}
}

func settlement(st Settlement) *job { return &job{settlement: &st} }

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

func contextEnded() (context.Context, context.CancelFunc) {
	c, cancel := context.WithCancel(ctx)
	cancel()
	return c, cancel
}

// contextWithin turns a call that never returns into a failure.
func contextWithin(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(ctx, d)
}
