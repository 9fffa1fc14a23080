package weblogin

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"sekisho/gate"
)

func TestSource(t *testing.T) {
	const proxy, stranger = "10.0.0.5:4711", "192.0.2.77:4711"
	for name, test := range map[string]struct {
		peer     string
		lines    []string
		want     string // "" unknown
		how      string
		distrust bool
	}{
		"the socket":                       {stranger, nil, "192.0.2.77", howSocket, false},
		"the socket, IPv4 on IPv6":         {"[::ffff:192.0.2.77]:1", nil, "192.0.2.77", howSocket, false},
		"a socket without an address":      {"@", nil, "", howSocket, false},
		"a proxy that tells":               {proxy, []string{"203.0.113.9"}, "203.0.113.9", howForwarded, false},
		"a proxy that tells nothing":       {proxy, nil, "", howForwarded, false},
		"a proxy that tells the empty":     {proxy, []string{""}, "", howForwarded, false},
		"the client wrote the left":        {proxy, []string{"10.9.9.9, 203.0.113.9"}, "203.0.113.9", howForwarded, false},
		"two proxies":                      {proxy, []string{"203.0.113.9, 10.0.0.6"}, "203.0.113.9", howForwarded, false},
		"lines are one list":               {proxy, []string{"10.9.9.9", "203.0.113.9,10.0.0.6", "10.0.0.7"}, "203.0.113.9", howForwarded, false},
		"only proxies":                     {proxy, []string{"10.0.0.8, 10.0.0.6"}, "10.0.0.8", howForwarded, false},
		"with a port":                      {proxy, []string{"203.0.113.9:55555"}, "203.0.113.9", howForwarded, false},
		"IPv6":                             {proxy, []string{"2001:db8::9"}, "2001:db8::9", howForwarded, false},
		"IPv6 in brackets":                 {proxy, []string{"[2001:db8::9]"}, "2001:db8::9", howForwarded, false},
		"IPv6 in brackets with a port":     {proxy, []string{"[2001:db8::9]:443"}, "2001:db8::9", howForwarded, false},
		"IPv4 in IPv6 is a listed proxy":   {proxy, []string{"203.0.113.9, ::ffff:10.0.0.6"}, "203.0.113.9", howForwarded, false},
		"a scope id is taken off":          {proxy, []string{"fe80::1%eth0"}, "fe80::1", howForwarded, false},
		"rubbish is outside":               {proxy, []string{"192.0.2.1, unknown"}, "", howForwarded, false},
		"rubbish behind a proxy":           {proxy, []string{"192.0.2.1, _hidden, 10.0.0.6"}, "", howForwarded, false},
		"an empty element":                 {proxy, []string{"192.0.2.1,"}, "", howForwarded, false},
		"IPv4 in brackets":                 {proxy, []string{"[192.0.2.1]"}, "", howForwarded, false},
		"left of the person is not read":   {proxy, []string{"unknown, 203.0.113.9"}, "203.0.113.9", howForwarded, false},
		"a stranger's header is no source": {stranger, []string{"127.0.0.1"}, "192.0.2.77", howSocket, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrossings(t)
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = test.peer
			r.Header["X-Forwarded-For"] = test.lines
			r.Header.Set("Forwarded", "for=198.51.100.1")
			got := c.server.source(r, Listener{Name: "outside", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}})
			want := gate.Source{How: test.how}
			if test.want != "" {
				want.Addr = netip.MustParseAddr(test.want)
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if test.distrust {
				c.judge.wantBooked(t, gate.FaultForwardedUntrusted)
			} else {
				c.judge.wantBooked(t)
			}
		})
	}
}

// Whatever a client writes, only what the proxy itself saw counts.
func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{"", "192.0.2.1", "a,b", "[::1]:1, 10.0.0.1", "10.0.0.6,,", "%", "::ffff:10.0.0.1"} {
		f.Add(seed)
	}
	l := Listener{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}
	seen := netip.MustParseAddr("203.0.113.9")
	f.Fuzz(func(t *testing.T, written string) {
		if got := l.behind([]string{written, "203.0.113.9, 10.0.0.6"}); got != seen {
			t.Errorf("%q in front makes it %v", written, got)
		}
		if got := l.behind([]string{strings.ReplaceAll(written, "\n", "") + ", 203.0.113.9"}); got != seen {
			t.Errorf("%q in front makes it %v", written, got)
		}
		l.behind([]string{written})
	})
}

// A balancer's health check says that there is nobody behind it. The balancer
// stands inside; whoever asks like that does not.
func TestBalancersOwnAddressIsNobodys(t *testing.T) {
	s := &Server{Gate: &judge{}}
	l := Listener{Name: "web", Balancers: []netip.Prefix{netip.MustParsePrefix("192.0.2.5/32")}}
	for peer, want := range map[string]string{"192.0.2.5:1": "", "192.0.2.6:1": "192.0.2.6"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		if got := s.source(r, l); got.String() != want {
			t.Errorf("%s is %q", peer, got)
		}
	}
}
