package ldapproxy

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// hungUp reports whether the client has closed its side, whatever it sent
// before that and nobody has read yet.
func hungUp(raw net.Conn) bool {
	c, ok := raw.(syscall.Conn)
	if !ok {
		return false
	}
	socket, err := c.SyscallConn()
	if err != nil {
		return false
	}
	closed := false
	err = socket.Control(func(fd uintptr) {
		ask := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(ask, 0)
		closed = err == nil && n > 0 // also POLLHUP and POLLERR
	})
	return closed || err != nil
}
