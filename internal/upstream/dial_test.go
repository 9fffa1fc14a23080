package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/upstream/upstreamtest"
)

func TestTLS(t *testing.T) {
	for _, s := range []*upstreamtest.Server{{}, {TLS: true}} {
		s.Start(t)
		p := newPlace(t, Server{Host: "localhost", Addr: s.Addr, TLS: s.TLS}).trusts(s)
		conn, _, err := p.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		secured, ok := conn.(*tls.Conn)
		if !ok || !secured.ConnectionState().HandshakeComplete || secured.ConnectionState().Version < tls.VersionTLS12 {
			t.Errorf("TLS %v: %T", s.TLS, conn)
		}
		conn.Close()
	}
}

func TestWrongCertificate(t *testing.T) {
	s := (&upstreamtest.Server{}).Start(t)
	secure := (&upstreamtest.Server{TLS: true}).Start(t)
	for name, p := range map[string]*place{
		"unknown signer":           newPlace(t, Server{Host: "localhost", Addr: s.Addr}),
		"unknown signer, ldaps":    newPlace(t, Server{Host: "localhost", Addr: secure.Addr, TLS: true}),
		"another host":             newPlace(t, Server{Host: "ldap.example.org", Addr: s.Addr}).trusts(s),
		"another host, ldaps":      newPlace(t, Server{Host: "ldap.example.org", Addr: secure.Addr, TLS: true}).trusts(secure),
		"no host, so another name": newPlace(t, Server{Host: "127.0.0.1", Addr: s.Addr}).trusts(s),
	} {
		_, err := p.bind("uid=alice", "secret")
		var unknown x509.UnknownAuthorityError
		var named x509.HostnameError
		if !errors.Is(err, ErrNone) || !errors.As(err, &unknown) && !errors.As(err, &named) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(s.Binds()) + len(secure.Binds()); n != 0 {
		t.Errorf("%d binds came", n)
	}
}

// A server that refuses StartTLS, or anybody who answers in its place, must
// not be sent a password in clear text.
func TestRefusedStartTLSIsNotGoneWithout(t *testing.T) {
	s := (&upstreamtest.Server{NoTLS: true}).Start(t)
	p := newPlace(t, Server{Host: "localhost", Addr: s.Addr}).trusts(s)
	_, err := p.bind("uid=alice", "secret")
	if !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), `StartTLS: refused with 2 "no TLS here"`) {
		t.Errorf("%v", err)
	}
	if binds := s.Binds(); len(binds) != 0 {
		t.Errorf("bound %v", binds)
	}
}

// What stands behind the response was sent in clear, perhaps by somebody else:
// it must not be taken for what comes through TLS.
func TestBytesBehindStartTLSAreNeverBelieved(t *testing.T) {
	ok := upstreamtest.Reply(1, ldap.ApplicationExtendedResponse, upstreamtest.Result{})
	bound := upstreamtest.Reply(1, ldap.ApplicationBindResponse, upstreamtest.Result{})
	s := &upstreamtest.Server{}
	s.Takeover = func(conn net.Conn) {
		upstreamtest.Read(conn)
		conn.Write(append(ok, bound...))
		io.Copy(io.Discard, conn)
	}
	s.Start(t)
	p := newPlace(t, Server{Host: "localhost", Addr: s.Addr}).trusts(s)
	if a, err := p.bind("uid=alice", "secret"); !errors.Is(err, ErrNone) {
		t.Errorf("%v, %v", a, err)
	}
}

func TestFailover(t *testing.T) {
	first, second := (&upstreamtest.Server{}).Start(t), (&upstreamtest.Server{}).Start(t)
	p := newPlace(t, plain(first), plain(second))
	p.dials(first)
	first.Stop()
	p.dials(second)
	p.up(false, true)
	if status := p.Status()[0]; !status.Since.Equal(begin) || status.Server != plain(first) {
		t.Errorf("%+v", status)
	}
	if text := p.log.String(); strings.Count(text, "is down") != 1 || !strings.Contains(text, first.Addr) {
		t.Errorf("logged %q", text)
	}
	second.Stop()
	_, _, err := p.Dial(t.Context())
	if !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), first.Addr) || !strings.Contains(err.Error(), second.Addr) {
		t.Errorf("%v", err)
	}
	p.up(false, false)
}

// Nothing says that a server which was down a moment ago still is.
func TestAllDownAreTriedOnceMore(t *testing.T) {
	s := (&upstreamtest.Server{}).Start(t)
	p := newPlace(t, plain(s))
	p.turn(p.all()[0], errors.New("down"))
	p.dials(s)
}

func TestServerThatIsDownIsTriedLast(t *testing.T) {
	first, second := (&upstreamtest.Server{}).Start(t), (&upstreamtest.Server{}).Start(t)
	p := newPlace(t, plain(first), plain(second))
	p.turn(p.all()[0], errors.New("down"))
	p.dials(second)
}

func TestNoServerAtAll(t *testing.T) {
	p := newPlace(t)
	if _, _, err := p.Dial(t.Context()); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

// hanging takes connections and says nothing.
func hanging(t *testing.T) *upstreamtest.Server {
	s := &upstreamtest.Server{Takeover: func(conn net.Conn) { io.Copy(io.Discard, conn) }}
	return s.Start(t)
}

func TestServerThatHangs(t *testing.T) {
	s, other := hanging(t), (&upstreamtest.Server{}).Start(t)
	for _, secure := range []bool{false, true} {
		p := newPlace(t, Server{Host: "localhost", Addr: s.Addr, TLS: secure})
		p.Timeout = 20 * time.Millisecond
		if _, _, err := p.Dial(t.Context()); !errors.Is(err, ErrNone) || !errors.Is(err, errLate) {
			t.Errorf("TLS %v: %v", secure, err)
		}
		p.up(false)
	}
	// The time that one wastes is not the other's: it has half of an hour.
	p := newPlace(t, Server{Host: "localhost", Addr: s.Addr}, plain(other))
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if d := p.share(ctx, 2); d != p.timeout() {
		t.Errorf("a server may take %v", d)
	}
	p.Timeout = 24 * time.Hour
	if d := p.share(ctx, 2); d > 30*time.Minute || d < 29*time.Minute {
		t.Errorf("the first of two may take %v of an hour", d)
	}
}

// Whoever no longer waits makes no server one that is down.
func TestCallerWhoGivesUp(t *testing.T) {
	began := make(chan bool, 1)
	s := &upstreamtest.Server{Takeover: func(conn net.Conn) { began <- true; io.Copy(io.Discard, conn) }}
	s.Start(t)
	p := newPlace(t, Server{Host: "localhost", Addr: s.Addr})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	if _, _, err := p.Dial(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNone) {
		t.Error(err)
	}
	p.up(true)
}

// Each dial asks where the name is: a directory that moved is found without a
// restart.
func TestHostNameIsResolvedAtEachDial(t *testing.T) {
	s := (&upstreamtest.Server{}).Start(t)
	_, port, _ := net.SplitHostPort(s.Addr)
	p := newPlace(t, Server{Host: "localhost", Addr: net.JoinHostPort("localhost", port)}).trusts(s)
	conn, _, err := p.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	p.List[0].Addr, p.states[0].Addr = "nowhere.invalid:389", "nowhere.invalid:389"
	var dns *net.DNSError
	if _, _, err := p.Dial(soon(t)); !errors.As(err, &dns) && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
