package account

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

var (
	ctx  = context.Background()
	noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
)

const good = "seven lanterns by the river"

// registry is one on a new store, at noon.
func registry(t testing.TB) *Registry {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.Options{})
	must(t, err)
	r := &Registry{
		Store: s, Ring: keyring.New(noon), Issuer: "Example University", Now: func() time.Time { return noon },
		Pool:  &passwd.Pool{Workers: 1, Params: passwd.Params{Memory: 64, Time: 1, Threads: 1}},
		Rules: passwd.Rules{MinLength: 12, Site: []string{"Example University"}},
	}
	t.Cleanup(func() {
		r.Pool.Close()
		s.Close()
	})
	return r
}

// withAlice is a registry in which alice has a password.
func withAlice(t testing.TB) *Registry {
	t.Helper()
	r := registry(t)
	_, err := r.Add(ctx, store.Person{Name: "alice", Groups: []string{"staff"}}, Password{Typed: []byte(good)}, by("account_added"))
	must(t, err)
	return r
}

func enrol(t testing.TB, r *Registry, n Enrolment) otp.Token {
	t.Helper()
	token, err := r.Enrol(ctx, alice(t, r), n, by("otp_enrolled"))
	must(t, err)
	return token
}

func by(why string) store.Event {
	return store.Event{At: noon, Door: "command", Client: "root", Outcome: "done", Reason: why}
}

func alice(t testing.TB, r *Registry) *store.Account {
	t.Helper()
	a, err := r.Store.Account(ctx, "alice")
	must(t, err)
	return a
}

// newest is the event booked last.
func newest(t testing.TB, r *Registry) store.Event {
	t.Helper()
	var found store.Event
	must(t, r.Store.Events(ctx, store.Search{Most: 1}, func(e store.Event) error {
		found = e
		return nil
	}))
	return found
}

func booked(t testing.TB, r *Registry, why, name, detail string) {
	t.Helper()
	e := newest(t, r)
	if e.Reason != why || e.Name != name || e.Detail != detail || e.Client != "root" || name != "" && e.Person == 0 {
		t.Fatalf("booked %+v, want %s of %q: %q", e, why, name, detail)
	}
}

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
