package policy

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with a rule or a zone.
type Fault struct {
	Rule int    // index in the list of rules; -1: the fault is a zone's
	Zone string // name of the zone, if it is a zone's
	Key  string // "need", "zone", …, as the configuration spells it; "": the rule as a whole
	Text string // what is wrong; what to do
}

// Error says where the fault is and what to do about it.
func (f Fault) Error() string {
	where := fmt.Sprintf("rule[%d]", f.Rule)
	if f.Rule < 0 {
		where = "zone." + f.Zone
	}
	if f.Key != "" {
		where += "." + f.Key
	}
	return where + ": " + f.Text
}

// Faults is every fault of a policy, so that all can be mended at once. The
// errors of [New] and [NewZones] are always of this type.
type Faults []Fault

// Error has one line a fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// err avoids the error that is not nil but holds no fault.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

func (f *Faults) rule(i int, key, format string, args ...any) {
	*f = append(*f, Fault{Rule: i, Key: key, Text: fmt.Sprintf(format, args...)})
}

func (f *Faults) zone(name, key, format string, args ...any) {
	*f = append(*f, Fault{Rule: -1, Zone: name, Key: key, Text: fmt.Sprintf(format, args...)})
}

// quoted joins names for a sentence: "a", "b" or "c".
func quoted(names []string, last string) string {
	q := make([]string, len(names))
	for i, name := range names {
		q[i] = fmt.Sprintf("%q", name)
	}
	return join(q, last)
}

// join puts commas between names and a word before the last: a, b or c.
func join(names []string, last string) string {
	n := len(names)
	if n < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:n-1], ", ") + " " + last + " " + names[n-1]
}
