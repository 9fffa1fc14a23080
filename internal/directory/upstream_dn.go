package directory

import (
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// parts are the RDNs of a DN, each in the one form in which equal ones are
// equal, as far as most directories compare names: case and runs of spaces
// mean nothing, nor does the order within an RDN.
func parts(text string) ([]string, error) {
	if dn, ok := Simple(text); ok {
		return strings.Split(dn, ","), nil
	}
	return parsedParts(text)
}

func parsedParts(text string) ([]string, error) {
	dn, err := ParseDN(text)
	if err != nil {
		return nil, err
	}
	shorten(dn)
	rdns := make([]string, len(dn.RDNs))
	for i, rdn := range dn.RDNs {
		pairs := make([]string, len(rdn.Attributes))
		for j, a := range rdn.Attributes {
			value := strings.Join(strings.Fields(fold(a.Value)), " ")
			if !isType(a.Type) || value == "" {
				return nil, errDN
			}
			pairs[j] = a.Type + "=" + ldap.EscapeDN(value)
		}
		slices.Sort(pairs)
		rdns[i] = strings.Join(pairs, "+")
	}
	return rdns, nil
}

// isType reports whether this is an attribute type: the parser takes anything.
func isType(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '.')
	}) < 0
}
