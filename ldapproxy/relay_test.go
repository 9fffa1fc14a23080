package ldapproxy

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/ldapproxy/links"
	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// holding has searches wait over there until they are let go, one for each
// value; all else is answered as usual.
func holding(u *upstream) (let chan bool) {
	let = make(chan bool, 100)
	u.t.Cleanup(func() { close(let) })
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpSearch {
			<-let
		}
		x.Usual()
	}
	return let
}

func TestPipelinedOperationsKeepTheirOrder(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	messages := [][]byte{p.put(bindOp(aliceBehind, "secret"+codeOfAlice))}
	for range 50 {
		messages = append(messages, p.put(searchOp(behindBase, 2)), p.put(compareOp(aliceBehind, "uid", "alice")), p.put(extendedOp(wire.OIDWhoAmI)))
	}
	messages = append(messages, p.put(bindOp(bobBehind, "hunter2"+codeOfAlice)), p.put(extendedOp(wire.OIDWhoAmI)))
	p.send(messages...)
	for id := int32(1); id <= p.id; id++ {
		got := p.receive()
		if got.id != id || got.code != wire.ResultSuccess {
			t.Fatalf("answer %d is %+v", id, got)
		}
		who := "dn:" + aliceBehind
		if id == p.id {
			who = "dn:" + bobBehind
		}
		if got.op == wire.OpExtendedResponse && string(got.value) != who {
			t.Errorf("answer %d is to %s", id, got.value)
		}
	}
	for i, f := range r.up.Seen() {
		if f.Op != wire.OpBind && f.ID != int32(i+1) {
			t.Fatalf("request %d reached upstream as number %d", f.ID, i+1)
		}
	}
}

// Many clients with the same message ids, each over its own link.
func TestClientsGetTheirOwnAnswers(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { r.up.Max = 3 })
	var all sync.WaitGroup
	for i := range 12 {
		dn, password := aliceBehind, "secret"
		if i%2 > 0 {
			dn, password = bobBehind, "hunter2"
		}
		p := r.dial()
		all.Go(func() {
			for range 20 {
				p.wants(wire.ResultSuccess, bindOp(dn, password+codeOfAlice))
				if who := p.who(); who != "dn:"+dn {
					t.Errorf("%s is %s", dn, who)
				}
				p.wants(wire.ResultSuccess, bindOp("", "")) // gives the link back
			}
		})
	}
	all.Wait()
	if n := len(r.up.SeenBinds()); n != 240 {
		t.Errorf("%d binds reached upstream", n)
	}
}

func TestUpstreamLostIsNoticedAndClosed(t *testing.T) {
	for name, busy := range map[string]bool{"resting": false, "with a search in work": true} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, func(r *relayRig) { holding(r.up) })
			p := r.bound()
			if busy {
				p.send(p.put(searchOp(behindBase, 2)))
				r.up.AwaitSeen(wire.OpSearch, 1)
			}
			r.up.Cut()
			p.notice(wire.ResultUnavailable) // and no made-up answer before it
			r.ends(byUpstream, 1)
		})
	}
}

func TestGoodByeOfTheDirectoryEndsTheClientsToo(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			if x.Op == wire.OpSearch {
				x.Send(wire.AppendNotice(nil, wire.ResultUnavailable, "behind.example goes down"))
				return
			}
			x.Usual()
		}
	})
	p := r.bound()
	p.send(p.put(searchOp(behindBase, 2)))
	p.notice(wire.ResultUnavailable)
	r.ends(byUpstream, 1)
}

func TestUnboundClientDoesNotMindALostUpstream(t *testing.T) {
	r := startRelay(t, nil)
	p := r.bound()
	p.wants(wire.ResultSuccess, bindOp("", ""))
	r.up.Cut()
	r.up.Await(0, 1)
	if who := p.who(); who != "" {
		t.Errorf("is %q", who)
	}
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice))
}

func TestUnbindGivesTheLinkBack(t *testing.T) {
	r := startRelay(t, nil)
	for range 5 {
		p := r.bound()
		p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
		p.send(p.put(wire.Element(wire.OpUnbind)))
		p.gone()
	}
	r.ends(byUnbind, 5)
	r.up.Await(1, 1)
	if n := len(r.up.Seen(wire.OpUnbind)); n != 0 {
		t.Error("the Unbind passed")
	}
}

func TestRequestsBeforeAnUnbindPass(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, nil, app)
	p := r.bound()
	p.send(p.put(wire.Element(wire.OpDelete, []byte("cn=x"))), p.put(wire.Element(wire.OpUnbind)))
	r.up.AwaitSeen(wire.OpDelete, 1)
	r.ends(byUnbind, 1)
}

// What is in work when a Bind comes is done first (RFC 4511 §4.2.1).
func TestBindWaitsForWhatIsInWork(t *testing.T) {
	var let chan bool
	r := startRelay(t, func(r *relayRig) { let = holding(r.up) })
	p := r.bound()
	p.send(p.put(searchOp(behindBase, 2)), p.put(bindOp(bobBehind, "hunter2"+codeOfAlice)))
	r.up.AwaitSeen(wire.OpSearch, 1)
	if n := len(r.gate.judged()); n != 1 {
		t.Errorf("%d judged", n)
	}
	let <- true
	if got := p.receive(); got.op != wire.OpSearchDone || got.code != wire.ResultSuccess {
		t.Errorf("%+v", got)
	}
	if got := p.receive(); got.op != wire.OpBindResponse || got.code != wire.ResultSuccess {
		t.Errorf("%+v", got)
	}
	r.up.Await(1, 1)
}

// But not for ever: then it is abandoned, and nothing of it is heard again.
func TestBindAbandonsWhatTakesTooLong(t *testing.T) {
	var let chan bool
	r := startRelay(t, func(r *relayRig) { let = holding(r.up) })
	p := r.bound()
	p.send(p.put(searchOp(behindBase, 2)), p.put(bindOp(bobBehind, "hunter2"+codeOfAlice)))
	r.up.AwaitSeen(wire.OpSearch, 1)
	r.goes(leaveWait)
	if got := p.receive(); got.op != wire.OpBindResponse || got.code != wire.ResultSuccess {
		t.Errorf("%+v", got)
	}
	let <- true
	if who := p.who(); who != "dn:"+bobBehind {
		t.Errorf("is %q", who)
	}
	r.up.Await(1, 2) // the link is for nobody else
}

// A search that goes on and on must not outlive the ticket.
func TestEndedTicketEndsASearchThatGoesOn(t *testing.T) {
	var let chan bool
	r := startRelay(t, func(r *relayRig) { let = holding(r.up) })
	p := r.bound()
	resting := r.bound()
	p.send(p.put(searchOp(behindBase, 2)))
	r.up.AwaitSeen(wire.OpSearch, 1)
	r.goes(sweepEvery)
	r.goes(sweepEvery)                           // so the first look round is through
	p.wants(wire.ResultSuccess, searchOp("", 0)) // answered here
	if used := r.gate.lookups.Load() - r.gate.standings.Load(); used != 2 || r.gate.standings.Load() == 0 {
		t.Errorf("used %d times, looked at %d times", used, r.gate.standings.Load())
	}
	r.gate.ended.Store(true)
	r.goes(sweepEvery)
	p.notice(wire.ResultStrongerAuthRequired)
	r.ends(byTicket, 1)
	resting.send(resting.put(extendedOp(wire.OIDWhoAmI))) // who asks is looked at then
	resting.notice(wire.ResultStrongerAuthRequired)
	let <- true
	r.up.Await(1, 2) // the one with a search on it is for nobody else
}

func TestServiceAccountThatIsGoneEndsItsSearch(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { holding(r.up) })
	p := r.asService()
	p.send(p.put(searchOp(behindBase, 2)))
	r.up.AwaitSeen(wire.OpSearch, 1)
	app := relayApp()
	app.Accounts = nil
	r.SetApps(mustApps(t, app))
	r.goes(sweepEvery)
	p.notice(wire.ResultStrongerAuthRequired)
}

// waiting is a client that says nothing until its time is up.
type waiting struct{ *socket }

func (waiting) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestWhoWaitsForAnAnswerIsNotIdle(t *testing.T) {
	u := newUpstream(t)
	s := &Server{Upstream: &u.Upstream, Limits: Limits{IdleBound: 1}}
	s.setup()
	c := s.newConn(new(Listener), waiting{new(socket)})
	c.session.dn = aliceBehind
	let := holding(u)
	l := asking(t, c)
	for range 3 {
		if why := c.step(); why != staying {
			t.Fatalf("ended by %s", why)
		}
	}
	let <- true
	if err := l.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if why := c.step(); why != byIdleness {
		t.Errorf("ended by %q", why)
	}
}

// Whoever is called while it begins to wait does not wait.
func TestCallBeforeTheWaitIsHeard(t *testing.T) {
	s := &Server{}
	s.setup()
	c := s.newConn(new(Listener), new(socket))
	c.call(byUpstream)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != errCalled {
		t.Errorf("%d, %v", n, err)
	}
	if why := c.step(); why != byUpstream {
		t.Errorf("ended by %q", why)
	}
}

func TestStartTLSWhileSomethingIsInWork(t *testing.T) {
	var let chan bool
	app := relayApp()
	app.Anonymous = true
	r := startRelay(t, func(r *relayRig) { let = holding(r.up) }, app)
	p := r.dial()
	p.send(p.put(searchOp(behindBase, 2)))
	r.up.AwaitSeen(wire.OpSearch, 1)
	if got := p.ask(extendedOp(wire.OIDStartTLS)); got.code != wire.ResultOperationsError {
		t.Errorf("%+v", got)
	}
	let <- true
	p.receive()
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	p.secure()
	if p.who() != "" {
		t.Error("somebody")
	}
	if n := len(r.up.Seen(wire.OpExtended)); n != 0 {
		t.Error("StartTLS passed")
	}
}

func TestStartTLSMakesTheSessionAnonymous(t *testing.T) {
	app := relayApp()
	app.Anonymous = true
	r := startRelay(t, nil, app)
	p := r.bound()
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	p.secure()
	p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
	if binds := r.up.SeenBinds(); len(binds) != 2 || binds[1].DN != "" {
		t.Errorf("searched after %+v", binds)
	}
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice))
	r.up.Await(1, 1)
}

// wrote notes that something was written.
type wrote struct {
	net.Conn
	what  string
	order *[]string
}

func (w wrote) Write(p []byte) (int, error) {
	*w.order = append(*w.order, w.what)
	return len(p), nil
}

func (wrote) SetReadDeadline(time.Time) error  { return nil }
func (wrote) SetWriteDeadline(time.Time) error { return nil }

// A bind that succeeded has been answered before the directory can answer what
// came behind it.
func TestAnswerOfABindIsNotOvertaken(t *testing.T) {
	var order []string
	there, over := net.Pipe()
	defer over.Close()
	s := &Server{Upstream: &Upstream{Dial: func(context.Context) (net.Conn, string, error) {
		return wrote{there, "to the directory", &order}, "behind.example", nil
	}}}
	s.setup()
	c := s.newConn(new(Listener), wrote{what: "to the client", order: &order})
	r := c.behind.(*relay)
	l, err := s.links.Anonymous(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.links.Close)
	r.link.Store(l)
	c.session.dn = aliceBehind
	c.reply(wire.Message{ID: 1, Op: wire.OpBind}, wire.Result{})
	m, frame := linkstest.Request(2, modifyOp(aliceBehind, 2, "jpegPhoto", string(make([]byte, 2*wire.MaxHeld)))) // leaves at once
	c.frame = frame
	if why := r.pass(m); why != staying {
		t.Fatalf("ended by %s", why)
	}
	if !slices.Equal(slices.Compact(order), []string{"to the client", "to the directory"}) {
		t.Errorf("written: %q", order)
	}
}

// A client that does not read holds up nobody for long.
func TestSlowReaderOfRelayedAnswers(t *testing.T) {
	for _, size := range []int{30 << 10, 8 << 20} { // in batches, and in one piece
		r := startRelay(t, func(r *relayRig) {
			r.Limits.Write = 20 * time.Millisecond
			r.up.Reply = func(x *linkstest.Exchange) {
				if x.Op != wire.OpSearch {
					x.Usual()
					return
				}
				entry := largeEntry(x.ID, size)
				for {
					if _, err := x.Write(entry); err != nil {
						return
					}
				}
			}
		})
		p := r.bound()
		p.send(p.put(searchOp(behindBase, 2)))
		r.ends(byWrite, 1)
	}
}

// largeEntry is a SearchResultEntry with a value of n octets.
func largeEntry(id int32, n int) []byte {
	return wire.AppendEntry(nil, id, "cn=x", []wire.Attribute{{Name: "jpegPhoto", Values: []string{string(bytes.Repeat([]byte("x"), n))}}})
}

func TestLargeEntryPassesWhole(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			if x.Op == wire.OpSearch {
				x.Send(largeEntry(x.ID, 3<<20))
			}
			x.Usual()
		}
	})
	p := r.bound()
	p.send(p.put(searchOp(behindBase, 2)))
	if got := p.frame(); !bytes.Equal(got, largeEntry(p.id, 3<<20)) {
		t.Errorf("%d octets came", len(got))
	}
	if got := p.receive(); got.code != wire.ResultSuccess {
		t.Errorf("%+v", got)
	}
}

// In the middle of a message there is no room for a good-bye.
func TestEntryThatIsCutShortIsNotFollowedByAnything(t *testing.T) {
	whole := largeEntry(2, 1<<20)
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			if x.Op == wire.OpSearch {
				x.Send(whole[:500<<10])
				x.Close()
				return
			}
			x.Usual()
		}
	})
	p := r.bound()
	p.send(p.put(searchOp(behindBase, 2)))
	if got, _ := io.ReadAll(p.Conn); !bytes.HasPrefix(whole, got) {
		t.Errorf("%d octets came, others than were sent", len(got))
	}
	r.ends(byUpstream, 1)
}

func TestEntryAboveTheLimitEndsTheClient(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(x *linkstest.Exchange) {
			if x.Op == wire.OpSearch {
				x.Send([]byte{0x30, 0x84, 0x01, 0x40, 0, 0})
				return
			}
			x.Usual()
		}
	})
	p := r.bound()
	p.send(p.put(searchOp(behindBase, 2)))
	p.notice(wire.ResultUnavailable)
}

func TestLargeRequestPassesAfterABind(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, nil, app)
	photo := modifyOp(aliceBehind, 2, "jpegPhoto", string(make([]byte, 3<<20)))
	p := r.bound()
	p.wants(wire.ResultSuccess, photo)
	p.send([]byte{0x30, 0x84, 0, 0x50, 0, 0})
	p.notice(wire.ResultProtocolError)
	p = r.dial()
	p.send([]byte{0x30, 0x84, 0, 0x2, 0, 0})
	p.notice(wire.ResultProtocolError)
	r.ends(bySize, 2)
}

func TestClientWithTooManyOperationsIsBusy(t *testing.T) {
	r := startRelay(t, func(r *relayRig) { holding(r.up) })
	p := r.bound()
	var all [][]byte
	for range links.MaxOutstanding + 1 {
		all = append(all, p.put(searchOp(behindBase, 2)))
	}
	p.send(all...)
	if got := p.receive(); got.id != p.id || got.code != wire.ResultBusy {
		t.Errorf("%+v", got)
	}
	p.Close()
	r.ends(byClient, 1)
}

func TestShutdownLetsWhatIsInWorkBeAnswered(t *testing.T) {
	var let chan bool
	r := startRelay(t, func(r *relayRig) { let = holding(r.up) })
	p := r.bound()
	p.send(p.put(searchOp(behindBase, 2)))
	r.up.AwaitSeen(wire.OpSearch, 1)
	over := make(chan error, 1)
	go func() { over <- r.Shutdown(t.Context()) }()
	for h := range r.held { // it waits now
		if h.wait == leaveWait {
			break
		}
	}
	let <- true
	if got := p.receive(); got.op != wire.OpSearchDone || got.code != wire.ResultSuccess {
		t.Errorf("%+v", got)
	}
	p.notice(wire.ResultUnavailable)
	if err := <-over; err != nil {
		t.Error(err)
	}
	r.up.Await(0, 1)
}

func TestReferralsGoByTheApplicationsRule(t *testing.T) {
	passing, watched := relayApp(), observed()
	passing.Referrals = true
	for _, app := range []App{relayApp(), passing, watched} {
		pass := app.Referrals || app.Observe
		r := startRelay(t, func(r *relayRig) {
			r.up.Reply = func(x *linkstest.Exchange) {
				if x.Op == wire.OpSearch {
					reference := wire.Element(wire.TagSequence, wire.AppendNumber(nil, wire.TagInteger, x.ID),
						wire.Element(wire.OpSearchReference, wire.Octets("ldap://elsewhere.example/")))
					x.Send(reference, x.Result(wire.ResultSuccess, ""))
					return
				}
				x.Usual()
			}
		}, app)
		p := r.dial()
		p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
		p.send(p.put(searchOp(behindBase, 2)))
		if got := p.frame(); bytes.Contains(got, []byte("elsewhere")) != pass {
			t.Errorf("pass %v: got %x", pass, got)
		}
	}
}

// Clients of one application keep all the links that they can get: those of
// another bind.
func TestClientsOfOneApplicationDoNotShutOutAnothers(t *testing.T) {
	open, other := relayApp(), relayApp()
	open.Anonymous = true
	other.Name, other.Listeners, other.Service = "other", []string{"second"}, "other"
	r := startRelay(t, func(r *relayRig) { r.up.Max, r.up.Wait = 4, time.Millisecond }, open, other)
	for range 3 {
		r.dial().wants(wire.ResultSuccess, searchOp(behindBase, 2))
	}
	r.dial().wants(wire.ResultBusy, bindOp(aliceBehind, "secret"+codeOfAlice))
	here, there := net.Pipe()
	r.take(&Listener{Name: "second", PlainBinds: true}, addressed{there})
	newPeer(t, here).wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice))
}

// The directory may be asked for nothing by whoever has shown nothing, in
// whatever order it comes.
func FuzzRelay(f *testing.F) {
	p := new(peer)
	bind := p.put(bindOp(aliceBehind, "secret"+codeOfAlice))
	for _, op := range [][]byte{
		searchOp("", 0), searchOp(behindBase, 2), extendedOp(wire.OIDWhoAmI), extendedOp(wire.OIDStartTLS), filterOp(equals("userPassword", "x")),
		modifyOp(aliceBehind, 1, "userPassword", "x"), passwordOp(bobBehind, "a", "b"), compareOp(aliceBehind, "2.5.4.35", "x"),
		wire.Element(wire.OpAbandon, []byte{1}), wire.Element(wire.OpUnbind), bindOp(mailBehind, "guess"),
	} {
		f.Add(append(bytes.Clone(bind), p.put(op, control(oidSort, wire.Octets("x")))...))
		f.Add(p.put(op, criticalControl(wire.OIDPaged)))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		u := newUpstream(t)
		u.Reply = func(x *linkstest.Exchange) {
			switch {
			case x.Op == wire.OpBind:
			case *x.Who == "":
				t.Errorf("asked as nobody: %x", x.Frame)
			case bytes.Contains(bytes.ToLower(x.Frame), []byte("userpassword")) && (x.Op == wire.OpCompare || x.Op == wire.OpModify):
				t.Errorf("asked about a password: %x", x.Frame)
			}
			x.Usual()
		}
		s := &Server{Gate: &fakeGate{admit: cutting}, Upstream: &u.Upstream, Now: func() time.Time { return testTime }}
		s.After = func(time.Duration) <-chan time.Time { done := make(chan time.Time); close(done); return done }
		s.SetApps(mustApps(t, relayApp(), elsewhere()))
		here, there := net.Pipe()
		go func() {
			here.Write(octets)
			here.Close()
		}()
		go io.Copy(io.Discard, here)
		c := s.newConn(&Listener{TLS: linkstest.TLS(t), StartTLS: true, PlainBinds: true}, addressed{there})
		if !s.crowd.enter(c) {
			t.Fatal("no room")
		}
		why := c.life()
		if why == byPanic {
			t.Error("a handler has panicked")
		}
		c.close(why)
		s.links.Close()
	})
}
