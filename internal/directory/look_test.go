package directory

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/upstream"
	"sekisho/internal/upstream/upstreamtest"
)

func TestLookUpIsBelievedForAWhile(t *testing.T) {
	c := newCampus(t)
	c.find("alice")
	before := c.searches()
	c.later(time.Minute - 1)
	c.find("ALICE")
	if n := c.searches(); n != before {
		t.Errorf("%d searches more", n-before)
	}
	c.later(1)
	c.find("alice")
	if n := c.searches(); n == before {
		t.Error("what is a minute old is still believed")
	}
}

func TestNoCache(t *testing.T) {
	c := newCampus(t)
	c.Cache = 0
	c.find("alice")
	before := c.searches()
	c.find("alice")
	if n := c.searches(); n == before {
		t.Error("believed")
	}
}

// An unknown name is answered as fast as a known one for as long, or a clock
// would tell them apart; that there is such a person by now is found out behind
// the answer.
func TestUnknownNameIsSearchedAgainBehindTheAnswer(t *testing.T) {
	searching := make(chan bool)
	server := &upstreamtest.Server{OnSearch: func(q upstreamtest.Search) (upstreamtest.Result, bool) {
		if strings.Contains(q.Filter, "carol") {
			<-searching
		}
		return upstreamtest.Result{}, false
	}}
	c := campusAt(t, server)
	go func() { searching <- true }()
	c.fails("carol", ErrUnknown)
	c.person("carol", nil)
	before := c.searches()
	c.later(missedFor - 1)
	c.fails("carol", ErrUnknown)
	if n := c.searches(); n != before {
		t.Errorf("%d searches more", n-before)
	}
	c.later(1)
	c.fails("carol", ErrUnknown) // while the server hangs
	searching <- true
	c.behind.Wait()
	c.find("carol")
}

func TestOneSearchForAllWhoAsk(t *testing.T) {
	searching := make(chan bool)
	c := campusAt(t, &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
		searching <- true
		return upstreamtest.Result{}, false
	}})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { c.find("alice") })
	}
	<-searching
	all.Wait()
	if n := c.searches(); n != 1 {
		t.Errorf("%d searches", n)
	}
}

// A flood of names has a bound, and what is above it is an error of ours, not
// an unknown name.
func TestTooManyLookUps(t *testing.T) {
	c := newCampus(t)
	c.start()
	c.mu.Lock()
	for i := range maxLooking {
		c.looking[fmt.Sprint(i)] = &search{}
	}
	c.mu.Unlock()
	if _, err := c.Find(t.Context(), "alice"); !errors.Is(err, errLooking) {
		t.Error(err)
	}
}

func TestLinksAreUsedAgain(t *testing.T) {
	c := newCampus(t)
	c.Cache = 0
	for range 5 {
		c.find("alice")
	}
	if n := len(c.server.Binds()); n != 1 {
		t.Errorf("%d binds of the service account", n)
	}
	c.later(linkRest)
	c.find("alice")
	if n := len(c.server.Binds()); n != 2 {
		t.Errorf("%d binds after a rest", n)
	}
}

// A directory that was restarted, or forgot an idle connection, is noticed at
// the first look-up, and that one goes well.
func TestDeadLinkIsReplaced(t *testing.T) {
	died := false
	c := campusAt(t, &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
		hangup := died
		died = false
		return upstreamtest.Result{Hangup: hangup}, hangup
	}})
	c.Cache = 0
	c.find("alice")
	died = true
	c.find("alice")
	if n := len(c.server.Binds()); n != 2 {
		t.Errorf("%d binds", n)
	}
}

// What could not be looked up is looked up again at once.
func TestFaultIsNotBelieved(t *testing.T) {
	code := uint16(51)
	c := campusAt(t, &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
		return upstreamtest.Result{Code: code}, code != 0
	}})
	c.fails("alice", nil)
	code = 0
	c.find("alice")
}

// After a result that nothing was expected of, another link is tried: this one
// may have lost its right to search.
func TestLinkIsNotKeptAfterAFault(t *testing.T) {
	code := uint16(0)
	c := campusAt(t, &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
		return upstreamtest.Result{Code: code}, code != 0
	}})
	c.Cache = 0
	c.find("alice")
	code = 1
	c.fails("alice", nil)
	code = 0
	c.find("alice")
	if n := len(c.server.Binds()); n != 3 {
		t.Errorf("%d binds", n)
	}
}

func TestLookUpGoesToTheNextServer(t *testing.T) {
	c := newCampus(t)
	other := newCampus(t)
	c.Servers = &upstream.Servers{List: append(c.Servers.List, other.Servers.List...)}
	c.Cache = 0
	c.find("alice")
	c.server.Stop()
	c.find("alice")
	if n := other.searches(); n != 1 {
		t.Errorf("%d searches at the second", n)
	}
}

// To find out that nobody has a name takes fewer searches than to read somebody:
// the answer waits.
func TestUnknownNameTakesTheTimeOfAWholeLookUp(t *testing.T) {
	var c *campus
	c = campusAt(t, &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
		c.later(time.Second)
		return upstreamtest.Result{}, false
	}})
	c.GroupFilter = "(member=%d)"
	c.fails("first", ErrUnknown)
	if len(c.waited) != 0 {
		t.Errorf("waited %v before anybody was read", c.waited)
	}
	c.find("alice") // 2 s
	c.fails("mallory", ErrUnknown)
	c.fails("uid=mallory,"+people, ErrUnknown)
	if len(c.waited) != 2 || c.waited[0] != time.Second || c.waited[1] != time.Second {
		t.Errorf("waited %v", c.waited)
	}
}

// Made-up names, however slow they are, leave room for people: those who were
// here before, and those who were found before.
func TestMadeUpNamesDoNotStopPeople(t *testing.T) {
	c := newCampus(t)
	c.person("dave", nil)
	c.adopt("alice")
	c.find("bob")
	c.looked.Clear()
	c.find("dave")
	c.later(time.Minute)
	for range maxOpen {
		c.links.open <- struct{}{}
	}
	c.Timeout = 20 * time.Millisecond
	c.fails("mallory", nil)
	c.fails("bob", nil) // who never signed in, and is forgotten
	c.Timeout = 0
	c.find("alice")
	c.find("dave")

	c.mu.Lock()
	c.strangers = maxStrangers
	c.mu.Unlock()
	c.later(time.Minute)
	if _, err := c.Find(t.Context(), "bob"); !errors.Is(err, errLooking) {
		t.Error(err)
	}
	c.find("alice")
	c.find("dave")
	if c.strangers != maxStrangers {
		t.Errorf("%d strangers", c.strangers)
	}
}

// Programs bind people by DN: a flood of made-up names does not stop those who
// have a row either, though nothing of their DN is remembered.
func TestFloodOfNamesStopsNobodyWhoBindsByDN(t *testing.T) {
	c := newCampus(t)
	c.adopt("alice")
	c.looked.Clear()
	c.mu.Lock()
	c.strangers = maxStrangers
	c.mu.Unlock()
	c.find(dnOf("alice"))
	if _, err := c.Find(t.Context(), c.Canonical(dnOf("bob"))); !errors.Is(err, errLooking) {
		t.Errorf("who has no row: %v", err)
	}
}
