package store

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
)

func testAddToken(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	equal(t, "generation", a.Generation, 2)
	want := Token{
		Person: a.ID, Kind: "hotp", Label: "key ring", Digits: 8, Period: 60, Algorithm: "SHA256",
		Created: noon, Step: 41, Drift: -2,
	}
	got, err := s.AddToken(ctx, a.Person, want, false, func(t Token) []byte {
		return fmt.Appendf(nil, "%d %d %d", t.Person, t.ID, t.Version)
	}, Event{At: noon, Reason: "otp_enrolled"})
	must(t, err)
	want.ID, want.Version = got.ID, 1
	want.Sealed = fmt.Appendf(nil, "%d %d 1", a.ID, got.ID)
	a = account(t, s, "alice")
	equal(t, "devices", len(a.Tokens), 2)
	equal(t, "generation", a.Generation, 3)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(a.Tokens[1], want) {
		t.Errorf("returned %+v, read back %+v, want %+v", got, a.Tokens[1], want)
	}
	equal(t, "events", len(events(t, s, Search{Person: a.ID, Reason: "otp_enrolled"})), 2)
}

// Between the look-up and the writing the name became somebody else's, or the
// person was changed.
func testAddTokenToWhoeverHasTheNameByThen(t *testing.T, s *Store) {
	former := adopted(t, s, entry("u1", "alice"))
	adopted(t, s, entry("u2", "alice"))
	add := func(p Person) error {
		return second(s.AddToken(ctx, p, Token{Kind: "totp", Period: 30, Step: -1}, true, func(Token) []byte { return []byte("sealed") }, Event{At: noon}))
	}
	wants(t, add(former.Person), ErrChanged)
	for _, upstream := range []string{"u1", "u2"} {
		equal(t, "devices of "+upstream, len(accountByUpstream(t, s, upstream).Tokens), 0)
	}
	now := accountByUpstream(t, s, "u1")
	must(t, add(now.Person))
	equal(t, "devices", len(accountByUpstream(t, s, "u1").Tokens), 1)
	wants(t, add(now.Person), ErrChanged)
}

func testReplaceToken(t *testing.T, s *Store) {
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	fresh := addToken(t, s, "alice", Token{Kind: "totp", Period: 30, Step: 100}, true)
	got := account(t, s, "alice")
	if len(got.Tokens) != 1 || got.Tokens[0].ID != fresh.ID || got.Tokens[0].Step != 100 {
		t.Errorf("devices %+v, want only %d", got.Tokens, fresh.ID)
	}
	equal(t, "bob's devices", len(account(t, s, "bob").Tokens), 1)
	// A code of the device that is gone, judged before it went.
	equal(t, "loss", settle(t, s, admission(a, 5)).Lost, ChangedMeanwhile)
	equal(t, "loss", settle(t, s, admission(b, 5)).Lost, NotLost)
}

func testRemoveTokens(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	enrolled(t, s, "bob")
	removed, err := s.RemoveTokens(ctx, "alice", Event{At: noon, Reason: "otp_reset"})
	must(t, err)
	equal(t, "removed", removed, 1)
	got := account(t, s, "alice")
	equal(t, "devices", len(got.Tokens), 0)
	equal(t, "generation", got.Generation, a.Generation+1)
	equal(t, "events", len(events(t, s, Search{Person: a.ID, Reason: "otp_reset"})), 1)
	equal(t, "bob's devices", len(account(t, s, "bob").Tokens), 1)
	// Even an attempt that knows the new generation burns nothing.
	st := admission(a, 5)
	st.Generation = got.Generation
	equal(t, "loss", settle(t, s, st).Lost, Raced)
}

func testResync(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	settle(t, s, admission(a, 10))
	token := a.Tokens[0].ID
	must(t, s.Resync(ctx, token, 20, 3, Event{At: noon, Reason: "otp_resynced"}))
	got := account(t, s, "alice").Tokens[0]
	if got.Step != 20 || got.Drift != 3 || got.Ticket != 0 {
		t.Errorf("resynced to %+v", got)
	}
	wants(t, s.Resync(ctx, token, 20, 4, Event{At: noon}), ErrChanged)
	wants(t, s.Resync(ctx, token+1, 20, 4, Event{At: noon}), ErrChanged)
	equal(t, "loss", settle(t, s, admission(a, 20)).Lost, Raced)
	equal(t, "loss", settle(t, s, admission(a, 21)).Lost, NotLost)
	equal(t, "events", len(events(t, s, Search{Reason: "otp_resynced"})), 1)
}

// A step that was accepted before data was lost must stay refused.
func testFence(t *testing.T, s *Store) {
	now := noon.Unix() / 30
	enrolled(t, s, "alice")
	addToken(t, s, "alice", Token{Kind: "totp", Period: 60, Step: -1}, false)
	addToken(t, s, "alice", Token{Kind: "totp", Period: 30, Step: now + 500}, false)
	addToken(t, s, "alice", Token{Kind: "hotp", Step: 7}, false)
	moved, err := s.Fence(ctx, noon, 2, 100, Event{At: noon, Reason: "otp_fenced"})
	must(t, err)
	equal(t, "moved", moved, 3)
	a := account(t, s, "alice")
	for i, want := range []int64{now + 2, now/2 + 2, now + 500, 107} {
		equal(t, fmt.Sprintf("step of device %d", i), a.Tokens[i].Step, want)
	}
	equal(t, "loss", settle(t, s, admission(a, now+2)).Lost, Raced)
	equal(t, "loss", settle(t, s, admission(a, now+3)).Lost, NotLost)
	e := events(t, s, Search{Reason: "otp_fenced"})
	if len(e) != 1 || e[0].Detail != "devices 3" {
		t.Errorf("booked %+v", e)
	}
}

func testFenceDrift(t *testing.T, s *Store) {
	now := noon.Unix() / 30
	enrolled(t, s, "alice")
	addToken(t, s, "alice", Token{Kind: "totp", Period: 30, Step: now, Drift: 8}, false)
	addToken(t, s, "alice", Token{Kind: "totp", Period: 30, Step: -1, Drift: -8}, false)
	_, err := s.Fence(ctx, noon, 1, 0, Event{At: noon})
	must(t, err)
	a := account(t, s, "alice")
	equal(t, "device ahead", a.Tokens[1].Step, now+9)
	equal(t, "its drift", a.Tokens[1].Drift, 8)
	equal(t, "device behind", a.Tokens[2].Step, now+1)
}

func testReseal(t *testing.T, s *Store) {
	const people = 501 // more than a slice
	var list []Person
	for i := range people {
		list = append(list, Person{Name: fmt.Sprintf("u%04d", i)})
	}
	ids, err := s.AddPeople(ctx, list)
	must(t, err)
	must(t, s.change(ctx, func(c *conn) error {
		for i, id := range ids {
			_, err := c.exec("INSERT INTO token VALUES (?1, ?2, 'totp', '', 6, 30, 'SHA1', ?3, 1, 0)", int64(i+1), id, []byte("old"))
			if err == nil {
				_, err = c.exec("INSERT INTO burnt VALUES (?1, -1, 0, 0)", int64(i+1))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
	stale := func(sealed []byte) bool { return bytes.HasPrefix(sealed, []byte("old")) }
	seal := func(t Token) ([]byte, error) {
		return fmt.Appendf(nil, "new %d %d %d", t.Person, t.ID, t.Version), nil
	}
	done, err := s.Reseal(ctx, stale, seal)
	must(t, err)
	equal(t, "resealed", done, people)
	a := account(t, s, "u0500")
	equal(t, "seal", string(a.Tokens[0].Sealed), fmt.Sprintf("new %d %d 1", a.ID, a.Tokens[0].ID))
	equal(t, "version", a.Tokens[0].Version, 2)
	equal(t, "generation", a.Generation, 1)
	done, err = s.Reseal(ctx, stale, seal)
	must(t, err)
	equal(t, "resealed again", done, 0)
}

func testResealFails(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	b := enrolled(t, s, "bob")
	broken := errors.New("wrong key")
	all := func([]byte) bool { return true }
	done, err := s.Reseal(ctx, all, func(t Token) ([]byte, error) {
		if t.Person == b.ID {
			return nil, broken
		}
		return []byte("new"), nil
	})
	wants(t, err, broken)
	equal(t, "resealed", done, 0)
	if got := account(t, s, "alice").Tokens[0]; got.Version != 1 || !bytes.Equal(got.Sealed, a.Tokens[0].Sealed) {
		t.Errorf("half a slice was written: %+v", got)
	}
}

func TestIDsGrowAndStayPositive(t *testing.T) {
	last := newID(time.Time{})
	if last < 0 {
		t.Fatalf("id %d of no time", last)
	}
	for _, at := range []time.Time{noon, noon, noon.Add(-time.Hour), noon.AddDate(100, 0, 0)} {
		id := newID(at)
		if id <= last {
			t.Fatalf("id %d of %v after %d", id, at, last)
		}
		last = id
	}
}
