package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"sync"
	"testing"
	"time"

	"sekisho/internal/upstream/upstreamtest"
)

// place is some servers, a clock that the test sets, and checks that are due
// when it says so.
type place struct {
	*Servers
	t   *testing.T
	mu  sync.Mutex
	now time.Time
	log bytes.Buffer
	due chan time.Time
}

var begin = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

func newPlace(t *testing.T, list ...Server) *place {
	p := &place{t: t, now: begin, due: make(chan time.Time)}
	p.Servers = &Servers{List: list,
		Log: slog.New(slog.NewTextHandler(&p.log, nil)), Now: p.clock,
		After: func(time.Duration) <-chan time.Time { return p.due },
	}
	return p
}

func (p *place) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// plain is a server without TLS.
func plain(s *upstreamtest.Server) Server {
	return Server{Host: "localhost", Addr: s.Addr, Plain: true}
}

// trusts has the certificate of s trusted.
func (p *place) trusts(s *upstreamtest.Server) *place {
	p.TLS = &tls.Config{RootCAs: s.Roots}
	return p
}

// dials wants a connection to this server.
func (p *place) dials(want *upstreamtest.Server) {
	p.t.Helper()
	conn, server, err := p.Dial(p.t.Context())
	if err != nil {
		p.t.Error(err)
		return
	}
	defer conn.Close()
	if server.Addr != want.Addr {
		p.t.Errorf("dialled %s, want %s", server.Addr, want.Addr)
	}
}

// up wants the servers to be up or not, in their order.
func (p *place) up(want ...bool) {
	p.t.Helper()
	for i, status := range p.Status() {
		if status.Up != want[i] || (status.Err == nil) != want[i] {
			p.t.Errorf("server %d: up %v (%v), want %v", i, status.Up, status.Err, want[i])
		}
	}
}

// bind is a bind with these.
func (p *place) bind(dn, password string) (Answer, error) {
	return p.Bind(p.t.Context(), dn, []byte(password))
}

// soon is a context for what hangs.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
