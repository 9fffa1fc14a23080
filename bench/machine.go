package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine tells what the figures were measured on.
func machine(folder string) []Fact {
	list := []Fact{
		{"CPU", processor() + ", " + strconv.Itoa(runtime.NumCPU()) + " processors"},
		{"kernel", kernel()},
		{"Go", runtime.Version()},
		{"freeradius", installed("freeradius")},
		{"slapd", installed("slapd")},
		{"lemonldap-ng-handler", installed("lemonldap-ng-handler")},
		{"store on", fileSystem(folder)},
		{"fdatasync of 4 KiB, one after the other", syncs(folder)},
	}
	for _, name := range []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT"} {
		value := cmp.Or(os.Getenv(name), "not set")
		if name == "GOMAXPROCS" {
			value += ", so " + strconv.Itoa(runtime.GOMAXPROCS(0))
		}
		list = append(list, Fact{name, value})
	}
	return append(list, Fact{"serve", "gogc = 200, memory_limit = 200MB unless the environment says otherwise"})
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}

// installed is the version of a Debian package; "" where there is none.
func installed(name string) string {
	out, _ := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
	return cmp.Or(strings.TrimSpace(string(out)), "not installed")
}

// syncs is how many small writes a second can be made durable: what a server
// without group commit can't exceed.
func syncs(folder string) string {
	f, err := os.CreateTemp(folder, "sync-")
	if err != nil {
		return "?"
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block, n, start := make([]byte, 4<<10), 0, time.Now()
	for ; time.Since(start) < time.Second; n++ {
		if _, err := f.Write(block); err != nil || unix.Fdatasync(int(f.Fd())) != nil {
			return "?"
		}
	}
	return fmt.Sprintf("%.0f/s", float64(n)/time.Since(start).Seconds())
}

// fileSystem matters since a sign-in waits for the disk: on tmpfs it would
// wait for nothing.
func fileSystem(folder string) string {
	var st unix.Statfs_t
	if unix.Statfs(folder, &st) != nil {
		return "?"
	}
	switch st.Type {
	case unix.TMPFS_MAGIC:
		return "tmpfs: nothing is durable here, set TMPDIR"
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	}
	return "file system 0x" + strconv.FormatInt(int64(st.Type), 16)
}
