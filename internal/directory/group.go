package directory

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"
)

const (
	maxGroups = 1000                      // of a person, with those that these are in
	atOnce    = 20                        // groups in one filter
	chain     = "1.2.840.113556.1.4.1941" // follows members of members, in Active Directory
)

// parents are the groups that a group is in.
type parents struct {
	dns []string
	at  time.Time
}

// tally is the groups found so far, by canonical DN.
type tally struct {
	names map[string]string
	err   error // there is one too many, or one that can't be used
}

// add counts the groups at these DNs and returns those that are new.
func (t *tally) add(dns []string) (fresh []string) {
	for _, dn := range dns {
		rdns, err := parts(dn)
		if err != nil {
			t.err = faulty("%q is no DN of a group", dn)
			return nil
		}
		key := strings.Join(rdns, ",")
		if _, there := t.names[key]; there {
			continue
		}
		if len(t.names) == maxGroups {
			t.err = faulty("there are more than %d groups", maxGroups)
			return nil
		}
		t.names[key] = dn
		fresh = append(fresh, dn)
	}
	return fresh
}

// groups are the names of the groups that a person is in. All of them or an
// error: a rule that keeps a group out must not miss it.
func (u *Upstream) groups(l *link, e *ldap.Entry, name string) ([]string, error) {
	t := tally{names: map[string]string{}}
	said, err := u.groupsOf(e)
	if err != nil {
		return nil, err
	}
	found, err := u.searched(l, e, name)
	if err != nil {
		return nil, err
	}
	level := t.add(append(said, found...))
	if u.Nested && u.ActiveDirectory {
		all, err := u.chained(l, append(found, e.DN))
		if err != nil {
			return nil, err
		}
		t.add(all)
		level = nil
	}
	for u.Nested && len(level) > 0 {
		above, err := u.above(l, level)
		if err != nil {
			return nil, err
		}
		level = t.add(above)
	}
	if t.err != nil {
		return nil, t.err
	}
	return u.groupNames(t)
}

// searched are the groups that do not stand in the person's entry.
func (u *Upstream) searched(l *link, e *ldap.Entry, name string) (found []string, err error) {
	if u.GroupFilter != "" {
		if found, err = u.dns(l, u.groupBase(), u.groupFilter(e.DN, name)); err != nil {
			return nil, err
		}
	}
	if !u.ActiveDirectory {
		return found, nil
	}
	filter := primaryGroup(e)
	if filter == "" {
		return found, nil
	}
	primary, err := u.dns(l, u.Base, filter)
	return append(found, primary...), err
}

// chained are the groups of Active Directory that one of these is in, however
// many others are between.
func (u *Upstream) chained(l *link, of []string) ([]string, error) {
	return u.inAny(l, of, func(dn string) string { return "(member:" + chain + ":=" + ldap.EscapeFilter(dn) + ")" })
}

// above are the groups that one of these groups is in.
func (u *Upstream) above(l *link, level []string) (above []string, err error) {
	if u.GroupFilter != "" {
		// No group is the person whose name it has.
		return u.inAny(l, level, func(dn string) string { return u.groupFilter(dn, "\x00") })
	}
	for _, dn := range level {
		more, err := u.parentsOf(l, dn)
		if err != nil {
			return nil, err
		}
		above = append(above, more...)
	}
	return above, nil
}

// inAny are the groups that a filter finds for one of these DNs.
func (u *Upstream) inAny(l *link, of []string, filter func(dn string) string) (dns []string, err error) {
	for some := range slices.Chunk(of, atOnce) {
		var either strings.Builder
		either.WriteString("(|")
		for _, dn := range some {
			either.WriteString(filter(dn))
		}
		either.WriteString(")")
		more, err := u.dns(l, u.groupBase(), either.String())
		if err != nil {
			return nil, err
		}
		dns = append(dns, more...)
	}
	return dns, nil
}

// parentsOf reads what a group says it is in. Groups are the same for many
// people, so it is believed as long as people are.
func (u *Upstream) parentsOf(l *link, dn string) ([]string, error) {
	u.mu.Lock()
	known, ok := u.parents.Get(dn)
	u.mu.Unlock()
	now := u.Now()
	if ok && now.Sub(known.at) < u.Cache {
		return known.dns, nil
	}
	ask := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, int(u.timeout().Seconds()), false,
		"(objectClass=*)", []string{u.Attributes.Group}, nil)
	result, err := l.Search(ask)
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultReferral, ldap.LDAPResultInsufficientAccessRights):
		return nil, nil // not to be seen, so nothing that it is in is
	case err != nil:
		return nil, err
	}
	var dns []string
	for _, e := range result.Entries {
		if dns, err = u.groupsOf(e); err != nil {
			return nil, err
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parents.Put(dn, parents{dns, now})
	return dns, nil
}

// groupsOf are the DNs in the attribute of groups. Active Directory sends a
// part of very many, under another name.
func (u *Upstream) groupsOf(e *ldap.Entry) ([]string, error) {
	if u.Attributes.Group == "" {
		return nil, nil
	}
	for _, a := range e.Attributes {
		if strings.HasPrefix(strings.ToLower(a.Name), strings.ToLower(u.Attributes.Group)+";range=") {
			return nil, faulty("%q is in more groups than are sent at once", e.DN)
		}
	}
	return e.GetEqualFoldAttributeValues(u.Attributes.Group), nil
}

// dns are the DNs that a search finds, page by page.
func (u *Upstream) dns(l *link, base, filter string) (dns []string, err error) {
	ask := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, int(u.timeout().Seconds()), false,
		filter, []string{"1.1"}, nil)
	var page *ldap.ControlPaging
	if u.PageSize > 0 {
		page = ldap.NewControlPaging(u.PageSize)
		ask.Controls = append(ask.Controls, page)
	}
	for {
		result, err := l.Search(ask)
		switch {
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded):
			return nil, faulty("the directory does not send all groups: %w", err)
		case err != nil:
			return nil, err
		}
		for _, e := range result.Entries {
			dns = append(dns, e.DN)
		}
		if len(dns) > maxGroups {
			return nil, faulty("there are more than %d groups", maxGroups)
		}
		next, ok := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if page == nil || !ok || len(next.Cookie) == 0 {
			return dns, nil
		}
		page.SetCookie(next.Cookie)
	}
}

func (u *Upstream) groupBase() string {
	if u.GroupBase != "" {
		return u.GroupBase
	}
	return u.Base
}

func (u *Upstream) groupFilter(dn, name string) string {
	return strings.NewReplacer("%d", ldap.EscapeFilter(dn), "%s", ldap.EscapeFilter(name)).Replace(u.GroupFilter)
}

// groupNames are the names of those that lie below the base of groups, as the
// directory writes them: elsewhere somebody else may name a group like one of
// these.
func (u *Upstream) groupNames(t tally) ([]string, error) {
	base, err := parts(u.groupBase())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, dn := range t.names {
		rdns, err := parts(dn)
		if above := len(rdns) - len(base); err != nil || above < 1 || !slices.Equal(rdns[above:], base) {
			continue
		}
		// Nobody is kept out by a group that somebody else has put them in.
		if name, ok := groupName(dn); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// groupName is the cn that a DN begins with. One that begins otherwise, or with
// more than a cn, is none: whoever may make such groups could name them like one
// that a rule knows.
func groupName(text string) (string, bool) {
	dn, err := ParseDN(text)
	if err != nil || len(dn.RDNs) == 0 {
		return "", false
	}
	first := dn.RDNs[0].Attributes
	if len(first) != 1 || !strings.EqualFold(first[0].Type, "cn") && first[0].Type != "2.5.4.3" {
		return "", false
	}
	name := first[0].Value
	return norm.NFC.String(name), lookable(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}
