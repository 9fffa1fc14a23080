package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

const (
	crashFile    = "SEKISHO_STORE_CRASH_FILE" // set in the child that will be killed
	crashDevices = 16
	crashCallers = 64 // several a device, so that codes are raced for, too
)

// printed is a line of the child: a settlement that Settle has answered.
type printed struct {
	device       int
	step, ticket int64
	reference    string
}

// TestMain is the child, too, where a store to settle in is named.
func TestMain(m *testing.M) {
	if file := os.Getenv(crashFile); file != "" {
		crashChild(file)
		return
	}
	os.Exit(m.Run())
}

// The child settles as fast as it can and tells what was accepted, never
// before it was.
func crashChild(file string) {
	s, err := Open(file, Options{Exclusive: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var out sync.Mutex
	var callers sync.WaitGroup
	for i := range crashCallers {
		callers.Go(func() {
			device := i % crashDevices
			for {
				a, err := s.Account(ctx, crashName(device))
				if err != nil {
					return
				}
				step := a.Tokens[0].Step + 1
				done, err := s.Settle(ctx, admission(a, step))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				if done.Lost == NotLost {
					if err := s.ChangeSession(ctx, key(a.Name), crashRecord(step)); err != nil {
						fmt.Fprintln(os.Stderr, err)
						os.Exit(1)
					}
					out.Lock()
					// The whole line in one write: a killed child leaves no half.
					fmt.Fprintf(os.Stdout, "%d %d %d %s\n", device, step, done.Ticket, done.Reference)
					out.Unlock()
				}
			}
		})
	}
	callers.Wait()
}

func crashName(device int) string { return fmt.Sprintf("u%d", device) }

// crashRecord counts up to the step.
func crashRecord(step int64) func(Session) SessionChange {
	return func(now Session) SessionChange {
		now.Seen, now.Input = noon, max(now.Input, uint64(step)+1)
		return SessionChange{Session: now}
	}
}

// A code that was accepted stays burnt, its event and its ticket are there,
// and what a NAS told and was answered, through a kill at any moment.
func TestKilledWhileSettling(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sekisho.db")
	s, err := Open(file, Options{})
	must(t, err)
	for i := range crashDevices {
		enrolled(t, s, crashName(i))
	}
	must(t, s.Close())

	accepted := make(map[[2]int64]string) // device and step of all rounds
	for _, lines := range []int{1, 2, 50, 150, 300, 64, 200, 5} {
		killed := settleUntilKilled(t, file, lines)
		s, err := Open(file, Options{Exclusive: true})
		must(t, err)
		for _, p := range killed {
			key := [2]int64{int64(p.device), p.step}
			if first, twice := accepted[key]; twice {
				t.Fatalf("step %d of device %d was accepted as %s and as %s", p.step, p.device, first, p.reference)
			}
			accepted[key] = p.reference
		}
		var group sync.WaitGroup
		parts := make(chan printed)
		for range 32 {
			group.Go(func() {
				for p := range parts {
					survived(t, s, p)
				}
			})
		}
		for _, p := range killed {
			parts <- p
		}
		close(parts)
		group.Wait()
		must(t, s.Close())
		if t.Failed() {
			return
		}
	}
}

// settleUntilKilled kills a child after so many lines and returns all that it
// printed.
func settleUntilKilled(t *testing.T, file string, lines int) []printed {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashFile+"="+file)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	var all []printed
	for scan := bufio.NewScanner(out); scan.Scan(); {
		var p printed
		if _, err := fmt.Sscanf(scan.Text(), "%d %d %d %s", &p.device, &p.step, &p.ticket, &p.reference); err != nil {
			t.Errorf("the child printed %q", scan.Text())
		}
		if all = append(all, p); len(all) == lines {
			must(t, child.Process.Kill())
		}
	}
	child.Wait()
	if len(all) < lines {
		t.Fatalf("the child ended by itself after %d lines", len(all))
	}
	return all
}

func survived(t *testing.T, s *Store, p printed) {
	a, err := s.Account(ctx, crashName(p.device))
	if err != nil {
		t.Error(err)
		return
	}
	again, err := s.Settle(ctx, admission(a, p.step))
	if err != nil || again.Lost != Raced {
		t.Errorf("step %d of device %d again: %+v, %v", p.step, p.device, again, err)
	}
	found, exact, err := s.Lookup(ctx, p.reference)
	if err != nil || !exact || found[0].Ticket != p.ticket || found[0].Name != a.Name || found[0].Outcome != "admitted" {
		t.Errorf("%s finds %+v, %v", p.reference, found, err)
	}
	err = s.ChangeSession(ctx, key(a.Name), func(now Session) SessionChange {
		if now.Input <= uint64(p.step) {
			t.Errorf("the session of %s was told of step %d and knows %d octets", a.Name, p.step, now.Input)
		}
		return SessionChange{Session: now}
	})
	if err != nil {
		t.Error(err)
	}
	ticket, err := s.Ticket(ctx, p.ticket)
	if err != nil || ticket.Person != a.ID {
		t.Errorf("ticket %d is %+v, %v", p.ticket, ticket, err)
	}
}
