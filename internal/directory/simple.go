package directory

import "strings"

// Simple takes a DN as nearly every program writes it, with the attributes
// that DNs of people have and values that need neither escapes nor spaces, and
// returns its canonical form: the same in lower case. Such a DN is read
// thousands of times a second; of any other it says nothing.
func Simple(text string) (canonical string, ok bool) {
	if len(text) > maxDN {
		return "", false
	}
	for rest, more := text, true; more; {
		var part string
		part, rest, more = strings.Cut(rest, ",")
		name, value, _ := strings.Cut(part, "=")
		if !simpleType(name) || !simpleValue(value) {
			return "", false
		}
	}
	return strings.ToLower(text), strings.Count(text, ",") < maxParts
}

func simpleType(name string) bool {
	for _, known := range [...]string{"uid", "dc", "ou", "cn", "o"} {
		if strings.EqualFold(name, known) {
			return len(name) == len(known) // a letter of another alphabet may fold to one of these
		}
	}
	return false
}

func simpleValue(value string) bool {
	for i := range len(value) {
		switch c := value[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', 'A' <= c && c <= 'Z', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return value != ""
}
