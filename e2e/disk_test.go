package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// onSmallDisk serves from a disk of 4 MiB that nobody else sees: a tmpfs in a
// mount namespace of the server's own. The commands enter it, too.
func (s *site) onSmallDisk() (server *process, disk string) {
	s.t.Helper()
	need(s.t, "root", "mount", "nsenter")
	state := filepath.Join(s.dir, "state")
	script := fmt.Sprintf(`set -e; cp -a %[1]s %[1]s.full; mount -t tmpfs -o size=4m,mode=700 none %[1]s; cp -a %[1]s.full/. %[1]s; exec %[2]s serve -c %[3]s`,
		state, program(s.t), s.config)
	cmd := exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	server = s.serveBy(cmd)
	s.mounts = server.cmd.Process.Pid
	return server, fmt.Sprintf("/proc/%d/root%s", s.mounts, state)
}

// fill takes all the space that is left.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 16
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// What is written goes first to places that the files have already, so a full
// disk stops some sign-ins before it stops all of them. None is refused for
// it, and what was answered is kept.
func TestFullDiskIsSilenceAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, `keys = "keys"`, "keys = \"keys\"\nreserve = \"0MB\"")
	alice, bob := s.enrol("alice"), s.enrol("bob")
	s.add("dave")
	server, disk := s.onSmallDisk()
	code := alice.code()
	wantAccept(t, s.signIn(outside, "alice", password+code))

	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	box := s.nas(inside)
	answered, unwell := 0, false
	for silences := 0; silences < 3; {
		request := box.request("dave", password)
		box.send(request)
		reply := box.receive(time.Second)
		if reply == nil {
			silences++
			status, _ := s.get("/healthz")
			unwell = unwell || status == 503
			continue
		}
		if err := verify(reply, request); err != nil || reply[0] != accessAccept {
			t.Fatalf("got % x (%v), want an accept or silence", reply, err)
		}
		if answered++; answered > 2000 {
			t.Fatal("a full disk stops nothing")
		}
	}
	if !unwell {
		t.Error("/healthz does not tell")
	}
	if log := server.log.String(); !strings.Contains(log, "disk is full") {
		t.Errorf("the log does not tell:\n%s", log)
	}
	next := bob.code()
	before := s.signIn(outside, "bob", password+next)
	if before.rejected() {
		t.Errorf("refused for a full disk: %v", before.attributes)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is well again", func() bool {
		status, _ := s.get("/healthz")
		return status == 200
	})
	s.wantReject(s.signIn(outside, "alice", password+code), "code_used")
	if after := s.signIn(outside, "bob", password+next); before.silent() {
		wantAccept(t, after)
	} else {
		s.wantReject(after, "code_used")
	}
	if booked := len(s.book("--user", "dave", "--outcome", "admitted")); booked != answered {
		t.Errorf("%d of dave's accepts are in the book, %d were answered", booked, answered)
	}
}
