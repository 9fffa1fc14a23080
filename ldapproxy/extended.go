package ldapproxy

import "sekisho/ldapproxy/wire"

// extended answers an ExtendedRequest (RFC 4511 §4.12). What is not listed
// here is not served: among what other servers know there are ways to check a
// password past the gate.
func (c *conn) extended(m wire.Message) disconnect {
	e, err := m.Extended()
	if err != nil {
		return c.unreadable(m, err)
	}
	switch e.OID {
	case wire.OIDStartTLS:
		return c.startTLS(m, e)
	case wire.OIDWhoAmI:
		c.whoAmI(m, e)
	case wire.OIDCancel:
		c.cancel(m, e)
	case wire.OIDModifyPassword:
		c.reply(m, c.readOnly())
	default:
		c.reply(m, wire.Result{Code: wire.ResultProtocolError, Diagnostic: "no such extended operation"})
	}
	return staying
}

// whoAmI tells the authorization identity (RFC 4532 §2.2); empty: anonymous.
func (c *conn) whoAmI(m wire.Message, e wire.ExtendedRequest) {
	if e.HasValue {
		c.reply(m, wire.Result{Code: wire.ResultProtocolError, Diagnostic: "Who am I takes no value"})
		return
	}
	identity := []byte{}
	if c.session.bound() {
		identity = []byte("dn:" + c.session.dn)
	}
	c.room()
	c.out = wire.AppendExtended(c.out, m.ID, wire.Result{}, "", identity)
	c.server.metrics.operation(m.Op, wire.ResultSuccess)
}

// cancel answers a Cancel. Every operation that came before it is answered
// already, so there is never one to be cancelled (RFC 3909 §2.3).
func (c *conn) cancel(m wire.Message, e wire.ExtendedRequest) {
	d := wire.Decoder{Rest: e.Value}
	in := d.Within(wire.TagSequence)
	in.Number(wire.TagInteger)
	if in.End() != nil || d.More() {
		c.reply(m, wire.Result{Code: wire.ResultProtocolError, Diagnostic: "malformed Cancel"})
		return
	}
	c.reply(m, wire.Result{Code: wire.ResultNoSuchOperation})
}
