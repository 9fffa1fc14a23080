package ldapproxy

import (
	"net"
	"syscall"
)

// acknowledge has the kernel acknowledge at once what has arrived. The last
// octets of a TLS handshake are the client's, and get no answer; a client
// under Nagle's algorithm holds its first request back until they are
// acknowledged, which the kernel would put off for 40 ms.
func acknowledge(raw net.Conn) {
	c, ok := raw.(syscall.Conn)
	if !ok {
		return
	}
	if socket, err := c.SyscallConn(); err == nil {
		socket.Control(func(fd uintptr) {
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
		})
	}
}
