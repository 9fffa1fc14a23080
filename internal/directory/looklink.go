package directory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/upstream"
)

const (
	maxLinks = 16               // look-ups that talk to the directory at a time
	maxOpen  = maxLinks / 2     // of them, for names that nobody is known to have
	linkRest = 30 * time.Second // unused, before a link is let go: firewalls forget it without a word
	linkAge  = 10 * time.Minute // so that the first server gets its look-ups back
)

// links are connections bound as the service account.
type links struct {
	slots chan struct{}
	open  chan struct{} // for strangers, who need a slot besides

	mu   sync.Mutex
	idle []*link // the one used last is the last
}

type link struct {
	*ldap.Conn
	raw        net.Conn
	server     upstream.Server
	born, used time.Time
	until      time.Time // when the groups of this look-up have taken too long
}

// with calls do with a link of its own. One that had rested may be dead
// without anybody having noticed: do is then called again, with a new one.
func (u *Upstream) with(ctx context.Context, stranger bool, do func(*link) error) error {
	slots := []chan struct{}{u.links.slots}
	if stranger {
		slots = []chan struct{}{u.links.open, u.links.slots}
	}
	for _, slot := range slots {
		select {
		case slot <- struct{}{}:
			defer func() { <-slot }()
		case <-ctx.Done():
			return fmt.Errorf("too many look-ups wait: %w", ctx.Err())
		}
	}
	if l := u.links.take(u.Now()); l != nil {
		err := u.use(ctx, l, do)
		if judged(err) || ctx.Err() != nil {
			return err
		}
	}
	l, err := u.connect(ctx)
	if err != nil {
		return err
	}
	return u.use(ctx, l, do)
}

// use calls do, which ends with ctx, and keeps the link if it is still sound.
func (u *Upstream) use(ctx context.Context, l *link, do func(*link) error) error {
	stop := context.AfterFunc(ctx, func() { l.raw.Close() })
	err := do(l)
	if stop() && judged(err) && !l.IsClosing() {
		u.links.put(l, u.Now())
		return err
	}
	l.Close()
	if !judged(err) {
		u.Servers.Doubt(l.server)
		err = fmt.Errorf("%s: %w", l.server.Addr, err)
	}
	return err
}

func (u *Upstream) connect(ctx context.Context) (*link, error) {
	raw, server, err := u.Servers.Dial(ctx)
	if err != nil {
		return nil, err
	}
	l := &link{Conn: ldap.NewConn(upstream.Guard(raw), true), raw: raw, server: server, born: u.Now()}
	l.Start()
	if u.BindDN == "" {
		return l, nil
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	if err := l.Bind(u.BindDN, string(u.BindPassword)); err != nil {
		l.Close()
		return nil, fmt.Errorf("%s: bind as %s: %w", server.Addr, u.BindDN, err)
	}
	return l, nil
}

// judged reports whether the directory answered something that we understand,
// and so the link is sound.
func judged(err error) bool {
	return err == nil || errors.Is(err, ErrUnknown) || errors.Is(err, ErrName)
}

func (ls *links) take(now time.Time) *link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for len(ls.idle) > 0 {
		l := ls.idle[len(ls.idle)-1]
		ls.idle = ls.idle[:len(ls.idle)-1]
		if !l.IsClosing() && now.Sub(l.used) < linkRest && now.Sub(l.born) < linkAge {
			return l
		}
		l.Close()
	}
	return nil
}

func (ls *links) put(l *link, now time.Time) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l.used = now
	ls.idle = append(ls.idle, l)
}

func (ls *links) close() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, l := range ls.idle {
		l.Close()
	}
	ls.idle = nil
}
