package ldapproxy

import (
	"log/slog"
	"strings"
	"unicode/utf8"

	"sekisho/internal/directory"
)

// logBind writes the one line that a bind leaves in the log, and counts it.
// The whole name is told only of somebody who was admitted: others may have
// typed a password where the name belongs. The reference leads to the book.
func (c *conn) logBind(k *credential, v *verdict) {
	took := c.server.Now().Sub(k.came)
	tls := "no"
	if c.secure() {
		tls = "yes"
	}
	app := k.appName()
	c.server.metrics.binds.WithLabelValues(app, string(v.outcome), tls).Inc()
	c.server.metrics.took.WithLabelValues(app).Observe(took.Seconds())
	c.witness(k, v)

	r := c.request(k)
	dn := k.name
	if !v.session.bound() {
		dn = masked(k.name)
	}
	level := slog.LevelInfo
	if v.outcome == bindUnbooked { // they must not fill the log either
		level = slog.LevelDebug
	}
	c.server.log.LogAttrs(c.server.ctx, level, "ldap bind",
		slog.Uint64("connection", c.number),
		slog.String("from", c.addr.String()),
		slog.String("source", r.Source.String()),
		slog.String("how", r.Source.How),
		slog.String("tls", tls),
		slog.String("app", app),
		slog.String("service", r.Service),
		slog.String("dn", visible(dn)),
		slog.String("person", v.answer.Person.Name),
		slog.String("outcome", string(v.outcome)),
		slog.Int("code", v.answered().Code),
		slog.String("reason", v.answer.Reason),
		slog.String("rule", v.answer.Rule),
		slog.String("reference", v.answer.Reference),
		slog.String("ticket", v.answer.Ticket.ID),
		slog.Duration("took", took),
		slog.String("upstream", k.upstream),
		slog.Duration("upstream_took", k.upstreamTook),
	)
}

// masked keeps of a name its first letter, and of a DN where it would lie.
func masked(name string) string {
	if name == "" {
		return ""
	}
	_, size := utf8.DecodeRuneInString(name)
	_, above, _ := strings.Cut(name, ",")
	if dn, err := directory.ParseDN(name); err != nil || len(dn.RDNs) < 2 || strings.Contains(name, `\`) {
		return name[:size] + "…"
	}
	return name[:size] + "…," + above
}
