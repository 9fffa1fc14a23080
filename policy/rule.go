package policy

import (
	"path"
	"slices"
	"strings"
	"time"
)

// rule is a Rule made ready: defaults filled in, every answer laid out.
type rule struct {
	Rule
	users  []glob
	groups []glob
	needs  []set

	// open lists what is missing, by the set of fresh factors; nil where an
	// alternative is shown in full.
	open [sets][]Need
}

const (
	defaultTicket  = 12 * time.Hour
	defaultOutside = time.Hour // idle
)

// compile fills the defaults in. The rule has been checked.
func compile(given Rule) rule {
	r := rule{Rule: given, users: globs(given.User), groups: globs(given.Group)}
	if r.Ticket == 0 {
		r.Ticket = defaultTicket
	}
	if r.Idle == 0 {
		r.Idle = r.Ticket
		if r.outside() {
			r.Idle = min(r.Ticket, defaultOutside)
		}
	}
	if r.Reuse == 0 {
		r.Reuse = r.Ticket
	}
	for _, need := range r.Need {
		r.needs = append(r.needs, setOf(need))
	}
	for shown := range set(sets) {
		r.open[shown] = r.missing(shown)
	}
	return r
}

// missing reduces each alternative to what is not yet shown. Two that have
// become the same are one.
func (r *rule) missing(shown set) []Need {
	var open []Need
	var seen []set
	for _, need := range r.needs {
		rest := need &^ shown
		if rest == 0 {
			return nil
		}
		if !slices.Contains(seen, rest) {
			seen = append(seen, rest)
			open = append(open, rest.list())
		}
	}
	return open
}

// outside says whether the rule can match somebody off campus.
func (r *Rule) outside() bool {
	return len(r.Zone) == 0 || slices.Contains(r.Zone, OffCampus)
}

// repeat is the rule's own, else the door's default: a NAS asks its second
// server with the same credential when the first answer was lost. By session
// is added to that, where there are sessions.
func (r *rule) repeat(door string) Repeat {
	switch {
	case r.Repeat != nil && !r.Repeat.Session:
		return *r.Repeat
	case door == DoorRADIUS:
		return Repeat{Idle: 15 * time.Second, Max: 15 * time.Second, Answers: 3, Session: r.Repeat != nil}
	}
	return Repeat{}
}

// condition names one condition of a rule.
type condition int

const (
	none condition = iota
	byDoor
	byService
	byZone
	byUser
	byGroup
)

// fails returns the first condition that the attempt does not meet; none if
// the rule matches.
func (r *rule) fails(a *Attempt) condition {
	switch {
	case !among(r.Door, a.Door):
		return byDoor
	case !among(r.Service, a.Service):
		return byService
	case !among(r.Zone, a.Zone):
		return byZone
	case len(r.users) > 0 && !anyMatches(r.users, a.User):
		return byUser
	case len(r.groups) > 0 && !slices.ContainsFunc(a.Groups, func(g string) bool { return anyMatches(r.groups, g) }):
		return byGroup
	}
	return none
}

// among says whether a condition's list lets the value through.
func among(list []string, value string) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// glob is a pattern for a name.
type glob struct {
	pattern string
	literal bool
}

func globs(patterns []string) []glob {
	var list []glob
	for _, p := range patterns {
		list = append(list, glob{p, !strings.ContainsAny(p, `*?[\`)})
	}
	return list
}

func (g glob) matches(name string) bool {
	if g.literal {
		return g.pattern == name
	}
	ok, err := path.Match(g.pattern, name)
	return ok && err == nil
}

func anyMatches(list []glob, name string) bool {
	for _, g := range list {
		if g.matches(name) {
			return true
		}
	}
	return false
}
