package e2e

import (
	"bytes"
	"encoding/hex"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// capture is tshark listening to what a server receives and sends.
type capture struct {
	t    *testing.T
	file string
	port string
	p    *process
}

func (s *site) capture() *capture { return s.captureAt(s.radius) }

func (s *site) captureAt(address string) *capture {
	s.t.Helper()
	need(s.t, "root", "tshark")
	_, port, _ := net.SplitHostPort(address)
	c := &capture{t: s.t, file: filepath.Join(s.dir, "lo"+port+".pcap"), port: port}
	c.p = launch(s.t, exec.Command("tshark", "-i", "lo", "-f", "udp port "+port, "-F", "pcap", "-w", c.file))
	// It says that it captures a little before it does.
	eventually(s.t, "tshark captures", func() bool {
		if c.p.ended() {
			s.t.Fatalf("tshark ended: %v\n%s", c.p.err, &c.p.log)
		}
		return c.holds("hello")
	})
	return c
}

// holds sends a datagram that no server takes for RADIUS and reports whether
// one like it is in the file; then everything before that one is, too.
func (c *capture) holds(mark string) bool {
	c.t.Helper()
	conn, err := net.Dial("udp4", "127.0.0.1:"+c.port)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte(mark))
	b, _ := os.ReadFile(c.file)
	return bytes.Contains(b, []byte(mark))
}

// end stops tshark when it has seen everything.
func (c *capture) end() {
	c.t.Helper()
	eventually(c.t, "tshark has seen the last packet", func() bool { return c.holds("goodbye") })
	c.p.signal(syscall.SIGINT)
	if err := c.p.wait(); err != nil {
		c.t.Fatalf("tshark: %v\n%s", err, &c.p.log)
	}
}

// fields has tshark read the file as RADIUS, check the authenticators, and
// print fields of the packets that a filter lets through.
func (c *capture) fields(filter string, fields ...string) [][]string {
	c.t.Helper()
	args := []string{
		"-r", c.file, "-d", "udp.port==" + c.port + ",radius", "-o", "radius.shared_secret:" + secret,
		"-o", "radius.validate_authenticator:TRUE", "-Y", filter, "-T", "fields",
	}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	a := execute(c.t, "", "tshark", args...)
	if a.code != 0 {
		c.t.Fatalf("tshark: exit %d\n%s", a.code, a.err)
	}
	var packets [][]string
	for line := range strings.Lines(a.out) {
		packets = append(packets, strings.Split(strings.TrimRight(line, "\n"), "\t"))
	}
	return packets
}

// Every kind of reply there is, as another program sees it on the wire: the
// Response Authenticator is right by tshark's reckoning, Message-Authenticator
// comes first and is right by this test's.
func TestRepliesAreRightOnTheWire(t *testing.T) {
	t.Parallel()
	need(t, "root", "tshark", "radclient")
	s := newSite(t)
	alice := s.enrol("alice")
	s.add("bob")
	s.serve()
	c := s.capture()

	code := alice.code()
	wantAccept(t, s.signIn(outside, "alice", password+code, station("203.0.113.7")))
	wantAccept(t, s.signIn(outside, "alice", password+code, station("203.0.113.7")))
	wantAccept(t, s.signIn(inside, "bob", password, "Proxy-State = 0x0102", "Proxy-State = 0x03"))
	s.wantReject(s.signIn(outside, "alice", password+code), "code_used")
	s.wantReject(s.signIn(outside, "bob", password, "Proxy-State = 0x0405"), "no_device")
	s.wantReject(s.radclient(`User-Name = "bob"`, `CHAP-Password = "x"`), "method_chap")
	s.wantReject(s.radclient(`User-Name = "bob"`, `MS-CHAP-Password = "x"`), "method_mschap")
	if r := s.radclient(`User-Name = "bob"`, "EAP-Message = 0x0201000801626f62"); !r.rejected() {
		t.Errorf("EAP: %q", r.code)
	}
	wantAccept(t, s.ask("status", secret, "Message-Authenticator = 0x00"))
	n := s.nas(outside)
	request := n.request("bob", password)
	n.ask(request)
	n.ask(request)
	c.end()

	const replies = 11
	if got := c.fields("radius.code == 2 || radius.code == 3", "frame.number"); len(got) != replies {
		t.Errorf("%d replies were captured, want %d", len(got), replies)
	}
	if bad := c.fields("radius.authenticator.invalid == 1", "frame.number"); len(bad) > 0 {
		t.Errorf("tshark holds these for forged: %v", bad)
	}
	// It does not look for the request of an answer to Status-Server.
	if good := c.fields("radius.authenticator.valid == 1", "frame.number"); len(good) != replies-1 {
		t.Errorf("tshark holds %d replies for right, want %d", len(good), replies-1)
	}
	if bad := c.fields("radius && (_ws.malformed || _ws.expert.severity == error)", "frame.number", "_ws.expert.message"); len(bad) > 0 {
		t.Errorf("tshark complains: %v", bad)
	}
	for _, f := range c.fields("radius.code == 2 || radius.code == 3", "frame.number", "radius.code", "radius.avp.type") {
		if first, _, _ := strings.Cut(f[2], ","); first != "80" {
			t.Errorf("reply %v: attribute %s comes first", f, first)
		}
		if f[1] == "3" && (slices.Contains(strings.Split(f[2], ","), "25") || slices.Contains(strings.Split(f[2], ","), "27")) {
			t.Errorf("a reject carries Class or Session-Timeout: %v", f)
		}
	}
	c.verify()
}

// verify checks every reply in the file against its request.
func (c *capture) verify() {
	c.t.Helper()
	requests := make(map[string][]byte)
	for _, f := range c.fields("radius", "radius.code", "radius.id", "udp.srcport", "udp.dstport", "udp.payload") {
		payload, err := hex.DecodeString(f[4])
		if err != nil {
			c.t.Fatal(err)
		}
		if f[3] == c.port {
			requests[f[2]+" "+f[1]] = payload
		} else if err := verify(payload, requests[f[3]+" "+f[1]]); err != nil {
			c.t.Error(err)
		}
	}
}
