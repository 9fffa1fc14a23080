package account

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is in characters: four octets each at most, so that any name fits a
// RADIUS User-Name (253 octets, RFC 2865 §5.1).
const maxName = 63

const maxText = 200 // characters of a display name, a label or a group

// ErrName is wrapped by what CheckName says.
var ErrName = errors.New("this can't be a user name")

// CheckName tells why a canonical name can't be given to anybody: nil, or an
// error that wraps [ErrName] and says what to do. Names are lower case letters
// of any script, digits, and . _ - inside: no @ or \, which part a name from a
// domain, nothing that has to be quoted, and nothing that looks like another
// name (full-width letters).
func CheckName(name string) error {
	fault := func(text string) error { return fmt.Errorf("%q: %w: %s", name, ErrName, text) }
	switch {
	case name == "":
		return fault("it is empty")
	case !utf8.ValidString(name):
		return fault("it is not UTF-8")
	case utf8.RuneCountInString(name) > maxName:
		return fault(fmt.Sprintf("use at most %d characters", maxName))
	case strings.ContainsAny(name[:1], ".-_"):
		return fault("begin with a letter or a digit")
	}
	for _, c := range name {
		switch {
		case c == '@', c == '\\':
			return fault("leave the domain out")
		case unicode.ToLower(c) != c:
			return fault("use lower case")
		case c >= '0' && c <= '9', strings.ContainsRune(".-_", c), unicode.IsLetter(c), unicode.Is(unicode.Mn, c):
		default:
			return fault(fmt.Sprintf("use letters, digits and . _ - only, not %q", c))
		}
	}
	if norm.NFKC.String(name) != name {
		return fault("use half-width letters, and characters in their usual form")
	}
	return nil
}

// checkText is for what is only ever shown.
func checkText(what, text string) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsGraphic(c) }) {
		return fmt.Errorf("%s %q: leave out line ends and other control characters", what, text)
	}
	if utf8.RuneCountInString(text) > maxText {
		return fmt.Errorf("%s: use at most %d characters", what, maxText)
	}
	return nil
}
