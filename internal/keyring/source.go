package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Source says where the keys are. The first place that has them counts.
type Source struct {
	// Credentials is the folder systemd hands to a service, the value of
	// $CREDENTIALS_DIRECTORY: its file sekisho-keys goes first. "": none.
	Credentials string

	// Path is a key file, or "exec:" and a command whose standard output is
	// one. The command is run without a shell; its words are split at blanks.
	Path string

	// Patience is how long the command may take; 0: 30 s.
	Patience time.Duration
}

const (
	credential = "sekisho-keys"
	largest    = 1 << 20 // octets of a key file
)

// Open reads the keys. The error wraps [fs.ErrNotExist] where Path names a file
// that is not there, and says what to do about a file others can read.
func Open(s Source) (*Ring, error) {
	if s.Credentials != "" {
		path := filepath.Join(s.Credentials, credential)
		// systemd guards that folder itself, and where it does so by an ACL the
		// group's bits show the ACL's mask: the mode means nothing there.
		r, err := openFile(path, false)
		if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	if command, ok := strings.CutPrefix(s.Path, "exec:"); ok {
		return openCommand(command, s.Patience)
	}
	if s.Path == "" {
		return nil, errors.New("no key file is named and no systemd credential " + credential + " is there")
	}
	return openFile(s.Path, true)
}

func openFile(path string, private bool) (*Ring, error) {
	// O_NONBLOCK: a pipe with nobody at its other end must not hold up the start.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); private && mode&^0o600 != 0 {
		return nil, fmt.Errorf("key file %s has mode %04o, so others may use it: chmod 0400 %s", path, mode, path)
	}
	r, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return r, nil
}

// openCommand asks a program, such as the client of a vault.
func openCommand(command string, patience time.Duration) (*Ring, error) {
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil, errors.New("key command: exec: names no program")
	}
	if patience == 0 {
		patience = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.WaitDelay = time.Second // for a child of it that keeps the pipe open
	out := &limited{max: largest + 1}
	said := &limited{max: 1024}
	cmd.Stdout, cmd.Stderr = out, said
	err := cmd.Run()
	defer func() { clear(out.text) }()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("key command %s gave no answer within %v", words[0], patience)
	}
	if err != nil {
		// Only what it wrote to standard error: standard output is keys.
		return nil, fmt.Errorf("key command %s: %w: %s", words[0], err, bytes.TrimSpace(said.text))
	}
	r, err := read(bytes.NewReader(out.text))
	if err != nil {
		return nil, fmt.Errorf("key command %s: %w", words[0], err)
	}
	return r, nil
}

func read(from io.Reader) (*Ring, error) {
	text, err := io.ReadAll(io.LimitReader(from, largest+1))
	defer clear(text)
	if err != nil {
		return nil, err
	}
	if len(text) > largest {
		return nil, errors.New("it is longer than 1 MiB, so it is no key file")
	}
	return parse(text)
}

// limited keeps the first max octets that are written to it.
type limited struct {
	text []byte
	max  int
}

func (l *limited) Write(p []byte) (int, error) {
	l.text = append(l.text, p[:min(len(p), l.max-len(l.text))]...)
	return len(p), nil
}
