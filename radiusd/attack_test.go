package radiusd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"sekisho/gate"
)

// tampered returns the request with one bit changed.
func tampered(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func withLength(b []byte, n int) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return b
}

func TestDroppedInSilence(t *testing.T) {
	good := pap(1, "secret123456")
	user := text(rfc2865.UserName_Type, "alice")
	crowd := func(n int) []byte { return bytes.Repeat([]byte{200, 2}, n) }
	tests := []struct {
		name     string
		datagram []byte
		why      drop
	}{
		{"truncated in the header", good[:19], dropShort},
		{"truncated in an attribute", good[:len(good)-1], dropLength},
		{"length below the header's", withLength(good, 19), dropLength},
		{"length beyond the datagram", withLength(good, len(good)+1), dropLength},
		{"oversized", withLength(append(bytes.Clone(good), make([]byte, 4100)...), 4097), dropLength},
		{"attribute of length 0", build(1, 1, testSecret, []byte{1, 0}), dropFraming},
		{"attribute of length 1", build(1, 1, testSecret, []byte{1, 1}), dropFraming},
		{"attribute past the end", build(1, 1, testSecret, []byte{1, 9, 'a'}), dropFraming},
		{"one octet of an attribute", build(1, 1, testSecret, []byte{1}), dropFraming},
		{"2,038 attributes", build(1, 1, testSecret, crowd(2038)), dropAttributes},
		{"201 attributes", build(1, 1, testSecret, crowd(200), authenticator()), dropAttributes},
		{"code of a reply", build(radius.CodeAccessAccept, 1, testSecret, user, authenticator()), dropCode},
		{"accounting on this port", build(radius.CodeAccountingRequest, 1, testSecret, user, authenticator()), dropPort},
		{"code 0", build(0, 1, testSecret, authenticator()), dropCode},

		{"wrong secret", build(1, 1, "other", user, hidden("secret123456"), authenticator()), dropSecret},
		{"tampered user name", tampered(good, 22), dropSecret},
		{"tampered authenticator", tampered(good, 4), dropSecret},
		{"tampered Message-Authenticator", tampered(good, len(good)-1), dropSecret},
		{"missing Message-Authenticator", papWithoutMAC(1, testSecret, "secret123456"), dropMACMissing},
		{"doubled Message-Authenticator", build(1, 1, testSecret, user, hidden("x"), authenticator(), authenticator()), dropMACDoubled},
		{"short Message-Authenticator", build(1, 1, testSecret, user, hidden("x"), attr(80, make([]byte, 15))), dropMACLength},
		{"long Message-Authenticator", build(1, 1, testSecret, user, hidden("x"), attr(80, make([]byte, 17))), dropMACLength},
		{"EAP without Message-Authenticator", build(1, 1, testSecret, user, attr(79, []byte{2, 1, 0, 5, 1})), dropEAP},
		{"Status-Server without Message-Authenticator", build(radius.CodeStatusServer, 1, testSecret), dropMACMissing},
		{"Status-Server with a wrong one", build(radius.CodeStatusServer, 1, "other", authenticator()), dropSecret},
	}
	r := start(t, func(r *rig) { r.StatusMax = 1000 })
	p := r.dial()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.t = t
			before := r.count("dropped_total", "vpn1", string(tt.why))
			p.silent(tt.datagram)
			if got := r.count("dropped_total", "vpn1", string(tt.why)); got != before+1 {
				t.Errorf("not counted as %s\n%s", tt.why, r.log)
			}
		})
	}
	if n := r.gate.calls(); n != 0 {
		t.Errorf("the gate was asked %d times", n)
	}
	if !strings.Contains(r.log.String(), string(dropSecret)) {
		t.Error("the log does not name a differing secret")
	}
	if strings.Contains(r.log.String(), testSecret) || strings.Contains(r.log.String(), "secret123456") {
		t.Error("a secret is in the log")
	}
}

// A client that may leave out Message-Authenticator gets no more than that.
func TestDroppedWithoutMessageAuthenticator(t *testing.T) {
	user := text(rfc2865.UserName_Type, "alice")
	tests := []struct {
		name     string
		datagram []byte
		why      drop
	}{
		{"Proxy-State", papWithoutMAC(1, testSecret, "secret123456", attr(33, []byte("x"))), dropProxyState},
		{"no credential", build(1, 1, testSecret, user), dropNothing},
		{"EAP", build(1, 1, testSecret, user, attr(79, []byte{2, 1, 0, 5, 1})), dropEAP},
		{"empty User-Password", build(1, 1, testSecret, user, attr(2, nil)), dropPassword},
		{"User-Password of 17 octets", build(1, 1, testSecret, user, attr(2, make([]byte, 17))), dropPassword},
		{"User-Password of 144 octets", build(1, 1, testSecret, user, attr(2, make([]byte, 144))), dropPassword},
		{"Status-Server", build(radius.CodeStatusServer, 1, testSecret), dropMACMissing},
		{"wrong Message-Authenticator", build(1, 1, "other", user, hidden("x"), authenticator()), dropSecret},
	}
	c := testClient()
	c.AllowMissingMA = true
	r := start(t, nil, c)
	p := r.dial()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.t = t
			p.silent(tt.datagram)
			if r.count("dropped_total", string(tt.why)) == 0 {
				t.Errorf("not counted as %s\n%s", tt.why, r.log)
			}
		})
	}
	if n := r.gate.calls(); n != 0 {
		t.Errorf("the gate was asked %d times", n)
	}
	p.t = t
	if got := p.ask(papWithoutMAC(99, testSecret, "secret123456")); got.Code != radius.CodeAccessAccept {
		t.Errorf("a plain request got %v", got.Code)
	}
}

func TestUnknownClient(t *testing.T) {
	c := testClient()
	c.Name, c.Prefix = "elsewhere", netipPrefix("192.0.2.0/24")
	neighbour := testClient()
	neighbour.Name, neighbour.Prefix = "neighbour", netipPrefix("127.0.0.2/32")
	r := start(t, nil, c, neighbour)
	p := r.dial()
	p.tell(pap(1, "secret123456"))
	p.tell(build(radius.CodeStatusServer, 2, testSecret, authenticator()))
	r.await(2, "dropped_total", string(dropClient))
	if n := r.gate.calls(); n != 0 {
		t.Errorf("the gate was asked %d times", n)
	}
}

// What is believed, but can't be judged, is refused with its own reason.
func TestRefusedUnjudged(t *testing.T) {
	user := text(rfc2865.UserName_Type, "alice")
	chap := attr(rfc2865.CHAPPassword_Type, make([]byte, 17))
	ms := func(typ byte, n int) []byte {
		value := binary.BigEndian.AppendUint32(nil, vendorMicrosoft)
		value = append(value, typ, byte(n+2), 0x42)
		return attr(rfc2865.VendorSpecific_Type, append(value, make([]byte, n-1)...))
	}
	eap := attr(rfc2869.EAPMessage_Type, []byte{2, 0x37, 0, 10, 1, 'a', 'l', 'i', 'c', 'e'})
	tests := []struct {
		name  string
		parts [][]byte
		fault gate.Fault
		log   string
	}{
		{"CHAP", [][]byte{user, chap}, gate.FaultCHAP, "PAP"},
		{"MS-CHAP", [][]byte{user, ms(msCHAPResponse, 50)}, gate.FaultMSCHAP, "PAP"},
		{"MS-CHAPv2", [][]byte{user, ms(msCHAP2Response, 50)}, gate.FaultMSCHAP, "PAP"},
		{"MS-CHAP change of password", [][]byte{user, ms(msCHAP2CPW, 68)}, gate.FaultMSCHAP, "PAP"},
		{"EAP", [][]byte{user, eap}, gate.FaultEAP, "PAP"},
		{"EAP-Start", [][]byte{user, attr(79, nil)}, gate.FaultEAP, ""},
		{"Call-Check", [][]byte{user, number(6, 10)}, gate.FaultCallCheck, ""},
		{"Call-Check with a password", [][]byte{user, hidden("x"), number(6, 10)}, gate.FaultCallCheck, ""},
		{"Authorize-Only", [][]byte{user, number(6, 17)}, gate.FaultAuthorizeOnly, ""},
		{"Authorize-Only with a State", [][]byte{user, number(6, 17), text(24, "x")}, gate.FaultAuthorizeOnly, ""},
		{"State not ours", [][]byte{user, hidden("123456"), text(24, "sealed elsewhere")}, gate.FaultForeignState, ""},
		{"password and CHAP", [][]byte{user, hidden("x"), chap}, gate.FaultTwoCredentials, ""},
		{"password and EAP", [][]byte{user, hidden("x"), eap}, gate.FaultTwoCredentials, ""},
		{"two passwords", [][]byte{user, hidden("x"), hidden("y")}, gate.FaultTwoCredentials, ""},
		{"two CHAP passwords", [][]byte{user, chap, chap}, gate.FaultTwoCredentials, ""},
		{"no credential", [][]byte{user}, gate.FaultNoCredential, ""},
		{"no name", [][]byte{hidden("x")}, gate.FaultBadName, ""},
		{"empty name", [][]byte{attr(1, nil), hidden("x")}, gate.FaultBadName, ""},
		{"name not UTF-8", [][]byte{text(1, "al\xffice"), hidden("x")}, gate.FaultBadName, ""},
		{"NUL in the name", [][]byte{text(1, "root\x00alice"), hidden("x")}, gate.FaultBadName, ""},
		{"two names", [][]byte{user, text(1, "bob"), hidden("x")}, gate.FaultBadAttribute, "User-Name"},
		{"NUL in the password", [][]byte{user, hidden("secret\x00123456")}, gate.FaultBadPassword, ""},
		{"over-long password", [][]byte{user, hidden(strings.Repeat("x", 129))}, gate.FaultBadPassword, ""},
		{"password of 15 octets on the wire", [][]byte{user, attr(2, make([]byte, 15))}, gate.FaultBadAttribute, "User-Password"},
		{"password of no octets on the wire", [][]byte{user, attr(2, nil)}, gate.FaultBadAttribute, "User-Password"},
		{"NAS-Port of 3 octets", [][]byte{user, hidden("x"), attr(5, []byte{0, 0, 1})}, gate.FaultBadAttribute, "NAS-Port"},
		{"NAS-IP-Address of 5 octets", [][]byte{user, hidden("x"), attr(4, make([]byte, 5))}, gate.FaultBadAttribute, "NAS-IP-Address"},
		{"empty Service-Type", [][]byte{user, hidden("x"), attr(6, nil)}, gate.FaultBadAttribute, "Service-Type"},
		{"CHAP-Password of 16 octets", [][]byte{user, attr(3, make([]byte, 16))}, gate.FaultBadAttribute, "CHAP-Password"},
		{"vendor without a number", [][]byte{user, hidden("x"), attr(26, []byte{0, 0, 1})}, gate.FaultBadAttribute, "Vendor-Specific"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, nil)
			p := r.dial()
			state := attr(rfc2865.ProxyState_Type, []byte("ps"))
			request := build(radius.CodeAccessRequest, byte(i), testSecret, append(tt.parts, state, authenticator())...)
			got := p.ask(request)
			if got.Code != radius.CodeAccessReject {
				t.Fatalf("got %v", got.Code)
			}
			if faults := r.gate.faultsSeen(); len(faults) != 1 || faults[0] != tt.fault {
				t.Errorf("fault %q, want %q", faults, tt.fault)
			}
			if len(r.gate.lastRequest().Password) != 0 {
				t.Error("an unjudged password was handed on")
			}
			if !strings.Contains(r.log.String(), tt.log) || !strings.Contains(r.log.String(), string(tt.fault)) {
				t.Errorf("the log does not say %q:\n%s", tt.log, r.log)
			}
			if string(rfc2865.ProxyState_Get(got)) != "ps" {
				t.Error("no Proxy-State")
			}
			onlyInReject(t, got)
		})
	}
}

// onlyInReject fails on anything that an Access-Reject may not carry.
func onlyInReject(t *testing.T, p *radius.Packet) {
	t.Helper()
	var message, eap int
	for _, a := range p.Attributes {
		switch a.Type {
		case rfc2865.ReplyMessage_Type:
			message++
		case rfc2869.EAPMessage_Type:
			eap++
		case rfc2865.ProxyState_Type, rfc2869.MessageAuthenticator_Type:
		case rfc2865.VendorSpecific_Type:
			vendor, value, err := radius.VendorSpecific(a.Attribute)
			if err != nil || vendor != 311 || value[0] != 2 || int(value[1]) != len(value) {
				t.Errorf("vendor attribute % x: %v", a.Attribute, err)
			}
		default:
			t.Errorf("attribute %d in a Reject", a.Type)
		}
	}
	if message > 0 && eap > 0 || eap > 1 {
		t.Errorf("%d Reply-Message and %d EAP-Message", message, eap)
	}
}

func TestEAPGetsOneFailure(t *testing.T) {
	r := start(t, nil)
	long := append([]byte{2, 0x37, 1, 0}, make([]byte, 200)...)
	got := r.dial().ask(build(1, 1, testSecret, text(1, "alice"), attr(79, long), attr(79, make([]byte, 52)), authenticator()))
	if eap := rfc2869.EAPMessage_Get(got); !bytes.Equal(eap, []byte{4, 0x37, 0, 4}) {
		t.Errorf("EAP-Message % x, want a Failure with the request's identifier", eap)
	}
	if m := messages(got); m != "" {
		t.Errorf("Reply-Message %q beside it", m)
	}
}

// The longest passwords and the empty one reach the gate as they are; NULs
// are cut at the end only.
func TestPasswordReachesTheGate(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	for i, password := range []string{"", "x", "0123456789abcdef", "パスワード123456", "sh\x82\xa0", strings.Repeat("y", 128)} {
		p.ask(pap(byte(i), password))
		if got := string(r.gate.lastRequest().Password); got != password {
			t.Errorf("password %q, want %q", got, password)
		}
	}
	if faults := r.gate.faultsSeen(); len(faults) > 0 {
		t.Errorf("faults %v", faults)
	}
}

// Without a Message-Authenticator nobody else can be blamed for a password
// that decodes to noise: it is refused, but never judged or counted.
func TestNoiseWithoutMessageAuthenticatorIsNotJudged(t *testing.T) {
	c := testClient()
	c.AllowMissingMA = true
	r := start(t, nil, c)
	p := r.dial()
	p.ask(papWithoutMAC(1, testSecret, "\xff\xfe\xfd"))
	if faults := r.gate.faultsSeen(); len(faults) != 1 || faults[0] != gate.FaultBadPassword {
		t.Errorf("faults %v", faults)
	}
}

func TestPanicInTheGate(t *testing.T) {
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			if string(q.Password) == "boom" {
				panic("boom")
			}
			return admitted(), nil
		}
	})
	p := r.dial()
	for id := range byte(20) {
		p.tell(pap(id, "boom"))
	}
	if got := p.ask(pap(100, "fine")); got.Code != radius.CodeAccessAccept {
		t.Errorf("got %v", got.Code)
	}
	r.down()
	if n := r.count("dropped_total", string(dropPanic)); n != 20 {
		t.Errorf("%v panics counted", n)
	}
	if !strings.Contains(r.log.String(), "attack_test.go") {
		t.Error("no stack in the log")
	}
}

// Could not judge: silence, and the retransmission is judged anew.
func TestErrorFromTheGateIsSilence(t *testing.T) {
	fail := make(chan error, 1)
	fail <- errors.New("store is down")
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			select {
			case err := <-fail:
				return gate.Answer{Outcome: gate.Refused}, err
			default:
				return admitted(), nil
			}
		}
	})
	p := r.dial()
	request := pap(1, "secret123456")
	p.tell(request)
	r.await(1, "dropped_total", string(dropUnjudged))
	if got := p.ask(request); got.Code != radius.CodeAccessAccept {
		t.Errorf("the retransmission got %v", got.Code)
	}
}

func TestLogIsLimited(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	for range 500 {
		p.tell(build(1, 1, "other", hidden("x"), authenticator()))
	}
	p.silent(nil)
	r.clock.move(logEvery)
	p.silent(build(1, 1, "other", hidden("x"), authenticator()))
	if n := strings.Count(r.log.String(), string(dropSecret)); n != 2 {
		t.Errorf("%d lines", n)
	}
	if want := fmt.Sprintf("left_out=%d", 499); !strings.Contains(r.log.String(), want) {
		t.Errorf("log lacks %s:\n%s", want, r.log)
	}
}
