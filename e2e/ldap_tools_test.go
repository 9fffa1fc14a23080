package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// OpenLDAP's programs exit with the result code.
const (
	protocolError           = 2
	sizeLimitExceeded       = 4
	compareFalse            = 5
	compareTrue             = 6
	criticalUnavailable     = 12
	confidentialityRequired = 13
	invalidCredentials      = 49
	insufficientAccess      = 50
	unwilling               = 53
)

// want wants a program to have ended with a result.
func (s *ldapSite) want(a answer, code int) answer {
	s.t.Helper()
	if a.code != code {
		s.t.Fatalf("exit %d, want %d\n%s%s", a.code, code, a.out, a.err)
	}
	return a
}

func TestLDAPToolsSignIn(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, "")
	devices := map[string]*device{}
	for _, d := range s.doors {
		devices[d.name] = s.enrol(d.name)
	}
	s.serve()
	s.each(func(d door) {
		device, dn := devices[d.name], personDN(d.name)
		device.t = s.t
		now := time.Now()
		first, second := device.codeAt(now), device.codeAt(now.Add(30*time.Second))

		if a := s.want(s.tool("ldapwhoami", d.inside, who{dn, password}), 0); a.out != "dn:"+dn+"\n" {
			s.t.Errorf("inside one is %q", a.out)
		}
		if a := s.want(s.tool("ldapwhoami", d.outside, who{dn, password + first}), 0); a.out != "dn:"+dn+"\n" {
			s.t.Errorf("outside one is %q", a.out)
		}
		used := s.want(s.tool("ldapwhoami", d.outside, who{dn, password + first}), invalidCredentials)
		s.wantBooked(used.err, "code_used")
		if told := s.run("why", reference.FindString(used.err)); !strings.Contains(told, "used before") {
			s.t.Errorf("why does not tell of the used code:\n%s", told)
		}
		// The reference is all that is told.
		if _, told, _ := strings.Cut(used.err, "additional info: "); reference.ReplaceAllString(told, "") != "\n" {
			s.t.Errorf("told is %q", told)
		}
		missing := s.want(s.tool("ldapwhoami", d.outside, who{dn, password}), invalidCredentials)
		s.wantBooked(missing.err, "code_missing")
		s.want(s.clear("ldapsearch", d.outside, who{dn, password + second}, "-P", "2", "-b", ldapBase), protocolError)
		s.want(s.tool("ldapwhoami", d.outside, who{dn, ""}), unwilling)
		wrong := s.want(s.tool("ldapwhoami", d.outside, who{dn, "not-" + password + second}), invalidCredentials)
		s.wantBooked(wrong.err, "wrong_password")
	})
}

func TestLDAPToolsGetNowhereWithoutTLS(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, "")
	alice := s.enrol("alice")
	s.serve()
	at, as := s.doors[0].outside, who{personDN("alice"), password + alice.code()}
	a := s.want(s.clear("ldapwhoami", at, as), confidentialityRequired)
	s.wantBooked(a.err, "tls_required")
	s.want(s.clear("ldapwhoami", at, service), confidentialityRequired)
	// Nobody was tried: the code is still good.
	s.want(s.tool("ldapwhoami", at, as), 0)
	// A certificate that the program can't trust ends it before anything is said.
	s.ca = s.file("other.pem", "")
	if a := s.tool("ldapwhoami", at, as); a.code == 0 {
		s.t.Errorf("it went on: %s", a.out)
	}
}

func TestLDAPSearchAsServiceAccount(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, "")
	s.feed(password+"\n", "account", "add", "alice", "--display", "Alice Example", "--mail", "alice@example.ac.jp",
		"--group", "staff", "--uid-number", "10001", "--password-stdin")
	for i := range 12 {
		s.add(fmt.Sprintf("person%02d", i))
	}
	s.serve()
	s.each(func(d door) {
		// found is what a search printed, one line an attribute.
		found := func(code int, args ...string) []string {
			s.t.Helper()
			a := s.want(s.tool("ldapsearch", d.outside, service, append([]string{"-LLL", "-o", "ldif_wrap=no"}, args...)...), code)
			return strings.FieldsFunc(a.out, func(r rune) bool { return r == '\n' })
		}
		alice := "dn: " + personDN("alice")
		under := func(args ...string) []string { return append([]string{"-b", ldapBase}, args...) }

		if got := found(0, under("(uid=ALICE)")...); !slices.Contains(got, alice) || !slices.Contains(got, "mail: alice@example.ac.jp") ||
			!slices.Contains(got, "homeDirectory: /home/alice") || slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, "entryUUID") }) {
			s.t.Errorf("(uid=ALICE): %q", got)
		}
		if got := found(0, under("(uid=alice)", "1.1")...); !slices.Equal(got, []string{alice}) {
			s.t.Errorf("1.1: %q", got)
		}
		if got := found(0, under("(uid=alice)", "memberOf")...); !slices.Equal(got, []string{alice, "memberOf: cn=staff,ou=groups," + ldapBase}) {
			s.t.Errorf("memberOf: %q", got)
		}
		if got := found(0, under("(uid=alice)", "+")...); !slices.Contains(got, "entryDN: "+personDN("alice")) || slices.Contains(got, "uid: alice") {
			s.t.Errorf("+: %q", got)
		}
		for filter, want := range map[string]int{
			"(&(objectClass=posixAccount)(uidNumber>=10000)(|(cn=ali*)(mail=*@nowhere)))": 1,
			"(&(uid=person*1)(!(uid=person01)))":                                          1, // person11
			"(memberOf=CN=Staff, OU=groups," + ldapBase + ")":                             1,
			"(cn:caseExactMatch:=Alice Example)":                                          1,
			"(userPassword=*)":                                                            0,
			"(!(userPassword=x))":                                                         0,
			"(no-such-attribute=x)":                                                       0,
			"(uid=person0*)":                                                              10,
		} {
			if got := found(0, under(filter, "1.1")...); len(got) != want {
				s.t.Errorf("%s: %q, want %d", filter, got, want)
			}
		}
		if got := found(sizeLimitExceeded, under("(uid=*)", "1.1")...); len(got) != 10 {
			s.t.Errorf("%d entries came, the limit is 10", len(got))
		}
		if got := found(sizeLimitExceeded, under("-z", "3", "(uid=*)", "1.1")...); len(got) != 3 {
			s.t.Errorf("%d entries came, 3 were asked for", len(got))
		}
		// Pages of two.
		paged := found(0, under("-E", "pr=2/noprompt", "(uid=person0*)", "1.1")...)
		slices.Sort(paged)
		if entries := slices.DeleteFunc(slices.Compact(paged), func(line string) bool { return !strings.HasPrefix(line, "dn: uid=person0") }); len(entries) != 10 {
			s.t.Errorf("in pages came %q", paged)
		}
		// Pages don't go past the limit.
		found(sizeLimitExceeded, under("-E", "pr=2/noprompt", "(uid=*)", "1.1")...)

		for _, critical := range []string{"-e!1.2.3.4", "-E!1.2.3.4", "-E!sss=uid", "-e!authzid=dn:" + personDN("alice")} {
			found(criticalUnavailable, under(critical, "(uid=alice)", "1.1")...)
		}
		for _, ignored := range []string{"-e1.2.3.4", "-Esss=uid", "-emanageDSAit"} {
			if got := found(0, under(ignored, "(uid=alice)", "1.1")...); !slices.Equal(got, []string{alice}) {
				s.t.Errorf("%s: %q", ignored, got)
			}
		}
		root := found(0, "-b", "", "-s", "base", "+")
		startTLS := slices.Contains(root, "supportedExtension: 1.3.6.1.4.1.1466.20037")
		if !slices.Contains(root, "namingContexts: "+ldapBase) || startTLS != (d.name == "starttls") {
			s.t.Errorf("the RootDSE is %q", root)
		}
	})
}

func TestLDAPCompare(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, "")
	s.add("alice")
	s.serve()
	s.each(func(d door) {
		for assertion, code := range map[string]int{
			"uid:ALICE": compareTrue, "uid:bob": compareFalse,
			"userPassword:" + password: insufficientAccess, "2.5.4.35:x": insufficientAccess, "userPassword;x:x": insufficientAccess,
		} {
			s.want(s.tool("ldapcompare", d.outside, service, personDN("alice"), assertion), code)
		}
	})
}

// Each program goes on after the refusal: with -c ldapmodify sends the second
// change over the same connection.
func TestLDAPWritesAreRefused(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, "")
	s.add("alice")
	s.serve()
	dn := personDN("alice")
	changes := s.file("changes.ldif", strings.ReplaceAll(`dn: DN
changetype: modify
replace: userPassword
userPassword: mine

dn: DN
changetype: delete

dn: DN
changetype: modrdn
newrdn: uid=eve
deleteoldrdn: 1
`, "DN", dn))
	entry := s.file("entry.ldif", "dn: "+personDN("eve")+"\nobjectClass: person\ncn: eve\nsn: eve\n")
	s.each(func(d door) {
		for _, as := range []who{service, {dn, password}} {
			at := d.outside
			if as != service {
				at = d.inside
			}
			a := s.want(s.tool("ldapmodify", at, as, "-c", "-f", changes), unwilling)
			if n := strings.Count(a.err, "the directory is read-only"); n != 3 {
				s.t.Errorf("%d of 3 changes were refused:\n%s", n, a.err)
			}
			s.want(s.tool("ldapadd", at, as, "-f", entry), unwilling)
			s.want(s.tool("ldapdelete", at, as, dn), unwilling)
			s.want(s.tool("ldapmodrdn", at, as, dn, "uid=eve"), unwilling)
			// These two say it, but exit with 1 whatever the result is.
			if a := s.want(s.tool("ldappasswd", at, as, "-s", "mine-from-now-on", dn), 1); !strings.Contains(a.out+a.err, "(53)") {
				s.t.Errorf("ldappasswd: %s%s", a.out, a.err)
			}
			for _, x := range []struct {
				operation []string
				result    string
			}{
				{[]string{"cancel", "3"}, "(119)"},
				{[]string{"1.3.6.1.4.1.4203.666.6.5"}, "(2)"}, // Verify Credentials
				{[]string{"1.2.840.113556.1.4.1781"}, "(2)"},  // fast bind
			} {
				if a := s.want(s.tool("ldapexop", at, as, x.operation...), 1); !strings.Contains(a.err, x.result) {
					s.t.Errorf("ldapexop %v: %s", x.operation, a.err)
				}
			}
			if a := s.want(s.tool("ldapexop", at, as, "whoami"), 0); a.out != "dn:"+as.dn+"\n" {
				s.t.Errorf("ldapexop whoami: %q", a.out)
			}
		}
		s.want(s.tool("ldapwhoami", d.inside, who{dn, password}), 0)
	})
}
