package links

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// A server that never answers costs the one who asked the time, and nobody
// else anything.
func TestUpstreamThatHangs(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Number == 2 && len(u.SeenBinds()) == 3 {
			x.Hang()
		}
		x.Usual()
	}
	p, other, c := bound(t, u, Rules{})
	p.Put(bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess))
	p.dir.Answer = 10 * time.Millisecond
	if _, _, err := p.Bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); !errors.Is(err, ErrAway) || errors.Is(err, errStale) {
		t.Error(err)
	}
	eventually(t, p, func() bool { return len(p.links) == 1 })
	ask(t, other, 2, extendedOp(wire.OIDWhoAmI))
	c.receive(t, 1)
	if n := len(u.SeenBinds()); n != 3 {
		t.Errorf("%d binds were sent", n)
	}
}

// A search may take as long as it likes: the deadline is for binds.
func TestOperationHasNoDeadline(t *testing.T) {
	u := newUpstream(t)
	u.Answer = 10 * time.Millisecond
	passed := make(chan bool, 100)
	u.Wrap = func(c net.Conn) net.Conn { return &watched{c, passed} }
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpSearch {
			<-passed
		}
		x.Usual()
	}
	_, l, c := bound(t, u, Rules{})
	ask(t, l, 2, searchOp("dc=behind", 2))
	c.receive(t, 20)
}

// Whatever is not an answer ends the link: to a bind there is no verdict, and
// a client that is bound is told.
func TestGarbageFromUpstream(t *testing.T) {
	result := func(id int32, op byte, code int) []byte {
		return wire.AppendResult(nil, id, op, wire.Result{Code: code})
	}
	for name, octets := range map[string][]byte{
		"no LDAP":               []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"4 GiB":                 {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1, 0x61},
		"2 GiB":                 {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 2, 1, 1, 0x61},
		"an octet over the cap": {0x30, 0x84, 0x01, 0x00, 0x00, 0x00, 2, 1, 1, 0x61},
		"indefinite length":     {0x30, 0x80, 2, 1, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0, 0, 0},
		"no id":                 {0x30, 2, 0x61, 0},
		"a negative id":         {0x30, 12, 2, 1, 0xff, 0x61, 7, 10, 1, 0, 4, 0, 4, 0},
		"an id of five octets":  {0x30, 16, 2, 5, 0, 0, 0, 0, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0},
		"longer than its frame": {0x30, 12, 2, 1, 1, 0x61, 8, 10, 1, 0, 4, 0, 4, 0},
		"octets behind":         {0x30, 14, 2, 1, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0, 4, 0},
		"no result":             {0x30, 5, 2, 1, 1, 0x61, 0},
		"a negative code":       {0x30, 12, 2, 1, 1, 0x61, 7, 10, 1, 0xff, 4, 0, 4, 0},
		"controls that are no controls": wire.Element(wire.TagSequence, []byte{2, 1, 1}, wire.Element(wire.OpBindResponse, []byte{10, 1, 0, 4, 0, 4, 0}),
			wire.Element(wire.TagControls, []byte{1})),
		"another id":     result(2, wire.OpBindResponse, 0),
		"another op":     result(1, wire.OpSearchDone, 0),
		"a request":      wire.Element(wire.TagSequence, []byte{2, 1, 1}, extendedOp(wire.OIDWhoAmI)),
		"an id of 0":     result(0, wire.OpBindResponse, 0),
		"a large answer": wire.AppendResult(nil, 1, wire.OpBindResponse, wire.Result{Diagnostic: string(make([]byte, wire.MaxHeld))}),
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			u.Reply = func(x *linkstest.Exchange) {
				if x.Op == wire.OpBind && *x.Who == "" && x.ID == 7 {
					x.Usual()
					return
				}
				x.Send(octets)
			}
			p, l, c := bound(t, u, Rules{})
			if _, _, err := p.Bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); !errors.Is(err, ErrAway) {
				t.Errorf("bound with %v", err)
			}
			// The same, while a client waits for the operation with the id 1.
			if name != "another op" {
				ask(t, l, 1, searchOp("dc=behind", 2))
				if why := c.told(t); !errors.Is(why, errGarbage) {
					t.Errorf("the client was told %v", why)
				}
				if len(c.arrived) != 0 {
					t.Errorf("%x arrived", <-c.arrived)
				}
			}
			eventually(t, p, func() bool { return len(p.links) == map[bool]int{true: 1}[name == "another op"] })
		})
	}
}

// Nothing is allocated for what is only claimed, and an entry that is claimed
// too large ends the link before anything of it is written.
func TestEntryOf20MiBEndsTheConnection(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpBind {
			x.Usual()
			return
		}
		x.Send([]byte{0x30, 0x84, 0x01, 0x40, 0, 0, 2, 1, byte(x.ID), 0x64, 0x84, 0x01, 0x3f, 0xff, 0xf7})
		x.Send(make([]byte, 20<<20))
	}
	_, l, c := bound(t, u, Rules{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ask(t, l, 2, searchOp("dc=behind", 2))
	why := c.told(t)
	runtime.ReadMemStats(&after)
	if !errors.Is(why, wire.ErrTooLarge) || len(c.arrived) != 0 {
		t.Errorf("told %v, %d messages arrived", why, len(c.arrived))
	}
	// The fake upstream's own 20 MiB, and little more.
	if n := after.TotalAlloc - before.TotalAlloc; n > 42<<20 {
		t.Errorf("%d octets allocated", n)
	}
}

// bulk is an entry of n octets of value.
func bulk(id int32, n int) []byte {
	return wire.AppendEntry(nil, id, "cn=x", []wire.Attribute{{Name: "jpegPhoto", Values: []string{string(bytes.Repeat([]byte("x"), n))}}})
}

func TestLargeEntryIsStreamed(t *testing.T) {
	for _, size := range []int{wire.MaxHeld - 100, wire.MaxHeld, wire.MaxHeld + 1, 1 << 20, 15 << 20} {
		small := wire.AppendEntry(nil, 2, "cn=small", nil)
		answer := bytes.Join([][]byte{small, bulk(2, size), small, bulk(2, size), wire.AppendResult(nil, 2, wire.OpSearchDone, wire.Result{})}, nil)
		u := newUpstream(t)
		u.Reply = func(x *linkstest.Exchange) {
			if x.Op == wire.OpBind {
				x.Usual()
				return
			}
			x.Send(answer)
		}
		p, l, c := bound(t, u, Rules{})
		ask(t, l, 2, searchOp("dc=behind", 2))
		if got := c.receive(t, len(answer)); !bytes.Equal(got, answer) {
			t.Errorf("%d: %d octets came of %d", size, len(got), len(answer))
		}
		if err := l.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		l.Detach()
		p.Put(l)
		if get(t, p) != l {
			t.Errorf("%d: the link was not clean", size)
		}
	}
}

// unheeding is an owner that writes nowhere.
type unheeding struct{ *fakeOwner }

func (s unheeding) Stream(head []byte, rest *wire.Rest) error {
	_, err := rest.WriteTo(io.Discard)
	s.arrived <- nil
	return err
}

func TestStreamingHoldsNothing(t *testing.T) {
	u := newUpstream(t)
	entry := bulk(2, 15<<20)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpBind {
			x.Usual()
			return
		}
		for range 10 {
			x.Write(entry)
		}
	}
	p := newTestPool(t, u)
	l := bindAs(t, p, aliceBehind, "secret", 0)
	c := unheeding{newOwner()}
	if err := l.Attach(c, Rules{}); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ask(t, l, 2, searchOp("dc=behind", 2))
	for range 10 {
		<-c.arrived
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d octets allocated for 150 MiB", n)
	}
}

// An entry that nobody waits for any more is read, and goes nowhere.
func TestLargeEntryThatIsLateIsDropped(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpExtended {
			x.Send(bulk(77, 1<<20))
		}
		x.Usual()
	}
	_, l, c := bound(t, u, Rules{})
	if who := asksWho(t, l, c); who != "dn:"+aliceBehind {
		t.Errorf("got %q", who)
	}
}

// What stands before it in the same read is not lost with it.
func TestLargeEntryThatIsLateTakesNothingWithIt(t *testing.T) {
	one, done := wire.AppendEntry(nil, 2, "cn=one", nil), wire.AppendResult(nil, 2, wire.OpSearchDone, wire.Result{})
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpSearch {
			x.Send(one, bulk(77, 1<<20), done)
			return
		}
		x.Usual()
	}
	_, l, c := bound(t, u, Rules{})
	ask(t, l, 2, searchOp("dc=behind", 2))
	if got := c.receive(t, len(one)+len(done)); !bytes.Equal(got, append(one, done...)) {
		t.Errorf("%x", got)
	}
}

// asksWho asks who upstream takes the client for.
func asksWho(t *testing.T, l *Link, c *fakeOwner) string {
	t.Helper()
	ask(t, l, 2, extendedOp(wire.OIDWhoAmI))
	r, err := wire.ParseResponse(c.receive(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	return r.Value()
}

func TestUpstreamThatClosesMidFrame(t *testing.T) {
	for name, answer := range map[string]func(*linkstest.Exchange) []byte{
		"small": func(x *linkstest.Exchange) []byte { return x.Result(0, "")[:9] },
		"large": func(x *linkstest.Exchange) []byte { return bulk(x.ID, 1<<20)[:1<<19] },
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			u.Reply = func(x *linkstest.Exchange) {
				if x.Op == wire.OpBind && x.ID == 7 {
					x.Usual()
					return
				}
				x.Send(answer(x))
				x.Close()
			}
			p, l, c := bound(t, u, Rules{})
			if _, _, err := p.Bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")}); !errors.Is(err, ErrAway) {
				t.Error(err)
			}
			ask(t, l, 2, searchOp("dc=behind", 2))
			if why := c.told(t); !errors.Is(why, io.ErrUnexpectedEOF) && !errors.Is(why, io.EOF) {
				t.Errorf("told %v", why)
			}
		})
	}
}

// A large message that stops coming must not hold its client for ever.
func TestUpstreamThatStopsMidFrame(t *testing.T) {
	u := newUpstream(t)
	u.Answer = 10 * time.Millisecond
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpSearch {
			x.Send(bulk(x.ID, 1<<20)[:1<<19])
			x.Hang()
		}
		x.Usual()
	}
	_, l, c := bound(t, u, Rules{})
	ask(t, l, 2, searchOp("dc=behind", 2))
	c.told(t)
}

// The second could be taken for that to the next bind.
func TestUpstreamThatAnswersTwice(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		x.Send(x.Result(0, ""), x.Result(0, ""))
	}
	p := newTestPool(t, u)
	l, _, err := p.Bind(t.Context(), BindRequest{ID: 1, DN: aliceBehind, Password: []byte("secret")})
	if err == nil {
		p.Put(l)
	}
	eventually(t, p, func() bool { return len(p.links) == 0 })
	u.Await(0, 1)
}

func TestNoticeOfDisconnectionFromUpstream(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpExtended {
			x.Send(wire.AppendNotice(nil, wire.ResultUnavailable, "going down"), wire.AppendExtended(nil, x.ID, wire.Result{}, "", nil))
			return
		}
		x.Usual()
	}
	_, l, c := bound(t, u, Rules{})
	ask(t, l, 2, extendedOp(wire.OIDWhoAmI))
	if why := c.told(t); !errors.Is(why, ErrAway) || errors.Is(why, errGarbage) {
		t.Errorf("told %v", why)
	}
	if len(c.arrived) != 0 {
		t.Errorf("%x arrived", <-c.arrived)
	}
	u.Await(0, 1)
}

// They are about what we asked for, or about nothing that a client knows.
func TestOtherUnsolicitedNotificationsAreDropped(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		x.Send(wire.AppendExtended(nil, 0, wire.Result{}, "1.3.6.1.1.21.4", nil))
		x.Usual()
	}
	_, l, c := bound(t, u, Rules{})
	if who := asksWho(t, l, c); who != "dn:"+aliceBehind {
		t.Errorf("got %q", who)
	}
}

func TestResultThatNobodyAskedForIsDropped(t *testing.T) {
	u := newUpstream(t)
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpExtended {
			for range 5 {
				x.Send(wire.AppendEntry(nil, 77, "cn=x", nil), wire.AppendResult(nil, 77, wire.OpSearchDone, wire.Result{}))
			}
		}
		x.Usual()
	}
	_, l, c := bound(t, u, Rules{})
	if who := asksWho(t, l, c); who != "dn:"+aliceBehind {
		t.Errorf("got %q", who)
	}
}

// What was dropped leaves no gap and takes nothing with it.
func TestDroppedMessagesBetweenOthers(t *testing.T) {
	u := newUpstream(t)
	one, late := wire.AppendEntry(nil, 2, "cn=one", nil), wire.AppendEntry(nil, 77, "cn=late", nil)
	reference := wire.Element(wire.TagSequence, []byte{2, 1, 2}, wire.Element(wire.OpSearchReference, wire.Octets("ldap://elsewhere/")))
	intermediate := wire.Element(wire.TagSequence, []byte{2, 1, 2}, wire.Element(wire.OpIntermediate))
	done := wire.AppendResult(nil, 2, wire.OpSearchDone, wire.Result{})
	u.Reply = func(x *linkstest.Exchange) {
		if x.Op == wire.OpBind {
			x.Usual()
			return
		}
		x.Send(late, one, one, late, late, reference, intermediate, one, reference, done, late)
	}
	_, l, c := bound(t, u, Rules{})
	ask(t, l, 2, searchOp("dc=behind", 2))
	want := bytes.Join([][]byte{one, one, intermediate, one, done}, nil)
	if got := c.receive(t, len(want)); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// Slow or gone: the link that was its own ends, with all that it asked.
func TestClientThatTakesNothingLosesItsLink(t *testing.T) {
	for name, op := range map[string][]byte{"small": extendedOp(wire.OIDWhoAmI), "large": searchOp("dc=behind", 2)} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			u.Reply = func(x *linkstest.Exchange) {
				if x.Op == wire.OpSearch {
					x.Send(bulk(x.ID, 1<<20))
				}
				x.Usual()
			}
			_, l, c := bound(t, u, Rules{})
			c.broken = errors.New("does not read")
			ask(t, l, 2, op)
			if why := c.told(t); !errors.Is(why, c.broken) {
				t.Errorf("told %v", why)
			}
			u.Await(0, 1)
		})
	}
}

type clumsy struct{ *fakeOwner }

func (clumsy) Deliver([]byte) error { panic("dropped it") }

func TestPanicEndsOneLinkAndNothingElse(t *testing.T) {
	u := newUpstream(t)
	p, other, c := bound(t, u, Rules{})
	l := bindAs(t, p, aliceBehind, "secret", wire.ResultSuccess)
	owner := clumsy{newOwner()}
	if err := l.Attach(owner, Rules{}); err != nil {
		t.Fatal(err)
	}
	ask(t, l, 2, extendedOp(wire.OIDWhoAmI))
	if why := owner.told(t); !strings.Contains(why.Error(), "dropped it") {
		t.Errorf("told %v", why)
	}
	u.Await(1, 2)
	if who := asksWho(t, other, c); who != "dn:"+aliceBehind {
		t.Errorf("got %q", who)
	}
}
