package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestEveryFormOfAnActiveDirectoryNameIsOnePerson(t *testing.T) {
	t.Parallel()
	b := newSamba(t)
	s := newUpstreamSite(t, b)
	alice := s.device(`CAMPUS\alice`)
	s.serve()
	forms := []string{"alice", "ALICE", "alice@ad.example.ac.jp", "Alice@AD.Example.AC.JP", `CAMPUS\alice`, `campus\Alice`, b.dn("alice"), strings.ToLower(b.dn("alice"))}
	for _, form := range forms {
		wantAccept(t, s.signIn(inside, form, password))
		s.want(s.clear("ldapsearch", s.insideURL(), who{form, password}, "-b", b.dn("alice"), "-s", "base"), 0)
	}
	for _, form := range []string{"alice@elsewhere.example", `ELSEWHERE\alice`, "CN=alice,CN=Users,DC=elsewhere,DC=example"} {
		if r := s.signIn(inside, form, password); !r.rejected() {
			t.Errorf("%s: got %q", form, r.code)
		}
		s.want(s.clear("ldapsearch", s.insideURL(), who{form, password}, "-b", "", "-s", "base"), invalidCredentials)
	}
	// A code is used up under all of them.
	code := alice.step(0)
	wantAccept(t, s.signIn(outside, "alice@ad.example.ac.jp", password+code))
	for _, form := range forms {
		s.want(s.tool("ldapsearch", s.outsideURL(), who{form, password + code}, "-b", b.dn("alice"), "-s", "base"), invalidCredentials)
	}
	for _, e := range s.book("--outcome", "admitted") {
		if e.User != "alice" {
			t.Errorf("admitted is %q", e.User)
		}
	}
}

// Who somebody is, is the directory's stable id: a name and a DN go from one
// to another.
func TestCodesStayWithThePersonAndNotTheName(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.change("[directory]\n", "[directory]\ncache = \"0s\"\n")
		s.serve()
		alice := s.device("alice")
		first, second := alice.step(0), alice.step(1)
		b.rename("alice", "alicia")
		b.hire("alice")
		s.wantReject(s.signIn(outside, "alice", password+first), "no_device")
		s.want(s.bind(s.outsideURL(), s.with("alice", password+first)), invalidCredentials)
		wantAccept(t, s.signIn(outside, "alicia", password+first))
		s.want(s.bind(s.outsideURL(), s.with("alicia", password+second)), 0)
		wantAccept(t, s.signIn(inside, "alice", password))

		fresh := s.device("alice")
		eventually(t, "the device is seen", func() bool { return s.signIn(outside, "alice", password+fresh.step(0)).accepted() })
		s.wantReject(s.signIn(outside, "alicia", password+fresh.step(1)), "wrong_code")
	})
}

// rename gives somebody another name, and their entry another DN.
func (b *behind) rename(name, now string) {
	b.t.Helper()
	dn := b.dn(name)
	rdn, _, _ := strings.Cut(b.dn(now), ",")
	b.ldif(fmt.Sprintf("%s\nchangetype: modrdn\nnewrdn: %s\ndeleteoldrdn: 1\n", ldifDN(dn), rdn))
	if b.product == "samba" {
		b.ldif(fmt.Sprintf("%s\nchangetype: modify\nreplace: sAMAccountName\nsAMAccountName: %s\n-\nreplace: userPrincipalName\nuserPrincipalName: %[2]s@ad.example.ac.jp\n", ldifDN(b.dn(now)), now))
	}
}

// hire makes an entry for somebody of that name.
func (b *behind) hire(name string) {
	b.t.Helper()
	kind := "objectClass: inetOrgPerson\nuid: " + name + "\ncn: " + name + "\nsn: " + name + "\nuserPassword: " + password
	if b.product == "samba" {
		kind = fmt.Sprintf("objectClass: user\nsAMAccountName: %s\nuserPrincipalName: %[1]s@ad.example.ac.jp\nuserAccountControl: 512\nunicodePwd:: %s", name, unicodePassword(password))
	}
	entry := fmt.Sprintf("%s\nchangetype: add\n%s\nmail: %s@example.ac.jp\n", ldifDN(b.dn(name)), kind, name)
	if b.product == "389-ds" { // where a new password would have to be changed
		entry = replacing("cn=config", "passwordMustChange", "off") + entry + "\n" + replacing("cn=config", "passwordMustChange", "on")
	}
	b.ldif(entry)
}

// ldifDN is a line with a DN of any characters.
func ldifDN(dn string) string { return "dn:: " + base64.StdEncoding.EncodeToString([]byte(dn)) }

// unicodePassword is a password as Active Directory is given one.
func unicodePassword(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(`"` + text + `"`)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// A rule asks for the outer group; alice is in the inner one.
func TestGroupsInGroupsOfTheDirectoryBehindCount(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.change("zone   = [\"campus\"]\n", "zone   = [\"campus\"]\ngroup  = [\"everybody\"]\n")
		s.serve()
		wantAccept(t, s.signIn(inside, "alice", password))
		wantAccept(t, s.signIn(inside, "bob", password))
		s.wantMail(s.bind(s.insideURL(), s.with("alice", password)), "alice")
		s.wantReject(s.signIn(inside, "carol", password), "no_device")
		refused := s.want(s.bind(s.insideURL(), s.with("carol", password)), invalidCredentials)
		s.wantBooked(refused.err, "no_device")
	})
}
