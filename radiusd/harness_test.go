package radiusd

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"sekisho/gate"
)

const testSecret = "testing123"

// fakeGate admits who knows "secret123456" unless admit is set.
type fakeGate struct {
	admit func(context.Context, gate.Request) (gate.Answer, error)
	dead  atomic.Bool

	mu     sync.Mutex
	asked  []gate.Request
	faults []gate.Fault
}

func (g *fakeGate) Admit(ctx context.Context, r gate.Request) (gate.Answer, error) {
	g.mu.Lock()
	copied := r
	copied.Password = bytes.Clone(r.Password)
	g.asked = append(g.asked, copied)
	g.mu.Unlock()
	if g.admit != nil {
		return g.admit(ctx, r)
	}
	if string(r.Password) == "secret123456" {
		return admitted(), nil
	}
	return gate.Answer{Message: "Refused. Reference 7F3K-92QD"}, nil
}

func (g *fakeGate) Refuse(_ context.Context, r gate.Request, f gate.Fault) (gate.Answer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, r)
	g.faults = append(g.faults, f)
	return gate.Answer{Message: "Refused: " + string(f)}, nil
}

func (g *fakeGate) Alive() bool { return !g.dead.Load() }

func (g *fakeGate) calls() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.asked)
}

func (g *fakeGate) lastRequest() gate.Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[len(g.asked)-1]
}

func (g *fakeGate) faultsSeen() []gate.Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.faults)
}

func admitted() gate.Answer {
	return gate.Answer{
		Outcome: gate.Admitted,
		Person:  gate.Person{ID: 7, Name: "alice"},
		Ticket:  gate.Ticket{ID: "abc", Class: "sk1.abc.mac", Until: testTime.Add(10 * time.Hour)},
	}
}

var testTime = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// clock stands still until it is moved.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return testTime.Add(time.Duration(c.offset.Load())) }
func (c *clock) move(d time.Duration) { c.offset.Add(int64(d)) }

// hold is what the server wanted done later.
type hold struct {
	wait time.Duration
	fire func()
}

type rig struct {
	*Server
	t        testing.TB
	gate     *fakeGate
	clock    *clock
	held     chan hold
	registry *prometheus.Registry
	log      *syncBuffer
	addr     netip.AddrPort
	served   chan error
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func testClient() Client {
	return Client{
		Name: "vpn1", Prefix: netip.MustParsePrefix("127.0.0.0/8"),
		Secrets: [][]byte{[]byte(testSecret)}, Service: "ssl-vpn",
	}
}

func mustClients(t testing.TB, list ...Client) *Clients {
	t.Helper()
	c, err := NewClients(list)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start serves on a free loopback port; change adjusts what is not usual.
func start(t testing.TB, change func(*rig), clients ...Client) *rig {
	t.Helper()
	r := prepare(t, change, clients...)
	if err := r.Listen([]string{"127.0.0.1:0"}, nil); err != nil {
		t.Fatal(err)
	}
	r.serve()
	return r
}

func prepare(t testing.TB, change func(*rig), clients ...Client) *rig {
	t.Helper()
	r := &rig{
		t: t, gate: new(fakeGate), clock: new(clock), held: make(chan hold, 1000),
		registry: prometheus.NewRegistry(), log: new(syncBuffer), served: make(chan error, 1),
	}
	r.Server = &Server{
		Gate: r.gate, Now: r.clock.now, Metrics: r.registry,
		Log:   slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		After: func(d time.Duration, f func()) { r.held <- hold{d, f} },
	}
	if change != nil {
		change(r)
	}
	if clients == nil {
		clients = []Client{testClient()}
	}
	r.SetClients(mustClients(t, clients...))
	return r
}

func (r *rig) serve() {
	auth, _ := r.Addrs()
	r.addr = auth[0]
	go func() { r.served <- r.Serve() }()
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		r.Shutdown(ctx)
	})
}

// count sums a counter, or how often something was measured, over the series that have all the given label values.
func (r *rig) count(name string, values ...string) (sum float64) {
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "sekisho_radius_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			var have []string
			for _, l := range m.GetLabel() {
				have = append(have, l.GetValue())
			}
			if !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(have, v) }) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// await waits until a counter has reached n.
func (r *rig) await(n float64, name string, values ...string) {
	r.t.Helper()
	for give := time.Now().Add(5 * time.Second); r.count(name, values...) < n; runtime.Gosched() {
		if time.Now().After(give) {
			r.t.Fatalf("%s %v did not reach %v\n%s", name, values, n, r.log)
		}
	}
}

// down shuts the server down: after it nothing is in work.
func (r *rig) down() {
	r.t.Helper()
	if err := r.Shutdown(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// peer is a NAS's socket.
type peer struct {
	t testing.TB
	*net.UDPConn
	secret string
	next   byte
}

func (r *rig) dial() *peer { return dial(r.t, r.addr) }

func dial(t testing.TB, to netip.AddrPort) *peer {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadBuffer(4 << 20)
	t.Cleanup(func() { c.Close() })
	return &peer{t: t, UDPConn: c, secret: testSecret}
}

func (p *peer) tell(datagram []byte) {
	p.t.Helper()
	if _, err := p.Write(datagram); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) hear() []byte {
	p.t.Helper()
	p.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 5000)
	n, err := p.Read(b)
	if err != nil {
		p.t.Fatalf("no reply: %v", err)
	}
	return b[:n]
}

// ask sends a request and returns the checked reply.
func (p *peer) ask(request []byte) *radius.Packet {
	p.t.Helper()
	p.tell(request)
	return checked(p.t, p.hear(), request, p.secret)
}

// silent shows that a datagram got no answer: the next thing to arrive is
// the answer to a Status-Server sent behind it on the same socket.
func (p *peer) silent(datagram []byte) {
	p.t.Helper()
	p.tell(datagram)
	p.next++
	status := build(radius.CodeStatusServer, 200+p.next%50, p.secret, authenticator())
	p.tell(status)
	reply := p.hear()
	if reply[1] != status[1] || reply[0] != byte(radius.CodeAccessAccept) {
		p.t.Fatalf("got an answer: % .60x", reply)
	}
	checked(p.t, reply, status, p.secret)
}

// checked verifies a reply by other code than that which made it.
func checked(t testing.TB, reply, request []byte, secret string) *radius.Packet {
	t.Helper()
	p, err := radius.Parse(reply, []byte(secret))
	if err != nil {
		t.Fatalf("reply does not parse: %v", err)
	}
	if p.Identifier != request[1] || !radius.IsAuthenticResponse(reply, request, []byte(secret)) {
		t.Fatalf("reply is not authentic: % x", reply)
	}
	if len(p.Attributes) == 0 || p.Attributes[0].Type != rfc2869.MessageAuthenticator_Type {
		t.Fatalf("Message-Authenticator is not the first attribute: % x", reply)
	}
	zeroed := bytes.Clone(reply)
	copy(zeroed[4:20], request[4:20])
	clear(zeroed[22:38])
	h := hmac.New(md5.New, []byte(secret))
	h.Write(zeroed)
	if !hmac.Equal(h.Sum(nil), reply[22:38]) {
		t.Fatalf("wrong Message-Authenticator in the reply: % x", reply)
	}
	return p
}

// build makes a request: each part is an attribute as it stands on the wire.
// An attribute made by authenticator is filled in; one made by hidden is encrypted.
func build(code radius.Code, id byte, secret string, parts ...[]byte) []byte {
	b := make([]byte, 20)
	b[0], b[1] = byte(code), id
	sum := md5.Sum(append([]byte{id, byte(code)}, bytes.Join(parts, nil)...))
	copy(b[4:20], sum[:]) // some authenticator that differs with the content
	at := 0
	for _, part := range parts {
		if len(part) == 18 && part[0] == byte(rfc2869.MessageAuthenticator_Type) && bytes.Equal(part[2:], make([]byte, 16)) {
			at = len(b) + 2
		}
		if part[0] == byte(rfc2865.UserPassword_Type) && part[1] == 0 {
			part = attr(rfc2865.UserPassword_Type, hide(part[2:], secret, b[4:20]))
		}
		b = append(b, part...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if at > 0 {
		h := hmac.New(md5.New, []byte(secret))
		h.Write(b)
		copy(b[at:], h.Sum(nil))
	}
	return b
}

func attr(typ radius.Type, value []byte) []byte {
	return append([]byte{byte(typ), byte(len(value) + 2)}, value...)
}

func text(typ radius.Type, value string) []byte { return attr(typ, []byte(value)) }

func number(typ radius.Type, n uint32) []byte {
	return attr(typ, binary.BigEndian.AppendUint32(nil, n))
}

func authenticator() []byte { return attr(rfc2869.MessageAuthenticator_Type, make([]byte, 16)) }

// hidden is a User-Password that build encrypts: length 0 marks it.
func hidden(password string) []byte {
	return append([]byte{byte(rfc2865.UserPassword_Type), 0}, password...)
}

// hide is RFC 2865 §5.2 from the NAS's side.
func hide(password []byte, secret string, authenticator []byte) []byte {
	out := make([]byte, max(16, (len(password)+15)/16*16))
	copy(out, password)
	before := authenticator
	for i := 0; i < len(out); i += 16 {
		sum := md5.Sum(append([]byte(secret), before...))
		for j := range sum {
			out[i+j] ^= sum[j]
		}
		before = out[i : i+16]
	}
	return out
}

// pap is the usual Access-Request.
func pap(id byte, password string, more ...[]byte) []byte {
	parts := append([][]byte{text(rfc2865.UserName_Type, "alice"), hidden(password), text(rfc2865.NASIdentifier_Type, "vpn1")}, more...)
	return build(radius.CodeAccessRequest, id, testSecret, append(parts, authenticator())...)
}

func papWithoutMAC(id byte, secret, password string, more ...[]byte) []byte {
	parts := append([][]byte{text(rfc2865.UserName_Type, "alice"), hidden(password)}, more...)
	return build(radius.CodeAccessRequest, id, secret, parts...)
}

func messages(p *radius.Packet) string {
	s, _ := rfc2865.ReplyMessage_GetStrings(p)
	return strings.Join(s, "")
}
