package listen

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The PROXY protocol is that of HAProxy's doc/proxy-protocol.txt.
const (
	signature1 = "PROXY "
	signature2 = "\r\n\r\n\x00\r\nQUIT\n"

	longest1 = 107 // octets of a header of version 1, its end included
)

// errHeader closes the connection; nobody is told more.
var errHeader = errors.New("no valid PROXY header")

// conn is a connection behind its header. It does not embed the socket's own
// type: that one has a WriteTo, which would leave out what came with the
// header.
type conn struct {
	net.Conn
	from net.Addr
	rest []byte // came with the header
}

// CloseWrite ends what we send, and lets the other end go on.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn gives the socket to those who look at its state.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := c.Conn.(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// RemoteAddr is where the person's machine is, as the proxy says.
func (c *conn) RemoteAddr() net.Addr { return c.from }

// Read gives what follows the header.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.rest = nil
	}
	return n, nil
}

// readHeader takes the header off a connection.
func readHeader(socket net.Conn, wait time.Duration) (net.Conn, error) {
	if err := socket.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(socket, 256)
	from, err := parseHeader(r)
	if err != nil {
		return nil, err
	}
	if err := socket.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	c := &conn{Conn: socket, from: socket.RemoteAddr()}
	if from.IsValid() {
		c.from = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
	if n := r.Buffered(); n > 0 {
		rest, _ := r.Peek(n)
		c.rest = bytes.Clone(rest)
	}
	return c, nil
}

// parseHeader returns the address that the header tells; the zero one where
// it says that there is none, as in a health check.
func parseHeader(r *bufio.Reader) (netip.AddrPort, error) {
	start, err := r.Peek(len(signature2)) // no header is shorter
	switch {
	case err != nil:
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errHeader, err)
	case string(start) == signature2:
		return parse2(r)
	case strings.HasPrefix(string(start), signature1):
		return parse1(r)
	}
	return netip.AddrPort{}, errHeader
}

// parse1 reads "PROXY TCP4 192.0.2.1 198.51.100.1 49152 443".
func parse1(r *bufio.Reader) (netip.AddrPort, error) {
	line, err := r.ReadSlice('\n')
	if err != nil || len(line) > longest1 {
		return netip.AddrPort{}, errHeader
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok {
		return netip.AddrPort{}, errHeader
	}
	words := strings.Split(text, " ")
	if words[1] == "UNKNOWN" { // whatever follows is to be ignored
		return netip.AddrPort{}, nil
	}
	if len(words) != 6 {
		return netip.AddrPort{}, errHeader
	}
	from, err1 := endpoint(words[2], words[4])
	to, err2 := endpoint(words[3], words[5])
	v4 := words[1] == "TCP4"
	if err1 != nil || err2 != nil || !v4 && words[1] != "TCP6" || from.Addr().Is4() != v4 || to.Addr().Is4() != v4 {
		return netip.AddrPort{}, errHeader
	}
	return from, nil
}

func endpoint(host, port string) (netip.AddrPort, error) {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return netip.AddrPort{}, errHeader
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(addr, uint16(n)), err
}

// parse2 reads the binary form: signature, version and command, family, the
// length of what follows, addresses, and TLVs that are skipped.
func parse2(r *bufio.Reader) (from netip.AddrPort, err error) {
	const (
		local, proxy       = 0x20, 0x21
		unspec, tcp4, tcp6 = 0x00, 0x11, 0x21
	)
	head, err := r.Peek(16)
	if err != nil {
		return from, errHeader
	}
	command, family, length := head[12], head[13], int(binary.BigEndian.Uint16(head[14:]))
	r.Discard(16)
	size := 0 // of an address
	switch {
	case command == local:
	case command != proxy:
		return from, errHeader
	case family == tcp4:
		size = 4
	case family == tcp6:
		size = 16
	case family != unspec:
		return from, errHeader
	}
	if size > 0 {
		if length < 2*size+4 {
			return from, errHeader
		}
		ends, err := r.Peek(2*size + 4)
		if err != nil {
			return from, errHeader
		}
		addr, _ := netip.AddrFromSlice(ends[:size])
		from = netip.AddrPortFrom(addr, binary.BigEndian.Uint16(ends[2*size:]))
	}
	if _, err := r.Discard(length); err != nil {
		return netip.AddrPort{}, errHeader
	}
	return from, nil
}
