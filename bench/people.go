package main

import (
	"context"
	"crypto/sha1"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/store"
)

// password is everybody's. It ends in no digit, so nothing of it is taken for
// a code.
const password = "plum-blossom"

// ssha is the password in RFC 2307's {SSHA}: a hash that takes no time, so
// that it is not what is measured.
var ssha = func() string {
	salt := []byte("barrier.")
	sum := sha1.Sum(append([]byte(password), salt...))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}()

// person is the number of one of the people; the rest follows from it.
type person uint32

func (p person) name() string { return fmt.Sprintf("u%d", p) }

// secret is of the code device.
func (p person) secret() []byte {
	sum := sha1.Sum([]byte("device of " + p.name()))
	return sum[:]
}

func (p person) code(at time.Time) string { return otp.Token{Secret: p.secret()}.Code(at) }

// station is the address the person comes from (RFC 2544 has set these aside).
func (p person) station() string {
	b := binary.BigEndian.AppendUint32(nil, uint32(p))
	return fmt.Sprintf("198.%d.%d.%d", 18+b[1]&1, b[2], b[3])
}

// house is a folder with all that serve needs, never used itself: each
// contestant gets a copy.
type house struct {
	folder string
	people int
}

const configText = `
[store]
url  = "sqlite:state/sekisho.db"
keys = "keys"

[zone.campus]
prefixes = ["127.0.0.2/32"]

[[rule]]
name   = "inside"
zone   = ["campus"]
need   = ["password"]
ticket = "12h"
repeat = "off"

[[rule]]
name   = "outside"
need   = ["password+otp"]
ticket = "10h"
repeat = "off"

[radius]
auth         = ["127.0.0.1:0"]
reject_delay = "0s"

[[radius.client]]
name    = "outside"
address = "127.0.0.1"
secret  = "testing123"
service = "vpn"
source  = "off-campus"

[[radius.client]]
name    = "inside"
address = "127.0.0.2"
secret  = "testing123"
service = "lan"
source  = "campus"

[throttle]
enabled = %v

[log]
level = "warn"

[metrics]
listen = ""
`

// build makes a house of n people who all have this password hash and, with
// devices, a code device each.
func build(folder string, n int, hash string, devices bool) (*house, error) {
	h := &house{folder, n}
	if err := os.MkdirAll(filepath.Dir(h.store()), 0o700); err != nil {
		return nil, err
	}
	if err := h.configure(true); err != nil {
		return nil, err
	}
	now := time.Now()
	ring := keyring.New(now)
	if err := ring.Write(filepath.Join(folder, "keys")); err != nil {
		return nil, err
	}
	if err := h.settlePeople(hash, now); err != nil {
		return nil, err
	}
	if devices {
		return h, h.handOutDevices(ring, now)
	}
	return h, nil
}

func (h *house) store() string { return filepath.Join(h.folder, "state", "sekisho.db") }

func (h *house) configure(throttle bool) error {
	return os.WriteFile(filepath.Join(h.folder, "config.toml"), fmt.Appendf(nil, configText, throttle), 0o600)
}

// copy is a house with the same people in another folder.
func (h *house) copy(folder string) (*house, error) {
	if err := os.CopyFS(folder, os.DirFS(h.folder)); err != nil {
		return nil, err
	}
	c := &house{folder, h.people}
	for _, private := range []string{"keys", "config.toml", "state/sekisho.db"} { // others may not read them
		if err := os.Chmod(filepath.Join(folder, private), 0o600); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (h *house) settlePeople(hash string, now time.Time) error {
	const batch = 5_000
	s, err := store.Open(h.store(), store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	for from := 0; from < h.people; from += batch {
		list := make([]store.Person, min(batch, h.people-from))
		for i := range list {
			list[i] = store.Person{Name: person(from + i).name(), Hash: hash, Created: now}
		}
		if _, err := s.AddPeople(context.Background(), list); err != nil {
			return err
		}
	}
	return s.Close()
}

// handOutDevices writes the rows that enrolment would, a transaction each, in
// one: a million of them would take half an hour otherwise.
func (h *house) handOutDevices(ring *keyring.Ring, now time.Time) error {
	db, err := sql.Open("sqlite", h.store())
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	rows, err := tx.Query("SELECT id, CAST(substr(name, 2) AS INTEGER) FROM person")
	if err != nil {
		return err
	}
	ids := make([]int64, h.people)
	for rows.Next() {
		var id, i int64
		if err := rows.Scan(&id, &i); err != nil {
			return err
		}
		ids[i] = id
	}
	if err := rows.Err(); err != nil {
		return err
	}
	token, err := tx.Prepare("INSERT INTO token VALUES (?1, ?1, 'totp', 'phone', 6, 30, 'SHA1', ?2, 1, ?3)")
	if err != nil {
		return err
	}
	burnt, err := tx.Prepare("INSERT INTO burnt VALUES (?1, -1, 0, 0)")
	if err != nil {
		return err
	}
	for i, id := range ids {
		sealed := ring.Seal("otp", keyring.Row{Person: id, ID: id, Version: 1}, person(i).secret())
		if _, err := token.Exec(id, sealed, now.UnixMicro()); err != nil {
			return err
		}
		if _, err := burnt.Exec(id); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (p person) display() string { return "Hanako " + p.name() }
func (p person) mail() string    { return p.name() + "@example.ac.jp" }

// introduceThemselves gives everybody a display name and a mail address, as
// display and mail say, for a directory to show.
func (h *house) introduceThemselves() error {
	db, err := sql.Open("sqlite", h.store())
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec("UPDATE person SET display = 'Hanako ' || name, mail = name || '@example.ac.jp'")
	return err
}

// add adds to the configuration.
func (h *house) add(text string) error {
	f, err := os.OpenFile(filepath.Join(h.folder, "config.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// rows is how many the book has.
func (h *house) rows() (n int, err error) {
	db, err := sql.Open("sqlite", h.store())
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRow("SELECT count(*) FROM event").Scan(&n)
	return n, err
}

// decisions are what the book has of sign-ins.
type decisions struct {
	admitted int
	people   int // that were admitted
	refused  int
}

// booked adds the decisions that the book has after a row.
func (h *house) booked(after int, d *decisions) error {
	db, err := sql.Open("sqlite", h.store())
	if err != nil {
		return err
	}
	defer db.Close()
	var more decisions
	err = db.QueryRow(`SELECT count(*) FILTER (WHERE outcome = 'admitted'), count(DISTINCT person) FILTER (WHERE outcome = 'admitted'),
		coalesce(sum(count) FILTER (WHERE outcome = 'refused'), 0) FROM booked WHERE id > ?`, after).Scan(&more.admitted, &more.people, &more.refused)
	if err != nil {
		return fmt.Errorf("count what was booked: %w", err)
	}
	d.admitted, d.people, d.refused = d.admitted+more.admitted, d.people+more.people, d.refused+more.refused
	return nil
}

// lastRow is the number of the book's last row; 0: it is empty.
func (h *house) lastRow() (id int, err error) {
	db, err := sql.Open("sqlite", h.store())
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRow("SELECT coalesce(max(id), 0) FROM event").Scan(&id)
	return id, err
}
