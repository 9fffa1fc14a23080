package radiusd

import (
	"encoding/binary"
	"iter"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3162"
)

const (
	headerLen     = 20                     // code, identifier, length, authenticator
	maxPacketLen  = radius.MaxPacketLength // RFC 2865 §3
	maxAttributes = 200                    // a packet has room for 2,038: far more than any NAS sends
	maxValueLen   = 253                    // octets in one attribute
	authLen       = 16                     // of an authenticator and of a Message-Authenticator
)

// The attributes of Microsoft that carry a credential or its refusal
// (RFC 2548 §2).
const (
	vendorMicrosoft = 311

	msCHAPResponse  = 1
	msCHAPError     = 2
	msCHAPCPW1      = 3
	msCHAPCPW2      = 4
	msCHAP2Response = 25
	msCHAP2CPW      = 27
)

// packet is one RADIUS packet as it stood in its datagram, its framing
// checked by frame.
type packet []byte

// frame cuts the packet out of a datagram; octets after its Length are
// ignored. It allocates nothing, whatever the datagram claims.
func frame(datagram []byte) (packet, drop) {
	if len(datagram) < headerLen {
		return nil, dropShort
	}
	n := int(binary.BigEndian.Uint16(datagram[2:4]))
	if n < headerLen || n > maxPacketLen || n > len(datagram) {
		return nil, dropLength
	}
	p := packet(datagram[:n:n])
	count := 0
	for rest := p[headerLen:]; len(rest) > 0; count++ {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) {
			return nil, dropFraming
		}
		if count == maxAttributes {
			return nil, dropAttributes
		}
		rest = rest[rest[1]:]
	}
	return p, kept
}

func (p packet) code() radius.Code     { return radius.Code(p[0]) }
func (p packet) identifier() byte      { return p[1] }
func (p packet) authenticator() []byte { return p[4:headerLen] }

// attributes walks the attributes in their order. The values are views into
// the packet.
func (p packet) attributes() iter.Seq2[radius.Type, []byte] {
	return func(yield func(radius.Type, []byte) bool) {
		for rest := p[headerLen:]; len(rest) > 0; rest = rest[rest[1]:] {
			if !yield(radius.Type(rest[0]), rest[2:rest[1]]) {
				return
			}
		}
	}
}

// method is a set of the ways in which a request shows a credential.
type method uint8

const (
	methodPAP method = 1 << iota
	methodCHAP
	methodMSCHAP
	methodEAP
)

// label is the method's name in the counters.
func (m method) label() string {
	switch m {
	case 0:
		return "none"
	case methodPAP:
		return "pap"
	case methodCHAP:
		return "chap"
	case methodMSCHAP:
		return "mschap"
	case methodEAP:
		return "eap"
	}
	return "several"
}

// outline is what one walk over a packet tells: enough to decide whether it
// is believed, before anything is copied.
type outline struct {
	mac       int    // where the value of Message-Authenticator starts; 0: absent
	badMAC    drop   // why the Message-Authenticator can't be used, if it can't
	method    method // the kinds of credential
	password  []byte // the hidden User-Password, the last one if there are several
	doubled   bool   // more than one User-Password or CHAP-Password
	proxied   bool   // a Proxy-State is there
	named     bool   // the NAS says who it is (RFC 2865 §4.1)
	continues bool   // a State is there: it answers a challenge
}

func survey(p packet) (o outline) {
	at := headerLen
	for typ, value := range p.attributes() {
		at += 2
		switch typ {
		case rfc2869.MessageAuthenticator_Type:
			switch {
			case len(value) != authLen:
				o.badMAC = dropMACLength
			case o.mac != 0:
				o.badMAC = dropMACDoubled
			default:
				o.mac = at
			}
		case rfc2865.UserPassword_Type:
			o.doubled = o.doubled || o.method&methodPAP != 0
			o.method |= methodPAP
			o.password = value
		case rfc2865.CHAPPassword_Type:
			o.doubled = o.doubled || o.method&methodCHAP != 0
			o.method |= methodCHAP
		case rfc2869.EAPMessage_Type:
			o.method |= methodEAP
		case rfc2865.VendorSpecific_Type:
			if answersMSCHAP(value) {
				o.method |= methodMSCHAP
			}
		case rfc2865.ProxyState_Type:
			o.proxied = true
		case rfc2865.State_Type:
			o.continues = true
		case rfc2865.NASIPAddress_Type, rfc2865.NASIdentifier_Type, rfc3162.NASIPv6Address_Type:
			o.named = true
		}
		at += len(value)
	}
	return o
}

// answersMSCHAP reports whether a Vendor-Specific attribute holds a response
// to an MS-CHAP challenge, of version 1 or 2, or a change of password.
func answersMSCHAP(value []byte) bool {
	for typ := range microsoft(value) {
		switch typ {
		case msCHAPResponse, msCHAP2Response, msCHAPCPW1, msCHAPCPW2, msCHAP2CPW:
			return true
		}
	}
	return false
}

// microsoft walks the sub-attributes of a Vendor-Specific attribute of
// Microsoft; any other vendor's, and any that is ill framed, yields none.
func microsoft(value []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		if len(value) < 4 || binary.BigEndian.Uint32(value) != vendorMicrosoft {
			return
		}
		for rest := value[4:]; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
			if !yield(rest[0], rest[2:rest[1]]) {
				return
			}
		}
	}
}
