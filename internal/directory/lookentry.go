package directory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"sekisho/internal/store"
)

// maxText is how much is kept of a value that people see, in letters.
const maxText = 256

// read reads a person from the directory.
func (u *Upstream) read(ctx context.Context, name string, stranger bool) (p *person, err error) {
	err = u.with(ctx, stranger, func(l *link) error {
		e, err := u.entry(l, name)
		if err != nil {
			return err
		}
		if p, err = u.person(e); err != nil {
			return err
		}
		p.Groups, err = u.groups(l, e, p.Name)
		if p.Disabled && errors.Is(err, ErrName) { // that they are shut matters more
			p.Groups, err = nil, nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// entry finds the entry of a name, or the one at a DN. It has to be the only one
// that Filter finds by the name which stands in it, in all of Base: else whoever
// may make entries in some branch makes one with somebody's name, and is taken
// for them. Whoever else is below Base, an ou, a group, a device, is nobody who
// signs in.
func (u *Upstream) entry(l *link, name string) (e *ldap.Entry, err error) {
	by := u.nameIn(name)
	_, isDN := u.personDN(name)
	if isDN && by == name {
		e, err = u.one(l, name, ldap.ScopeBaseObject, "(objectClass=*)", u.Attributes.Name, u.Attributes.ID)
	} else {
		e, err = u.named(l, by)
	}
	if err != nil {
		return nil, err
	}
	if isDN && by != name {
		if dn, ok := u.personDN(e.DN); !ok || dn != name {
			return nil, ErrUnknown
		}
	}
	login := fold(u.login(e))
	switch login {
	case "":
		return nil, ErrUnknown
	case by:
		return e, nil
	}
	own, err := u.named(l, login)
	if err != nil {
		return nil, err
	}
	id, err := u.id(e)
	if err != nil {
		return nil, err
	}
	if of, err := u.id(own); err != nil || of != id {
		return nil, ErrUnknown
	}
	return own, nil
}

// named finds the only entry that Filter finds by a name.
func (u *Upstream) named(l *link, name string) (*ldap.Entry, error) {
	filter := strings.ReplaceAll(u.Filter, "%s", ldap.EscapeFilter(name))
	a := u.Attributes
	wanted := slices.DeleteFunc([]string{a.Name, a.ID, a.Display, a.Mail, a.Group}, func(name string) bool { return name == "" })
	if u.ActiveDirectory {
		wanted = append(wanted, activeAttributes...)
	} else {
		wanted = append(wanted, otherAttributes...)
	}
	return u.one(l, u.Base, ldap.ScopeWholeSubtree, filter, wanted...)
}

// one is the only entry that a search finds.
func (u *Upstream) one(l *link, base string, scope int, filter string, attributes ...string) (*ldap.Entry, error) {
	ask := ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 2, int(u.timeout().Seconds()), false, filter, attributes, nil)
	ask.EnforceSizeLimit = true
	result, err := l.Search(ask)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded), errors.Is(err, ldap.ErrSizeLimitExceeded), err == nil && len(result.Entries) > 1:
		return nil, faulty("several entries have it")
	// A DN was typed by somebody who has shown nothing. That there is nothing,
	// nothing to be seen, or another server's, is the same.
	case scope == ldap.ScopeBaseObject && ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultReferral, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultNamingViolation):
		return nil, ErrUnknown
	case err != nil:
		return nil, err
	case len(result.Entries) == 0:
		return nil, ErrUnknown
	}
	return result.Entries[0], nil
}

// person reads an entry. It has no groups yet.
func (u *Upstream) person(e *ldap.Entry) (*person, error) {
	name := fold(u.login(e))
	switch {
	case u.isProgram(e.DN, name):
		return nil, ErrUnknown
	case !u.own(name):
		return nil, faulty("the attribute %s of %q holds no name that could be typed, and be nobody else's", u.Attributes.Name, e.DN)
	case e.DN == "":
		return nil, faulty("the entry has no DN")
	}
	id, err := u.id(e)
	if err != nil {
		return nil, err
	}
	shut, err := u.shut(e)
	if err != nil {
		return nil, err
	}
	return &person{dn: e.DN, Person: store.Person{
		Name: name, Upstream: id, Disabled: shut,
		Display: cutText(e.GetEqualFoldAttributeValue(u.Attributes.Display)),
		Mail:    cutText(e.GetEqualFoldAttributeValue(u.Attributes.Mail)),
	}}, nil
}

// own reports whether a name is what is typed for it, and looks like no other:
// it has no domain, no spaces around it, nothing that is not seen, no letters of
// another width.
func (u *Upstream) own(name string) bool {
	_, isDN := u.personDN(name)
	return lookable(name) && !isDN && u.Canonical(name) == name && norm.NFKC.IsNormalString(name) &&
		strings.IndexFunc(name, func(r rune) bool {
			return !unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
		}) < 0
}

// login is the name that the entry is signed in with: of several, the one in
// its DN, or the first in the order of letters, so that it is always the same.
func (u *Upstream) login(e *ldap.Entry) string {
	names := slices.Sorted(slices.Values(e.GetEqualFoldAttributeValues(u.Attributes.Name)))
	if len(names) == 0 {
		return ""
	}
	if dn, err := ParseDN(e.DN); err == nil && len(names) > 1 && len(dn.RDNs) > 0 {
		shorten(dn)
		for _, a := range dn.RDNs[0].Attributes {
			if a.Type == shortType(u.Attributes.Name) && slices.Contains(names, a.Value) {
				return a.Value
			}
		}
	}
	return names[0]
}

// id is what never changes of an entry.
func (u *Upstream) id(e *ldap.Entry) (string, error) {
	values := e.GetEqualFoldRawAttributeValues(u.Attributes.ID)
	if len(values) != 1 || len(values[0]) == 0 {
		return "", faulty("%q has %d values of %s, which has to be one: may the service account read it?", e.DN, len(values), u.Attributes.ID)
	}
	if strings.EqualFold(u.Attributes.ID, "objectGUID") {
		if id, ok := activeGUID(values[0]); ok {
			return id, nil
		}
	}
	id := string(values[0])
	if !lookable(id) {
		return "", faulty("%s of %q is no text", u.Attributes.ID, e.DN)
	}
	if strings.Trim(id, "0123456789abcdefABCDEF-") == "" { // a UUID, whose case means nothing
		id = strings.ToLower(id)
	}
	return id, nil
}

// cutText is one line of what people see.
func cutText(text string) string {
	line := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
	return string(line[:min(len(line), maxText)])
}
