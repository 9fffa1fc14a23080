package directory

import (
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

const (
	maxDN    = 2048 // octets; each of ours is shorter, however it is escaped
	maxParts = 64   // attributes in a DN
)

var errDN = errors.New("not a DN that could be anybody's")

// ParseDN reads a DN (RFC 4514) of somebody who has shown nothing. What is
// too long for any of ours is none. Nor is one with a value in hexadecimal
// that has elements inside, which no attribute of a name has: the parser
// would keep a copy of it for each level.
func ParseDN(text string) (*ldap.DN, error) {
	if len(text) > maxDN || hasNested(text) {
		return nil, errDN
	}
	dn, err := ldap.ParseDN(text)
	if err != nil {
		return nil, err
	}
	parts := 0
	for _, rdn := range dn.RDNs {
		parts += len(rdn.Attributes)
	}
	if parts > maxParts {
		return nil, errDN
	}
	return dn, nil
}

// hasNested reports whether a value may be BER of the constructed form. One
// in hexadecimal follows its "=" at once; bit 6 of its first octet tells.
func hasNested(text string) bool {
	for {
		_, value, found := strings.Cut(text, "=#")
		if !found {
			return false
		}
		if value != "" && strings.IndexByte("2367abefABEF", value[0]) >= 0 {
			return true
		}
		text = value
	}
}

// shortType is an attribute type as most write it, for those that DNs of
// people have (RFC 4514 §3, RFC 4519 §2): "UserID" and
// "oid.0.9.2342.19200300.100.1.1" are uid.
func shortType(name string) string {
	name = strings.TrimPrefix(strings.ToLower(name), "oid.")
	switch name {
	case "userid", "0.9.2342.19200300.100.1.1":
		return "uid"
	case "commonname", "2.5.4.3":
		return "cn"
	case "surname", "2.5.4.4":
		return "sn"
	case "2.5.4.5":
		return "serialnumber"
	case "countryname", "2.5.4.6":
		return "c"
	case "localityname", "2.5.4.7":
		return "l"
	case "stateorprovincename", "2.5.4.8":
		return "st"
	case "streetaddress", "2.5.4.9":
		return "street"
	case "organizationname", "2.5.4.10":
		return "o"
	case "organizationalunitname", "2.5.4.11":
		return "ou"
	case "gn", "2.5.4.42":
		return "givenname"
	case "domaincomponent", "0.9.2342.19200300.100.1.25":
		return "dc"
	case "rfc822mailbox", "0.9.2342.19200300.100.1.3":
		return "mail"
	}
	return name
}

// shorten gives all parts of a DN the types that most write.
func shorten(dn *ldap.DN) {
	for _, rdn := range dn.RDNs {
		for _, a := range rdn.Attributes {
			a.Type = shortType(a.Type)
		}
	}
}
