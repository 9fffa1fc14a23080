package tree

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/directory"
)

// containers are the entries right below the base, in the order of their ids.
var containers = [...]string{"people", "groups", "services"}

var errNoDN = errors.New("not a DN")

// CanonicalRDN is the parts of an RDN in the one form in which equal ones are
// equal: the attribute's own name, and the value as it is compared.
func CanonicalRDN(rdn *ldap.RelativeDN) []string {
	parts := make([]string, len(rdn.Attributes))
	for i, part := range rdn.Attributes {
		name := strings.ToLower(part.Type)
		if a, ok := rdnType(part); ok {
			name = a.name()
		}
		parts[i] = string(prepare([]byte(name+"="), part.Value, true))
	}
	slices.Sort(parts)
	return parts
}

func rdnType(part *ldap.AttributeTypeAndValue) (attr, bool) {
	return attributeNamed(strings.TrimPrefix(strings.ToLower(part.Type), "oid."))
}

// below reports whether these RDNs are the tree's base.
func (t *tree) below(rdns []*ldap.RelativeDN) bool {
	return slices.EqualFunc(t.base, rdns, func(ours []string, theirs *ldap.RelativeDN) bool {
		return slices.Equal(ours, CanonicalRDN(theirs))
	})
}

// find gives the entry of a DN, or noID and the nearest one above it that
// there is. An error means that this is no DN.
func (t *tree) find(dn string) (id, above uint32, err error) {
	for id := idBase; id < firstID; id++ {
		if t.dns[id] == dn { // as nearly all programs write it
			return id, id, nil
		}
	}
	if dn == "" {
		return idRoot, idRoot, nil
	}
	parsed, err := directory.ParseDN(dn)
	if err != nil {
		return noID, noID, err
	}
	rdns := parsed.RDNs
	if len(rdns) == 0 || !utf8.ValidString(dn) { // spaces alone; RFC 4511 §4.1.3
		return noID, noID, errNoDN
	}
	if len(rdns) == 1 && slices.Equal(CanonicalRDN(rdns[0]), []string{"cn=subschema"}) {
		return idSubschema, idSubschema, nil
	}
	from := len(rdns) - len(t.base)
	if from < 0 || !t.below(rdns[from:]) {
		return noID, noID, nil
	}
	id, above = idBase, idBase
	for i := from - 1; i >= 0; i-- {
		if id = t.child(above, rdns[i]); id == noID {
			return noID, above, nil
		}
		above = id
	}
	return id, above, nil
}

// child is the entry of this RDN right below another.
func (t *tree) child(parent uint32, rdn *ldap.RelativeDN) uint32 {
	if len(rdn.Attributes) != 1 {
		return noID
	}
	kind, ok := rdnType(rdn.Attributes[0])
	if !ok {
		return noID
	}
	name := rdn.Attributes[0].Value
	value := string(prepare(nil, name, true))
	switch parent {
	case idBase:
		if i := slices.Index(containers[:], value); i >= 0 && kind == attrOU {
			return idPeople + uint32(i)
		}
	case idPeople:
		if kind == attrUID {
			return t.lookUp(kind, name, value, t.peopleAt, t.end)
		}
	case idGroups:
		if kind == attrCN {
			return t.lookUp(kind, name, value, t.groupsAt, t.peopleAt)
		}
	case idServices:
		return t.lookUp(kind, name, value, firstID, t.groupsAt)
	}
	return noID
}

// lookUp is the entry within these ids that has this naming value. Two may
// have names that compare as equal; then it is the one with this very name.
func (t *tree) lookUp(kind attr, name, value string, from, to uint32) uint32 {
	found := noID
	var room [2]string
	for _, id := range t.indexed(kind, value) {
		if id < from || id >= to {
			continue
		}
		for _, own := range t.texts(room[:0], id, kind) {
			if own == name {
				return id
			}
			if found == noID && string(prepare(nil, own, true)) == value {
				found = id
			}
		}
	}
	return found
}

// span is a run of ids, the last not included.
type span struct{ from, to uint32 }

// children are the entries right below another.
func (t *tree) children(id uint32) span {
	switch id {
	case idBase:
		return span{idPeople, firstID}
	case idPeople:
		return span{t.peopleAt, t.end}
	case idGroups:
		return span{t.groupsAt, t.peopleAt}
	case idServices:
		return span{firstID, t.groupsAt}
	}
	return span{}
}

// scope are the entries that a search looks at (RFC 4511 §4.5.1.2).
func (t *tree) scope(id uint32, scope int64) []span {
	self := span{id, id + 1}
	switch {
	case scope == scopeBase:
		return []span{self}
	case scope == ScopeOne:
		return []span{t.children(id)}
	case id == idBase:
		return []span{{idBase, t.end}}
	}
	return []span{self, t.children(id)}
}

// dn is an entry's name (RFC 4514).
func (t *tree) dn(id uint32) string {
	switch {
	case id < firstID:
		return t.dns[id]
	case id < t.groupsAt:
		s := t.service(id)
		return s.kind.name() + "=" + Escape(s.name) + "," + t.dns[idServices]
	case id < t.peopleAt:
		return "cn=" + Escape(t.group(id).name) + "," + t.dns[idGroups]
	}
	return "uid=" + Escape(t.person(id).name) + "," + t.dns[idPeople]
}

func Escape(value string) string {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			return ldap.EscapeDN(value)
		}
	}
	return value
}

// position is a place in the tree's order that means the same in the tree of
// another moment.
type position struct {
	rank uint32 // a fixed entry's id, or one of these
	name string
}

const (
	rankService = firstID + iota
	rankGroup
	rankPerson
)

func (t *tree) position(id uint32) position {
	switch {
	case id >= t.peopleAt:
		return position{rankPerson, t.person(id).name}
	case id >= t.groupsAt:
		return position{rankGroup, t.group(id).name}
	case id >= firstID:
		return position{rankService, t.service(id).name}
	}
	return position{rank: id}
}

// at is the first entry at a position or behind it.
func (t *tree) at(p position) uint32 {
	switch p.rank {
	case rankService:
		i, _ := slices.BinarySearchFunc(t.services, p.name, func(s service, name string) int { return strings.Compare(s.name, name) })
		return firstID + uint32(i)
	case rankGroup:
		i, _ := slices.BinarySearchFunc(t.groups, p.name, func(g group, name string) int { return strings.Compare(g.name, name) })
		return t.groupsAt + uint32(i)
	case rankPerson:
		i, _ := slices.BinarySearchFunc(t.people, p.name, func(p person, name string) int { return strings.Compare(p.name, name) })
		return t.peopleAt + uint32(i)
	}
	return p.rank
}
