package e2e

import (
	"path/filepath"
	"testing"
)

func TestLDAPJavaSignsIn(t *testing.T) {
	t.Parallel()
	need(t, "java", "keytool")
	s := newLDAPSite(t, legacyApp, recurring)
	devices := map[string]*device{}
	for _, d := range s.doors {
		devices[d.name] = s.enrol(d.name)
	}
	s.add("bob")
	s.serve()
	trust := filepath.Join(s.dir, "trust.p12")
	made := execute(t, "", "keytool", "-importcert", "-noprompt", "-file", s.ca, "-alias", "site",
		"-keystore", trust, "-storetype", "PKCS12", "-storepass", "changeit")
	if made.code != 0 {
		t.Fatal(made.out, made.err)
	}
	s.each(func(d door) {
		devices[d.name].t = s.t
		ran := execute(s.t, "", "java", "-Djavax.net.ssl.trustStore="+trust, "-Djavax.net.ssl.trustStorePassword=changeit",
			filepath.Join("testdata", "ldap", "SignIn.java"),
			d.outside, ldapBase, serviceDN, servicePassword, d.name, password+devices[d.name].code())
		ref := reference.FindString(ran.out)
		found := "search " + personDN(d.name) + " " + d.name + "\n"
		want := "bind\npages 3\n" + found + "bind\n" + found +
			"delete [LDAP: error code 53 - the directory is read-only]\n" +
			"bind [LDAP: error code 49 - " + ref + "]\nsearch [LDAP: error code 50 - bind first]\n"
		if ran.code != 0 || ran.out != want {
			s.t.Fatalf("exit %d\n%s%s\nwant\n%s", ran.code, ran.out, ran.err, want)
		}
		s.wantBooked(ref, "wrong_password")
	})
}
