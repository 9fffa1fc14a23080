package tree

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// prepare appends a text as it is compared (RFC 4518): in one normal form,
// inner spaces squeezed to one and outer ones gone, and in lower case where
// case does not count. Most text is ASCII, and then nothing is allocated.
func prepare(dst []byte, s string, fold bool) []byte {
	start, space := len(dst), false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			return prepareUnicode(dst[:start], s, fold)
		case c == ' ', '\t' <= c && c <= '\r':
			space = len(dst) > start
			continue
		case fold && 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if space {
			dst = append(dst, ' ')
			space = false
		}
		dst = append(dst, c)
	}
	return dst
}

func prepareUnicode(dst []byte, s string, fold bool) []byte {
	s = norm.NFKC.String(s)
	if fold {
		s = strings.ToLower(s)
	}
	for i, word := range strings.Fields(s) {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, word...)
	}
	return dst
}

// preparePiece is prepare for a part of a substrings filter. An inner end of
// it, left or right, may be a space in the middle of the value.
func preparePiece(s string, fold, left, right bool) []byte {
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	var piece []byte
	if left && unicode.IsSpace(first) {
		piece = append(piece, ' ')
	}
	piece = prepare(piece, s, fold)
	if right && unicode.IsSpace(last) && !bytes.HasSuffix(piece, []byte(" ")) {
		piece = append(piece, ' ')
	}
	return piece
}

// isValue reports whether octets can be a value of this kind of text.
func isValue(v []byte, ascii bool) bool {
	if ascii {
		return bytes.IndexFunc(v, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	}
	return len(v) > 0 && utf8.Valid(v)
}

// parseInteger reads an Integer (RFC 4517 §3.3.16). One that is larger than
// any of ours becomes the largest, which nobody has.
func parseInteger(s string) (n int64, ok bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || digits[0] == '0' && s != "0" {
		return 0, false
	}
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	n, _ = strconv.ParseInt(s, 10, 64)
	return n, true
}

const timeLayout = "20060102150405Z"

// parseTime reads a Generalized Time (RFC 4517 §3.3.13): minutes and seconds
// may be missing, the last of what is there may have a fraction, and the zone
// is Z or a difference.
func parseTime(s string) (t time.Time, ok bool) {
	end := strings.IndexAny(s, ".,Z+-")
	if end < 0 {
		return t, false
	}
	layout, unit := "2006010215", time.Hour
	switch end {
	case 10:
	case 12:
		layout, unit = "200601021504", time.Minute
	case 14:
		layout, unit = "20060102150405", time.Second
	default:
		return t, false
	}
	t, err := time.Parse(layout, s[:end])
	if err != nil {
		return t, false
	}
	s = s[end:]
	if s[0] == '.' || s[0] == ',' {
		digits := 1
		for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
			digits++
		}
		part, err := strconv.ParseFloat("0."+s[1:digits], 64)
		if digits == 1 || err != nil {
			return t, false
		}
		t = t.Add(time.Duration(part * float64(unit)))
		s = s[digits:]
	}
	if s == "Z" {
		return t, true
	}
	layout = "-07"
	if len(s) == 5 {
		layout = "-0700"
	}
	zone, err := time.Parse(layout, s)
	if err != nil {
		return t, false
	}
	_, east := zone.Zone()
	return t.Add(-time.Duration(east) * time.Second), true
}

// parseUUID reads a UUID in any case (RFC 4530 §2.1).
func parseUUID(s string) (string, bool) {
	if len(s) != 36 {
		return "", false
	}
	s = strings.ToLower(s)
	for i := 0; i < len(s); i++ {
		switch dash := i == 8 || i == 13 || i == 18 || i == 23; {
		case dash != (s[i] == '-'):
			return "", false
		case !dash && !strings.ContainsRune("0123456789abcdef", rune(s[i])):
			return "", false
		}
	}
	return s, true
}

// parseOID reads the name or the dotted form of an object class, or of
// anything in dotted form. A name that nobody knows is none.
func parseOID(s string) (string, bool) {
	if name, ok := classNames[strings.ToLower(s)]; ok {
		return name, true
	}
	for arc := range strings.SplitSeq(s, ".") {
		if n, ok := parseInteger(arc); !ok || n < 0 {
			return "", false
		}
	}
	return s, strings.Contains(s, ".")
}
