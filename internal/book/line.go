package book

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sekisho/internal/store"
)

// Line is one event. The names of its JSON fields are stable.
type Line struct {
	ID        int64     `json:"id"` // grows in the order of booking
	At        time.Time `json:"at"`
	Reference string    `json:"reference"`
	Outcome   string    `json:"outcome"`
	Reason    string    `json:"reason"`
	User      string    `json:"user,omitempty"`  // canonical; "": nobody known
	Typed     string    `json:"typed,omitempty"` // masked where nobody is known
	Door      string    `json:"door"`
	Client    string    `json:"client,omitempty"`
	Service   string    `json:"service,omitempty"`
	Source    string    `json:"source,omitempty"` // "": unknown
	How       string    `json:"how,omitempty"`
	Zone      string    `json:"zone,omitempty"`
	Rule      string    `json:"rule,omitempty"`
	Factors   string    `json:"factors,omitempty"` // joined by +
	Detail    string    `json:"detail,omitempty"`
	Ticket    string    `json:"ticket,omitempty"`
	TookMS    float64   `json:"took_ms"`
	Count     int       `json:"count"`                    // how many refusals, or admissions that came again, it stands for
	Last      string    `json:"last_reference,omitempty"` // of the last of them, if they have references of their own
}

// Line words an event.
func (b *Book) Line(e store.Event) Line {
	local := b.Local
	if local == nil {
		local = time.Local
	}
	l := Line{
		ID: e.ID, At: e.At.In(local), Reference: b.Store.Reference(e.ID), Outcome: e.Outcome, Reason: e.Reason,
		User: e.Name, Typed: e.Typed, Door: e.Door, Client: e.Client, Service: e.Service,
		Source: e.Source, How: e.How, Zone: e.Zone, Rule: e.Rule, Factors: e.Factors, Detail: e.Detail,
		TookMS: float64(e.Took.Microseconds()) / 1000, Count: max(e.Count, 1),
	}
	if e.Ticket != 0 {
		l.Ticket = b.Store.TicketName(e.Ticket)
	}
	if e.Last > e.ID {
		l.Last = b.Store.Reference(e.Last)
	}
	return l
}

// String is the line for grep: time, reference, outcome, reason, user,
// door/client/service, source, zone, rule, factors, with - for what is not
// known; then what else there is by name. A value that could be taken for two,
// or for another line, is quoted.
func (l Line) String() string {
	fields := []string{
		l.At.Format(time.RFC3339), l.Reference, word(l.Outcome), word(l.Reason), word(cmp.Or(l.User, l.Typed)),
		word(l.Door) + "/" + word(l.Client) + "/" + word(l.Service),
		word(l.Source), word(l.Zone), word(l.Rule), word(l.Factors),
	}
	if l.Ticket != "" {
		fields = append(fields, "ticket="+l.Ticket)
	}
	if l.Count > 1 {
		fields = append(fields, "count="+strconv.Itoa(l.Count))
	}
	if l.Last != "" {
		fields = append(fields, "last="+l.Last)
	}
	if l.Detail != "" {
		fields = append(fields, "detail="+strconv.QuoteToGraphic(l.Detail))
	}
	return strings.Join(fields, " ")
}

// word is a value as one word.
func word(s string) string {
	if s == "" {
		return "-"
	}
	if strings.ContainsFunc(s, func(c rune) bool { return unicode.IsSpace(c) || c == '"' || c == '\\' }) || clean(s) != s {
		return strconv.QuoteToGraphic(s)
	}
	return s
}

// clean escapes what does not print: controls, and marks that turn the
// direction of the text around.
func clean(s string) string {
	var b strings.Builder
	for i, c := range s {
		if unicode.IsGraphic(c) && !(c == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD")) {
			b.WriteRune(c)
			continue
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		quoted := strconv.QuoteToGraphic(s[i : i+n])
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
