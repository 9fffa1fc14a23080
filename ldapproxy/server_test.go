package ldapproxy

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/ldapproxy/wire"
)

func TestShutdownSaysGoodbye(t *testing.T) {
	entered, decide := make(chan bool), make(chan bool)
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			entered <- true
			<-decide
			return welcome(), nil
		}
	})
	idle, working := r.dial(), r.dial()
	idle.who()
	working.send(working.put(bindOp(aliceDN, "secret123456")))
	<-entered
	done := make(chan error)
	go func() { done <- r.Shutdown(t.Context()) }()
	idle.notice(wire.ResultUnavailable)
	close(decide)
	if got := working.receive(); got.op != wire.OpBindResponse || got.code != wire.ResultSuccess {
		t.Errorf("the bind in work got %+v", got)
	}
	working.notice(wire.ResultUnavailable)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := <-r.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := net.Dial("tcp", r.addr); err == nil {
		t.Error("still accepted")
	}
	if r.count("disconnects_total", string(byShutdown)) != 2 || r.count("connections") != 0 {
		t.Error("not counted")
	}
	if err := r.Shutdown(t.Context()); err != nil {
		t.Errorf("twice: %v", err)
	}
	if err := r.Serve(); !errors.Is(err, ErrStarted) {
		t.Errorf("served again: %v", err)
	}
}

// A refusal that is held, and a bind that is never decided, do not keep the
// program from ending.
func TestShutdownIsBounded(t *testing.T) {
	app := testApp()
	app.RejectDelay = time.Hour
	entered := make(chan bool)
	r := start(t, func(r *rig) {
		r.gate.admit = func(ctx context.Context, q gate.Request) (gate.Answer, error) {
			if q.User == "never" {
				entered <- true
				<-ctx.Done()
				return gate.Answer{}, ctx.Err()
			}
			return gate.Answer{Reference: reference}, nil
		}
	}, app)
	held, never := r.dial(), r.dial()
	held.send(held.put(bindOp(aliceDN, "wrong")))
	<-r.held
	never.send(never.put(bindOp("never", "x")))
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	r.crowd.left.Wait()
	for _, p := range []*peer{held, never} {
		if _, err := io.ReadAll(p); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	}
}

func TestShutdownBeforeServe(t *testing.T) {
	s := &Server{Gate: new(fakeGate), Base: testBase}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Serve(); !errors.Is(err, ErrStarted) {
		t.Errorf("served: %v", err)
	}
}

func TestListenerThatFailsForGood(t *testing.T) {
	r := start(t, nil)
	r.listener.Close()
	if err := <-r.served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

// starved has no descriptors left at first.
type starved struct {
	net.Listener
	fail chan error
}

func (l starved) Accept() (net.Conn, error) {
	select {
	case err := <-l.fail:
		return nil, err
	default:
		return l.Listener.Accept()
	}
}

func TestLackOfDescriptorsPasses(t *testing.T) {
	r := start(t, func(r *rig) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		fail := make(chan error, 1)
		fail <- &net.OpError{Op: "accept", Err: syscall.EMFILE}
		r.listener.Listener = starved{l, fail}
	})
	h := <-r.held
	if h.wait != acceptPause {
		t.Errorf("waits %v", h.wait)
	}
	h.go_ <- time.Time{}
	r.dial().who()
	if !strings.Contains(r.log.String(), "could not accept") {
		t.Error("not logged")
	}
}
