// Package upstream is the servers of the directory that a campus already has.
//
// One dial, told: the first server of the list that is up is connected to,
// with TLS from the first octet on or by StartTLS, and its certificate has to
// name it. If that fails it counts as down at once, and the next is tried,
// before the first octet of a request was sent. A check reads each server's
// RootDSE every few seconds, and brings back those that answer.
//
// Nothing here trusts a server to be sound: each message is read with a limit,
// and its elements are counted, before anything is made of them.
package upstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// ErrNone means that no server can be reached. It is wrapped with each one's
// cause.
var ErrNone = errors.New("no server of the directory can be reached")

// Server is one server. Without TLS and Plain it is one that StartTLS begins
// TLS at.
type Server struct {
	Host  string // that the certificate has to name
	Addr  string // HOST:PORT; a name is resolved at each dial
	TLS   bool   // from the first octet on
	Plain bool   // no TLS at all: passwords go in clear text
}

// Servers are those of one directory. Set the fields before the first call.
type Servers struct {
	List    []Server      // in the order of preference
	TLS     *tls.Config   // whom to trust; nil: whom the system does. Less than TLS 1.2 is not spoken
	Timeout time.Duration // for a dial with its handshakes, and for a check; 0: 5 s
	Every   time.Duration // between two checks of a server; 0: 10 s
	Log     *slog.Logger  // nil: nothing is logged
	Now     func() time.Time
	After   func(time.Duration) <-chan time.Time // when the next check is due; nil: time.After

	once   sync.Once
	states []*state
	cancel context.CancelFunc
	checks sync.WaitGroup
}

// Status is how a server is.
type Status struct {
	Server Server
	Up     bool // or not known yet
	Since  time.Time
	Err    error         // why it is not; nil while it is up
	Took   time.Duration // by the last check, with its dial
}

// state is a server with what is known of it.
type state struct {
	Server
	tls     *tls.Config
	doubted chan struct{} // holds one wish that it be checked now

	mu     sync.Mutex
	status Status
	dse    map[string][]string // nil: never read
}

func (s *Servers) timeout() time.Duration { return cmp.Or(s.Timeout, 5*time.Second) }

func (s *Servers) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Servers) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// all are the servers, each of which is up until it is known not to be.
func (s *Servers) all() []*state {
	s.once.Do(func() {
		for _, server := range s.List {
			config := &tls.Config{}
			if s.TLS != nil {
				config = s.TLS.Clone()
			}
			config.ServerName = server.Host
			config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
			if config.ClientSessionCache == nil { // a resumed session costs a fraction of a handshake
				config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
			}
			s.states = append(s.states, &state{
				Server: server, tls: config, doubted: make(chan struct{}, 1),
				status: Status{Server: server, Up: true, Since: s.now()},
			})
		}
	})
	return s.states
}

// Status is how each server of the list is.
func (s *Servers) Status() []Status {
	var list []Status
	for _, one := range s.all() {
		list = append(list, one.is())
	}
	return list
}

// RootDSE is what the first server that is up, or else any, last said of
// itself, by the names of attributes as it writes them. Not ok means that none
// ever did. It is shared and must not be changed.
func (s *Servers) RootDSE() (attributes map[string][]string, ok bool) {
	for _, one := range s.order() {
		one.mu.Lock()
		dse := one.dse
		one.mu.Unlock()
		if dse != nil {
			return dse, true
		}
	}
	return nil, false
}

// order is the servers in the order in which they are tried: those that are up
// before the others.
func (s *Servers) order() []*state {
	var up, down []*state
	for _, one := range s.all() {
		if one.is().Up {
			up = append(up, one)
		} else {
			down = append(down, one)
		}
	}
	return append(up, down...)
}

func (one *state) is() Status {
	one.mu.Lock()
	defer one.mu.Unlock()
	return one.status
}

// turn notes that a server is up (nil) or why it is not, and logs a change.
func (s *Servers) turn(one *state, err error) {
	one.mu.Lock()
	changed := one.status.Up != (err == nil)
	if changed {
		one.status.Up, one.status.Since = err == nil, s.now()
	}
	one.status.Err = err
	one.mu.Unlock()
	switch {
	case changed && err == nil:
		s.log().Info("server of the directory is up again", "server", one.Addr)
	case changed:
		s.log().Warn("server of the directory is down", "server", one.Addr, "error", err)
	}
}

// Up reports whether any server is up, or not known yet.
func (s *Servers) Up() bool {
	return slices.ContainsFunc(s.all(), func(one *state) bool { return one.is().Up })
}
