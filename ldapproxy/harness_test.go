package ldapproxy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
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

	"sekisho/gate"
	"sekisho/internal/directory"
	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

const (
	testBase     = "dc=example,dc=ac,dc=jp"
	aliceDN      = "uid=alice,ou=people," + testBase
	mailDN       = "uid=svc-mail,ou=services," + testBase
	mailPassword = "a service account's password"
	reference    = "7F3K-92QD"
)

// fakeGate admits alice with "secret123456" unless admit is set.
type fakeGate struct {
	admit   func(context.Context, gate.Request) (gate.Answer, error)
	observe func(context.Context, gate.Request) (gate.Answer, error)
	broken  atomic.Bool // Refuse, Live and Observe can't judge
	ended   atomic.Bool // tickets

	lookups, standings atomic.Int64

	mu      sync.Mutex
	asked   []gate.Request
	watched []gate.Request // by Observe
	faults  []gate.Fault
}

var errBroken = errors.New("the store is away")

func (g *fakeGate) Admit(ctx context.Context, r gate.Request) (gate.Answer, error) {
	g.mu.Lock()
	copied := r
	copied.Password = bytes.Clone(r.Password)
	g.asked = append(g.asked, copied)
	g.mu.Unlock()
	if g.admit != nil {
		return g.admit(ctx, r)
	}
	if strings.HasPrefix(r.User, "uid=alice,") && string(r.Password) == "secret123456" {
		return welcome(), nil
	}
	return gate.Answer{Message: "Not so. Reference: " + reference, Reference: reference, Reason: "wrong_password"}, nil
}

func welcome() gate.Answer {
	return gate.Answer{
		Outcome: gate.Admitted, Reason: "admitted", Reference: "AAAA-0001",
		Person: gate.Person{ID: 7, Name: "alice"}, Ticket: gate.Ticket{ID: "t-alice", Secret: "of the ticket"},
	}
}

func (g *fakeGate) Refuse(_ context.Context, r gate.Request, f gate.Fault) (gate.Answer, error) {
	if g.broken.Load() {
		return gate.Answer{}, errBroken
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, f)
	return gate.Answer{Reference: reference, Reason: string(f)}, nil
}

func (g *fakeGate) Live(_ context.Context, id string) (bool, error) {
	g.lookups.Add(1)
	if g.broken.Load() {
		return false, errBroken
	}
	return id == "t-alice" && !g.ended.Load(), nil
}

func (g *fakeGate) Stands(ctx context.Context, id string) (bool, error) {
	g.standings.Add(1)
	return g.Live(ctx, id)
}

// Observe has the attempt passed on, and would refuse it.
func (g *fakeGate) Observe(ctx context.Context, r gate.Request) (gate.Answer, error) {
	g.mu.Lock()
	copied := r
	copied.Password = bytes.Clone(r.Password)
	g.watched = append(g.watched, copied)
	g.mu.Unlock()
	if g.observe != nil {
		return g.observe(ctx, r)
	}
	if _, err := r.Verify(ctx, aliceBehind, r.Password); err != nil || g.broken.Load() {
		return gate.Answer{}, cmp.Or(err, errBroken)
	}
	return gate.Answer{Reference: reference, Reason: "code_missing"}, nil
}

func (g *fakeGate) judged() []gate.Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

func (g *fakeGate) booked() []gate.Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.faults)
}

// fakePeople is alice.
type fakePeople struct{}

func (fakePeople) Entries(_ context.Context, each func(directory.Entry) error) error {
	return each(directory.Entry{Name: "alice", Display: "Alice Liddell", Mail: "alice@example.ac.jp", Groups: []string{"staff"}})
}

func (fakePeople) Epoch() uint64 { return 1 }

var testTime = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// clock stands still until it is moved.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return testTime.Add(time.Duration(c.offset.Load())) }
func (c *clock) move(d time.Duration) { c.offset.Add(int64(d)) }

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

// hold is an answer that waits.
type hold struct {
	wait time.Duration
	go_  chan time.Time
}

// rig is a server that serves.
type rig struct {
	*Server
	t        testing.TB
	gate     *fakeGate
	clock    *clock
	held     chan hold
	registry *prometheus.Registry
	log      *syncBuffer
	ended    chan string
	listener Listener // to be served
	addr     string
	served   chan error
}

func testApp() App {
	return App{
		Name: "dovecot", Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Service: "webmail",
		Zone: "off-campus", Separator: ":", PlainBinds: true, Accounts: []Account{{DN: mailDN, Password: []byte(mailPassword)}},
	}
}

// elsewhere has an account that dovecot has not.
func elsewhere() App {
	return App{
		Name: "printers", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Service: "print", PlainBinds: true,
		Accounts: []Account{{DN: "uid=svc-print,ou=services," + testBase, Password: []byte(mailPassword)}},
	}
}

func mustApps(t testing.TB, list ...App) *Apps {
	t.Helper()
	apps, err := NewApps(list)
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// start serves dovecot on a free loopback port, in clear text as well; change
// adjusts what is not usual.
func start(t testing.TB, change func(*rig), apps ...App) *rig {
	t.Helper()
	r := &rig{
		t: t, gate: new(fakeGate), clock: new(clock), held: make(chan hold, 100),
		registry: prometheus.NewRegistry(), log: new(syncBuffer), ended: make(chan string, 100), served: make(chan error, 1),
	}
	r.Server = &Server{
		Gate: r.gate, People: fakePeople{}, Base: testBase, Now: r.clock.now, Metrics: r.registry,
		Log: slog.New(watch{slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}), r.ended}),
		After: func(d time.Duration) <-chan time.Time {
			h := hold{d, make(chan time.Time, 1)}
			r.held <- h
			return h.go_
		},
	}
	r.listener = Listener{TLS: linkstest.TLS(t), StartTLS: true, PlainBinds: true}
	if change != nil {
		change(r)
	}
	if r.listener.Listener == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r.listener.Listener = l
	}
	if apps == nil {
		apps = []App{testApp(), elsewhere()}
	}
	r.SetApps(mustApps(t, apps...))
	r.addr = r.listener.Addr().String()
	go func() { r.served <- r.Serve(r.listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		r.Shutdown(ctx)
	})
	return r
}

// count sums a counter over the series that have all the given label values.
func (r *rig) count(name string, values ...string) (sum float64) {
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "sekisho_ldap_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			have := make(map[string]bool)
			for _, l := range m.GetLabel() {
				have[l.GetValue()] = true
			}
			if !slices.ContainsFunc(values, func(v string) bool { return !have[v] }) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// ends waits until so many connections have ended, and checks why.
func (r *rig) ends(why disconnect, times int) {
	r.t.Helper()
	for range times {
		select {
		case got := <-r.ended:
			if got != string(why) {
				r.t.Errorf("ended by %s, want %s", got, why)
			}
		case <-time.After(20 * time.Second):
			r.t.Fatal("no connection has ended")
		}
	}
	if got := r.count("disconnects_total", string(why)); got != float64(times) {
		r.t.Errorf("%v counted as ended by %s, want %d", got, why, times)
	}
}

// watch passes a log on, and tells of connections that end.
type watch struct {
	slog.Handler
	ended chan string
}

func (w watch) Handle(ctx context.Context, line slog.Record) error {
	if line.Message == "ldap connection ended" {
		line.Attrs(func(a slog.Attr) bool {
			if a.Key == "reason" {
				w.ended <- a.Value.String()
			}
			return true
		})
	}
	return w.Handler.Handle(ctx, line)
}

// peer is a client that speaks in octets.
type peer struct {
	net.Conn
	t      testing.TB
	frames *wire.FrameReader
	id     int32
}

func (r *rig) dial() *peer {
	r.t.Helper()
	socket, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	return newPeer(r.t, socket)
}

func newPeer(t testing.TB, socket net.Conn) *peer {
	t.Cleanup(func() { socket.Close() })
	socket.SetDeadline(time.Now().Add(20 * time.Second))
	return &peer{Conn: socket, t: t, frames: wire.NewFrameReader(socket)}
}

// secure begins TLS.
func (p *peer) secure() {
	p.Conn = tls.Client(p.Conn, &tls.Config{InsecureSkipVerify: true})
	p.frames = wire.NewFrameReader(p.Conn)
}

// put makes a message of an operation.
func (p *peer) put(op []byte, controls ...[]byte) []byte {
	p.id++
	rest := op
	if controls != nil {
		rest = append(bytes.Clone(op), wire.Element(wire.TagControls, controls...)...)
	}
	return wire.Element(wire.TagSequence, wire.AppendNumber(nil, wire.TagInteger, p.id), rest)
}

func (p *peer) send(messages ...[]byte) {
	p.t.Helper()
	if _, err := p.Write(bytes.Join(messages, nil)); err != nil {
		p.t.Fatal(err)
	}
}

// reply is a response as it came.
type reply struct {
	id         int32
	op         byte
	code       int
	diagnostic string
	oid        string
	value      []byte
	named      bool // has a responseName
	controls   int
}

// receive reads one response; entries are passed over.
func (p *peer) receive() reply {
	p.t.Helper()
	for {
		frame, err := p.frames.Next(wire.MaxFrameBound)
		if err != nil {
			p.t.Fatalf("no reply: %v", err)
		}
		d := wire.Decoder{Rest: frame}
		in := d.Within(wire.TagSequence)
		var r reply
		r.id = int32(in.Number(wire.TagInteger))
		var body []byte
		r.op, body = in.Next()
		if r.op == wire.OpSearchEntry {
			continue
		}
		b := wire.Decoder{Rest: body}
		r.code = int(b.Number(wire.TagEnumerated))
		b.Take(wire.TagString)
		r.diagnostic = b.Text(wire.TagString)
		if b.Peek() == wire.TagResponseName {
			r.oid, r.named = b.Text(wire.TagResponseName), true
		}
		if b.Peek() == wire.TagResponseValue {
			r.value = bytes.Clone(b.Take(wire.TagResponseValue))
		}
		if in.Peek() == wire.TagControls {
			list := in.Within(wire.TagControls)
			for ; list.More(); r.controls++ {
				list.Take(wire.TagSequence)
			}
		}
		if in.Err != nil || b.Err != nil || b.More() {
			p.t.Fatalf("no response: %x", frame)
		}
		return r
	}
}

// ask sends an operation and returns its response.
func (p *peer) ask(op []byte, controls ...[]byte) reply {
	p.t.Helper()
	p.send(p.put(op, controls...))
	r := p.receive()
	if response, _ := wire.ResponseTo(op[0]); r.op != response || r.id != p.id {
		p.t.Fatalf("asked %#x as %d, got %#x as %d", op[0], p.id, r.op, r.id)
	}
	return r
}

// wants is ask with the code that is expected.
func (p *peer) wants(code int, op []byte, controls ...[]byte) reply {
	p.t.Helper()
	r := p.ask(op, controls...)
	if r.code != code {
		p.t.Errorf("code %d (%s), want %d", r.code, r.diagnostic, code)
	}
	return r
}

// who is what WhoAmI tells.
func (p *peer) who() string {
	p.t.Helper()
	return string(p.wants(wire.ResultSuccess, extendedOp(wire.OIDWhoAmI)).value)
}

// notice reads a Notice of Disconnection, and then the end.
func (p *peer) notice(code int) {
	p.t.Helper()
	r := p.receive()
	if r.id != 0 || r.op != wire.OpExtendedResponse || r.oid != wire.OIDNotice || r.code != code {
		p.t.Errorf("got %+v, want a notice of disconnection with %d", r, code)
	}
	p.gone()
}

// gone reads until the end.
func (p *peer) gone() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.Conn); err != nil || len(rest) > 0 {
		p.t.Errorf("no clean end: %x, %v", rest, err)
	}
	p.Close()
}

// Requests that many a test sends.
var (
	bindOp          = linkstest.Bind
	extendedOp      = linkstest.Extended
	searchOp        = linkstest.Search
	criticalControl = linkstest.Critical
)

func bindVersion(version byte, dn string, choice []byte) []byte {
	return wire.Element(wire.OpBind, []byte{wire.TagInteger, 1, version}, wire.Octets(dn), choice)
}

// eventually waits until something holds.
func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !holds(); runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatal("it does not come to that")
		}
	}
}
