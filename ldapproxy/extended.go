package ldapproxy

import "sekisho/ldapproxy/wire"

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
