package links

import (
	"bytes"
	"testing"
	"time"

	"sekisho/ldapproxy/wire"
)

// fakeOwner stands for a client that a link is attached to.
type fakeOwner struct {
	arrived chan []byte // what was delivered; a large message in one piece
	lost    chan error
	broken  error         // that Deliver returns
	gate    chan struct{} // not nil: Deliver takes from it as it begins, and before it is done
}

func newOwner() *fakeOwner {
	return &fakeOwner{arrived: make(chan []byte, 1000), lost: make(chan error, 1)}
}

func (c *fakeOwner) Deliver(frames []byte) error {
	if c.gate != nil {
		<-c.gate
		<-c.gate
	}
	if c.broken != nil {
		return c.broken
	}
	c.arrived <- bytes.Clone(frames)
	return nil
}

func (c *fakeOwner) Stream(head []byte, rest *wire.Rest) error {
	if c.broken != nil {
		return c.broken
	}
	var whole bytes.Buffer
	whole.Write(head)
	_, err := rest.WriteTo(&whole)
	c.arrived <- whole.Bytes()
	return err
}

func (c *fakeOwner) LinkLost(why error) { c.lost <- why }

// receive waits until n octets have come, and returns them.
func (c *fakeOwner) receive(t testing.TB, n int) []byte {
	t.Helper()
	var all []byte
	for len(all) < n {
		select {
		case b := <-c.arrived:
			all = append(all, b...)
		case why := <-c.lost:
			t.Fatalf("upstream lost after %d octets: %v", len(all), why)
		case <-time.After(20 * time.Second):
			t.Fatalf("%d octets came, not %d", len(all), n)
		}
	}
	return all
}

// told waits until the client was told that upstream is lost.
func (c *fakeOwner) told(t testing.TB) error {
	t.Helper()
	select {
	case why := <-c.lost:
		return why
	case <-time.After(20 * time.Second):
		t.Fatal("the client was told nothing")
	}
	return nil
}
