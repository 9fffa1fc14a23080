package passwd

import (
	"errors"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	strict := Rules{Site: []string{"Sekisho", "cs"}, Blocklist: []string{"Hakone Checkpoint 1619"}}
	eight := Rules{MinLength: 8, Site: strict.Site}
	for _, c := range []struct {
		rules    Rules
		password string
		want     FaultCode // "": none
	}{
		{strict, "persimmon under snow", ""},
		{strict, "ふるいけやかわずとびこむみずのおと", ""},   // 17 code points
		{strict, "ふるいけやかわずとびこむみ", TooShort}, // 13, though 39 octets
		{strict, "twelve chars", TooShort},
		{strict, "fourteen chars", TooShort},
		{strict, "fifteen chars !", ""},
		{eight, "mogami7!", ""},
		{eight, "mogami7", TooShort},
		{eight, "e\u0301e\u0301e\u0301e\u0301xyz", TooShort}, // 7 after composing
		{Rules{}, "fourteen chars", TooShort},
		{strict, strings.Repeat("persimmon snow ", 4) + "and more", ""},
		{strict, strings.Repeat("long persimmon ", 68), ""}, // 1020
		{strict, strings.Repeat("long persimmon ", 69), TooLong},
		{strict, "persimmon\x00under snow", Control},
		{strict, "persimmon\tunder snow", Control},
		{strict, "persimmon\u0085under snow", Control},
		{strict, "persimmon \xff under snow", Control},

		{eight, "password", TooCommon},
		{eight, "PASSWORD", TooCommon},
		{eight, "P@ssw0rd!", TooCommon},
		{eight, "Pa$$w0rd2024", TooCommon},
		{eight, "ｐａｓｓｗｏｒｄ", TooCommon},
		{eight, "ilovey0u", TooCommon},
		{eight, "1qaz2wsx", TooCommon},
		{eight, "Summer2026!", TooCommon},
		{eight, "sakura1234", TooCommon},
		{eight, "ぱすわーど1234", TooCommon},
		{strict, "passwordpassword", TooCommon},
		{strict, "passwordpasswo", TooShort},
		{strict, "letmeinletmeinlet", TooCommon},
		{strict, "correcthorsebatterystaple", TooCommon},
		{strict, "Correct Horse Battery Staple", TooCommon},
		{strict, "hakone checkpoint 1619", TooCommon},

		{strict, "aaaaaaaaaaaaaaaa", TooSimple},
		{strict, "ababababababababab", TooSimple},
		{strict, "12345678901234567890", TooSimple},
		{strict, "98765432109876543210", TooSimple},
		{strict, "abcdefghijklmnopqrstuvwxyz", TooSimple},
		{strict, "zyxwvutsrqponmlkj", TooSimple},
		{eight, "12345678", TooSimple},

		{strict, "tanaka.ichiro is me", HasName},
		{strict, "TANAKA.ICHIRO-2026-x", HasName},
		{strict, "sign in to sekisho now", HasSite},
		{strict, "S3k1sh0 is the gate", HasSite},
		{strict, "three cs lectures a day", ""}, // too short a name to forbid within
		{eight, "cs-2026-07", HasSite},
	} {
		f := c.rules.Fault([]byte(c.password), "tanaka.ichiro")
		switch {
		case f == nil && c.want != "":
			t.Errorf("%q: accepted, want %s", c.password, c.want)
		case f != nil && f.Code != c.want:
			t.Errorf("%q: %s, want %q", c.password, f.Code, c.want)
		}
	}
}

func TestRulesWithoutName(t *testing.T) {
	if f := (Rules{}).Fault([]byte("persimmon under snow"), ""); f != nil {
		t.Error(f)
	}
	if f := (Rules{MinLength: 8}).Fault([]byte("ai-2026-01-02"), "ai"); f == nil || f.Code != HasName {
		t.Error("a name of two letters with a date behind it is accepted")
	}
}

// A person can only act on a sentence, so each fault has one in each language.
func TestFaultSentences(t *testing.T) {
	seen := map[string]FaultCode{}
	for _, code := range []FaultCode{TooShort, TooLong, Control, TooCommon, TooSimple, HasName, HasSite, "other"} {
		f := &Fault{Code: code, Min: 15, Word: "word"}
		for _, language := range []string{"ja", "en"} {
			s := f.In(language)
			if other, ok := seen[s]; s == "" || ok {
				t.Errorf("%s in %s says what %s says: %q", code, language, other, s)
			}
			seen[s] = code
		}
		var err error = f
		if err.Error() != f.In("en") || !errors.As(err, &f) {
			t.Errorf("%s is no error", code)
		}
	}
}

func TestLongForRADIUS(t *testing.T) {
	for _, c := range []struct {
		password string
		want     bool
	}{
		{strings.Repeat("a", WarnOctets), false},
		{strings.Repeat("a", WarnOctets+1), true},
		{strings.Repeat("柿", 40), false},
		{strings.Repeat("柿", 41), true},
	} {
		if LongForRADIUS([]byte(c.password)) != c.want {
			t.Errorf("%d octets: not %v", len(c.password), c.want)
		}
	}
}

func TestCommonList(t *testing.T) {
	words := strings.Split(strings.Trim(common, "\n"), "\n")
	if len(words) < 300 {
		t.Errorf("only %d words", len(words))
	}
	for i, w := range words {
		if w != fold(w) || strings.TrimSpace(w) != w || w == "" {
			t.Errorf("line %d: %q is never found", i+2, w)
		}
	}
}

func TestRandom(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		s := Random(0)
		if seen[s] {
			t.Fatal("the same twice")
		}
		seen[s] = true
		if len(s) != 19 || s[4] != '-' || s[9] != '-' || s[14] != '-' {
			t.Fatalf("%q is not four groups of four", s)
		}
		if strings.ContainsAny(s, "0O1lIoi") {
			t.Fatalf("%q can be misread", s)
		}
		if f := (Rules{}).Fault([]byte(s), "alice"); f != nil {
			t.Fatalf("%q breaks our own rules: %v", s, f)
		}
	}
	for n, want := range map[int]int{-1: 16, 1: 16, 13: 16, 16: 19, 17: 21, 20: 24} {
		if got := len(Random(n)); got != want {
			t.Errorf("Random(%d) has %d characters, want %d", n, got, want)
		}
	}
}
