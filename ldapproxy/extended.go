package ldapproxy

const (
	oidWhoAmI         = "1.3.6.1.4.1.4203.1.11.3" // RFC 4532
	oidModifyPassword = "1.3.6.1.4.1.4203.1.11.1" // RFC 3062
	oidCancel         = "1.3.6.1.1.8"             // RFC 3909
)

// extended answers an ExtendedRequest (RFC 4511 §4.12). What is not listed
// here is not served: among what other servers know there are ways to check a
// password past the gate.
func (c *conn) extended(m message) disconnect {
	e, err := m.extended()
	if err != nil {
		return c.unreadable(m, err)
	}
	switch e.oid {
	case oidStartTLS:
		return c.startTLS(m, e)
	case oidWhoAmI:
		c.whoAmI(m, e)
	case oidCancel:
		c.cancel(m, e)
	case oidModifyPassword:
		c.reply(m, c.readOnly())
	default:
		c.reply(m, result{code: resultProtocolError, diagnostic: "no such extended operation"})
	}
	return staying
}

// whoAmI tells the authorization identity (RFC 4532 §2.2); empty: anonymous.
func (c *conn) whoAmI(m message, e extendedRequest) {
	if e.hasValue {
		c.reply(m, result{code: resultProtocolError, diagnostic: "Who am I takes no value"})
		return
	}
	identity := []byte{}
	if c.session.bound() {
		identity = []byte("dn:" + c.session.dn)
	}
	c.room()
	c.out = appendExtended(c.out, m.id, result{}, "", identity)
	c.server.metrics.operation(m.op, resultSuccess)
}

// cancel answers a Cancel. Every operation that came before it is answered
// already, so there is never one to be cancelled (RFC 3909 §2.3).
func (c *conn) cancel(m message, e extendedRequest) {
	d := decoder{rest: e.value}
	in := d.within(tagSequence)
	in.number(tagInteger)
	if in.end() != nil || d.more() {
		c.reply(m, result{code: resultProtocolError, diagnostic: "malformed Cancel"})
		return
	}
	c.reply(m, result{code: resultNoSuchOperation})
}
