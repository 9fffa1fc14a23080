package ldapproxy

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"time"

	"sekisho/ldapproxy/wire"
)

// StartTLS answers a StartTLS request, and begins TLS where it may.
func (c *conn) startTLS(m wire.Message, e wire.ExtendedRequest) disconnect {
	switch {
	case c.secure():
		c.reply(m, wire.Result{Code: wire.ResultOperationsError, Diagnostic: "TLS is up already"})
		return staying
	case c.behind.busy(): // RFC 4511 §4.14.1
		c.reply(m, wire.Result{Code: wire.ResultOperationsError, Diagnostic: "operations are not answered yet"})
		return staying
	case e.HasValue:
		c.reply(m, wire.Result{Code: wire.ResultProtocolError, Diagnostic: "StartTLS takes no value"})
		return staying
	case c.listener.TLS == nil:
		c.reply(m, wire.Result{Code: wire.ResultProtocolError, Diagnostic: "StartTLS is not offered"})
		return staying
	case c.frames.Buffered() > 0:
		// The client must wait for the answer before it sends anything (RFC
		// 4511 §4.14.1). Whoever put octets behind the request wants them
		// taken for what came through TLS.
		return byPlain
	}
	// Whoever has bound in clear text may have been somebody on the path
	// (RFC 4513 §3.2 lets the server lower the authorization state).
	c.leave()
	c.claim, c.boundFor = nil, ""
	c.room()
	c.out = wire.AppendExtended(c.out, m.ID, wire.Result{}, wire.OIDStartTLS, nil)
	c.server.metrics.operation(m.Op, wire.ResultSuccess)
	if err := c.flush(); err != nil {
		return c.lost(err)
	}
	return c.handshake()
}

// handshake begins TLS (RFC 4511 §4.14.1, or ldaps at once).
func (c *conn) handshake() disconnect {
	wait := time.NewTimer(c.server.limits.Handshake)
	defer wait.Stop()
	select {
	case c.server.handshakes <- struct{}{}:
		defer func() { <-c.server.handshakes }()
	case <-wait.C: // many are under way; those that never end are over by now
		return byTLS
	}
	secured := tls.Server(c.raw, c.listener.TLS)
	c.shake(true, time.Now().Add(c.server.limits.Handshake))
	if c.server.stopping.Load() {
		return byShutdown
	}
	if err := secured.HandshakeContext(context.Background()); err != nil {
		level := slog.LevelInfo
		if errors.Is(err, io.EOF) { // somebody looks whether we are there
			level = slog.LevelDebug
		}
		c.server.log.Log(c.server.ctx, level, "TLS handshake failed", "connection", c.number, "from", c.addr.String(), "error", err)
		return byTLS
	}
	c.shake(false, time.Time{})
	acknowledge(c.raw)
	c.wire = secured
	if shown := secured.ConnectionState().PeerCertificates; len(shown) > 0 {
		// Nobody has vouched for it, but the client has its key (RFC 8446
		// §4.4.3), now or when the session began that it resumes.
		c.key = sha256.Sum256(shown[0].RawSubjectPublicKeyInfo)
	}
	return staying
}

// shake begins or ends a handshake, with a deadline for what follows.
func (c *conn) shake(begins bool, until time.Time) {
	c.waking.Lock()
	defer c.waking.Unlock()
	c.shaking = begins
	c.raw.SetDeadline(until)
}

// offersTLS reports whether StartTLS is served here.
func (c *conn) offersTLS() bool { return c.listener.TLS != nil && c.listener.StartTLS }

// secure reports whether TLS is up.
func (c *conn) secure() bool { return c.wire != c.raw }

// private reports whether passwords and people may be told here: TLS is up,
// or clear text is allowed, by the listener and for the application.
func (c *conn) private(a *app) bool { return c.secure() || c.listener.PlainBinds && a.PlainBinds }
