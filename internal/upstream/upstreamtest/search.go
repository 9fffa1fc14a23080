package upstreamtest

import (
	"io"
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// search answers one, in pages where it is asked to.
func (s *Server) search(conn io.Writer, id any, number int, request *ber.Packet) error {
	op := request.Children[1]
	filter, err := ldap.DecompileFilter(op.Children[6])
	if err != nil {
		return err
	}
	q := Search{Conn: number, Base: op.Children[0].Value.(string), Scope: int(op.Children[1].Value.(int64)), Filter: filter}
	limit := int(op.Children[3].Value.(int64))
	from := 0
	if len(request.Children) > 2 {
		if c, err := ldap.DecodeControl(request.Children[2].Children[0]); err == nil {
			if paging, ok := c.(*ldap.ControlPaging); ok {
				q.Page = int(paging.PagingSize)
				from, _ = strconv.Atoi(string(paging.Cookie))
			}
		}
	}
	r, found := s.found(q, op.Children[6])
	if r.Hangup {
		return io.EOF
	}
	found = found[min(from, len(found)):]
	var done []ldap.Control
	if q.Page > 0 && r.Code == 0 {
		paging := ldap.NewControlPaging(0)
		if len(found) > q.Page {
			found = found[:q.Page]
			paging.SetCookie([]byte(strconv.Itoa(from + q.Page)))
		}
		done = append(done, paging)
	}
	if limit > 0 && len(found) > limit {
		found, r.Code = found[:limit], ldap.LDAPResultSizeLimitExceeded
	}
	for _, e := range found {
		if err := write(conn, id, entry(e, op.Children[7])); err != nil {
			return err
		}
	}
	return write(conn, id, result(ldap.ApplicationSearchResultDone, r), done...)
}

func (s *Server) found(q Search, filter *ber.Packet) (Result, []*ldap.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.searches = append(s.searches, q)
	if s.OnSearch != nil {
		if r, ok := s.OnSearch(q); ok {
			return r, nil
		}
	}
	base := parse(q.Base)
	if s.at(base) < 0 && q.Base != "" {
		return Result{Code: ldap.LDAPResultNoSuchObject}, nil
	}
	var found []*ldap.Entry
	for _, e := range s.entries {
		here := base.EqualFold(e.dn)
		if (here || q.Scope == ldap.ScopeWholeSubtree && base.AncestorOfFold(e.dn)) && s.matches(e.Entry, filter) {
			found = append(found, e.Entry)
		}
	}
	return Result{}, found
}

// matches knows and, or, not, equality, presence, and the rule of Active
// Directory that follows members of members.
func (s *Server) matches(e *ldap.Entry, f *ber.Packet) bool {
	all := func(want bool) bool {
		return !slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return s.matches(e, c) != want })
	}
	switch f.Tag {
	case ldap.FilterAnd:
		return all(true)
	case ldap.FilterOr:
		return !all(false)
	case ldap.FilterNot:
		return !s.matches(e, f.Children[0])
	case ldap.FilterPresent:
		return strings.EqualFold(f.Data.String(), "objectClass") || has(e, f.Data.String()) != nil
	case ldap.FilterEqualityMatch:
		return holds(e, f.Children[0].Value.(string), f.Children[1].Value.(string))
	case ldap.FilterExtensibleMatch:
		var attribute, value string
		for _, c := range f.Children {
			switch c.Tag {
			case ldap.MatchingRuleAssertionType:
				attribute = c.Data.String()
			case ldap.MatchingRuleAssertionMatchValue:
				value = c.Data.String()
			}
		}
		return s.chained(e, attribute, value, nil)
	}
	return false
}

func (s *Server) chained(e *ldap.Entry, attribute, dn string, seen []string) bool {
	for _, value := range has(e, attribute) {
		if strings.EqualFold(value, dn) {
			return true
		}
		i := s.at(parse(value))
		if i >= 0 && !slices.Contains(seen, value) && s.chained(s.entries[i].Entry, attribute, dn, append(seen, value)) {
			return true
		}
	}
	return false
}

func holds(e *ldap.Entry, attribute, value string) bool {
	return slices.ContainsFunc(has(e, attribute), func(v string) bool { return strings.EqualFold(v, value) })
}

func entry(e *ldap.Entry, asked *ber.Packet) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	p.AppendChild(octets(e.DN))
	list := ber.NewSequence("")
	for _, a := range e.Attributes {
		wanted := slices.ContainsFunc(asked.Children, func(c *ber.Packet) bool {
			name := c.Value.(string)
			return name == "*" || strings.EqualFold(strings.Split(a.Name, ";")[0], name)
		})
		if !wanted || a.Name == "userPassword" {
			continue
		}
		one := ber.NewSequence("")
		one.AppendChild(octets(a.Name))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range a.Values {
			set.AppendChild(octets(v))
		}
		one.AppendChild(set)
		list.AppendChild(one)
	}
	p.AppendChild(list)
	return p
}
