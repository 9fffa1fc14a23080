package config

import (
	"strconv"
	"strings"
)

// scan finds the line of each key, table and list entry. The names are those
// that faults use: radius.client[0].name, zone.campus.prefixes[1]. The text
// has already been accepted by the parser, so scan does not judge it; on
// other text it ends with whatever it has found.
func scan(text string) map[string]int {
	s := &scanner{text: text, line: 1, lines: map[string]int{}, tables: map[string]int{}}
	prefix := ""
	for {
		s.blank(true)
		switch {
		case s.at >= len(s.text):
			return s.lines
		case s.peek() == '[':
			prefix = s.header()
		default:
			s.pair(prefix)
		}
		s.skipLine()
	}
}

type scanner struct {
	text   string
	at     int
	line   int
	lines  map[string]int
	tables map[string]int // how many [[name]] there were
}

func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) next() byte {
	c := s.peek()
	if c == '\n' {
		s.line++
	}
	if s.at < len(s.text) {
		s.at++
	}
	return c
}

// blank skips spaces and, where they may stand, comments and line ends.
func (s *scanner) blank(lines bool) {
	for s.at < len(s.text) {
		switch c := s.peek(); {
		case c == ' ' || c == '\t' || c == '\r', c == '\n' && lines:
			s.next()
		case c == '#' && lines:
			for s.at < len(s.text) && s.peek() != '\n' {
				s.next()
			}
		default:
			return
		}
	}
}

func (s *scanner) skipLine() {
	for s.at < len(s.text) && s.next() != '\n' {
	}
}

// note keeps the first line a name is seen at.
func (s *scanner) note(name string, line int) {
	if _, ok := s.lines[name]; !ok {
		s.lines[name] = line
	}
}

// header reads [a.b] or [[a.b]] and returns the name in full: a table below
// a list of tables belongs to the list's last.
func (s *scanner) header() string {
	line := s.line
	s.next()
	list := s.peek() == '['
	if list {
		s.next()
	}
	name := ""
	parts := s.name()
	for i, part := range parts {
		name = under(name, part)
		if list && i == len(parts)-1 {
			s.note(name, line)
			s.tables[name]++
		}
		if n := s.tables[name]; n > 0 {
			name += "[" + strconv.Itoa(n-1) + "]"
		}
		s.note(name, line)
	}
	return name
}

// pair reads key = value.
func (s *scanner) pair(prefix string) {
	line := s.line
	name := prefix
	for _, part := range s.name() {
		name = under(name, part)
		s.note(name, line)
	}
	s.blank(false)
	if s.peek() == '=' {
		s.next()
		s.value(name)
	}
}

func under(prefix, part string) string {
	if prefix == "" {
		return part
	}
	return prefix + "." + part
}

// name reads a dotted key.
func (s *scanner) name() []string {
	var parts []string
	for {
		s.blank(false)
		switch s.peek() {
		case '"', '\'':
			parts = append(parts, s.quoted())
		default:
			start := s.at
			for !strings.ContainsRune(" \t\r\n.=]#{}[,", rune(s.peek())) && s.peek() != 0 {
				s.next()
			}
			parts = append(parts, s.text[start:s.at])
		}
		s.blank(false)
		if s.peek() != '.' {
			return parts
		}
		s.next()
	}
}

// value reads a value and what is in it.
func (s *scanner) value(name string) {
	s.blank(false)
	switch s.peek() {
	case '"', '\'':
		s.quoted()
	case '[':
		s.next()
		for i := 0; ; i++ {
			s.blank(true)
			if c := s.peek(); c == ']' || c == 0 {
				s.next()
				return
			}
			entry := name + "[" + strconv.Itoa(i) + "]"
			s.note(entry, s.line)
			s.value(entry)
			s.comma(']')
		}
	case '{':
		s.next()
		for {
			s.blank(true)
			if c := s.peek(); c == '}' || c == 0 {
				s.next()
				return
			}
			s.pair(name)
			s.comma('}')
		}
	default:
		for !strings.ContainsRune(",]}#\n", rune(s.peek())) && s.peek() != 0 {
			s.next()
		}
	}
}

// comma steps over what stands between two entries, unless it is the end.
func (s *scanner) comma(end byte) {
	s.blank(true)
	if s.peek() != end {
		s.next()
	}
}

// quoted reads a string of any of the four kinds and returns it as it stands,
// except for the two escapes that a key may reasonably hold.
func (s *scanner) quoted() string {
	quote := s.text[s.at : s.at+1]
	end := quote
	if strings.HasPrefix(s.text[s.at:], quote+quote+quote) {
		end = quote + quote + quote
	}
	s.at += len(end)
	start := s.at
	for s.at < len(s.text) && !strings.HasPrefix(s.text[s.at:], end) {
		if s.next() == '\\' && quote == `"` {
			s.next()
		}
	}
	inner := s.text[start:s.at]
	s.at = min(len(s.text), s.at+len(end))
	// Up to two quotes may stand right before the closing three.
	for len(end) == 3 && s.at < len(s.text) && s.text[s.at:s.at+1] == quote {
		s.at++
	}
	if quote == `"` {
		inner = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(inner)
	}
	return inner
}
