// Package ldapproxy is the LDAP door: legacy applications bind people here.
//
// One connection, told: it is accepted from an address that an application
// has. The frame reader takes one message, checked for size and depth before
// anything is allocated. A bind makes the session anonymous first; its DN
// becomes a name, the gate judges password and code, and the answer is
// success or 49 with a reference. Searches and compares are then answered
// from the embedded directory, which holds the people and groups of the local
// accounts. Nothing is ever written.
//
// The wire is in ber.go, frame.go and message.go; a session in conn.go and
// bind.go; the embedded directory in tree.go and search.go.
package ldapproxy

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sekisho/gate"
	"sekisho/internal/directory"
)

// Gate is what the door asks.
type Gate interface {
	Admit(context.Context, gate.Request) (gate.Answer, error)
	Refuse(context.Context, gate.Request, gate.Fault) (gate.Answer, error)
	// Live reports whether the ticket with this public ID still lives, and
	// counts as using it.
	Live(ctx context.Context, id string) (bool, error)
}

// People is where the embedded directory learns who there is.
type People interface {
	Entries(ctx context.Context, each func(directory.Entry) error) error
	Epoch() uint64
}

// Server is the LDAP door. Its fields are set before Serve.
type Server struct {
	Gate    Gate
	People  People
	Base    string // DN of the embedded directory, such as dc=example,dc=ac,dc=jp
	Posix   Posix
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil counts nothing
	Now     func() time.Time      // nil: the machine's
	Limits  Limits

	// other fields are unexported
}

// Listener is one address that the door listens at.
type Listener struct {
	net.Listener             // TCP; what wraps it has dealt with the PROXY header
	TLS          *tls.Config // nil: no TLS here, and no StartTLS
	StartTLS     bool        // ldap://: TLS begins when asked for; false: at once
	PlainBinds   bool        // allow a password in clear text
	Zone         string      // of everybody who comes here; "": by the application
}

// App is one application: who may ask, and for which service.
type App struct {
	Name        string
	Prefixes    []netip.Prefix
	Service     string
	Zone        string // of the people behind it; "": judge the connection's own address
	Separator   string // between password and code
	Anonymous   bool   // may search without a bind
	SizeLimit   int    // entries of a search; 0: unlimited
	TimeLimit   time.Duration
	RejectDelay time.Duration
	Accounts    []Account
}

// Account is a service account: it binds by its DN and a fixed password, from
// the application's addresses only, and no code is asked.
type Account struct {
	DN       string
	Password []byte
}

// Posix is what turns a person with a uidNumber into a posixAccount, and a
// group with a gidNumber into a posixGroup.
type Posix struct {
	GID    int64            // primary group of everybody
	Home   string           // "/home/%u"
	Shell  string           // loginShell; "" none
	Groups map[string]int64 // gidNumber by name
}

// Limits bound what one client can take; a zero field is its default.
type Limits struct {
	Connections int           // in all; 0: 10,000
	PerAddress  int           // 0: 2,500
	IdleBound   time.Duration // 0: 15 min
	IdleUnbound time.Duration // 0: 30 s
	Write       time.Duration // for a client that does not read; 0: 30 s
	Handshake   time.Duration // 0: 10 s
}
