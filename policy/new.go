package policy

import (
	"path"
	"slices"
	"strings"
	"time"
)

// Policy is a checked list of rules. It does not change, so any number of
// goroutines may ask it at once. The nil Policy denies everything.
type Policy struct {
	rules  []rule
	proves [sets][]Factor // each set of factors, spelled out
	world  world
}

// New checks the rules and makes them ready. services are the services that
// exist; nil lets a rule name any. The error is of type [Faults] and lists
// everything at once: doubled names; doors, zones, services and factors that
// do not exist; patterns that can't be read; a rule that neither needs nor
// denies, or both; times that contradict each other; and a rule that can
// never match because earlier rules leave nothing for it.
func New(zones *Zones, services []string, rules []Rule) (*Policy, error) {
	p := &Policy{world: newWorld(zones, services, rules)}
	var faults Faults
	var sound []rule // the others would only raise faults that follow from their own
	for i := range rules {
		before := len(faults)
		checkName(&faults, rules, i)
		checkConditions(&faults, zones, services, i, &rules[i])
		checkNeed(&faults, i, &rules[i])
		checkTimes(&faults, i, &rules[i])
		checkRepeat(&faults, i, rules[i].Repeat)
		r := compile(rules[i])
		p.rules = append(p.rules, r)
		if len(faults) > before {
			continue
		}
		if names := p.world.shadows(sound, &r); names != nil {
			word := "rule"
			if len(names) > 1 {
				word = "rules"
			}
			faults.rule(i, "", "can never match, %s %s before it take everything; move it up or take it out", word, quoted(names, "and"))
			continue
		}
		sound = append(sound, r)
	}
	for s := range set(sets) {
		p.proves[s] = s.list()
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	return p, nil
}

func checkName(faults *Faults, rules []Rule, i int) {
	name := rules[i].Name
	if strings.TrimSpace(name) == "" {
		faults.rule(i, "name", "is missing; name the rule, the book will call it so")
		return
	}
	for k := range i {
		if rules[k].Name == name {
			faults.rule(i, "name", "%q is the name of rule[%d], too; give each its own", name, k)
			return
		}
	}
}

func checkConditions(faults *Faults, zones *Zones, services []string, i int, r *Rule) {
	checkAmong(faults, i, "door", r.Door, []string{DoorRADIUS, DoorLDAP, DoorWeb})
	if services != nil {
		checkAmong(faults, i, "service", r.Service, services)
	}
	checkAmong(faults, i, "zone", r.Zone, zones.Names())
	checkGlobs(faults, i, "user", r.User)
	checkGlobs(faults, i, "group", r.Group)
	for _, pattern := range r.User {
		if lower := strings.ToLower(pattern); lower != pattern {
			faults.rule(i, "user", "%q can't match, names are judged in lower case; write %q", pattern, lower)
		}
	}
}

func checkAmong(faults *Faults, i int, key string, list, known []string) {
	for _, value := range list {
		switch {
		case slices.Contains(known, value):
		case len(known) == 0:
			faults.rule(i, key, "%q does not exist, there is no %s yet; take it out", value, key)
		default:
			faults.rule(i, key, "%q does not exist; there is %s", value, quoted(known, "and"))
		}
	}
}

func checkGlobs(faults *Faults, i int, key string, patterns []string) {
	for _, pattern := range patterns {
		if pattern == "" {
			faults.rule(i, key, "holds an empty name; take it out")
		}
		if _, err := path.Match(pattern, ""); err != nil {
			faults.rule(i, key, "%q is not a pattern; close the bracket or put a backslash before it", pattern)
		}
	}
}

func checkNeed(faults *Faults, i int, r *Rule) {
	switch {
	case r.Deny && len(r.Need) > 0:
		faults.rule(i, "need", "contradicts deny; keep one of them")
		return
	case r.Deny && (r.Ticket != 0 || r.Idle != 0 || r.Reuse != 0 || r.Repeat != nil):
		faults.rule(i, "deny", "gives no ticket; take ticket, idle, reuse and repeat out")
		return
	case !r.Deny && len(r.Need) == 0:
		faults.rule(i, "need", `is missing; write need = ["password"], or deny = true`)
		return
	}
	var before []Need
	for _, need := range r.Need {
		if checkFactors(faults, i, need) {
			for _, other := range before {
				switch a, b := setOf(need), setOf(other); {
				case a == b:
					faults.rule(i, "need", "%q stands twice; take one out", need)
				case b.within(a):
					faults.rule(i, "need", "%q is never asked for, %q suffices; take one out", need, other)
				case a.within(b):
					faults.rule(i, "need", "%q is never asked for, %q suffices; take one out", other, need)
				}
			}
			before = append(before, need)
		}
	}
}

// checkFactors returns whether the alternative is sound by itself.
func checkFactors(faults *Faults, i int, need Need) bool {
	if len(need) == 0 {
		faults.rule(i, "need", "has an empty alternative, which would admit anybody; take it out")
		return false
	}
	var seen set
	for _, f := range need {
		switch bit := f.bit(); {
		case bit == 0:
			names := make([]string, len(factors))
			for k, known := range factors {
				names[k] = string(known)
			}
			faults.rule(i, "need", "%q is not a factor; there is %s", string(f), quoted(names, "and"))
			return false
		case bit&seen != 0:
			faults.rule(i, "need", "%q names %s twice; once is enough", need, f)
			return false
		default:
			seen |= bit
		}
	}
	if len(need) > 1 && seen&AppPassword.bit() != 0 {
		faults.rule(i, "need", "%q can't be shown, %s is typed in place of all else; make it an alternative of its own", need, AppPassword)
		return false
	}
	return true
}

func checkTimes(faults *Faults, i int, r *Rule) {
	ticket := r.Ticket
	if ticket == 0 {
		ticket = defaultTicket
	}
	for _, t := range []struct {
		key   string
		value time.Duration
	}{{"ticket", r.Ticket}, {"idle", r.Idle}, {"reuse", r.Reuse}} {
		switch {
		case t.value < 0:
			faults.rule(i, t.key, "is negative; write a time such as 10h")
		case ticket > 0 && t.value > ticket:
			faults.rule(i, t.key, "%v is longer than the ticket lives, %v; shorten it or lengthen the ticket", t.value, ticket)
		}
	}
}

func checkRepeat(faults *Faults, i int, r *Repeat) {
	switch {
	case r == nil:
	case r.Idle < 0 || r.Max < 0 || r.Answers < 0:
		faults.rule(i, "repeat", "has a negative value; write such as idle = 2m, max = 10m")
	case (r.Idle == 0) != (r.Max == 0):
		faults.rule(i, "repeat", "wants both idle and max, or neither; without them a code is good once")
	case r.Idle > r.Max:
		faults.rule(i, "repeat", "has an idle of %v that its max of %v can't reach; idle is the shorter one", r.Idle, r.Max)
	case r.Answers > 0 && r.Max == 0 && !r.Session:
		faults.rule(i, "repeat", "counts answers but gives no time for them; add idle and max")
	}
}

// Unprovable returns a fault for each rule that asks for what none of its
// doors can take. proves lists what each door can take; a door that is not
// in it is closed; if all are, there is nothing to say.
func Unprovable(rules []Rule, proves map[string][]Factor) Faults {
	if len(proves) == 0 {
		return nil
	}
	var faults Faults
	for i, r := range rules {
		if r.Deny || len(r.Need) == 0 {
			continue
		}
		open, provable := false, false
		for door, can := range proves {
			if !among(r.Door, door) {
				continue
			}
			open = true
			for _, need := range r.Need {
				provable = provable || setOf(need).within(setOf(can))
			}
		}
		switch {
		case !open:
			faults.rule(i, "door", "names only doors that are closed here: %s; open one or take the rule out", quoted(r.Door, "and"))
		case !provable:
			faults.rule(i, "need", "can't be shown at any door of this rule; add an alternative that can, such as \"password+otp\"")
		}
	}
	return faults
}
