// Package listen opens the sockets of the doors that speak TCP.
//
// One connection, told: it is accepted. Where a load balancer stands before
// the door its address has to be one that was named, and what it sends first
// has to be a PROXY header, which says where the person's machine is; a
// connection that fails in either is closed, and nothing it sent is looked
// at. Only then does Accept hand it out, so that a silent one holds nobody up.
// TLS comes behind the header; its certificate is read again when the files
// change.
package listen

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	headerFor = 5 * time.Second // from the first octet to the last of a header
	unread    = 1024            // connections whose header has not come yet
)

// TCP listens at addr, HOST:PORT: "0.0.0.0:636" is IPv4 alone, "[::]:636" IPv6
// alone, ":636" both; port 0 takes a free one. With proxies, every connection has to come
// from one of them and to begin with a whole PROXY header, version 1 or 2; its
// RemoteAddr is then the one that the header tells.
func TCP(addr string, proxies []netip.Prefix) (net.Listener, error) {
	network := "tcp"
	if at, err := netip.ParseAddrPort(addr); err == nil && at.Addr().Is4() {
		network = "tcp4"
	} else if err == nil {
		network = "tcp6"
	}
	socket, err := net.Listen(network, addr)
	if err != nil || len(proxies) == 0 {
		return socket, err
	}
	return behind(socket, proxies, headerFor), nil
}

// behind accepts what comes by the proxies.
func behind(socket net.Listener, proxies []netip.Prefix, wait time.Duration) *listener {
	l := &listener{
		Listener: socket, proxies: proxies, wait: wait,
		ready: make(chan accepted), done: make(chan struct{}), room: make(chan struct{}, unread),
	}
	go l.run()
	return l
}

// listener reads each header in a goroutine of its own.
type listener struct {
	net.Listener
	proxies []netip.Prefix
	wait    time.Duration
	ready   chan accepted
	done    chan struct{} // closed by Close
	room    chan struct{}
	close   sync.Once
}

type accepted struct {
	conn net.Conn
	err  error
}

// Accept waits for the next connection whose header has come.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close closes the socket, and the connections that were not handed out.
func (l *listener) Close() error {
	l.close.Do(func() { close(l.done) })
	return l.Listener.Close()
}

func (l *listener) run() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if !l.hand(accepted{err: err}) {
				return
			}
			continue // too many open files, say; whoever accepts slows down
		}
		if !l.trusts(conn.RemoteAddr()) {
			conn.Close()
			continue
		}
		select {
		case l.room <- struct{}{}:
			go l.open(conn)
		default:
			conn.Close()
		}
	}
}

// open hands the connection out once its header has come.
func (l *listener) open(socket net.Conn) {
	conn, err := readHeader(socket, l.wait)
	<-l.room
	if err != nil || !l.hand(accepted{conn: conn}) {
		socket.Close()
	}
}

// hand reports whether somebody took it before Close.
func (l *listener) hand(a accepted) bool {
	select {
	case l.ready <- a:
		return true
	case <-l.done:
		return false
	}
}

func (l *listener) trusts(peer net.Addr) bool {
	from, err := netip.ParseAddrPort(peer.String())
	if err != nil {
		return false
	}
	addr := from.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(l.proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
