package keyring

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWriteAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	r := New(april).Rotate(april).Rotate(april)
	for range 2 { // the second time it replaces a file of mode 0400
		if err := r.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o400 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
	got, err := Open(Source{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.format(), r.format()) {
		t.Error("it came back changed")
	}
	if plain, err := got.Open("p", Row{}, r.Seal("p", Row{}, []byte("x"))); err != nil || string(plain) != "x" {
		t.Errorf("%q, %v", plain, err)
	}
}

func TestWriteThroughALink(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "keys"), filepath.Join(folder, "link")
	if err := New(april).Write(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	r := New(april)
	if err := r.Write(link); err != nil {
		t.Fatal(err)
	}
	if got, err := Open(Source{Path: path}); err != nil || got.Current() != r.Current() {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWriteKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := New(april).Write(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if err := New(april).Write(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 65534 || owner.Gid != 65534 {
		t.Errorf("owner %d:%d", owner.Uid, owner.Gid)
	}
}

func TestWriteFails(t *testing.T) {
	folder := t.TempDir()
	for name, path := range map[string]string{
		"no folder":   filepath.Join(folder, "none", "keys"),
		"is a folder": folder,
	} {
		if err := New(april).Write(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := new(Ring).Write(filepath.Join(folder, "keys")); err == nil {
		t.Error("wrote a ring without keys")
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenOrder(t *testing.T) {
	folder, credentials := t.TempDir(), t.TempDir()
	path := filepath.Join(folder, "keys")
	file, handed := New(april), New(april)
	if err := file.Write(path); err != nil {
		t.Fatal(err)
	}
	source := Source{Credentials: credentials, Path: path}
	if r, err := Open(source); err != nil || r.Current() != file.Current() {
		t.Errorf("credential not there: %v, %v", r, err)
	}

	credential := filepath.Join(credentials, "sekisho-keys")
	if err := os.WriteFile(credential, handed.format(), 0o440); err != nil { // as an ACL shows
		t.Fatal(err)
	}
	if r, err := Open(source); err != nil || r.Current() != handed.Current() {
		t.Errorf("credential there: %v, %v", r, err)
	}

	// A broken credential is a fault; the file must not stand in for it.
	if err := os.WriteFile(credential, []byte("nonsense\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	if r, err := Open(source); err == nil {
		t.Errorf("credential broken: %v", r)
	}
}

func TestOpenRefusesWhatOthersCanRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := New(april).Write(path); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		mode fs.FileMode
		ok   bool
	}{
		{0o400, true}, {0o600, true}, {0o440, false}, {0o404, false}, {0o640, false},
		{0o620, false}, {0o602, false}, {0o601, false}, {0o700, false}, {0o777, false},
	} {
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(Source{Path: path})
		if (err == nil) != tt.ok {
			t.Errorf("%04o: %v", tt.mode, err)
		}
		if !tt.ok && !strings.Contains(err.Error(), "chmod 0400 "+path) {
			t.Errorf("%04o: %v does not say what to do", tt.mode, err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	folder := t.TempDir()
	pipe, huge := filepath.Join(folder, "pipe"), filepath.Join(folder, "huge")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(huge, bytes.Repeat([]byte("#\n"), largest/2+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		Source
		want string
	}{
		{"nothing named", Source{}, "no key file is named"},
		{"nothing there", Source{Path: filepath.Join(folder, "none")}, "none"},
		{"a folder", Source{Path: folder}, "not a regular file"},
		{"a device", Source{Path: "/dev/null"}, "not a regular file"},
		{"a pipe", Source{Path: pipe}, "not a regular file"},
		{"too long", Source{Path: huge}, "1 MiB"},
		{"no command", Source{Path: "exec: "}, "names no program"},
		{"command not there", Source{Path: "exec:" + folder + "/none"}, "none"},
		{"command fails", Source{Path: "exec:ls --no-such-option"}, "no-such-option"},
		{"command says nothing", Source{Path: "exec:true"}, "no key in it"},
		{"command never ends", Source{Path: "exec:sleep 60", Patience: time.Millisecond}, "no answer within 1ms"},
		{"command says too much", Source{Path: "exec:cat " + huge}, "1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Open(tt.Source)
			if err == nil || r != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v; want %q", r, err, tt.want)
			}
		})
	}
	if _, err := Open(Source{Path: filepath.Join(folder, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

func TestOpenCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	want := New(april)
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	r, err := Open(Source{Path: "exec:cat " + path})
	if err != nil || r.Current() != want.Current() {
		t.Errorf("%v, %v", r, err)
	}
}

func TestParse(t *testing.T) {
	good := "0000000a " + octets(0) + " 2026-04-01 current"
	for _, tt := range []struct{ name, text, want string }{
		{"one key", good, ""},
		{"comments and blanks", "# keys\n\n \t\n  # more\n" + good + "\r\n", ""},
		{"upper case id", "0000000A " + octets(0) + " 2026-04-01 current\n", ""},
		{"old ones", "00000001 " + octets(1) + " 2026-04-01\n00000002 " + octets(2) + " 2026-04-01 old\n" + good, ""},

		{"empty", "", "keys init"},
		{"only comments", "# nothing\n", "keys init"},
		{"no current", "00000001 " + octets(1) + " 2026-04-01 old\n", "no key is marked current"},
		{"two current", good + "\n00000001 " + octets(1) + " 2026-04-01 current\n", "line 2: key 0000000a and key 00000001 are both"},
		{"twice", good + "\n0000000a " + octets(1) + " 2026-04-01 old\n", "line 2: key 0000000a is in an earlier line"},
		{"few fields", "00000001 " + octets(1) + "\n", "line 1: 2 fields"},
		{"many fields", good + " now\n", "line 1: 5 fields"},
		{"short id", "001 " + octets(1) + " 2026-04-01 current\n", "line 1: the id"},
		{"id not hexadecimal", "0000000g " + octets(1) + " 2026-04-01 current\n", "line 1: the id"},
		{"zero id", "00000000 " + octets(1) + " 2026-04-01 current\n", "line 1: the id is zero"},
		{"not base64", "00000001 " + strings.Repeat("*", 44) + " 2026-04-01 current\n", "line 1: key 00000001 is not 32 octets"},
		{"short key", "00000001 AAAA 2026-04-01 current\n", "key 00000001 is not 32 octets"},
		{"long key", "00000001 " + octets(1)[:43] + "A" + octets(1) + " 2026-04-01 current\n", "key 00000001 is not 32 octets"},
		{"no day", "00000001 " + octets(1) + " yesterday current\n", "key 00000001: its day"},
		{"impossible day", "00000001 " + octets(1) + " 2026-02-30 current\n", "key 00000001: its day"},
		{"other state", "00000001 " + octets(1) + " 2026-04-01 new\n", "key 00000001: its state"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := parse([]byte(tt.text))
			if tt.want == "" {
				if err != nil || r.Current() != 10 {
					t.Errorf("%v, %v", r, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), octets(1)[:8]) {
				t.Errorf("the fault shows a key: %v", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("0000000a " + octets(0) + " 2026-04-01 current\n00000001 " + octets(1) + " 2026-04-01\n"))
	f.Add([]byte("# nothing\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parse(text)
		if err != nil {
			return
		}
		again, err := parse(r.format())
		if err != nil || !bytes.Equal(again.format(), r.format()) {
			t.Errorf("%v did not survive: %v", r, err)
		}
	})
}
