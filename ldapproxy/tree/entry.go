package tree

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The object classes of entries, and in which order attributes are sent.
var (
	personClasses  = []string{"top", "person", "organizationalPerson", "inetOrgPerson"}
	posixClasses   = append(slices.Clip(slices.Clone(personClasses)), "posixAccount")
	groupClasses   = []string{"top", "groupOfNames"}
	posixGroups    = append(slices.Clip(slices.Clone(groupClasses)), "posixGroup")
	accountClasses = []string{"top", "account"}            // a service named by uid
	processClasses = []string{"top", "applicationProcess"} // and one by cn

	operational = []attr{attrStructuralClass, attrEntryUUID, attrCreateTimestamp, attrEntryDN,
		attrSubschemaSubentry, attrHasSubordinates}
	personAttributes = append([]attr{attrObjectClass, attrUID, attrCN, attrSN, attrDisplayName, attrMail,
		attrUIDNumber, attrGIDNumber, attrHomeDirectory, attrLoginShell, attrMemberOf}, operational...)
	groupAttributes   = append([]attr{attrObjectClass, attrCN, attrGIDNumber, attrMember, attrMemberUID}, operational...)
	serviceAttributes = append([]attr{attrObjectClass, attrUID, attrCN}, operational...)
	fixedAttributes   = append([]attr{attrObjectClass, attrDC, attrO, attrOU, attrCN}, append(operational,
		attrNamingContexts, attrSupportedControl, attrSupportedExtension, attrSupportedFeatures, attrSupportedLDAPVersion,
		attrVendorName, attrAttributeTypes, attrObjectClasses, attrMatchingRules, attrLDAPSyntaxes)...)
)

// attributes are those that an entry may have, in the order they are sent.
func (t *tree) attributes(id uint32) []attr {
	switch {
	case id >= t.peopleAt:
		return personAttributes
	case id >= t.groupsAt:
		return groupAttributes
	case id >= firstID:
		return serviceAttributes
	}
	return fixedAttributes
}

// fillFixed makes the entries that are not made from accounts.
func (t *tree) fillFixed() {
	t.fixed[idRoot] = rootDSE(false)
	t.fixed[idRootTLS] = rootDSE(true)
	t.fixed[idSubschema] = subschema()

	class := map[attr]string{attrDC: "domain", attrO: "organization", attrOU: "organizationalUnit"}[t.baseType]
	t.fixed[idBase] = fixedEntry{t.baseType: {t.baseName}, attrObjectClass: {"top", class}, attrStructuralClass: {class}, attrHasSubordinates: {"TRUE"}}
	for i, name := range containers {
		id := idPeople + uint32(i)
		below := t.children(id)
		t.fixed[id] = fixedEntry{
			attrOU: {name}, attrObjectClass: {"top", "organizationalUnit"}, attrStructuralClass: {"organizationalUnit"},
			attrHasSubordinates: {strings.ToUpper(strconv.FormatBool(below.from < below.to))},
		}
	}
}

// texts appends an entry's values of an attribute that is text of any kind.
func (t *tree) texts(dst []string, id uint32, a attr) []string {
	if a == attrEntryUUID && id >= idBase {
		return append(dst, t.uuid(id))
	}
	if id < firstID {
		return append(dst, t.fixed[id][a]...)
	}
	if a == attrHasSubordinates {
		return append(dst, "FALSE")
	}
	switch {
	case id < t.groupsAt:
		return t.service(id).texts(dst, a)
	case id < t.peopleAt:
		return t.groupTexts(dst, t.group(id), a)
	}
	return t.personTexts(dst, t.person(id), a)
}

func (s *service) texts(dst []string, a attr) []string {
	classes := accountClasses
	if s.kind == attrCN {
		classes = processClasses
	}
	switch a {
	case attrObjectClass:
		return append(dst, classes...)
	case attrStructuralClass:
		return append(dst, classes[1])
	case s.kind:
		return append(dst, s.name)
	}
	return dst
}

func (t *tree) groupTexts(dst []string, g *group, a attr) []string {
	switch a {
	case attrObjectClass:
		if g.gid != 0 {
			return append(dst, posixGroups...)
		}
		return append(dst, groupClasses...)
	case attrStructuralClass:
		return append(dst, "groupOfNames")
	case attrCN:
		return append(dst, g.name)
	case attrMemberUID:
		for _, id := range g.members {
			dst = append(dst, t.person(id).name)
		}
	}
	return dst
}

func (t *tree) personTexts(dst []string, p *person, a attr) []string {
	value := ""
	switch a {
	case attrObjectClass:
		if p.uidNumber != 0 {
			return append(dst, posixClasses...)
		}
		return append(dst, personClasses...)
	case attrStructuralClass:
		value = "inetOrgPerson"
	case attrUID:
		value = p.name
	case attrCN:
		value = p.fullName()
	case attrSN:
		value = p.surname()
	case attrDisplayName:
		value = p.display
	case attrMail:
		value = p.mail
	case attrHomeDirectory:
		if p.uidNumber != 0 {
			value = strings.ReplaceAll(t.posix.Home, "%u", p.name)
		}
	case attrLoginShell:
		if p.uidNumber != 0 {
			value = t.posix.Shell
		}
	}
	if value == "" {
		return dst
	}
	return append(dst, value)
}

// fullName is what the person is called, or else the account.
func (p *person) fullName() string {
	if p.display != "" {
		return p.display
	}
	return p.name
}

// surname is the last word of the full name; of a name in kanji or kana it is
// the first, since there the family comes first.
func (p *person) surname() string {
	full := p.fullName()
	words := strings.Fields(full)
	switch {
	case len(words) == 0:
		return full
	case strings.ContainsFunc(full, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }):
		return words[0]
	}
	return words[len(words)-1]
}

// number is an entry's value of an integer or a time, in microseconds.
func (t *tree) number(id uint32, a attr) (int64, bool) {
	switch {
	case id >= t.peopleAt:
		p := t.person(id)
		switch a {
		case attrUIDNumber:
			return p.uidNumber, p.uidNumber != 0
		case attrGIDNumber:
			return t.posix.GID, p.uidNumber != 0
		case attrCreateTimestamp:
			return p.created * 1e6, p.created != 0
		}
	case id >= t.groupsAt:
		if a == attrGIDNumber {
			gid := t.group(id).gid
			return gid, gid != 0
		}
	case id <= idRootTLS:
		return 3, a == attrSupportedLDAPVersion
	}
	return 0, false
}

// links appends the ids of the entries that an attribute names.
func (t *tree) links(dst []uint32, id uint32, a attr) []uint32 {
	switch a {
	case attrMember:
		if t.groupsAt <= id && id < t.peopleAt {
			return append(dst, t.group(id).members...)
		}
	case attrMemberOf:
		if id >= t.peopleAt {
			return append(dst, t.groupsOf(id)...)
		}
	case attrEntryDN:
		if id > idRootTLS {
			return append(dst, id)
		}
	case attrSubschemaSubentry:
		return append(dst, idSubschema)
	case attrNamingContexts:
		if id <= idRootTLS {
			return append(dst, idBase)
		}
	}
	return dst
}

// linked reports whether the attribute names that entry.
func (t *tree) linked(id uint32, a attr, to uint32) bool {
	switch a {
	case attrMember:
		if t.groupsAt <= id && id < t.peopleAt {
			_, ok := slices.BinarySearch(t.group(id).members, to)
			return ok
		}
		return false
	case attrMemberOf:
		return id >= t.peopleAt && slices.Contains(t.groupsOf(id), to)
	}
	var room [1]uint32
	return slices.Contains(t.links(room[:0], id, a), to)
}

func (t *tree) groupsOf(id uint32) []uint32 {
	p := t.person(id)
	return t.joined[p.joins:p.joined]
}

// values appends an entry's values of an attribute as they are sent.
func (t *tree) values(dst []string, id uint32, a attr) []string {
	switch a.kind() {
	case kindInteger:
		if n, ok := t.number(id, a); ok {
			dst = append(dst, decimal(n))
		}
	case kindTime:
		if n, ok := t.number(id, a); ok {
			dst = append(dst, time.UnixMicro(n).UTC().Format(timeLayout))
		}
	case kindDN:
		for _, to := range t.links(nil, id, a) {
			dst = append(dst, t.dn(to))
		}
	default:
		dst = t.texts(dst, id, a)
	}
	return dst
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
