package ldapproxy

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/directory"
	"sekisho/ldapproxy/links"
	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

const (
	aliceBehind  = linkstest.Alice
	behindBase   = "dc=behind"
	bobBehind    = "uid=bob,ou=people,dc=behind"
	mailBehind   = "cn=mail,ou=services,dc=behind"
	lenderBehind = "cn=sekisho,ou=services,dc=behind"
	codeOfAlice  = "123456"
	appOfAlice   = "app-bcdfghjkmnpqrstvwxyzbcdf"
)

var errDown = errors.New("the server is down")

// upstream is a directory behind, and what the server is told of it.
type upstream struct {
	Upstream
	*linkstest.Server
	t testing.TB
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	s := linkstest.NewServer(t)
	return &upstream{Upstream{Dial: s.Dial, RootDSE: func() (map[string][]string, bool) {
		return map[string][]string{"namingContexts": {"dc=behind"}, "supportedLDAPVersion": {"3"}}, true
	}}, s, t}
}

// relayRig is a server in front of a directory behind.
type relayRig struct {
	*rig
	up *upstream
}

// relayApp is dovecot, with a service account that the directory behind has.
func relayApp() App {
	app := testApp()
	app.Accounts = []Account{{DN: mailBehind}}
	return app
}

// startRelay serves dovecot in front of a directory where alice has "secret",
// and the gate cuts her code; change adjusts what is not usual.
func startRelay(t testing.TB, change func(*relayRig), apps ...App) *relayRig {
	t.Helper()
	r := &relayRig{up: newUpstream(t)}
	r.up.Passwords[bobBehind] = "hunter2"
	r.up.Passwords[mailBehind] = mailPassword
	r.up.Passwords[lenderBehind] = "lent"
	if apps == nil {
		other := elsewhere()
		other.Accounts = []Account{{DN: "cn=print,ou=services,dc=behind"}}
		apps = []App{relayApp(), other}
	}
	r.rig = start(t, func(inner *rig) {
		r.rig = inner
		inner.People = nil
		inner.gate.admit = cutting
		if change != nil {
			change(r)
		}
		inner.Upstream = &r.up.Upstream
	}, apps...)
	return r
}

// cutting judges as a gate does that needs password and code of alice, and of
// bob the password: the code first, then the password, once.
func cutting(ctx context.Context, r gate.Request) (gate.Answer, error) {
	refused := func(why string) (gate.Answer, error) {
		return gate.Answer{Reference: reference, Reason: why}, nil
	}
	dn, name := aliceBehind, "alice"
	switch r.User {
	case aliceBehind, "alice", "ALICE@example":
	case bobBehind:
		dn, name = bobBehind, "bob"
	default:
		return refused("unknown_user")
	}
	if string(r.Password) == appOfAlice {
		return gate.Answer{
			Outcome: gate.Admitted, Reason: "admitted", Rule: "apps", Reference: "AAAA-0002",
			Person: gate.Person{ID: 7, Name: "alice", DN: aliceBehind}, Ticket: gate.Ticket{ID: "t-alice"},
		}, nil
	}
	password, right := bytes.CutSuffix(r.Password, []byte(codeOfAlice))
	if name == "alice" && !right {
		return refused("wrong_code")
	}
	switch v, err := r.Verify(ctx, dn, password); {
	case err != nil:
		return gate.Answer{}, err
	case v == directory.Expired:
		return refused("password_expired")
	case v == directory.MustChange:
		return refused("must_change")
	case v != directory.Right:
		return refused("wrong_password")
	}
	return gate.Answer{
		Outcome: gate.Admitted, Reason: "admitted", Rule: "outside", Reference: "AAAA-0001",
		Person: gate.Person{ID: 7, Name: name, DN: dn}, Ticket: gate.Ticket{ID: "t-alice"},
	}, nil
}

// bound is a client that has bound as alice.
func (r *relayRig) bound() *peer {
	r.t.Helper()
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice))
	return p
}

// asService is a client that has bound as dovecot's service account.
func (r *relayRig) asService() *peer {
	r.t.Helper()
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
	return p
}

// lends has the directory behind an account for people without a password.
func (r *relayRig) lends(proxied bool) {
	r.up.Service = Account{DN: lenderBehind, Password: []byte("lent")}
	r.up.ProxyAuthorization = proxied
}

// asking gives a connection a link, over which it has asked something.
func asking(t testing.TB, c *conn) *links.Link {
	t.Helper()
	l, err := c.server.links.Anonymous(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.server.links.Close)
	if err := l.Forward(linkstest.Request(1, searchOp(behindBase, 2))); err != nil {
		t.Fatal(err)
	}
	c.behind.(*relay).link.Store(l)
	return l
}

// frame reads one message as it comes.
func (p *peer) frame() []byte {
	p.t.Helper()
	frame, err := p.frames.Next(wire.MaxFrameUpstream)
	if err != nil {
		p.t.Fatalf("no message: %v", err)
	}
	return bytes.Clone(frame)
}

// untouched wants that upstream has got nothing but so many binds.
func (r *relayRig) untouched(binds int) {
	r.t.Helper()
	if got := r.up.SeenBinds(); len(got) != binds {
		r.t.Errorf("binds at the directory behind: %+v, want %d", got, binds)
	}
	if got := r.up.Seen(); len(got) != binds {
		r.t.Errorf("%d requests reached the directory behind, want %d", len(got), binds)
	}
}

// goes lets an answer leave that waits for so long.
func (r *relayRig) goes(wait time.Duration) {
	r.t.Helper()
	for {
		select {
		case h := <-r.held:
			if h.wait == wait {
				h.go_ <- time.Time{}
				return
			}
		case <-time.After(20 * time.Second):
			r.t.Fatalf("nothing waits %v", wait)
		}
	}
}

func compareOp(dn, attribute, value string) []byte {
	return wire.Element(wire.OpCompare, wire.Octets(dn), wire.Element(wire.TagSequence, wire.Octets(attribute), wire.Octets(value)))
}

// filterOp is a subtree search with a filter.
func filterOp(filter []byte) []byte {
	return wire.Element(wire.OpSearch, wire.Octets(behindBase), []byte{wire.TagEnumerated, 1, 2}, []byte{wire.TagEnumerated, 1, 0},
		[]byte{wire.TagInteger, 1, 0}, []byte{wire.TagInteger, 1, 0}, []byte{wire.TagBoolean, 1, 0}, filter, wire.Element(wire.TagSequence))
}

func equals(attribute, value string) []byte {
	return wire.Element(wire.FilterEqual, wire.Octets(attribute), wire.Octets(value))
}

// modifyOp changes one attribute.
func modifyOp(dn string, kind byte, attribute string, values ...string) []byte {
	var set [][]byte
	for _, v := range values {
		set = append(set, wire.Octets(v))
	}
	change := wire.Element(wire.TagSequence, []byte{wire.TagEnumerated, 1, kind},
		wire.Element(wire.TagSequence, wire.Octets(attribute), wire.Element(0x31, set...)))
	return wire.Element(wire.OpModify, wire.Octets(dn), wire.Element(wire.TagSequence, change))
}

// passwordOp is a Password Modify; an empty identity is left out.
func passwordOp(identity, old, new string) []byte {
	var parts [][]byte
	if identity != "" {
		parts = append(parts, wire.Element(0x80, []byte(identity)))
	}
	parts = append(parts, wire.Element(0x81, []byte(old)), wire.Element(0x82, []byte(new)))
	return extendedOp(wire.OIDModifyPassword, wire.Element(wire.TagSequence, parts...))
}

func control(oid string, parts ...[]byte) []byte {
	return wire.Element(wire.TagSequence, append([][]byte{wire.Octets(oid)}, parts...)...)
}
