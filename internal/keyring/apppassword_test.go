package keyring

import (
	"bytes"
	"strings"
	"testing"
)

func TestNewAppPassword(t *testing.T) {
	drawn := make(map[string]bool)
	letters := make(map[byte]int)
	for range 10000 {
		text := NewAppPassword()
		if len(text) != 28 || !bytes.HasPrefix(text, []byte("app-")) {
			t.Fatalf("%q", text)
		}
		if same, ok := AppPassword(text); !ok || !bytes.Equal(same, text) {
			t.Fatalf("%q is not taken for one", text)
		}
		if drawn[string(text)] {
			t.Fatalf("%q twice", text)
		}
		drawn[string(text)] = true
		for _, c := range text[4:] {
			letters[c]++
		}
	}
	for _, c := range []byte(appPasswordLetters) { // 12,000 each; 256 is no multiple of 20, which must not show
		if n := letters[c]; n < 11400 || n > 12600 { // 5.6 standard deviations
			t.Errorf("%c came %d times", c, n)
		}
	}
	if n := letters['w'] + letters['x'] + letters['y'] + letters['z']; n < 46500 { // 48,000; 45,000 if it did
		t.Errorf("the last four letters came %d times", n)
	}
}

func TestShapeOfAnAppPassword(t *testing.T) {
	own := "app-" + strings.Repeat("bcdfgh", 4)
	for typed, want := range map[string]bool{
		own:                           true,
		strings.ToUpper(own):          true,
		"App-" + own[4:]:              true,
		own + "b":                     false,
		own[:27]:                      false,
		own + "\n":                    false,
		own[:27] + "a":                false, // a vowel
		own[:27] + "5":                false,
		own[:27] + "\x00":             false,
		"vpn-" + own[4:]:              false,
		"app_" + own[4:]:              false,
		own[:25] + "K":                false, // the Kelvin sign, which is a k in lower case
		own[:27] + "\xff":             false,
		own[:25] + "ｂ":                false, // full width
		"":                            false,
		"app-":                        false,
		strings.Repeat("b", len(own)): false,
	} {
		text, ok := AppPassword([]byte(typed))
		if ok != want || ok && string(text) != strings.ToLower(typed) {
			t.Errorf("%q: %q %v", typed, text, ok)
		}
	}
	typed := []byte(strings.ToUpper(own))
	if text, _ := AppPassword(typed); &text[0] == &typed[0] || string(typed) != strings.ToUpper(own) {
		t.Error("what was typed was changed")
	}
}

// The hash is of this person, this service and this text.
func TestAppPasswordIsBound(t *testing.T) {
	r := fixed(t)
	text := NewAppPassword()
	mac := r.MAC(AppPasswordUse, AppPasswordParts(7, "webmail", text)...)
	if !r.VerifyMAC(AppPasswordUse, mac, AppPasswordParts(7, "webmail", text)...) {
		t.Fatal("its own hash does not fit")
	}
	for what, parts := range map[string][][]byte{
		"another person":  AppPasswordParts(8, "webmail", text),
		"another service": AppPasswordParts(7, "files", text),
		"another text":    AppPasswordParts(7, "webmail", NewAppPassword()),
		"a part moved":    AppPasswordParts(7, "webmaila", text[1:]),
	} {
		if r.VerifyMAC(AppPasswordUse, mac, parts...) {
			t.Errorf("%s fits", what)
		}
	}
	if r.VerifyMAC("vpn word", mac, AppPasswordParts(7, "webmail", text)...) {
		t.Error("it fits another use")
	}
}
