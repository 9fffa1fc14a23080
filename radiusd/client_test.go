package radiusd

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestNewClientsNamesEveryFault(t *testing.T) {
	good := testClient()
	change := func(f func(*Client)) Client {
		c := testClient()
		c.Name, c.Prefix = "b", netipPrefix("192.0.2.0/24")
		f(&c)
		return c
	}
	_, err := NewClients([]Client{
		good,
		change(func(c *Client) { c.Name = "" }),
		change(func(c *Client) { c.Name = good.Name; c.Prefix = netipPrefix("10.0.0.0/8") }),
		change(func(c *Client) { c.Prefix = netipPrefix("::ffff:127.1.2.3/104") }),
		change(func(c *Client) { c.Name = "zero"; c.Prefix = netip.Prefix{} }),
		change(func(c *Client) {
			c.Name = "wide"
			c.Prefix = netip.PrefixFrom(netip.MustParseAddr("::ffff:1.2.3.4"), 90)
		}),
		change(func(c *Client) { c.Name = "c"; c.Prefix = netipPrefix("10.1.0.0/16"); c.Secrets = nil }),
		change(func(c *Client) { c.Name = "d"; c.Prefix = netipPrefix("10.2.0.0/16"); c.Secrets = [][]byte{{}} }),
		change(func(c *Client) {
			c.Name = "e"
			c.Prefix = netipPrefix("10.3.0.0/16")
			c.Proxy, c.AllowMissingMA = true, true
		}),
		change(func(c *Client) { c.Name = "f"; c.Prefix = netipPrefix("10.4.0.0/16"); c.RejectDelay = -1 }),
		change(func(c *Client) {
			c.Name = "g"
			c.Prefix = netipPrefix("10.5.0.0/16")
			c.OwnAddress, c.AllowMissingMA = true, true
		}),
		change(func(c *Client) {
			c.Name = "h"
			c.Prefix = netipPrefix("10.6.0.0/16")
			c.OwnAddress, c.Zone = true, "campus"
		}),
		change(func(c *Client) { c.Name = "i"; c.Prefix = netipPrefix("10.7.0.0/16"); c.TunnelEndpoint = true }),
		change(func(c *Client) {
			c.Name = "j"
			c.Prefix = netipPrefix("10.8.0.0/16")
			c.Reply = []Attribute{{Name: "Long", Octets: []byte{11, 4, 'x'}}, {Name: "Short", Octets: []byte{11, 1}}, {Name: "Hollow", Octets: []byte{11, 2}}, {Name: "None"}}
		}),
	})
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{
		`client "": has no name`, `client "vpn1": is named twice`, `has the prefix ::ffff:127.1.2.3/104 of client "vpn1"`,
		`client "zero":`, `client "wide":`, `client "c": has no secret`, `client "d": has no secret`,
		`client "e": a proxy`, `client "f": a negative`, `client "g": without Message-Authenticator`, `client "h": has a zone`,
		`client "i": is not asked`, `client "j": the attribute Long`, `client "j": the attribute Short`,
		`client "j": the attribute Hollow`, `client "j": the attribute None`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), testSecret) {
		t.Error("a secret in the fault")
	}
}

func TestLongestPrefixWins(t *testing.T) {
	var list []Client
	for _, prefix := range []string{"0.0.0.0/0", "192.0.2.0/24", "192.0.2.128/25", "::ffff:192.0.2.129/128", "2001:db8::/32", "2001:db8:1::/48"} {
		c := testClient()
		c.Name, c.Prefix = prefix, netipPrefix(prefix)
		list = append(list, c)
	}
	table := newTable(mustClients(t, list...), newMetrics(nil))
	for addr, want := range map[string]string{
		"198.51.100.1":      "0.0.0.0/0",
		"192.0.2.1":         "192.0.2.0/24",
		"192.0.2.130":       "192.0.2.128/25",
		"192.0.2.129":       "::ffff:192.0.2.129/128",
		"2001:db8:2::1":     "2001:db8::/32",
		"2001:db8:1::1%lo0": "2001:db8:1::/48",
		"2001:db9::1":       "",
	} {
		got := ""
		if n := table.find(netip.MustParseAddr(addr)); n != nil {
			got = n.Name
			if n.Zone != "off-campus" {
				t.Errorf("zone %q", n.Zone)
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q", addr, got, want)
		}
	}
}

func TestClientHidesItsSecrets(t *testing.T) {
	c := testClient()
	for _, s := range []string{fmt.Sprintf("%v %+v %s", c, c, c), c.LogValue().String(), fmt.Sprint(newSecret([]byte(testSecret)))} {
		if strings.Contains(s, testSecret) || strings.Contains(s, fmt.Sprint([]byte(testSecret))) {
			t.Errorf("shown: %s", s)
		}
	}
	if s := fmt.Sprintf("%#v", c); s != c.Name {
		t.Errorf("shown: %s", s)
	}
}

func TestBucket(t *testing.T) {
	var b bucket
	now := testTime
	for i := range 3 {
		if !b.take(now, 3) {
			t.Errorf("take %d refused", i)
		}
	}
	if b.take(now, 3) || b.take(now.Add(-time.Hour), 3) {
		t.Error("more than the rate")
	}
}
