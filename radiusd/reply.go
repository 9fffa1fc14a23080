package radiusd

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc6911"
	"sekisho/gate"
)

// reply is a packet that is being built. It starts with Message-Authenticator:
// as the first attribute it leaves an attacker no known text before it in
// which to search a collision (CVE-2024-3596).
type reply struct {
	octets []byte
}

const macAt = headerLen + 2 // where its value is, in each of our replies

func newReply(code radius.Code, request packet) *reply {
	r := &reply{octets: make([]byte, headerLen, 128)}
	r.octets[0] = byte(code)
	r.octets[1] = request.identifier()
	copy(r.octets[4:], request.authenticator())
	var zero [authLen]byte
	r.add(rfc2869.MessageAuthenticator_Type, zero[:])
	return r
}

// add appends an attribute; a value that is empty (RFC 2865 §5) or can't be
// sent in one piece is left out.
func (r *reply) add(typ radius.Type, value []byte) {
	if len(value) == 0 || len(value) > maxValueLen {
		return
	}
	r.octets = append(r.octets, byte(typ), byte(len(value)+2))
	r.octets = append(r.octets, value...)
}

func (r *reply) number(typ radius.Type, n uint32) {
	r.add(typ, binary.BigEndian.AppendUint32(nil, n))
}

// message adds as much of a message for the person as fits in besides the
// Proxy-State and the reserved octets.
func (r *reply) message(text string, q *question, reserved int) {
	room := maxPacketLen - len(r.octets) - reserved
	for _, state := range q.proxyState {
		room -= 2 + len(state)
	}
	for _, line := range lines(text) {
		if room -= 2 + len(line); room < 0 {
			return
		}
		r.add(rfc2865.ReplyMessage_Type, []byte(line))
	}
}

// sign completes the reply: Message-Authenticator is computed over the
// request's authenticator, then the reply's own over it all (RFC 3579 §3.2,
// RFC 2865 §3). It returns nil if the reply is longer than a packet may be.
func (r *reply) sign(s *secret) []byte {
	n := len(r.octets)
	if n > maxPacketLen {
		return nil
	}
	binary.BigEndian.PutUint16(r.octets[2:], uint16(n))
	sum := s.messageAuthenticator(r.octets, macAt)
	copy(r.octets[macAt:], sum[:])
	sum = s.responseAuthenticator(r.octets)
	copy(r.octets[4:], sum[:])
	return r.octets[:n:n]
}

// accept is an Access-Accept. It returns nil if that can't be sent whole: an
// Accept without its Session-Timeout would outlive its ticket. The address is
// the one to use in the tunnel; zero leaves it to the client.
func accept(p packet, q *question, c *Client, s *secret, a *gate.Answer, addr netip.Addr, now time.Time) []byte {
	r, t := newReply(radius.CodeAccessAccept, p), &a.Ticket
	if !c.NoClass {
		if len(t.Class) > maxValueLen {
			return nil
		}
		r.add(rfc2865.Class_Type, []byte(t.Class))
	}
	if !t.Until.IsZero() {
		left := min(max(t.Until.Sub(now)/time.Second, 1), math.MaxInt32)
		r.number(rfc2865.SessionTimeout_Type, uint32(left))
	}
	if c.Interim > 0 {
		r.number(rfc2869.AcctInterimInterval_Type, uint32(c.Interim/time.Second))
	}
	switch {
	case addr.Is4():
		r.add(rfc2865.FramedIPAddress_Type, addr.AsSlice())
	case addr.Is6():
		r.add(rfc6911.FramedIPv6Address_Type, addr.AsSlice())
	}
	r.attributes(c.Reply, a.Person.Groups)
	r.proxyStates(q)
	return r.sign(s)
}

// challenge is an Access-Challenge: it asks for the code. What it may carry
// is a short list, on which Class is not (RFC 2865 §5.44). It returns nil if
// there is no State to send, without which nobody could go on.
func challenge(p packet, q *question, s *secret, a *gate.Answer) []byte {
	if len(a.State) == 0 || len(a.State) > maxValueLen {
		return nil
	}
	r := newReply(radius.CodeAccessChallenge, p)
	const stateAndPrompt = 2 + 2 + 4
	r.message(a.Message, q, stateAndPrompt+len(a.State))
	r.add(rfc2865.State_Type, a.State)
	r.number(rfc2869.Prompt_Type, uint32(rfc2869.Prompt_Value_NoEcho))
	r.proxyStates(q)
	return r.sign(s)
}

// reject is an Access-Reject with what it may carry and no more: State and
// Class have no place in it (RFC 2865 §5.44).
func reject(p packet, q *question, s *secret, message string) []byte {
	r := newReply(radius.CodeAccessReject, p)
	if q.msCHAP != 0 {
		r.add(rfc2865.VendorSpecific_Type, msCHAPRefusal(q))
	}
	if q.eap { // never beside a Reply-Message (RFC 3579 §2.6.5)
		const failure, length = 4, 4 // RFC 3748 §4.2
		r.add(rfc2869.EAPMessage_Type, []byte{failure, q.eapID, 0, length})
	} else {
		r.message(message, q, 0)
	}
	r.proxyStates(q)
	return r.sign(s)
}

// statusReply answers a Status-Server with the code that suits the port:
// Message-Authenticator and nothing else, not even its Proxy-State (RFC 5997
// §4.2).
func statusReply(code radius.Code, p packet, s *secret) []byte {
	return newReply(code, p).sign(s)
}

// proxyStates copies them unmodified and in order (RFC 2865 §5.33), an empty
// one included: it is not ours to leave out.
func (r *reply) proxyStates(q *question) {
	for _, state := range q.proxyState {
		r.octets = append(r.octets, byte(rfc2865.ProxyState_Type), byte(len(state)+2))
		r.octets = append(r.octets, state...)
	}
}

// msCHAPRefusal is an MS-CHAP-Error (RFC 2548 §2.1.5) that says wrong
// credentials, no retry. Version 2 wants a challenge in it, used or not
// (RFC 2759 §6).
func msCHAPRefusal(q *question) []byte {
	text := "E=691 R=0 V=2"
	if q.msCHAP == msCHAP2Response {
		var challenge [16]byte
		rand.Read(challenge[:])
		text = fmt.Sprintf("E=691 R=0 C=%s V=3 M=Use PAP", strings.ToUpper(hex.EncodeToString(challenge[:])))
	}
	value := binary.BigEndian.AppendUint32(nil, vendorMicrosoft)
	value = append(value, msCHAPError, byte(3+len(text)), q.msCHAPID)
	return append(value, text...)
}

// lines cuts a message into pieces that fit an attribute each, between runes.
func lines(message string) (pieces []string) {
	message = strings.ToValidUTF8(message, "\uFFFD")
	for len(message) > maxValueLen {
		cut := maxValueLen
		for !utf8.RuneStart(message[cut]) {
			cut--
		}
		pieces = append(pieces, message[:cut])
		message = message[cut:]
	}
	if message != "" {
		pieces = append(pieces, message)
	}
	return pieces
}
