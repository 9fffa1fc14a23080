package tree

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"sekisho/ldapproxy/wire"
)

func readText(t testing.TB, text string) *wire.Filter {
	t.Helper()
	packet, err := ldap.CompileFilter(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	f, err := wire.ParseFilter(packet.Bytes())
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// ofAlice is what a filter is of alice.
func ofAlice(t testing.TB, tree *tree, f *wire.Filter) truth {
	t.Helper()
	id, _, err := tree.find(aliceDN)
	if err != nil || id == noID {
		t.Fatal("alice is gone")
	}
	c := tree.compile(f)
	m := matcher{tree: tree}
	return m.matches(&c, id)
}

func TestThreeValuedLogic(t *testing.T) {
	tree := campus(t)
	items := [...]string{no: "(uid=bob)", undefined: "(nobodyknows=1)", yes: "(uid=alice)"}
	and := [3][3]truth{no: {no, no, no}, undefined: {no, undefined, undefined}, yes: {no, undefined, yes}}
	or := [3][3]truth{no: {no, undefined, yes}, undefined: {undefined, undefined, yes}, yes: {yes, yes, yes}}
	not := [3]truth{yes, undefined, no}
	for a, x := range items {
		if got := ofAlice(t, tree, readText(t, x)); got != truth(a) {
			t.Fatalf("%s is %d", x, got)
		}
		if got := ofAlice(t, tree, readText(t, "(!"+x+")")); got != not[a] {
			t.Errorf("not %d is %d", a, got)
		}
		for b, y := range items {
			if got := ofAlice(t, tree, readText(t, "(&"+x+y+")")); got != and[a][b] {
				t.Errorf("%d and %d is %d", a, b, got)
			}
			if got := ofAlice(t, tree, readText(t, "(|"+x+y+")")); got != or[a][b] {
				t.Errorf("%d or %d is %d", a, b, got)
			}
		}
	}
}

func TestFilterItems(t *testing.T) {
	tree := campus(t)
	for text, want := range map[string]truth{
		// Text: case, spaces, one normal form.
		"(uid=ALICE)": yes, "(UID= alice )": yes, "(uid=ａｌｉｃｅ)": yes, "(userid=alice)": yes, "(0.9.2342.19200300.100.1.1=alice)": yes,
		"(cn=alice liddell)": yes, "(cn=Alice    Liddell)": yes, "(cn=aliceliddell)": no, "(commonName=alice liddell)": yes,
		"(mail=alice@EXAMPLE.ac.jp)": yes, "(mail=ａlice@example.ac.jp)": undefined, "(sn=liddell)": yes,
		"(uid=)": undefined, `(uid=\ff)`: undefined, `(cn=\ff*)`: undefined, `(mail=\ff*)`: undefined,
		// Presence, and attributes that nobody has.
		"(uid=*)": yes, "(mail=*)": yes, "(givenName=*)": no, "(givenName=Alice)": no, "(!(givenName=Alice))": yes,
		"(jpegPhoto=*)": no, "(jpegPhoto=x)": undefined, "(nobodyknows=*)": undefined, "(!(nobodyknows=*))": undefined,
		"(uid;lang-ja=alice)": undefined, "(uid;lang-ja=*)": undefined,
		// No password, by whatever name.
		"(userPassword=*)": undefined, "(userPassword=x)": undefined, "(!(userPassword=x))": undefined, "(2.5.4.35=*)": undefined,
		"(userPassword;x=*)": undefined, "(userPassword>=x)": undefined, "(userPassword=x*)": undefined, "(userPassword:octetStringMatch:=x)": undefined,
		// A supertype.
		"(name=alice liddell)": yes, "(name=liddell)": yes, "(name=alice)": no, "(name=*)": yes, "(name=ali*)": yes,
		// Approximately, extensible.
		"(uid~=Alice)": yes, "(uid:=alice)": yes, "(uid:caseExactMatch:=alice)": yes, "(cn:caseExactMatch:=Alice Liddell)": yes,
		"(cn:caseExactMatch:=alice liddell)": no, "(cn:2.5.13.5:=Alice Liddell)": yes, "(cn:CASEIGNOREMATCH:=alice liddell)": yes,
		"(uidNumber:integerMatch:=1001)": yes, "(uidNumber:caseIgnoreMatch:=1001)": undefined, "(cn:integerMatch:=1)": undefined,
		"(uidNumber:integerOrderingMatch:=1002)": yes, "(uidNumber:integerOrderingMatch:=1001)": no,
		"(uidNumber:1.2.840.113556.1.4.803:=1)": undefined, "(cn:nobodyknows:=x)": undefined, "(:nobodyknows:=x)": undefined,
		"(:caseIgnoreMatch:=liddell)": yes, "(:caseIgnoreMatch:=nobody)": no, "(:integerMatch:=1001)": yes,
		"(ou=people)": no, "(ou:dn:=people)": yes, "(ou:dn:=groups)": no, "(dc:dn:=AC)": yes, "(dc:dn:=com)": no, "(ou:dn:caseIgnoreMatch:=people)": yes,
		"(:dn:caseIgnoreMatch:=people)": yes, "(name:dn:=people)": yes, "(nobodyknows:dn:=people)": undefined,
		// Parts.
		"(uid=al*)": yes, "(uid=*ce)": yes, "(uid=*lic*)": yes, "(uid=a*i*e)": yes, "(uid=a*c*i*e)": no, "(uid=alice*alice)": no,
		"(uid=ali*ice)": no, "(cn=alice *)": yes, "(cn=alice l*)": yes, "(cn=alice* liddell)": yes, "(cn=* lid*)": yes, "(cn=*e *)": yes, "(cn=* *)": yes,
		"(cn=*alice  lid*)": yes, "(uid=* *)": no, "(uidNumber=1*)": undefined, "(member=uid*)": undefined, "(nobodyknows=a*)": undefined,
		"(homeDirectory=/home/*)": yes, "(homeDirectory=/HOME/*)": no,
		// Order.
		"(uidNumber>=1001)": yes, "(uidNumber>=1002)": no, "(uidNumber<=1001)": yes, "(uidNumber<=1000)": no, "(uidNumber=1001)": yes,
		"(uidNumber=01001)": undefined, "(uidNumber=x)": undefined, "(uidNumber=-0)": undefined, "(uidNumber=)": undefined, "(uidNumber=+1)": undefined,
		"(uidNumber=99999999999999999999)": no, "(uidNumber<=99999999999999999999)": yes, "(uidNumber>=-99999999999999999999)": yes, "(uidNumber>=99999999999999999999)": no,
		"(cn>=a)": undefined, "(!(cn>=a))": undefined, "(member>=a)": undefined, "(gidNumber=100)": yes, "(gidNumber>=101)": no,
		"(createTimestamp>=20240101000000Z)": yes, "(createTimestamp>=2025010100Z)": no, "(createTimestamp=20240401093000Z)": yes,
		"(createTimestamp=202404011830+0900)": yes, "(createTimestamp=202404010930.0Z)": yes, "(createTimestamp=2024040109.5Z)": yes, "(createTimestamp<=20240401093000.5Z)": yes,
		"(createTimestamp>=20240401093000,5Z)": no, "(createTimestamp<=99991231235959Z)": yes, "(createTimestamp=20240401093000)": undefined,
		"(createTimestamp=20241301093000Z)": undefined, "(createTimestamp=now)": undefined, "(createTimestamp=20240401093000.Z)": undefined,
		"(createTimestamp=202404010930+9)": undefined, "(createTimestamp:generalizedTimeOrderingMatch:=2025010100Z)": yes,
		// UUIDs, booleans, names of classes.
		"(entryUUID=30e34b9f-af86-5904-ae78-e013233fe77b)": yes, "(entryUUID=30E34B9F-AF86-5904-AE78-E013233FE77B)": yes,
		"(entryUUID=30e34b9faf865904ae78e013233fe77b)": undefined, "(entryUUID=30e34b9f-af86-5904-ae78-e013233fe77x)": undefined,
		"(entryUUID>=00000000-0000-0000-0000-000000000000)": yes, "(entryUUID<=00000000-0000-0000-0000-000000000000)": no,
		"(hasSubordinates=FALSE)": yes, "(hasSubordinates=TRUE)": no, "(hasSubordinates=false)": undefined,
		"(objectClass=INETORGPERSON)": yes, "(objectClass=2.16.840.1.113730.3.2.2)": yes, "(objectClass=posixAccount)": yes, "(objectClass=groupOfNames)": no,
		"(objectClass=nobodyknows)": undefined, "(!(objectClass=nobodyknows))": undefined, "(objectClass=1.2.3.4)": no, "(objectClass=1.02)": undefined, "(objectClass=7)": undefined,
		// DNs.
		"(memberOf=CN=Staff, ou=groups," + testBase + ")": yes, "(memberOf=cn=users,ou=groups," + testBase + ")": no, "(memberOf=cn=gone,ou=groups," + testBase + ")": no,
		"(memberOf=staff)": undefined, "(memberOf=*)": yes, "(member=*)": no, "(entryDN=UID=Alice,ou=people," + testBase + ")": yes, "(entryDN=*)": yes,
		"(entryDN=" + testBase + ")": no, "(subschemaSubentry=cn=subschema)": yes, "(manager=" + aliceDN + ")": no, "(!(manager=" + aliceDN + "))": yes,
		"(memberOf:distinguishedNameMatch:=cn=staff,ou=groups," + testBase + ")": yes, "(memberOf:1.2.840.113556.1.4.1941:=cn=staff,ou=groups," + testBase + ")": undefined,
	} {
		if got := ofAlice(t, tree, readText(t, text)); got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
	for kind, want := range map[byte]truth{wire.FilterAnd: yes, wire.FilterOr: no, 0xaf: undefined} {
		if got := ofAlice(t, tree, &wire.Filter{Kind: kind}); got != want {
			t.Errorf("an empty %#x is %d, want %d", kind, got, want)
		}
	}
	if got := ofAlice(t, tree, &wire.Filter{Kind: wire.FilterSubstrings, Attribute: "uid", Initial: []byte{}}); got != undefined {
		t.Errorf("an empty part is %d", got)
	}
}

// naive judges a filter by an entry as it is sent, with the plainest means.
type naive struct {
	tree *tree
	dn   *ldap.DN
	have map[string][]string
}

func (n naive) judge(f *wire.Filter) truth {
	switch f.Kind {
	case wire.FilterAnd:
		v := yes
		for _, c := range f.Children {
			v = min(v, n.judge(c))
		}
		return v
	case wire.FilterOr:
		v := no
		for _, c := range f.Children {
			v = max(v, n.judge(c))
		}
		return v
	case wire.FilterNot:
		return 2 - n.judge(f.Children[0])
	}
	a, ok := attributeNamed(f.Attribute)
	if !ok {
		return undefined
	}
	values := slices.Clone(n.have[a.name()])
	if f.DNAttrs {
		for _, rdn := range n.dn.RDNs[1:] {
			for _, part := range rdn.Attributes {
				if strings.EqualFold(part.Type, a.name()) {
					values = append(values, part.Value)
				}
			}
		}
	}
	if f.Kind == wire.FilterPresent {
		return truly(len(values) > 0)
	}
	v := no
	for _, value := range append(values, "\x00") {
		v = max(v, n.item(f, a, value))
	}
	return v
}

func (n naive) item(f *wire.Filter, a attr, value string) truth {
	mine := func(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }
	switch a {
	case attrUIDNumber, attrGIDNumber:
		want, ok := new(big.Int).SetString(string(f.Value), 10)
		if !ok || f.Kind == wire.FilterSubstrings {
			return undefined
		}
		have, ok := new(big.Int).SetString(value, 10)
		if !ok {
			return no
		}
		order := have.Cmp(want)
		return truly(f.Kind == wire.FilterGreater && order >= 0 || f.Kind == wire.FilterLess && order <= 0 || order == 0)
	case attrMember, attrMemberOf, attrEntryDN:
		want, err := ldap.ParseDN(string(f.Value))
		if err != nil || f.Kind == wire.FilterGreater || f.Kind == wire.FilterLess || f.Kind == wire.FilterSubstrings {
			return undefined
		}
		have, err := ldap.ParseDN(value)
		return truly(err == nil && have.EqualFold(want))
	case attrObjectClass:
		if f.Kind == wire.FilterGreater || f.Kind == wire.FilterLess || f.Kind == wire.FilterSubstrings || !slices.ContainsFunc(classes[:], func(c class) bool { return strings.EqualFold(c.name, string(f.Value)) }) {
			return undefined
		}
		return truly(strings.EqualFold(value, string(f.Value)))
	case attrMemberUID:
		mine = func(s string) string { return strings.Join(strings.Fields(s), " ") }
	}
	if f.Kind == wire.FilterGreater || f.Kind == wire.FilterLess || f.Kind != wire.FilterSubstrings && len(f.Value) == 0 {
		return undefined
	}
	value = mine(value)
	if f.Kind != wire.FilterSubstrings {
		return truly(value == mine(string(f.Value)))
	}
	if !strings.HasPrefix(value, mine(string(f.Initial))) {
		return no
	}
	value = value[len(mine(string(f.Initial))):]
	for _, part := range f.Any {
		_, rest, ok := strings.Cut(value, mine(string(part)))
		if !ok {
			return no
		}
		value = rest
	}
	return truly(strings.HasSuffix(value, mine(string(f.Final))))
}

// dice makes filters of what the tree has and of what it has not.
type dice struct{ *rand.Rand }

func (d dice) of(list ...string) string { return list[d.IntN(len(list))] }

func (d dice) filter(depth int) *wire.Filter {
	if depth > 0 && d.IntN(2) == 0 {
		f := &wire.Filter{Kind: []byte{wire.FilterAnd, wire.FilterOr, wire.FilterNot}[d.IntN(3)]}
		n := d.IntN(4)
		if f.Kind == wire.FilterNot {
			n = 1
		}
		for range n {
			f.Children = append(f.Children, d.filter(depth-1))
		}
		return f
	}
	kinds := []byte{wire.FilterEqual, wire.FilterEqual, wire.FilterEqual, wire.FilterEqual, wire.FilterApprox, wire.FilterPresent, wire.FilterGreater, wire.FilterLess, wire.FilterSubstrings, wire.FilterExtensible}
	f := &wire.Filter{Kind: kinds[d.IntN(len(kinds))]}
	f.Attribute = d.of("uid", "UID", "cn", "mail", "sn", "uidNumber", "gidNumber", "objectClass", "member", "memberOf", "memberUid", "entryDN", "ou", "dc", "unknown", "title")
	switch f.Attribute {
	case "uidNumber", "gidNumber":
		f.Value = []byte(d.of("1001", "1003", "100", "2000", "0", "-5", "x", "77777777777777777777"))
	case "objectClass":
		f.Value = []byte(d.of("person", "posixAccount", "posixgroup", "groupOfNames", "organizationalUnit", "top", "account", "applicationProcess", "domain", "device"))
	case "member", "memberOf", "entryDN":
		f.Value = []byte(d.of(aliceDN, "uid=zoë,ou=people,"+testBase, "uid=BOB,ou=people,"+testBase, "cn=staff,ou=groups,"+testBase, "cn=wiki,ou=groups,"+testBase, "cn=gone,ou=groups,"+testBase, mailDN, testBase, "none"))
	default:
		f.Value = []byte(d.of("alice", "ALICE", "bob", "alice liddell", "Alice@example.ac.jp", "wiki", "Staff", "svc-mail", "people", "ac", "zoë", "学生", "Carol, X=+", "carol,x", ""))
	}
	switch f.Kind {
	case wire.FilterSubstrings:
		f.Value = nil
		if d.IntN(2) == 0 {
			f.Initial = []byte(d.of("a", "ali", "S", "b", "c"))
		}
		for range d.IntN(2) {
			f.Any = append(f.Any, []byte(d.of("i", "l", "e", "学", ",")))
		}
		if f.Initial == nil && f.Any == nil || d.IntN(2) == 0 {
			f.Final = []byte(d.of("e", "b", "生", "jp", "l"))
		}
	case wire.FilterExtensible:
		f.DNAttrs = d.IntN(2) == 0
	}
	if a, ok := attributeNamed(f.Attribute); ok && (a == attrMail || a == attrMemberUID || a == attrDC) {
		ascii := func(b []byte) bool { return isValue(b, true) }
		if !ascii(f.Value) || len(f.Value) == 0 || !ascii(f.Final) || slices.ContainsFunc(f.Any, func(b []byte) bool { return !ascii(b) }) {
			return d.filter(depth) // TestFilterItems has these
		}
	}
	return f
}

// TestIndexFindsWhatLookingAtEveryEntryFinds holds searches against a plain
// reading of the standard, filter by filter.
func TestIndexFindsWhatLookingAtEveryEntryFinds(t *testing.T) {
	tree := campus(t)
	every := renderer{tree: tree, wanted: wanted([]string{"*", "+"})}
	var entries []naive
	for id := idBase; id < tree.end; id++ {
		dn, attributes := every.entry(id)
		n := naive{tree: tree, have: make(map[string][]string)}
		n.dn, _ = ldap.ParseDN(dn)
		for _, a := range attributes {
			n.have[a.Name] = slices.Clone(a.Values)
		}
		entries = append(entries, n)
	}
	d := dice{rand.New(rand.NewPCG(1, 2))}
	matched, narrowed := 0, 0
	for range 20_000 {
		f := d.filter(3)
		c := tree.compile(f)
		m := matcher{tree: tree}
		among := tree.plan(&c)
		if !among.all {
			narrowed++
		}
		var planned []uint32
		last := uint32(0)
		for id := range among.entries([]span{{idBase, tree.end}}, 0) {
			if id <= last {
				t.Fatalf("%v: entry %d after %d", f, id, last)
			}
			last = id
			if m.matches(&c, id) == yes {
				planned = append(planned, id)
			}
		}
		var scanned []uint32
		for i, n := range entries {
			id := idBase + uint32(i)
			want := n.judge(f)
			if got := m.matches(&c, id); got != want {
				t.Fatalf("%x is %d of %v, want %d\n%+v", f.Encode(), got, n.dn, want, f)
			}
			if want == yes {
				scanned = append(scanned, id)
			}
		}
		matched += len(scanned)
		if !slices.Equal(planned, scanned) {
			t.Fatalf("%x: planned %v, scanned %v", f.Encode(), planned, scanned)
		}
	}
	if matched < 20_000 || narrowed < 5_000 {
		t.Errorf("only %d matches, %d narrowed: the filters test nothing", matched, narrowed)
	}
}

// Nobody makes us sort for long, or fill the memory, by a filter of many parts.
func TestManyLargeGroupsAreLookedThroughNotMerged(t *testing.T) {
	tree := crowded(t, 5000)
	everybody := readText(t, "(memberOf=cn=everybody,ou=groups,"+testBase+")")
	few := readText(t, "(|(uid=user0000001)(uid=user0000002)(uid=user0000001)(uid=nobody))")
	many := &wire.Filter{Kind: wire.FilterOr}
	for range 1000 {
		many.Children = append(many.Children, everybody)
	}
	c := tree.compile(many)
	if s := tree.plan(&c); !s.all {
		t.Errorf("%d candidates were merged", s.size())
	}
	c = tree.compile(few)
	if s := tree.plan(&c); s.all || s.size() != 2 {
		t.Errorf("two people are %+v", s)
	}
	c = tree.compile(everybody)
	if s := tree.plan(&c); s.all || s.size() != 5000 {
		t.Errorf("one group is %d candidates", s.size())
	}
}

func FuzzMatch(f *testing.F) {
	tree := campus(f)
	for _, text := range []string{"(&(objectClass=person)(uid=alice))", "(cn=a*b c*d)", "(!(memberOf=cn=staff,ou=groups," + testBase + "))",
		"(:dn:caseIgnoreMatch:=people)", "(createTimestamp>=2024040109.5+0900)", "(|(uid=a)(gidNumber=100)(entryUUID=x))"} {
		f.Add(readText(f, text).Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		filter, err := wire.ParseFilter(b)
		if err != nil {
			return
		}
		c := tree.compile(filter)
		m := matcher{tree: tree}
		var planned, scanned []uint32
		for id := range tree.plan(&c).entries([]span{{idBase, tree.end}}, 0) {
			if m.matches(&c, id) == yes {
				planned = append(planned, id)
			}
		}
		for id := range tree.end {
			if m.matches(&c, id) == yes && id >= idBase {
				scanned = append(scanned, id)
			}
		}
		if !slices.Equal(planned, scanned) {
			t.Errorf("planned %v, scanned %v", planned, scanned)
		}
	})
}

// The wire counts for it as many parts as there are looked at.
func TestAnyAttributeIsCountedForAllOfThem(t *testing.T) {
	if int(attrsHeld) > wire.AnyAttribute {
		t.Errorf("an entry has %d attributes, and the wire counts %d", attrsHeld, wire.AnyAttribute)
	}
}
