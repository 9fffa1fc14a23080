package radiusd

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"sekisho/gate"
)

const orderSecret = "order-secret"

// commander has orders to give, and keeps what became of them.
type commander struct {
	Sessions // only what is about orders is asked
	booked   chan booking

	mu     sync.Mutex
	due    []gate.Order
	looks  int
	orders func() error                // before Orders
	obeyed func(context.Context) error // before Obeyed
}

type booking struct {
	order  gate.Order
	result string
	done   bool
}

func (b booking) String() string { return fmt.Sprintf("%d %s %v", b.order.ID, b.result, b.done) }

func (c *commander) Orders(context.Context) ([]gate.Order, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks++
	if c.orders != nil {
		if err := c.orders(); err != nil {
			return nil, err
		}
	}
	return slices.Clone(c.due), nil
}

func (c *commander) Obeyed(ctx context.Context, o gate.Order, result string, done bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.obeyed != nil {
		if err := c.obeyed(ctx); err != nil {
			return err
		}
	}
	c.due = slices.DeleteFunc(c.due, func(d gate.Order) bool { return d.ID == o.ID })
	c.booked <- booking{o, result, done}
	return nil
}

func (c *commander) want(orders ...gate.Order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = append(c.due, orders...)
}

// post is a server with orders to give.
type post struct {
	*rig
	*commander
	waits []hold // for something else than a look at the gate
	ticks []hold
}

func startPost(t *testing.T, clients ...Client) *post {
	t.Helper()
	c := &commander{booked: make(chan booking, 1000)}
	return &post{rig: start(t, func(r *rig) { r.Sessions = c }, clients...), commander: c}
}

// sort waits until there is a hold in the list.
func (p *post) sort(list *[]hold) hold {
	p.t.Helper()
	for len(*list) == 0 {
		select {
		case h := <-p.held:
			if h.wait == ordersEvery {
				p.ticks = append(p.ticks, h)
			} else {
				p.waits = append(p.waits, h)
			}
		case <-time.After(5 * time.Second):
			p.t.Fatalf("nothing waits\n%s", p.log)
		}
	}
	h := (*list)[0]
	*list = (*list)[1:]
	return h
}

// tick lets the server look for orders.
func (p *post) tick() {
	p.t.Helper()
	p.sort(&p.ticks).fire()
}

// late ends the wait of a try and returns how long that was.
func (p *post) late() time.Duration {
	p.t.Helper()
	h := p.sort(&p.waits)
	h.fire()
	return h.wait
}

// became is the next booking.
func (p *post) became(want string) {
	p.t.Helper()
	select {
	case b := <-p.booked:
		if b.String() != want {
			p.t.Errorf("booked %v, want %s\n%s", b, want, p.log)
		}
	case <-time.After(5 * time.Second):
		p.t.Fatalf("%q was not booked\n%s", want, p.log)
	}
}

// idle fails if anything was booked.
func (p *post) idle() {
	p.t.Helper()
	select {
	case b := <-p.booked:
		p.t.Errorf("booked %v", b)
	default:
	}
}

// box is a NAS that takes orders.
type box struct {
	t testing.TB
	*net.UDPConn
	secret string
}

func newBox(t testing.TB, addr string) *box {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &box{t, conn, orderSecret}
}

// client is testClient with the box behind it.
func (b *box) client() Client {
	c := testClient()
	c.Disconnect = Disconnect{To: b.LocalAddr().(*net.UDPAddr).AddrPort(), Secret: []byte(orderSecret)}
	return c
}

// told is an order as it came in.
type told struct {
	box    *box
	from   netip.AddrPort
	octets []byte
}

func (b *box) hear() told {
	b.t.Helper()
	b.SetReadDeadline(time.Now().Add(5 * time.Second))
	room := make([]byte, 5000)
	n, from, err := b.ReadFromUDPAddrPort(room)
	if err != nil {
		b.t.Fatalf("no order came: %v", err)
	}
	return told{b, from, room[:n]}
}

// quiet shows that nothing came: the next thing that does is our own.
func (b *box) quiet() {
	b.t.Helper()
	conn, err := net.DialUDP("udp", nil, b.LocalAddr().(*net.UDPAddr))
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte("mark"))
	if got := b.hear(); string(got.octets) != "mark" {
		b.t.Errorf("came: % .60x", got.octets)
	}
}

// parsed checks the signatures by other code than that which made them.
func (o told) parsed() *radius.Packet {
	o.box.t.Helper()
	p, err := radius.Parse(o.octets, []byte(o.box.secret))
	if err != nil {
		o.box.t.Fatal(err)
	}
	if !radius.IsAuthenticRequest(o.octets, []byte(o.box.secret)) {
		o.box.t.Errorf("wrong Request Authenticator: % x", o.octets)
	}
	zeroed := bytes.Clone(o.octets)
	clear(zeroed[4:20])
	clear(zeroed[22:38])
	h := hmac.New(md5.New, []byte(o.box.secret))
	h.Write(zeroed)
	if p.Attributes[0].Type != rfc2869.MessageAuthenticator_Type || !hmac.Equal(h.Sum(nil), o.octets[22:38]) {
		o.box.t.Errorf("wrong Message-Authenticator: % x", o.octets)
	}
	return p
}

// reply makes the box's answer. An attribute made by authenticator is filled in.
func (o told) reply(code radius.Code, parts ...[]byte) []byte {
	b := bytes.Clone(o.octets[:headerLen])
	b[0] = byte(code)
	at := 0
	for _, part := range parts {
		if bytes.Equal(part, authenticator()) {
			at = len(b) + 2
		}
		b = append(b, part...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if at > 0 {
		h := hmac.New(md5.New, []byte(o.box.secret))
		h.Write(b)
		copy(b[at:], h.Sum(nil))
	}
	sum := md5.Sum(append(bytes.Clone(b), o.box.secret...))
	copy(b[4:], sum[:])
	return b
}

func (o told) send(octets []byte) {
	o.box.t.Helper()
	if _, err := o.box.WriteToUDPAddrPort(octets, o.from); err != nil {
		o.box.t.Fatal(err)
	}
}

func (o told) ack() { o.send(o.reply(radius.Code(o.octets[0]+1), authenticator())) }

func (o told) nak(cause uint32) { o.send(o.reply(radius.Code(o.octets[0]+2), number(101, cause))) }

func anOrder(id int64) gate.Order {
	return gate.Order{ID: id, Client: "vpn1", NAS: "box-1", Session: fmt.Sprintf("S%d", id), User: "alice", Address: netip.MustParseAddr("198.51.100.7")}
}

// attributes are the attributes of a packet as text, but for the first.
func attributes(p *radius.Packet) string {
	var list []string
	for _, a := range p.Attributes[1:] {
		list = append(list, fmt.Sprintf("%d=%q", a.Type, a.Attribute))
	}
	return strings.Join(list, " ")
}

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
	nas.quiet()
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
	c.Reply = []Attribute{filter("anybody")}
	p := startPost(t, c)
	o := anOrder(1)
	o.Change = true
	p.want(o)
	p.tick()
	nas.hear().nak(401)
	p.became("1 nak 401 Unsupported-Attribute true")
	if p.count("orders_total", "vpn1", "coa", "nak") != 1 {
		t.Error("not counted")
	}
}

// A silent NAS is told the same again, at growing intervals, and then no more.
func TestSilentNASIsToldTheSameAgain(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	p.want(anOrder(1))
	p.tick()
	first := nas.hear()
	var waits []time.Duration
	var all time.Duration
	for {
		w := p.late()
		waits = append(waits, w)
		all += w
		if all >= longestTry {
			break
		}
		p.clock.move(w)
		if again := nas.hear(); !bytes.Equal(again.octets, first.octets) || again.from != first.from {
			t.Errorf("try %d differs: from %v\n% x, first from %v\n% x", len(waits)+1, again.from, again.octets, first.from, first.octets)
		}
	}
	p.became("1 silent false")
	if all != longestTry || len(waits) < 4 || len(waits) > 5 {
		t.Errorf("waits %v, %v in all", waits, all)
	}
	for i, usual := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
		if w := waits[i]; w < usual*8/10 || w > usual*12/10 {
			t.Errorf("wait %d is %v", i+1, w)
		}
	}
	if r := p.Readiness()[0].Disconnect.Result; r != "silent" {
		t.Errorf("readiness tells %q", r)
	}

	first.ack() // too late
	nas.quiet()
	p.tick()
	p.idle()
}

func TestWaitsGrowToTheirBound(t *testing.T) {
	for range 1000 {
		w := jitter(firstWait, firstWait)
		for i := range 8 {
			if usual := min(firstWait<<i, longestWait); w < usual*7/10 || w > usual*13/10 {
				t.Fatalf("wait %d is %v", i+1, w)
			}
			w = next(w)
		}
	}
}

func TestForgedAnswersAreNotBelieved(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	p.want(anOrder(1))
	p.tick()
	o := nas.hear()
	ack := o.reply(radius.CodeDisconnectACK, authenticator())
	badMAC := authenticator()
	badMAC[5] = 1
	wrong := o
	wrong.box = &box{t, nas.UDPConn, "other"}
	for _, tt := range []struct {
		name   string
		octets []byte
		why    drop
	}{
		{"wrong authenticator", tampered(ack, 4), dropSecret},
		{"NAK made an ACK", append([]byte{byte(radius.CodeDisconnectACK)}, o.reply(radius.CodeDisconnectNAK)[1:]...), dropSecret},
		{"another secret", wrong.reply(radius.CodeDisconnectACK), dropSecret},
		{"wrong Message-Authenticator", o.reply(radius.CodeDisconnectACK, badMAC), dropSecret},
		{"doubled Message-Authenticator", o.reply(radius.CodeDisconnectACK, authenticator(), badMAC), dropMACDoubled},
		{"short Message-Authenticator", o.reply(radius.CodeDisconnectACK, attr(80, make([]byte, 15))), dropMACLength},
		{"our own request", o.octets, dropCode},
		{"CoA-ACK", o.reply(radius.CodeCoAACK), dropCode},
		{"Access-Accept", o.reply(radius.CodeAccessAccept), dropCode},
		{"truncated", ack[:len(ack)-1], dropLength},
		{"short", ack[:19], dropShort},
		{"empty", nil, dropShort},
		{"broken attribute", o.reply(radius.CodeDisconnectACK, []byte{101, 1}), dropFraming},
	} {
		before := p.count("order_strays_total", "vpn1", string(tt.why))
		o.send(tt.octets)
		p.await(before+1, "order_strays_total", "vpn1", string(tt.why))
	}
	other := bytes.Clone(o.octets)
	other[1]++
	o.send(told{nas, o.from, other}.reply(radius.CodeDisconnectACK))
	p.await(1, "order_strays_total", "vpn1", string(dropIdentifier))
	p.idle()

	// None of them moved the next try.
	p.late()
	nas.hear().ack()
	p.became("1 ack true")
}

// The RFC has the request's authenticator in it, FreeRADIUS has zeros.
func TestMessageAuthenticatorOfAnAnswerIsMadeInTwoWays(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	for id, zeros := range []bool{false, true} {
		p.want(anOrder(int64(id)))
		p.tick()
		o := nas.hear()
		ack := o.reply(radius.CodeDisconnectACK, authenticator())
		if zeros {
			clear(ack[4:20])
			clear(ack[22:])
			h := hmac.New(md5.New, []byte(orderSecret))
			h.Write(ack)
			ack = o.reply(radius.CodeDisconnectACK, attr(rfc2869.MessageAuthenticator_Type, h.Sum(nil)))
		}
		o.send(ack)
		p.became(fmt.Sprintf("%d ack true", id))
	}
}

func TestAnswerFromAnotherPortIsNotBelieved(t *testing.T) {
	nas, neighbour := newBox(t, "127.0.0.1:0"), newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	p.want(anOrder(1))
	p.tick()
	o := nas.hear()
	octets := o.reply(radius.CodeDisconnectACK)
	if _, err := neighbour.WriteToUDPAddrPort(octets, o.from); err != nil {
		t.Fatal(err)
	}
	p.late()
	again := nas.hear() // so the first was not taken
	p.idle()
	again.nak(503)
	p.became("1 nak 503 true")
}

// The answer to one order is none to the next.
func TestReplayedAnswerIsNotBelieved(t *testing.T) {
	nas := newBox(t, "127.0.0.1:0")
	p := startPost(t, nas.client())
	p.want(anOrder(1))
	p.tick()
	first := nas.hear()
	first.ack()
	p.became("1 ack true")

	p.want(anOrder(2))
	p.tick()
	second := nas.hear()
	replayed := first.reply(radius.CodeDisconnectACK)
	replayed[1] = second.octets[1]
	second.send(replayed)
	p.await(1, "order_strays_total", "vpn1", string(dropSecret))
	p.idle()
	second.nak(501)
	p.became("2 nak 501 Administratively-Prohibited true")
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
		{"mute", nil, "no_way true"},
		{"nobody", nil, "no_way true"},
		{"vpn1", func(o *gate.Order) { o.Session = "" }, "no_way true"},
		{"vpn1", func(o *gate.Order) { o.Change, o.Groups = true, []string{"long"} }, "too_long true"},
		{"mute", func(o *gate.Order) { o.Change = true }, "no_change true"},
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
