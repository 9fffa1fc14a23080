package ldapproxy

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/directory"
)

func TestCanonicalDN(t *testing.T) {
	for _, same := range [][]string{
		{"", " "},
		{"uid=alice,ou=people,dc=jp", "UID=Alice, OU = People ,DC=JP", `uid=al\69ce,ou=people;dc=jp`, "uid=#0405616c696365,ou=people,dc=jp",
			"0.9.2342.19200300.100.1.1=alice,2.5.4.11=people,dc=jp"},
		{"cn=a b,dc=jp", "cn=A   B,dc=jp", `cn=\20a b\20,dc=jp`},
		{"cn=x+uid=y,dc=jp", "UID=Y+cn=x,dc=jp"},
		{`cn=a\,b`, `cn=a\2cb`, `cn=A\2Cb`},
		{`cn=É`, "cn=e\u0301", `cn=\c3\89`},
	} {
		want, err := canonicalDN(same[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, dn := range same {
			if got, err := canonicalDN(dn); err != nil || got != want {
				t.Errorf("%q is %q, %v, want %q", dn, got, err, want)
			}
		}
	}
	for _, dn := range []string{"nonsense", "uid=a,", "=a", `uid\=a\,ou=b`, "u id=a", "ユーザ=a"} {
		if got, err := canonicalDN(dn); err == nil {
			t.Errorf("%q is taken for %q", dn, got)
		}
	}
	for _, other := range []string{`cn=a\,ou=b`, "cn=a+ou=b", "cn=a"} {
		if got, _ := canonicalDN(other); got == "cn=a,ou=b" {
			t.Errorf("%q is taken for cn=a,ou=b", other)
		}
	}
}

func FuzzCanonicalDN(f *testing.F) {
	for _, seed := range []string{"uid=alice,ou=people,dc=jp", `cn=a\2c#\ +uid=b`, "uid=#0405616c696365", `o=\ffx\00`, "a=b;c=d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		nameable(text)
		key, err := canonicalDN(text)
		if parsed, perr := parsedDN(text); parsed != key || (perr == nil) != (err == nil) {
			t.Errorf("%q is %q, %v, and parsed %q, %v", text, key, err, parsed, perr)
		}
		if err != nil {
			return
		}
		dn, err := ldap.ParseDN(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := directory.ParseDN(dn.String()); err != nil {
			return // too long, as it is escaped there
		}
		if other, err := canonicalDN(dn.String()); err != nil || other != key { // escaped in another way
			t.Errorf("%q is %q, and as %q it is %q, %v", text, key, dn.String(), other, err)
		}
	})
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"uid=alice,ou=people": "uid=alice,ou=people", "山田": "山田", `DOMAIN\alice`: `DOMAIN\alice`,
		"a\x1b[2Jb": `"a\x1b[2Jb"`, "\u202eevil": `"\u202eevil"`, "a\nb": `"a\nb"`, "\xff": `"\xff"`, "a\u200bb": `"a\u200bb"`,
	} {
		if got := visible(in); got != want {
			t.Errorf("%q is shown as %s, want %s", in, got, want)
		}
	}
	if got := visible(strings.Repeat("é", 5000)); len(got) > 2000 {
		t.Errorf("%d octets", len(got))
	}
}

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "secret": "s…", "秘密": "秘…", "uid=secret,ou=people,dc=jp": "u…,ou=people,dc=jp", "uid=secret": "u…",
		`uid=a\,secret,dc=jp`: "u…", "secret,word": "s…",
	} {
		if got := masked(in); got != want {
			t.Errorf("%q is masked as %q, want %q", in, got, want)
		}
	}
}
