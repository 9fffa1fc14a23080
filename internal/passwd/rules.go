package passwd

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// WarnOctets is the length above which a password may not pass everywhere:
// RADIUS carries 128 octets (RFC 2865 §5.2), and a code may follow.
const WarnOctets = 120

// Rules are what a new password must satisfy (NIST SP 800-63B-4 §3.1.1.2): its
// length, and that nobody guesses it first. There are no character classes.
// The zero Rules are the strict ones.
type Rules struct {
	MinLength int      // code points; 0: 15, for a password that suffices alone
	Site      []string // names of the site and its services, which others try, too
	Blocklist []string // further passwords that are refused
}

// Fault is what is wrong with a new password. It is an error whose text says
// what to do; In says it in Japanese, too.
type Fault struct {
	Code FaultCode
	Min  int    // code points, with TooShort
	Word string // what was found, with HasName, HasSite and TooCommon
}

// FaultCode names one fault; it is stable.
type FaultCode string

// The faults.
const (
	TooShort  FaultCode = "too_short"
	TooLong   FaultCode = "too_long"   // more than MaxOctets
	Control   FaultCode = "control"    // a NUL, a tab, a line end; or not UTF-8
	TooCommon FaultCode = "too_common" // on the list, or a list word dressed up
	TooSimple FaultCode = "too_simple" // a run or a repetition
	HasName   FaultCode = "has_name"   // contains the person's own name
	HasSite   FaultCode = "has_site"   // contains the site's name
)

// Fault judges a new password of the person called name. nil: it may be set.
func (r Rules) Fault(password []byte, name string) *Fault {
	if len(password) > MaxOctets {
		return &Fault{Code: TooLong}
	}
	if !utf8.Valid(password) {
		return &Fault{Code: Control}
	}
	composed := norm.NFC.String(string(password))
	if strings.ContainsFunc(composed, unicode.IsControl) {
		return &Fault{Code: Control}
	}
	if n := r.minLength(); utf8.RuneCountInString(composed) < n {
		return &Fault{Code: TooShort, Min: n}
	}

	folded := fold(composed)
	core := period(letters(folded))
	if utf8.RuneCountInString(period(folded)) < 5 || isRun(folded) {
		return &Fault{Code: TooSimple}
	}
	for _, w := range r.Blocklist {
		if w = fold(w); w != "" && (folded == w || core == w) {
			return &Fault{Code: TooCommon, Word: w}
		}
	}
	for _, w := range []string{folded, period(folded), core} {
		if isCommon(w) {
			return &Fault{Code: TooCommon, Word: w}
		}
	}
	if w, found := holds(folded, core, name); found {
		return &Fault{Code: HasName, Word: w}
	}
	for _, s := range r.Site {
		if w, found := holds(folded, core, s); found {
			return &Fault{Code: HasSite, Word: w}
		}
	}
	return nil
}

// LongForRADIUS tells that a password has more than [WarnOctets], which is
// worth a warning and no fault.
func LongForRADIUS(password []byte) bool {
	return len(norm.NFC.Bytes(password)) > WarnOctets
}

func (r Rules) minLength() int {
	if r.MinLength > 0 {
		return r.MinLength
	}
	return 15
}

// Error says in English what to do.
func (f *Fault) Error() string { return f.In("en") }

// In says what to do in a language: ja, or else English.
func (f *Fault) In(language string) string {
	ja := language == "ja"
	switch f.Code {
	case TooShort:
		if ja {
			return fmt.Sprintf("%d文字以上にしてください。いくつかの単語を並べると覚えやすくなります。", f.Min)
		}
		return fmt.Sprintf("use at least %d characters; a few words in a row are easy to remember", f.Min)
	case TooLong:
		if ja {
			return fmt.Sprintf("長すぎます。%dバイト以内にしてください。", MaxOctets)
		}
		return fmt.Sprintf("use at most %d octets", MaxOctets)
	case Control:
		if ja {
			return "タブや改行などの制御文字は使えません。"
		}
		return "leave out tabs, line ends and other control characters"
	case TooCommon:
		if ja {
			return fmt.Sprintf("「%s」は多くの人が使っているため、すぐに推測されます。別のものにしてください。", f.Word)
		}
		return fmt.Sprintf("many people use %q, so it is guessed first; choose something else", f.Word)
	case TooSimple:
		if ja {
			return "同じ文字の繰り返しや連続した並びは、すぐに推測されます。別のものにしてください。"
		}
		return "a repetition or a run of characters is guessed first; choose something else"
	case HasName:
		if ja {
			return fmt.Sprintf("利用者名「%s」を含まないものにしてください。", f.Word)
		}
		return fmt.Sprintf("leave out your own name, %q", f.Word)
	case HasSite:
		if ja {
			return fmt.Sprintf("サイトの名前「%s」を含まないものにしてください。", f.Word)
		}
		return fmt.Sprintf("leave out the name of this site, %q", f.Word)
	}
	if ja {
		return "このパスワードは使えません。"
	}
	return "this password can't be used"
}

// common is a word a line, lower case, with a line end before the first.
//
//go:embed common.txt
var common string

func isCommon(word string) bool {
	return word != "" && strings.Contains(common, "\n"+word+"\n")
}

// fold makes spellings equal that a guesser would try together: case, and
// full-width letters.
func fold(s string) string {
	return strings.ToLower(norm.NFKC.String(s))
}

// letters undoes the usual dressing: digits and signs at the ends, signs that
// stand for letters within.
func letters(s string) string {
	core := strings.TrimFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && c != '@' && c != '$' })
	core = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(core)
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) {
			return c
		}
		return -1
	}, core)
}

// period is the shortest piece of which s is the repetition, the last perhaps
// cut off: abc of abcabcab. A piece that fills more than half is s itself.
func period(s string) string {
	c := []rune(s)
	for n := 1; n <= len(c)/2; n++ {
		if same(c[n:], c[:len(c)-n]) {
			return string(c[:n])
		}
	}
	return s
}

func same(a, b []rune) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// isRun finds what counts or spells its way through: 1234567890123, hgfedcba.
// It forgives one break, since people restart at 1 or a.
func isRun(s string) bool {
	c := []rune(s)
	up, down := 0, 0
	for i := 1; i < len(c); i++ {
		switch c[i] - c[i-1] {
		case 1, -9:
			up++
		case -1, 9:
			down++
		}
	}
	return max(up, down) >= len(c)-2
}

// holds looks for a name in a password. One of three letters or fewer is found
// by chance, so it must be all there is.
func holds(folded, core, name string) (string, bool) {
	w := fold(strings.TrimSpace(name))
	if utf8.RuneCountInString(w) < 4 {
		return w, w != "" && (core == w || period(core) == w)
	}
	return w, strings.Contains(folded, w) || strings.Contains(core, w)
}
