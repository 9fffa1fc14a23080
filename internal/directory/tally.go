package directory

import (
	"slices"
	"strings"
	"unicode"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"
)

// tally is the groups found so far, by canonical DN.
type tally struct {
	base   []string // below which groups count, an RDN each
	nested bool     // those elsewhere are followed, too: one of these may be above them
	active bool
	dns    map[string]string
	err    error // there is one too many, or one that can't be used
}

func (u *Upstream) newTally() (*tally, error) {
	base, err := parts(u.groupBase())
	return &tally{base: base, nested: u.Nested, active: u.ActiveDirectory, dns: map[string]string{}}, err
}

// add counts the groups at these DNs and returns those that are new. What lies
// elsewhere than groups do can't keep anybody out, whatever it is like: others
// may make it, and put in whom they like.
func (t *tally) add(dns []string) (fresh []string) {
	for _, dn := range dns {
		rdns, err := parts(dn)
		switch {
		case err != nil && strings.Contains(dn, "=") && !t.isBelow(tail(dn, len(t.base))):
			continue
		case err != nil:
			t.err = faulty("%.200q is no DN of a group", dn)
			return nil
		case !t.nested && !t.isBelow(rdns):
			continue
		}
		key := strings.Join(rdns, ",")
		if _, there := t.dns[key]; there {
			continue
		}
		if len(t.dns) == maxGroups {
			t.err = faulty("there are more than %d groups", maxGroups)
			return nil
		}
		t.dns[key] = dn
		fresh = append(fresh, dn)
	}
	return fresh
}

// isBelow reports whether groups may lie there.
func (t *tally) isBelow(rdns []string) bool {
	above := len(rdns) - len(t.base)
	return above >= 0 && slices.Equal(rdns[above:], t.base)
}

// tail is the last RDNs of what is too much to be read as a DN.
func tail(dn string, n int) []string {
	at := len(dn)
	for range n {
		for at--; at >= 0 && (dn[at] != ',' || escaped(dn[:at])); at-- {
		}
	}
	rdns, err := parts(dn[min(max(at+1, 0), len(dn)):])
	if err != nil {
		return nil
	}
	return rdns
}

// escaped reports whether what follows text belongs to a value.
func escaped(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}

// names are the names of those that count, as the directory writes them.
func (t *tally) names() ([]string, error) {
	if t.err != nil {
		return nil, t.err
	}
	var names []string
	for _, dn := range t.dns {
		// No rule can name what no line can hold, and nobody is kept out by it.
		if name := t.name(dn); lookable(name) && strings.IndexFunc(name, unicode.IsControl) < 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// name is the cn of a group that counts: below the base, with nothing but
// branches between. Any other could be named like one that a rule knows by
// whoever may write some attribute, or owns a group and what is below it.
func (t *tally) name(text string) string {
	dn, err := ParseDN(text)
	if err != nil {
		return ""
	}
	rdns, err := parts(text)
	if err != nil || len(rdns) <= len(t.base) || !t.isBelow(rdns) {
		return ""
	}
	shorten(dn)
	first := dn.RDNs[0].Attributes
	if len(first) != 1 || first[0].Type != "cn" {
		return ""
	}
	for _, branch := range dn.RDNs[1 : len(dn.RDNs)-len(t.base)] {
		if !slices.ContainsFunc(branch.Attributes, t.isBranch) || len(branch.Attributes) != 1 {
			return ""
		}
	}
	return norm.NFC.String(first[0].Value)
}

// isBranch reports whether groups may lie below what has that name. Active
// Directory lets nobody make anything below a group.
func (t *tally) isBranch(a *ldap.AttributeTypeAndValue) bool {
	return a.Type == "ou" || a.Type == "dc" || a.Type == "o" || t.active && a.Type == "cn"
}
