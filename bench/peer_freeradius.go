package main

import (
	"bytes"
	_ "embed"
	"encoding/base32"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

//go:embed freeradius.conf
var freeradiusConf string

const freeradiusPeople = 10_000

// credentials are how FreeRADIUS is told of a person's password and code.
type credentials func(p person) string

func clearText(person) string { return fmt.Sprintf("Cleartext-Password := %q", password) }

func clearTextAndCode(p person) string {
	return fmt.Sprintf("Cleartext-Password := %q, TOTP-Secret := %q",
		password, base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(p.secret()))
}

func crypted(hash string) credentials {
	return func(person) string { return fmt.Sprintf("Crypt-Password := %q", hash) }
}

// freeradius starts one that knows freeradiusPeople.
func (b *Bench) freeradius(c credentials) (_ *peer, err error) {
	folder, err := os.MkdirTemp(b.folder, "freeradius-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	acct, err := freePort()
	if err != nil {
		return nil, err
	}
	var users bytes.Buffer
	for i := range freeradiusPeople {
		fmt.Fprintf(&users, "%s\t%s\n", person(i).name(), c(person(i)))
	}
	text := strings.NewReplacer("@DIR@", folder, "@PORT@", fmt.Sprint(port), "@ACCT@", fmt.Sprint(acct)).Replace(freeradiusConf)
	for _, step := range []func() error{
		func() error { return os.Mkdir(filepath.Join(folder, "run"), 0o700) },
		func() error {
			return os.Symlink("/usr/share/freeradius/dictionary", filepath.Join(folder, "dictionary"))
		},
		func() error { return os.WriteFile(filepath.Join(folder, "users"), users.Bytes(), 0o600) },
		func() error { return os.WriteFile(filepath.Join(folder, "radiusd.conf"), []byte(text), 0o600) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	p, err := b.launch(folder, "freeradius", "-f", "-d", folder, "-n", "radiusd")
	if err != nil {
		return nil, err
	}
	x := &peer{process: p, name: "freeradius", to: netip.AddrPortFrom(outside, port), acct: netip.AddrPortFrom(outside, acct)}
	if x.first, err = p.awaken(x.to); err != nil {
		return nil, err
	}
	return x, nil
}
