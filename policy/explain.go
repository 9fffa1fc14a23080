package policy

import (
	"fmt"
	"strings"
)

// Line tells what one rule had to say to an attempt.
type Line struct {
	Rule    string `json:"rule"`
	Match   bool   `json:"match"`
	Decides bool   `json:"decides"` // the first that matches; at most one line
	Why     string `json:"why"`     // plain words: the first condition that fails, or what follows
}

// Explain goes through every rule in order and says whether it matches and
// why. It never disagrees with [Policy.Decide].
func (p *Policy) Explain(a Attempt) []Line {
	first := p.first(&a)
	if p == nil {
		return nil
	}
	lines := make([]Line, len(p.rules))
	for i := range p.rules {
		r := &p.rules[i]
		line := Line{Rule: r.Name}
		switch failed := r.fails(&a); {
		case failed != none:
			line.Why = r.differs(failed, &a)
		case r != first:
			line.Match = true
			line.Why = fmt.Sprintf("would match, but %q comes first", first.Name)
		default:
			line.Match, line.Decides = true, true
			line.Why = told(p.Decide(a))
		}
		lines[i] = line
	}
	return lines
}

// differs says what the attempt has and what the rule wants.
func (r *rule) differs(c condition, a *Attempt) string {
	has := func(name, value string) string {
		if value == "" {
			return name + " is not known"
		}
		return name + " is " + value
	}
	wants := func(list []string) string { return ", rule wants " + join(list, "or") }
	switch c {
	case byDoor:
		return has("door", a.Door) + wants(r.Door)
	case byService:
		return has("service", a.Service) + wants(r.Service)
	case byZone:
		return has("zone", a.Zone) + wants(r.Zone)
	case byUser:
		return has("user", a.User) + wants(r.User)
	}
	if len(a.Groups) == 0 {
		return "person is in no group" + wants(r.Group)
	}
	return "groups are " + join(a.Groups, "and") + wants(r.Group)
}

// told puts a decision into words.
func told(d Decision) string {
	switch {
	case d.Verdict == Allow:
		return "admits: " + Need(d.Proves).String() + " shown"
	case d.Verdict == Ask:
		open := make([]string, len(d.Need))
		for i, need := range d.Need {
			open[i] = need.String()
		}
		return "asks for " + strings.Join(open, " or ")
	case d.Why == WhyThrottled:
		return "matches, but too many attempts failed; refused for now"
	}
	return "denies"
}
