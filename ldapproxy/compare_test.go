package ldapproxy

import "testing"

func TestCompare(t *testing.T) {
	tree := campus(t)
	staff := "cn=staff,ou=groups," + testBase
	for _, c := range []struct {
		dn, attribute, value string
		code                 int
	}{
		{aliceDN, "uid", "ALICE", resultCompareTrue},
		{aliceDN, "uid", "bob", resultCompareFalse},
		{aliceDN, "2.5.4.3", "alice liddell", resultCompareTrue},
		{aliceDN, "name", "liddell", resultCompareTrue},
		{aliceDN, "memberOf", "CN=STAFF,ou=groups," + testBase, resultCompareTrue},
		{aliceDN, "uidNumber", "1001", resultCompareTrue},
		{aliceDN, "uidNumber", "x", resultInvalidAttributeSyntax},
		{aliceDN, "title", "x", resultNoSuchAttribute},
		{aliceDN, "jpegPhoto", "x", resultInappropriateMatching},
		{aliceDN, "nobodyknows", "x", resultUndefinedAttributeType},
		{aliceDN, "uid;lang-ja", "alice", resultUndefinedAttributeType},
		{staff, "member", "UID=alice,ou=people," + testBase, resultCompareTrue},
		{staff, "member", "uid=bob,ou=people," + testBase, resultCompareFalse},
		{staff, "member", "bob", resultInvalidAttributeSyntax},
		{staff, "memberUid", "alice", resultCompareTrue},
		{"uid=nobody,ou=people," + testBase, "uid", "nobody", resultNoSuchObject},
		{"nobody", "uid", "nobody", resultInvalidDNSyntax},
		{"", "supportedLDAPVersion", "3", resultCompareTrue},
	} {
		r := tree.compare(&compareRequest{dn: c.dn, attribute: c.attribute, value: []byte(c.value)}, seeker())
		if r.code != c.code {
			t.Errorf("%s %s=%s: %+v, want %d", c.dn, c.attribute, c.value, r, c.code)
		}
		if want := "ou=people," + testBase; r.code == resultNoSuchObject && r.matched != want {
			t.Errorf("matched %q, want %q", r.matched, want)
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
				who.admitted = admitted
				r := tree.compare(&compareRequest{dn: dn, attribute: attribute, value: []byte("secret")}, who)
				if r != (result{code: resultInsufficientAccessRights}) {
					t.Errorf("%s of %q: %+v", attribute, dn, r)
				}
			}
		}
	}
}

func TestComparingBeforeABindIsRefused(t *testing.T) {
	who := seeker()
	who.admitted = false
	for _, dn := range []string{aliceDN, "uid=nobody,ou=people," + testBase, "dc=other"} {
		if r := campus(t).compare(&compareRequest{dn: dn, attribute: "uid", value: []byte("alice")}, who); r.code != resultInsufficientAccessRights || r.matched != "" {
			t.Errorf("%s: %+v", dn, r)
		}
	}
}
