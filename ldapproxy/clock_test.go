package ldapproxy

import (
	"bytes"
	"os"
	"testing"
	"time"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// dripping is a client that sends octet by octet, and then nothing.
type dripping struct {
	*socket
	octets []byte
}

func (d *dripping) Read(p []byte) (int, error) {
	if len(d.octets) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	p[0] = d.octets[0]
	d.octets = d.octets[1:]
	return 1, nil
}

// Whoever has begun a message finishes it soon, also while something is
// answered: what is held for it grows with the first octets.
func TestMessageThatBeganHasItsTime(t *testing.T) {
	u := newUpstream(t)
	s := &Server{Upstream: &u.Upstream, Limits: Limits{Frame: time.Nanosecond, IdleBound: time.Hour}}
	s.setup()
	w := &dripping{new(socket), []byte{wire.TagSequence, 0x83, 1, 0, 0, 0, 0, 0}}
	c := s.newConn(new(Listener), w)
	c.session.dn = aliceBehind
	holding(u)
	asking(t, c)
	before := time.Now()
	if why := c.step(); why != bySender {
		t.Errorf("ended by %q", why)
	}
	if len(w.deadlines) != 2 || w.deadlines[0].Sub(before) < time.Hour || w.deadlines[1].Sub(before) > time.Minute {
		t.Errorf("deadlines %v", w.deadlines)
	}
}

func TestSlowSenderIsCut(t *testing.T) {
	r := start(t, func(r *rig) { r.Limits.Frame = time.Millisecond })
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	p.send([]byte{wire.TagSequence, 0x82, 1})
	p.gone()
	r.ends(bySender, 1)
}

// Large messages of all clients together are bounded, and what was held of
// those that are done with, or whose clients have gone, is free again.
func TestMemoryOfLargeMessagesIsBounded(t *testing.T) {
	app := relayApp()
	app.Writes = true
	r := startRelay(t, func(r *relayRig) { r.Limits.Large = 1 << 20 }, app)
	part := append([]byte{wire.TagSequence, 0x83, 0x0f, 0xff, 0xf0}, make([]byte, 600<<10)...)
	photo := modifyOp(aliceBehind, 2, "jpegPhoto", string(bytes.Repeat([]byte{7}, 900<<10)))
	for range 3 {
		p, q := r.bound(), r.bound()
		p.send(part)
		r.holds(1<<20 - 11)
		q.send(q.put(photo))
		q.notice(wire.ResultBusy)
		p.Close()
		r.holds(0)
		p = r.bound()
		p.wants(wire.ResultSuccess, photo)
		r.holds(0)
	}
	if n := r.count("disconnects_total", string(byMemory)); n != 3 {
		t.Errorf("%v ended for it", n)
	}
}

// holds waits until so much is held of large messages.
func (r *relayRig) holds(octets int64) {
	r.t.Helper()
	eventually(r.t, func() bool { return r.large.Load() == octets })
}

// A call that comes late ends a wait that it was not meant for.
func TestLateCallEndsNobody(t *testing.T) {
	s := &Server{Limits: Limits{IdleUnbound: time.Hour}}
	s.setup()
	c := s.newConn(new(Listener), waiting{new(socket)})
	if why := c.step(); why != staying {
		t.Errorf("ended by %q", why)
	}
}

// Each message has its own time.
func TestWaitBeginsAnewWithEachMessage(t *testing.T) {
	s := &Server{Gate: new(fakeGate)}
	s.setup()
	_, frame := linkstest.Request(1, extendedOp(wire.OIDWhoAmI))
	c := s.newConn(new(Listener), &dripping{new(socket), frame})
	c.out = make([]byte, 0, 1024)
	if why := c.step(); why != staying {
		t.Fatalf("ended by %q", why)
	}
	if !c.until.IsZero() || c.begun {
		t.Errorf("the next one has to be there at %v", c.until)
	}
}
