package account

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/store"
)

func TestEnrol(t *testing.T) {
	r := withAlice(t)
	token := enrol(t, r, Enrolment{})
	a := alice(t, r)
	if len(a.Tokens) != 1 || a.Generation != 2 {
		t.Fatalf("%+v", a)
	}
	row := a.Tokens[0]
	if row.Label != DefaultLabel || row.Kind != "totp" || row.Digits != 6 || row.Period != 30 || row.Algorithm != "SHA1" || row.Step != -1 {
		t.Errorf("%+v", row)
	}
	opened, err := r.open(row)
	must(t, err)
	if !bytes.Equal(opened.Secret, token.Secret) || len(token.Secret) != 20 {
		t.Error("what opens is not what was handed out")
	}
	if m := opened.Match([]byte(token.Code(noon)), noon); m.Found != otp.Fresh {
		t.Errorf("its first code is %v", m.Found)
	}
	booked(t, r, "otp_enrolled", "alice", "device authenticator")
}

func TestEnrolBesideAndInstead(t *testing.T) {
	r := withAlice(t)
	enrol(t, r, Enrolment{Label: "phone"})
	_, err := r.Enrol(ctx, alice(t, r), Enrolment{Label: "other"}, by("otp_enrolled"))
	wants(t, err, ErrHasDevice)
	enrol(t, r, Enrolment{Label: "button", Add: true, Token: otp.Token{Kind: otp.HOTP, Digits: 8, Algorithm: otp.SHA256}})
	a := alice(t, r)
	if len(a.Tokens) != 2 || a.Tokens[1].Kind != "hotp" || a.Tokens[1].Digits != 8 || a.Tokens[1].Algorithm != "SHA256" {
		t.Errorf("%+v", a.Tokens)
	}
	if opened, err := r.open(a.Tokens[1]); err != nil || opened.Kind != otp.HOTP || opened.Algorithm != otp.SHA256 {
		t.Errorf("%v, %v", opened, err)
	}
	secret := bytes.Repeat([]byte{7}, 20)
	enrol(t, r, Enrolment{Label: "new", Replace: true, Token: otp.Token{Secret: secret}})
	a = alice(t, r)
	if len(a.Tokens) != 1 || a.Tokens[0].Label != "new" {
		t.Errorf("%+v", a.Tokens)
	}
	if opened, err := r.open(a.Tokens[0]); err != nil || !bytes.Equal(opened.Secret, secret) {
		t.Errorf("a secret that was given is not kept: %v", err)
	}
}

func TestEnrolRefuses(t *testing.T) {
	r := withAlice(t)
	_, err := r.Enrol(ctx, &store.Account{}, Enrolment{}, by("otp_enrolled"))
	wants(t, err, store.ErrUnknown)
	for _, token := range []otp.Token{{Digits: 7}, {Period: -1}, {Kind: 9}, {Algorithm: 9}} {
		_, err = r.Enrol(ctx, alice(t, r), Enrolment{Token: token}, by("otp_enrolled"))
		wants(t, err, ErrDevice)
	}
	if _, err = r.Enrol(ctx, alice(t, r), Enrolment{Label: "a\nb"}, by("otp_enrolled")); err == nil {
		t.Error("a label of two lines")
	}
	booked(t, r, "account_added", "alice", "")
}

func TestReset(t *testing.T) {
	r := withAlice(t)
	_, err := r.Reset(ctx, "alice", by("otp_reset"))
	wants(t, err, ErrNoDevice)
	enrol(t, r, Enrolment{})
	enrol(t, r, Enrolment{Add: true})
	before := alice(t, r).Generation
	n, err := r.Reset(ctx, "alice", by("otp_reset"))
	must(t, err)
	if a := alice(t, r); n != 2 || len(a.Tokens) != 0 || a.Generation != before+1 {
		t.Errorf("%d removed, left %+v", n, a)
	}
	booked(t, r, "otp_reset", "alice", "devices 2")
	_, err = r.Reset(ctx, "nobody", by("otp_reset"))
	wants(t, err, store.ErrUnknown)
}

func TestResync(t *testing.T) {
	r := withAlice(t)
	_, _, err := r.Resync(ctx, "alice", []byte("123456"), []byte("123456"), by("otp_resynced"))
	wants(t, err, ErrNoDevice)
	_, _, err = r.Resync(ctx, "nobody", nil, nil, by("otp_resynced"))
	wants(t, err, store.ErrUnknown)

	enrol(t, r, Enrolment{Label: "first"})
	token := enrol(t, r, Enrolment{Label: "phone", Add: true})
	slow := noon.Add(-10 * time.Minute) // what the telephone takes for now
	code1, code2 := []byte(token.Code(slow.Add(-30*time.Second))), []byte(token.Code(slow))
	_, _, err = r.Resync(ctx, "alice", code2, code1, by("otp_resynced"))
	wants(t, err, ErrNoPair)
	_, _, err = r.Resync(ctx, "alice", code1, []byte("x"), by("otp_resynced"))
	wants(t, err, ErrNoPair)

	label, drift, err := r.Resync(ctx, "alice", code1, code2, by("otp_resynced"))
	must(t, err)
	if label != "phone" || drift != -20 {
		t.Errorf("%q is %d steps ahead, want phone, -20", label, drift)
	}
	booked(t, r, "otp_resynced", "alice", "device phone")
	_, _, err = r.Resync(ctx, "alice", code1, code2, by("otp_resynced"))
	wants(t, err, ErrNoPair) // what is burnt is not found again
}

func TestResyncTakesFullWidthDigits(t *testing.T) {
	r := withAlice(t)
	token := enrol(t, r, Enrolment{})
	wide := func(code string) []byte {
		return []byte(strings.Map(func(c rune) rune { return c - '0' + '０' }, code))
	}
	_, drift, err := r.Resync(ctx, "alice", wide(token.Code(noon)), wide(token.Code(noon.Add(30*time.Second))), by("otp_resynced"))
	if err != nil || drift != 1 {
		t.Errorf("%d, %v", drift, err)
	}
}

// A device's row copied over another person's opens nowhere.
func TestADeviceOfSomebodyElseDoesNotOpen(t *testing.T) {
	r := withAlice(t)
	enrol(t, r, Enrolment{})
	row := alice(t, r).Tokens[0]
	row.Person++
	_, err := r.open(row)
	wants(t, err, keyring.ErrSealed)
	r.Ring = keyring.New(noon)
	_, _, err = r.Resync(ctx, "alice", []byte("123456"), []byte("123456"), by("otp_resynced"))
	wants(t, err, keyring.ErrUnknownKey)
}

func TestResealAndSealedBy(t *testing.T) {
	r := withAlice(t)
	token := enrol(t, r, Enrolment{})
	enrol(t, r, Enrolment{Add: true})
	old := r.Ring.Current()
	r.Ring = r.Ring.Rotate(noon)
	counts, err := r.SealedBy(ctx)
	must(t, err)
	if counts[old] != 2 || len(counts) != 1 {
		t.Errorf("before: %v", counts)
	}
	n, err := r.Reseal(ctx)
	must(t, err)
	if n != 2 {
		t.Errorf("%d sealed again, want 2", n)
	}
	if n, err = r.Reseal(ctx); n != 0 || err != nil {
		t.Errorf("once more: %d, %v", n, err)
	}
	counts, err = r.SealedBy(ctx)
	must(t, err)
	if counts[r.Ring.Current()] != 2 || counts[old] != 0 {
		t.Errorf("after: %v", counts)
	}
	ring, err := r.Ring.Retire(old)
	must(t, err)
	r.Ring = ring
	opened, err := r.open(alice(t, r).Tokens[0])
	if err != nil || !bytes.Equal(opened.Secret, token.Secret) {
		t.Errorf("without the old key: %v", err)
	}
}

func TestResealWithoutTheOldKey(t *testing.T) {
	r := withAlice(t)
	enrol(t, r, Enrolment{})
	r.Ring = keyring.New(noon)
	_, err := r.Reseal(ctx)
	wants(t, err, keyring.ErrUnknownKey)
}

func TestProfile(t *testing.T) {
	r := withAlice(t)
	enrol(t, r, Enrolment{Label: "phone"})
	enrol(t, r, Enrolment{Label: "button", Add: true, Token: otp.Token{Kind: otp.HOTP}})
	rows := alice(t, r).Tokens
	step := noon.Unix() / 30
	must(t, r.Store.Resync(ctx, rows[0].ID, step, -1, by("otp_resynced")))
	must(t, r.Store.Resync(ctx, rows[1].ID, 4, 0, by("otp_resynced")))
	p, err := r.Profile(ctx, "alice")
	must(t, err)
	if p.State != Active || p.Password != "argon2id" || p.Renew || p.Tickets != 0 || p.Generation != 3 || len(p.Devices) != 2 {
		t.Fatalf("%+v", p)
	}
	if d := p.Devices[0]; d.Label != "phone" || !d.Last.Equal(noon) || d.Drift != -1 || d.Period != 30 || d.Counter != 0 {
		t.Errorf("%+v", d)
	}
	if d := p.Devices[1]; d.Kind != "hotp" || d.Counter != 5 || d.Period != 0 || !d.Last.IsZero() {
		t.Errorf("%+v", d)
	}
	_, err = r.Profile(ctx, "nobody")
	wants(t, err, store.ErrUnknown)
}

func TestProfileOfAHash(t *testing.T) {
	r := registry(t)
	for hash, want := range map[string]string{"": "none", "junk": "unreadable", "{SSHA}9F1mmhVSUjKsWjvEzGWLFPpWFHJzYWx0": "ssha"} {
		name := "p" + want
		_, err := r.Store.AddPeople(ctx, []store.Person{{Name: name, Hash: hash, Created: noon}})
		must(t, err)
		p, err := r.Profile(ctx, name)
		if err != nil || p.Password != want || p.Renew != (want == "ssha") {
			t.Errorf("%q: %+v, %v", hash, p, err)
		}
	}
}

func TestState(t *testing.T) {
	for _, c := range []struct {
		p    store.Person
		want string
	}{
		{store.Person{}, Active},
		{store.Person{MustChange: true}, Initial},
		{store.Person{MustChange: true, Expires: noon.Add(1)}, Initial},
		{store.Person{MustChange: true, Expires: noon}, Expired},
		{store.Person{Disabled: true, MustChange: true, Expires: noon}, Disabled},
	} {
		if got := State(c.p, noon); got != c.want {
			t.Errorf("%+v: %s, want %s", c.p, got, c.want)
		}
	}
}

// Whoever has the database alone has neither passwords nor code secrets.
func TestNoSecretLiesInTheDatabase(t *testing.T) {
	folder := t.TempDir()
	s, err := store.Open(filepath.Join(folder, "test.db"), store.Options{})
	must(t, err)
	r := registry(t)
	r.Store = s
	initial, err := r.Add(ctx, store.Person{Name: "alice"}, Password{Initial: true}, by("account_added"))
	must(t, err)
	token := enrol(t, r, Enrolment{})
	_, err = r.SetPassword(ctx, "alice", Password{Typed: []byte(good)}, by("password_set"))
	must(t, err)
	url := token.URL("", "alice")
	_, rest, _ := strings.Cut(url, "secret=")
	base32, _, _ := strings.Cut(rest, "&")
	must(t, s.Close())
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	must(t, err)
	for _, file := range files {
		octets, err := os.ReadFile(file)
		must(t, err)
		for what, secret := range map[string][]byte{
			"initial password": []byte(initial), "password": []byte(good), "secret": token.Secret, "secret in base32": []byte(base32),
		} {
			if bytes.Contains(octets, secret) {
				t.Errorf("%s holds the %s", filepath.Base(file), what)
			}
		}
	}
}
