package tree

import (
	"iter"
	"slices"
	"strings"
)

// candidates are entries of the tree, among them all for which a clause is
// true. The root DSE and the subschema do not lie in the tree.
type candidates struct {
	all   bool     // nothing is known: look at every entry
	ids   []uint32 // in order; or else
	spans []span   // in order
}

func (s candidates) size() int {
	n := len(s.ids)
	for _, s := range s.spans {
		n += int(s.to - s.from)
	}
	return n
}

// plan finds the candidates of a clause by the indexes.
func (t *tree) plan(c *clause) candidates {
	switch c.op {
	case opConstant:
		return candidates{all: c.truth == yes}
	case opAnd:
		best := candidates{all: true}
		for i := range c.children {
			if s := t.plan(&c.children[i]); !s.all && (best.all || s.size() < best.size()) {
				best = s
			}
		}
		return best
	case opOr:
		return t.union(c.children)
	case opWithin:
		return candidates{spans: c.spans}
	case opEqual:
		return t.equals(c)
	}
	return candidates{all: true}
}

// worthMerging is how many runs of candidates are brought into one order at
// most. With more of them it is as quick to look at every entry, and no filter
// makes us sort for long.
const worthMerging = 1024

// union is the candidates of a disjunction.
func (t *tree) union(children []clause) candidates {
	var sum candidates
	var runs []span
	for i := range children {
		s := t.plan(&children[i])
		switch {
		case s.all:
			return s
		case s.size() == 0:
			continue
		case sum.size() == 0:
			sum = s
			continue
		case runs == nil:
			runs = sum.appendRuns(nil)
		}
		if runs = s.appendRuns(runs); len(runs) > worthMerging {
			return candidates{all: true}
		}
	}
	if runs == nil {
		return sum
	}
	return candidates{spans: merge(runs)}
}

// appendRuns appends the candidates as spans, not many more than are worth it.
func (s candidates) appendRuns(runs []span) []span {
	runs = append(runs, s.spans...)
	for _, id := range s.ids[:min(len(s.ids), worthMerging+1)] {
		runs = append(runs, span{id, id + 1})
	}
	return runs
}

// merge brings spans into order, none overlapping another, where they are.
func merge(spans []span) []span {
	if len(spans) < 2 {
		return spans
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.from) - int(b.from) })
	merged := spans[:1]
	for _, s := range spans[1:] {
		if last := &merged[len(merged)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// equals is the candidates of an equality.
func (t *tree) equals(c *clause) candidates {
	switch c.attr {
	case attrUID, attrCN, attrMail:
		if !c.exact {
			return candidates{ids: t.indexed(c.attr, c.text)}
		}
	case attrEntryUUID:
		return candidates{ids: t.indexed(c.attr, c.text)}
	case attrUIDNumber:
		return candidates{ids: t.indexed(c.attr, decimal(c.number))}
	case attrGIDNumber:
		spans := []span{{t.groupsAt, t.peopleAt}}
		if c.number == t.posix.GID {
			spans[0].to = t.end
		}
		return candidates{spans: spans}
	case attrObjectClass:
		return t.classed(c.text)
	case attrMember:
		if c.link != noID && c.link >= t.peopleAt {
			return candidates{ids: t.groupsOf(c.link)}
		}
		return candidates{}
	case attrMemberOf:
		if t.groupsAt <= c.link && c.link < t.peopleAt {
			return candidates{ids: t.group(c.link).members}
		}
		return candidates{}
	case attrEntryDN:
		if c.link != noID {
			return candidates{ids: []uint32{c.link}}
		}
		return candidates{}
	}
	return candidates{all: true}
}

// classed is the entries of an object class.
func (t *tree) classed(class string) candidates {
	var spans []span
	for id := idBase; id < firstID; id++ {
		if slices.Contains(t.fixed[id][attrObjectClass], class) {
			spans = append(spans, span{id, id + 1})
		}
	}
	for _, of := range []struct {
		classes []string
		span    span
	}{
		{append(slices.Clone(accountClasses), processClasses...), span{firstID, t.groupsAt}},
		{posixGroups, span{t.groupsAt, t.peopleAt}},
		{posixClasses, span{t.peopleAt, t.end}},
	} {
		if slices.Contains(of.classes, class) {
			spans = append(spans, of.span)
		}
	}
	return candidates{spans: spans}
}

// inNames is the entries in whose DNs, above their own parts, an equality of
// text holds (RFC 4511 §4.5.1.7.7: dnAttributes).
func (t *tree) inNames(c clause) []span {
	holds := func(part string) bool {
		name, value, _ := strings.Cut(part, "=")
		a, ok := attributeNamed(name)
		return ok && c.op == opEqual && a == c.attr && value == c.text
	}
	for _, rdn := range t.base {
		if slices.ContainsFunc(rdn, holds) {
			return []span{{idBase, t.end}}
		}
	}
	for i, name := range containers {
		if holds("ou=" + name) {
			return []span{t.children(idPeople + uint32(i))}
		}
	}
	return nil
}

// entries goes through the candidates that lie in a scope, from an id on.
func (s candidates) entries(scope []span, from uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, id := range s.ids {
			if id >= from && within(scope, id) && !yield(id) {
				return
			}
		}
		spans := s.spans
		if s.all {
			spans = scope
		}
		for _, run := range spans {
			for id := max(run.from, from); id < run.to; id++ {
				if within(scope, id) && !yield(id) {
					return
				}
			}
		}
	}
}
