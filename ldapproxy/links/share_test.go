package links

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"sekisho/ldapproxy/links/linkstest"
)

// linkOf takes a link for an application's client.
func linkOf(t testing.TB, p *Pool, app string) *Link {
	t.Helper()
	l, err := p.get(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// waits has an application's client wait for a link.
func waits(t testing.TB, p *Pool, app string) chan *Link {
	t.Helper()
	p.mu.Lock()
	before := len(p.queue)
	p.mu.Unlock()
	got := make(chan *Link, 1)
	go func() {
		l, err := p.get(context.Background(), app)
		if err != nil {
			t.Error(err)
		}
		got <- l
	}()
	awaitWaiting(t, p, before+1)
	return got
}

func TestShareOfOneApplication(t *testing.T) {
	for _, c := range []struct{ apps, links, share int }{
		{0, 1, 1}, {1, 1, 1}, {1, 200, 200}, {2, 1, 1}, {2, 2, 1}, {2, 3, 2}, {2, 4, 3}, {2, 200, 150}, {9, 1000, 750},
	} {
		s := newShares(c.links)
		s.among(c.apps)
		n := 0
		for ; s.admits("a") && n < 2000; n++ {
			s.take("a")
		}
		if n != c.share {
			t.Errorf("one of %d has %d of %d links, want %d", c.apps, n, c.links, c.share)
		}
	}
}

// However many applications take all that they can get, and in whatever order
// links come back, each gets its part at once.
func TestPartOfEachApplication(t *testing.T) {
	s := newShares(100)
	s.among(5)
	for _, app := range []string{"a", "b", "c"} {
		for s.admits(app) {
			s.take(app)
		}
	}
	for _, app := range []string{"d", "e"} {
		for n := range 5 {
			if !s.admits(app) {
				t.Fatalf("%s has %d links of %v", app, n, s.held)
			}
			s.take(app)
		}
		if s.admits(app) {
			t.Errorf("%s has more than its part: %v", app, s.held)
		}
	}
	if s.used != 100 {
		t.Errorf("%d links are in use", s.used)
	}
	for range 75 {
		s.give("a")
	}
	s.among(2) // parts of 12: a has none, and the others fill more than there are
	for s.admits("b") {
		s.take("b")
	}
	s.among(1)
	for s.admits("b") {
		s.take("b")
	}
	for app, n := range s.held {
		for range n {
			s.give(app)
		}
	}
	if s.used != 0 || s.parts != 0 || len(s.held) != 0 {
		t.Errorf("%+v", s)
	}
}

// An application's clients, however many, leave something to the others.
func TestOneApplicationDoesNotTakeAllLinks(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 4, time.Millisecond
	p := newTestPool(t, u)
	p.Among(2)
	var greedy []*Link
	for range 3 {
		greedy = append(greedy, linkOf(t, p, "greedy"))
	}
	if _, err := p.get(t.Context(), "greedy"); !errors.Is(err, ErrBusy) {
		t.Errorf("a fourth link: %v", err)
	}
	l := linkOf(t, p, "other")
	p.Put(l)
	if _, err := p.get(t.Context(), "greedy"); !errors.Is(err, ErrBusy) {
		t.Errorf("the other's link: %v", err)
	}
	p.Put(greedy[0])
	linkOf(t, p, "greedy")
	u.Await(4, 4)
}

// Who waits for its own application's links holds up nobody else's.
func TestQueuePassesWhoHasItsShare(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 4, 20*time.Second
	p := newTestPool(t, u)
	p.Among(2)
	var greedy []*Link
	for range 3 {
		greedy = append(greedy, linkOf(t, p, "greedy"))
	}
	last := linkOf(t, p, "other")
	g1, g2 := waits(t, p, "greedy"), waits(t, p, "greedy")
	o1, o2 := waits(t, p, "other"), waits(t, p, "other")
	p.Put(last)
	if <-o1 != last {
		t.Error("not the first of those who may")
	}
	p.Put(greedy[0])
	if <-g1 != greedy[0] {
		t.Error("not the first in the queue")
	}
	p.Put(greedy[1])
	p.Put(greedy[2])
	<-g2
	<-o2
}

// What becomes free by the end of a link, by a server that is away, or by
// another list of applications is told to those who wait, too.
func TestNobodyWaitsForWhatIsFree(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 4, 20*time.Second
	p := newTestPool(t, u)
	p.Among(2)
	var greedy []*Link
	for range 3 {
		greedy = append(greedy, linkOf(t, p, "greedy"))
	}
	rests := linkOf(t, p, "other")
	p.Put(rests)

	g := waits(t, p, "greedy")
	greedy[0].Close()
	if <-g != rests {
		t.Error("not the link that rested")
	}

	g = waits(t, p, "greedy")
	p.Among(1)
	<-g

	p.Among(2)
	greedy[1].Close()
	greedy[2].Close()
	eventually(t, p, func() bool { return p.shares.held["greedy"] == 2 })
	p.dir.Dial = func(context.Context) (net.Conn, string, error) {
		p.dir.Dial = u.Server.Dial
		g = waits(t, p, "greedy")
		return nil, "", errDown
	}
	if _, err := p.get(t.Context(), "greedy"); !errors.Is(err, errDown) {
		t.Error(err)
	}
	<-g
}

func TestQueueOfOneApplicationIsBounded(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 1, 20*time.Second
	p := newTestPool(t, u)
	p.Among(2)
	l := linkOf(t, p, "greedy")
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range maxWaiting {
		all.Go(func() { p.get(ctx, "greedy") })
	}
	awaitWaiting(t, p, maxWaiting)
	if _, err := p.get(t.Context(), "greedy"); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	o := waits(t, p, "other")
	cancel()
	all.Wait()
	p.Put(l)
	<-o
}

// Where all links rest, one that was just made comes in the place of one of them.
func TestFreshLinkWhereThereIsNoRoom(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 1, time.Millisecond
	p := newTestPool(t, u)
	l := linkOf(t, p, "a")
	p.Put(l)
	got, err := p.take(t.Context(), "a", true)
	if err != nil || got == l || got.used {
		t.Fatal(got, err)
	}
	u.Await(1, 2)
	p.Put(got)
	eventually(t, p, func() bool { return len(p.links) == 1 && len(p.free) == 1 && len(p.shares.held) == 0 })
}

// A directory that binds nobody anonymously costs no link for good, whatever
// else goes on.
func TestGivingUpOnNobodyLeavesTheLink(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 2, time.Second
	u.Reply = func(x *linkstest.Exchange) {
		if b, err := x.Bind(); err == nil && len(b.DN) == 0 {
			x.Send(x.Result(48, ""))
			return
		}
		x.Usual()
	}
	p := newTestPool(t, u)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 30 {
				if l, _, err := p.Bind(t.Context(), BindRequest{ID: 7, DN: aliceBehind, Password: []byte("secret"), App: "a"}); err == nil {
					p.Put(l)
				}
				if l, err := p.Anonymous(t.Context(), "a"); err == nil {
					l.marked = true // as somebody's, to whom it goes next
					p.Put(l)
				}
			}
		})
	}
	all.Wait()
	eventually(t, p, func() bool { return len(p.links) == len(p.free) && len(p.shares.held) == 0 })
}
