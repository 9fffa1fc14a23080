// Package tree is the embedded directory: the people and groups of the local
// accounts as programs look them up, below ou=people and ou=groups of the
// base. Nothing is ever written.
//
// A [Forest] has the present tree, a snapshot that is built anew when accounts
// have changed. One search, told: its filter is compiled to clauses in
// three-valued logic (clause.go), the indexes tell which entries may fit
// (plan.go), each of these is matched (match.go), and what fits is rendered as
// it was asked for (render.go).
package tree

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/directory"
)

// The entries that every tree has, by their ids. Behind them come the service
// accounts, the groups and the people, each in the order of names.
const (
	idRoot      uint32 = iota // the root DSE
	idRootTLS                 // the root DSE where StartTLS is offered
	idSubschema               // cn=Subschema
	idBase                    // the first that lies in the tree
	idPeople                  // ou=people
	idGroups                  // ou=groups
	idServices                // ou=services
	firstID                   // of all the others
	noID        = ^uint32(0)
)

// tree is the embedded directory at one moment. It never changes, so many
// read it at once. A person takes some 140 octets beside the name, display
// name and address: entries are made when they are asked for.
type tree struct {
	posix    Posix
	base     [][]string // canonical parts of each RDN, the first one first
	baseType attr       // of the first of them
	baseName string
	dns      [firstID]string
	fixed    [firstID]fixedEntry
	space    [16]byte // of the UUIDs

	services []service
	groups   []group
	people   []person
	groupsAt uint32   // the id of the first group
	peopleAt uint32   // the id of the first person
	end      uint32   // behind the last
	joined   []uint32 // ids of groups, person by person
	seed     maphash.Seed
	index    []uint64 // hash of attribute and value above, id below; in order
}

// fixedEntry is an entry that is not made from an account.
type fixedEntry map[attr][]string

type service struct {
	kind attr // uid or cn
	name string
}

type group struct {
	name    string
	members []uint32 // ids, ascending
	gid     int64    // 0: no POSIX group
}

type person struct {
	name, display, mail string
	uidNumber           int64
	created             int64 // Unix seconds; 0: unknown
	joins, joined       uint32
}

// newTree makes the tree below a base, whose first part is dc=, o= or ou=.
// services are DNs; those that lie right below ou=services are shown.
func newTree(base string, posix Posix, services []string, people func(each func(directory.Entry) error) error) (*tree, error) {
	t := &tree{posix: posix, seed: maphash.MakeSeed()}
	if err := t.plant(base); err != nil {
		return nil, fmt.Errorf("base %q: %w", base, err)
	}
	t.addServices(services)

	groups := make(map[string]uint32) // places in t.groups, by prepared name
	for _, name := range slices.Sorted(maps.Keys(posix.Groups)) {
		t.groups[t.addGroup(groups, name)].gid = posix.Groups[name]
	}
	err := people(func(e directory.Entry) error {
		if strings.TrimSpace(e.Name) == "" {
			return nil // no DN can name such a one
		}
		p := person{name: e.Name, display: strings.TrimSpace(e.Display), mail: e.Mail, uidNumber: e.UIDNumber, joins: uint32(len(t.joined))}
		if !e.Created.IsZero() {
			p.created = e.Created.Unix()
		}
		for _, name := range e.Groups {
			if strings.TrimSpace(name) == "" {
				continue
			}
			at := t.addGroup(groups, name)
			if !slices.Contains(t.joined[p.joins:], at) {
				t.joined = append(t.joined, at)
			}
		}
		p.joined = uint32(len(t.joined))
		t.people = append(t.people, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the people: %w", err)
	}
	t.order()
	t.fillFixed()
	t.fillIndex()
	return t, nil
}

// plant reads the base and names the fixed entries.
func (t *tree) plant(base string) error {
	dn, err := ldap.ParseDN(base)
	if err != nil {
		return err
	}
	if len(dn.RDNs) == 0 {
		return errors.New("is empty")
	}
	for _, rdn := range dn.RDNs {
		t.base = append(t.base, CanonicalRDN(rdn))
	}
	first := dn.RDNs[0].Attributes
	a, ok := rdnType(first[0])
	if !ok || len(first) != 1 || a != attrDC && a != attrO && a != attrOU {
		return errors.New("must begin with dc=, o= or ou=")
	}
	t.baseType, t.baseName = a, first[0].Value
	t.dns = [...]string{idSubschema: subschemaDN, idBase: base,
		idPeople: "ou=people," + base, idGroups: "ou=groups," + base, idServices: "ou=services," + base}
	t.space = uuidSpace(t.base)
	return nil
}

// addGroup gives the place of the group of this name, in whatever case.
func (t *tree) addGroup(groups map[string]uint32, name string) uint32 {
	key := string(prepare(nil, name, true))
	at, ok := groups[key]
	if !ok {
		at = uint32(len(t.groups))
		groups[key] = at
		t.groups = append(t.groups, group{name: name})
	}
	return at
}

func (t *tree) addServices(dns []string) {
	for _, text := range dns {
		dn, err := ldap.ParseDN(text)
		if err != nil || len(dn.RDNs) != len(t.base)+2 || len(dn.RDNs[0].Attributes) != 1 {
			continue
		}
		above := CanonicalRDN(dn.RDNs[1])
		if !slices.Equal(above, []string{"ou=services"}) || !t.below(dn.RDNs[2:]) {
			continue
		}
		name := dn.RDNs[0].Attributes[0]
		a, ok := rdnType(name)
		if !ok || a != attrUID && a != attrCN || strings.TrimSpace(name.Value) == "" {
			continue
		}
		same := func(s service) bool {
			return s.kind == a && string(prepare(nil, s.name, true)) == string(prepare(nil, name.Value, true))
		}
		if !slices.ContainsFunc(t.services, same) {
			t.services = append(t.services, service{a, name.Value})
		}
	}
}

// order sorts what was read, gives it ids and tells the groups their members.
func (t *tree) order() {
	slices.SortFunc(t.services, func(a, b service) int { return strings.Compare(a.name, b.name) })
	byName := func(a, b person) int { return strings.Compare(a.name, b.name) }
	if !slices.IsSortedFunc(t.people, byName) {
		slices.SortFunc(t.people, byName)
	}
	t.groupsAt = firstID + uint32(len(t.services))
	t.peopleAt = t.groupsAt + uint32(len(t.groups))
	t.end = t.peopleAt + uint32(len(t.people))

	places := make([]uint32, len(t.groups))
	for i := range places {
		places[i] = uint32(i)
	}
	slices.SortFunc(places, func(a, b uint32) int { return strings.Compare(t.groups[a].name, t.groups[b].name) })
	sorted := make([]group, len(t.groups))
	ids := make([]uint32, len(t.groups)) // by the place before
	for i, from := range places {
		sorted[i] = t.groups[from]
		ids[from] = t.groupsAt + uint32(i)
	}
	t.groups = sorted

	for i, from := range t.joined {
		t.joined[i] = ids[from]
	}
	for id := t.peopleAt; id < t.end; id++ {
		joined := t.groupsOf(id)
		slices.Sort(joined)
		for _, group := range joined {
			g := t.group(group)
			g.members = append(g.members, id)
		}
	}
}

func (t *tree) service(id uint32) *service { return &t.services[id-firstID] }
func (t *tree) group(id uint32) *group     { return &t.groups[id-t.groupsAt] }
func (t *tree) person(id uint32) *person   { return &t.people[id-t.peopleAt] }
