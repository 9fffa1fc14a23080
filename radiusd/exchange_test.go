package radiusd

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"fmt"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2869"
)

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
