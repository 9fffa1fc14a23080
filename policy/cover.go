package policy

import (
	"slices"
	"strings"
)

// Doors, services and zones are few, so what earlier rules leave for a later
// one is found by going through every combination; users and groups are
// many, so there one list must visibly hold the other. The search errs on one
// side only: a rule that it calls dead is dead.

// cell is one combination of what is countable.
type cell struct{ door, service, zone string }

// world is everything that can be asked for.
type world struct{ doors, services, zones []string }

func newWorld(zones *Zones, services []string, rules []Rule) world {
	w := world{doors: []string{DoorRADIUS, DoorLDAP, DoorWeb}, zones: zones.Names(), services: services}
	if services == nil {
		for _, r := range rules {
			w.services = append(w.services, r.Service...)
		}
	}
	if len(services) == 0 {
		w.services = append(w.services, "") // any other service
	}
	return w
}

// cells are the combinations that the rule's conditions let through.
func (w world) cells(r *rule) []cell {
	var cells []cell
	for _, door := range w.doors {
		for _, service := range w.services {
			for _, zone := range w.zones {
				if c := (cell{door, service, zone}); r.holds(c) {
					cells = append(cells, c)
				}
			}
		}
	}
	return cells
}

func (r *rule) holds(c cell) bool {
	return among(r.Door, c.door) && among(r.Service, c.service) && among(r.Zone, c.zone)
}

// before returns the first of the earlier rules that takes everything of r
// within one cell; nil if something is left.
func before(earlier []rule, r *rule, c cell) *rule {
	for i := range earlier {
		e := &earlier[i]
		if e.holds(c) && covers(e.users, r.users) && covers(e.groups, r.groups) {
			return e
		}
	}
	return nil
}

// shadows names the earlier rules that leave nothing for r; none if r can
// match.
func (w world) shadows(earlier []rule, r *rule) []string {
	var names []string
	for _, c := range w.cells(r) {
		e := before(earlier, r, c)
		if e == nil {
			return nil
		}
		if !slices.Contains(names, e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}

// covers says whether whatever matches one of the narrow patterns matches one
// of the wide ones, too. An empty list matches anything.
func covers(wide, narrow []glob) bool {
	if len(wide) == 0 {
		return true
	}
	if len(narrow) == 0 {
		return false
	}
	for _, n := range narrow {
		if !slices.ContainsFunc(wide, func(w glob) bool { return w.covers(n) }) {
			return false
		}
	}
	return true
}

// covers knows literals, equal patterns and a wide pattern that is a start
// and one star. A star does not pass a slash, but a character class may.
func (g glob) covers(narrow glob) bool {
	if g.pattern == narrow.pattern {
		return true
	}
	if narrow.literal {
		return g.matches(narrow.pattern)
	}
	start, star := strings.CutSuffix(g.pattern, "*")
	return star && !strings.ContainsAny(start, `*?[\`) &&
		strings.HasPrefix(narrow.pattern, start) && !strings.ContainsAny(narrow.pattern, `[\/`)
}
