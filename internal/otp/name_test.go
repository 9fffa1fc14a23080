package otp

import "testing"

func TestNamesAreReadBack(t *testing.T) {
	for _, k := range []Kind{TOTP, HOTP} {
		if got, ok := KindOf(k.String()); got != k || !ok {
			t.Errorf("KindOf(%q) = %v, %v", k, got, ok)
		}
	}
	for _, a := range []Algorithm{SHA1, SHA256, SHA512} {
		if got, ok := AlgorithmOf(a.String()); got != a || !ok {
			t.Errorf("AlgorithmOf(%q) = %v, %v", a, got, ok)
		}
	}
	for _, name := range []string{"", "TOTP", "sha1", "MD5"} {
		if k, ok := KindOf(name); k != TOTP || ok {
			t.Errorf("KindOf(%q) = %v, %v", name, k, ok)
		}
		if a, ok := AlgorithmOf(name); a != SHA1 || ok {
			t.Errorf("AlgorithmOf(%q) = %v, %v", name, a, ok)
		}
	}
}
