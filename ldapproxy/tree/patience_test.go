package tree

import (
	"fmt"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

// hall is one group of very many.
func hall(t *testing.T, n int) *tree {
	people := make([]directory.Entry, n)
	for i := range people {
		people[i] = directory.Entry{Name: fmt.Sprintf("s%07d", i), Groups: []string{"everybody"}}
	}
	return planted(t, testBase, nil, people)
}

// each is a filter of n items, none of which is true of anybody; all are
// looked at for each entry, whatever the indexes say.
func each(n int, item func(string) *wire.Filter) *wire.Filter {
	f := &wire.Filter{Kind: wire.FilterOr}
	for i := range n {
		f.Children = append(f.Children, item(fmt.Sprint("x", i)))
	}
	return &wire.Filter{Kind: wire.FilterNot, Children: []*wire.Filter{{Kind: wire.FilterNot, Children: []*wire.Filter{f}}}}
}

func memberSubstring(text string) *wire.Filter {
	return &wire.Filter{Kind: wire.FilterSubstrings, Attribute: "memberUid", Any: [][]byte{[]byte(text)}}
}

// A single group, and a filter of many parts: time passes within the entry.
func TestTimeLimitHoldsWithinAnEntry(t *testing.T) {
	tree := hall(t, 5000)
	for name, item := range map[string]func(string) *wire.Filter{
		"substrings": memberSubstring,
		"members":    func(string) *wire.Filter { return &wire.Filter{Kind: wire.FilterPresent, Attribute: "member"} },
		"names":      func(string) *wire.Filter { return &wire.Filter{Kind: wire.FilterPresent, Attribute: "memberUid"} },
		"endings": func(text string) *wire.Filter {
			return &wire.Filter{Kind: wire.FilterSubstrings, Attribute: "memberUid", Final: []byte(text)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			who := seeker()
			who.TimeLimit = 100 * time.Millisecond
			now, looks := testTime, 0
			who.Now = func() time.Time { now, looks = now.Add(time.Millisecond), looks+1; return now }
			filter := each(500, item)
			if name == "members" || name == "names" { // that are true: so that all are looked at
				filter = filter.Children[0].Children[0]
				filter.Kind = wire.FilterAnd
			}
			req := &wire.SearchRequest{Base: "cn=everybody,ou=groups," + testBase, Filter: filter}
			if got := tree.seek(req, nil, who); got.Code != wire.ResultTimeLimitExceeded || looks != 102 {
				t.Errorf("code %d after %d looks at the clock", got.Code, looks)
			}
		})
	}
}

// A group's members are not gone through to find one.
func TestMemberIsFoundByTheIndex(t *testing.T) {
	tree := hall(t, 5000)
	everybody, _, _ := tree.find("cn=everybody,ou=groups," + testBase)
	for _, item := range []func(string) *wire.Filter{
		func(text string) *wire.Filter {
			return &wire.Filter{Kind: wire.FilterEqual, Attribute: "memberUid", Value: []byte(text)}
		},
		func(text string) *wire.Filter {
			return &wire.Filter{Kind: wire.FilterExtensible, Attribute: "memberUid", Rule: "caseIgnoreMatch", Value: []byte(text)}
		},
	} {
		c := tree.compile(each(400, item))
		m := matcher{tree: tree}
		if got := m.matches(&c, everybody); got != no || m.work > workCheck {
			t.Errorf("%d after %d values", got, m.work)
		}
		c = tree.compile(item("s0000007"))
		if got := m.matches(&c, everybody); got != yes {
			t.Errorf("a member is %d", got)
		}
	}
	for text, want := range map[string]truth{"(memberUid=S0000007)": no, "(memberUid:caseIgnoreMatch:=S0000007)": yes, "(memberUid:caseExactMatch:=S0000007)": no} {
		c := tree.compile(readText(t, text))
		m := matcher{tree: tree}
		if got := m.matches(&c, everybody); got != want {
			t.Errorf("%s is %d", text, got)
		}
	}
}

func TestSearchNobodyWaitsForEnds(t *testing.T) {
	tree := hall(t, 5000)
	req := &wire.SearchRequest{Base: "ou=groups," + testBase, Scope: ScopeSub, Filter: each(100, memberSubstring)}
	for _, c := range []struct {
		takes time.Duration // until the clock is looked at
		gone  bool
		code  int
	}{
		{time.Minute, true, wire.ResultUnavailable},
		{time.Minute, false, wire.ResultSuccess},
		{time.Millisecond, true, wire.ResultSuccess}, // soon enough: whoever half-closes still reads
	} {
		who := seeker()
		now := testTime
		who.Now = func() time.Time { now = now.Add(c.takes); return now }
		who.Gone = func() bool { return c.gone }
		if got := tree.seek(req, nil, who); got.Code != c.code {
			t.Errorf("%+v: code %d", c, got.Code)
		}
	}
}
