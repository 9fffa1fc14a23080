package main

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/directory"
	"sekisho/ldapproxy"
)

// lines is a protocol of one line a message; a line that begins with + is
// good.
func lines(b, _ []byte) (used int, good bool, err error) {
	used = bytes.IndexByte(b, '\n') + 1
	return used, used > 0 && b[0] == '+', nil
}

// tcpPeer has reply answer each read of each connection; nil closes it.
func tcpPeer(t *testing.T, reply func(request []byte) []byte) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				b := make([]byte, 4096)
				for {
					n, err := conn.Read(b)
					if err != nil {
						return
					}
					r := reply(b[:n])
					if r == nil {
						return
					}
					conn.Write(r)
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestTalkOnce(t *testing.T) {
	to := tcpPeer(t, func(request []byte) []byte { return request })
	var requests [][]byte
	for i := range 300 {
		requests = append(requests, []byte("+-"[i%3%2:][:1]+strings.Repeat("x", i*100)+"\n"))
	}
	talk := &Talk{To: to, From: inside, Conns: 7, Greeting: []byte("+hello\n"), Requests: requests, Order: once, Parse: lines}
	tally, err := talk.Run()
	if err != nil {
		t.Fatal(err)
	}
	if tally.Sent != 300 || tally.Accepted != 200 || tally.Refused != 100 || tally.Lost != 0 || len(tally.Latency) != 300 || tally.Rate() <= 0 {
		t.Errorf("%d sent, %d accepted, %d refused, %d lost, %d timed", tally.Sent, tally.Accepted, tally.Refused, tally.Lost, len(tally.Latency))
	}
}

// What belongs together goes over one connection, in order, and counts once.
func TestTalkOfUnits(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		to := counting(t)
		talk := &Talk{To: to, Conns: 3, Fresh: fresh, Farewell: []byte("bye\n"), Unit: 2, Order: once, Parse: lines}
		for range 50 {
			talk.Requests = append(talk.Requests, []byte("first\n"), []byte("second\n"))
		}
		tally, err := talk.Run()
		if err != nil {
			t.Fatal(err)
		}
		if tally.Sent != 50 || tally.Accepted != 50 || len(tally.Latency) != 50 {
			t.Errorf("fresh %v: %d sent, %d accepted, %d timed", fresh, tally.Sent, tally.Accepted, len(tally.Latency))
		}
	}
}

func TestUnitThatIsRefusedHalfWay(t *testing.T) {
	to := tcpPeer(t, func(request []byte) []byte {
		if string(request) == "second\n" {
			return []byte("-\n")
		}
		return []byte("+\n")
	})
	talk := &Talk{To: to, Conns: 1, Unit: 3, Order: once, Parse: lines}
	talk.Requests = [][]byte{[]byte("first\n"), []byte("second\n"), []byte("third\n"), []byte("first\n"), []byte("first\n"), []byte("first\n")}
	tally, err := talk.Run()
	if err != nil || tally.Sent != 2 || tally.Accepted != 1 || tally.Refused != 1 {
		t.Errorf("%+v, %v", tally, err)
	}
}

// counting takes first and second in turn on each connection, and nothing
// else but a farewell.
func counting(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewScanner(conn)
				for want := "first"; in.Scan(); {
					switch {
					case in.Text() != want:
						conn.Write([]byte("-\n"))
						return
					case want == "first":
						want = "second"
					default:
						want = "first"
					}
					conn.Write([]byte("+\n"))
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestTalkUntilTheTimeIsOver(t *testing.T) {
	to := tcpPeer(t, func(request []byte) []byte { return request })
	answers := 0
	talk := &Talk{To: to, Conns: 2, Requests: [][]byte{[]byte("+\n"), []byte("-\n")}, Order: around, For: time.Hour}
	talk.Parse = func(b, request []byte) (used int, good bool, err error) {
		if answers++; answers == 9 { // of short lines each comes whole
			talk.For = 1
		}
		return lines(b, request)
	}
	tally, err := talk.Run()
	if err != nil {
		t.Fatal(err)
	}
	if tally.Sent != 10 || tally.Answered() != 10 {
		t.Errorf("%d sent, %d answered", tally.Sent, tally.Answered())
	}
}

// What has no answer is lost, and waited for only once.
func TestTalkLost(t *testing.T) {
	t.Parallel() // it has the patience
	to := tcpPeer(t, func(request []byte) []byte { return bytes.TrimPrefix(request, []byte("-")) })
	talk := &Talk{To: to, Conns: 3, Requests: [][]byte{[]byte("+\n"), []byte("-"), []byte("-")}, Order: once, Parse: lines}
	tally, err := talk.Run()
	if err != nil {
		t.Fatal(err)
	}
	if tally.Sent != 3 || tally.Accepted != 1 || tally.Lost != 2 {
		t.Errorf("%+v", tally)
	}
}

func TestTalkFaults(t *testing.T) {
	nobody, err := freeTCP()
	if err != nil {
		t.Fatal(err)
	}
	closes := tcpPeer(t, func([]byte) []byte { return nil })
	speaks := tcpPeer(t, func(request []byte) []byte { return request })
	chatters := tcpPeer(t, func(request []byte) []byte { return append(request, request...) })
	garbles := func([]byte, []byte) (int, bool, error) { return 0, false, errBER }
	one := [][]byte{[]byte("+\n"), []byte("+\n")}
	for name, c := range map[string]struct {
		Talk
		want string
	}{
		"nobody listens":           {Talk{To: nobody, Requests: one, Parse: lines}, "connection refused"},
		"it hangs up":              {Talk{To: closes, Requests: one, Parse: lines}, "unexpected EOF"},
		"the greeting is bad":      {Talk{To: speaks, Greeting: []byte("-\n"), Requests: one, Parse: lines}, "only 0 of 1 times"},
		"the greeting is cut":      {Talk{To: closes, Greeting: []byte("+\n"), Requests: one, Parse: lines}, "greet"},
		"it talks too much":        {Talk{To: chatters, Greeting: []byte("+\n"), Requests: one[:1], Order: once, Parse: lines}, "more than was asked"},
		"it talks of other things": {Talk{To: speaks, Requests: one, Parse: garbles}, "no LDAP message"},
	} {
		c.Conns = 1
		if _, err := c.Run(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// crowd is a directory of two, before a gate that stands open.
type crowd struct{ open }

func (crowd) Live(context.Context, string) (bool, error)                 { return true, nil }
func (crowd) Stands(context.Context, string) (bool, error)               { return true, nil }
func (crowd) Observe(context.Context, gate.Request) (gate.Answer, error) { return gate.Answer{}, nil }
func (crowd) Epoch() uint64                                              { return 1 }
func (crowd) Entries(_ context.Context, each func(directory.Entry) error) error {
	for i := range 2 {
		p := person(i)
		if err := each(directory.Entry{Name: p.name(), Display: p.display(), Mail: p.mail()}); err != nil {
			return err
		}
	}
	return nil
}

// What a strict server makes of our requests.
func TestTalkLDAP(t *testing.T) {
	apps, err := ldapproxy.NewApps([]ldapproxy.App{{
		Name: "app", Prefixes: []netip.Prefix{netip.PrefixFrom(outside, 32)}, Service: "mail", PlainBinds: true,
		Accounts: []ldapproxy.Account{{DN: serviceAccount, Password: []byte(servicePass)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &ldapproxy.Server{Gate: crowd{}, People: crowd{}, Base: ldapBase}
	s.SetApps(apps)
	go s.Serve(ldapproxy.Listener{Listener: l, PlainBinds: true})
	defer s.Shutdown(t.Context())

	talk := &Talk{
		To: l.Addr().(*net.TCPAddr).AddrPort(), Conns: 2, Greeting: bindRequest(1, serviceAccount, servicePass), Order: once, Parse: ldapAnswer,
		Requests: [][]byte{
			searchRequest(2, ldapBase, "u0"), searchRequest(70_000, ldapBase, "u1"), searchRequest(3, ldapBase, "u2"),
			bindRequest(4, person(0).dn(), password), bindRequest(5, serviceAccount, password),
		},
	}
	tally, err := talk.Run()
	if err != nil {
		t.Fatal(err)
	}
	if tally.Accepted != 3 || tally.Refused != 2 {
		t.Errorf("%d accepted, %d refused", tally.Accepted, tally.Refused)
	}
}
