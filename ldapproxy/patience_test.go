package ldapproxy

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/internal/directory"
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
func each(n int, item func(string) *filter) *filter {
	f := &filter{kind: filterOr}
	for i := range n {
		f.children = append(f.children, item(fmt.Sprint("x", i)))
	}
	return &filter{kind: filterNot, children: []*filter{{kind: filterNot, children: []*filter{f}}}}
}

func memberSubstring(text string) *filter {
	return &filter{kind: filterSubstrings, attribute: "memberUid", any: [][]byte{[]byte(text)}}
}

// A single group, and a filter of many parts: time passes within the entry.
func TestTimeLimitHoldsWithinAnEntry(t *testing.T) {
	tree := hall(t, 5000)
	for name, item := range map[string]func(string) *filter{
		"substrings": memberSubstring,
		"members":    func(string) *filter { return &filter{kind: filterPresent, attribute: "member"} },
		"names":      func(string) *filter { return &filter{kind: filterPresent, attribute: "memberUid"} },
		"endings": func(text string) *filter {
			return &filter{kind: filterSubstrings, attribute: "memberUid", final: []byte(text)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			who := seeker()
			who.timeLimit = 100 * time.Millisecond
			now, looks := testTime, 0
			who.now = func() time.Time { now, looks = now.Add(time.Millisecond), looks+1; return now }
			filter := each(500, item)
			if name == "members" || name == "names" { // that are true: so that all are looked at
				filter = filter.children[0].children[0]
				filter.kind = filterAnd
			}
			req := &searchRequest{base: "cn=everybody,ou=groups," + testBase, filter: filter}
			if got := tree.seek(req, nil, who); got.code != resultTimeLimitExceeded || looks != 102 {
				t.Errorf("code %d after %d looks at the clock", got.code, looks)
			}
		})
	}
}

// A group's members are not gone through to find one.
func TestMemberIsFoundByTheIndex(t *testing.T) {
	tree := hall(t, 5000)
	everybody, _, _ := tree.find("cn=everybody,ou=groups," + testBase)
	for _, item := range []func(string) *filter{
		func(text string) *filter {
			return &filter{kind: filterEqual, attribute: "memberUid", value: []byte(text)}
		},
		func(text string) *filter {
			return &filter{kind: filterExtensible, attribute: "memberUid", rule: "caseIgnoreMatch", value: []byte(text)}
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
	req := &searchRequest{base: "ou=groups," + testBase, scope: scopeSub, filter: each(100, memberSubstring)}
	for _, c := range []struct {
		takes time.Duration // until the clock is looked at
		gone  bool
		code  int
	}{
		{time.Minute, true, resultUnavailable},
		{time.Minute, false, resultSuccess},
		{time.Millisecond, true, resultSuccess}, // soon enough: whoever half-closes still reads
	} {
		who := seeker()
		now := testTime
		who.now = func() time.Time { now = now.Add(c.takes); return now }
		who.gone = func() bool { return c.gone }
		if got := tree.seek(req, nil, who); got.code != c.code {
			t.Errorf("%+v: code %d", c, got.code)
		}
	}
}

// endless has a search in work that takes minutes by the server's clock, which
// runs on when it is looked at. No time limit ends it.
func endless(t *testing.T) (*rig, *peer) {
	searching := make(chan struct{})
	var looks atomic.Int64
	r := start(t, func(r *rig) {
		r.People = manyIn(20_000)
		r.Now = func() time.Time {
			if looks.Add(1) == 100 {
				close(searching)
			}
			r.clock.move(time.Millisecond)
			return r.clock.now()
		}
	})
	p := r.dial()
	p.wants(resultSuccess, bindOp(mailDN, mailPassword))
	f := each(250, memberSubstring)
	p.send(p.put(tlv(opSearch, tlvString("ou=groups,"+testBase), []byte{tagEnumerated, 1, scopeSub}, []byte{tagEnumerated, 1, 0},
		[]byte{tagInteger, 1, 0}, []byte{tagInteger, 1, 0}, []byte{tagBoolean, 1, 0}, f.encode(), tlv(tagSequence))))
	<-searching
	return r, p
}

// soon checks that the search was not brought to its end.
func (r *rig) soon() {
	r.t.Helper()
	if took := time.Duration(r.clock.offset.Load()); took > 2*time.Minute {
		r.t.Errorf("went on for %v", took)
	}
}

// manyIn is so many people, each in all of a hundred groups.
type manyIn int

func (n manyIn) Entries(_ context.Context, each func(directory.Entry) error) error {
	var groups []string
	for i := range 100 {
		groups = append(groups, fmt.Sprint("group", i))
	}
	for i := range int(n) {
		if err := each(directory.Entry{Name: fmt.Sprintf("p%04d", i), Groups: groups}); err != nil {
			return err
		}
	}
	return nil
}

func (manyIn) Epoch() uint64 { return 1 }

func TestClientThatLeavesEndsItsSearch(t *testing.T) {
	r, p := endless(t)
	p.Close()
	r.ends(byClient, 1)
	r.soon()
}

func TestShutdownEndsASearch(t *testing.T) {
	r, _ := endless(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx); err == nil {
		t.Fatal("the search was over by then")
	}
	r.ends(byShutdown, 1)
	r.soon()
}

func TestClientThatHasHungUpIsNoticed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	client.Write([]byte("an Unbind that nobody has read"))
	if hungUp(raw) {
		t.Error("has hung up, though it has not")
	}
	client.Close()
	for end := time.Now().Add(10 * time.Second); !hungUp(raw); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("is still there, though it is not")
		}
	}
	raw.Close()
	if !hungUp(raw) {
		t.Error("a closed socket has a client")
	}
	if here, _ := net.Pipe(); hungUp(here) {
		t.Error("no socket, but hung up")
	}
}
