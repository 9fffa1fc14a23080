package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"sekisho/internal/store"
)

// typed runs a command, and returns what it prints.
func (h *house) typed(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd, out := command(), new(bytes.Buffer)
	cmd.SetOut(out)
	cmd.SetErr(out)
	cmd.SetArgs(append(args, "-c", h.cfg.File))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// localAccounts are some of before the directory.
func (h *house) localAccounts(t *testing.T, names ...string) {
	t.Helper()
	var people []store.Person
	for _, name := range names {
		people = append(people, store.Person{Name: name, Hash: "local", Created: time.Now()})
	}
	if _, err := h.store.AddPeople(t.Context(), people); err != nil {
		t.Fatal(err)
	}
}

// One that gave up its name is nobody's to link any more.
func TestLinkAll(t *testing.T) {
	d := fakeDirectory(t)
	h := behindHouse(t, d)
	h.localAccounts(t, "alice", "bob", "carol")
	if out, err := h.typed(t, "account", "release", "carol"); err != nil {
		t.Fatalf("%q, %v", out, err)
	}
	out, err := h.typed(t, "account", "link", "--all")
	if err == nil || err.Error() != "1 account not linked" || out != "alice: linked to uid=Alice,ou=people,dc=example\n" {
		t.Errorf("%q, %v", out, err)
	}
	out, err = h.typed(t, "check")
	if err != nil || !strings.Contains(out, "sekisho.db: warning: 1 local account not linked: ") {
		t.Errorf("check: %q, %v", out, err)
	}
	d.Put("uid=bob,ou=people,dc=example", map[string][]string{"uid": {"bob"}, "entryUUID": {"id-of-bob"}})
	if out, err = h.typed(t, "account", "link", "--all"); err != nil || out != "bob: linked to uid=bob,ou=people,dc=example\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err = h.typed(t, "check"); err != nil || strings.Contains(out, "not linked") {
		t.Errorf("check: %q, %v", out, err)
	}
}

func TestStartTellsOfUnlinkedAccounts(t *testing.T) {
	h := behindHouse(t, fakeDirectory(t))
	h.localAccounts(t, "alice", "bob")
	var log bytes.Buffer
	s, err := open(t.Context(), h.cfg.File, &log)
	if err != nil {
		t.Fatal(err)
	}
	defer s.drain()
	if !strings.Contains(log.String(), "2 local accounts not linked: ") {
		t.Errorf("the log has %s", log.String())
	}
}
