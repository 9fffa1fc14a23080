package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong, or unwise, in the configuration.
type Fault struct {
	File    string
	Line    int    // counted from 1
	Key     string // full name: radius.client[0].secret_file; "" if the text is no TOML
	Text    string // what is wrong; what to do. Never holds a secret
	Warning bool   // unwise only
}

// Error reads file:line: full.key.name: what is wrong; what to do.
func (f Fault) Error() string {
	s := fmt.Sprintf("%s:%d: ", f.File, f.Line)
	if f.Warning {
		s += "warning: "
	}
	if f.Key != "" {
		s += f.Key + ": "
	}
	return s + f.Text
}

// Faults is everything there is to say about a file, in the order of its
// lines: as an error of [Load] all that is wrong, as Config.Warnings all that
// is unwise.
type Faults []Fault

// Error has one line a fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) serious() bool {
	return slices.ContainsFunc(f, func(f Fault) bool { return !f.Warning })
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
}

// blames says whether a fault stands at the key or below it.
func (f Faults) blames(key string) bool {
	return slices.ContainsFunc(f, func(f Fault) bool {
		rest, below := strings.CutPrefix(f.Key, key)
		return !f.Warning && below && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// nearest returns the known word that is a slip of the finger away from the
// given one; "" if none is.
func nearest(word string, known []string) string {
	best, least := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, drop, change or swap with their
// neighbour until a reads as b.
func distance(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for k := range row {
		row[k] = k
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for k := range len(b) {
			change := row[k]
			if a[i] != b[k] {
				change++
			}
			next[k+1] = min(change, row[k+1]+1, next[k]+1)
			if i > 0 && k > 0 && a[i] == b[k-1] && a[i-1] == b[k] {
				next[k+1] = min(next[k+1], before[k-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
