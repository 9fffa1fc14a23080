package directory

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	maxGroups = 1000                      // of a person, with those that these are in
	atOnce    = 20                        // groups in one filter, or asked for at a time
	chain     = "1.2.840.113556.1.4.1941" // follows members of members, in Active Directory
)

// parents are the groups that a group is in.
type parents struct {
	dns []string
	at  time.Time
}

// groups are the names of the groups that a person is in. All of them or an
// error: a rule that keeps a group out must not miss it. Somebody with so many
// that half of the time for a look-up is not enough can't be judged; that is
// theirs, and no fault of the directory.
func (u *Upstream) groups(l *link, e *ldap.Entry, name string) ([]string, error) {
	t, err := u.newTally()
	if err != nil {
		return nil, err
	}
	l.until = u.Now().Add(u.timeout() / 2)
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
	for u.Nested && len(level) > 0 && t.err == nil {
		above, err := u.above(l, level)
		if err != nil {
			return nil, err
		}
		level = t.add(above)
	}
	return t.names()
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
	for some := range slices.Chunk(level, atOnce) {
		found, errs := make([][]string, len(some)), make([]error, len(some))
		var all sync.WaitGroup
		for i, dn := range some {
			all.Go(func() { found[i], errs[i] = u.parentsOf(l, dn) })
		}
		all.Wait()
		for i, err := range errs {
			if err != nil {
				return nil, err
			}
			above = append(above, found[i]...)
		}
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
	if err := u.inTime(l); err != nil {
		return nil, err
	}
	ask := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, int(u.timeout().Seconds()), false,
		"(objectClass=*)", []string{u.Attributes.Group}, nil)
	ask.EnforceSizeLimit = true
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
	ask := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, maxGroups+1, int(u.timeout().Seconds()), false,
		filter, []string{"1.1"}, nil)
	ask.EnforceSizeLimit = true
	var page *ldap.ControlPaging
	if u.PageSize > 0 {
		page = ldap.NewControlPaging(u.PageSize)
		ask.Controls = append(ask.Controls, page)
	}
	for {
		if err := u.inTime(l); err != nil {
			return nil, err
		}
		result, err := l.Search(ask)
		switch {
		case err == ldap.ErrSizeLimitExceeded: // and there is no end: the rest is not read
			l.Close()
			return nil, faulty("there are more than %d groups", maxGroups)
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded):
			return nil, faulty("the directory does not send all groups: %v", err)
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

// inTime tells somebody's many groups from a directory that is slow: it is
// asked between two searches, none of which has failed.
func (u *Upstream) inTime(l *link) error {
	if u.Now().After(l.until) {
		return faulty("to find all groups takes longer than %v", u.timeout()/2)
	}
	return nil
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
