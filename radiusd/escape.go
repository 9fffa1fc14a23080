package radiusd

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escaped is a text that tells the octets, whatever they are, and can be read
// and stored: what does not print is written \xNN, a backslash twice. Two that
// differ never become the same, and unescaped gives them back as the NAS needs
// them.
func escaped(value []byte) string {
	var b strings.Builder
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case unicode.IsPrint(r) && (r != utf8.RuneError || size > 1):
			b.WriteRune(r)
		default:
			for _, octet := range value[:size] {
				const digits = "0123456789abcdef"
				b.WriteString(`\x`)
				b.WriteByte(digits[octet>>4])
				b.WriteByte(digits[octet&15])
			}
		}
		value = value[size:]
	}
	return b.String()
}

// unescaped undoes escaped. What escaped did not make stays as it is.
func unescaped(text string) []byte {
	var value []byte
	for text != "" {
		switch {
		case strings.HasPrefix(text, `\\`):
			value, text = append(value, '\\'), text[2:]
			continue
		case strings.HasPrefix(text, `\x`) && len(text) >= 4:
			if octet, err := strconv.ParseUint(text[2:4], 16, 8); err == nil {
				value, text = append(value, byte(octet)), text[4:]
				continue
			}
		}
		value, text = append(value, text[0]), text[1:]
	}
	return value
}
