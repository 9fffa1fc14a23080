package radiusd

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"

	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/rfc2869"
	"sekisho/gate"
)

const (
	minPasswordLen = 16 // hidden, with its padding (RFC 2865 §5.2)
	maxPasswordLen = 128
)

// question is an Access-Request in the words of the gate.
type question struct {
	user     string
	password []byte // a view into the room given to ask
	source   gate.Source
	state    []byte // of the round before, a view into the packet; nil: there was none

	fault     gate.Fault // why it is refused unjudged; "" is judged
	attribute string     // the one at fault, if one is

	eap        bool // the reply carries an EAP-Failure
	eapID      byte
	msCHAP     byte // the Microsoft attribute that holds the response; 0: none
	msCHAPID   byte
	proxyState [][]byte // views into the packet, in order
}

// ask reads an Access-Request that is believed of the client. The password is
// revealed into room, which the caller clears.
func ask(p packet, o *outline, c *Client, s *secret, room *[maxPasswordLen]byte) (q question) {
	var service uint32
	var where testimony
	var eapStarted bool
	var name []byte
	var seen [256]bool
	for typ, value := range p.attributes() {
		if shape := shapes[byte(typ)]; q.attribute == "" && !shape.fits(value, seen[byte(typ)]) {
			q.attribute = shape.name
		}
		seen[byte(typ)] = true
		switch typ {
		case rfc2865.UserName_Type:
			name = value
		case rfc2865.ServiceType_Type:
			if len(value) == 4 {
				service = binary.BigEndian.Uint32(value)
			}
		case rfc2865.State_Type:
			q.state = value
		case rfc2865.CallingStationID_Type:
			where.hear(station(value))
		case rfc2868.TunnelClientEndpoint_Type:
			if c.TunnelEndpoint {
				where.hear(endpoint(value))
			}
		case rfc2865.ProxyState_Type:
			q.proxyState = append(q.proxyState, value)
		case rfc2869.EAPMessage_Type:
			q.eap = true
			if !eapStarted && len(value) >= 2 { // the first fragment has code and identifier
				q.eapID, eapStarted = value[1], true
			}
		case rfc2865.VendorSpecific_Type:
			if o.mac == 0 {
				break // nothing is echoed to who may have altered it
			}
			for typ, value := range microsoft(value) {
				if (typ == msCHAPResponse || typ == msCHAP2Response) && len(value) > 0 {
					q.msCHAP, q.msCHAPID = typ, value[0]
				}
			}
		}
	}
	q.user, q.source = printable(name), where.source

	tooLong := len(o.password) > maxPasswordLen && len(o.password)%authLen == 0
	if q.attribute == "" && o.method&methodPAP != 0 && !passwordSized(o.password) && !tooLong {
		q.attribute = "User-Password"
	}
	if q.fault = q.unfit(o, c, service, name, tooLong); q.fault != "" {
		return q
	}
	q.password = s.reveal(room[:], o.password, p.authenticator())
	// Without a Message-Authenticator a password that is not text most
	// likely was hidden with another secret: not a guess to be counted.
	if bytes.IndexByte(q.password, 0) >= 0 || o.mac == 0 && !isText(q.password) {
		q.fault, q.password = gate.FaultBadPassword, nil
	}
	return q
}

// unfit is why the question can't be judged, whatever the password is; "" if
// it can.
func (q *question) unfit(o *outline, c *Client, service uint32, name []byte, tooLong bool) gate.Fault {
	switch {
	case q.attribute != "":
		return gate.FaultBadAttribute
	case service == uint32(rfc2865.ServiceType_Value_CallCheck):
		return gate.FaultCallCheck
	case service == serviceAuthorizeOnly: // RFC 5080 §2.1.1
		return gate.FaultAuthorizeOnly
	case o.doubled || bits.OnesCount8(uint8(o.method)) > 1:
		return gate.FaultTwoCredentials
	case o.method == methodEAP:
		return gate.FaultEAP
	case o.method == methodCHAP:
		return gate.FaultCHAP
	case o.method == methodMSCHAP:
		return gate.FaultMSCHAP
	case o.method == 0:
		return gate.FaultNoCredential
	case q.state != nil && (c.Challenge == gate.ChallengeNever || len(q.state) == 0): // none like that is given out
		return gate.FaultForeignState
	case len(name) == 0 || q.user != string(name):
		return gate.FaultBadName
	case tooLong:
		return gate.FaultBadPassword
	}
	return ""
}

// serviceAuthorizeOnly is a Service-Type of RFC 5176 §3.6.
const serviceAuthorizeOnly = 17

func passwordSized(hidden []byte) bool {
	return len(hidden) >= minPasswordLen && len(hidden) <= maxPasswordLen && len(hidden)%authLen == 0
}

// isText reports whether a password can have been typed: UTF-8 without NUL.
func isText(password []byte) bool {
	return utf8.Valid(password) && bytes.IndexByte(password, 0) < 0
}

// printable is a name for the book: what is not UTF-8, or is a NUL, shows as
// U+FFFD.
func printable(name []byte) string {
	text := strings.ToValidUTF8(string(name), "\uFFFD")
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}
