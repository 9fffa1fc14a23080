package ldapproxy

import (
	"context"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/gate"
	"sekisho/ldapproxy/wire"
)

// The library that most Go programs use, from bind to Unbind.
func TestGoLDAPSession(t *testing.T) {
	r := start(t, nil)
	c, err := ldap.DialURL("ldap://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(aliceDN, "wrong"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) || !strings.Contains(err.Error(), reference) {
		t.Errorf("refused with %v", err)
	}
	if err := c.Bind(aliceDN, "secret123456"); err != nil {
		t.Fatal(err)
	}
	if who, err := c.WhoAmI(nil); err != nil || who.AuthzID != "dn:"+aliceDN {
		t.Errorf("%+v, %v", who, err)
	}
	if err := c.Del(ldap.NewDelRequest(aliceDN, nil)); !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
		t.Errorf("deleted with %v", err)
	}
	if err := c.Unbind(); err != nil {
		t.Error(err)
	}
	r.ends(byUnbind, 1)
}

// What is sent behind a bind is answered behind it, as whom it made.
func TestPipelinedRequestIsJudgedUnderTheNewIdentity(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	who := extendedOp(wire.OIDWhoAmI)
	p.send(p.put(who), p.put(bindOp(aliceDN, "secret123456")), p.put(who), p.put(searchOp(aliceDN, 0)),
		p.put(bindOp(aliceDN, "wrong")), p.put(who), p.put(searchOp(aliceDN, 0)))
	var got []string
	for id := int32(1); id <= 7; id++ {
		reply := p.receive()
		if reply.id != id {
			t.Fatalf("answer %d is to %d", id, reply.id)
		}
		got = append(got, string(reply.value))
		if want := map[int32]int{4: wire.ResultSuccess, 5: wire.ResultInvalidCredentials, 7: wire.ResultInsufficientAccessRights}[id]; reply.code != want {
			t.Errorf("answer %d is %d, %s, want %d", id, reply.code, reply.diagnostic, want)
		}
	}
	if got[0] != "" || got[2] != "dn:"+aliceDN || got[5] != "" {
		t.Errorf("was %q, %q, %q", got[0], got[2], got[5])
	}
}

// A client can neither abandon the bind that is being judged nor overtake it.
func TestNothingIsReadWhileABindIsUndecided(t *testing.T) {
	entered, decide := make(chan bool), make(chan bool)
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			entered <- true
			<-decide
			return welcome(), nil
		}
	})
	p := r.dial()
	p.send(p.put(bindOp(aliceDN, "secret123456")))
	<-entered
	p.send(p.put(wire.Element(wire.OpAbandon, []byte{1})), p.put(extendedOp(wire.OIDWhoAmI)), p.put(wire.Element(wire.OpUnbind)))
	close(decide)
	if got := p.receive(); got.op != wire.OpBindResponse || got.code != wire.ResultSuccess {
		t.Errorf("%+v", got)
	}
	if got := p.receive(); string(got.value) != "dn:"+aliceDN {
		t.Errorf("%+v", got)
	}
	p.gone()
	r.ends(byUnbind, 1)
}

func TestAbandonHasNoAnswer(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.send(p.put(wire.Element(wire.OpAbandon, []byte{1})), p.put(wire.Element(wire.OpAbandon, []byte{99}), criticalControl("1.2.3")))
	if got := p.ask(extendedOp(wire.OIDWhoAmI)); got.code != wire.ResultSuccess {
		t.Errorf("%+v", got)
	}
}

func TestUnbindEndsWhateverItsControlsAre(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.send(p.put(wire.Element(wire.OpUnbind), criticalControl("1.2.3")))
	p.gone()
	r.ends(byUnbind, 1)
}

func TestClientThatGoesAway(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.send(p.put(bindOp(aliceDN, "secret123456"))[:9])
	p.Close()
	r.ends(byClient, 1)
}

func TestWhatIsNoRequestEndsTheConnection(t *testing.T) {
	for name, octets := range map[string][]byte{
		"not LDAP":         []byte("GET / HTTP/1.0\r\n\r\n"),
		"id 0":             wire.Element(wire.TagSequence, []byte{2, 1, 0}, extendedOp(wire.OIDWhoAmI)),
		"a negative id":    wire.Element(wire.TagSequence, []byte{2, 1, 0xff}, extendedOp(wire.OIDWhoAmI)),
		"a response":       wire.Element(wire.TagSequence, []byte{2, 1, 1}, wire.Element(wire.OpBindResponse)),
		"garbage behind":   wire.Element(wire.TagSequence, []byte{2, 1, 1}, wire.Element(wire.OpUnbind), []byte{4, 0}),
		"indefinite":       {0x30, 0x80, 2, 1, 1, 0x42, 0, 0, 0},
		"a bind cut short": wire.Element(wire.TagSequence, []byte{2, 1, 1}, wire.Element(wire.OpBind, []byte{2, 1, 3}, []byte{4, 50})),
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			p := r.dial()
			p.send(octets)
			p.notice(wire.ResultProtocolError)
			r.ends(byProtocol, 1)
		})
	}
}

// A socket closed over unread octets is reset, and what we said is lost.
func TestNoticeArrivesWhateverElseWasSent(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.send([]byte("GET / HTTP/1.0\r\n"), make([]byte, 200<<10))
	p.notice(wire.ResultProtocolError)
}

// A stranger can't make us hold much; whoever has bound may send more.
func TestSizeOfAMessage(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	large := extendedOp("1.2.3", make([]byte, wire.MaxFrameUnbound))
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	p.wants(wire.ResultProtocolError, large)
	p.wants(wire.ResultSuccess, bindOp("", ""))
	p.send(p.put(large))
	p.notice(wire.ResultProtocolError)
	r.ends(bySize, 1)
}

// A critical control that is not served, on each operation that has a
// response; proxied authorization is one.
func TestCriticalControl(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	for name, op := range map[string][]byte{
		"search": searchOp("", 0), "compare": wire.Element(wire.OpCompare), "modify": wire.Element(wire.OpModify), "add": wire.Element(wire.OpAdd),
		"delete": wire.Element(wire.OpDelete), "modify DN": wire.Element(wire.OpModifyDN), "extended": extendedOp(wire.OIDWhoAmI),
	} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			p.wants(wire.ResultUnavailableCritical, op, criticalControl("2.16.840.1.113730.3.4.18"))
			same := wire.Element(wire.TagSequence, wire.Octets("1.2.3"))
			p.wants(wire.ResultProtocolError, op, same, same)
		})
	}
	p.t = t
	if p.who() == "" {
		t.Error("the session was lost")
	}
}

// A client that manages directories says so with each request; there are no
// referrals that it would have to see.
func TestManageDsaITIsServedWhereItMeansNothing(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	critical := criticalControl(wire.OIDManageDsaIT)
	p.wants(wire.ResultSuccess, searchOp(aliceDN, 0), critical)
	p.wants(wire.ResultCompareTrue, wire.Element(wire.OpCompare, wire.Octets(aliceDN), wire.Element(wire.TagSequence, wire.Octets("uid"), wire.Octets("alice"))), critical)
	p.wants(wire.ResultUnavailableCritical, wire.Element(wire.OpModify), critical)
	p.wants(wire.ResultUnavailableCritical, extendedOp(wire.OIDWhoAmI), critical)
	p.wants(wire.ResultUnavailableCritical, bindOp(aliceDN, "secret123456"), critical)
}

func TestHandlerThatPanicsCostsItsOwnConnection(t *testing.T) {
	r := start(t, func(r *rig) {
		admit := r.gate.Admit
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			if q.User == "boom" {
				panic("boom in a handler")
			}
			r.gate.admit = nil
			return admit(ctx, q)
		}
	})
	other, p := r.dial(), r.dial()
	p.send(p.put(extendedOp(wire.OIDWhoAmI)), p.put(bindOp("boom", "hunter2")))
	p.receive()
	if got := p.receive(); got.op != wire.OpBindResponse || got.code != wire.ResultOther || got.diagnostic != "internal error" {
		t.Errorf("%+v", got)
	}
	p.gone()
	other.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if r.count("disconnects_total", string(byPanic)) != 1 {
		t.Error("not counted")
	}
	if log := r.log.String(); !strings.Contains(log, "boom in a handler") || !strings.Contains(log, "conn.go") || strings.Contains(log, "hunter2") {
		t.Errorf("log:\n%s", log)
	}
}

// life is that of a connection, all of it here.
func (c *conn) life() disconnect {
	why := c.live(c.begin)
	if why == staying {
		why = c.live(c.goOn)
	}
	return why
}

// Who has bound rests without the stack that binding needed.
func TestBoundClientRestsInAGoroutineOfItsOwn(t *testing.T) {
	running := make(chan string, 1)
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			running <- goroutine()
			if string(q.Password) != "secret123456" {
				return gate.Answer{Reference: reference}, nil
			}
			return welcome(), nil
		}
	})
	p := r.dial()
	var in []string
	for _, bind := range []struct {
		password string
		code     int
	}{
		{"wrong", wire.ResultInvalidCredentials}, {"secret123456", wire.ResultSuccess}, {"wrong", wire.ResultInvalidCredentials},
		{"secret123456", wire.ResultSuccess}, {"secret123456", wire.ResultSuccess},
	} {
		p.wants(bind.code, bindOp(aliceDN, bind.password))
		in = append(in, <-running)
	}
	if in[0] != in[1] || in[1] == in[2] {
		t.Errorf("it has gone on in %q, of which the second has bound", in)
	}
	// Whoever binds again and again does not pay for it each time.
	if in[2] != in[3] || in[3] != in[4] {
		t.Errorf("it was to stay in the third of %q", in)
	}
}

// goroutine is the name of the one that asks, which no other has.
func goroutine() string {
	stack := make([]byte, 64)
	name, _, _ := strings.Cut(string(stack[:runtime.Stack(stack, false)]), " [")
	return name
}

// A handler that panics behind a bind costs no more than one before it.
func TestHandlerThatPanicsBehindABind(t *testing.T) {
	r := start(t, func(r *rig) { r.Gate = panicking{r.Gate} })
	other, p := r.dial(), r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	p.wants(wire.ResultOther, extendedOp(wire.OIDWhoAmI))
	p.gone()
	r.ends(byPanic, 1)
	other.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
}

// panicking is a gate that no ticket may be shown.
type panicking struct{ Gate }

func (panicking) Live(context.Context, string) (bool, error) { panic("boom at a ticket") }

func TestEndedTicketEndsTheConnection(t *testing.T) {
	for name, op := range map[string][]byte{"search": searchOp("", 0), "who am I": extendedOp(wire.OIDWhoAmI), "delete": wire.Element(wire.OpDelete)} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			p := r.dial()
			p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
			p.who()
			r.gate.ended.Store(true)
			p.send(p.put(op))
			p.notice(wire.ResultStrongerAuthRequired)
			r.ends(byTicket, 1)
		})
	}
}

func TestEndedTicketDoesNotStandInTheWayOfABind(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.gate.ended.Store(true)
	p.wants(wire.ResultSuccess, bindOp(mailDN, mailPassword))
	if got := p.who(); got != "dn:"+mailDN {
		t.Errorf("bound as %q", got)
	}
}

func TestTicketThatCannotBeLookedAt(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.gate.broken.Store(true)
	p.wants(wire.ResultUnavailable, searchOp(aliceDN, 0))
	r.gate.broken.Store(false)
	if got := p.who(); got != "dn:"+aliceDN {
		t.Errorf("bound as %q", got)
	}
}

func TestNothingIsEverWritten(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	writes := [][]byte{wire.Element(wire.OpModify), wire.Element(wire.OpAdd), wire.Element(wire.OpDelete), wire.Element(wire.OpModifyDN), extendedOp(wire.OIDModifyPassword)}
	for _, op := range writes {
		p.wants(wire.ResultStrongerAuthRequired, op)
	}
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	for _, op := range writes {
		p.wants(wire.ResultUnwillingToPerform, op)
	}
}

// socket records the deadlines of a connection.
type socket struct {
	net.Conn
	deadlines []time.Time
}

func (w *socket) SetReadDeadline(t time.Time) error  { w.deadlines = append(w.deadlines, t); return nil }
func (w *socket) SetWriteDeadline(t time.Time) error { return nil }
func (w *socket) Read(p []byte) (int, error)         { return 1, nil }

// One deadline for a whole message: whoever sends an octet now and then does
// not get more time by it.
func TestDrippingMessageHasOneDeadline(t *testing.T) {
	s := &Server{}
	s.setup()
	for _, c := range []struct {
		session session
		want    time.Duration
	}{{session{}, 30 * time.Second}, {session{dn: aliceDN}, 15 * time.Minute}} {
		w := new(socket)
		client := s.newConn(new(Listener), w)
		client.session = c.session
		before := time.Now()
		for range 5 {
			client.Read(make([]byte, 1))
		}
		if len(w.deadlines) != 1 {
			t.Fatalf("%d deadlines", len(w.deadlines))
		}
		if got := w.deadlines[0].Sub(before); got < c.want || got > c.want+time.Minute {
			t.Errorf("a deadline in %v, want %v", got, c.want)
		}
	}
}

func TestIdleStrangerIsCut(t *testing.T) {
	r := start(t, func(r *rig) { r.Limits.IdleUnbound = 10 * time.Millisecond })
	r.dial().gone()
	r.ends(byIdleness, 1)
}

func TestPipelinedRepliesLeaveTogether(t *testing.T) {
	r := start(t, nil)
	here, there := net.Pipe() // each write is one read of the other side
	r.take(&Listener{}, addressed{there})
	p := newPeer(t, here)
	go func() {
		var all []byte
		for range 10 { // as many as come with one read
			all = append(all, p.put(extendedOp(wire.OIDWhoAmI))...)
		}
		here.Write(all)
	}()
	buffer := make([]byte, 4096)
	n, err := here.Read(buffer)
	if want := 10 * len(wire.AppendExtended(nil, 1, wire.Result{}, "", []byte{})); err != nil || n != want {
		t.Errorf("%d octets at once, %v, want %d", n, err, want)
	}
	here.Close()
}
