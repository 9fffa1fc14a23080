package tree

import (
	"testing"

	"sekisho/ldapproxy/wire"
)

func TestCompare(t *testing.T) {
	tree := campus(t)
	staff := "cn=staff,ou=groups," + testBase
	for _, c := range []struct {
		dn, attribute, value string
		code                 int
	}{
		{aliceDN, "uid", "ALICE", wire.ResultCompareTrue},
		{aliceDN, "uid", "bob", wire.ResultCompareFalse},
		{aliceDN, "2.5.4.3", "alice liddell", wire.ResultCompareTrue},
		{aliceDN, "name", "liddell", wire.ResultCompareTrue},
		{aliceDN, "memberOf", "CN=STAFF,ou=groups," + testBase, wire.ResultCompareTrue},
		{aliceDN, "uidNumber", "1001", wire.ResultCompareTrue},
		{aliceDN, "uidNumber", "x", wire.ResultInvalidAttributeSyntax},
		{aliceDN, "title", "x", wire.ResultNoSuchAttribute},
		{aliceDN, "jpegPhoto", "x", wire.ResultInappropriateMatching},
		{aliceDN, "nobodyknows", "x", wire.ResultUndefinedAttributeType},
		{aliceDN, "uid;lang-ja", "alice", wire.ResultUndefinedAttributeType},
		{staff, "member", "UID=alice,ou=people," + testBase, wire.ResultCompareTrue},
		{staff, "member", "uid=bob,ou=people," + testBase, wire.ResultCompareFalse},
		{staff, "member", "bob", wire.ResultInvalidAttributeSyntax},
		{staff, "memberUid", "alice", wire.ResultCompareTrue},
		{"uid=nobody,ou=people," + testBase, "uid", "nobody", wire.ResultNoSuchObject},
		{"nobody", "uid", "nobody", wire.ResultInvalidDNSyntax},
		{"", "supportedLDAPVersion", "3", wire.ResultCompareTrue},
	} {
		r := tree.compare(&wire.CompareRequest{DN: c.dn, Attribute: c.attribute, Value: []byte(c.value)}, seeker())
		if r.Code != c.code {
			t.Errorf("%s %s=%s: %+v, want %d", c.dn, c.attribute, c.value, r, c.code)
		}
		if want := "ou=people," + testBase; r.Code == wire.ResultNoSuchObject && r.Matched != want {
			t.Errorf("matched %q, want %q", r.Matched, want)
		}
	}
}

// Else a compare would try passwords past the gate.
func TestComparingAPasswordIsAlwaysRefused(t *testing.T) {
	tree := campus(t)
	for _, dn := range []string{aliceDN, mailDN, "uid=nobody,ou=people," + testBase, "", "nobody"} {
		for _, attribute := range []string{"userPassword", "USERPASSWORD", "userPassword;x", "2.5.4.35", "2.5.4.35;lang-ja", "oid.2.5.4.35", " userPassword "} {
			for _, admitted := range []bool{true, false} {
				who := seeker()
				who.Admitted = admitted
				r := tree.compare(&wire.CompareRequest{DN: dn, Attribute: attribute, Value: []byte("secret")}, who)
				if r != (wire.Result{Code: wire.ResultInsufficientAccessRights}) {
					t.Errorf("%s of %q: %+v", attribute, dn, r)
				}
			}
		}
	}
}

func TestComparingBeforeABindIsRefused(t *testing.T) {
	who := seeker()
	who.Admitted = false
	for _, dn := range []string{aliceDN, "uid=nobody,ou=people," + testBase, "dc=other"} {
		if r := campus(t).compare(&wire.CompareRequest{DN: dn, Attribute: "uid", Value: []byte("alice")}, who); r.Code != wire.ResultInsufficientAccessRights || r.Matched != "" {
			t.Errorf("%s: %+v", dn, r)
		}
	}
}
