package reason

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A Reply-Message holds 253 octets (RFC 2865 §5.18), and the reference with
// its words has to fit behind the sentence.
const longest = 200

var languages = []string{"ja", "en"}

// The table must have every constant once, in order.
func TestEveryCodeHasAnEntry(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, value := range spec.Values {
			spelled, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, Code(spelled))
		}
		return true
	})
	if len(declared) < 40 || !slices.Equal(declared, All()) {
		t.Errorf("declared: %q\nlisted:   %q", declared, All())
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(All())))); n != len(All()) {
		t.Errorf("%d codes, %d of them different", len(All()), n)
	}
}

func TestEveryCodeHasItsSentences(t *testing.T) {
	for _, c := range All() {
		for _, lang := range languages {
			for name, s := range map[string]string{
				"person": c.Person(lang),
				"proven": c.Proven(lang, 30*time.Second),
				"desk":   c.Desk(lang),
			} {
				if s == "" || !utf8.ValidString(s) || strings.TrimSpace(s) != s || strings.Contains(s, "%") || strings.Contains(s, "\n") {
					t.Errorf("%s, %s, %s: %q", c, lang, name, s)
				}
				if name != "desk" && len(s) > longest {
					t.Errorf("%s, %s, %s: %d octets: %q", c, lang, name, len(s), s)
				}
				if end := map[string]string{"ja": "。", "en": "."}[lang]; !strings.HasSuffix(s, end) {
					t.Errorf("%s, %s, %s: %q has no full stop", c, lang, name, s)
				}
				if japanese := strings.ContainsFunc(s, func(r rune) bool { return r >= 'ぁ' && r <= 'ヿ' }); japanese != (lang == "ja") {
					t.Errorf("%s, %s, %s: other language: %q", c, lang, name, s)
				}
			}
		}
		if e := c.entry(); e.open && e.person == (text{}) || (e.person.ja == "") != (e.person.en == "") {
			t.Errorf("%s: %+v", c, e.person)
		}
	}
}

// What an attempt without proof may learn: nothing. This list is the wall; a
// code that is opened must be taken off it on purpose.
func TestNothingIsLearntWithoutProof(t *testing.T) {
	closed := []Code{
		WrongPassword, WrongCode, CodeMissing, CodeUsed, CodeStale, CodeWide, RecoveryNot, NoDevice, NoMeans,
		UnknownUser, BadName, EmptyPassword, BadPassword, Disabled, MustChange, NoRule, RuleDenies, Throttled,
		Changed, CannotJudge, PasswordKnown, StalePassword,
		PasswordExpired, AccountShut, AccountLocked, WrongAppPassword, AppPasswordIdle, AppPasswordNetwork,
		AppPasswordAdded, AppPasswordEnded,
		AccountAdded, AccountDisabled, AccountEnabled, PasswordSet, GroupsSet, OTPEnrolled, OTPReset, OTPResynced,
		OTPFenced, ClockAccepted, TicketRevoked, KeysRotated, KeysRetired, ServiceAccount, SignedOut, SessionEnded, SignedOutAll, EndedBehind,
		StateSpent, WrongWord, WordUsed, WordLate, WordMade,
		SessionStarted, SessionStopped, NASRestarted, AccountingLate, AccountingStranger, AccountingOther, AddressForeign,
		DisconnectDone, DisconnectFailed, ChangeDone, ChangeFailed, VPNEnded,
	}
	for _, c := range All() {
		if c.Open() == slices.Contains(closed, c) {
			t.Errorf("%s: open %v", c, c.Open())
		}
		for _, lang := range languages {
			if same := c.Person(lang) == Generic(lang); same == c.Open() {
				t.Errorf("%s, %s: open %v, %q", c, lang, c.Open(), c.Person(lang))
			}
		}
	}
}

func TestWhatProofTells(t *testing.T) {
	own := []Code{CodeUsed, CodeStale, CodeWide, RecoveryNot, MustChange, PasswordKnown, PasswordExpired, AccountShut}
	for _, c := range All() {
		for _, lang := range languages {
			if differs := c.Proven(lang, 0) != c.Person(lang); differs != slices.Contains(own, c) {
				t.Errorf("%s, %s: %q", c, lang, c.Proven(lang, 0))
			}
		}
	}
}

func TestWait(t *testing.T) {
	for _, tt := range []struct {
		wait time.Duration
		en   string
		ja   string
	}{
		{12 * time.Second, "Wait 12 s", "12秒"},
		{12*time.Second + 1, "Wait 13 s", "13秒"},
		{12*time.Second - 1, "Wait 12 s", "12秒"},
		{0, "Wait 1 s", "1秒"},
		{-time.Minute, "Wait 1 s", "1秒"},
	} {
		if s := CodeUsed.Proven("en", tt.wait); !strings.Contains(s, tt.en) {
			t.Errorf("%v: %q", tt.wait, s)
		}
		if s := CodeUsed.Proven("ja", tt.wait); !strings.Contains(s, tt.ja) {
			t.Errorf("%v: %q", tt.wait, s)
		}
	}
}

// The administrator of an appliance must read the remedy in the entry.
func TestRemedyOfMethods(t *testing.T) {
	for _, c := range []Code{MethodCHAP, MethodMSCHAP, MethodEAP, NoCredential, TwoCredentials} {
		for _, lang := range languages {
			if !strings.Contains(c.Desk(lang), "PAP") {
				t.Errorf("%s: %q", c, c.Desk(lang))
			}
		}
	}
}

func TestLanguages(t *testing.T) {
	for lang, want := range map[string]string{
		"ja": generic.ja, "ja-JP": generic.ja, "en": generic.en, "en-GB": generic.en, "": generic.en, "jav": generic.en, "de": generic.en,
	} {
		if got := Generic(lang); got != want {
			t.Errorf("%q: %q", lang, got)
		}
	}
}

func TestUnknownCode(t *testing.T) {
	for _, s := range []string{"", "no_such_code", "ADMITTED", "admitted "} {
		c := Code(s)
		if _, ok := Lookup(s); ok || Valid(c) || c.Open() {
			t.Errorf("%q is taken for a code", s)
		}
		if c.Person("en") != generic.en || c.Proven("ja", 0) != generic.ja || c.Desk("en") != "" {
			t.Errorf("%q: %q %q %q", s, c.Person("en"), c.Proven("ja", 0), c.Desk("en"))
		}
	}
	if c, ok := Lookup("code_used"); c != CodeUsed || !ok {
		t.Errorf("%q, %v", c, ok)
	}
}
