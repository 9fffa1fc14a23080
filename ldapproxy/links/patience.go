package links

import (
	"errors"
	"fmt"
	"os"
	"time"

	"sekisho/ldapproxy/wire"
)

// writeWait is for a server that does not read.
const writeWait = 30 * time.Second

// room makes sure that there is a buffer for requests; a resting link has
// none.
func (l *Link) room() {
	if l.out == nil {
		l.out = l.pool.buffers.Get().(*[]byte)
		*l.out = (*l.out)[:0]
	}
}

// Flush writes what was gathered, all of it in one write, and gives the buffer
// back without what it held. If it fails the link has ended, and the error is
// ErrAway.
func (l *Link) Flush() error {
	if l.out == nil {
		return nil
	}
	err := l.write(*l.out)
	clear(*l.out)
	if cap(*l.out) == wire.MaxHeld {
		l.pool.buffers.Put(l.out)
	}
	l.out = nil
	return err
}

// write writes. A deadline that is still far enough off stays.
func (l *Link) write(b []byte) error {
	if now := time.Now(); l.writeBy.Sub(now) < writeWait/2 {
		l.writeBy = now.Add(writeWait)
		l.raw.SetWriteDeadline(l.writeBy)
	}
	if _, err := l.raw.Write(b); err != nil {
		l.Close()
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return nil
}

// setUntil says when patience ends. The socket's deadline is moved only if it
// would come too late: moving it with each bind costs more than to look now
// and then whether it was meant. mu is held.
func (l *Link) setUntil(t time.Time) {
	l.until = t
	if !t.IsZero() && (l.readBy.IsZero() || t.Before(l.readBy)) {
		l.readBy = t
		l.raw.SetReadDeadline(t)
	}
}

// overdue reports whether patience has ended. mu is held.
func (l *Link) overdue() bool { return !l.until.IsZero() && !time.Now().Before(l.until) }

// incoming is what the server sends, read by the pump beyond deadlines that
// were not meant.
type incoming struct{ *Link }

func (l incoming) Read(p []byte) (int, error) {
	if l.streaming {
		l.mu.Lock()
		l.setUntil(time.Now().Add(l.pool.dir.Answer))
		l.mu.Unlock()
	}
	for {
		n, err := l.raw.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !l.patient() {
			return n, err
		}
	}
}

// patient is asked when the socket's deadline has passed. If patience has
// ended, so has the link, and nobody can take it any more.
func (l *Link) patient() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.overdue() {
		l.ended = true
		return false
	}
	l.readBy = l.until
	l.raw.SetReadDeadline(l.readBy)
	return true
}
