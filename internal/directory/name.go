package directory

import (
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"
)

const maxName = 255 // octets; RADIUS carries 253

// Names is how names are typed at this site. The zero value knows bare names
// only.
type Names struct {
	Domains []string // accepted behind @ and before \, in any case
	Base    string   // the DN below which people lie; "" accepts no DN
}

// Canonical is the one form of a name: NFC, lower case, without domain.
func (n Names) Canonical(typed string) string {
	name := strings.TrimSpace(typed)
	if plain, ok := n.Plain(name); ok {
		return plain
	}
	if dn, ok := n.fromDN(name); ok {
		name = dn
	}
	name = fold(name)
	if at := strings.LastIndexByte(name, '@'); at >= 0 && n.knows(name[at+1:]) {
		name = name[:at]
	} else if i := strings.IndexByte(name, '\\'); i >= 0 && n.knows(name[:i]) {
		name = name[i+1:]
	}
	return name
}

// Plain takes the name from a person's DN as nearly every program writes it:
// uid=NAME,ou=people, and the very base, with a name that is canonical and
// needs no escape. Such a DN is read hundreds of times a second.
func (n Names) Plain(typed string) (name string, ok bool) {
	if name, ok = strings.CutSuffix(typed, n.Base); !ok || n.Base == "" {
		return "", false
	}
	if name, ok = strings.CutSuffix(name, ",ou=people,"); !ok {
		return "", false
	}
	if name, ok = strings.CutPrefix(name, "uid="); !ok || name == "" || len(name) > maxName {
		return "", false
	}
	for i := range len(name) {
		if c := name[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return "", false
		}
	}
	return name, true
}

func (n Names) knows(domain string) bool {
	for _, d := range n.Domains {
		if fold(d) == domain {
			return true
		}
	}
	return false
}

// fromDN takes the uid from the first part of a DN right below ou=people. Two
// of them are nobody's: which one would it be?
func (n Names) fromDN(typed string) (string, bool) {
	if n.Base == "" || !strings.Contains(typed, "=") {
		return "", false
	}
	dn, err := ParseDN(typed)
	if err != nil || len(dn.RDNs) == 0 {
		return "", false
	}
	base, err := ldap.ParseDN("ou=people," + n.Base)
	if err != nil {
		return "", false
	}
	shorten(dn)
	shorten(base)
	if !base.AncestorOfFold(dn) || len(dn.RDNs) != len(base.RDNs)+1 {
		return "", false
	}
	uid, uids := "", 0
	for _, a := range dn.RDNs[0].Attributes {
		if a.Type == "uid" {
			uid = a.Value
			uids++
		}
	}
	return uid, uids == 1
}

// fold composes again: the lower case of a letter may be two.
func fold(s string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(s))) }

// lookable reports whether a name can be anybody's at all.
func lookable(name string) bool {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }) < 0
}
