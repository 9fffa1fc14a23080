package otp

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

var (
	seed20 = []byte("12345678901234567890")
	seed32 = []byte("12345678901234567890123456789012")
	seed64 = []byte("1234567890123456789012345678901234567890123456789012345678901234")
)

// RFC 4226 appendix D.
var counterCodes = []string{
	"755224", "287082", "359152", "969429", "338314",
	"254676", "287922", "162583", "399871", "520489",
}

func TestRFC4226Vectors(t *testing.T) {
	for counter, want := range counterCodes {
		token := Token{Kind: HOTP, Secret: seed20, Last: int64(counter) - 1}
		if got := token.Code(time.Time{}); got != want {
			t.Errorf("counter %d: code %s, want %s", counter, got, want)
		}
		got := token.Match([]byte(want), time.Time{})
		if got != (Match{Found: Fresh, Step: int64(counter)}) {
			t.Errorf("counter %d: %+v", counter, got)
		}
	}
}

// RFC 6238 appendix B.
func TestRFC6238Vectors(t *testing.T) {
	for _, v := range []struct {
		unix                 int64
		sha1, sha256, sha512 string
	}{
		{59, "94287082", "46119246", "90693936"},
		{1111111109, "07081804", "68084774", "25091201"},
		{1111111111, "14050471", "67062674", "99943326"},
		{1234567890, "89005924", "91819424", "93441116"},
		{2000000000, "69279037", "90698825", "38618901"},
		{20000000000, "65353130", "77737706", "47863826"},
	} {
		now := time.Unix(v.unix, 0)
		for _, token := range []struct {
			Token
			code string
		}{
			{Token{Digits: 8, Secret: seed20}, v.sha1},
			{Token{Digits: 8, Secret: seed32, Algorithm: SHA256}, v.sha256},
			{Token{Digits: 8, Secret: seed64, Algorithm: SHA512}, v.sha512},
		} {
			if got := token.Code(now); got != token.code {
				t.Errorf("%d: code %s, want %s", v.unix, got, token.code)
			}
			want := Match{Found: Fresh, Step: v.unix / 30}
			if got := token.Match([]byte(token.code), now); got != want {
				t.Errorf("%d: %+v, want %+v", v.unix, got, want)
			}
		}
	}
}

// noon lies on the edge of a step; its number is noonStep.
var noon = time.Unix(1_700_000_010, 0)

const noonStep = 1_700_000_010 / 30

func at(step int64) time.Time { return time.Unix(step*30, 0) }

func TestMatch(t *testing.T) {
	const n = noonStep
	for _, tt := range []struct {
		name string
		Token
		code int64 // step whose code is typed
		want Match
	}{
		{"now", Token{}, n, Match{Fresh, n, 0}},
		{"one behind", Token{}, n - 1, Match{Fresh, n - 1, -1}},
		{"one ahead", Token{}, n + 1, Match{Fresh, n + 1, 1}},
		{"two behind", Token{}, n - 2, Match{Near, n - 2, -2}},
		{"two ahead", Token{}, n + 2, Match{Near, n + 2, 2}},
		{"ten behind", Token{}, n - 10, Match{Near, n - 10, -10}},
		{"ten ahead", Token{}, n + 10, Match{Near, n + 10, 10}},
		{"eleven behind", Token{}, n - 11, Match{}},
		{"eleven ahead", Token{}, n + 11, Match{}},

		{"no window, now", Token{Window: -1}, n, Match{Fresh, n, 0}},
		{"no window, one behind", Token{Window: -1}, n - 1, Match{Near, n - 1, -1}},
		{"wide window", Token{Window: 3}, n - 3, Match{Fresh, n - 3, -3}},
		{"window beyond ten is ten", Token{Window: 50}, n + 11, Match{}},

		{"burnt now", Token{Last: n}, n, Match{Used, n, 0}},
		{"burnt later", Token{Last: n + 1}, n, Match{Used, n, 0}},
		{"burnt before", Token{Last: n - 1}, n, Match{Fresh, n, 0}},
		{"ahead of the burnt one", Token{Last: n}, n + 1, Match{Fresh, n + 1, 1}},
		{"burnt and outside the window", Token{Last: n - 3}, n - 5, Match{Used, n - 5, -5}},
		{"stale and not burnt", Token{Last: n - 6}, n - 5, Match{Near, n - 5, -5}},
		{"fenced", Token{Last: n + 1}, n + 1, Match{Used, n + 1, 1}},

		{"drift in the window", Token{Drift: 1}, n + 1, Match{Fresh, n + 1, 1}},
		{"drift does not widen the window", Token{Drift: 1}, n + 2, Match{Near, n + 2, 2}},
		{"drift, clock set right", Token{Drift: 40}, n, Match{Fresh, n, 0}},
		{"drift far", Token{Drift: 40}, n + 40, Match{Fresh, n + 40, 40}},
		{"drift far, one on", Token{Drift: -40}, n - 39, Match{Fresh, n - 39, -39}},
		{"drift far, three on", Token{Drift: -40}, n - 37, Match{Near, n - 37, -37}},
		{"drift between", Token{Drift: 40}, n + 20, Match{}},
		{"drift far, burnt", Token{Drift: 40, Last: n + 40}, n + 40, Match{Used, n + 40, 40}},
		{"drift absurd", Token{Drift: 101}, n + 101, Match{}},
		{"drift absurd is ignored", Token{Drift: math.MinInt}, n, Match{Fresh, n, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.Secret = seed20
			code := Token{Secret: seed20}.Code(at(tt.code))
			if got := tt.Match([]byte(code), noon); got != tt.want {
				t.Errorf("%+v (%v), want %+v (%v)", got, got.Found, tt.want, tt.want.Found)
			}
		})
	}
}

func TestStepEdges(t *testing.T) {
	token := Token{Secret: seed20, Window: -1}
	code := []byte(token.Code(noon))
	for _, tt := range []struct {
		shift time.Duration
		want  Found
		left  time.Duration
	}{
		{-time.Nanosecond, Near, time.Nanosecond},
		{0, Fresh, 30 * time.Second},
		{time.Nanosecond, Fresh, 30*time.Second - time.Nanosecond},
		{30*time.Second - time.Nanosecond, Fresh, time.Nanosecond},
		{30 * time.Second, Near, 30 * time.Second},
	} {
		now := noon.Add(tt.shift)
		if got := token.Match(code, now).Found; got != tt.want {
			t.Errorf("%v: %v, want %v", tt.shift, got, tt.want)
		}
		if got := token.Left(now); got != tt.left {
			t.Errorf("%v: %v left, want %v", tt.shift, got, tt.left)
		}
	}
}

func TestPeriod(t *testing.T) {
	token := Token{Secret: seed20, Period: 60}
	now := time.Unix(1_700_000_010, 0) // 30 s into a minute's step
	if got := token.Left(now); got != 30*time.Second {
		t.Errorf("Left = %v", got)
	}
	if m := token.Match([]byte(token.Code(now)), now); m != (Match{Fresh, 1_700_000_010 / 60, 0}) {
		t.Errorf("%+v", m)
	}
}

func TestBefore1970(t *testing.T) {
	token := Token{Secret: seed20}
	for _, now := range []time.Time{{}, time.Unix(-1, 0), time.Unix(0, 0)} {
		if left := token.Left(now); left <= 0 || left > 30*time.Second {
			t.Errorf("%v: %v left", now, left)
		}
		for _, code := range []string{token.Code(time.Time{}), "000000"} {
			if m := token.Match([]byte(code), now); m.Found != None {
				t.Errorf("%v: %+v", now, m)
			}
		}
	}
}

// A code that two steps share must not be refused for the burnt one.
func TestSharedCodeIsFresh(t *testing.T) {
	const first, second = 153567, 153569 // the first such pair for this secret
	token := Token{Secret: seed20, Last: first}
	code := token.Code(at(first))
	if code != token.Code(at(second)) {
		t.Fatal("the two steps have different codes")
	}
	if m := token.Match([]byte(code), at(first+1)); m != (Match{Fresh, second, 1}) {
		t.Errorf("%+v", m)
	}
}

func TestCounter(t *testing.T) {
	const last = 500
	for _, tt := range []struct {
		code int64
		want Match
	}{
		{last + 1, Match{Fresh, last + 1, 0}},
		{last + 10, Match{Fresh, last + 10, 9}},
		{last + 11, Match{}},
		{last, Match{Used, last, -1}},
		{last - 9, Match{Used, last - 9, -10}},
		{last - 10, Match{}},
	} {
		code := Token{Kind: HOTP, Secret: seed20, Last: tt.code - 1}.Code(noon)
		token := Token{Kind: HOTP, Secret: seed20, Last: last, Window: 5, Drift: 7}
		if got := token.Match([]byte(code), noon); got != tt.want {
			t.Errorf("counter %d: %+v, want %+v", tt.code, got, tt.want)
		}
	}
	if left := (Token{Kind: HOTP, Secret: seed20}).Left(noon); left != 0 {
		t.Errorf("Left = %v", left)
	}
}

func TestCounterEnds(t *testing.T) {
	first := []byte(counterCodes[0])
	if m := (Token{Kind: HOTP, Secret: seed20}).Match(first, noon); m != (Match{Used, 0, -1}) {
		t.Errorf("zero Last: %+v, want counter 0 burnt", m)
	}
	if m := (Token{Kind: HOTP, Secret: seed20, Last: math.MinInt64}).Match(first, noon); m != (Match{Fresh, 0, 0}) {
		t.Errorf("negative Last: %+v", m)
	}
	for _, last := range []int64{math.MaxInt64, math.MaxInt64 - 1} {
		token := Token{Kind: HOTP, Secret: seed20, Last: last}
		if m := token.Match(first, noon); m.Found != None {
			t.Errorf("Last %d: %+v", last, m)
		}
		if _, _, ok := token.Resync(first, first, noon); ok {
			t.Errorf("Last %d: resynced", last)
		}
	}
}

// Anybody can compute the codes of an empty secret, and a token with a field
// out of range was not written by this program.
func TestUnsoundTokenMatchesNothing(t *testing.T) {
	code := []byte(Token{Secret: []byte{0}}.Code(noon)) // HMAC pads: the code of an empty key, too
	for _, token := range []Token{
		{},
		{Secret: []byte{}},
		{Secret: seed20, Digits: 1},
		{Secret: seed20, Digits: 7},
		{Secret: seed20, Digits: -6},
		{Secret: seed20, Period: -30},
		{Secret: seed20, Algorithm: 3},
		{Secret: seed20, Algorithm: -1},
		{Secret: seed20, Kind: 2},
		{Secret: seed20, Kind: -1},
	} {
		for _, code := range [][]byte{code, []byte(Token{Secret: seed20}.Code(noon)), {}, []byte("0")} {
			if m := token.Match(code, noon); m != (Match{}) {
				t.Errorf("%#v: %+v", token, m)
			}
			if _, _, ok := token.Resync(code, code, noon); ok {
				t.Errorf("%#v: resynced", token)
			}
		}
		if c, u, l := token.Code(noon), token.URL("a", "b"), token.Left(noon); c != "" || u != "" || l != 0 {
			t.Errorf("%#v: %q %q %v", token, c, u, l)
		}
	}
}

func TestMalformedCodeMatchesNothing(t *testing.T) {
	token := Token{Secret: seed20}
	code := token.Code(noon)
	for _, typed := range []string{
		"", code[:5], code + "0", "0" + code, " " + code[1:], code[:5] + " ", code[:3] + " " + code[3:],
		"+" + code[1:], "-" + code[1:], "\x00" + code[1:], "abcdef", "１２３４５６",
	} {
		if m := token.Match([]byte(typed), noon); m != (Match{}) {
			t.Errorf("%q: %+v", typed, m)
		}
	}
}

func TestResync(t *testing.T) {
	const n = noonStep
	counter := Token{Kind: HOTP, Secret: seed20, Last: 500}
	clock := Token{Secret: seed20, Drift: 2, Last: n - 200}
	for _, tt := range []struct {
		name string
		Token
		first, second int64
		last          int64
		drift         int
		ok            bool
	}{
		{"button pressed often", counter, 900, 901, 901, 0, true},
		{"the next one", counter, 501, 502, 502, 0, true},
		{"the last that is searched", counter, 1500, 1501, 1501, 0, true},
		{"too far", counter, 1501, 1502, 500, 0, false},
		{"burnt counter", counter, 500, 501, 500, 0, false},
		{"not consecutive", counter, 900, 902, 500, 0, false},
		{"backwards", counter, 901, 900, 500, 0, false},
		{"the same twice", counter, 900, 900, 500, 0, false},

		{"clock right", clock, n - 1, n, n, 0, true},
		{"clock slow", clock, n - 41, n - 40, n - 40, -40, true},
		{"clock fast", clock, n + 99, n + 100, n + 100, 100, true},
		{"clock slowest", clock, n - 101, n - 100, n - 100, -100, true},
		{"clock too fast", clock, n + 100, n + 101, n - 200, 2, false},
		{"clock too slow", clock, n - 102, n - 101, n - 200, 2, false},
		{"clock, not consecutive", clock, n - 41, n - 39, n - 200, 2, false},
		{"clock, burnt", Token{Secret: seed20, Last: n - 41}, n - 41, n - 40, n - 41, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code := func(step int64) []byte {
				if tt.Kind == HOTP {
					return []byte(Token{Kind: HOTP, Secret: seed20, Last: step - 1}.Code(noon))
				}
				return []byte(Token{Secret: seed20}.Code(at(step)))
			}
			last, drift, ok := tt.Resync(code(tt.first), code(tt.second), noon)
			if last != tt.last || drift != tt.drift || ok != tt.ok {
				t.Errorf("%d, %d, %v; want %d, %d, %v", last, drift, ok, tt.last, tt.drift, tt.ok)
			}
			if !ok {
				return
			}
			tt.Last, tt.Drift = last, drift
			if m := tt.Match(code(tt.second), noon); m.Found != Used {
				t.Errorf("the second code again: %v", m.Found)
			}
			if m := tt.Match(code(tt.second+1), noon.Add(30*time.Second)); m.Found != Fresh {
				t.Errorf("the third code: %v", m.Found)
			}
		})
	}
	if _, _, ok := clock.Resync([]byte("12345"), []byte("123456"), noon); ok {
		t.Error("resynced by a short code")
	}
}

func TestNewSecret(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	if len(a) != 20 || len(b) != 20 || bytes.Equal(a, b) {
		t.Errorf("%d and %d octets, equal %v", len(a), len(b), bytes.Equal(a, b))
	}
}

func TestTokenHidesItsSecret(t *testing.T) {
	for _, token := range []Token{{Secret: seed20}, {Kind: HOTP, Secret: seed20}} {
		for _, verb := range []string{"%v", "%+v", "%s", "%#v"} {
			s := fmt.Sprintf(verb, token)
			if strings.Contains(s, "1234") || strings.Contains(s, "49 50") || !strings.Contains(s, "otp token") {
				t.Errorf("%s: %s", verb, s)
			}
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	token := Token{Secret: seed20}
	for _, bb := range []struct {
		name string
		code string
	}{
		{"hit", token.Code(noon)},
		{"previous", token.Code(at(noonStep - 1))},
		{"near", token.Code(at(noonStep + 10))},
		{"miss", "000000"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			code := []byte(bb.code)
			b.ReportAllocs()
			for b.Loop() {
				token.Match(code, noon)
			}
		})
	}
}
