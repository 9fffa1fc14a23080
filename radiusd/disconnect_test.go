package radiusd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"sekisho/gate"
)

func TestDisconnect(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	p.want(anOrder(1))
	p.tick()
	o := nas.hear()
	got := o.parsed()
	stamp := fmt.Sprintf("%q", binary.BigEndian.AppendUint32(nil, uint32(testTime.Unix())))
	if want := `32="box-1" 44="S1" 1="alice" 55=` + stamp; got.Code != radius.CodeDisconnectRequest || attributes(got) != want {
		t.Errorf("%v %s\nwant %s", got.Code, attributes(got), want)
	}
	o.ack()
	p.became("1 ack true")
	if p.count("orders_total", "vpn1", "disconnect", "ack") != 1 {
		t.Error("not counted")
	}
	if r := p.Readiness()[0].Disconnect; r.Result != "ack" || !r.At.Equal(testTime) {
		t.Errorf("readiness tells %+v", r)
	}
	p.tick()
	p.tick()
	nas.quiet()
	if strings.Contains(p.log.String(), orderSecret) {
		t.Error("the secret is in the log")
	}
}

func TestDisconnectOverIPv6(t *testing.T) {
	nas := newBox(t, "[::1]:0")
	p := startPost(t, nas.client())
	p.want(anOrder(1))
	p.tick()
	nas.hear().ack()
	p.became("1 ack true")
}

func TestChange(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	c := nas.client()
	c.Reply = []Attribute{filter("staff", "staff"), filter("student", "student")}
	p := startPost(t, c)
	o := anOrder(1)
	o.Change, o.Groups = true, []string{"student"}
	p.want(o)
	p.tick()
	request := nas.hear()
	got := request.parsed()
	if got.Code != radius.CodeCoARequest || rfc2865.FilterID_GetString(got) != "student" || rfc2866.AcctSessionID_GetString(got) != "S1" || len(got.Attributes) != 6 {
		t.Errorf("%v %s", got.Code, attributes(got))
	}
	request.send(request.reply(radius.CodeCoAACK))
	p.became("1 ack true")

	o.ID, o.Groups = 2, []string{"library"}
	p.want(o)
	p.tick()
	p.became("2 no_change true")
	o.ID, o.Had, o.Groups = 3, []string{"student", "chess"}, []string{"library", "student"}
	p.want(o)
	p.tick()
	p.became("3 no_change true")
	nas.quiet()
}

// A CoA-Request can't take an attribute away, so the session ends: whoever
// left the staff does not stay in its network.
func TestGroupThatIsTakenAwayEndsTheSession(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	c := nas.client()
	c.Reply = []Attribute{filter("staff", "staff"), filter("student", "student"), avpair("a", "staff"), avpair("b", "student"), avpair("b", "staff")}
	p := startPost(t, c)
	for i, tt := range []struct {
		had, groups string
		code        radius.Code
		result      string
	}{
		{"staff", "", radius.CodeDisconnectRequest, "ack"},
		{"staff", "library", radius.CodeDisconnectRequest, "nak 503"},
		{"staff", "student", radius.CodeDisconnectRequest, "ack"}, // a is taken away, although its number stays
		{"staff student", "staff", radius.CodeCoARequest, "ack"},
		{"student", "staff", radius.CodeCoARequest, "ack"},
		{"library", "staff", radius.CodeCoARequest, "ack"},
	} {
		o := anOrder(int64(i))
		o.Change, o.Had, o.Groups = true, strings.Fields(tt.had), strings.Fields(tt.groups)
		p.want(o)
		p.tick()
		request := nas.hear()
		if got := request.parsed(); got.Code != tt.code {
			t.Errorf("from %q to %q: %v, want %v", tt.had, tt.groups, got.Code, tt.code)
		}
		if tt.result == "ack" {
			request.ack()
		} else {
			request.nak(503)
		}
		b := <-p.booked
		if b.String() != fmt.Sprintf("%d %s true", i, tt.result) || b.order.Change != (tt.code == radius.CodeCoARequest) {
			t.Errorf("from %q to %q: booked %v, change %v", tt.had, tt.groups, b, b.order.Change)
		}
	}
	if p.count("orders_total", "disconnect", "ack") != 2 || p.count("orders_total", "coa", "ack") != 3 {
		t.Error("counted as what it was not")
	}
}

func TestRefusedOrders(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	for i, tt := range []struct {
		cause uint32
		want  string
		label string
	}{
		{503, "nak 503 true", "gone"},
		{501, "nak 501 Administratively-Prohibited true", "nak"},
		{403, "nak 403 NAS-Identification-Mismatch true", "nak"},
		{406, "nak 406 Unsupported-Extension true", "nak"},
		{506, "nak 506 Resources-Unavailable false", "nak"},
		{504, "nak 504 Session-Context-Not-Removable false", "nak"},
		{4711, "nak 4711 false", "nak"},
	} {
		before := p.count("orders_total", "vpn1", "disconnect", tt.label)
		p.want(anOrder(int64(i)))
		p.tick()
		nas.hear().nak(tt.cause)
		p.became(fmt.Sprintf("%d %s", i, tt.want))
		if p.count("orders_total", "vpn1", "disconnect", tt.label) != before+1 {
			t.Errorf("%s is not counted as %s", tt.want, tt.label)
		}
	}
	for id, parts := range map[int64][]byte{98: nil, 99: attr(101, []byte{1, 2, 3})} {
		p.want(anOrder(id))
		p.tick()
		o := nas.hear()
		o.send(o.reply(radius.CodeDisconnectNAK, parts))
		p.became(fmt.Sprintf("%d nak false", id))
	}
}

func TestRefusedChange(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	c := nas.client()
	c.Reply = []Attribute{filter("staff", "staff")}
	p := startPost(t, c)
	o := anOrder(1)
	o.Change, o.Groups = true, []string{"staff"}
	p.want(o)
	p.tick()
	nas.hear().nak(401)
	p.became("1 nak 401 Unsupported-Attribute true")
	if p.count("orders_total", "vpn1", "coa", "nak") != 1 {
		t.Error("not counted")
	}
}

func TestOrdersAtOnce(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	p.want(anOrder(1), anOrder(2))
	p.tick()
	a, b := nas.hear(), nas.hear()
	if a.from == b.from {
		t.Error("both from one port")
	}
	if rfc2866.AcctSessionID_GetString(a.parsed()) != "S1" {
		a, b = b, a
	}
	b.ack()
	p.became("2 ack true")
	p.tick() // the first is on its way still, and listed
	a.nak(503)
	p.became("1 nak 503 true")
	nas.quiet()
}

// A silent NAS has a few orders on their way, the others wait; another's don't.
func TestSilentNASHoldsUpNobodyElse(t *testing.T) {
	silent, quick := newBox(t, "127.0.0.1:0"), newBox(t, "127.0.0.1:0")
	other := quick.client()
	other.Name, other.Prefix = "vpn2", netipPrefix("192.0.2.2/32")
	p := startPost(t, silent.client(), other)
	for id := range int64(ordersPerClient + 1) {
		p.want(anOrder(id))
	}
	o := anOrder(100)
	o.Client = "vpn2"
	p.want(o)
	p.tick()
	quick.hear().ack()
	p.became("100 ack true")
	var onWay []told
	for range ordersPerClient {
		onWay = append(onWay, silent.hear())
	}
	silent.quiet()
	onWay[0].ack()
	last := silent.hear() // needs no other look at the gate
	silent.quiet()
	if s := rfc2866.AcctSessionID_GetString(last.parsed()); s != fmt.Sprintf("S%d", ordersPerClient) {
		t.Errorf("then came %s", s)
	}
}

func TestShutdownBetweenOrderAndAnswer(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	p.want(anOrder(1))
	p.tick()
	nas.hear()
	p.down()
	p.idle()
	if n := p.count("orders_total"); n != 0 {
		t.Errorf("%v orders counted", n)
	}
}

// What a NAS has done is booked although the server stops.
func TestShutdownWhileAnAnswerIsBooked(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	booking, proceed := make(chan bool), make(chan bool)
	p.obeyed = func(ctx context.Context) error {
		close(booking)
		<-proceed
		return ctx.Err()
	}
	p.want(anOrder(1))
	p.tick()
	nas.hear().ack()
	<-booking
	down := make(chan error, 1)
	go func() { down <- p.Shutdown(context.Background()) }()
	<-p.ordering.Done()
	for range 1000 { // time enough for a Shutdown that does not wait
		runtime.Gosched()
	}
	close(proceed)
	p.became("1 ack true")
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestOrdersThatCantBeGiven(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	proxy, mute, box := nas.client(), testClient(), nas.client()
	proxy.Name, proxy.Prefix, proxy.Proxy = "proxy", netipPrefix("192.0.2.1/32"), true
	proxy.Reply = []Attribute{filter("x", "staff")}
	mute.Name, mute.Prefix = "mute", netipPrefix("192.0.2.2/32")
	box.Reply = []Attribute{filter("x", "long")}
	for len(box.Reply[0].Octets) < maxPacketLen {
		box.Reply[0].Octets = append(box.Reply[0].Octets, filter(strings.Repeat("x", 250)).Octets...)
	}
	p := startPost(t, proxy, mute, box)
	for i, tt := range []struct {
		client string
		change func(*gate.Order)
		want   string
	}{
		{"proxy", nil, "behind_proxy true"},
		{"vpn1", func(o *gate.Order) { o.Session = "" }, "no_name true"},
		{"vpn1", func(o *gate.Order) { o.Change, o.Groups = true, []string{"long"} }, "too_long true"},
		{"mute", func(o *gate.Order) { o.Change = true }, "no_change true"},
		{"proxy", func(o *gate.Order) { o.Change, o.Had = true, []string{"staff"} }, "behind_proxy true"},
	} {
		o := anOrder(int64(i))
		o.Client = tt.client
		if tt.change != nil {
			tt.change(&o)
		}
		p.want(o)
		p.tick()
		p.became(fmt.Sprintf("%d %s", i, tt.want))
	}
	nas.quiet()
}

// A reload left the client or its disconnect out, or gave it another name:
// the order is due again, since another may put that right.
func TestOrderToAClientThatTakesNoneAtPresent(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	mute := testClient()
	mute.Reply = []Attribute{filter("staff", "staff"), filter("student")}
	p := startPost(t, mute)
	for i, change := range []func(*gate.Order){
		func(o *gate.Order) { o.Client = "left-out" },
		func(*gate.Order) {},
		func(o *gate.Order) { o.Change, o.Groups = true, []string{"staff"} },
	} {
		o := anOrder(int64(i))
		change(&o)
		p.want(o)
		p.tick()
		p.became(fmt.Sprintf("%d no_way false", i))
	}
	p.SetClients(mustClients(t, nas.client()))
	p.want(anOrder(9))
	p.tick()
	nas.hear().ack()
	p.became("9 ack true")
}

// An order is given under the clients that are in force then.
func TestOrdersFollowTheClients(t *testing.T) {
	before, now := newBox(t, "127.0.0.1:0"), newBox(t, "127.0.0.1:0")
	p := startPost(t, before.client())
	p.SetClients(mustClients(t, now.client()))
	p.want(anOrder(1))
	p.tick()
	now.hear().ack()
	p.became("1 ack true")
	before.quiet()
}

// A NAS that is being restarted answers the next try: what the network says
// meanwhile decides nothing.
func TestNASIsRestarted(t *testing.T) {
	nas := newBox(t, "127.0.0.77:0")
	addr := nas.LocalAddr().String()
	p := startPost(t, nas.client())
	nas.Close()
	p.want(anOrder(1))
	p.tick()
	try := p.sort(&p.waits)
	nas = newBox(t, addr)
	try.fire()
	nas.hear().ack()
	p.became("1 ack true")
}

// A NAS takes orders from the servers that it knows.
func TestOrdersLeaveFromAnAddressThatIsListenedOn(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	c := &commander{booked: make(chan booking, 10)}
	r := prepare(t, func(r *rig) { r.Sessions = c }, nas.client())
	if err := r.Listen([]string{"[::1]:0", "127.0.0.9:0", "127.0.0.8:0"}, nil); err != nil {
		t.Fatal(err)
	}
	r.serve()
	p := &post{rig: r, commander: c}
	p.want(anOrder(1))
	p.tick()
	o := nas.hear()
	if o.from.Addr() != netip.MustParseAddr("127.0.0.9") {
		t.Errorf("came from %v", o.from)
	}
	o.ack()
	p.became("1 ack true")
	for _, tt := range []struct{ preferred, want string }{
		{"127.0.0.8", "127.0.0.8"},
		{"192.0.2.1", "192.0.2.1"}, // nothing but loopback is listened on
		{"2001:db8::1", "2001:db8::1"},
		{"::1", "::1"},
	} {
		if got := r.knownBy(netip.MustParseAddr(tt.preferred)); got.String() != tt.want {
			t.Errorf("%s: %v, want %s", tt.preferred, got, tt.want)
		}
	}

	all := prepare(t, nil)
	if err := all.Listen([]string{"127.0.0.1:0", "0.0.0.0:0"}, nil); err != nil {
		t.Fatal(err)
	}
	defer all.down()
	if got := all.knownBy(netip.MustParseAddr("192.0.2.1")); got.String() != "192.0.2.1" {
		t.Errorf("all addresses are listened on, yet an order leaves from %v", got)
	}
}

func TestGateThatCantTellItsOrders(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	fail := true
	p.commander.orders = func() error {
		if fail {
			fail = false
			return errors.New("disk gone")
		}
		return nil
	}
	p.want(anOrder(1))
	p.tick()
	p.tick()
	nas.hear().ack()
	p.became("1 ack true")
	if !strings.Contains(p.log.String(), "disk gone") {
		t.Errorf("the log does not tell\n%s", p.log)
	}
}

// What can't be booked is not told to the NAS each second.
func TestAnswerThatCantBeBooked(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	fail := true
	p.obeyed = func(context.Context) error {
		if fail {
			fail = false
			return errors.New("disk full")
		}
		return nil
	}
	p.want(anOrder(1))
	p.tick()
	nas.hear().ack()
	p.sort(&p.waits) // the try's, which is over
	for range 3 {
		p.tick()
	}
	nas.quiet()
	if w := p.late(); w != bookAgain {
		t.Errorf("waits %v", w)
	}
	heardAfterTicks(p, nas).nak(503)
	p.became("1 nak 503 true")
}

// heardAfterTicks looks at the gate until an order comes.
func heardAfterTicks(p *post, nas *box) told {
	p.t.Helper()
	for range 100 {
		p.tick()
		nas.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		room := make([]byte, 5000)
		if n, from, err := nas.ReadFromUDPAddrPort(room); err == nil {
			return told{nas, from, room[:n]}
		}
	}
	p.t.Fatal("no order came")
	return told{}
}

func TestPanicInAnOrder(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	first := true
	p.obeyed = func(context.Context) error {
		if first {
			first = false
			panic("boom")
		}
		return nil
	}
	p.want(anOrder(1))
	p.tick()
	nas.hear().ack()
	heardAfterTicks(p, nas).ack()
	p.became("1 ack true")
	if !strings.Contains(p.log.String(), "boom") {
		t.Errorf("the log does not tell\n%s", p.log)
	}

	p.commander.orders = func() error { panic("bang") }
	p.tick()
	p.tick()
	p.sort(&p.ticks)
	if !strings.Contains(p.log.String(), "bang") {
		t.Errorf("the log does not tell\n%s", p.log)
	}
}
