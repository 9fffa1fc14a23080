package radiusd

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 2865 §7.1 and §7.2.
const (
	rfcSecret = "xyzzy5461"

	rfcRequest = "01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a" +
		"01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee" +
		"04 06 c0 a8 01 10 05 06 00 00 00 03"
	rfcAccept = "02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2" +
		"06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03"
	rfcCHAP = "01 01 00 47 2a ee 86 f0 8d 0d 55 96 9c a5 97 8e 0d 33 67 a2" +
		"01 08 66 6c 6f 70 73 79 03 13 16 e9 75 57 c3 16 18 58 95 f2 93 ff 63 44 07 72 75" +
		"04 06 c0 a8 01 10 05 06 00 00 00 14 06 06 00 00 00 02 07 06 00 00 00 01"
)

func TestRFC2865PasswordExample(t *testing.T) {
	p, why := frame(unhex(t, rfcRequest))
	if why != kept {
		t.Fatal(why)
	}
	o := survey(p)
	if o.mac != 0 || o.method != methodPAP || !o.named || o.proxied {
		t.Errorf("outline %+v", o)
	}
	var room [maxPasswordLen]byte
	q := ask(p, &o, &Client{}, newSecret([]byte(rfcSecret)), &room)
	if q.user != "nemo" || string(q.password) != "arctangent" || q.fault != "" {
		t.Errorf("question %+v", q)
	}
}

func TestRFC2865CHAPExample(t *testing.T) {
	p, why := frame(unhex(t, rfcCHAP))
	if why != kept {
		t.Fatal(why)
	}
	if o := survey(p); o.method != methodCHAP {
		t.Errorf("outline %+v", o)
	}
}

func TestRFC2865ResponseAuthenticator(t *testing.T) {
	reply := unhex(t, rfcAccept)
	want := bytes.Clone(reply[4:20])
	copy(reply[4:], unhex(t, rfcRequest)[4:20])
	if got := newSecret([]byte(rfcSecret)).responseAuthenticator(reply); !bytes.Equal(got[:], want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

// An Access-Request as radclient sends it, and as it signs it.
func TestMessageAuthenticatorOfRadclient(t *testing.T) {
	p, why := frame(unhex(t, "01890057fcd2ce11a3d678f56219b40d3da82ecd0107616c6963650212087ab292bc607ff1"+
		"be1b5522ad98c28c0406c00002011f0e3139382e35312e3130302e37210431325012e7571830918e7627d6630f39fe691508"))
	if why != kept {
		t.Fatal(why)
	}
	o := survey(p)
	s := newSecret([]byte(testSecret))
	if o.badMAC != kept || !s.verify(p, o.mac) || newSecret([]byte("other")).verify(p, o.mac) {
		t.Errorf("outline %+v", o)
	}
	var room [maxPasswordLen]byte
	q := ask(p, &o, &Client{}, s, &room)
	if string(q.password) != "secret123456" || q.source.Addr.String() != "198.51.100.7" || string(q.proxyState[0]) != "12" {
		t.Errorf("question %+v", q)
	}
}

func TestFrameAllocatesNothing(t *testing.T) {
	hostile := build(1, 1, testSecret, bytes.Repeat([]byte{200, 2}, 2038))
	good := pap(1, "x")
	if n := testing.AllocsPerRun(100, func() {
		frame(hostile)
		p, _ := frame(good)
		survey(p)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTwoHundredAttributesAreFine(t *testing.T) {
	b := build(1, 1, testSecret, bytes.Repeat([]byte{200, 2}, maxAttributes))
	p, why := frame(b)
	if why != kept {
		t.Fatal(why)
	}
	n := 0
	for range p.attributes() {
		n++
	}
	if n != maxAttributes {
		t.Errorf("%d attributes", n)
	}
	for typ := range p.attributes() {
		if typ != 200 {
			t.Errorf("type %d", typ)
		}
		break // a walk can be left
	}
}

func TestMicrosoftAttributes(t *testing.T) {
	for value, want := range map[string]bool{
		"00000137 01 03 42":          true,
		"00000137 0b 03 00 19 03 42": true,  // a challenge, then the response
		"00000137 0b 03 00":          false, // a challenge alone
		"00000138 01 03 42":          false, // another vendor
		"00000137 01":                false,
		"00000137 01 01":             false,
		"00000137 01 09 42":          false,
		"0000":                       false,
		"":                           false,
		"00000137 00 02 01 02":       true,
	} {
		if got := answersMSCHAP(unhex(t, value)); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
}

func TestMethodLabels(t *testing.T) {
	for m, want := range map[method]string{0: "none", methodPAP: "pap", methodCHAP: "chap", methodMSCHAP: "mschap", methodEAP: "eap", methodPAP | methodEAP: "several"} {
		if got := m.label(); got != want {
			t.Errorf("%d: %s, want %s", m, got, want)
		}
	}
}

// FuzzCheck: no datagram makes a panic, and none is believed without a
// Message-Authenticator that this secret made.
func FuzzCheck(f *testing.F) {
	f.Add(unhex(f, rfcRequest))
	f.Add(unhex(f, rfcCHAP))
	f.Add(pap(1, "secret123456", attr(33, []byte("x"))))
	f.Add(build(radius.CodeStatusServer, 1, testSecret, authenticator()))
	f.Add(build(1, 1, testSecret, attr(79, nil), attr(79, []byte{2, 1, 0, 4}), authenticator()))
	f.Add(build(1, 1, testSecret, attr(26, unhex(f, "00000137 01 03 42")), authenticator()))
	strict := newTable(mustClients(f, testClient()), newMetrics(nil)).find(netipPrefix("127.0.0.1/32").Addr())
	lax := testClient()
	lax.AllowMissingMA = true
	easy := newTable(mustClients(f, lax), newMetrics(nil)).find(netipPrefix("127.0.0.1/32").Addr())
	f.Fuzz(func(t *testing.T, datagram []byte) {
		before := bytes.Clone(datagram)
		for _, n := range []*nas{strict, easy} {
			p, o, key, why := n.check(datagram, radius.CodeAccessRequest)
			if !bytes.Equal(before, datagram) {
				t.Fatal("the datagram was changed")
			}
			if why != kept {
				continue
			}
			if sent := layehParse(t, datagram); n == strict && !macIsRight(sent, p) {
				t.Fatalf("believed % x", datagram)
			}
			var room [maxPasswordLen]byte
			q, answer := ask(p, &o, &n.Client, key, &room), admitted()
			if reply := reject(p, &q, key, "no"); reply != nil {
				checked(t, reply, p, testSecret)
			}
			if reply := accept(p, &q, &n.Client, key, &answer, netip.Addr{}, testTime); reply != nil {
				checked(t, reply, p, testSecret)
			}
			checked(t, statusReply(radius.CodeAccessAccept, p, key), p, testSecret)
		}
	})
}

// layehParse is another's opinion of what is a packet.
func layehParse(t *testing.T, datagram []byte) *radius.Packet {
	t.Helper()
	p, err := radius.Parse(datagram, []byte(testSecret))
	if err != nil {
		t.Fatalf("believed what does not parse: %v: % x", err, datagram)
	}
	return p
}

func macIsRight(sent *radius.Packet, p packet) bool {
	at, found := headerLen, 0
	for _, a := range sent.Attributes {
		if a.Type == 80 {
			found = at + 2
		}
		at += 2 + len(a.Attribute)
	}
	return found > 0 && newSecret([]byte(testSecret)).verify(p, found)
}

func TestLines(t *testing.T) {
	for _, message := range []string{"", "short", strings.Repeat("a", 253), strings.Repeat("a", 254), strings.Repeat("関所", 200), strings.Repeat("𠮷", 100), "bad\xff"} {
		pieces := lines(message)
		for _, piece := range pieces {
			if len(piece) == 0 || len(piece) > 253 || strings.ToValidUTF8(piece, "") != piece {
				t.Errorf("piece %q", piece)
			}
		}
		if got := strings.Join(pieces, ""); got != strings.ToValidUTF8(message, "\uFFFD") {
			t.Errorf("%q became %q", message, got)
		}
	}
}

func TestClassTooLongIsNotSent(t *testing.T) {
	p, _ := frame(pap(1, "x"))
	answer := admitted()
	answer.Ticket.Class = strings.Repeat("c", 254)
	if b := accept(p, &question{}, &Client{}, newSecret([]byte(testSecret)), &answer, netip.Addr{}, testTime); b != nil {
		t.Errorf("sent % x", b)
	}
	answer.Ticket.Class = ""
	b := accept(p, &question{}, &Client{}, newSecret([]byte(testSecret)), &answer, netip.Addr{}, testTime)
	if got := checked(t, b, p, testSecret); rfc2865.Class_Get(got) != nil {
		t.Error("an empty Class was sent")
	}
}
