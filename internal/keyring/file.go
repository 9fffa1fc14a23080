package keyring

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A key file has one key a line:
//
//	ID KEY CREATED STATE
//
// that is 8 hexadecimal digits, 32 octets in base64, a date such as 2026-04-01,
// and "current" on exactly one line, "old" or nothing on the others. Lines that
// start with # are comments.
const preamble = `# Keys of Sekisho. Whoever has this file and the database has every secret in it.
# Keep a copy, but never beside a copy of the database. Change it with "sekisho keys".
`

// parse reads a key file. Its errors name the line and never quote it.
func parse(text []byte) (*Ring, error) {
	r := new(Ring)
	n := 0
	for line := range bytes.Lines(text) {
		n++
		fields := bytes.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		k, current, err := parseKey(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if r.find(k.id) != nil {
			return nil, fmt.Errorf("line %d: key %08x is in an earlier line, too", n, k.id)
		}
		if current && r.current != 0 {
			return nil, fmt.Errorf("line %d: key %08x and key %08x are both marked current; mark one", n, r.current, k.id)
		}
		if current {
			r.current = k.id
		}
		r.keys = append(r.keys, k)
	}
	switch {
	case len(r.keys) == 0:
		return nil, errors.New(`no key in it; "sekisho keys init" makes one`)
	case r.current == 0:
		return nil, errors.New(`no key is marked current; write "current" at the end of the newest key's line`)
	}
	return r, nil
}

func parseKey(fields [][]byte) (k key, current bool, err error) {
	if len(fields) < 3 || len(fields) > 4 {
		return k, false, fmt.Errorf("%d fields; a key is ID KEY CREATED and current or old", len(fields))
	}
	var id [4]byte
	if len(fields[0]) != 8 {
		return k, false, errors.New("the id is not 8 hexadecimal digits")
	}
	if _, err := hex.Decode(id[:], fields[0]); err != nil {
		return k, false, errors.New("the id is not 8 hexadecimal digits")
	}
	k.id = uint32(id[0])<<24 | uint32(id[1])<<16 | uint32(id[2])<<8 | uint32(id[3])
	if k.id == 0 {
		return k, false, errors.New("the id is zero")
	}

	secret := make([]byte, base64.StdEncoding.DecodedLen(len(fields[1])))
	defer clear(secret)
	size, err := base64.StdEncoding.Strict().Decode(secret, fields[1])
	if err != nil || size != len(k.secret) {
		return k, false, fmt.Errorf("key %08x is not %d octets in base64", k.id, len(k.secret))
	}
	copy(k.secret[:], secret)

	if k.created, err = time.Parse(time.DateOnly, string(fields[2])); err != nil {
		return k, false, fmt.Errorf("key %08x: its day is not a date such as 2026-04-01", k.id)
	}
	if len(fields) == 4 {
		switch string(fields[3]) {
		case "current":
			current = true
		case "old":
		default:
			return k, false, fmt.Errorf("key %08x: its state is neither current nor old", k.id)
		}
	}
	return k, current, nil
}

// format is the inverse of parse, with the preamble for a comment.
func (r *Ring) format() []byte {
	b := []byte(preamble)
	for _, k := range r.keys {
		state := "old"
		if k.id == r.current {
			state = "current"
		}
		b = fmt.Appendf(b, "%08x ", k.id)
		b = base64.StdEncoding.AppendEncode(b, k.secret[:])
		b = fmt.Appendf(b, " %s %s\n", k.created.Format(time.DateOnly), state)
	}
	return b
}

// Write puts the ring into a file of mode 0400, whole or not at all, and
// returns when it is on the disk. A file that is there already is replaced and
// keeps its owner, so that root can rotate the keys of a service that runs as
// somebody else; its comments are lost. Whether a ring may be replaced by one
// that lacks its keys is left to the caller.
func (r *Ring) Write(path string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write key file %s: %w", path, err)
		}
	}()
	if len(r.keys) == 0 {
		return errors.New("the ring has no keys")
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays a link
	}
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, ".sekisho-keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := keepOwner(f, path); err != nil {
		return err
	}
	if err := f.Chmod(0o400); err != nil {
		return err
	}
	text := r.format()
	defer clear(text)
	if _, err := f.Write(text); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// keepOwner gives f the owner of the file at path, if there is one.
func keepOwner(f *os.File, path string) error {
	old, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !old.Mode().IsRegular() {
		return errors.New("it is there and not a regular file")
	}
	owner, ok := old.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) == os.Geteuid() {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

// syncFolder makes a rename last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
