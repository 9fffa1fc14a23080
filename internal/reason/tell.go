package reason

import (
	"strconv"
	"strings"
	"time"
)

// Generic is what everybody is told whose attempt must not teach anything:
// whether the name exists, the password was right, the account is open or a
// device enrolled. lang is as in [Code.Person].
func Generic(lang string) string { return generic.in(lang) }

// Person is what anybody may be told, whatever the attempt proved: what to do,
// in one sentence or two, at most 200 octets, so that a reference fits behind
// it in a Reply-Message (RFC 2865 §5.18). It is the generic sentence unless the
// code is open. lang is "ja" or begins with "ja-"; everything else is English.
func (c Code) Person(lang string) string {
	if e := c.entry(); e != nil && e.open && e.person != (text{}) {
		return e.person.in(lang)
	}
	return generic.in(lang)
}

// Proven is what a person may be told whose attempt proved both the password
// and, by a code that was used or stale, the device. wait is how long the next
// code is away; it is rounded up to a second. Codes that have nothing more to
// tell say what Person says.
func (c Code) Proven(lang string, wait time.Duration) string {
	e := c.entry()
	if e == nil || e.person == (text{}) {
		return c.Person(lang)
	}
	seconds := max(1, (wait+time.Second-1)/time.Second)
	return strings.ReplaceAll(e.person.in(lang), "%d", strconv.FormatInt(int64(seconds), 10))
}

// NextCode is what follows a refusal after which another code is asked for.
func NextCode(lang string) string { return nextCode.in(lang) }

// Desk is what the help desk and the administrator read: what happened, and
// the remedy where there is one. It never goes to the person or onto a wire. It
// is "" for what is not a code.
func (c Code) Desk(lang string) string {
	if e := c.entry(); e != nil {
		return e.desk.in(lang)
	}
	return ""
}

// Open reports whether the code's own sentence may be told to anybody. It is
// false for what is not a code.
func (c Code) Open() bool {
	e := c.entry()
	return e != nil && e.open
}

// All lists the codes in the order of this package's constants.
func All() []Code {
	codes := make([]Code, len(entries))
	for i, e := range entries {
		codes[i] = e.code
	}
	return codes
}

// Valid reports whether c is one of the list.
func Valid(c Code) bool { return c.entry() != nil }

// Lookup finds a code by its spelling, as it stands in the book or was typed
// to search it.
func Lookup(s string) (Code, bool) {
	if c := Code(s); Valid(c) {
		return c, true
	}
	return "", false
}

func (c Code) entry() *entry {
	for i := range entries {
		if entries[i].code == c {
			return &entries[i]
		}
	}
	return nil
}

func (t text) in(lang string) string {
	if lang == "ja" || strings.HasPrefix(lang, "ja-") {
		return t.ja
	}
	return t.en
}
