package ldapproxy

import (
	"crypto/tls"

	"sekisho/gate"
	"sekisho/ldapproxy/wire"
)

// What is seen of an application is noted here, for Insights and /metrics.

// noTLS is the version of TLS where there is none.
const noTLS = "none"

// version is that of TLS.
func (c *conn) version() string {
	if secured, ok := c.wire.(*tls.Conn); ok {
		return tls.VersionName(secured.ConnectionState().Version)
	}
	return noTLS
}

// witness notes a bind that was judged. Of strangers nothing is kept: they are
// nobody's, and what they do is in the book.
func (c *conn) witness(k *credential, v *verdict) {
	if k.app == nil {
		return
	}
	name := k.app.Name
	again := c.server.evidence.of(name, k.came).bind(k, v, c.version(), c.boundFor != name)
	c.boundFor = name
	m := c.server.metrics
	if again {
		m.again.WithLabelValues(name).Inc()
	}
	if why := v.answer.Reason; why != "" && v.answer.Outcome != gate.Admitted {
		m.refusals.WithLabelValues(name, why).Inc()
	}
	if k.upstreamFailed {
		m.upstreamFailed.WithLabelValues(name).Inc()
	} else if k.upstream != "" {
		m.upstreamTook.WithLabelValues(name).Observe(k.upstreamTook.Seconds())
	}
}

// missed notes what a client wanted and is not served.
func (c *conn) missed(app *app, m wire.Message, r wire.Result) {
	if app == nil || r.Code != wire.ResultUnavailableCritical {
		return
	}
	e := c.server.evidence.of(app.Name, c.server.Now())
	for _, control := range m.Controls {
		if control.Critical {
			e.missed(false, control.OID, c.server.Now())
		}
	}
}

// unserved answers an extended operation that there is not.
func (c *conn) unserved(m wire.Message, e wire.ExtendedRequest) {
	if app := c.appOf(c.server.table.Load()); app != nil {
		now := c.server.Now()
		c.server.evidence.of(app.Name, now).missed(true, e.OID, now)
	}
	c.reply(m, noSuchOperation)
}
