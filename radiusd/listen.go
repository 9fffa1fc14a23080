package radiusd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
	"layeh.com/radius"
)

// receiveBuffer is asked of the kernel for each socket: a NAS that comes back
// after an outage sends everything it has at once.
const receiveBuffer = 4 << 20

// Listen binds the addresses for authentication and those for accounting,
// each an IP address with a port: "0.0.0.0:1812", "[::]:1812" (which is IPv6
// alone), or a port alone, which is both: ":1812". Port 0 takes a free one. If
// one of them can't be bound, none is.
// Accounting needs Sessions.
func (s *Server) Listen(auth, acct []string) error {
	s.setup()
	if len(acct) > 0 && s.Sessions == nil {
		return fmt.Errorf("radius: listen on %s for accounting: there is nobody to keep the sessions", acct[0])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serving || s.closing {
		return ErrStarted
	}
	var opened []*socket
	for i, text := range slices.Concat(auth, acct) {
		takes := radius.CodeAccessRequest
		if i >= len(auth) {
			takes = radius.CodeAccountingRequest
		}
		if err := s.listen(text, takes, &opened); err != nil {
			for _, k := range opened {
				k.conn.Close()
			}
			return err
		}
	}
	s.sockets = append(s.sockets, opened...)
	return nil
}

// listen binds what one text names. A port alone is the same one of every
// address that there is: a machine may have no IPv6.
func (s *Server) listen(text string, takes radius.Code, opened *[]*socket) error {
	host, port, err := net.SplitHostPort(text)
	every := err == nil && host == ""
	if every {
		text = "0.0.0.0:" + port
	}
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return fmt.Errorf("radius: listen on %q: want an IP address with a port, like 0.0.0.0:1812 or [::]:1812", text)
	}
	if err := s.bind(addr, takes, opened); err != nil || !every {
		return err
	}
	last := (*opened)[len(*opened)-1].local
	err = s.bind(netip.AddrPortFrom(netip.IPv6Unspecified(), last.Port()), takes, opened)
	if errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil
	}
	return err
}

// bind opens the sockets of one address. The first binds alone, so that a
// port in use is an error; SO_REUSEPORT from the start would let a second
// server share it unnoticed. Only then may its siblings join.
func (s *Server) bind(addr netip.AddrPort, takes radius.Code, opened *[]*socket) error {
	for i := range s.Readers {
		k, err := s.open(addr, takes, i > 0)
		if err != nil {
			if errors.Is(err, syscall.EADDRINUSE) {
				return fmt.Errorf("radius: %v is in use by another program: %w", addr, err)
			}
			return fmt.Errorf("radius: listen on %v: %w", addr, err)
		}
		*opened = append(*opened, k)
		addr = k.local
	}
	return nil
}

// batcher is a socket that takes and gives many datagrams in one system call.
type batcher interface {
	ReadBatch([]ipv4.Message, int) (int, error)
	WriteBatch([]ipv4.Message, int) (int, error)
}

func (s *Server) open(addr netip.AddrPort, takes radius.Code, sibling bool) (*socket, error) {
	network := "udp6"
	if addr.Addr().Unmap().Is4() {
		network = "udp4"
	}
	before := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return onSocket(c, func(fd int) error {
			if !sibling {
				return nil
			}
			return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
	}}
	listener, err := before.ListenPacket(s.ctx, network, addr.String())
	if err != nil {
		return nil, err
	}
	conn := listener.(*net.UDPConn)
	k := &socket{
		server:  s,
		takes:   takes,
		conn:    conn,
		local:   conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		cache:   newCache(keptLimits),
		letters: make(chan letter, 4*batchSize),
	}
	k.batch = ipv6.NewPacketConn(conn)
	if network == "udp4" {
		k.batch = ipv4.NewPacketConn(conn)
	}
	k.wildcard = addr.Addr().IsUnspecified()
	if err := k.tune(network); err != nil {
		conn.Close()
		return nil, err
	}
	return k, nil
}

// tune sets what can be set after the bind.
func (k *socket) tune(network string) error {
	raw, err := k.conn.SyscallConn()
	if err != nil {
		return err
	}
	return onSocket(raw, func(fd int) error {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return os.NewSyscallError("SO_REUSEPORT", err)
		}
		if k.wildcard {
			level, option := unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO
			if network == "udp4" {
				level, option = unix.IPPROTO_IP, unix.IP_PKTINFO
			}
			if err := unix.SetsockoptInt(fd, level, option, 1); err != nil {
				return os.NewSyscallError("IP_PKTINFO", err)
			}
		}
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		}
		// The kernel doubles what it grants, for its own bookkeeping.
		if got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err == nil && got/2 < receiveBuffer {
			k.server.log.Warn("the kernel grants a small receive buffer: a burst of requests may be lost; raise net.core.rmem_max",
				"address", k.local.String(), "octets", got/2, "wanted", receiveBuffer)
		}
		return nil
	})
}

func onSocket(c syscall.RawConn, f func(fd int) error) error {
	var inner error
	if err := c.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// asked is the address that a datagram was sent to, out of the control
// message that the kernel delivers on a wildcard socket. Its interface number
// is cleared on the way: handed back with the reply, the message then makes
// it leave from that address on whatever interface the route says.
func asked(control []byte) netip.Addr {
	header := unix.CmsgLen(0)
	switch {
	case len(control) >= header+unix.SizeofInet6Pktinfo: // address, interface
		data := control[header:]
		clear(data[16:unix.SizeofInet6Pktinfo])
		return netip.AddrFrom16([16]byte(data[:16]))
	case len(control) >= header+unix.SizeofInet4Pktinfo: // interface, local address, address in the packet
		data := control[header:]
		clear(data[:4])
		return netip.AddrFrom4([4]byte(data[4:8]))
	}
	return netip.Addr{}
}
