package tree

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sekisho/ldapproxy/wire"
)

func TestRootDSETellsWhatIsServed(t *testing.T) {
	tree := campus(t)
	want := map[string][]string{
		"objectClass": {"top", "extensibleObject"}, "namingContexts": {testBase}, "subschemaSubentry": {"cn=Subschema"}, "supportedLDAPVersion": {"3"},
		"supportedControl": {"1.2.840.113556.1.4.319", "2.16.840.1.113730.3.4.2"}, "supportedExtension": {"1.3.6.1.4.1.4203.1.11.3", "1.3.6.1.1.8"},
		"supportedFeatures": {"1.3.6.1.4.1.4203.1.5.1", "1.3.6.1.4.1.4203.1.5.3"}, "vendorName": {"Sekisho"},
	}
	for _, startTLS := range []bool{false, true} {
		who := seeker()
		who.Admitted, who.StartTLS = false, startTLS
		if startTLS {
			want["supportedExtension"] = append(want["supportedExtension"], "1.3.6.1.4.1.1466.20037")
		}
		got := tree.seek(searchFor(t, "", scopeBase, "(objectClass=*)", "*", "+"), nil, who)
		if len(got.entries) != 1 || !maps.EqualFunc(got.entries[0], want, slices.Equal) {
			t.Errorf("StartTLS %v: %q", startTLS, got.entries)
		}
	}
}

func TestRootDSEIsAnEntryToBeAskedOf(t *testing.T) {
	tree := campus(t)
	for _, c := range []struct {
		filter string
		ask    []string
		want   []string // names; nil: not found
	}{
		{"(objectClass=*)", nil, []string{"objectClass"}},
		{"(objectclass=*)", []string{"namingcontexts", "SUPPORTEDSASLMECHANISMS", "1.3.6.1.4.1.1466.101.120.13"}, []string{"namingContexts", "supportedControl"}},
		{"(objectClass=top)", []string{"vendorName"}, []string{"vendorName"}},
		{"(supportedLDAPVersion=3)", []string{"1.1"}, []string{}},
		{"(&(supportedExtension=1.3.6.1.1.8)(supportedLDAPVersion>=2))", []string{"1.1"}, []string{}},
		{"(vendorName=Seki*)", []string{"1.1"}, []string{}},
		{"(supportedSASLMechanisms=*)", nil, nil},
		{"(uid=*)", nil, nil},
		{"(entryDN=*)", nil, nil},
		{"(objectClass=person)", nil, nil},
	} {
		got := tree.seek(searchFor(t, "", scopeBase, c.filter, c.ask...), nil, seeker())
		if got.Code != wire.ResultSuccess || len(got.entries) > 0 != (c.want != nil) {
			t.Errorf("%s: %+v", c.filter, got)
		} else if c.want != nil && !slices.Equal(slices.Sorted(maps.Keys(got.entries[0])), c.want) {
			t.Errorf("%s, %q: %q", c.filter, c.ask, got.entries[0])
		}
	}
}

func TestRootDSEIsInNoSubtree(t *testing.T) {
	tree := campus(t)
	for _, scope := range []int64{ScopeOne, ScopeSub} {
		if got := tree.seek(searchFor(t, "", scope, "(objectClass=*)"), nil, seeker()); got.Code != wire.ResultNoSuchObject || len(got.dns) > 0 {
			t.Errorf("scope %d: %+v", scope, got)
		}
	}
}

func TestSubschemaIsConsistent(t *testing.T) {
	tree := campus(t)
	got := tree.seek(searchFor(t, "cn=Subschema", scopeBase, "(objectClass=subschema)", "+"), nil, seeker())
	if len(got.entries) != 1 {
		t.Fatalf("%+v", got)
	}
	shape := regexp.MustCompile(`^\( ([0-9.]+)( NAME (?:'[A-Za-z0-9]+'|\( '[A-Za-z0-9]+'(?: '[A-Za-z0-9]+')+ \)))?( [^']+| DESC '[A-Za-z0-9 ]+' )\)$`)
	oids := make(map[string]string)
	for _, list := range []string{"attributeTypes", "objectClasses", "matchingRules", "ldapSyntaxes"} {
		if len(got.entries[0][list]) == 0 {
			t.Errorf("no %s", list)
		}
		for _, text := range got.entries[0][list] {
			parts := shape.FindStringSubmatch(text)
			if parts == nil {
				t.Errorf("%s: %s", list, text)
			} else if oids[parts[1]] != "" {
				t.Errorf("%s is %s and %s", parts[1], oids[parts[1]], text)
			} else {
				oids[parts[1]] = text
			}
		}
	}
	for _, c := range classes {
		for _, name := range strings.Fields(c.must + " " + c.may) {
			if a, ok := attributeNamed(name); !ok || a.name() != name {
				t.Errorf("class %s has %s, which is not known", c.name, name)
			}
		}
		if c.super != "" && classNames[strings.ToLower(c.super)] != c.super {
			t.Errorf("class %s has the superior %s", c.name, c.super)
		}
	}
	said := strings.Join(got.entries[0]["matchingRules"], "\n")
	for a := range attributeTypes {
		k := kinds[attr(a).kind()]
		for _, rule := range []string{k.equality, k.ordering, k.substrings} {
			if rule != "" && !strings.Contains(said, "'"+rule+"'") {
				t.Errorf("%s is compared by %s, which is not told", attr(a).name(), rule)
			}
		}
		if super := attributeTypes[a].super; super != "" {
			if s, ok := attributeNamed(super); !ok || s.kind() != attr(a).kind() {
				t.Errorf("%s has the supertype %s", attr(a).name(), super)
			}
		}
	}
}

func TestEveryEntryIsAsItsClassesSay(t *testing.T) {
	tree := campus(t)
	of := make(map[string]class)
	for _, c := range classes {
		of[c.name] = c
	}
	got := tree.seek(searchFor(t, testBase, ScopeSub, "(objectClass=*)"), nil, seeker())
	for i, entry := range got.entries {
		allowed := make(map[string]bool)
		for _, name := range entry["objectClass"] {
			c := of[name]
			for _, must := range strings.Fields(c.must) {
				if len(entry[must]) == 0 {
					t.Errorf("%s is a %s without %s", got.dns[i], name, must)
				}
			}
			for _, name := range strings.Fields(c.must + " " + c.may) {
				allowed[name] = true
			}
		}
		for name, values := range entry {
			if a, _ := attributeNamed(name); !allowed[name] || attributeTypes[a].single && len(values) != 1 {
				t.Errorf("%s has %s: %q", got.dns[i], name, values)
			}
		}
	}
}
