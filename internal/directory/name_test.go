package directory

import (
	"strings"
	"testing"
)

var site = Names{Domains: []string{"example.ac.jp", "EXAMPLE"}, Base: "dc=example,dc=ac,dc=jp"}

func TestCanonical(t *testing.T) {
	for typed, want := range map[string]string{
		"alice":               "alice",
		"  Alice\t":           "alice",
		"ALICE":               "alice",
		"alice@example.ac.jp": "alice",
		"alice@Example.AC.jp": "alice",
		"alice@elsewhere.org": "alice@elsewhere.org",
		"a@b@example.ac.jp":   "a@b",
		"EXAMPLE\\Alice":      "alice",
		"example\\alice":      "alice",
		"OTHER\\alice":        "other\\alice",
		"@example.ac.jp":      "",
		"EXAMPLE\\":           "",
		"":                    "",
		"e\u0301lodie":        "élodie", // composed
		"ÉLODIE":              "élodie",
		"山田":                  "山田",
		"al\x00ice":           "al\x00ice",
		"uid=Alice,ou=people,dc=example,dc=ac,dc=jp":            "alice",
		"UID=alice, OU=People, DC=example, DC=ac, DC=jp":        "alice",
		"cn=Alice A+uid=alice,ou=people,dc=example,dc=ac,dc=jp": "alice",
		"uid=al\\2cice,ou=people,dc=example,dc=ac,dc=jp":        "al,ice",
		// Types by their other names.
		"userid=alice,ou=people,dc=example,dc=ac,dc=jp":                                                               "alice",
		"0.9.2342.19200300.100.1.1=alice,2.5.4.11=people,0.9.2342.19200300.100.1.25=example,domainComponent=ac,dc=jp": "alice",
		"OID.0.9.2342.19200300.100.1.1=alice,organizationalUnitName=people,dc=example,dc=ac,dc=jp":                    "alice",
		"uid=#0405616c696365,ou=people,dc=example,dc=ac,dc=jp":                                                        "alice",
		// Two people at once are nobody.
		"uid=alice+uid=bob,ou=people,dc=example,dc=ac,dc=jp":                       "uid=alice+uid=bob,ou=people,dc=example,dc=ac,dc=jp",
		"uid=alice+userid=alice,ou=people,dc=example,dc=ac,dc=jp":                  "uid=alice+userid=alice,ou=people,dc=example,dc=ac,dc=jp",
		"0.9.2342.19200300.100.1.1=bob+uid=alice,ou=people,dc=example,dc=ac,dc=jp": "0.9.2342.19200300.100.1.1=bob+uid=alice,ou=people,dc=example,dc=ac,dc=jp",
		// Nobody's: another branch, deeper, another attribute, broken.
		"uid=svc,ou=services,dc=example,dc=ac,dc=jp":   "uid=svc,ou=services,dc=example,dc=ac,dc=jp",
		"uid=x,uid=y,ou=people,dc=example,dc=ac,dc=jp": "uid=x,uid=y,ou=people,dc=example,dc=ac,dc=jp",
		"cn=alice,ou=people,dc=example,dc=ac,dc=jp":    "cn=alice,ou=people,dc=example,dc=ac,dc=jp",
		"ou=people,dc=example,dc=ac,dc=jp":             "ou=people,dc=example,dc=ac,dc=jp",
		"uid=alice,ou=people,dc=example,dc=com":        "uid=alice,ou=people,dc=example,dc=com",
		"uid=alice,=":                                  "uid=alice,=",
	} {
		if got := site.Canonical(typed); got != want {
			t.Errorf("%q becomes %q, want %q", typed, got, want)
		}
	}
}

func TestZeroNamesKnowBareNamesOnly(t *testing.T) {
	for _, typed := range []string{"alice@example.ac.jp", `example\alice`, "uid=alice,ou=people,dc=example"} {
		if got := (Names{}).Canonical(typed); got != typed {
			t.Errorf("%q becomes %q", typed, got)
		}
	}
}

// A base that is no DN takes no DN; it must not take all.
func TestBrokenBase(t *testing.T) {
	typed := "uid=alice,ou=people,dc=example"
	if got := (Names{Base: "not a DN"}).Canonical(typed); got != typed {
		t.Errorf("%q becomes %q", typed, got)
	}
}

func TestLookable(t *testing.T) {
	for name, want := range map[string]bool{
		"alice": true, "山田": true, "a b": true, strings.Repeat("x", maxName): true,
		"": false, strings.Repeat("x", maxName+1): false, "a\x00": false, "a\nb": false, "a\x7f": false, "\xff": false,
	} {
		if lookable(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, typed := range []string{"alice", "alice@example.ac.jp", `EXAMPLE\alice`, "uid=a\\2c,ou=people,dc=example,dc=ac,dc=jp", "\xff=@\\"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		name := site.Canonical(typed)
		if again := site.Canonical(typed); again != name {
			t.Errorf("%q becomes %q, then %q", typed, name, again)
		}
		if lookable(name) && fold(name) != name {
			t.Errorf("%q becomes %q, which folds to %q", typed, name, fold(name))
		}
	})
}

// What the short way takes the long way takes, too, and for the same person.
func TestPlainDNIsReadAsTheParserReadsIt(t *testing.T) {
	n := Names{Base: "dc=example,dc=ac,dc=jp"}
	for _, name := range []string{"alice", "a.b-c_9", "0"} {
		dn := "uid=" + name + ",ou=people," + n.Base
		plain, ok := n.Plain(dn)
		parsed, good := n.fromDN(dn)
		if !ok || !good || plain != name || parsed != name {
			t.Errorf("%s: %q %v, parsed %q %v", dn, plain, ok, parsed, good)
		}
	}
	for _, dn := range []string{
		"uid=,ou=people," + n.Base, "uid=Alice,ou=people," + n.Base, "uid=a+uid=b,ou=people," + n.Base,
		"uid=a,uid=b,ou=people," + n.Base, `uid=a\20b,ou=people,` + n.Base, "uid=#0401,ou=people," + n.Base,
		"uid=a,ou=services," + n.Base, "uid=a,ou=people,dc=example", "cn=a,ou=people," + n.Base,
		"uid= a,ou=people," + n.Base, "uid=" + strings.Repeat("a", maxName+1) + ",ou=people," + n.Base, n.Base, "",
	} {
		if name, ok := n.Plain(dn); ok {
			t.Errorf("%s: %q", dn, name)
		}
	}
	if name, ok := (Names{}).Plain("uid=a,ou=people,"); ok {
		t.Errorf("without a base: %q", name)
	}
}

func TestFoldTwice(t *testing.T) {
	for _, s := range []string{"J\u030c", "İ", "ẞ", "\u212b", "\u1e96", "T\u0308", "Y\u030a", "W\u030a", "A\u02be", "H\u0331", "Σ", "\u0345"} {
		if fold(s) != fold(fold(s)) {
			t.Errorf("%+q: %+q, then %+q", s, fold(s), fold(fold(s)))
		}
	}
}
