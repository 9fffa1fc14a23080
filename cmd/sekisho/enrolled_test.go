package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"sekisho/gate"
	"sekisho/internal/account"
	"sekisho/internal/config"
	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

// What one package seals, the other opens.
func TestTheGateOpensWhatWasEnrolled(t *testing.T) {
	ctx, now := context.Background(), time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	st, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	r := &account.Registry{Store: st, Ring: keyring.New(now), Pool: &passwd.Pool{}, Now: func() time.Time { return now }}
	defer r.Pool.Close()
	if _, err := r.Add(ctx, store.Person{Name: "alice"}, account.Password{Initial: true}, store.Event{At: now}); err != nil {
		t.Fatal(err)
	}
	made := make(map[int64]otp.Token)
	for _, token := range []otp.Token{{}, {Kind: otp.HOTP, Digits: 8}, {Algorithm: otp.SHA512, Period: 60}} {
		a, err := st.Account(ctx, "alice")
		if err != nil {
			t.Fatal(err)
		}
		token, err := r.Enrol(ctx, a, account.Enrolment{Token: token, Add: true}, store.Event{At: now})
		if err != nil {
			t.Fatal(err)
		}
		a, err = st.Account(ctx, "alice")
		if err != nil {
			t.Fatal(err)
		}
		made[a.Tokens[len(a.Tokens)-1].ID] = token
	}
	opens := func() {
		t.Helper()
		a, err := st.Account(ctx, "alice")
		if err != nil || len(a.Tokens) != 3 {
			t.Fatalf("%+v, %v", a, err)
		}
		for _, row := range a.Tokens {
			token, err := gate.OpenToken(r.Ring, row)
			if err != nil {
				t.Fatal(err)
			}
			want := made[row.ID]
			if token.Kind != want.Kind || token.Algorithm != want.Algorithm || !bytes.Equal(token.Secret, want.Secret) ||
				token.Code(now) != want.Code(now) {
				t.Errorf("%+v is opened as another device", row)
			}
		}
	}
	opens()
	r.Ring = r.Ring.Rotate(now)
	if n, err := r.Reseal(ctx); n != 3 || err != nil {
		t.Fatalf("%d sealed again, %v", n, err)
	}
	opens()
}

func TestDrawQR(t *testing.T) {
	code, err := qr.Encode("otpauth://totp/alice?secret=ABCD", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	drawQR(&out, code, false)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if want := (code.Size + 2*quiet + 1) / 2; len(lines) != want {
		t.Fatalf("%d lines, want %d", len(lines), want)
	}
	// Read back what was drawn.
	for i, line := range lines {
		modules := []rune(line)
		if len(modules) != code.Size+2*quiet {
			t.Fatalf("line %d has %d modules", i, len(modules))
		}
		for j, c := range modules {
			x, y := j-quiet, 2*i-quiet
			if upper := c == ' ' || c == '▄'; upper != code.Black(x, y) {
				t.Fatalf("module %d, %d is drawn wrong", x, y)
			}
			if lower := c == ' ' || c == '▀'; y+1 < code.Size+quiet && lower != code.Black(x, y+1) {
				t.Fatalf("module %d, %d is drawn wrong", x, y+1)
			}
		}
	}
	out.Reset()
	drawQR(&out, code, true)
	if !strings.HasPrefix(out.String(), "\x1b[97;40m") || strings.Count(out.String(), "\x1b[0m\n") != len(lines) {
		t.Error("the colours of a terminal are not put back on each line")
	}
}

func TestKeyFile(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	for keys, fault := range map[string]string{
		"/etc/sekisho/keys": "", "exec:vault read keys": "can't be written", "": "names no key file",
	} {
		path, err := keyFile(&config.Config{Store: config.Store{Keys: keys}})
		switch {
		case fault == "" && (err != nil || path != keys):
			t.Errorf("%q: %q, %v", keys, path, err)
		case fault != "" && (err == nil || !strings.Contains(err.Error(), fault)):
			t.Errorf("%q: error %v, want %q", keys, err, fault)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir()) // holds no keys of ours
	if path, err := keyFile(&config.Config{Store: config.Store{Keys: "/etc/sekisho/keys"}}); err != nil || path == "" {
		t.Errorf("%q, %v", path, err)
	}
}
