package ldapproxy

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/ldapproxy/wire"
)

func TestStartTLS(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if got := p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS)); got.oid != wire.OIDStartTLS {
		t.Errorf("%+v", got)
	}
	p.secure()
	if who := p.who(); who != "" {
		t.Errorf("%q was taken over from clear text", who)
	}
	p.wants(wire.ResultOperationsError, extendedOp(wire.OIDStartTLS))
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	if who := p.who(); who != "dn:"+aliceDN {
		t.Errorf("bound as %q", who)
	}
}

func TestStartTLSOfGoLDAP(t *testing.T) {
	r := start(t, func(r *rig) { r.listener.PlainBinds = false })
	c, err := ldap.DialURL("ldap://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(aliceDN, "secret123456"); err != nil {
		t.Error(err)
	}
}

func TestLDAPS(t *testing.T) {
	r := start(t, func(r *rig) { r.listener.StartTLS, r.listener.PlainBinds = false, false })
	p := r.dial()
	p.secure()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	p.wants(wire.ResultOperationsError, extendedOp(wire.OIDStartTLS))
}

func TestStartTLSThatCannotBe(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultProtocolError, extendedOp(wire.OIDStartTLS, nil)) // a value, though an empty one
	p.wants(wire.ResultProtocolError, extendedOp(wire.OIDStartTLS, []byte("x")))

	plain := start(t, func(r *rig) { r.listener.TLS, r.listener.StartTLS = nil, false })
	if got := plain.dial().wants(wire.ResultProtocolError, extendedOp(wire.OIDStartTLS)); got.named {
		t.Errorf("%+v", got)
	}
}

// Somebody on the path appends a request to StartTLS, to have it taken for
// what came through TLS.
func TestPlainOctetsBehindStartTLS(t *testing.T) {
	for name, op := range map[string][]byte{"a bind": bindOp(mailDN, mailPassword), "one octet": nil} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			p := r.dial()
			behind := []byte{0x30}
			if op != nil {
				behind = p.put(op)
			}
			p.send(p.put(extendedOp(wire.OIDStartTLS)), behind)
			p.notice(wire.ResultProtocolError)
			r.ends(byPlain, 1)
		})
	}
}

func TestPlainOctetsInsteadOfAClientHello(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	p.send(p.put(bindOp(mailDN, mailPassword)))
	r.ends(byTLS, 1)
	if r.count("binds_total") != 0 {
		t.Error("a bind was read")
	}
}

func TestHandshakeHasADeadline(t *testing.T) {
	r := start(t, func(r *rig) {
		r.Limits.Handshake = 10 * time.Millisecond
		r.listener.StartTLS = false
	})
	r.dial().gone()
	r.ends(byTLS, 1)

	r = start(t, func(r *rig) { r.Limits.Handshake = 10 * time.Millisecond })
	p := r.dial()
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	p.gone()
	r.ends(byTLS, 1)
}

// A look for idle clients may come late, when a handshake has begun.
func TestCallDoesNotEndAHandshake(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	eventually(t, func() (shaking bool) {
		r.crowd.each(func(c *conn) {
			c.waking.Lock()
			shaking = c.shaking
			c.waking.Unlock()
			c.call(staying)
		})
		return shaking
	})
	p.secure()
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
}
