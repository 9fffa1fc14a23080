package ldapproxy

import (
	"cmp"
	"crypto/tls"
	"slices"

	"sekisho/gate"
	"sekisho/ldapproxy/insight"
	"sekisho/ldapproxy/wire"
)

// What is seen of an application is noted here, for Insights and /metrics.

// version is that of TLS.
func (c *conn) version() string {
	if secured, ok := c.wire.(*tls.Conn); ok {
		return tls.VersionName(secured.ConnectionState().Version)
	}
	return insight.NoTLS
}

// witness notes a bind that was judged. Of strangers nothing is kept: they are
// nobody's, and what they do is in the book.
func (c *conn) witness(k *credential, v *verdict) {
	if k.app == nil {
		return
	}
	name := k.app.Name
	why := v.answer.Reason
	refused := why != "" && v.answer.Outcome != gate.Admitted
	again := c.server.evidence.Of(name, k.came).Bind(insight.Bind{
		At: k.came, First: c.boundFor != name, Name: k.name,
		Outcome: string(v.outcome), Success: v.outcome.success(),
		Reason: why, Refused: refused, Cut: k.cut, TLS: c.version(),
		Server: k.upstream, Took: k.upstreamTook, Failed: k.upstreamFailed,
	})
	c.boundFor = name
	m := c.server.metrics
	if again {
		m.again.WithLabelValues(name).Inc()
	}
	if refused {
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
	now := c.server.Now()
	e := c.server.evidence.Of(app.Name, now)
	for _, control := range m.Controls {
		if control.Critical {
			e.MissedControl(control.OID, now)
		}
	}
}

// unserved answers an extended operation that there is not.
func (c *conn) unserved(m wire.Message, e wire.ExtendedRequest) {
	if app := c.appOf(c.server.table.Load()); app != nil {
		now := c.server.Now()
		c.server.evidence.Of(app.Name, now).MissedOperation(e.OID, now)
	}
	c.reply(m, noSuchOperation)
}

// Insights tells of each application in force, in the order of their names.
func (s *Server) Insights() []insight.App {
	s.setup()
	var list []insight.App
	now := s.Now()
	for _, a := range s.table.Load().apps {
		i := s.evidence.Of(a.Name, now).Tell(now)
		i.Name, i.Settings = a.Name, insight.Settings{PlainBinds: a.PlainBinds, Observe: a.Observe}
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b insight.App) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Remember goes on from what Insights told before a restart. Call it once: what
// it is given is added to what was seen since.
func (s *Server) Remember(list []insight.App) {
	s.setup()
	for i := range list {
		s.evidence.Of(list[i].Name, s.Now()).Recall(&list[i])
	}
}
