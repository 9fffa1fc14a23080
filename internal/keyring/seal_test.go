package keyring

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

// Made by another implementation of HKDF, AES-GCM and HMAC (pyca/cryptography),
// so that what lies in a database stays readable whatever becomes of this code.
const (
	knownSealed = "0100000002000102030405060708090a0bb2064a3420f78170d2ff66601a6ced7e9709eb8afb8a8c935084f490fab8a00aad8467d4"
	knownMAC    = "77fe110dd7d1e4e31c463a4db06c8d4f56342996516b6eb57f97f77c27743db5"
)

func TestSealAndOpen(t *testing.T) {
	r := fixed(t)
	for _, plain := range [][]byte{nil, {}, []byte("secret"), bytes.Repeat([]byte{0xff}, 10_000)} {
		row := Row{Person: 1, ID: 2, Version: 3}
		sealed := r.Seal("otp secret", row, plain)
		if len(sealed) != 33+len(plain) || sealed[0] != 1 {
			t.Errorf("%d octets for %d, version %d", len(sealed), len(plain), sealed[0])
		}
		if id, ok := KeyOf(sealed); id != 2 || !ok {
			t.Errorf("key %08x, %v", id, ok)
		}
		if len(plain) > 0 && bytes.Contains(sealed, plain) {
			t.Error("the plain text shows")
		}
		got, err := r.Open("otp secret", row, sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestSealTwiceDiffers(t *testing.T) {
	r := fixed(t)
	if bytes.Equal(r.Seal("p", Row{}, []byte("x")), r.Seal("p", Row{}, []byte("x"))) {
		t.Error("two sealed values are alike")
	}
}

func TestOpenKnownValue(t *testing.T) {
	sealed, err := hex.DecodeString(knownSealed)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := fixed(t).Open("otp secret", Row{Person: 7, ID: -1, Version: 3}, sealed)
	if err != nil || string(plain) != "twenty octet secret!" {
		t.Errorf("%q, %v", plain, err)
	}
}

// Whoever can write to the database moves a sealed secret to where it helps.
func TestMovedValueDoesNotOpen(t *testing.T) {
	r := fixed(t)
	home := Row{Person: 1, ID: 2, Version: 3}
	sealed := r.Seal("otp secret", home, []byte("secret"))
	for _, tt := range []struct {
		name, purpose string
		row           Row
	}{
		{"another person", "otp secret", Row{2, 2, 3}},
		{"another row", "otp secret", Row{1, 1, 3}},
		{"an older version", "otp secret", Row{1, 2, 2}},
		{"person and row swapped", "otp secret", Row{2, 1, 3}},
		{"row and version swapped", "otp secret", Row{1, 3, 2}},
		{"another purpose", "radius secret", home},
		{"no purpose", "", home},
		{"longer purpose", "otp secret ", home},
		{"zero row", "otp secret", Row{}},
	} {
		if plain, err := r.Open(tt.purpose, tt.row, sealed); !errors.Is(err, ErrSealed) || plain != nil {
			t.Errorf("%s: %q, %v", tt.name, plain, err)
		}
	}
}

func TestFlippedBitDoesNotOpen(t *testing.T) {
	r := fixed(t)
	sealed := r.Seal("p", Row{}, []byte("secret"))
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			_, err := r.Open("p", Row{}, bad)
			if !errors.Is(err, ErrSealed) && !errors.Is(err, ErrUnknownKey) {
				t.Errorf("octet %d, bit %d: %v", i, bit, err)
			}
		}
	}
}

func TestCutValueDoesNotOpen(t *testing.T) {
	r := fixed(t)
	sealed := r.Seal("p", Row{}, nil)
	for n := range sealed {
		if _, err := r.Open("p", Row{}, sealed[:n]); !errors.Is(err, ErrSealed) {
			t.Errorf("%d octets: %v", n, err)
		}
		if _, ok := KeyOf(sealed[:n]); ok {
			t.Errorf("%d octets have a key", n)
		}
	}
	if _, err := r.Open("p", Row{}, append(sealed, 0)); !errors.Is(err, ErrSealed) {
		t.Errorf("one octet more: %v", err)
	}
}

// The same key id with other octets, as after restoring the wrong backup.
func TestWrongRingDoesNotOpen(t *testing.T) {
	sealed := fixed(t).Seal("p", Row{}, []byte("secret"))
	other, err := parse([]byte("00000002 " + octets(7) + " 2026-04-01 current\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open("p", Row{}, sealed); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
}

func TestMAC(t *testing.T) {
	r := fixed(t)
	part := func(s string) []byte { return []byte(s) }
	mac := r.MAC("class", part("ticket"), part("vpn1"))
	if got := hex.EncodeToString(mac); got != knownMAC {
		t.Errorf("MAC %s, want %s", got, knownMAC)
	}
	rotated := r.Rotate(april)
	retired, err := rotated.Retire(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		ring    *Ring
		purpose string
		mac     []byte
		parts   [][]byte
		want    bool
	}{
		{"itself", r, "class", mac, [][]byte{part("ticket"), part("vpn1")}, true},
		{"after a rotation", rotated, "class", mac, [][]byte{part("ticket"), part("vpn1")}, true},
		{"after the key was retired", retired, "class", mac, [][]byte{part("ticket"), part("vpn1")}, false},
		{"another client", r, "class", mac, [][]byte{part("ticket"), part("vpn2")}, false},
		{"border moved", r, "class", mac, [][]byte{part("ticketv"), part("pn1")}, false},
		{"one part", r, "class", mac, [][]byte{part("ticketvpn1")}, false},
		{"an empty part more", r, "class", mac, [][]byte{part("ticket"), part("vpn1"), nil}, false},
		{"no parts", r, "class", mac, nil, false},
		{"another purpose", r, "state", mac, [][]byte{part("ticket"), part("vpn1")}, false},
		{"cut", r, "class", mac[:16], [][]byte{part("ticket"), part("vpn1")}, false},
		{"empty", r, "class", nil, [][]byte{part("ticket"), part("vpn1")}, false},
		{"longer", r, "class", append(bytes.Clone(mac), 0), [][]byte{part("ticket"), part("vpn1")}, false},
	} {
		if got := tt.ring.VerifyMAC(tt.purpose, tt.mac, tt.parts...); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	for i := range mac {
		bad := bytes.Clone(mac)
		bad[i] ^= 1
		if r.VerifyMAC("class", bad, part("ticket"), part("vpn1")) {
			t.Errorf("octet %d altered, and it verifies", i)
		}
	}
}

func TestCutMAC(t *testing.T) {
	r, part := fixed(t), []byte("ticket")
	mac := r.MAC("class", part)
	for length := range len(mac) + 1 {
		if got, want := r.VerifyCut("class", mac[:length], part), length >= 8; got != want {
			t.Errorf("%d octets: %v", length, got)
		}
	}
	if !r.Rotate(april).VerifyCut("class", mac[:8], part) {
		t.Error("an older key counts no more")
	}
	bad := bytes.Clone(mac[:8])
	bad[7] ^= 1
	if r.VerifyCut("class", bad, part) || r.VerifyCut("state", mac[:8], part) || r.VerifyCut("class", append(mac, 0), part) {
		t.Error("something else verifies")
	}
}

func FuzzOpen(f *testing.F) {
	r := fixed(f)
	known, err := hex.DecodeString(knownSealed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(known)
	f.Add(known[:header])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		plain, err := r.Open("otp secret", Row{Person: 7, ID: -1, Version: 3}, sealed)
		if err == nil && !bytes.Equal(sealed, known) {
			t.Errorf("%x opens as %q", sealed, plain)
		}
		if err != nil && plain != nil {
			t.Errorf("%x: %q beside %v", sealed, plain, err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	r := fixed(b)
	sealed := r.Seal("otp secret", Row{1, 2, 3}, make([]byte, 20))
	b.ReportAllocs()
	for b.Loop() {
		r.Open("otp secret", Row{1, 2, 3}, sealed)
	}
}

func BenchmarkMAC(b *testing.B) {
	r := fixed(b)
	part := make([]byte, 16)
	b.ReportAllocs()
	for b.Loop() {
		r.MAC("class", part, part)
	}
}
