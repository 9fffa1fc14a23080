package radiusd

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
	"sekisho/gate"
)

// order is the Disconnect-Request or CoA-Request (RFC 5176) of one order. It
// names the machine and the session and, for a change, what the person is given
// from now on. It returns nil if that is longer than a packet may be.
//
// A request of these codes is signed like a reply to a request whose
// authenticator is zero: Message-Authenticator first, with the Request
// Authenticator taken as zero, then that one over it all (RFC 5176 §2.3, §3.4).
func order(identifier byte, o *gate.Order, machine string, c *Client, s *secret, now time.Time) []byte {
	code := radius.CodeDisconnectRequest
	if o.Change {
		code = radius.CodeCoARequest
	}
	zero := make(packet, headerLen)
	zero[1] = identifier
	r := newReply(code, zero)
	r.machine(machine)
	r.add(rfc2866.AcctSessionID_Type, unescaped(o.Session))
	r.add(rfc2865.UserName_Type, []byte(o.User))
	if c.Disconnect.Address && o.Address.Is4() {
		r.add(rfc2865.FramedIPAddress_Type, o.Address.AsSlice())
	}
	r.number(rfc2869.EventTimestamp_Type, uint32(now.Unix()))
	if o.Change {
		r.attributes(c.Reply, o.Groups)
	}
	return r.sign(s)
}

// answerTo takes a datagram for the answer to a request of ours, or says why
// it is not one. What is not is no answer at all: anybody can send it.
func answerTo(request packet, datagram []byte, s *secret) (packet, drop) {
	p, why := frame(datagram)
	if why != kept {
		return nil, why
	}
	if ack := request.code() + 1; p.code() != ack && p.code() != ack+1 {
		return nil, dropCode
	}
	if p.identifier() != request.identifier() {
		return nil, dropIdentifier
	}
	o := survey(p)
	if o.badMAC != kept {
		return nil, o.badMAC
	}
	// Both are over the authenticator of the request (RFC 5176 §3.4), but
	// FreeRADIUS, and who follows it, takes zeros for Message-Authenticator.
	signed := bytes.Clone(p)
	copy(signed[4:], request.authenticator())
	sum := s.responseAuthenticator(signed)
	if subtle.ConstantTimeCompare(sum[:], p.authenticator()) != 1 {
		return nil, dropSecret
	}
	if o.mac != 0 && !s.verify(signed, o.mac) && !s.verifyRecord(p, o.mac) {
		return nil, dropSecret
	}
	return p, kept
}

// verdict is what became of an order.
type verdict struct {
	result string // for the book; "": nothing is known, and nothing is booked
	done   bool   // there is nothing left to do, or to say it again would change nothing
}

// gone is the verdict of a NAS that knows no such session: the gate takes it
// for the session's end.
var gone = verdict{"nak 503", true}

// The verdicts on orders that no NAS decided.
var (
	silent      = verdict{"silent", false}
	noWay       = verdict{"no_way", false}      // the client takes no orders, at present
	noName      = verdict{"no_name", true}      // nothing names the session: the NAS would take all of the person's for meant
	behindProxy = verdict{"behind_proxy", true} // the machine that holds the session can't be reached
	noChange    = verdict{"no_change", true}    // the client gives these groups what it gave before
	tooLong     = verdict{"too_long", true}     // for one packet
)

// causes are the values of Error-Cause that a NAS refuses with (RFC 5176
// §3.5), and whether it does so for good.
var causes = map[uint32]verdict{
	401: {"Unsupported-Attribute", true},
	402: {"Missing-Attribute", true},
	403: {"NAS-Identification-Mismatch", true},
	404: {"Invalid-Request", true},
	405: {"Unsupported-Service", true},
	406: {"Unsupported-Extension", true},
	407: {"Invalid-Attribute-Value", true},
	501: {"Administratively-Prohibited", true},
	502: {"Request-Not-Routable", false},
	503: {"", true}, // Session-Context-Not-Found, which is gone
	504: {"Session-Context-Not-Removable", false},
	505: {"Other-Proxy-Processing-Error", false},
	506: {"Resources-Unavailable", false},
	507: {"Request-Initiated", true},
	508: {"Multiple-Session-Selection-Unsupported", true},
}

// decided is the verdict of an answer. A refusal without a cause, or with one
// that we don't know, may pass.
func decided(answer packet) verdict {
	if code := answer.code(); code == radius.CodeDisconnectACK || code == radius.CodeCoAACK {
		return verdict{"ack", true}
	}
	v := verdict{"nak", false}
	for typ, value := range answer.attributes() {
		if typ == rfc3576.ErrorCause_Type && len(value) == 4 {
			cause := binary.BigEndian.Uint32(value)
			v = verdict{strings.TrimSpace(fmt.Sprintf("nak %d %s", cause, causes[cause].result)), causes[cause].done}
		}
	}
	return v
}
