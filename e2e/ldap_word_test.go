package e2e

import (
	"strings"
	"testing"
)

// appBesideTheVPN is an application on the campus of the VPN tests, whose
// people are anywhere.
const appBesideTheVPN = `
[ldap]
base = "dc=example,dc=ac,dc=jp"

[[ldap.listener]]
url         = "ldaps://192.0.2.10:636"
certificate = "tls.crt"
key         = "tls.key"

[[ldap.app]]
name    = "imap"
address = ["192.0.2.0/24"]
service = "imap"

[metrics]
`

// Whoever has signed in on the web with a code gets a word there that signs
// them in to a program, once, without another code.
func TestLDAPByAWordOfTheWeb(t *testing.T) {
	t.Parallel()
	need(t, "ldapwhoami")
	s := newVPNSite(t, "ocserv.md")
	s.change("\n[metrics]\n", appBesideTheVPN)
	s.serve()
	web := s.surfer()
	address, page := web.open("https://" + ssoHost + "/login")
	address, page = web.fill(address, page, "name", "alice")
	address, page = web.fill(address, page, "password", password)
	address, page = web.fill(address, page, "code", s.alice.code())
	web.want(address, page, "https://"+ssoHost+"/", "/word?service=imap")
	address, page = web.open("https://" + ssoHost + "/word?service=imap")
	_, page = web.post(address, page, "/word")
	word := vpnWord.FindString(page)
	if word == "" {
		t.Fatalf("there is no word:\n%s", page)
	}
	bind := func(secret string) answer {
		return execute(t, "", "ip", "netns", "exec", s.campus.name, "env", "LDAPTLS_REQCERT=never",
			"ldapwhoami", "-x", "-H", "ldaps://192.0.2.10", "-D", personDN("alice"), "-w", secret)
	}
	if a := bind(word); a.code != 0 || a.out != "dn:"+personDN("alice")+"\n" {
		t.Fatalf("with the word: %+v", a)
	}
	if a := bind(word); a.code != invalidCredentials || !strings.Contains(a.err, "49") {
		t.Fatalf("with the word again: %+v", a)
	} else {
		s.wantBooked(a.err, "word_used")
	}
}
