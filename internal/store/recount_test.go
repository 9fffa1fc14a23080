package store

import (
	"path/filepath"
	"testing"
	"time"
)

func recounted(t *testing.T) *Store {
	return openFile(t, filepath.Join(t.TempDir(), "sekisho.db"), Options{})
}

func TestRecount(t *testing.T) {
	s := recounted(t)
	a := enrolled(t, s, "alice")
	first, second, third := settle(t, s, admission(a, 5)), settle(t, s, admission(a, 6)), settle(t, s, admission(a, 7))
	must(t, s.Recount(ctx, map[int64]int{first.Event: 37, third.Event: 2, third.Event + 1000: 9}))
	for settled, want := range map[Settled]int{first: 37, second: 1, third: 2} {
		e := event(t, s, settled.Reference)
		equal(t, "count", e.Count, want)
		equal(t, "last", e.Last, e.ID) // no other reference is told by it
	}
}

// It runs each minute: forgetting people then would make every sign-in after
// it read again.
func TestRecountForgetsNothing(t *testing.T) {
	s := recounted(t)
	a := enrolled(t, s, "alice")
	done := settle(t, s, admission(a, 5))
	before, epoch := account(t, s, "alice"), s.Epoch()
	must(t, s.Recount(ctx, map[int64]int{done.Event: 2}))
	if account(t, s, "alice") != before || s.Epoch() != epoch {
		t.Error("the account was read again")
	}
	settle(t, s, admission(a, 6))
}

func TestRecountThatFails(t *testing.T) {
	s := recounted(t)
	done := settle(t, s, refusal("alice", noon))
	other, err := dial(s.file, "busy_timeout=0")
	must(t, err)
	defer other.close()
	pragma(t, s, "busy_timeout=1")
	_, err = other.exec("BEGIN IMMEDIATE")
	must(t, err)
	if err := s.Recount(ctx, map[int64]int{done.Event: 2}); err == nil || s.Alive() {
		t.Errorf("locked: %v, alive %v", err, s.Alive())
	}
	_, err = other.exec("ROLLBACK")
	must(t, err)
	must(t, s.Recount(ctx, map[int64]int{done.Event: 2}))
	equal(t, "count", event(t, s, done.Reference).Count, 2)
	if !s.Alive() {
		t.Error("not alive after it could be written")
	}
	must(t, s.Close())
	bounded, cancel := contextWithin(t, 10*time.Second)
	defer cancel()
	wants(t, s.Recount(bounded, nil), ErrClosed)
}
