package ldapproxy

import (
	"context"
	"net"
	"time"

	"sekisho/ldapproxy/links"
)

// Upstream is the directory behind, which a campus has already. Dial must be
// set; what else is zero has its default.
type Upstream struct {
	// Dial returns a connection to a server that is up, TLS begun if there is
	// to be any, and the server's name for the log. It has a time limit of its
	// own.
	Dial func(context.Context) (net.Conn, string, error)
	// RootDSE is the latest that a health check has read, and whether there is
	// one.
	RootDSE func() (map[string][]string, bool)

	// Took is told how long a bind with a wrong password took; nil: nobody. Who
	// does not exist is to take as long.
	Took func(time.Duration)

	Max    int           // links in all, each bound client has one; 0: 1,000
	Wait   time.Duration // for a link while all are in use; 0: 5 s
	Answer time.Duration // for the answer to a bind; 0: 10 s
	Idle   time.Duration // of a link that nobody has; 0: 1 min

	// Service runs the operations of people who were admitted without their
	// password. Without one they may read the RootDSE and ask who they are.
	Service Account
	// ProxyAuthorization: Service may act for others (RFC 4370). Otherwise it
	// searches and compares only.
	ProxyAuthorization bool
}

// directory is what the links to it need to know.
func (u *Upstream) directory() links.Directory {
	return links.Directory{Dial: u.Dial, Max: u.Max, Wait: u.Wait, Answer: u.Answer, Idle: u.Idle}
}
