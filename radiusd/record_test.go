package radiusd

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"net/netip"
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

// ledger takes accounting records; account says what becomes of one.
type ledger struct {
	Sessions // of which nothing else is asked for here
	account  func(context.Context, gate.Accounting) error

	mu    sync.Mutex
	taken []gate.Accounting
}

func (l *ledger) Account(ctx context.Context, a gate.Accounting) error {
	if l.account != nil {
		if err := l.account(ctx, a); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = append(l.taken, a)
	return nil
}

func (l *ledger) Orders(context.Context) ([]gate.Order, error) { return nil, nil }

func (l *ledger) records() []gate.Accounting {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.taken)
}

// desk is a server that takes accounting, and a NAS's socket to that port.
type desk struct {
	*rig
	*ledger
	nas *recorder
}

func account(t testing.TB, change func(*desk), clients ...Client) *desk {
	t.Helper()
	d := &desk{ledger: new(ledger)}
	d.rig = prepare(t, func(r *rig) {
		d.rig = r
		r.Sessions, r.StatusMax = d.ledger, 1000
		if change != nil {
			change(d)
		}
	}, clients...)
	if err := d.Listen([]string{"127.0.0.1:0"}, []string{"127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	d.serve()
	_, acct := d.Addrs()
	d.nas = &recorder{dial(t, acct[0])}
	return d
}

// recorder is the NAS's socket to the port for accounting.
type recorder struct{ *peer }

// report sends a record and returns the checked response.
func (p *recorder) report(record []byte) *radius.Packet {
	p.t.Helper()
	p.tell(record)
	return responded(p.t, p.hear(), record, testSecret)
}

// silent is that of a peer, on the port where Status-Server is answered by
// an Accounting-Response.
func (p *recorder) silent(datagram []byte) {
	p.t.Helper()
	p.tell(datagram)
	p.next++
	status := build(radius.CodeStatusServer, 200+p.next%50, testSecret, authenticator())
	p.tell(status)
	reply := p.hear()
	if reply[1] != status[1] || reply[0] != byte(radius.CodeAccountingResponse) {
		p.t.Fatalf("got an answer: % .60x", reply)
	}
	checked(p.t, reply, status, testSecret)
}

// responded verifies an Accounting-Response by other code than that which
// made it.
func responded(t testing.TB, reply, request []byte, secret string) *radius.Packet {
	t.Helper()
	p, err := radius.Parse(reply, []byte(secret))
	if err != nil {
		t.Fatalf("response does not parse: %v", err)
	}
	if p.Code != radius.CodeAccountingResponse || p.Identifier != request[1] || !radius.IsAuthenticResponse(reply, request, []byte(secret)) {
		t.Fatalf("response is not authentic: % x", reply)
	}
	for _, a := range p.Attributes {
		if a.Type != rfc2865.ProxyState_Type {
			t.Errorf("attribute %d in a response", a.Type)
		}
	}
	return p
}

// record makes an Accounting-Request of attributes as they stand on the wire,
// an attribute made by authenticator filled in.
func record(id byte, secret string, parts ...[]byte) []byte {
	b := make([]byte, 20)
	b[0], b[1] = byte(radius.CodeAccountingRequest), id
	at := 0
	for _, part := range parts {
		if bytes.Equal(part, authenticator()) {
			at = len(b) + 2
		}
		b = append(b, part...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if at > 0 {
		h := hmac.New(md5.New, []byte(secret))
		h.Write(b)
		copy(b[at:], h.Sum(nil))
	}
	return authentic(b, secret)
}

// authentic makes the Request Authenticator (RFC 2866 §3).
func authentic(b []byte, secret string) []byte {
	clear(b[4:20])
	sum := md5.Sum(append(bytes.Clone(b), secret...))
	copy(b[4:], sum[:])
	return b
}

// tells is what most records have.
func tells(status gate.AccountingStatus, more ...[]byte) [][]byte {
	return append([][]byte{
		number(rfc2866.AcctStatusType_Type, uint32(status)), text(rfc2866.AcctSessionID_Type, "s1"),
		text(rfc2865.UserName_Type, "alice"), text(rfc2865.NASIdentifier_Type, "box"),
	}, more...)
}

func TestRecordIsWrittenAndAnswered(t *testing.T) {
	d := account(t, nil)
	q := radius.New(radius.CodeAccountingRequest, []byte(testSecret))
	q.Identifier = 7
	rfc2866.AcctStatusType_Set(q, rfc2866.AcctStatusType_Value_Start)
	rfc2866.AcctSessionID_SetString(q, "s1")
	rfc2865.UserName_SetString(q, "alice")
	rfc2865.NASIdentifier_SetString(q, "box")
	for _, state := range []string{"first", "", "third"} {
		rfc2865.ProxyState_AddString(q, state)
	}
	datagram, err := q.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got := d.nas.report(datagram)
	states, _ := rfc2865.ProxyState_GetStrings(got)
	if !slices.Equal(states, []string{"first", "", "third"}) {
		t.Errorf("Proxy-State %q", states)
	}
	records := d.records()
	if len(records) != 1 || records[0].Status != gate.AccountingStart || records[0].Session != "s1" || records[0].Client != "vpn1" {
		t.Errorf("records %+v", records)
	}
	d.down()
	for name, values := range map[string][]string{
		"records_total": {"vpn1", "start"}, "replies_total": {"vpn1", "accounting"}, "record_seconds": {"vpn1"},
	} {
		if n := d.count(name, values...); n != 1 {
			t.Errorf("%s is %v", name, n)
		}
	}
	if seen := d.Readiness()[0]; seen.Accounting.Records.Count != 1 || seen.Requests.Count != 0 {
		t.Errorf("readiness %+v", seen)
	}
	if n := d.count("last_seen_timestamp_seconds", "vpn1"); n != float64(testTime.Unix()) {
		t.Errorf("last seen %v", n)
	}
	if n := d.count("methods_total"); n != 0 {
		t.Errorf("%v counted as sign-ins", n)
	}
	if d.gate.calls() != 0 {
		t.Error("the gate was asked to admit")
	}
}

// What anybody can send who lacks the secret is not answered and not written.
func TestForgedRecordIsNotWritten(t *testing.T) {
	good := record(1, testSecret, tells(gate.AccountingStop)...)
	with := record(1, testSecret, tells(gate.AccountingStop, authenticator())...)
	forgedMAC := authentic(tampered(with, len(with)-1), testSecret)
	zeroed := bytes.Clone(good)
	clear(zeroed[4:20])
	tests := []struct {
		name     string
		datagram []byte
		why      drop
	}{
		{"other secret", record(1, "other", tells(gate.AccountingStop)...), dropSecret},
		{"no secret", record(1, "", tells(gate.AccountingStop)...), dropSecret},
		{"authenticator of zeros", zeroed, dropSecret},
		{"tampered code", tampered(good, 0), dropCode},
		{"tampered identifier", tampered(good, 1), dropSecret},
		{"tampered authenticator", tampered(good, 19), dropSecret},
		{"tampered status", tampered(good, 25), dropSecret},
		{"tampered end", tampered(good, len(good)-1), dropSecret},
		{"cut", withLength(good, len(good)-5), dropSecret},
		{"forged Message-Authenticator", forgedMAC, dropSecret},
		{"Message-Authenticator over the authenticator", authentic(build(radius.CodeAccountingRequest, 1, testSecret, tells(gate.AccountingStop, authenticator())...), testSecret), dropSecret},
		{"tampered authenticator beside a Message-Authenticator", tampered(with, 4), dropSecret},
		{"Message-Authenticator alone", build(radius.CodeAccountingRequest, 1, testSecret, tells(gate.AccountingStop, authenticator())...), dropSecret},
		{"doubled Message-Authenticator", record(1, testSecret, tells(gate.AccountingStop, authenticator(), authenticator())...), dropMACDoubled},
		{"short Message-Authenticator", record(1, testSecret, tells(gate.AccountingStop, attr(80, make([]byte, 15)))...), dropMACLength},
		{"201 attributes", record(1, testSecret, bytes.Repeat([]byte{200, 2}, 201)), dropAttributes},
	}
	d := account(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d.nas.t = t
			before := d.count("dropped_total", "vpn1", string(tt.why))
			d.nas.silent(tt.datagram)
			if got := d.count("dropped_total", "vpn1", string(tt.why)); got != before+1 {
				t.Errorf("not counted as %s\n%s", tt.why, d.log)
			}
		})
	}
	if records := d.records(); len(records) != 0 {
		t.Errorf("records %+v", records)
	}
}

// Demands of a sign-in are none of an accounting record: no
// Message-Authenticator, with a Proxy-State or without.
func TestRecordNeedsNoMessageAuthenticator(t *testing.T) {
	d := account(t, nil)
	d.nas.report(record(1, testSecret, tells(gate.AccountingStart)...))
	d.nas.report(record(2, testSecret, tells(gate.AccountingStart, text(33, "proxy"))...))
	d.nas.report(record(3, testSecret, tells(gate.AccountingStart, text(79, "eap"), text(33, "proxy"))...))
	d.nas.report(record(4, testSecret, tells(gate.AccountingStart, authenticator())...))
	if n := len(d.records()); n != 4 {
		t.Errorf("%d records", n)
	}
}

// An Accounting-Request as radclient signs it when told to add a
// Message-Authenticator.
func TestRecordOfRadclient(t *testing.T) {
	datagram := unhex(t, "04be003eda841f85f7f3920b7b06e3cb84b54fea2806000000012c056162630107616c696365"+
		"50126fa029fcf5959312074f85c7f37ad0010406c0000201")
	d := account(t, nil)
	d.nas.report(datagram)
	if records := d.records(); len(records) != 1 || records[0].Session != "abc" || records[0].NAS != "from:127.0.0.1" {
		t.Errorf("records %+v", records)
	}
}

func TestRecordUnderEitherSecret(t *testing.T) {
	c := testClient()
	c.Secrets = [][]byte{[]byte("brand new"), []byte(testSecret)}
	d := account(t, nil, c)
	for i, secret := range []string{testSecret, "brand new"} {
		request := record(byte(i), secret, tells(gate.AccountingStart, authenticator())...)
		d.nas.tell(request)
		responded(t, d.nas.hear(), request, secret)
	}
}

func TestReplayedRecordGetsTheSameBytes(t *testing.T) {
	d := account(t, nil)
	request := record(1, testSecret, tells(gate.AccountingStart, text(33, "ps"))...)
	d.nas.tell(request)
	first := d.nas.hear()
	for range 5 {
		d.nas.tell(request)
		if again := d.nas.hear(); !bytes.Equal(first, again) {
			t.Fatalf("answered % x, then % x", first, again)
		}
	}
	if n := len(d.records()); n != 1 {
		t.Errorf("written %d times", n)
	}
	if n := d.count("retransmissions_total", "answered"); n != 5 {
		t.Errorf("%v retransmissions counted", n)
	}
}

// Whoever lacks the secret neither reads a kept response nor pushes it out.
func TestForgedRecordDoesNotTouchTheCache(t *testing.T) {
	d := account(t, nil)
	request := record(1, testSecret, tells(gate.AccountingStart)...)
	d.nas.report(request)
	d.nas.silent(record(1, "other", tells(gate.AccountingStop)...))
	d.nas.report(request)
	if n := len(d.records()); n != 1 {
		t.Errorf("written %d times", n)
	}
}

func TestInterimThatDiffersOnlyInTimeIsANewRecord(t *testing.T) {
	d := account(t, nil)
	for i, id := range []byte{1, 1, 2} {
		d.nas.report(record(id, testSecret, tells(gate.AccountingInterim, number(rfc2866.AcctSessionTime_Type, uint32(60*i)))...))
	}
	records := d.records()
	if len(records) != 3 || records[0].Lasted != 0 || records[1].Lasted != time.Minute || records[2].Lasted != 2*time.Minute {
		t.Errorf("records %+v", records)
	}
}

func TestRecordInWorkIsNotWrittenTwice(t *testing.T) {
	entered, proceed := make(chan struct{}, 10), make(chan struct{})
	d := account(t, func(d *desk) {
		d.account = func(context.Context, gate.Accounting) error {
			entered <- struct{}{}
			<-proceed
			return nil
		}
	})
	request := record(1, testSecret, tells(gate.AccountingStart)...)
	d.nas.tell(request)
	<-entered
	for range 3 {
		d.nas.silent(request)
	}
	close(proceed)
	responded(t, d.nas.hear(), request, testSecret)
	if n := len(d.records()); n != 1 {
		t.Errorf("written %d times", n)
	}
}

// The answer says that the record is safe. While it is not there is none, and
// the NAS's next try is written.
func TestDeadStoreKeepsSilenceAboutRecords(t *testing.T) {
	fail := make(chan error, 1)
	fail <- errors.New("disk is full")
	d := account(t, func(d *desk) {
		d.account = func(context.Context, gate.Accounting) error {
			select {
			case err := <-fail:
				return err
			default:
				return nil
			}
		}
	})
	request := record(1, testSecret, tells(gate.AccountingStart)...)
	d.nas.tell(request)
	d.await(1, "dropped_total", string(dropUnwritten))
	if n := d.count("records_total"); n != 0 {
		t.Errorf("%v counted as written", n)
	}
	if !strings.Contains(d.log.String(), "disk is full") {
		t.Errorf("the log does not say why:\n%s", d.log)
	}
	d.nas.report(request)
	if n := len(d.records()); n != 1 {
		t.Errorf("written %d times", n)
	}
}

func TestPanicInAccounting(t *testing.T) {
	d := account(t, func(d *desk) {
		d.account = func(_ context.Context, a gate.Accounting) error {
			if a.Session == "boom" {
				panic("boom")
			}
			return nil
		}
	})
	d.nas.tell(record(1, testSecret, number(40, 1), text(44, "boom")))
	d.await(1, "dropped_total", string(dropPanic))
	d.nas.report(record(2, testSecret, tells(gate.AccountingStart)...))
	d.down()
}

// The commonest mistake of all: the log says what it is.
func TestWrongPort(t *testing.T) {
	d := account(t, nil)
	d.nas.silent(pap(1, "secret123456"))
	d.dial().silent(record(1, testSecret, tells(gate.AccountingStart)...))
	if n := d.count("dropped_total", "vpn1", string(dropPort)); n != 2 {
		t.Errorf("%v counted", n)
	}
	if d.gate.calls() != 0 || len(d.records()) != 0 {
		t.Error("taken on the wrong port")
	}
	if !strings.Contains(d.log.String(), "sends accounting to the port for authentication") {
		t.Errorf("the log does not say so:\n%s", d.log)
	}
}

func TestStatusServerOnTheAccountingPort(t *testing.T) {
	d := account(t, func(d *desk) { d.StatusMax = 5 })
	request := build(radius.CodeStatusServer, 9, testSecret, attr(33, []byte("ps")), authenticator())
	for range 2 { // never from the kept responses
		d.nas.tell(request)
		got := checked(t, d.nas.hear(), request, testSecret)
		if got.Code != radius.CodeAccountingResponse || len(got.Attributes) != 1 {
			t.Errorf("got %v with %d attributes", got.Code, len(got.Attributes))
		}
	}
	if n := d.count("retransmissions_total"); n != 0 {
		t.Errorf("%v retransmissions", n)
	}

	d.nas.tell(build(radius.CodeStatusServer, 9, testSecret))
	d.await(1, "dropped_total", string(dropMACMissing))
	d.gate.dead.Store(true)
	d.nas.tell(request)
	d.await(1, "dropped_total", string(dropStore))
	d.gate.dead.Store(false)
	for range 10 {
		d.nas.tell(request)
	}
	d.await(8, "dropped_total", string(dropStatusRate))
	if len(d.records()) != 0 {
		t.Error("taken for a record")
	}
}

// All NASes tell of everybody at once, and the store is slow: people still
// sign in.
func TestAccountingDoesNotStarveSignIns(t *testing.T) {
	entered, proceed := make(chan struct{}, 10), make(chan struct{})
	d := account(t, func(d *desk) {
		d.Workers, d.Queue, d.AcctWorkers, d.AcctQueue = 1, 1, 1, 1
		d.account = func(context.Context, gate.Accounting) error {
			entered <- struct{}{}
			<-proceed
			return nil
		}
	})
	d.nas.tell(record(1, testSecret, tells(gate.AccountingInterim)...))
	<-entered
	d.nas.tell(record(2, testSecret, tells(gate.AccountingInterim)...))
	third := record(3, testSecret, tells(gate.AccountingInterim)...)
	d.nas.silent(third)
	if n := d.count("dropped_total", string(dropOverload)); n != 1 {
		t.Errorf("%v dropped", n)
	}
	if got := d.dial().ask(pap(1, "secret123456")); got.Code != radius.CodeAccessAccept {
		t.Errorf("a sign-in got %v", got.Code)
	}
	close(proceed)
	d.nas.hear()
	d.nas.hear()
	d.nas.report(third)
}

func TestShutdownDrainsAccounting(t *testing.T) {
	entered, proceed := make(chan struct{}), make(chan struct{})
	d := account(t, func(d *desk) {
		d.account = func(context.Context, gate.Accounting) error {
			close(entered)
			<-proceed
			return nil
		}
	})
	request := record(1, testSecret, tells(gate.AccountingStop)...)
	d.nas.tell(request)
	<-entered
	down := make(chan error)
	go func() { down <- d.Shutdown(context.Background()) }()
	d.readers.Wait()
	close(proceed)
	responded(t, d.nas.hear(), request, testSecret)
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestShutdownGivesUpAccounting(t *testing.T) {
	entered := make(chan struct{})
	d := account(t, func(d *desk) {
		d.account = func(ctx context.Context, _ gate.Accounting) error {
			close(entered)
			<-ctx.Done()
			return ctx.Err()
		}
	})
	d.nas.tell(record(1, testSecret, tells(gate.AccountingStop)...))
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := d.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	d.work.Wait() // the gate was told to stop
}

// On a wildcard socket the response leaves from the address that was asked.
func TestResponseFromTheAskedAddress(t *testing.T) {
	r := prepare(t, func(r *rig) { r.Sessions = new(ledger) })
	if err := r.Listen([]string{"127.0.0.1:0"}, []string{"0.0.0.0:0"}); err != nil {
		t.Fatal(err)
	}
	r.serve()
	_, acct := r.Addrs()
	for _, host := range []string{"127.0.0.1", "127.9.8.7"} {
		nas := &recorder{dial(t, netip.AddrPortFrom(netip.MustParseAddr(host), acct[0].Port()))}
		request := record(1, testSecret, tells(gate.AccountingStart)...)
		nas.report(request)
		nas.report(request)
	}
}

func TestListenForAccounting(t *testing.T) {
	r := prepare(t, nil)
	if err := r.Listen([]string{"127.0.0.1:0"}, []string{"127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:0") {
		t.Errorf("without Sessions: %v", err)
	}
	r.Sessions = new(ledger)
	if err := r.Listen([]string{"127.0.0.1:0"}, []string{"radius-acct"}); err == nil || !strings.Contains(err.Error(), "radius-acct") {
		t.Errorf("a name: %v", err)
	}
	if auth, acct := r.Addrs(); len(auth)+len(acct) != 0 {
		t.Errorf("left open: %v %v", auth, acct)
	}
	if err := r.Listen(nil, []string{"127.0.0.1:0", "127.0.0.2:0"}); err != nil {
		t.Fatal(err)
	}
	if auth, acct := r.Addrs(); len(auth) != 0 || len(acct) != 2 {
		t.Errorf("addresses %v %v", auth, acct)
	}
	r.down()
}

// A record whose kind or session nobody knows can't be kept.
func TestRecordThatCannotBeKept(t *testing.T) {
	status, session := number(40, 1), text(44, "s1")
	tests := []struct {
		name  string
		parts [][]byte
		why   drop
	}{
		{"nothing", nil, dropNoStatus},
		{"no status", [][]byte{session}, dropNoStatus},
		{"status of 3 octets", [][]byte{attr(40, []byte{0, 0, 1}), session}, dropNoStatus},
		{"two statuses", [][]byte{status, session, number(40, 2)}, dropNoStatus},
		{"Start without a session", [][]byte{status}, dropNoSession},
		{"Stop without a session", [][]byte{number(40, 2)}, dropNoSession},
		{"Interim-Update without a session", [][]byte{number(40, 3)}, dropNoSession},
		{"empty session", [][]byte{status, attr(44, nil)}, dropNoSession},
		{"two sessions", [][]byte{status, session, text(44, "s2")}, dropNoSession},
	}
	d := account(t, nil)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d.nas.t = t
			before := d.count("dropped_total", "vpn1", string(tt.why))
			d.nas.silent(record(byte(i), testSecret, tt.parts...))
			d.await(before+1, "dropped_total", "vpn1", string(tt.why))
		})
	}
	if records := d.records(); len(records) != 0 {
		t.Errorf("records %+v", records)
	}
}

// The NAS would tell an unknown status for ever if it were not answered.
func TestStatusesThatNeedNoSession(t *testing.T) {
	d := account(t, nil)
	want := []gate.AccountingStatus{gate.AccountingOn, gate.AccountingOff, 9, 15, 0, 1 << 31}
	for i, status := range want {
		d.nas.report(record(byte(i), testSecret, number(40, uint32(status))))
	}
	var got []gate.AccountingStatus
	for _, a := range d.records() {
		got = append(got, a.Status)
	}
	if !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	if n := d.count("records_total", "other"); n != 4 {
		t.Errorf("%v counted as other", n)
	}
}

// An attribute that is passed over is named in the log, and the record kept.
func TestUnfitAttributeIsNamed(t *testing.T) {
	d := account(t, nil)
	d.nas.report(record(1, testSecret, tells(gate.AccountingStart, attr(rfc2865.FramedIPAddress_Type, []byte{1, 2, 3}))...))
	if records := d.records(); len(records) != 1 || records[0].Address4.IsValid() {
		t.Errorf("records %+v", records)
	}
	if !strings.Contains(d.log.String(), "Framed-IP-Address") {
		t.Errorf("the log does not name it:\n%s", d.log)
	}
	if strings.Contains(d.log.String(), "RFC 2866") {
		t.Error("warned of a NAS that says who it is")
	}
	d.nas.report(record(2, testSecret, number(40, 1), text(44, "s2"), number(rfc2869.EventTimestamp_Type, 1)))
	if !strings.Contains(d.log.String(), "RFC 2866") {
		t.Error("no warning of a NAS that does not")
	}
}
