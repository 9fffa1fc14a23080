package tree

import "testing"

func TestIsPassword(t *testing.T) {
	for description, want := range map[string]bool{
		"userPassword": true, "USERPASSWORD": true, "userPassword;lang-ja": true, "userpassword;x-a;x-b": true, " userPassword ": true,
		"2.5.4.35": true, "oid.2.5.4.35": true, "OID.2.5.4.35;binary": true,
		"unicodePwd": true, "1.2.840.113556.1.4.90": true, "sambaNTPassword": true, "ipaNTHash": true, "krbPrincipalKey": true,
		"authPassword": true, "pwdHistory": true,

		"": false, ";": false, "uid": false, "userPasswor": false, "userPasswords": false, "2.5.4.3": false, "2.5.4.350": false,
		"description;userPassword": false, "oid.": false, "pwdLastSet": false,
	} {
		if IsPassword(description) != want {
			t.Errorf("%q: %v", description, !want)
		}
	}
}
