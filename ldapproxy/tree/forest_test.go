package tree

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

// village is people who come and go. A reader waits at the gate if there is
// one.
type village struct {
	epoch   atomic.Uint64
	reads   atomic.Int64
	entered chan struct{} // told of each read; nil: nobody is

	mu    sync.Mutex
	names []string
	err   error
	gate  chan struct{}
}

func (v *village) Epoch() uint64 { return v.epoch.Load() }

func (v *village) Entries(_ context.Context, each func(directory.Entry) error) error {
	v.reads.Add(1)
	if v.entered != nil {
		v.entered <- struct{}{}
	}
	v.mu.Lock()
	names, err, gate := v.names, v.err, v.gate
	v.mu.Unlock()
	if gate != nil {
		<-gate
	}
	for _, name := range names {
		if name == "panic" {
			panic(name)
		}
		if err := each(directory.Entry{Name: name}); err != nil {
			return err
		}
	}
	return err
}

func (v *village) move(err error, names ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.names, v.err = names, err
	v.epoch.Add(1)
}

func (v *village) close(gate chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.gate = gate
}

func newVillage(t *testing.T, names ...string) (*village, *Forest, *clock) {
	t.Helper()
	v, c := new(village), new(clock)
	v.move(nil, names...)
	f, err := NewForest(testBase, testPosix, nil, v, slog.New(slog.DiscardHandler), c.now)
	if err != nil {
		t.Fatal(err)
	}
	return v, f, c
}

// names are the people whom a search finds.
func (f *Forest) names(ctx context.Context, t *testing.T) (names []string, code int) {
	req := searchFor(t, "ou=people,"+testBase, ScopeOne, "(uid=*)", "uid")
	r, _ := f.Search(ctx, req, nil, seeker(), func(_ string, attributes []wire.Attribute) bool {
		names = append(names, attributes[0].Values[0])
		return true
	})
	return names, r.Code
}

// rested waits for the build under way.
func (f *Forest) rested() {
	f.mu.Lock()
	building := f.building
	f.mu.Unlock()
	if building != nil {
		<-building
	}
}

func wantNames(t *testing.T, f *Forest, want ...string) {
	t.Helper()
	if names, code := f.names(t.Context(), t); code != wire.ResultSuccess || !slices.Equal(names, want) {
		t.Errorf("found %q, code %d, want %q", names, code, want)
	}
}

func TestNewPeopleAreFoundSoon(t *testing.T) {
	v, f, c := newVillage(t, "alice")
	wantNames(t, f, "alice")
	v.move(nil, "alice", "bob")
	wantNames(t, f, "alice") // the epoch was just looked at
	c.move(freshFor)
	wantNames(t, f, "alice") // this one begins the build
	f.rested()
	wantNames(t, f, "alice", "bob")
}

func TestUnchangedPeopleAreReadOnce(t *testing.T) {
	v, f, c := newVillage(t, "alice")
	for range 10 {
		wantNames(t, f, "alice")
		f.rested()
		c.move(time.Hour)
	}
	if n := v.reads.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

// Nobody has the people read who may not see them.
func TestStrangerGrowsNoTree(t *testing.T) {
	v, f, _ := newVillage(t, "alice")
	who := seeker()
	who.Admitted = false
	none := func(string, []wire.Attribute) bool { return true }
	if r, _ := f.Search(t.Context(), searchFor(t, aliceDN, scopeBase, "(uid=*)"), nil, who, none); r.Code != wire.ResultInsufficientAccessRights {
		t.Errorf("search: %+v", r)
	}
	if r := f.Compare(t.Context(), &wire.CompareRequest{DN: aliceDN, Attribute: "uid", Value: []byte("alice")}, who); r.Code != wire.ResultInsufficientAccessRights {
		t.Errorf("compare: %+v", r)
	}
	f.rested()
	if n := v.reads.Load(); n != 0 {
		t.Errorf("read %d times", n)
	}
}

func TestSearchesGoOnWhileATreeGrows(t *testing.T) {
	v, f, c := newVillage(t, "alice")
	wantNames(t, f, "alice")
	gate := make(chan struct{})
	v.close(gate)
	v.move(nil, "bob")
	c.move(time.Second)
	for range 3 {
		wantNames(t, f, "alice")
		c.move(time.Second)
	}
	if n := v.reads.Load(); n > 2 {
		t.Errorf("%d builds at once", n-1)
	}
	close(gate)
	f.rested()
	wantNames(t, f, "bob")
}

// Building takes its share of the processors, however often people change.
func TestNextTreeRestsAsLongAsTheLastTookToGrow(t *testing.T) {
	v, f, c := newVillage(t, "alice")
	v.entered = make(chan struct{}, 10)
	gate := make(chan struct{})
	v.close(gate)
	done := make(chan struct{})
	go func() { defer close(done); f.names(t.Context(), t) }()
	<-v.entered
	c.move(10 * time.Second)
	close(gate)
	<-done
	v.close(nil)
	v.move(nil, "bob")
	c.move(39 * time.Second)
	wantNames(t, f, "alice")
	f.rested()
	wantNames(t, f, "alice")
	c.move(time.Second)
	wantNames(t, f, "alice")
	f.rested()
	wantNames(t, f, "bob")
}

func TestFirstTreeIsAwaitedAsLongAsTheClientWaits(t *testing.T) {
	v, f, _ := newVillage(t, "alice")
	gate := make(chan struct{})
	v.close(gate)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if names, code := f.names(ctx, t); code != wire.ResultUnavailable || names != nil {
		t.Errorf("found %q, code %d", names, code)
	}
	if r := f.Compare(ctx, &wire.CompareRequest{DN: aliceDN, Attribute: "uid", Value: []byte("alice")}, seeker()); r.Code != wire.ResultUnavailable {
		t.Errorf("compared: %+v", r)
	}
	if r, _ := f.Search(ctx, searchFor(t, "", scopeBase, "(objectClass=*)"), nil, seeker(), func(string, []wire.Attribute) bool { return true }); r.Code != wire.ResultSuccess {
		t.Errorf("root DSE: %+v", r)
	}
	close(gate)
	wantNames(t, f, "alice")
}

// A program that finds nobody believes that all are gone.
func TestPeopleThatCanNotBeReadAreUnavailableNotGone(t *testing.T) {
	v, f, c := newVillage(t)
	v.move(errors.New("the store is away"), "alice")
	for range 3 {
		if names, code := f.names(t.Context(), t); code != wire.ResultUnavailable || names != nil {
			t.Errorf("found %q, code %d", names, code)
		}
	}
	v.move(nil, "alice")
	c.move(time.Minute)
	wantNames(t, f, "alice")

	v.move(errors.New("away again"))
	c.move(time.Minute)
	wantNames(t, f, "alice")
	f.rested()
	wantNames(t, f, "alice")
	v.move(nil, "alice", "bob")
	c.move(time.Minute)
	wantNames(t, f, "alice")
	f.rested()
	wantNames(t, f, "alice", "bob")
}

func TestReadThatFailedIsTriedAgain(t *testing.T) {
	v, f, c := newVillage(t, "alice")
	wantNames(t, f, "alice")
	v.move(errors.New("away"))
	c.move(time.Minute)
	wantNames(t, f, "alice")
	f.rested()
	v.mu.Lock()
	v.names, v.err = []string{"bob"}, nil // with no new epoch
	v.mu.Unlock()
	c.move(time.Minute)
	wantNames(t, f, "alice")
	f.rested()
	wantNames(t, f, "bob")
}

func TestPanicOverOnePersonLeavesTheOthersServed(t *testing.T) {
	v, f, c := newVillage(t, "alice")
	wantNames(t, f, "alice")
	v.mu.Lock()
	v.names = []string{"panic"}
	v.mu.Unlock()
	v.epoch.Add(1)
	c.move(time.Minute)
	wantNames(t, f, "alice")
	f.rested()
	wantNames(t, f, "alice")
}

func TestOtherServiceAccountsAreShown(t *testing.T) {
	_, f, _ := newVillage(t, "alice")
	wantNames(t, f, "alice")
	f.SetServices([]string{mailDN})
	wantNames(t, f, "alice")
	f.rested()
	r := f.Compare(t.Context(), &wire.CompareRequest{DN: mailDN, Attribute: "uid", Value: []byte("svc-mail")}, seeker())
	if r.Code != wire.ResultCompareTrue {
		t.Errorf("%+v", r)
	}
}

func TestOtherServiceAccountsSurviveAReadThatFails(t *testing.T) {
	v, f, c := newVillage(t, "alice")
	wantNames(t, f, "alice")
	v.mu.Lock()
	v.err = errors.New("away")
	v.mu.Unlock()
	f.SetServices([]string{mailDN})
	wantNames(t, f, "alice")
	f.rested()
	v.mu.Lock()
	v.err = nil
	v.mu.Unlock()
	c.move(time.Minute)
	wantNames(t, f, "alice")
	f.rested()
	r := f.Compare(t.Context(), &wire.CompareRequest{DN: mailDN, Attribute: "uid", Value: []byte("svc-mail")}, seeker())
	if r.Code != wire.ResultCompareTrue {
		t.Errorf("%+v", r)
	}
}

func TestTreeIsSharedByAll(t *testing.T) {
	v, f, c := newVillage(t, "alice")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				if names, code := f.names(t.Context(), t); code != wire.ResultSuccess || !slices.Contains(names, "alice") {
					t.Errorf("found %q, code %d", names, code)
				}
				v.epoch.Add(1)
				c.move(time.Second)
			}
		})
	}
	all.Wait()
	f.rested()
}
