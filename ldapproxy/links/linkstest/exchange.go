package linkstest

import (
	"bytes"
	"io"
	"net"

	"sekisho/ldapproxy/wire"
)

// Exchange is a request that came, and the connection that it came on.
type Exchange struct {
	wire.Message
	net.Conn
	Number int     // of the connection, from 1
	Who    *string // who has bound on it; "": nobody
	Frame  []byte  // the request as it came
	up     *Server
}

// Send sends these octets, whatever they are.
func (x *Exchange) Send(octets ...[]byte) { x.Write(bytes.Join(octets, nil)) }

// Result is the message that ends the operation.
func (x *Exchange) Result(code int, text string, controls ...wire.Control) []byte {
	op, _ := wire.ResponseTo(x.Op)
	return wire.AppendResult(nil, x.ID, op, wire.Result{Code: code, Diagnostic: text}, controls...)
}

// Hang answers nothing from now on.
func (x *Exchange) Hang() { io.Copy(io.Discard, x.Conn) }

// Usual is what a directory does: a bind is checked, WhoAmI tells who it was,
// a search finds the entry that is its base.
func (x *Exchange) Usual() {
	switch x.Op {
	case wire.OpAbandon:
	case wire.OpBind:
		b, err := x.Bind()
		if err != nil {
			x.Send(x.Result(wire.ResultProtocolError, ""))
			return
		}
		*x.Who = ""
		password, known := x.up.Passwords[string(b.DN)]
		switch {
		case len(b.Password) == 0: // RFC 4513 §5.1.2, as many a server has it
			x.Send(x.Result(wire.ResultSuccess, ""))
		case known && password == string(b.Password):
			*x.Who = string(b.DN)
			x.Send(x.Result(wire.ResultSuccess, ""))
		default:
			x.Send(x.Result(wire.ResultInvalidCredentials, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4563"))
		}
	case wire.OpSearch:
		q, err := x.Search()
		if err != nil {
			x.Send(x.Result(wire.ResultProtocolError, ""))
			return
		}
		entry := wire.AppendEntry(nil, x.ID, q.Base, []wire.Attribute{{Name: "uid", Values: []string{"alice"}}})
		x.Send(entry, x.Result(wire.ResultSuccess, ""))
	case wire.OpExtended:
		if e, err := x.Extended(); err == nil && e.OID == wire.OIDWhoAmI {
			identity := ""
			if *x.Who != "" {
				identity = "dn:" + *x.Who
			}
			x.Send(wire.AppendExtended(nil, x.ID, wire.Result{}, "", []byte(identity)))
			return
		}
		x.Send(x.Result(wire.ResultSuccess, ""))
	default:
		x.Send(x.Result(wire.ResultSuccess, ""))
	}
}

// Request is a message of an operation as a client sends it, read.
func Request(id int32, op []byte, controls ...[]byte) (wire.Message, []byte) {
	rest := op
	if controls != nil {
		rest = append(bytes.Clone(op), wire.Element(wire.TagControls, controls...)...)
	}
	frame := wire.Element(wire.TagSequence, wire.AppendNumber(nil, wire.TagInteger, id), rest)
	m, err := wire.ParseMessage(frame)
	if err != nil {
		panic(err)
	}
	return m, frame
}
