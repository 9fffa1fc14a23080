package radiusd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"sekisho/gate"
)

func netipPrefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestAdmitted(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	got := p.ask(pap(1, "secret123456",
		text(rfc2865.CallingStationID_Type, "198.51.100.7:5000"),
		attr(rfc2865.ProxyState_Type, []byte("first")), attr(200, []byte("unknown")), attr(rfc2865.ProxyState_Type, []byte("second"))))
	if got.Code != radius.CodeAccessAccept {
		t.Fatalf("got %v", got.Code)
	}
	if class := rfc2865.Class_GetString(got); class != "sk1.abc.mac" {
		t.Errorf("Class %q", class)
	}
	if s := rfc2865.SessionTimeout_Get(got); s != 36000 {
		t.Errorf("Session-Timeout %d", s)
	}
	states, _ := rfc2865.ProxyState_Gets(got)
	if len(states) != 2 || string(states[0]) != "first" || string(states[1]) != "second" {
		t.Errorf("Proxy-State %q", states)
	}
	if len(got.Attributes) != 5 {
		t.Errorf("%d attributes, want 5", len(got.Attributes))
	}
	want := gate.Request{
		Door: "radius", Service: "ssl-vpn", Client: "vpn1", Zone: "off-campus", User: "alice",
		Source: gate.Source{Addr: netip.MustParseAddr("198.51.100.7"), How: "calling-station-id"},
		Came:   testTime, Password: []byte("secret123456"),
	}
	if asked := r.gate.lastRequest(); fmt.Sprintf("%+v", asked) != fmt.Sprintf("%+v", want) {
		t.Errorf("asked\n%+v, want\n%+v", asked, want)
	}
}

func TestNoClassAndAShortTicket(t *testing.T) {
	c := testClient()
	c.NoClass = true
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			a := admitted()
			a.Ticket.Until = testTime.Add(100 * time.Millisecond)
			return a, nil
		}
	}, c)
	got := r.dial().ask(pap(1, "x"))
	if rfc2865.Class_Get(got) != nil || rfc2865.SessionTimeout_Get(got) != 1 {
		t.Errorf("attributes %v", got.Attributes)
	}
}

// The password does not stay in memory once the gate is done with it.
func TestPasswordIsCleared(t *testing.T) {
	var room []byte
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			room = q.Password
			return admitted(), nil
		}
	})
	r.dial().ask(pap(1, "secret123456"))
	r.down()
	if !bytes.Equal(room, make([]byte, len("secret123456"))) {
		t.Errorf("left %q", room)
	}
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("合言葉が違います。", 40)
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			return gate.Answer{Message: long}, nil
		}
	})
	got := r.dial().ask(pap(1, "wrong"))
	if got.Code != radius.CodeAccessReject || messages(got) != long {
		t.Errorf("got %v %q", got.Code, messages(got))
	}
	onlyInReject(t, got)
}

func TestStatusServer(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	request := build(radius.CodeStatusServer, 9, testSecret, text(1, "x"), attr(5, []byte{1}), attr(33, []byte("ps")), authenticator())
	got := p.ask(request)
	if got.Code != radius.CodeAccessAccept || len(got.Attributes) != 1 {
		t.Errorf("got %v with %d attributes", got.Code, len(got.Attributes))
	}
	p.ask(request) // never from the kept replies, and not a duplicate
	if n := r.gate.calls(); n != 0 {
		t.Errorf("the gate was asked %d times", n)
	}
	if n := r.count("retransmissions_total"); n != 0 {
		t.Errorf("%v retransmissions", n)
	}
}

func TestStatusServerWhileTheStoreIsDead(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	r.gate.dead.Store(true)
	p.tell(build(radius.CodeStatusServer, 9, testSecret, authenticator()))
	if got := p.ask(pap(10, "secret123456")); got.Identifier != 10 {
		t.Error("Status-Server was answered")
	}
	if n := r.count("dropped_total", string(dropStore)); n != 1 {
		t.Errorf("%v counted", n)
	}
}

func TestStatusServerFlood(t *testing.T) {
	r := start(t, func(r *rig) { r.StatusMax = 5 })
	p := r.dial()
	for id := range byte(50) {
		p.tell(build(radius.CodeStatusServer, id, testSecret, authenticator()))
	}
	p.tell(pap(100, "secret123456"))
	seen := make(map[byte]bool)
	for range 5 + 1 { // the worker's may overtake the reader's
		seen[p.hear()[1]] = true
	}
	if len(seen) != 6 || !seen[100] {
		t.Errorf("answers to %v, want 5 and 100", seen)
	}
	if got := p.ask(pap(101, "secret123456")); got.Identifier != 101 {
		t.Errorf("an answer to %d, want no more than 5", got.Identifier)
	}
	r.clock.move(time.Second)
	p.ask(build(radius.CodeStatusServer, 200, testSecret, authenticator()))
}

// blocked starts a server whose gate waits to be let go, and says when it is
// asked.
func blocked(t *testing.T, clients ...Client) (r *rig, entered chan string, proceed chan struct{}) {
	entered, proceed = make(chan string, 100), make(chan struct{}, 100)
	r = start(t, func(r *rig) {
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			entered <- string(q.Password)
			select {
			case <-proceed:
				return admitted(), nil
			case <-ctx.Done():
				return gate.Answer{}, ctx.Err()
			}
		}
	}, clients...)
	return r, entered, proceed
}

func TestRetransmissionWhileInWork(t *testing.T) {
	r, entered, proceed := blocked(t)
	p := r.dial()
	request := pap(1, "secret123456")
	p.tell(request)
	<-entered
	for range 3 {
		p.silent(request)
	}
	proceed <- struct{}{}
	if got := checked(t, p.hear(), request, testSecret); got.Code != radius.CodeAccessAccept {
		t.Errorf("got %v", got.Code)
	}
	if n := r.gate.calls(); n != 1 {
		t.Errorf("the gate was asked %d times", n)
	}
}

func TestRetransmissionAfterTheAnswer(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	request := pap(1, "secret123456", attr(33, []byte("ps")))
	p.tell(request)
	first := p.hear()
	for range 5 {
		p.tell(append(bytes.Clone(request), 0xee)) // octets after Length are padding
		if again := p.hear(); !bytes.Equal(first, again) {
			t.Fatalf("answered % x, then % x", first, again)
		}
		r.clock.move(5 * time.Second)
	}
	if n := r.gate.calls(); n != 1 {
		t.Errorf("the gate was asked %d times", n)
	}
	if n := r.count("retransmissions_total", "answered"); n != 5 {
		t.Errorf("%v retransmissions counted", n)
	}
	r.clock.move(5 * time.Second) // 30 s after the answer
	p.ask(request)
	if n := r.gate.calls(); n != 2 {
		t.Errorf("after 30 s the gate was asked %d times", n)
	}
}

// Whoever can forge addresses but lacks the secret neither reads a kept reply
// nor pushes it out.
func TestForgeryDoesNotTouchTheCache(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	request := pap(1, "secret123456")
	p.tell(request)
	first := p.hear()
	p.silent(build(1, 1, "other", text(1, "alice"), hidden("x"), authenticator()))
	p.silent(tampered(request, len(request)-1))
	p.tell(request)
	if !bytes.Equal(first, p.hear()) || r.gate.calls() != 1 {
		t.Error("the kept reply is gone")
	}
}

func TestSameIdentifierOtherAuthenticator(t *testing.T) {
	r, entered, proceed := blocked(t)
	p := r.dial()
	older, newer := pap(1, "older"), pap(1, "newer")
	p.tell(older)
	if got := <-entered; got != "older" {
		t.Fatal(got)
	}
	p.tell(newer)
	<-entered
	proceed <- struct{}{}
	proceed <- struct{}{}
	checked(t, p.hear(), newer, testSecret)
	r.await(1, "dropped_total", string(dropSuperseded))
	p.silent(nil) // and nothing else
	p.tell(newer)
	checked(t, p.hear(), newer, testSecret)
	if n := r.gate.calls(); n != 2 {
		t.Errorf("the gate was asked %d times", n)
	}
}

// An answer that lies in the sender's queue is stale, too.
func TestStaleAnswerStaysBehind(t *testing.T) {
	r := prepare(t, nil)
	if err := r.Listen([]string{"127.0.0.1:0"}, nil); err != nil {
		t.Fatal(err)
	}
	k, e := r.sockets[0], new(entry)
	e.stale.Store(true)
	n := r.Server.table.Load().find(netip.MustParseAddr("127.0.0.1"))
	p := dial(t, k.local)
	bag := newPostbag(k)
	bag.add(letter{octets: []byte("stale"), to: p.LocalAddr(), entry: e, nas: n})
	bag.add(letter{octets: []byte("fresh"), to: p.LocalAddr(), entry: new(entry), nas: n})
	bag.post()
	if got := p.hear(); string(got) != "fresh" {
		t.Errorf("%q left", got)
	}
	r.Shutdown(context.Background())
}

func TestRefusalIsHeld(t *testing.T) {
	c := testClient()
	c.RejectDelay = time.Second
	var ready atomic.Int64
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			r.clock.move(300 * time.Millisecond) // it took that long
			a := gate.Answer{Message: "no"}
			if d := ready.Load(); d > 0 {
				a.Ready = testTime.Add(time.Duration(d))
			}
			return a, nil
		}
	}, c)
	p := r.dial()
	request := pap(1, "wrong")
	p.tell(request)
	h := <-r.held
	if h.wait != 700*time.Millisecond {
		t.Errorf("held for %v", h.wait)
	}
	p.silent(request) // still in work
	r.clock.move(h.wait)
	h.fire()
	checked(t, p.hear(), request, testSecret)

	ready.Store(int64(3500 * time.Millisecond)) // now is 1 s
	request = pap(2, "wrong")
	p.tell(request)
	if h = <-r.held; h.wait != 2700*time.Millisecond { // came at 1 s, leaves at 4 s, now is 1.3 s
		t.Errorf("held for %v", h.wait)
	}
	h.fire()
	p.hear()

	p.tell(build(1, 3, testSecret, text(1, "alice"), attr(3, make([]byte, 17)), authenticator()))
	if h = <-r.held; h.wait != time.Second {
		t.Errorf("CHAP held for %v", h.wait)
	}
	h.fire()
	p.hear()
}

// A held refusal does not leave once its Identifier belongs to another
// request.
func TestHeldRefusalIsSuperseded(t *testing.T) {
	c := testClient()
	c.RejectDelay = time.Second
	r := start(t, nil, c)
	p := r.dial()
	p.tell(pap(1, "wrong"))
	h := <-r.held
	newer := pap(1, "secret123456")
	p.tell(newer)
	checked(t, p.hear(), newer, testSecret)
	h.fire()
	p.silent(nil)
}

func TestHoldsBeyondTheBoundLeaveAtOnce(t *testing.T) {
	c := testClient()
	c.RejectDelay = time.Second
	r := start(t, nil, c)
	p := r.dial()
	for id := range byte(holdsPerPort + 1) {
		p.tell(pap(id, "wrong"))
	}
	if got := p.hear(); got[0] != byte(radius.CodeAccessReject) {
		t.Errorf("got code %d", got[0])
	}
	q := r.dial() // another port has its own
	q.tell(pap(1, "wrong"))
	q.silent(nil)
	for range holdsPerPort + 1 {
		(<-r.held).fire()
	}
	q.hear()
	for range holdsPerPort {
		p.hear()
	}
	r.down()
	if r.holds.all != 0 || len(r.holds.ports) != 0 || len(r.holds.clients) != 0 {
		t.Errorf("%d holds left", r.holds.all)
	}
}

func TestOverloadDropsAndForgets(t *testing.T) {
	entered, proceed := make(chan struct{}, 10), make(chan struct{})
	r := start(t, func(r *rig) {
		r.Workers, r.Queue = 1, 1
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			entered <- struct{}{}
			<-proceed
			return admitted(), nil
		}
	})
	p := r.dial()
	p.tell(pap(1, "x"))
	<-entered
	p.tell(pap(2, "x"))
	p.silent(pap(3, "x"))
	if n := r.count("dropped_total", string(dropOverload)); n != 1 {
		t.Errorf("%v dropped", n)
	}
	close(proceed)
	p.hear()
	p.hear()
	p.ask(pap(3, "x"))
}

func TestShutdownDrains(t *testing.T) {
	c := testClient()
	c.RejectDelay = time.Second
	entered, proceed := make(chan struct{}), make(chan struct{})
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			if string(q.Password) == "wrong" {
				return gate.Answer{Message: "no"}, nil
			}
			close(entered)
			<-proceed
			return admitted(), nil
		}
	}, c)
	p := r.dial()
	p.tell(pap(1, "wrong"))
	h := <-r.held
	p.tell(pap(2, "slow"))
	<-entered
	down := make(chan error)
	go func() { down <- r.Shutdown(context.Background()) }()
	r.readers.Wait()
	close(proceed)
	if got := p.hear(); got[0] != 2 {
		t.Errorf("got code %d, want Accept", got[0])
	}
	select {
	case <-down:
		t.Fatal("down while a refusal is held")
	default:
	}
	h.fire()
	if got := p.hear(); got[0] != 3 {
		t.Errorf("got code %d, want Reject", got[0])
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	if err := <-r.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := r.Shutdown(context.Background()); err != nil {
		t.Errorf("second Shutdown: %v", err)
	}
	if err := r.Listen([]string{"127.0.0.1:0"}, nil); !errors.Is(err, ErrStarted) {
		t.Errorf("Listen: %v", err)
	}
}

func TestShutdownGivesUp(t *testing.T) {
	r, entered, _ := blocked(t)
	r.dial().tell(pap(1, "x"))
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	r.work.Wait() // the gate was told to stop
}

func TestShutdownBeforeServe(t *testing.T) {
	r := prepare(t, nil)
	if err := r.Listen([]string{"127.0.0.1:0"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := r.Serve(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServeTwice(t *testing.T) {
	r := start(t, nil)
	r.dial().ask(pap(1, "x"))
	if err := r.Serve(); !errors.Is(err, ErrStarted) {
		t.Errorf("got %v", err)
	}
}

func TestServeTellsOfADeadSocket(t *testing.T) {
	r := start(t, nil)
	r.dial().ask(pap(1, "x"))
	for _, k := range r.sockets {
		k.conn.Close()
	}
	if err := <-r.served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestSetClientsUnderLoad(t *testing.T) {
	r := start(t, func(r *rig) { r.StatusMax = 1 << 20 })
	stop := make(chan struct{})
	var swapping sync.WaitGroup
	swapping.Go(func() {
		for i := 0; ; i++ {
			c := testClient()
			c.Secrets = append([][]byte{[]byte(fmt.Sprint("new", i))}, c.Secrets...)
			r.SetClients(mustClients(t, c))
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	p := r.dial()
	for i := range 200 {
		if got := p.ask(pap(byte(i), "secret123456", number(5, uint32(i)))); got.Code != radius.CodeAccessAccept {
			t.Errorf("got %v", got.Code)
		}
	}
	close(stop)
	swapping.Wait()
}

func TestSecretRotation(t *testing.T) {
	both := testClient()
	both.Secrets = [][]byte{[]byte("brand new"), []byte(testSecret)}
	r := start(t, nil, both)
	p := r.dial()
	old := pap(1, "secret123456")
	p.tell(old)
	first := p.hear()
	checked(t, first, old, testSecret)
	fresh := build(1, 2, "brand new", text(1, "alice"), hidden("secret123456"), authenticator())
	p.tell(fresh)
	if got := checked(t, p.hear(), fresh, "brand new"); got.Code != radius.CodeAccessAccept {
		t.Errorf("got %v", got.Code)
	}
	r.SetClients(mustClients(t, testClient()))
	p.tell(old)
	if !bytes.Equal(p.hear(), first) {
		t.Error("the kept reply did not outlive the reload")
	}
	p.silent(fresh)
}

func TestSecretRotationWithoutMessageAuthenticator(t *testing.T) {
	both := testClient()
	both.AllowMissingMA = true
	both.Secrets = [][]byte{[]byte("brand new"), []byte(testSecret)}
	r := start(t, nil, both)
	p := r.dial()
	for i, secret := range []string{testSecret, "brand new"} {
		request := papWithoutMAC(byte(i), secret, "secret123456")
		p.tell(request)
		if got := checked(t, p.hear(), request, secret); got.Code != radius.CodeAccessAccept {
			t.Errorf("secret %q got %v", secret, got.Code)
		}
	}
}

func TestTheNASThatDoesNotSayWhoItIs(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	for id := range byte(3) {
		p.ask(build(1, id, testSecret, text(1, "alice"), hidden("secret123456"), authenticator()))
	}
	if n := strings.Count(r.log.String(), "NAS-Identifier"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}

// On a wildcard socket the reply leaves from the address that was asked; a
// connected peer hears no other.
func TestReplyFromTheAskedAddress(t *testing.T) {
	r := prepare(t, nil)
	if err := r.Listen([]string{"0.0.0.0:0"}, nil); err != nil {
		t.Fatal(err)
	}
	r.serve()
	for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.9.8.7"} {
		p := dial(t, netip.AddrPortFrom(netip.MustParseAddr(host), r.addr.Port()))
		p.silent(nil)
		request := pap(1, "secret123456")
		p.ask(request)
		p.ask(request)
	}
}

func TestIPv6Loopback(t *testing.T) {
	for _, listen := range []string{"[::1]:0", "[::]:0"} {
		c := testClient()
		c.Prefix = netipPrefix("::1/128")
		r := prepare(t, nil, c)
		if err := r.Listen([]string{listen}, nil); err != nil {
			if os.Getenv("SEKISHO_E2E") == "required" {
				t.Fatal(err)
			}
			t.Skipf("no IPv6 here: %v", err)
		}
		r.serve()
		p := dial(t, netip.AddrPortFrom(netip.IPv6Loopback(), r.addr.Port()))
		p.silent(nil)
		request := pap(1, "secret123456")
		p.ask(request)
		if got := p.ask(request); got.Code != radius.CodeAccessAccept {
			t.Errorf("%s: got %v", listen, got.Code)
		}
	}
}

// A port alone is every address, of both kinds.
func TestPortAloneIsEveryAddress(t *testing.T) {
	six := testClient()
	six.Name, six.Prefix = "six", netipPrefix("::1/128")
	r := prepare(t, nil, testClient(), six)
	if err := r.Listen([]string{":0"}, nil); err != nil {
		t.Fatal(err)
	}
	r.serve()
	hosts := []string{"127.0.0.1", "127.0.0.2"}
	if probe, err := net.ListenPacket("udp6", "[::1]:0"); err == nil { // there is IPv6 here
		probe.Close()
		hosts = append(hosts, "::1")
	}
	for _, host := range hosts {
		p := dial(t, netip.AddrPortFrom(netip.MustParseAddr(host), r.addr.Port()))
		if got := p.ask(pap(1, "secret123456")); got.Code != radius.CodeAccessAccept {
			t.Errorf("%s: got %v", host, got.Code)
		}
	}
}

func TestListenFaults(t *testing.T) {
	r := start(t, nil)
	for _, addr := range []string{r.addr.String(), fmt.Sprintf(":%d", r.addr.Port()), "radius:1812", ":radius", "127.0.0.1", "192.0.2.1:0"} {
		other := prepare(t, nil)
		err := other.Listen([]string{"127.0.0.1:0", addr}, nil)
		if err == nil || !strings.Contains(err.Error(), addr) {
			t.Errorf("listen on %q: %v", addr, err)
		}
		if auth, _ := other.Addrs(); len(auth) != 0 {
			t.Errorf("listen on %q left sockets open", addr)
		}
		if _, port, _ := net.SplitHostPort(addr); port == fmt.Sprint(r.addr.Port()) && !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second server: %v", err)
		}
	}
	if auth, acct := r.Addrs(); len(auth) != 1 || len(acct) != 0 {
		t.Errorf("addresses %v, %v", auth, acct)
	}
}

func TestBurst(t *testing.T) {
	r := start(t, nil)
	const ports, each = 4, 256
	var peers [ports]*peer
	for i := range peers {
		peers[i] = r.dial()
	}
	for id := range each {
		for _, p := range peers {
			p.tell(pap(byte(id), "secret123456"))
		}
	}
	for _, p := range peers {
		var seen [each]bool
		for range each {
			seen[p.hear()[1]] = true
		}
		for id, ok := range seen {
			if !ok {
				t.Errorf("no answer to %d", id)
			}
		}
	}
	if n := r.gate.calls(); n != ports*each {
		t.Errorf("the gate was asked %d times", n)
	}
}

// Full of Proxy-State, a reply still fits, or is not sent at all.
func TestReplyFits(t *testing.T) {
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			if string(q.Password) == "wrong" {
				return gate.Answer{Message: strings.Repeat("long ", 1000)}, nil
			}
			a := admitted()
			a.Ticket.Class = strings.Repeat("c", 40)
			return a, nil
		}
	})
	p := r.dial()
	request := func(id byte, password string) []byte {
		parts := [][]byte{text(1, "a"), hidden(password), authenticator()}
		for range 15 {
			parts = append(parts, attr(33, bytes.Repeat([]byte("p"), 253)))
		}
		room := 4096 - 20 - 3 - 18 - 18 - 15*255
		return build(1, id, testSecret, append(parts, attr(33, make([]byte, room-2)))...)
	}
	if got := p.ask(request(1, "wrong")); got.Code != radius.CodeAccessReject {
		t.Errorf("got %v", got.Code)
	}
	p.tell(request(2, "secret123456"))
	r.await(1, "dropped_total", string(dropReplyLength))
	p.silent(nil)
}

func TestMSCHAPError(t *testing.T) {
	r := start(t, nil)
	response := append([]byte{0, 0, 1, 55, msCHAP2Response, 52, 0x42}, make([]byte, 49)...)
	got := r.dial().ask(build(1, 1, testSecret, text(1, "alice"), attr(26, response), authenticator()))
	value := string(got.Get(26))
	if !strings.HasPrefix(value[4:], "\x02") || value[6] != 0x42 || !strings.HasPrefix(value[7:], "E=691 R=0 C=") || len(value) != 7+len("E=691 R=0 C= V=3 M=Use PAP")+32 {
		t.Errorf("MS-CHAP-Error %q", value)
	}
	if rfc2869.EAPMessage_Get(got) != nil {
		t.Error("EAP-Message to an MS-CHAP client")
	}
}
