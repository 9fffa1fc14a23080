package otp

import (
	"bytes"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		name, field    string
		digits         int
		separator      string
		password, code string
		ok             bool
	}{
		{"plain", "secret123456", 6, "", "secret", "123456", true},
		{"zero digits means six", "secret123456", 0, "", "secret", "123456", true},
		{"eight", "secret12345678", 8, "", "secret", "12345678", true},
		{"password ends in digits", "secret99123456", 6, "", "secret99", "123456", true},
		{"password is digits", "111111222222", 6, "", "111111", "222222", true},
		{"only a code", "123456", 6, "", "", "123456", true},
		{"too short", "12345", 6, "", "12345", "", false},
		{"empty", "", 6, "", "", "", false},
		{"no code", "secret", 6, "", "secret", "", false},
		{"letter in the code", "secret12345a", 6, "", "secret12345a", "", false},
		{"blank at the end", "secret123456 ", 6, "", "secret123456 ", "", false},
		{"full-width", "secret１２３４５６", 6, "", "secret１２３４５６", "", false},
		{"password is not UTF-8", "\xe9\xff123456", 6, "", "\xe9\xff", "123456", true},
		{"japanese password", "秘密123456", 6, "", "秘密", "123456", true},
		{"NUL in the password", "a\x00b123456", 6, "", "a\x00b", "123456", true},
		{"separator", "secret,123456", 6, ",", "secret", "123456", true},
		{"separator in the password", "se,cret,,123456", 6, ",", "se,cret,", "123456", true},
		{"separator missing", "secret123456", 6, ",", "secret123456", "", false},
		{"long separator", "secret::123456", 6, "::", "secret", "123456", true},
		{"half a separator", "secret:123456", 6, "::", "secret:123456", "", false},
		{"separator and code", ",123456", 6, ",", "", "123456", true},
		{"negative digits", "secret123456", -1, "", "secret123456", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			password, code, ok := Split([]byte(tt.field), tt.digits, tt.separator)
			if string(password) != tt.password || string(code) != tt.code || ok != tt.ok {
				t.Errorf("%q %q %v, want %q %q %v", password, code, ok, tt.password, tt.code, tt.ok)
			}
		})
	}
}

// Both halves lie in one field; growing the first must not write the second.
func TestSplitHalvesDoNotOverlap(t *testing.T) {
	password, code, _ := Split([]byte("secret,123456"), 6, ",")
	_ = append(password, "xxxxxxx"...)
	if string(code) != "123456" {
		t.Errorf("code became %q", code)
	}
}

func TestWide(t *testing.T) {
	for _, tt := range []struct {
		field  string
		digits int
		want   bool
	}{
		{"secret１２３４５６", 6, true},
		{"secret１２３４５６", 0, true},
		{"１２３４５６", 6, true},
		{"secret12３456", 6, true},
		{"secret０９０９０９", 6, true},
		{"secret１２３４５６７８", 8, true},
		{"secret１２３４５６", 8, false},
		{"secret123456", 6, false},
		{"秘密の１２３", 6, false},
		{"１２３４５", 6, false},
		{"", 6, false},
		{"secret１２３４５６ ", 6, false},
		{"\xbc\x91１２３４５", 6, false},
		{"１２３４５６", -1, false},
	} {
		if got := Wide([]byte(tt.field), tt.digits); got != tt.want {
			t.Errorf("%q, %d: %v", tt.field, tt.digits, got)
		}
	}
}

func TestNarrow(t *testing.T) {
	for _, tt := range []struct{ typed, want string }{
		{"１２３４５６", "123456"},
		{"０９", "09"},
		{"12３4", "1234"},
		{"", ""},
		{"／１：", "／1："},
		{"\xef\xbc１\xff", "\xef\xbc1\xff"},
	} {
		if got := Narrow([]byte(tt.typed)); string(got) != tt.want {
			t.Errorf("%q: %q, want %q", tt.typed, got, tt.want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("secret123456"), 6, "")
	f.Add([]byte("secret,12345678"), 8, ",")
	f.Add([]byte("秘密１２３４５６"), 6, "")
	f.Add([]byte("\xff\x00123456"), 0, "\xff")
	f.Fuzz(func(t *testing.T, field []byte, digits int, separator string) {
		whole := bytes.Clone(field)
		password, code, ok := Split(field, digits, separator)
		again := append([]byte(nil), password...)
		if ok {
			if want := digits; want != 0 && len(code) != want || want == 0 && len(code) != 6 {
				t.Errorf("%d digits: %q", digits, code)
			}
			if !digitsOnly(code) {
				t.Errorf("code %q", code)
			}
			again = append(append(again, separator...), code...)
		} else if code != nil {
			t.Errorf("refused, and yet code %q", code)
		}
		if !bytes.Equal(again, whole) || !bytes.Equal(field, whole) {
			t.Errorf("%q came apart as %q and %q", whole, password, code)
		}
		if digits > 0 && digits < 100 && ok && Wide(field, len(code)) {
			t.Errorf("%q is both a code and a full-width one", field)
		}
		Narrow(field)
	})
}
