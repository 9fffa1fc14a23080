package listen

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

const v1 = "PROXY TCP4 192.0.2.1 198.51.100.1 49152 443\r\n"

// v2 builds a header of version 2.
func v2(command, family byte, block string) string {
	head := signature2 + string([]byte{command, family})
	return head + string(binary.BigEndian.AppendUint16(nil, uint16(len(block)))) + block
}

var (
	ends4 = "\xc0\x00\x02\x01" + "\xc6\x33\x64\x01" + "\xc0\x00\x01\xbb"
	ends6 = "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01" + "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x02" + "\xc0\x00\x01\xbb"
)

// proxied listens for what comes by 127.0.0.2.
func proxied(t *testing.T, wait time.Duration) net.Listener {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := behind(socket, []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, wait)
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects from an address of this machine and sends what is given.
func dial(t *testing.T, l net.Listener, from, send string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, send); err != nil {
		t.Fatal(err)
	}
	return c
}

func wantClosed(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	var timeout net.Error
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("it is still open: %d octets, %v", n, err)
	}
}

func TestHeaderSaysWhereThePersonIs(t *testing.T) {
	socket := "127.0.0.2"
	for name, test := range map[string]struct{ send, from string }{
		"version 1":                      {v1, "192.0.2.1"},
		"version 1 of IPv6":              {"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "2001:db8::1"},
		"version 1, mapped":              {"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 65535\r\n", "192.0.2.1"},
		"version 1, UNKNOWN":             {"PROXY UNKNOWN\r\n", socket},
		"version 1, UNKNOWN and more":    {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", socket},
		"version 1 as long as it may be": {"PROXY UNKNOWN " + strings.Repeat("x", longest1-16) + "\r\n", socket},
		"version 2":                      {v2(0x21, 0x11, ends4), "192.0.2.1"},
		"version 2 of IPv6":              {v2(0x21, 0x21, ends6), "2001:db8::1"},
		"version 2 with TLVs":            {v2(0x21, 0x11, ends4+strings.Repeat("\x04\x00\x01x", 300)), "192.0.2.1"},
		"version 2, LOCAL":               {v2(0x20, 0x00, ""), socket},
		"version 2, LOCAL with a block":  {v2(0x20, 0x11, ends4), socket},
		"version 2, UNSPEC":              {v2(0x21, 0x00, "\x04\x00\x01x"), socket},
	} {
		l := proxied(t, time.Hour)
		c := dial(t, l, "127.0.0.2", test.send+"what ")
		got, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if host, _, _ := net.SplitHostPort(got.RemoteAddr().String()); host != test.from {
			t.Errorf("%s: from %s, want %s", name, host, test.from)
		}
		io.WriteString(c, "follows")
		c.(*net.TCPConn).CloseWrite()
		if text, err := io.ReadAll(got); string(text) != "what follows" || err != nil {
			t.Errorf("%s: behind the header there is %q, %v", name, text, err)
		}
		got.Close()
		l.Close()
	}
}

// What a door does with a socket it can do behind a header, too.
func TestSocketBehindAHeader(t *testing.T) {
	l := proxied(t, time.Hour)
	c := dial(t, l, "127.0.0.2", v1)
	got, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	raw, err := got.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(uintptr) {}); err != nil {
		t.Error(err)
	}
	io.WriteString(got, "last words")
	if err := got.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(c); string(text) != "last words" || err != nil {
		t.Errorf("%q, %v", text, err)
	}

	bare := &conn{Conn: onlyConn{got}}
	if _, err := bare.SyscallConn(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if err := bare.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// onlyConn can do no more than any connection can.
type onlyConn struct{ net.Conn }

func TestInvalidHeaderIsClosed(t *testing.T) {
	for name, send := range map[string]string{
		"none":                       "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"TLS at once":                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00",
		"version 1, too long":        "PROXY UNKNOWN " + strings.Repeat("x", longest1-15) + "\r\n",
		"version 1 without an end":   "PROXY UNKNOWN " + strings.Repeat("x", 300),
		"version 1 without CR":       "PROXY TCP4 192.0.2.1 198.51.100.1 49152 443\n",
		"version 1, other family":    "PROXY TCP5 192.0.2.1 198.51.100.1 49152 443\r\n",
		"version 1, family mixed":    "PROXY TCP4 2001:db8::1 198.51.100.1 49152 443\r\n",
		"version 1, IPv4 in TCP6":    "PROXY TCP6 192.0.2.1 198.51.100.1 49152 443\r\n",
		"version 1, scope id":        "PROXY TCP6 fe80::1%eth0 fe80::2 49152 443\r\n",
		"version 1, no address":      "PROXY TCP4 home 198.51.100.1 49152 443\r\n",
		"version 1, port":            "PROXY TCP4 192.0.2.1 198.51.100.1 49152 65536\r\n",
		"version 1, a word missing":  "PROXY TCP4 192.0.2.1 198.51.100.1 49152\r\n",
		"version 1, a word too many": "PROXY TCP4 192.0.2.1 198.51.100.1 49152 443 1\r\n",
		"version 1, two spaces":      "PROXY  TCP4 192.0.2.1 198.51.100.1 49152 443\r\n",
		"version 3":                  v2(0x31, 0x11, ends4),
		"version 2, other command":   v2(0x22, 0x11, ends4),
		"version 2, UNIX":            v2(0x21, 0x31, strings.Repeat("x", 216)),
		"version 2, UDP":             v2(0x21, 0x12, ends4),
		"version 2, other family":    v2(0x21, 0x41, ends4),
		"version 2, other transport": v2(0x21, 0x13, ends4),
		"version 2, short block":     v2(0x21, 0x21, ends4),
	} {
		l := proxied(t, time.Hour)
		c := dial(t, l, "127.0.0.2", send)
		t.Run(name, func(t *testing.T) { wantClosed(t, c) })
		l.Close()
	}
}

func TestUnlistedSourceIsClosedUnparsed(t *testing.T) {
	l := proxied(t, time.Hour)
	wantClosed(t, dial(t, l, "127.0.0.1", v1))
	dial(t, l, "127.0.0.2", v1)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if from := c.RemoteAddr().String(); from != "192.0.2.1:49152" {
		t.Error("accepted", from)
	}
}

func TestSilentConnectionHoldsNobodyUp(t *testing.T) {
	l := proxied(t, time.Hour)
	dial(t, l, "127.0.0.2", "")
	dial(t, l, "127.0.0.2", "PROXY TCP4 ")
	dial(t, l, "127.0.0.2", v1)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if from := c.RemoteAddr().String(); from != "192.0.2.1:49152" {
		t.Error("accepted", from)
	}
}

func TestSilentConnectionIsClosedInTheEnd(t *testing.T) {
	l := proxied(t, time.Millisecond)
	for _, send := range []string{"", "PROXY TCP4 ", "PROXY UNKNOWN xx", v2(0x21, 0x11, ends4)[:20], v2(0x21, 0x11, ends4+"xx")[:29]} {
		wantClosed(t, dial(t, l, "127.0.0.2", send))
	}
}

func TestHeaderInPieces(t *testing.T) {
	l := proxied(t, time.Hour)
	for _, header := range []string{v1, v2(0x21, 0x11, ends4)} {
		c := dial(t, l, "127.0.0.2", "")
		c.(*net.TCPConn).SetNoDelay(true)
		for i := range len(header) {
			if _, err := io.WriteString(c, header[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		got, err := l.Accept()
		if err != nil || got.RemoteAddr().String() != "192.0.2.1:49152" {
			t.Error(got, err)
		}
	}
}

func TestNoMoreThanSoManyWaitForTheirHeader(t *testing.T) {
	l := proxied(t, time.Hour).(*listener)
	for range cap(l.room) {
		l.room <- struct{}{}
	}
	wantClosed(t, dial(t, l, "127.0.0.2", v1))
}

func TestAcceptEndsWithClose(t *testing.T) {
	l := proxied(t, time.Hour)
	failed := make(chan error)
	go func() {
		_, err := l.Accept()
		failed <- err
	}()
	c := dial(t, l, "127.0.0.2", "")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	l.Close() // twice does no harm
	c.Close()
}

func TestAcceptTellsOfAFailure(t *testing.T) {
	full := errors.New("too many open files")
	l := behind(&failing{failed: full, closed: make(chan struct{})}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, time.Hour)
	for range 2 {
		if _, err := l.Accept(); !errors.Is(err, full) {
			t.Error(err)
		}
	}
	l.Close()
}

// failing is a socket that accepts nothing.
type failing struct {
	net.Listener
	failed error
	closed chan struct{}
}

func (f *failing) Accept() (net.Conn, error) {
	select {
	case <-f.closed:
		return nil, net.ErrClosed
	default:
		return nil, f.failed
	}
}

func (f *failing) Close() error { close(f.closed); return nil }

func TestWithoutProxiesAHeaderIsNothingSpecial(t *testing.T) {
	l, err := TCP("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial(t, l, "127.0.0.1", v1).Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if host, _, _ := net.SplitHostPort(c.RemoteAddr().String()); host != "127.0.0.1" {
		t.Error("from", host)
	}
	if text, _ := io.ReadAll(c); string(text) != v1 {
		t.Errorf("read %q", text)
	}
}

func TestListenFails(t *testing.T) {
	l, err := TCP("127.0.0.1:0", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := TCP(l.Addr().String(), nil); err == nil {
		t.Error("one address twice")
	}
}

func TestBothFamiliesMayHaveOnePort(t *testing.T) {
	v6, err := TCP("[::]:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v6.Close()
	_, port, _ := net.SplitHostPort(v6.Addr().String())
	v4, err := TCP("0.0.0.0:"+port, nil)
	if err != nil {
		t.Fatal(err)
	}
	v4.Close()
	both, err := TCP(":0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	dial(t, both, "127.0.0.1", "")
}

func FuzzHeader(f *testing.F) {
	for _, seed := range []string{v1, "PROXY UNKNOWN\r\n", v2(0x21, 0x11, ends4), v2(0x21, 0x21, ends6), v2(0x20, 0, ""), "PROXY \r\n\r\n\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		from, err := parseHeader(bufio.NewReaderSize(strings.NewReader(string(text)), 256))
		if err != nil && from.IsValid() {
			t.Fatalf("%v beside %v", from, err)
		}
		if err != nil && !errors.Is(err, errHeader) {
			t.Fatal(err)
		}
	})
}
