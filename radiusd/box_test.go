package radiusd

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
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
	return gate.Order{ID: id, Client: "vpn1", NAS: "id:box-1", Session: fmt.Sprintf("S%d", id), User: "alice", Address: netip.MustParseAddr("198.51.100.7")}
}

// attributes are the attributes of a packet as text, but for the first.
func attributes(p *radius.Packet) string {
	var list []string
	for _, a := range p.Attributes[1:] {
		list = append(list, fmt.Sprintf("%d=%q", a.Type, a.Attribute))
	}
	return strings.Join(list, " ")
}
