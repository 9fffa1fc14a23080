package radiusd

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
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

// room is what fits in besides the reserved octets.
func (r *reply) room(reserved int) int { return maxPacketLen - len(r.octets) - reserved }

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
// Accept without its Session-Timeout would outlive its ticket.
func accept(p packet, q *question, c *Client, s *secret, a *gate.Answer, now time.Time) []byte {
	r, t := newReply(radius.CodeAccessAccept, p), &a.Ticket
	if !c.NoClass {
		if len(t.Class) > maxValueLen {
			return nil
		}
		r.add(rfc2865.Class_Type, []byte(t.Class))
	}
	if !t.Until.IsZero() {
		left := min(max(t.Until.Sub(now)/time.Second, 1), math.MaxInt32)
		r.add(rfc2865.SessionTimeout_Type, binary.BigEndian.AppendUint32(nil, uint32(left)))
	}
	r.attributes(c.Reply, a.Person.Groups)
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
		reserved := 0
		for _, state := range q.proxyState {
			reserved += 2 + len(state)
		}
		for _, line := range lines(message) {
			if len(line)+2 > r.room(reserved) {
				break
			}
			r.add(rfc2865.ReplyMessage_Type, []byte(line))
		}
	}
	r.proxyStates(q)
	return r.sign(s)
}

// statusReply answers a Status-Server: Message-Authenticator and nothing
// else, not even its Proxy-State (RFC 5997 §4.2).
func statusReply(p packet, s *secret) []byte {
	return newReply(radius.CodeAccessAccept, p).sign(s)
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
