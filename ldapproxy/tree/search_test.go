package tree

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/ldapproxy/wire"
)

// seeker is somebody who may search, with a clock that stands still.
func seeker() Asker {
	return Asker{Admitted: true, Pages: new(Pages), Now: func() time.Time { return testTime }}
}

func searchFor(t testing.TB, base string, scope int64, filter string, attributes ...string) *wire.SearchRequest {
	return &wire.SearchRequest{Base: base, Scope: scope, Filter: readText(t, filter), Attributes: attributes}
}

// found is what a search sent, by DN without the base, in order.
type found struct {
	dns     []string
	entries []map[string][]string
	wire.Result
	controls []wire.Control
}

func (tr *tree) seek(req *wire.SearchRequest, paged *wire.Control, who Asker) (got found) {
	got.Result, got.controls = tr.search(req, paged, who, func(dn string, attributes []wire.Attribute) bool {
		got.dns = append(got.dns, strings.TrimSuffix(dn, ","+testBase))
		entry := make(map[string][]string)
		for _, a := range attributes {
			if _, twice := entry[a.Name]; twice {
				entry["twice"] = append(entry["twice"], a.Name)
			}
			entry[a.Name] = slices.Clone(a.Values)
		}
		got.entries = append(got.entries, entry)
		return true
	})
	return got
}

func TestScopes(t *testing.T) {
	tree := campus(t)
	people := []string{"uid=alice,ou=people", "uid=bob,ou=people", `uid=carol\,x,ou=people`, "uid=taro,ou=people", "uid=zoë,ou=people"}
	groups := []string{"cn=Staff,ou=groups", "cn=users,ou=groups", "cn=wiki,ou=groups", "cn=学生,ou=groups"}
	services := []string{"cn=Backup Job,ou=services", "uid=svc-mail,ou=services"}
	top := []string{"ou=people", "ou=groups", "ou=services"}
	for _, c := range []struct {
		base  string
		scope int64
		want  []string
	}{
		{testBase, scopeBase, []string{testBase}},
		{testBase, ScopeOne, top},
		{testBase, ScopeSub, slices.Concat([]string{testBase}, top, services, groups, people)},
		{"ou=People, " + testBase, scopeBase, top[:1]},
		{"ou=people," + testBase, ScopeOne, people},
		{"ou=people," + testBase, ScopeSub, slices.Concat(top[:1], people)},
		{"ou=groups," + testBase, ScopeOne, groups},
		{"ou=groups," + testBase, ScopeSub, slices.Concat(top[1:2], groups)},
		{"ou=services," + testBase, ScopeOne, services},
		{aliceDN, scopeBase, people[:1]},
		{aliceDN, ScopeOne, nil},
		{aliceDN, ScopeSub, people[:1]},
		{"", scopeBase, []string{""}},
		{"cn=subschema", scopeBase, []string{"cn=Subschema"}},
		{"cn=subschema", ScopeOne, nil},
		{"cn=subschema", ScopeSub, []string{"cn=Subschema"}},
	} {
		got := tree.seek(searchFor(t, c.base, c.scope, "(objectClass=*)"), nil, seeker())
		if got.Code != wire.ResultSuccess || !slices.Equal(got.dns, c.want) {
			t.Errorf("%q, scope %d: %d, %q", c.base, c.scope, got.Code, got.dns)
		}
	}
	for _, scope := range []int64{-1, 3, 4} {
		if got := tree.seek(searchFor(t, testBase, scope, "(uid=*)"), nil, seeker()); got.Code != wire.ResultProtocolError {
			t.Errorf("scope %d: %+v", scope, got)
		}
	}
}

func TestEntries(t *testing.T) {
	tree := campus(t)
	for dn, want := range map[string]map[string][]string{
		aliceDN: {
			"objectClass": posixClasses, "uid": {"alice"}, "cn": {"Alice  Liddell"}, "sn": {"Liddell"}, "displayName": {"Alice  Liddell"},
			"mail": {"Alice@example.ac.jp"}, "uidNumber": {"1001"}, "gidNumber": {"100"}, "homeDirectory": {"/home/alice"}, "loginShell": {"/bin/bash"},
			"memberOf":              {"cn=Staff,ou=groups," + testBase, "cn=wiki,ou=groups," + testBase},
			"structuralObjectClass": {"inetOrgPerson"}, "entryUUID": {"30e34b9f-af86-5904-ae78-e013233fe77b"}, "createTimestamp": {"20240401093000Z"},
			"entryDN": {aliceDN}, "subschemaSubentry": {"cn=Subschema"}, "hasSubordinates": {"FALSE"},
		},
		"uid=bob,ou=people," + testBase: {
			"objectClass": personClasses, "uid": {"bob"}, "cn": {"bob"}, "sn": {"bob"}, "mail": {"bob@example.ac.jp"}, "memberOf": {"cn=wiki,ou=groups," + testBase},
			"structuralObjectClass": {"inetOrgPerson"},
			"entryDN":               {"uid=bob,ou=people," + testBase}, "subschemaSubentry": {"cn=Subschema"}, "hasSubordinates": {"FALSE"},
		},
		"cn=staff,ou=groups," + testBase: {
			"objectClass": posixGroups, "cn": {"Staff"}, "gidNumber": {"2000"}, "member": {aliceDN, "uid=zoë,ou=people," + testBase}, "memberUid": {"alice", "zoë"},
			"structuralObjectClass": {"groupOfNames"},
			"entryDN":               {"cn=Staff,ou=groups," + testBase}, "subschemaSubentry": {"cn=Subschema"}, "hasSubordinates": {"FALSE"},
		},
		mailDN: {
			"objectClass": {"top", "account"}, "uid": {"svc-mail"}, "structuralObjectClass": {"account"},
			"entryDN": {mailDN}, "subschemaSubentry": {"cn=Subschema"}, "hasSubordinates": {"FALSE"},
		},
		"cn=backup job,ou=services," + testBase: {
			"objectClass": {"top", "applicationProcess"}, "cn": {"Backup Job"}, "structuralObjectClass": {"applicationProcess"},
			"entryDN": {"cn=Backup Job,ou=services," + testBase}, "subschemaSubentry": {"cn=Subschema"}, "hasSubordinates": {"FALSE"},
		},
		testBase: {
			"objectClass": {"top", "domain"}, "dc": {"example"}, "structuralObjectClass": {"domain"},
			"entryDN": {testBase}, "subschemaSubentry": {"cn=Subschema"}, "hasSubordinates": {"TRUE"},
		},
		"ou=groups," + testBase: {
			"objectClass": {"top", "organizationalUnit"}, "ou": {"groups"}, "structuralObjectClass": {"organizationalUnit"},
			"entryDN": {"ou=groups," + testBase}, "subschemaSubentry": {"cn=Subschema"}, "hasSubordinates": {"TRUE"},
		},
	} {
		got := tree.seek(searchFor(t, dn, scopeBase, "(objectClass=*)", "*", "+"), nil, seeker())
		if len(got.entries) != 1 {
			t.Fatalf("%s: %+v", dn, got)
		}
		if _, ok := parseUUID(strings.Join(got.entries[0]["entryUUID"], " ")); !ok {
			t.Errorf("%s has no UUID", dn)
		}
		if dn != aliceDN { // hers stands for all
			delete(got.entries[0], "entryUUID")
		}
		if !maps.EqualFunc(got.entries[0], want, slices.Equal) {
			t.Errorf("%s:\ngot  %q\nwant %q", dn, got.entries[0], want)
		}
	}
}

func TestSurnameOfAJapaneseNameComesFirst(t *testing.T) {
	for display, want := range map[string]string{
		"山田　太郎": "山田", "山田 太郎": "山田", "やまだ たろう": "やまだ", "ヤマダ タロウ": "ヤマダ", "山田太郎": "山田太郎", "Alice Pleasance Liddell": "Liddell", "": "taro", "김 민수": "민수",
	} {
		p := person{name: "taro", display: display}
		if got := p.surname(); got != want {
			t.Errorf("%q: %q, want %q", display, got, want)
		}
	}
}

func TestAttributesThatAreAskedFor(t *testing.T) {
	tree := campus(t)
	users := []string{"cn", "displayName", "gidNumber", "homeDirectory", "loginShell", "mail", "memberOf", "objectClass", "sn", "uid", "uidNumber"}
	directorys := []string{"createTimestamp", "entryDN", "entryUUID", "hasSubordinates", "structuralObjectClass", "subschemaSubentry"}
	both := slices.Sorted(slices.Values(slices.Concat(users, directorys)))
	for _, c := range []struct{ ask, want []string }{
		{nil, users},
		{[]string{"*"}, users},
		{[]string{"+"}, directorys},
		{[]string{"*", "+"}, both},
		{[]string{"+", "*", "uid", "*"}, both},
		{[]string{"1.1"}, nil},
		{[]string{"1.1", "uid"}, []string{"uid"}},
		{[]string{"UID", "uid", "0.9.2342.19200300.100.1.1", "userid"}, []string{"uid"}},
		{[]string{"*", "entryuuid"}, slices.Sorted(slices.Values(append(slices.Clone(users), "entryUUID")))},
		{[]string{"nobodyknows", "title", "uid;lang-ja", "userPassword", ""}, nil},
		{[]string{"name"}, []string{"cn", "sn"}},
	} {
		got := tree.seek(searchFor(t, aliceDN, scopeBase, "(uid=alice)", c.ask...), nil, seeker())
		if len(got.entries) != 1 {
			t.Fatalf("%q: %+v", c.ask, got)
		}
		if names := slices.Sorted(maps.Keys(got.entries[0])); !slices.Equal(names, c.want) {
			t.Errorf("%q: %q, want %q", c.ask, names, c.want)
		}
	}
}

func TestTypesOnlySendsNoValues(t *testing.T) {
	req := searchFor(t, aliceDN, scopeBase, "(uid=alice)", "uid", "memberOf", "title")
	req.TypesOnly = true
	got := campus(t).seek(req, nil, seeker())
	if want := map[string][]string{"uid": nil, "memberOf": nil}; len(got.entries) != 1 || !maps.EqualFunc(got.entries[0], want, slices.Equal) {
		t.Errorf("%+v", got)
	}
}

func TestNoPasswordIsFoundOrSent(t *testing.T) {
	tree := campus(t)
	for _, filter := range []string{"(userPassword=*)", "(!(userPassword=*))", "(userPassword=x)", "(!(userPassword=x))", "(2.5.4.35=*)", "(!(userPassword;x-y=*))"} {
		if got := tree.seek(searchFor(t, testBase, ScopeSub, filter), nil, seeker()); got.Code != wire.ResultSuccess || len(got.dns) > 0 {
			t.Errorf("%s finds %+v", filter, got)
		}
	}
	if text := fmt.Sprint(subschema()); strings.Contains(strings.ToLower(text), "password") {
		t.Error("the schema knows of passwords")
	}
}

func TestBeforeABindThereIsTheRootDSEAlone(t *testing.T) {
	tree := campus(t)
	who := seeker()
	who.Admitted = false
	if got := tree.seek(searchFor(t, "", scopeBase, "(objectClass=*)"), nil, who); got.Code != wire.ResultSuccess || len(got.dns) != 1 {
		t.Errorf("root DSE: %+v", got)
	}
	for _, base := range []string{testBase, aliceDN, "uid=nobody,ou=people," + testBase, "dc=other", "cn=subschema"} {
		for scope := range int64(3) {
			if got := tree.seek(searchFor(t, base, scope, "(objectClass=*)"), nil, who); got.Code != wire.ResultInsufficientAccessRights || got.Matched != "" || len(got.dns) > 0 {
				t.Errorf("%s, scope %d: %+v", base, scope, got)
			}
		}
	}
	for _, scope := range []int64{ScopeOne, ScopeSub} {
		if got := tree.seek(searchFor(t, "", scope, "(objectClass=*)"), nil, who); got.Code != wire.ResultInsufficientAccessRights {
			t.Errorf("below the root DSE, scope %d: %+v", scope, got)
		}
	}
}

func TestSizeLimitIsTheLower(t *testing.T) {
	tree := campus(t)
	for _, c := range []struct {
		client int64
		server int
		sent   int
		code   int
	}{
		{0, 0, 5, wire.ResultSuccess}, {5, 0, 5, wire.ResultSuccess}, {0, 5, 5, wire.ResultSuccess}, {4, 0, 4, wire.ResultSizeLimitExceeded}, {0, 4, 4, wire.ResultSizeLimitExceeded},
		{3, 4, 3, wire.ResultSizeLimitExceeded}, {4, 3, 3, wire.ResultSizeLimitExceeded}, {-1, 0, 5, wire.ResultSuccess}, {1 << 40, 2, 2, wire.ResultSizeLimitExceeded},
	} {
		req := searchFor(t, testBase, ScopeSub, "(objectClass=person)")
		req.SizeLimit = c.client
		who := seeker()
		who.SizeLimit = c.server
		if got := tree.seek(req, nil, who); len(got.dns) != c.sent || got.Code != c.code {
			t.Errorf("client %d, server %d: %d sent, code %d", c.client, c.server, len(got.dns), got.Code)
		}
	}
}

func TestTimeLimitIsTheLower(t *testing.T) {
	tree := crowded(t, 3*workCheck)
	for _, c := range []struct {
		client int64
		server time.Duration
		each   time.Duration // what the clock takes
		code   int
	}{
		{0, 0, time.Hour, wire.ResultSuccess}, {1, 0, 2 * time.Second, wire.ResultTimeLimitExceeded}, {0, time.Second, 2 * time.Second, wire.ResultTimeLimitExceeded},
		{1, time.Hour, 2 * time.Second, wire.ResultTimeLimitExceeded}, {1 << 40, time.Second, 2 * time.Second, wire.ResultTimeLimitExceeded}, {1 << 40, 0, time.Second, wire.ResultSuccess},
		{10, time.Minute, time.Second, wire.ResultSuccess}, {-1, 0, time.Hour, wire.ResultSuccess},
	} {
		req := searchFor(t, testBase, ScopeSub, "(sn=nobody)")
		req.TimeLimit = c.client
		who := seeker()
		who.TimeLimit = c.server
		now := testTime
		who.Now = func() time.Time { now = now.Add(c.each); return now }
		if got := tree.seek(req, nil, who); got.Code != c.code {
			t.Errorf("client %d, server %v: code %d, want %d", c.client, c.server, got.Code, c.code)
		}
	}
}

func TestClientThatIsGoneEndsTheSearch(t *testing.T) {
	sent := 0
	campus(t).search(searchFor(t, testBase, ScopeSub, "(objectClass=*)"), nil, seeker(), func(string, []wire.Attribute) bool {
		sent++
		return sent < 2
	})
	if sent != 2 {
		t.Errorf("%d entries sent to nobody", sent)
	}
}

func TestAskingForEverybodyHitsTheSizeLimitSoon(t *testing.T) {
	tree := crowded(t, 100_000)
	who := seeker()
	who.SizeLimit = 500
	looks := 0
	who.Now = func() time.Time { looks++; return testTime }
	who.TimeLimit = time.Second
	got := tree.seek(searchFor(t, testBase, ScopeSub, "(uid=*)"), nil, who)
	if got.Code != wire.ResultSizeLimitExceeded || len(got.dns) != 500 {
		t.Errorf("%d entries, code %d", len(got.dns), got.Code)
	}
	if looks > 20 {
		t.Errorf("worked for about %d entries to find 500", looks*workCheck/20)
	}
}
