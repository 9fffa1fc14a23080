package weblogin

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"sekisho/gate"
)

// setRemote tells a service who asks. All five are always there: a proxy that
// is to copy a header which is missing may leave the client's own in place,
// or put a placeholder. Values are UTF-8.
func setRemote(h http.Header, holder gate.Holder) {
	factors := make([]string, len(holder.Proves))
	for i, f := range holder.Proves {
		factors[i] = string(f)
	}
	h["Remote-User"] = []string{visible(holder.Person.Name)}
	h["Remote-Name"] = []string{visible(holder.Person.Display)}
	h["Remote-Email"] = []string{visible(holder.Person.Mail)}
	h["Remote-Groups"] = []string{commaList(holder.Person.Groups)}
	h["Remote-Factors"] = []string{commaList(factors)}
}

// commaList joins what can stand in such a list. A name with a comma in it is
// left out: half of it could be the name of another group.
func commaList(names []string) string {
	kept := make([]string, 0, len(names))
	for _, name := range names {
		if clean := visible(name); clean != "" && clean == name && !strings.Contains(name, ",") {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, ",")
}

// visible takes out what can't be seen: it could end a header, or turn the
// order in which it is shown (CVE-2021-42574).
func visible(text string) string {
	plain := true
	for i := 0; i < len(text) && plain; i++ {
		plain = text[i] >= ' ' && text[i] < 0x7f
	}
	if !plain {
		text = strings.Map(func(r rune) rune {
			switch {
			case r == '\u3000': // between the family and the given name
				return ' '
			case r == utf8.RuneError, !unicode.IsPrint(r):
				return -1
			}
			return r
		}, text)
	}
	return strings.TrimSpace(text)
}
