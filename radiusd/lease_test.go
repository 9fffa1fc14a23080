package radiusd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc6911"
	"sekisho/gate"
)

// lessor gives out one address, and says who asked.
type lessor struct {
	Sessions // of which nothing else is needed
	addr     netip.Addr
	err      error

	mu    sync.Mutex
	asked []string
}

func (l *lessor) askedFor() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

func (l *lessor) Lease(_ context.Context, client, ticket string, pool []netip.Prefix) (netip.Addr, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, fmt.Sprintf("%s %s %v", client, ticket, pool))
	return l.addr, l.err
}

func pooled() Client {
	c := testClient()
	c.Tunnel = []netip.Prefix{netipPrefix("198.51.100.0/24"), netipPrefix("2001:db8:5::/48")}
	c.Pool = []netip.Prefix{netipPrefix("198.51.100.128/25"), netipPrefix("2001:db8:5:1::/64")}
	return c
}

func leased(t *testing.T, l *lessor, c Client) (*rig, *radius.Packet) {
	t.Helper()
	r := start(t, func(r *rig) {
		if l != nil {
			r.Sessions = l
		}
	}, c)
	got := r.dial().ask(pap(1, "secret123456"))
	if got.Code != radius.CodeAccessAccept {
		t.Fatalf("got %v", got.Code)
	}
	return r, got
}

func TestAddressOfThePool(t *testing.T) {
	l := &lessor{addr: netip.MustParseAddr("::ffff:198.51.100.130")}
	_, got := leased(t, l, pooled())
	if ip := rfc2865.FramedIPAddress_Get(got); ip.String() != "198.51.100.130" || got.Get(rfc6911.FramedIPv6Address_Type) != nil {
		t.Errorf("Framed-IP-Address %v", ip)
	}
	want := []string{"vpn1 abc [198.51.100.128/25 2001:db8:5:1::/64]"}
	if asked := l.askedFor(); !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
	_, got = leased(t, &lessor{addr: netip.MustParseAddr("2001:db8:5:1::7")}, pooled())
	if ip, _ := rfc6911.FramedIPv6Address_Lookup(got); ip.String() != "2001:db8:5:1::7" || got.Get(rfc2865.FramedIPAddress_Type) != nil {
		t.Errorf("Framed-IPv6-Address %v", ip)
	}
}

// The sign-in matters more than who picks the address.
func TestNoAddressIsNoRefusal(t *testing.T) {
	none := func(l *lessor, c Client, say string) {
		t.Helper()
		r, got := leased(t, l, c)
		if got.Get(rfc2865.FramedIPAddress_Type) != nil || got.Get(rfc6911.FramedIPv6Address_Type) != nil {
			t.Errorf("got %v", got.Attributes)
		}
		if !strings.Contains(r.log.String(), say) {
			t.Errorf("the log does not say %q:\n%s", say, r.log)
		}
		if say != "" {
			r.dial().ask(pap(2, "secret123456"))
			if n := strings.Count(r.log.String(), say); n != 1 {
				t.Errorf("%d lines", n)
			}
		}
	}
	none(&lessor{}, pooled(), "no tunnel address is free")
	none(&lessor{addr: netip.MustParseAddr("198.51.100.130"), err: errors.New("store is down")}, pooled(), "store is down")
	none(nil, pooled(), "")

	l := &lessor{addr: netip.MustParseAddr("198.51.100.130")}
	none(l, testClient(), "")
	if asked := l.askedFor(); len(asked) != 0 {
		t.Errorf("without a pool asked %q", asked)
	}
}

// Only who is admitted takes an address out of the pool.
func TestRefusalLeasesNothing(t *testing.T) {
	l := &lessor{addr: netip.MustParseAddr("198.51.100.130")}
	r := start(t, func(r *rig) { r.Sessions = l }, pooled())
	got := r.dial().ask(pap(1, "wrong"))
	onlyInReject(t, got)
	if asked := l.askedFor(); len(asked) != 0 {
		t.Errorf("asked %q", asked)
	}
}

func TestInterimIsAskedFor(t *testing.T) {
	c := testClient()
	_, got := leased(t, nil, c)
	if got.Get(rfc2869.AcctInterimInterval_Type) != nil {
		t.Error("asked for without being told to")
	}
	c.Interim = 90 * time.Second
	r, got := leased(t, nil, c)
	if n := rfc2869.AcctInterimInterval_Get(got); n != 90 {
		t.Errorf("Acct-Interim-Interval %d", n)
	}
	onlyInReject(t, r.dial().ask(pap(2, "wrong")))
}

func TestNewClientsOfTunnels(t *testing.T) {
	lasting := func(typ radius.Type) Attribute { return Attribute{Name: "x", Octets: number(typ, 60)} }
	filterThen := func(typ radius.Type) Attribute {
		a := lasting(typ)
		a.Octets = append(text(rfc2865.FilterID_Type, "staff"), a.Octets...)
		return a
	}
	for name, tt := range map[string]struct {
		change func(*Client)
		fault  string
	}{
		"as it should be":             {func(c *Client) {}, ""},
		"a pool without a tunnel":     {func(c *Client) { c.Tunnel = nil }, "is not in its tunnel"},
		"a pool wider than it":        {func(c *Client) { c.Pool[0] = netipPrefix("198.51.100.0/23") }, "is not in its tunnel"},
		"a pool beside it":            {func(c *Client) { c.Pool[1] = netipPrefix("2001:db8:6::/64") }, "is not in its tunnel"},
		"a pool that is none":         {func(c *Client) { c.Pool[1] = netip.Prefix{} }, "is not in its tunnel"},
		"the whole tunnel":            {func(c *Client) { c.Pool = c.Tunnel }, ""},
		"interim of a minute":         {func(c *Client) { c.Interim = time.Minute }, ""},
		"interim below a minute":      {func(c *Client) { c.Interim = 59 * time.Second }, "each minute"},
		"negative interim":            {func(c *Client) { c.Interim = -time.Minute }, "each minute"},
		"orders":                      {func(c *Client) { c.Disconnect.Secret = []byte("x") }, ""},
		"orders without a secret":     {func(c *Client) { c.Disconnect.To = netip.MustParseAddrPort("127.0.0.1:3799") }, "no secret"},
		"Session-Timeout":             {func(c *Client) { c.Reply = []Attribute{lasting(rfc2865.SessionTimeout_Type)} }, "own"},
		"Session-Timeout behind":      {func(c *Client) { c.Reply = []Attribute{filterThen(rfc2865.SessionTimeout_Type)} }, "own"},
		"State":                       {func(c *Client) { c.Reply = []Attribute{lasting(rfc2865.State_Type)} }, "own"},
		"Proxy-State":                 {func(c *Client) { c.Reply = []Attribute{lasting(rfc2865.ProxyState_Type)} }, "own"},
		"Message-Authenticator":       {func(c *Client) { c.Reply = []Attribute{lasting(rfc2869.MessageAuthenticator_Type)} }, "own"},
		"Framed-IP beside a pool":     {func(c *Client) { c.Reply = []Attribute{lasting(rfc2865.FramedIPAddress_Type)} }, "own"},
		"Framed-IPv6 beside a pool":   {func(c *Client) { c.Reply = []Attribute{lasting(rfc6911.FramedIPv6Address_Type)} }, "own"},
		"Framed-IP without a pool":    {func(c *Client) { c.Pool, c.Reply = nil, []Attribute{lasting(rfc2865.FramedIPAddress_Type)} }, ""},
		"interim twice":               {func(c *Client) { c.Interim, c.Reply = time.Minute, []Attribute{lasting(85)} }, "own"},
		"interim by the reply's list": {func(c *Client) { c.Reply = []Attribute{lasting(85)} }, ""},
		"a challenge through a proxy": {func(c *Client) { c.Challenge, c.Proxy = gate.ChallengeAlways, true }, ""},
	} {
		c := pooled()
		tt.change(&c)
		_, err := NewClients([]Client{c})
		if tt.fault == "" && err != nil || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
