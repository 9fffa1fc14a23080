package ldapproxy

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"sekisho/ldapproxy/links"
	"sekisho/ldapproxy/wire"
)

// leaveWait is how long operations in work may take that a Bind, or the end of
// the server, comes behind.
const leaveWait = 5 * time.Second

// relay asks the directory behind, over a link of this client's own: message
// ids stay equal, and all but a few operations pass as they are, in both
// directions. Only who has an identity over there has a link, so no identity
// survives its session: a BindRequest first takes the link away.
type relay struct {
	*conn
	upstream *Upstream
	link     atomic.Pointer[links.Link] // of the connection's goroutine, which others only look at
	spare    atomic.Bool                // nobody's identity is on it: it goes back when it rests
	used     atomic.Bool                // something was asked since that was looked at
}

// enter begins the session on the link that the bind was tried on, or gives
// that back.
func (r *relay) enter(v *verdict) {
	l := r.link.Load()
	switch {
	case l == nil:
	case !v.outcome.success():
		r.release(l)
	default:
		r.attach(l)
	}
}

// attach lets a link answer this client.
func (r *relay) attach(l *links.Link) {
	r.spare.Store(!r.passesAll() && (r.session.lent || !r.session.bound()))
	r.link.Store(l)
	app := r.appOf(r.server.table.Load())
	if err := l.Attach(r, links.Rules{PassReferrals: app != nil && app.Referrals || r.passesAll()}); err != nil {
		r.LinkLost(err)
	}
}

// release gives the link back, which ends it if there is anything left on it.
func (r *relay) release(l *links.Link) {
	r.link.Store(nil)
	l.Detach()
	r.server.links.Put(l)
}

// leave waits for what is in work, but not for long: what is not done by then
// is abandoned with the link (RFC 4511 §4.2.1).
func (r *relay) leave() {
	if l := r.link.Load(); l != nil {
		r.settle(l)
		r.release(l)
	}
}

// settle waits until nothing is in work on the link.
func (r *relay) settle(l *links.Link) {
	r.send()
	if l.Outstanding() == 0 {
		return
	}
	ctx, cancel := context.WithCancel(r.server.ctx)
	defer cancel()
	late := r.server.After(leaveWait)
	go func() {
		select {
		case <-late:
			cancel()
		case <-ctx.Done():
		}
	}()
	l.Wait(ctx)
}

// end gives the link back for the last time. Nobody knows where a handler was
// that has panicked.
func (r *relay) end(why disconnect) {
	l := r.link.Load()
	if l == nil {
		return
	}
	switch why {
	case byPanic:
		l.Close()
	case byShutdown:
		r.settle(l)
	case byUnbind:
		r.send()
	}
	r.release(l)
}

func (r *relay) parse(frame []byte) (wire.Message, error) { return wire.ParseStrict(frame) }

func (r *relay) largest() int {
	if app := r.appOf(r.server.table.Load()); app != nil && (app.Writes || app.Observe) {
		return wire.MaxFrameRelay
	}
	return wire.MaxFrameBound // a search is no larger
}

func (r *relay) busy() bool {
	l := r.link.Load()
	return l != nil && l.Outstanding() > 0
}

// send has the requests leave that were gathered. If it fails the link has
// ended, which is told by LinkLost.
func (r *relay) send() {
	if l := r.link.Load(); l != nil {
		l.Flush()
	}
}

// The link's owner: what comes from the directory, on another goroutine.

func (r *relay) Deliver(messages []byte) error {
	err := r.write(messages)
	if err != nil {
		r.call(r.conn.lost(err))
	}
	return err
}

func (r *relay) Stream(head []byte, rest *wire.Rest) error {
	err := r.conn.stream(head, rest)
	if errors.Is(err, errSlow) {
		r.call(byWrite)
	}
	return err
}

// LinkLost ends the connection: under what was a person's identity nobody
// goes on, and for operations in work no answer is made up.
func (r *relay) LinkLost(why error) {
	r.server.log.Info("the link to the directory has ended", "connection", r.number, "error", why)
	r.call(byUpstream)
}
