package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sekisho/gate"
	"sekisho/radiusd"
)

const orderSecret = "order-secret"

// ledger stands for the gate: it keeps what a NAS tells of its sessions, has
// orders for it, and keeps what became of those.
type ledger struct {
	t *testing.T

	mu     sync.Mutex
	told   []gate.Accounting
	due    []gate.Order
	booked map[int64]string
}

func (l *ledger) Account(_ context.Context, a gate.Accounting) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, a)
	return nil
}

func (l *ledger) Lease(context.Context, string, string, []netip.Prefix) (netip.Addr, error) {
	return netip.Addr{}, nil
}

func (l *ledger) Orders(context.Context) ([]gate.Order, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.due), nil
}

func (l *ledger) Obeyed(_ context.Context, o gate.Order, result string, done bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.booked[o.ID] = fmt.Sprintf("%s %v", result, done)
	l.due = slices.DeleteFunc(l.due, func(d gate.Order) bool { return d.ID == o.ID })
	return nil
}

// await is the first record of a status.
func (l *ledger) await(status gate.AccountingStatus) (a gate.Accounting) {
	l.t.Helper()
	eventually(l.t, fmt.Sprintf("an accounting record of status %d", status), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		i := slices.IndexFunc(l.told, func(a gate.Accounting) bool { return a.Status == status })
		if i >= 0 {
			a = l.told[i]
		}
		return i >= 0
	})
	return a
}

// order gives an order and wants it to end so.
func (l *ledger) order(o gate.Order, want string) {
	l.t.Helper()
	l.mu.Lock()
	o.ID = int64(len(l.booked)) + 1
	l.due = append(l.due, o)
	l.mu.Unlock()
	var got string
	eventually(l.t, "an order is obeyed or refused", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		got = l.booked[o.ID]
		return got != ""
	})
	if got != want {
		l.t.Errorf("%+v\nbecame %q, want %q", o, got, want)
	}
}

// commander is the RADIUS door with a ledger behind it, and a NAS that takes
// orders on a loopback port.
type commander struct {
	*ledger
	*radiusd.Server
	client radiusd.Client
	acct   int // port
}

func newCommander(t *testing.T, port int) *commander {
	t.Helper()
	l := &ledger{t: t, booked: make(map[int64]string)}
	c := &commander{ledger: l, Server: &radiusd.Server{Sessions: l}, client: radiusd.Client{
		Name: "nas", Prefix: netip.MustParsePrefix("127.0.0.1/32"), Secrets: [][]byte{[]byte(secret)}, Service: "network",
		Disconnect: radiusd.Disconnect{To: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)), Secret: []byte(orderSecret)},
	}}
	c.use()
	if err := c.Listen(nil, []string{"127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	_, acct := c.Addrs()
	c.acct = int(acct[0].Port())
	served := make(chan error)
	go func() { served <- c.Serve() }()
	t.Cleanup(func() {
		if err := c.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-served
	})
	return c
}

// use puts the client in force as it is now.
func (c *commander) use() {
	c.t.Helper()
	clients, err := radiusd.NewClients([]radiusd.Client{c.client})
	if err != nil {
		c.t.Fatal(err)
	}
	c.SetClients(clients)
}

// orderCapture is tshark listening to what the NAS receives and sends.
func orderCapture(t *testing.T, port int) *capture {
	t.Helper()
	return (&site{t: t, dir: t.TempDir(), radius: fmt.Sprintf("127.0.0.1:%d", port)}).capture()
}

const freeRADIUSConf = `
prefix = /usr
raddbdir = @DIR@
run_dir = @DIR@
logdir = @DIR@
libdir = /usr/lib/freeradius
security {
	allow_vulnerable_openssl = yes
}
client sekisho {
	ipaddr = 127.0.0.1
	secret = @SECRET@
	require_message_authenticator = yes
}
listen {
	type = @TYPE@
	ipaddr = 127.0.0.1
	port = @PORT@
	virtual_server = it
}
`

// freeRADIUS runs one that takes what is of the type, and returns what it
// tells of each packet. The rest of its configuration is given.
func freeRADIUS(t *testing.T, typ string, port int, key, rest string) *output {
	t.Helper()
	dir := t.TempDir()
	conf := strings.NewReplacer("@DIR@", dir, "@SECRET@", key, "@TYPE@", typ, "@PORT@", fmt.Sprint(port)).Replace(freeRADIUSConf) + rest
	if err := os.WriteFile(filepath.Join(dir, "radiusd.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, exec.Command("freeradius", "-X", "-d", dir))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("FreeRADIUS:\n%s%s", &p.out, &p.log)
		}
	})
	eventually(t, "FreeRADIUS is ready", func() bool {
		if p.ended() {
			t.Fatalf("freeradius ended: %v\n%s%s", p.err, &p.out, &p.log)
		}
		return strings.Contains(p.out.String(), "Ready to process requests")
	})
	return &p.out
}

// hostapd is a switch with alice behind one of its ports. It tells us of her
// session, and ends it when it is told to.
func TestHostapdEndsASession(t *testing.T) {
	t.Parallel()
	need(t, "root", "ip", "hostapd", "wpa_supplicant", "freeradius", "tshark")
	das := freePort(t)
	c := newCommander(t, das)
	c.client.Disconnect.Secret = []byte(secret) // which tshark knows
	c.use()
	hostapd := newSwitch(t, c.acct, das)
	wire := orderCapture(t, das)
	hostapd.plugIn()

	began := c.await(gate.AccountingStart)
	session := gate.Order{Client: "nas", Session: began.Session, User: began.User, Address: netip.MustParseAddr("198.51.100.7")}
	if began.NAS != "" || session.User != "alice" || session.Session == "" {
		t.Errorf("hostapd told of %+v", session)
	}
	other := func(change func(*gate.Order)) gate.Order {
		o := session
		change(&o)
		return o
	}
	c.order(other(func(o *gate.Order) { o.Session = "0000000000000000" }), "nak 503 true")
	c.order(other(func(o *gate.Order) { o.User = "bob" }), "nak 503 true")
	c.order(other(func(o *gate.Order) { o.NAS = "id:switch-2" }), "nak 403 NAS-Identification-Mismatch true")
	c.order(other(func(o *gate.Order) { o.NAS = "ip:192.0.2.1" }), "nak 403 NAS-Identification-Mismatch true")
	c.client.Reply = []radiusd.Attribute{{Name: "Filter-Id", Number: "11", Groups: []string{"staff"}, Octets: []byte("\x0b\x07staff")}}
	c.use()
	c.order(other(func(o *gate.Order) { o.Change, o.Groups = true, []string{"staff"} }), "nak 401 Unsupported-Attribute true")
	c.client.Disconnect.Address = true
	c.use()
	c.order(session, "nak 401 Unsupported-Attribute true")
	if hostapd.says("AP-STA-DISCONNECTED") {
		t.Error("hostapd ended a session that was not meant")
	}
	c.client.Disconnect.Address = false
	c.use()
	c.order(session, "ack true")
	if ended := c.await(gate.AccountingStop); ended.Session != session.Session {
		t.Errorf("%q was ended, meant was %q", ended.Session, session.Session)
	}
	c.order(session, "nak 503 true")
	wire.end()

	const orders = 8
	ports := make(map[string]bool) // a slow answer makes for a second try, from the same port
	for _, f := range wire.fields("radius.code == 40 || radius.code == 43", "udp.srcport") {
		ports[f[0]] = true
	}
	if len(ports) != orders {
		t.Errorf("%d requests were captured, want %d, one for each order", len(ports), orders)
	}
	if bad := wire.fields("radius.authenticator.invalid == 1", "frame.number"); len(bad) > 0 {
		t.Errorf("tshark holds these for forged: %v", bad)
	}
	// It checks answers alone; hostapd does requests.
	if good := wire.fields("radius.authenticator.valid == 1", "frame.number"); len(good) < orders {
		t.Errorf("tshark holds %d answers for right, want %d", len(good), orders)
	}
	if bad := wire.fields("radius && (_ws.malformed || _ws.expert.severity == error)", "frame.number", "_ws.expert.message"); len(bad) > 0 {
		t.Errorf("tshark complains: %v", bad)
	}
}

// knowsOne has FreeRADIUS take orders about one session. It answers with a
// Message-Authenticator.
const knowsOne = `
modules {
	always ok {
		rcode = ok
	}
	always reject {
		rcode = reject
	}
}
server it {
	recv-coa {
		if (&Acct-Session-Id == "S\\1") {
			ok
		}
		elsif (&Acct-Session-Id == "busy") {
			update reply {
				Error-Cause := Resources-Unavailable
			}
			reject
		}
		else {
			update reply {
				Error-Cause := Session-Context-Not-Found
			}
			reject
		}
	}
	send-coa {
		update reply {
			Message-Authenticator := 0x00
		}
		ok
	}
}
`

// FreeRADIUS checks the authenticators of what it is sent, and tells what was
// in it; it drops what it holds for forged.
func TestFreeRADIUSTakesOrders(t *testing.T) {
	t.Parallel()
	need(t, "freeradius")
	port := freePort(t)
	c := newCommander(t, port)
	heard := freeRADIUS(t, "coa", port, orderSecret, knowsOne)
	c.client.Reply = []radiusd.Attribute{{Name: "Filter-Id", Number: "11", Groups: []string{"staff"}, Octets: []byte("\x0b\x07staff")}}
	c.client.Disconnect.Address = true
	c.use()

	session := gate.Order{Client: "nas", NAS: "ip:2001:db8::1", Session: `S\\1`, User: "alice", Address: netip.MustParseAddr("198.51.100.7")}
	c.order(session, "ack true")
	session.Change, session.Groups = true, []string{"staff"}
	c.order(session, "ack true")
	session.Session = "S2"
	c.order(session, "nak 503 true")
	session.Change, session.Session, session.NAS = false, "busy", "ip:192.0.2.1"
	c.order(session, "nak 506 Resources-Unavailable false")
	for _, want := range []string{
		"Received Disconnect-Request", "Sent Disconnect-ACK", "Received CoA-Request", "Sent CoA-ACK", "Sent CoA-NAK", "Sent Disconnect-NAK",
		"NAS-IPv6-Address = 2001:db8::1", "NAS-IP-Address = 192.0.2.1", `User-Name = "alice"`, "Framed-IP-Address = 198.51.100.7",
		"Message-Authenticator = 0x", "Event-Timestamp = ", `Filter-Id = "staff"`,
	} {
		eventually(t, "FreeRADIUS tells of "+want, func() bool { return strings.Contains(heard.String(), want) })
	}
	if strings.Contains(heard.String(), "Dropping packet") {
		t.Error("FreeRADIUS holds something for forged")
	}
}
