package ldapproxy

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

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
	p.wants(wire.ResultSuccess, bindOp(mailDN, mailPassword))
	var parts [][]byte // none of which is true of anybody
	for i := range 250 {
		parts = append(parts, wire.Element(wire.FilterSubstrings, wire.Octets("memberUid"), wire.Element(wire.TagSequence, wire.Element(wire.TagAny, fmt.Append(nil, "x", i)))))
	}
	filter := wire.Element(wire.FilterNot, wire.Element(wire.FilterNot, wire.Element(wire.FilterOr, parts...)))
	p.send(p.put(wire.Element(wire.OpSearch, wire.Octets("ou=groups,"+testBase), []byte{wire.TagEnumerated, 1, tree.ScopeSub}, []byte{wire.TagEnumerated, 1, 0},
		[]byte{wire.TagInteger, 1, 0}, []byte{wire.TagInteger, 1, 0}, []byte{wire.TagBoolean, 1, 0}, filter, wire.Element(wire.TagSequence))))
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
