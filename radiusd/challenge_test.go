package radiusd

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"sekisho/gate"
)

// asking is a client whose people are asked for the code in a round of its own.
func asking() Client {
	c := testClient()
	c.Challenge = gate.ChallengeAlways
	return c
}

const sealed = "sealed by the gate"

// twoRounds admits who knows "secret", and then "123456".
func twoRounds(_ context.Context, r gate.Request) (gate.Answer, error) {
	switch {
	case r.State == nil && string(r.Password) == "secret":
		return gate.Answer{Outcome: gate.Challenged, State: []byte(sealed), Message: "One-time code:"}, nil
	case string(r.State) == sealed && string(r.Password) == "123456":
		return admitted(), nil
	}
	return gate.Answer{Message: "Refused."}, nil
}

func twoRoundRig(t *testing.T, clients ...Client) *rig {
	t.Helper()
	if clients == nil {
		clients = []Client{asking()}
	}
	return start(t, func(r *rig) { r.gate.admit = twoRounds }, clients...)
}

// exchange asks with another implementation's client.
func (r *rig) exchange(password string, state []byte) *radius.Packet {
	r.t.Helper()
	p := radius.New(radius.CodeAccessRequest, []byte(testSecret))
	rfc2865.UserName_SetString(p, "alice")
	rfc2865.UserPassword_SetString(p, password)
	rfc2865.NASIdentifier_SetString(p, "vpn1")
	if state != nil {
		rfc2865.State_Set(p, state)
	}
	p.Set(rfc2869.MessageAuthenticator_Type, make([]byte, 16))
	plain, err := p.MarshalBinary()
	if err != nil {
		r.t.Fatal(err)
	}
	h := hmac.New(md5.New, []byte(testSecret))
	h.Write(plain)
	p.Set(rfc2869.MessageAuthenticator_Type, h.Sum(nil))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	got, err := radius.Exchange(ctx, p, r.addr.String())
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func TestChallengeRoundTrip(t *testing.T) {
	r := twoRoundRig(t)
	first := r.exchange("secret", nil)
	if first.Code != radius.CodeAccessChallenge || messages(first) != "One-time code:" {
		t.Fatalf("round one: %v %q", first.Code, messages(first))
	}
	second := r.exchange("123456", rfc2865.State_Get(first))
	if second.Code != radius.CodeAccessAccept {
		t.Fatalf("round two: %v", second.Code)
	}
	if got := r.exchange("654321", rfc2865.State_Get(first)); got.Code != radius.CodeAccessReject {
		t.Errorf("a wrong code: %v", got.Code)
	}
	for _, kind := range []string{"challenge", "accept", "reject"} {
		r.await(1, "replies_total", kind)
	}
}

// What a Challenge may carry, in its order, whatever else the gate says.
func TestChallengeCarriesNoClass(t *testing.T) {
	c := asking()
	c.Reply, c.Interim = []Attribute{filter("anybody")}, time.Minute
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			a := admitted()
			a.Outcome, a.State, a.Message = gate.Challenged, []byte(sealed), "Code?"
			return a, nil
		}
	}, c)
	got := r.dial().ask(pap(1, "secret", text(rfc2865.ProxyState_Type, "one"), text(rfc2865.ProxyState_Type, "two")))
	var types []radius.Type
	for _, a := range got.Attributes {
		types = append(types, a.Type)
	}
	want := []radius.Type{rfc2869.MessageAuthenticator_Type, rfc2865.ReplyMessage_Type, rfc2865.State_Type, rfc2869.Prompt_Type, rfc2865.ProxyState_Type, rfc2865.ProxyState_Type}
	if got.Code != radius.CodeAccessChallenge || fmt.Sprint(types) != fmt.Sprint(want) {
		t.Errorf("%v with %v, want %v", got.Code, types, want)
	}
	if prompt := got.Get(rfc2869.Prompt_Type); !bytes.Equal(prompt, []byte{0, 0, 0, 0}) {
		t.Errorf("Prompt % x, want No-Echo", prompt)
	}
}

// State is for a Challenge only (RFC 2865 §5.44).
func TestStateOnlyInAChallenge(t *testing.T) {
	for _, outcome := range []gate.Outcome{gate.Refused, gate.Admitted} {
		r := start(t, func(r *rig) {
			r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
				return gate.Answer{Outcome: outcome, State: []byte(sealed)}, nil
			}
		}, asking())
		if got := r.dial().ask(pap(1, "123456", text(rfc2865.State_Type, sealed))); rfc2865.State_Get(got) != nil {
			t.Errorf("%v with a State", got.Code)
		}
	}
}

func TestLongPromptIsCutBetweenRunes(t *testing.T) {
	long := strings.Repeat("確認コードを入力してください。", 60)
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			return gate.Answer{Outcome: gate.Challenged, State: bytes.Repeat([]byte("s"), maxValueLen), Message: long}, nil
		}
	}, asking())
	p := r.dial()
	got := p.ask(pap(1, "secret"))
	pieces, _ := rfc2865.ReplyMessage_GetStrings(got)
	for _, piece := range pieces {
		if !utf8.ValidString(piece) {
			t.Errorf("cut inside a rune: %q", piece)
		}
	}
	if messages(got) != long {
		t.Errorf("got %q", messages(got))
	}

	// Where there is no room, words are lost, and never the State.
	crowded := [][]byte{authenticator(), text(rfc2865.UserName_Type, "alice"), hidden("secret")}
	for range 13 {
		crowded = append(crowded, attr(rfc2865.ProxyState_Type, make([]byte, maxValueLen)))
	}
	got = p.ask(build(radius.CodeAccessRequest, 2, testSecret, crowded...))
	if m := messages(got); m == "" || !strings.HasPrefix(long, m) {
		t.Errorf("got %q", m)
	}
	states, _ := rfc2865.ProxyState_Gets(got)
	if len(rfc2865.State_Get(got)) != maxValueLen || got.Get(rfc2869.Prompt_Type) == nil || len(states) != 13 {
		t.Errorf("got %v", got.Attributes)
	}
}

// Nobody could go on without the State: silence, and the NAS asks elsewhere.
func TestChallengeWithoutAStateDoesNotLeave(t *testing.T) {
	for _, state := range [][]byte{nil, make([]byte, maxValueLen+1)} {
		r := start(t, func(r *rig) {
			r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
				return gate.Answer{Outcome: gate.Challenged, State: state, Message: "Code?"}, nil
			}
		}, asking())
		p := r.dial()
		p.tell(pap(1, "secret"))
		r.await(1, "dropped_total", string(dropReplyLength))
		p.silent(nil)
	}
}

func TestRetransmittedFirstRoundGetsTheSameState(t *testing.T) {
	states := 0
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			states++
			return gate.Answer{Outcome: gate.Challenged, State: fmt.Append(nil, "state ", states)}, nil
		}
	}, asking())
	p, request := r.dial(), pap(1, "secret")
	p.tell(request)
	first := p.hear()
	p.tell(request)
	if again := p.hear(); !bytes.Equal(first, again) || !bytes.Contains(first, []byte("state 1")) {
		t.Errorf("answered % x, then % x", first, again)
	}
	if n := r.gate.calls(); n != 1 {
		t.Errorf("the gate was asked %d times", n)
	}
}

// The gate gets what was typed as the code, an empty one too, with the State
// as it came, and judges whose it is.
func TestSecondRoundReachesTheGate(t *testing.T) {
	r := twoRoundRig(t)
	p := r.dial()
	for i, code := range []string{"123456", "", "１２３４５６"} {
		p.ask(pap(byte(i), code, text(rfc2865.State_Type, "somebody's \x00\xff")))
		got := r.gate.lastRequest()
		if got.Challenge != gate.ChallengeAlways || string(got.State) != "somebody's \x00\xff" || string(got.Password) != code {
			t.Errorf("asked %v %q %q", got.Challenge, got.State, got.Password)
		}
	}
	p.ask(pap(10, "secret"))
	if got := r.gate.lastRequest(); got.State != nil {
		t.Errorf("round one has State %q", got.State)
	}
	if faults := r.gate.faultsSeen(); len(faults) > 0 {
		t.Errorf("faults %v", faults)
	}
}

func TestSecondRoundUnjudged(t *testing.T) {
	user, state := text(rfc2865.UserName_Type, "alice"), text(rfc2865.State_Type, sealed)
	ms := append([]byte{0, 0, 1, 55, msCHAP2Response, 52, 0x42}, make([]byte, 49)...)
	for _, tt := range []struct {
		name  string
		parts [][]byte
		fault gate.Fault
	}{
		{"two States", [][]byte{user, hidden("123456"), state, state}, gate.FaultBadAttribute},
		{"an empty State", [][]byte{user, hidden("123456"), attr(rfc2865.State_Type, nil)}, gate.FaultForeignState},
		{"CHAP", [][]byte{user, state, attr(rfc2865.CHAPPassword_Type, make([]byte, 17))}, gate.FaultCHAP},
		{"MS-CHAPv2", [][]byte{user, state, attr(rfc2865.VendorSpecific_Type, ms)}, gate.FaultMSCHAP},
		{"EAP", [][]byte{user, state, attr(rfc2869.EAPMessage_Type, []byte{2, 1, 0, 5, 1})}, gate.FaultEAP},
		{"no code", [][]byte{user, state}, gate.FaultNoCredential},
		{"Authorize-Only", [][]byte{user, state, number(rfc2865.ServiceType_Type, 17)}, gate.FaultAuthorizeOnly},
		{"Authorize-Only with a code", [][]byte{user, state, hidden("123456"), number(rfc2865.ServiceType_Type, 17)}, gate.FaultAuthorizeOnly},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := twoRoundRig(t)
			got := r.dial().ask(build(radius.CodeAccessRequest, 1, testSecret, append(tt.parts, authenticator())...))
			if got.Code != radius.CodeAccessReject {
				t.Errorf("got %v", got.Code)
			}
			if faults := r.gate.faultsSeen(); len(faults) != 1 || faults[0] != tt.fault {
				t.Errorf("fault %q, want %q", faults, tt.fault)
			}
		})
	}
}

// Where no State is given out, one that comes is never judged.
func TestStateWhereNoneIsGivenOut(t *testing.T) {
	r := twoRoundRig(t, testClient())
	if got := r.exchange("123456", []byte(sealed)); got.Code != radius.CodeAccessReject {
		t.Errorf("got %v", got.Code)
	}
	if faults := r.gate.faultsSeen(); len(faults) != 1 || faults[0] != gate.FaultForeignState {
		t.Errorf("faults %v", faults)
	}
}

// Round one leaves at once. A wrong code leaves when a refusal would, for it
// tells as much.
func TestWrongCodeIsHeldLikeARefusal(t *testing.T) {
	c := asking()
	c.RejectDelay = time.Second
	r := start(t, func(r *rig) {
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			a := gate.Answer{Outcome: gate.Challenged, State: []byte(sealed), Message: "Code?"}
			if q.State != nil {
				a.Ready = testTime.Add(1500 * time.Millisecond)
			}
			return a, nil
		}
	}, c)
	p := r.dial()
	p.ask(pap(1, "secret"))
	request := pap(2, "654321", text(rfc2865.State_Type, sealed))
	p.tell(request)
	h := <-r.held
	if h.wait != 2*time.Second {
		t.Errorf("held for %v", h.wait)
	}
	p.silent(nil)
	h.fire()
	if got := checked(t, p.hear(), request, testSecret); got.Code != radius.CodeAccessChallenge {
		t.Errorf("got %v", got.Code)
	}
}

// Whoever has shown a password already goes before those who come anew, and
// neither takes the other's place.
func TestSecondRoundGoesFirst(t *testing.T) {
	never := testClient()
	never.Name, never.Prefix = "never", netipPrefix("127.0.0.2/32")
	entered, proceed := make(chan string, 10), make(chan struct{})
	r := start(t, func(r *rig) {
		r.Workers, r.Queue, r.Readers = 1, 2, 1
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			entered <- string(q.Password)
			<-proceed
			return admitted(), nil
		}
	}, asking(), never)
	p := r.dial()
	p.tell(pap(1, "busy"))
	if got := <-entered; got != "busy" {
		t.Fatal(got)
	}
	state := text(rfc2865.State_Type, sealed)
	p.tell(pap(2, "new 1"))
	p.tell(pap(3, "new 2"))
	p.silent(pap(4, "new 3"))
	p.tell(pap(5, "second 1", state))
	p.tell(pap(6, "second 2", state))
	p.silent(pap(7, "second 3", state))
	if n := r.count("dropped_total", string(dropOverload)); n != 2 {
		t.Errorf("%v dropped", n)
	}
	close(proceed)
	var order []string
	for range 4 {
		order = append(order, <-entered)
	}
	if got := strings.Join(order, ", "); got != "second 1, second 2, new 1, new 2" {
		t.Errorf("judged in the order %s", got)
	}
	for range 5 {
		p.hear()
	}
}

// A State alone gets nobody to the front: neither a client that is never given
// one, nor what anybody can send who writes the client's address on a packet.
func TestForeignStateDoesNotGoFirst(t *testing.T) {
	state := text(rfc2865.State_Type, sealed)
	notFirst(t, testClient(), pap(3, "x", state))
	lax := asking()
	lax.AllowMissingMA = true
	notFirst(t, lax, papWithoutMAC(3, testSecret, "x", state))
}

// notFirst wants the request to be dropped where others wait already.
func notFirst(t *testing.T, c Client, request []byte) {
	t.Helper()
	entered, proceed := make(chan string, 10), make(chan struct{})
	r := start(t, func(r *rig) {
		r.Workers, r.Queue, r.Readers = 1, 1, 1
		r.gate.admit = func(_ context.Context, q gate.Request) (gate.Answer, error) {
			entered <- string(q.Password)
			<-proceed
			return admitted(), nil
		}
	}, c)
	p := r.dial()
	p.tell(pap(1, "busy"))
	<-entered
	p.tell(pap(2, "new 1"))
	p.silent(request)
	if n := r.count("dropped_total", string(dropOverload)); n != 1 {
		t.Errorf("%v dropped", n)
	}
	close(proceed)
	p.hear()
	p.hear()
}
