package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// What was read before a write must not be remembered after it.
func TestStaleReadIsNotRemembered(t *testing.T) {
	for name, write := range map[string]func(c *accounts){
		"update": func(c *accounts) { c.update("alice", func(*Account) {}) },
		"drop":   func(c *accounts) { c.drop("alice") },
		"clear":  func(c *accounts) { c.clear() },
	} {
		t.Run(name, func(t *testing.T) {
			var c accounts
			old, same := c.begin("alice"), c.begin("alice")
			other := c.begin("bob")
			write(&c)
			fresh := c.begin("alice")
			c.end("alice", old, &Account{})
			if c.get("alice") != nil {
				t.Error("the stale read is remembered")
			}
			want := &Account{}
			c.end("alice", fresh, want)
			c.end("alice", same, &Account{})
			if c.get("alice") != want {
				t.Error("the fresh read is not remembered")
			}
			c.end("bob", other, &Account{})
			equal(t, "another's read is remembered", c.get("bob") != nil, name != "clear")
			equal(t, "reads under way", len(c.loading), 0)
		})
	}
}

func TestUpdateIsNeverForgottenForWhatWasBefore(t *testing.T) {
	for bound := 1; bound < 6; bound++ {
		var c accounts
		c.recent.Bound = bound
		remember := func(name string) { c.end(name, c.begin(name), &Account{}) }
		remember("alice")
		for i := range 6 {
			c.update("alice", func(a *Account) { a.Generation++ })
			equal(t, fmt.Sprintf("generation, bound %d", bound), c.get("alice").Generation, int64(i+1))
			remember(fmt.Sprint(i))
			if c.get("alice") == nil {
				break // forgotten is fine, stale is not
			}
		}
		c.drop("alice")
		if c.get("alice") != nil {
			t.Errorf("still there after drop, bound %d", bound)
		}
	}
}

// What fails here reaches a log, and people type passwords where the name
// belongs.
func TestErrorDoesNotRepeatTheName(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "sekisho.db"), Options{})
	_, err := s.Account(ctx, "nobody")
	wants(t, err, ErrUnknown)
	must(t, s.Close())
	_, err = s.Account(ctx, "hunter2")
	wants(t, err, ErrClosed)
	if strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
