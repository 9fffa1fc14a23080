package directory

import (
	"strings"
	"testing"
)

func TestSimpleDNIsTheCanonicalOne(t *testing.T) {
	for _, text := range []string{
		"uid=alice,ou=people,dc=example,dc=ac,dc=jp",
		"UID=Alice.B-c_9,OU=People,DC=Example,DC=AC,DC=JP",
		"cn=admin,o=x", "dc=jp",
	} {
		got, ok := Simple(text)
		rdns, err := parsedParts(text)
		if !ok || err != nil || got != strings.Join(rdns, ",") {
			t.Errorf("%s: %q, %v; parsed %q, %v", text, got, ok, rdns, err)
		}
	}
}

func TestDNThatHasToBeParsedIsNotSimple(t *testing.T) {
	for _, text := range []string{
		"", "alice", ",", "uid=", "=alice", "uid=alice,", ",uid=alice", "uid=alice,,dc=jp",
		"uid=a+cn=b,dc=jp", "uid=a b,dc=jp", "uid= a,dc=jp", "uid=a, dc=jp", `uid=a\2cb,dc=jp`, "uid=#04024869,dc=jp",
		"uid=a;dc=jp", "uid=a=b,dc=jp", `uid="a",dc=jp`, "uid=関所,dc=jp", "uid=a\x00,dc=jp", "uid=ａ,dc=jp",
		"userid=a,dc=jp", "2.5.4.3=a,dc=jp", "oid.2.5.4.3=a", "uid=alice@example.ac.jp", "sn=a,dc=jp", "ſ=a",
		"dc=" + strings.Repeat("a", maxDN), strings.Repeat("dc=a,", maxParts) + "dc=a",
	} {
		if got, ok := Simple(text); ok {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func FuzzSimple(f *testing.F) {
	f.Add("uid=alice,ou=people,dc=example")
	f.Add("UID=A.b,O=x")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := Simple(text)
		if !ok {
			return
		}
		rdns, err := parsedParts(text)
		if err != nil || got != strings.Join(rdns, ",") {
			t.Errorf("%q: simple %q, parsed %q, %v", text, got, rdns, err)
		}
	})
}
