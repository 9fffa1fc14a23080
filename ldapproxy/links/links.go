// Package links holds the connections to the directory behind, each lent to one
// client at a time, who binds on it and asks over it.
//
// The life of a link: a Pool dials it when somebody wants to bind and none is
// free, and from then on a goroutine of its own, the pump, reads what the
// server sends. Bind sends a bind on it and waits for the answer. If that is
// success, the client is attached as its Owner: what it has forwarded leaves
// with the next Flush, as it is, and the pump delivers what comes in answer to
// it, and nothing else. Before the client's next bind it is detached, and the
// link is put back. It may still be bound as somebody: so the first thing that
// is sent for the next client is a bind, and whoever wants to be nobody gets it
// by Anonymous. A link with anything else of its owner left on it, an operation
// in work or a paged search that could go on, is not lent again but closed. One
// that rests too long, or on which the server does what it should not, ends by
// itself, and its owner is told.
//
// A link is in link.go, its bind in bind.go; what is asked over it in
// outstanding.go, what becomes of an answer in pump.go and fate.go, its
// deadlines in patience.go. Who gets one is decided in pool.go and share.go.
package links

import (
	"cmp"
	"context"
	"errors"
	"net"
	"time"
)

// What callers tell apart. Whatever else goes wrong ends the link.
var (
	ErrBusy    = errors.New("all links to the directory are in use")
	ErrAway    = errors.New("the directory is away") // no server could be reached, or the one that was has gone
	ErrCrowded = errors.New("too many operations at once")
)

// Directory is the one behind, as far as links go. Dial must be set; what else
// is zero has its default.
type Directory struct {
	// Dial returns a connection to a server that is up, TLS begun if there is
	// to be any, and the server's name for the log. It has a time limit of its
	// own.
	Dial func(context.Context) (net.Conn, string, error)

	Max    int           // links in all; 0: 1,000
	Wait   time.Duration // for a link while all are in use; 0: 5 s
	Answer time.Duration // for the answer to a bind; 0: 10 s
	Idle   time.Duration // of a link that nobody has; 0: 1 min
}

func (d Directory) withDefaults() Directory {
	d.Max = cmp.Or(d.Max, 1000)
	d.Wait = cmp.Or(d.Wait, 5*time.Second)
	d.Answer = cmp.Or(d.Answer, 10*time.Second)
	d.Idle = cmp.Or(d.Idle, time.Minute)
	return d
}
