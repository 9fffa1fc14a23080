package links

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// bound is a link of a pool of its own that alice is bound on, and the client
// that it is attached to.
func bound(t testing.TB, u *upstream, r Rules) (*Pool, *Link, *fakeOwner) {
	t.Helper()
	p := newTestPool(t, u)
	l := bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess)
	c := newOwner()
	if err := l.Attach(c, r); err != nil {
		t.Fatal(err)
	}
	return p, l, c
}

// ask has a request sent.
func ask(t testing.TB, l *Link, id int32, op []byte, controls ...[]byte) []byte {
	t.Helper()
	m, frame := linkstest.Request(id, op, controls...)
	if err := l.Forward(m, frame); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	return frame
}

func TestBindGoesOutAndItsAnswerComesBack(t *testing.T) {
	u := newUpstream(t)
	ppolicy := wire.Control{OID: wire.OIDPasswordPolicy, Value: []byte{0x30, 3, 0x81, 1, 2}, HasValue: true}
	var answer []byte
	u.Reply = func(x *linkstest.Exchange) {
		answer = x.Result(wire.ResultInvalidCredentials, "data 773", ppolicy)
		x.Send(answer)
	}
	p := newTestPool(t, u)
	controls := wire.AppendControls(nil, []wire.Control{{OID: wire.OIDPasswordPolicy}})
	l, a, err := p.Bind(t.Context(), BindRequest{ID: 300, DN: "cn=x\\, y", Password: []byte("p\x00w "), Controls: controls})
	if err != nil {
		t.Fatal(err)
	}
	p.Put(l)
	if !bytes.Equal(a.Frame, answer) || a.Code != 49 || a.Diagnostic != "data 773" || !bytes.Equal(a.Policy, ppolicy.Value) {
		t.Errorf("%+v", a)
	}
	got := u.SeenBinds()
	if len(got) != 1 || got[0].DN != "cn=x\\, y" || got[0].Password != "p\x00w " || len(got[0].Controls) != 1 || got[0].Controls[0].OID != wire.OIDPasswordPolicy {
		t.Errorf("%+v", got)
	}
}

func TestPasswordDoesNotStayInABuffer(t *testing.T) {
	u := newUpstream(t)
	p := newTestPool(t, u)
	l := get(t, p)
	buffer := new(make([]byte, 0, wire.MaxHeld))
	l.out = buffer
	if _, err := l.bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains((*buffer)[:100], []byte("secret")) {
		t.Error("it is still there")
	}
	p.Put(l)
}

// Octet by octet, both ways, and in one write for all that came at once.
func TestOperationsPassAsTheyAre(t *testing.T) {
	u := newUpstream(t)
	var answers []byte
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpBind {
			x.Usual()
			return
		}
		// Lengths in the longest form, as Active Directory sends them.
		answer := append([]byte{0x30, 0x84, 0, 0, 0, 18, 2, 4, 0, 0, 0, byte(x.ID)}, 0x65, 0x84, 0, 0, 0, 7, 10, 2, 0, 0, 4, 0, 4, 0)
		answer[5] = byte(len(answer) - 6)
		answer[17] = byte(len(answer) - 18)
		answers = append(answers, answer...)
		if x.ID == 4 {
			x.Send(answers)
		}
	}
	_, l, c := bound(t, u, Rules{})
	var sent [][]byte
	for id := int32(2); id <= 4; id++ {
		m, frame := linkstest.Request(id, searchOp("dc=behind", 2), criticalControl("1.2.3"))
		sent = append(sent, frame)
		if err := l.Forward(m, frame); err != nil {
			t.Fatal(err)
		}
	}
	if len(u.Seen(wire.OpSearch)) != 0 || l.Outstanding() != 3 {
		t.Errorf("%d outstanding", l.Outstanding())
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := c.receive(t, 3*26); !bytes.Equal(got, answers) {
		t.Errorf("%x, sent %x", got, answers)
	}
	for i, got := range u.Seen(wire.OpSearch) {
		if !bytes.Equal(got.Frame, sent[i]) {
			t.Errorf("%x became %x", sent[i], got.Frame)
		}
	}
	if l.Outstanding() != 0 {
		t.Errorf("%d outstanding", l.Outstanding())
	}
}

func TestRequestLargerThanABufferPasses(t *testing.T) {
	u := newUpstream(t)
	_, l, c := bound(t, u, Rules{})
	small, photograph := []byte("uid=a"), bytes.Repeat([]byte{7}, 1<<20)
	for id, dn := range map[int32][]byte{2: small, 3: photograph, 4: photograph[:60_000], 5: photograph[:60_000]} {
		if err := l.Forward(linkstest.Request(id, wire.Element(wire.OpDelete, dn))); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	c.receive(t, 4*14)
	sum := 0
	for _, f := range u.Seen(wire.OpDelete) {
		sum += len(f.Frame)
	}
	if sum < 5+1<<20+120_000 {
		t.Errorf("%d octets came", sum)
	}
}

// What leaves something of its owner behind is not for another.
func TestLinkThatIsNotCleanIsClosed(t *testing.T) {
	search := searchOp("dc=behind", 2)
	control := func(oid string) []byte { return wire.Element(wire.TagSequence, wire.Octets(oid)) }
	for name, use := range map[string]func(*testing.T, *Link, *fakeOwner){
		"an operation outstanding": func(t *testing.T, l *Link, _ *fakeOwner) {
			ask(t, l, 2, wire.Element(wire.OpDelete, []byte("hang")))
		},
		"not yet sent": func(t *testing.T, l *Link, _ *fakeOwner) {
			if err := l.Forward(linkstest.Request(2, search)); err != nil {
				t.Fatal(err)
			}
		},
		"an Abandon": func(t *testing.T, l *Link, c *fakeOwner) {
			ask(t, l, 2, wire.Element(wire.OpAbandon, []byte{1}))
		},
		"a Cancel": func(t *testing.T, l *Link, c *fakeOwner) {
			ask(t, l, 2, extendedOp(wire.OIDCancel))
			c.receive(t, 14)
		},
		"what nobody knows": func(t *testing.T, l *Link, c *fakeOwner) {
			ask(t, l, 2, extendedOp("1.3.6.1.1.21.1")) // begins a transaction (RFC 5805)
			c.receive(t, 14)
		},
		"a persistent search":   answered(search, control(wire.OIDPersistentSearch)),
		"a sync":                answered(search, control(wire.OIDSync)),
		"a notification":        answered(search, control(wire.OIDNotification)),
		"a DirSync":             answered(search, control(wire.OIDDirSync)),
		"a page with more":      answered(search, pagedElement("")),
		"a page that is broken": answered(wire.Element(wire.OpDelete, []byte("broken page")), pagedElement("")),
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			u.Reply = pages
			p, l, c := bound(t, u, Rules{})
			use(t, l, c)
			l.Detach()
			p.Put(l)
			u.Await(0, 1)
			get(t, p)
			u.Await(1, 2)
		})
	}
}

func TestLinkWithAllPagesReadIsClean(t *testing.T) {
	u := newUpstream(t)
	u.Reply = pages
	p, l, c := bound(t, u, Rules{})
	answered(searchOp("dc=behind", 2), pagedElement(""))(t, l, c)
	answered(searchOp("dc=behind", 2), pagedElement("more"))(t, l, c)
	answered(searchOp("dc=behind", 2))(t, l, c)
	l.Detach()
	p.Put(l)
	if get(t, p) != l {
		t.Error("another link")
	}
	u.Await(1, 1)
}

// answered sends a request and waits for its answer.
func answered(op []byte, controls ...[]byte) func(*testing.T, *Link, *fakeOwner) {
	return func(t *testing.T, l *Link, c *fakeOwner) {
		ask(t, l, 2, op, controls...)
		c.receive(t, 14)
	}
}

func pagedElement(cookie string) []byte {
	return wire.AppendControls(nil, []wire.Control{wire.PagedControl(10, []byte(cookie))})[2:]
}

// pages has a second page for each search, and hangs where told.
func pages(x *linkstest.Exchange) {
	d := wire.Decoder{Rest: x.Frame}
	switch {
	case x.Op == wire.OpBind, x.Op == wire.OpAbandon:
		x.Usual()
	case x.Op == wire.OpDelete && bytes.HasSuffix(d.Rest, []byte("hang")):
	case x.Op == wire.OpDelete:
		x.Send(x.Result(0, "", wire.Control{OID: wire.OIDPaged, Value: []byte("?"), HasValue: true}))
	default:
		paged, ok := x.Control(wire.OIDPaged)
		if !ok {
			x.Send(x.Result(0, ""))
			return
		}
		cookie := []byte("more")
		if _, sent, err := wire.ParsePaged(paged.Value); err != nil || len(sent) > 0 {
			cookie = nil
		}
		x.Send(x.Result(0, "", wire.PagedControl(0, cookie)))
	}
}

func TestWhatIsOursIsNeverForwarded(t *testing.T) {
	_, l, _ := bound(t, newUpstream(t), Rules{})
	for _, op := range [][]byte{bindOp(aliceBehind, "x"), wire.Element(wire.OpUnbind), extendedOp(wire.OIDStartTLS), wire.Element(wire.OpExtended)} {
		if err := l.Forward(linkstest.Request(2, op)); !errors.Is(err, errForeign) {
			t.Errorf("%x: %v", op, err)
		}
	}
	if l.out != nil {
		t.Errorf("%x would be sent", *l.out)
	}
}

func TestTooManyOperationsOnOneLink(t *testing.T) {
	u := newUpstream(t)
	u.Reply = pages
	p, l, _ := bound(t, u, Rules{})
	op := wire.Element(wire.OpDelete, []byte("hang"))
	for id := range int32(MaxOutstanding) {
		if err := l.Forward(linkstest.Request(id+1, op)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Forward(linkstest.Request(5000, op)); !errors.Is(err, ErrCrowded) {
		t.Error(err)
	}
	if err := l.Forward(linkstest.Request(5001, wire.Element(wire.OpAbandon, []byte{9}))); err != nil || l.Awaits(9) || !l.Awaits(10) {
		t.Errorf("%v: an Abandon makes room", err)
	}
	if err := l.Forward(linkstest.Request(9, op)); err != nil {
		t.Errorf("%v: the id is free again", err)
	}
	l.Detach()
	p.Put(l)
}

func TestWaitForWhatIsOutstanding(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op != wire.OpDelete {
			x.Usual()
		}
		if x.Op == wire.OpExtended { // answers what came before
			x.Send(wire.AppendResult(nil, 2, 0x6b, wire.Result{}))
		}
	}
	_, l, c := bound(t, u, Rules{})
	if err := l.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	ask(t, l, 2, wire.Element(wire.OpDelete, []byte("uid=a")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ask(t, l, 3, extendedOp(wire.OIDWhoAmI))
	if err := l.Wait(t.Context()); err != nil || l.Outstanding() != 0 {
		t.Errorf("%v, %d outstanding", err, l.Outstanding())
	}
	l.Detach()
	if len(c.arrived) == 0 {
		t.Error("Detach did not wait for what was on its way")
	}
}

func TestWaitEndsWithTheLink(t *testing.T) {
	u := newUpstream(t)
	u.Reply = pages
	_, l, c := bound(t, u, Rules{})
	ask(t, l, 2, wire.Element(wire.OpDelete, []byte("hang")))
	go u.Cut()
	if err := l.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	c.told(t)
	if err := l.Wait(context.Background()); err != nil {
		t.Error(err)
	}
}

// After Detach a client hears nothing more of what it asked.
func TestLateResultsAfterDetachAreDropped(t *testing.T) {
	u := newUpstream(t)
	late := make(chan bool)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op != wire.OpBind {
			<-late
		}
		x.Usual()
	}
	_, l, c := bound(t, u, Rules{})
	ask(t, l, 2, searchOp("dc=behind", 2))
	l.Detach()
	next := newOwner()
	if err := l.Attach(next, Rules{}); err != nil {
		t.Fatal(err)
	}
	close(late)
	ask(t, l, 3, extendedOp(wire.OIDWhoAmI))
	next.receive(t, 1)
	if len(c.arrived) != 0 {
		t.Errorf("%x arrived", <-c.arrived)
	}
}

func TestDetachWaitsForWhatIsBeingWritten(t *testing.T) {
	u := newUpstream(t)
	_, l, c := bound(t, u, Rules{})
	c.gate = make(chan struct{})
	ask(t, l, 2, extendedOp(wire.OIDWhoAmI))
	c.gate <- struct{}{} // the pump is past looking who the owner is
	detached := make(chan struct{})
	go func() {
		l.Detach()
		close(detached)
	}()
	for range 1000 {
		runtime.Gosched()
	}
	select {
	case <-detached:
		t.Error("Detach did not wait")
	default:
	}
	c.gate <- struct{}{}
	<-detached
	if len(c.arrived) != 1 {
		t.Error("it had not arrived when Detach returned")
	}
}

// Somebody else's identity would be on it if it were bound on again.
func TestBindUnderAnOwnerEndsTheLink(t *testing.T) {
	u := newUpstream(t)
	_, l, c := bound(t, u, Rules{})
	if _, err := l.bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); !errors.Is(err, errForeign) {
		t.Error(err)
	}
	c.told(t)
	if n := len(u.SeenBinds()); n != 1 {
		t.Errorf("%d binds were sent", n)
	}
}

func TestBindIsGivenUpWithItsContext(t *testing.T) {
	u := newUpstream(t)
	u.Reply = (*linkstest.Exchange).Hang
	p := newTestPool(t, u)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		u.AwaitSeen(wire.OpBind, 1)
		cancel()
	}()
	if _, _, err := p.Bind(ctx, BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	eventually(t, p, func() bool { return len(p.links) == 0 })
}

// It ended after it was taken out of the pool, and before anything was sent.
func TestBindOnALinkThatHasEndedIsStale(t *testing.T) {
	for name, want := range map[string]bool{"that was used": true, "that was not": false} {
		u := newUpstream(t)
		p := newTestPool(t, u)
		l := get(t, p)
		if want {
			if _, err := l.bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); err != nil {
				t.Fatal(err)
			}
		}
		u.Await(1, 1)
		u.Cut()
		eventually(t, p, func() bool { return len(p.links) == 0 })
		_, err := l.bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")})
		if !errors.Is(err, ErrAway) || errors.Is(err, errStale) != want {
			t.Errorf("%s: %v", name, err)
		}
		if err := l.Attach(newOwner(), Rules{}); !errors.Is(err, ErrAway) {
			t.Errorf("attached: %v", err)
		}
		if err := l.Forward(linkstest.Request(2, searchOp("dc=x", 2))); err == nil && l.Flush() == nil {
			t.Error("a request was sent")
		}
	}
}

func TestNothingIsAllocatedForARelayedMessage(t *testing.T) {
	u := newUpstream(t)
	answer := wire.AppendResult(nil, 2, wire.OpSearchDone, wire.Result{})
	served, arrived := make(chan bool), make(chan struct{}, 1)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpBind {
			x.Usual()
			return
		}
		buf := make([]byte, 4<<10)
		for {
			x.Write(answer)
			if _, err := x.Read(buf); err != nil {
				close(served)
				return
			}
		}
	}
	p := newTestPool(t, u)
	l := bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess)
	if err := l.Attach(counting{arrived}, Rules{}); err != nil {
		t.Fatal(err)
	}
	m, frame := linkstest.Request(2, searchOp("dc=behind", 2))
	n := testing.AllocsPerRun(500, func() {
		if err := l.Forward(m, frame); err != nil {
			t.Fatal(err)
		}
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		<-arrived
	})
	if n >= 1 {
		t.Errorf("%v allocations a search", n)
	}
	p.Close()
	<-served
}
