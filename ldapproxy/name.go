package ldapproxy

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/tree"
)

// maxBindName is the longest name in a bind, in octets: nobody's is longer,
// and it is read before anybody has shown anything.
const maxBindName = 1024

// nameable reports whether the name in a bind can be somebody's: a DN, or
// what the gate knows as a name, a UPN or DOMAIN\name.
func nameable(name string) bool {
	if len(name) > maxBindName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return false
	}
	if !strings.Contains(name, "=") {
		return strings.TrimSpace(name) != ""
	}
	_, err := canonicalDN(name)
	return err == nil
}

var errType = errors.New("not an attribute type")

// canonicalDN brings a DN to the one form in which equal ones are equal
// strings, however they are spaced, cased and escaped.
func canonicalDN(text string) (string, error) {
	if dn, ok := directory.Simple(text); ok {
		return dn, nil
	}
	return parsedDN(text)
}

func parsedDN(text string) (string, error) {
	dn, err := directory.ParseDN(text)
	if err != nil {
		return "", err
	}
	rdns := make([]string, len(dn.RDNs))
	for i, rdn := range dn.RDNs {
		for _, a := range rdn.Attributes { // the parser takes anything (RFC 4514 §3)
			if a.Type == "" || strings.ContainsFunc(a.Type, notOfType) {
				return "", errType
			}
		}
		parts := tree.CanonicalRDN(rdn)
		for j, part := range parts {
			parts[j] = ldap.EscapeDN(part)
		}
		rdns[i] = strings.Join(parts, "+")
	}
	return strings.Join(rdns, ","), nil
}

func notOfType(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.')
}

// visible is what a client sent, fit for a log: what could act on a terminal
// or turn the direction of text round is escaped, and it is cut.
func visible(s string) string {
	const most = 256
	if len(s) > most {
		s = s[:most] + "…"
	}
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}
