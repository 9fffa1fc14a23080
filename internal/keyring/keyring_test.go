package keyring

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var april = time.Date(2026, 4, 1, 23, 30, 0, 0, time.FixedZone("JST", 9*3600))

// fixed is a ring whose keys a test knows: octets 0, 1, 2 … and 100, 101 ….
func fixed(t testing.TB) *Ring {
	t.Helper()
	r, err := parse([]byte("00000001 " + octets(0) + " 2026-01-01 old\n00000002 " + octets(100) + " 2026-04-01 current\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func octets(first byte) string {
	b := make([]byte, 32)
	for i := range b {
		b[i] = first + byte(i)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func TestNewRing(t *testing.T) {
	r := New(april)
	keys := r.Keys()
	if len(keys) != 1 || !keys[0].Current || keys[0].ID == 0 || keys[0].ID != r.Current() {
		t.Errorf("%+v", keys)
	}
	if got := keys[0].Created.Format(time.RFC3339); got != "2026-04-01T00:00:00Z" {
		t.Errorf("created %s", got)
	}
	if other := New(april); other.keys[0].secret == r.keys[0].secret || other.Current() == r.Current() {
		t.Error("two new rings share a key")
	}
}

func TestRotateAndRetire(t *testing.T) {
	first := New(april)
	before := first.Seal("p", Row{}, []byte("x"))

	second := first.Rotate(april)
	if second.Current() == first.Current() || len(second.Keys()) != 2 || len(first.Keys()) != 1 {
		t.Fatalf("%v became %v", first, second)
	}
	if plain, err := second.Open("p", Row{}, before); err != nil || string(plain) != "x" {
		t.Errorf("old value after the rotation: %q, %v", plain, err)
	}
	after := second.Seal("p", Row{}, []byte("x"))
	if id, _ := KeyOf(after); id != second.Current() {
		t.Errorf("sealed with %08x", id)
	}
	if _, err := first.Open("p", Row{}, after); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("new value under the old ring: %v", err)
	}

	if _, err := second.Retire(second.Current()); err == nil || !strings.Contains(err.Error(), "rotate before") {
		t.Errorf("retire the current key: %v", err)
	}
	if _, err := second.Retire(^second.Current()); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("retire a key that isn't there: %v", err)
	}
	third, err := second.Retire(first.Current())
	if err != nil || len(third.Keys()) != 1 || len(second.Keys()) != 2 {
		t.Fatalf("%v, %v", third, err)
	}
	if _, err := third.Open("p", Row{}, before); !errors.Is(err, ErrUnknownKey) || !strings.Contains(err.Error(), fmt.Sprintf("%08x", first.Current())) {
		t.Errorf("value of the retired key: %v", err)
	}
}

// Several nodes: the key is everywhere before anybody seals with it.
func TestAddThenUse(t *testing.T) {
	first := New(april)
	added, id := first.Add(april)
	if added.Current() != first.Current() {
		t.Error("an added key seals at once")
	}
	used, err := added.Use(id)
	if err != nil || used.Current() != id {
		t.Fatalf("%v, %v", used, err)
	}
	if _, err := added.Open("p", Row{}, used.Seal("p", Row{}, nil)); err != nil {
		t.Errorf("a node that has only added the key: %v", err)
	}
	if _, err := added.Use(^id); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("use a key that isn't there: %v", err)
	}
}

func TestZeroRing(t *testing.T) {
	r := new(Ring)
	sealed := New(april).Seal("p", Row{}, nil)
	if _, err := r.Open("p", Row{}, sealed); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("open: %v", err)
	}
	if r.VerifyMAC("p", nil) || r.VerifyMAC("p", make([]byte, 32)) {
		t.Error("a ring without keys verifies")
	}
	if r.Current() != 0 || len(r.Keys()) != 0 || len(r.CheckValues()) != 0 {
		t.Errorf("%v", r)
	}
	for name, act := range map[string]func(){
		"seal": func() { r.Seal("p", Row{}, nil) },
		"mac":  func() { r.MAC("p") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s under no key", name)
				}
			}()
			act()
		}()
	}
}

func TestRingHidesItsKeys(t *testing.T) {
	r := fixed(t)
	secrets := []string{octets(0), octets(100), hex.EncodeToString(r.keys[0].secret[:]), "0 1 2 3", "0x0, 0x1", "100 101"}
	for _, shown := range []any{r, r.keys[0], &r.keys[0], r.keys, r.Keys(), errors.New(fmt.Sprint(r))} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			s := fmt.Sprintf(verb, shown)
			if slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(s, secret) }) {
				t.Errorf("%s of %T: %s", verb, shown, s)
			}
		}
	}
	if got := r.String(); got != "[key ring: 2 keys, current 00000002]" {
		t.Error(got)
	}
}

func TestVerifyStore(t *testing.T) {
	r := fixed(t)
	values := r.CheckValues()
	if len(values) != 2 || len(values[1]) != 16 || string(values[1]) == string(values[2]) {
		t.Fatalf("%x", values)
	}
	wrong := map[uint32][]byte{1: values[1], 2: values[1]}
	for _, tt := range []struct {
		name   string
		stored map[uint32][]byte
		is     []error
		text   []string
	}{
		{"new store", nil, nil, nil},
		{"the same keys", values, nil, nil},
		{"a key the store does not know", map[uint32][]byte{1: values[1]}, nil, nil},
		{"wrong key", wrong, []error{ErrWrongKey}, []string{"key 00000002", "restore the key file"}},
		{"cut value", map[uint32][]byte{1: values[1][:8]}, []error{ErrWrongKey}, []string{"key 00000001"}},
		{"no value", map[uint32][]byte{1: nil}, []error{ErrWrongKey}, []string{"key 00000001"}},
		{"key lost", map[uint32][]byte{0xabcdef01: values[1]}, []error{ErrUnknownKey}, []string{"key abcdef01", "put its line back"}},
		{"both at once", map[uint32][]byte{2: values[1], 3: values[1]},
			[]error{ErrWrongKey, ErrUnknownKey}, []string{"key 00000002", "key 00000003"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := r.Verify(tt.stored)
			if (err == nil) != (tt.is == nil) {
				t.Fatal(err)
			}
			for _, want := range tt.is {
				if !errors.Is(err, want) {
					t.Errorf("%v is not %v", err, want)
				}
			}
			for _, want := range tt.text {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	r := fixed(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 100 {
				purpose := fmt.Sprint("p", i%5)
				if _, err := r.Open(purpose, Row{ID: 1}, r.Seal(purpose, Row{ID: 1}, []byte("x"))); err != nil {
					t.Error(err)
				}
				if !r.VerifyMAC(purpose, r.MAC(purpose, []byte("x")), []byte("x")) {
					t.Error("MAC does not verify")
				}
				_ = r.Rotate(april)
			}
		})
	}
	all.Wait()
}
