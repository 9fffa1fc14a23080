package e2e

import (
	"strings"
	"testing"
)

// What a bound program asks, the directory answers: the same as without us.
func TestAnswersOfTheDirectoryBehindPassAsTheyAre(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.serve()
		people := strings.SplitN(b.dn("bob"), ",", 2)[1]
		for _, as := range []who{b.service, s.with("bob", password)} {
			for _, args := range [][]string{
				{"ldapsearch", "-LLL", "-b", people, "-s", "one", "(objectClass=person)", "mail", "objectClass"},
				{"ldapsearch", "-LLL", "-b", people, "(mail=a*)", "*"},
				{"ldapsearch", "-LLL", "-b", people, "-z", "2", "(objectClass=person)", "1.1"},
				{"ldapsearch", "-LLL", "-b", people, "-E", "pr=2/noprompt", "(mail=*)", "mail"},
				{"ldapsearch", "-LLL", "-b", people, "-E", "!sss=mail", "(mail=*)", "mail"},
				{"ldapsearch", "-LLL", "-b", people, "-e", "manageDSAit", "(mail=b*)", "mail"},
				{"ldapsearch", "-LLL", "-b", "cn=nobody," + people, "-s", "base"},
				{"ldapsearch", "-LLL", "-b", b.dn("carol"), "-s", "base", "(mail=carol@example.ac.jp)", "mail"},
				{"ldapcompare", b.dn("alice"), "mail:alice@example.ac.jp"},
				{"ldapcompare", b.dn("alice"), "mail:bob@example.ac.jp"},
				{"ldapwhoami"},
			} {
				want, got := b.ask("", args[0], as, args[1:]...), s.tool(args[0], s.insideURL(), as, args[1:]...)
				if got != want {
					t.Errorf("%s %q:\ngot  %+v\nwant %+v", as.dn, args, got, want)
				}
			}
		}
	})
}

// A guess at somebody's password by other means than a bind would need no
// code.
func TestPasswordAttributesOfTheDirectoryBehindAreShut(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.serve()
		for _, assertion := range []string{"userPassword:" + password, "2.5.4.35:" + password, "unicodePwd:" + password} {
			s.want(s.tool("ldapcompare", s.outsideURL(), b.service, b.dn("alice"), assertion), insufficientAccess)
		}
		for _, filter := range []string{"(userPassword=*)", "(userPassword=" + password + ")", "(!(userPassword=x))", "(2.5.4.35=*)"} {
			if a := s.want(s.tool("ldapsearch", s.outsideURL(), b.service, "-LLL", "-b", b.base, filter, "1.1"), 0); strings.Contains(a.out, "dn:") {
				t.Errorf("%s found\n%s", filter, a.out)
			}
		}
	})
}

// A reference leads a program to the directory itself, with the password in
// its hand.
func TestReferencesAreDroppedUnlessTheApplicationFollowsThem(t *testing.T) {
	t.Parallel()
	b := newSamba(t)
	s := newUpstreamSite(t, b)
	server := s.serve()
	search := func() string {
		return s.want(s.tool("ldapsearch", s.outsideURL(), b.service, "-LLL", "-b", b.base, "(sAMAccountName=bob)", "mail"), 0).out
	}
	if out := search(); !strings.Contains(out, "mail: bob@example.ac.jp") || strings.Contains(out, "ldaps://") {
		t.Errorf("found is\n%s", out)
	}
	s.change("service  = \"legacy\"\n", "service  = \"legacy\"\nreferrals = \"pass\"\n")
	s.reload(server, 1)
	if out := search(); !strings.Contains(out, "# refldaps://ad.example.ac.jp/") {
		t.Errorf("found is\n%s", out)
	}
}
