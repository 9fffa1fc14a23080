package links

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// newTestPool is a pool of links to a fake upstream, which must leave nothing
// behind.
func newTestPool(t testing.TB, u *upstream) *Pool {
	t.Helper()
	p := NewPool(u.Directory)
	t.Cleanup(func() {
		p.Close()
		if len(p.shares.held)+len(p.shares.waiting) != 0 {
			t.Errorf("left behind: links of %v, in the queue %v", p.shares.held, p.shares.waiting)
		}
		if len(p.links)+p.places+len(p.free)+len(p.queue) != 0 {
			t.Errorf("left behind: %d links, %d places, %d free, %d waiting", len(p.links), p.places, len(p.free), len(p.queue))
		}
		u.Await(0, -1)
	})
	return p
}

// bindAs binds and checks the code.
func bindAs(t testing.TB, p *Pool, dn, password string, code int) *Link {
	t.Helper()
	l, a, err := p.Bind(t.Context(), BindRequest{ID: 7, DN: dn, Password: []byte(password)})
	if err != nil || a.Code != code {
		t.Fatalf("bound as %s with %+v, %v", dn, a, err)
	}
	return l
}

func get(t testing.TB, p *Pool) *Link {
	t.Helper()
	l, err := p.get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLinkIsUsedAgain(t *testing.T) {
	u := newUpstream(t)
	p := newTestPool(t, u)
	for range 10 {
		p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
		p.Put(bindAs(t, p, aliceBehind, "wrong", wire.ResultInvalidCredentials))
	}
	u.Await(1, 1)
	if n := len(u.SeenBinds()); n != 20 {
		t.Errorf("%d binds reached upstream, of 20", n)
	}
}

// The links that are used least come to rest, and end.
func TestLinkUsedLastIsTakenFirst(t *testing.T) {
	p := newTestPool(t, newUpstream(t))
	a, b := get(t, p), get(t, p)
	p.Put(a)
	p.Put(b)
	if get(t, p) != b || get(t, p) != a {
		t.Error("not the last first")
	}
}

func TestLinkThatIsFreedInTimeIsNoRefusal(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 1, time.Hour
	p := newTestPool(t, u)
	l := get(t, p)
	got := make(chan *Link)
	for range 3 {
		go func() {
			l, err := p.get(context.Background(), "")
			if err != nil {
				t.Error(err)
			}
			got <- l
		}()
	}
	awaitWaiting(t, p, 3)
	for range 3 {
		p.Put(l)
		if l2 := <-got; l2 != l {
			t.Error("another link")
		}
	}
	p.Put(l)
	u.Await(1, 1)
}

// awaitWaiting waits until so many wait for a link.
func awaitWaiting(t testing.TB, p *Pool, n int) {
	t.Helper()
	eventually(t, p, func() bool { return len(p.queue) == n })
}

// eventually waits until something of the pool holds.
func eventually(t testing.TB, p *Pool, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
		p.mu.Lock()
		done := holds()
		p.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(limit) {
			t.Fatal("it does not come to that")
		}
	}
}

func TestPlaceOfALinkThatEndedIsGivenAway(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 1, time.Hour
	p := newTestPool(t, u)
	l := get(t, p)
	got := make(chan *Link)
	go func() {
		l, err := p.get(context.Background(), "")
		if err != nil {
			t.Error(err)
		}
		got <- l
	}()
	awaitWaiting(t, p, 1)
	l.Close()
	if <-got == l {
		t.Error("the link that has ended")
	}
	u.Await(1, 2)
}

func TestAllLinksInUseIsBusy(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 2, time.Millisecond
	p := newTestPool(t, u)
	l := get(t, p)
	get(t, p)
	if _, err := p.get(t.Context(), ""); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	p.Put(l)
	if get(t, p) != l {
		t.Error("another link")
	}
	u.Await(2, 2)
}

func TestWaitForALinkEndsWithItsContext(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 1, time.Hour
	p := newTestPool(t, u)
	get(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.get(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A link that was handed over in the moment in which patience ended is not lost.
func TestLinkInTheLastMomentIsTaken(t *testing.T) {
	p := newTestPool(t, newUpstream(t))
	l := get(t, p)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		turn := make(chan *Link, 1)
		turn <- l
		if got, err := p.stand(over, turn); got != l || err != nil {
			t.Fatal(got, err)
		}
	}
}

// A server that is slow to be reached holds up nobody who needs no new link.
func TestDialHoldsUpNobody(t *testing.T) {
	u := newUpstream(t)
	dialling, reached := make(chan bool), make(chan bool)
	p := newTestPool(t, u)
	l := get(t, p)
	p.dir.Dial = func(ctx context.Context) (net.Conn, string, error) {
		dialling <- true
		<-reached
		return u.Server.Dial(ctx)
	}
	done := make(chan bool)
	go func() {
		l, err := p.get(context.Background(), "")
		if err != nil {
			t.Error(err)
		}
		p.Put(l)
		done <- true
	}()
	<-dialling
	p.Put(l)
	if get(t, p) != l {
		t.Error("another link")
	}
	close(reached)
	<-done
}

// Those that wait are told at once, each by a dial of its own that fails.
func TestNoServerIsAway(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 1, time.Hour
	p := newTestPool(t, u)
	l := get(t, p)
	u.Dialled = func() error { return errDown }
	failed := make(chan error)
	for range 3 {
		go func() {
			_, err := p.get(context.Background(), "")
			failed <- err
		}()
	}
	awaitWaiting(t, p, 3)
	l.Close()
	for range 3 {
		if err := <-failed; !errors.Is(err, ErrAway) || !errors.Is(err, errDown) {
			t.Error(err)
		}
	}
}

func TestIdleLinkIsClosed(t *testing.T) {
	u := newUpstream(t)
	u.Idle = time.Millisecond
	p := newTestPool(t, u)
	p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
	u.Await(0, 1)
	u.AwaitSeen(wire.OpUnbind, 1)
	p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
	u.Await(-1, 2)
}

// Its rest is over in the moment in which it would be taken.
func TestLinkThatIsEndingIsNotTaken(t *testing.T) {
	p := newTestPool(t, newUpstream(t))
	l := get(t, p)
	p.Put(l)
	l.mu.Lock()
	l.setUntil(time.Now())
	l.mu.Unlock()
	if l.patient() {
		t.Fatal("its rest is not over")
	}
	if got := get(t, p); got == l {
		t.Error("it was taken")
	}
	l.raw.Close()
}

// It ends in the moment in which it is put back.
func TestLinkThatIsEndingIsNotKept(t *testing.T) {
	p := newTestPool(t, newUpstream(t))
	l := get(t, p)
	p.drop(l)
	p.Put(l)
	if len(p.free) != 0 {
		t.Error("it was kept")
	}
	l.raw.Close()
}

// The deadline of a rest means nothing to whoever took the link meanwhile.
func TestLinkInUseIsNotIdle(t *testing.T) {
	for name, secure := range map[string]bool{"in clear": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			u.Idle = 20 * time.Millisecond
			u.Answer = time.Hour
			passed, passes := make(chan bool, 100), &watched{}
			u.Wrap = func(c net.Conn) net.Conn {
				passes.Conn, passes.passed = c, passed
				return passes
			}
			if secure {
				u.TLS = linkstest.TLS(t)
			}
			p := newTestPool(t, u)
			l := bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess)
			p.Put(l)
			if get(t, p) != l {
				t.Skip("it could not be taken in time")
			}
			<-passed // the deadline of the rest
			if a, err := l.bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); err != nil || a.Code != 0 {
				t.Errorf("%+v, %v", a, err)
			}
			p.Put(l)
		})
	}
}

// watched tells of the deadlines of reads that pass.
type watched struct {
	net.Conn
	passed chan bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if t, ok := err.(net.Error); ok && t.Timeout() {
		w.passed <- true
	}
	return n, err
}

func TestLinkThatUpstreamClosedLeavesThePool(t *testing.T) {
	u := newUpstream(t)
	p := newTestPool(t, u)
	a, b := get(t, p), get(t, p)
	p.Put(a)
	p.Put(b)
	u.Await(2, 2)
	u.Cut()
	u.Await(0, 2)
	eventually(t, p, func() bool { return len(p.free)+len(p.links) == 0 })
}

// The server ended while links rested, and we learn it from the bind. The
// others that rest are no better.
func TestBindOnAStaleLinkIsTriedOnceMore(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Number <= 2 && len(u.SeenBinds()) > 2 {
			x.Close()
			return
		}
		x.Usual()
	}
	p := newTestPool(t, u)
	a, b := bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess), bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess)
	p.Put(a)
	p.Put(b)
	p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
	u.Await(2, 3)
	if n := len(u.SeenBinds()); n != 4 {
		t.Errorf("%d binds were sent", n)
	}
}

// It may be the bind that the server does not bear.
func TestBindThatEndsTwoLinksIsNotTriedAgain(t *testing.T) {
	u := newUpstream(t)
	binds := 0
	u.Reply = func(x *linkstest.Exchange) {
		if binds++; binds > 1 {
			x.Close()
			return
		}
		x.Usual()
	}
	p := newTestPool(t, u)
	p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
	if _, _, err := p.Bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); !errors.Is(err, ErrAway) {
		t.Error(err)
	}
	u.Await(0, 2)
	if n := len(u.SeenBinds()); n != 3 {
		t.Errorf("%d binds were sent", n)
	}
}

// A password may have been counted as wrong already.
func TestBindIsNotTriedAgainAfterAnAnswerBegan(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if len(u.SeenBinds()) > 1 {
			x.Send([]byte{0x30})
			x.Close()
			return
		}
		x.Usual()
	}
	p := newTestPool(t, u)
	p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
	if _, _, err := p.Bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); !errors.Is(err, ErrAway) {
		t.Error(err)
	}
	u.Await(0, 1)
}

func TestNoIdentityForWhoAsksForNone(t *testing.T) {
	u := newUpstream(t)
	p := newTestPool(t, u)
	l, err := p.Anonymous(t.Context(), "")
	if err != nil || len(u.SeenBinds()) != 0 {
		t.Fatalf("%v, %+v: a link that was never bound needs no bind", err, u.SeenBinds())
	}
	p.Put(l)
	p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
	p.Put(bindAs(t, p, aliceBehind, "wrong", wire.ResultInvalidCredentials))
	for range 2 { // the second time it is anonymous already
		if l, err = p.Anonymous(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if who := whoAmI(t, l); who != "" {
			t.Errorf("is %q", who)
		}
		p.Put(l)
	}
	if got := u.SeenBinds(); len(got) != 3 || got[2].DN != "" || got[2].Password != "" {
		t.Errorf("%+v", got)
	}
	u.Await(1, 1)
}

// Many a directory allows no anonymous binds.
func TestNoIdentityWhereAnonymousBindsAreRefused(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if b, err := x.Bind(); x.Op == wire.OpBind && err == nil && len(b.DN) == 0 {
			x.Send(x.Result(48, "anonymous bind disallowed"))
			return
		}
		x.Usual()
	}
	p := newTestPool(t, u)
	p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
	l, err := p.Anonymous(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if who := whoAmI(t, l); who != "" {
		t.Errorf("is %q", who)
	}
	u.Await(1, 2)
}

// whoAmI asks upstream.
func whoAmI(t testing.TB, l *Link) string {
	t.Helper()
	c := newOwner()
	if err := l.Attach(c, Rules{}); err != nil {
		t.Fatal(err)
	}
	if err := l.Forward(linkstest.Request(9, extendedOp(wire.OIDWhoAmI))); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	got := c.receive(t, 1)
	l.Detach()
	r, err := wire.ParseResponse(got)
	if err != nil {
		t.Fatal(err)
	}
	return r.Value()
}

func TestShutdownEndsAllLinks(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 3, time.Hour
	p := newTestPool(t, u)
	resting, bound, idle := get(t, p), get(t, p), get(t, p)
	p.Put(resting)
	c := newOwner()
	if err := bound.Attach(c, Rules{}); err != nil {
		t.Fatal(err)
	}
	get(t, p)
	failed := make(chan error)
	go func() {
		_, err := p.get(context.Background(), "")
		failed <- err
	}()
	awaitWaiting(t, p, 1)
	p.Close()
	if err := <-failed; !errors.Is(err, ErrAway) {
		t.Error(err)
	}
	c.told(t)
	p.Put(idle)
	if _, err := p.get(t.Context(), ""); !errors.Is(err, ErrAway) {
		t.Error(err)
	}
	u.Await(0, 3)
}

// A dial that is under way when all ends leaves nothing.
func TestShutdownWhileALinkIsDialled(t *testing.T) {
	u := newUpstream(t)
	p := newTestPool(t, u)
	p.dir.Dial = func(ctx context.Context) (net.Conn, string, error) {
		p.Close()
		return u.Server.Dial(ctx)
	}
	if _, err := p.get(t.Context(), ""); !errors.Is(err, ErrAway) {
		t.Error(err)
	}
	u.Await(0, 1)
}

// Many at once, with a server that closes connections as it likes: nobody is
// told anything but that, and no place is lost.
func TestManyClientsAndFewLinks(t *testing.T) {
	u := newUpstream(t)
	u.Max, u.Wait = 4, time.Hour
	var mu sync.Mutex
	n := 0
	u.Reply = func(x *linkstest.Exchange) {
		mu.Lock()
		n++
		die := n%17 == 0
		mu.Unlock()
		if die {
			x.Close()
			return
		}
		x.Usual()
	}
	p := newTestPool(t, u)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 50 {
				l, a, err := p.Bind(context.Background(), BindRequest{ID: 3, DN: aliceBehind, Password: []byte("secret")})
				switch {
				case errors.Is(err, ErrAway):
				case err != nil || a.Code != 0:
					t.Errorf("%+v, %v", a, err)
				default:
					p.Put(l)
				}
			}
		})
	}
	all.Wait()
	for range u.Max {
		get(t, p)
	}
}
