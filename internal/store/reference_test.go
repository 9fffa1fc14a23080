package store

import (
	"errors"
	"testing"
)

func shuffled(t testing.TB, key ...byte) shuffle {
	t.Helper()
	k, err := newShuffle(append(key, make([]byte, shuffleKey-len(key))...))
	must(t, err)
	return k
}

func TestDamagedShuffleKey(t *testing.T) {
	for _, size := range []int{0, 15, 24} {
		if _, err := newShuffle(make([]byte, size)); err == nil {
			t.Errorf("a key of %d octets is taken", size)
		}
	}
}

// The texts are printed, mailed and read aloud: a later program must find the
// same event by them.
func TestShuffleStaysAsItIs(t *testing.T) {
	key := shuffled(t, 1, 255)
	for id, want := range map[int64]string{0: "KKCH-5VFX", 1: "RDNY-H23D", 2: "391M-F1FX", 1<<40 - 1: "S6KR-CFKZ"} {
		equal(t, "text", key.text(id), want)
	}
}

func TestShuffleIsAPermutation(t *testing.T) {
	key := shuffled(t, 7)
	seen := make(map[uint64]bool)
	for n := range uint64(10_000) {
		for _, id := range []uint64{n, 1<<referenceBits - 1 - n} {
			out := key.forward(id)
			if out >= 1<<referenceBits || seen[out] || key.back(out) != id {
				t.Fatalf("%d becomes %d and %d again", id, out, key.back(out))
			}
			seen[out] = true
		}
	}
	if key.forward(1) == shuffled(t, 8).forward(1) {
		t.Error("two keys shuffle alike")
	}
}

func FuzzReference(f *testing.F) {
	for _, text := range []string{"7F3K-92QD", "7f3k92qd", "ooooiiil", "", "-", "7F3K-92QDX", "ＡＢＣＤ-1234", "\xff7F3K92Q", "ıſ3K-92QD"} {
		f.Add(text)
	}
	key := shuffled(f, 1, 2, 3)
	f.Fuzz(func(t *testing.T, text string) {
		id, err := key.parse(text)
		if err != nil {
			if id != 0 || !errors.Is(err, ErrReference) {
				t.Fatalf("%q: %d, %v", text, id, err)
			}
			return
		}
		if id < 0 || id >= 1<<referenceBits {
			t.Fatalf("%q is event %d", text, id)
		}
		if again, err := key.parse(key.text(id)); err != nil || again != id {
			t.Fatalf("%q is event %d, but %s is %d, %v", text, id, key.text(id), again, err)
		}
	})
}

func FuzzShown(f *testing.F) {
	f.Add("password=1775044800000000 otp=1775044800000001")
	f.Add("=1 otp= x otp=x otp=99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range parseShown(text) {
			if again := parseShown(shownText([]Shown{s})); len(again) != 1 || again[0] != s {
				t.Fatalf("%q holds %v, which reads back as %v", text, s, again)
			}
		}
	})
}
