package radiusd

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"layeh.com/radius"
	"sekisho/gate"
)

// parsedOrder is an order as another implementation reads it.
func parsedOrder(t *testing.T, o gate.Order, c Client) *radius.Packet {
	t.Helper()
	octets := order(7, &o, o.NAS, &c, newSecret([]byte(orderSecret)), testTime)
	p := told{box: &box{t: t, secret: orderSecret}, octets: octets}.parsed()
	if p.Identifier != 7 {
		t.Errorf("identifier %d", p.Identifier)
	}
	return p
}

// NAS and session are named as the NAS did that, octet for octet.
func TestOrderNamesTheSessionAsItsNASDoes(t *testing.T) {
	stamp := fmt.Sprintf(" 55=%q", binary.BigEndian.AppendUint32(nil, uint32(testTime.Unix())))
	for nas, want := range map[string]string{
		"id:box-1":                              `32="box-1" `,
		"id:" + escaped([]byte("a\\b\x01\xff")): `32="a\\b\x01\xff" `,
		"id:192.0.2.1":                          `32="192.0.2.1" `,
		"id:ip:192.0.2.1,id:x":                  `32="ip:192.0.2.1,id:x" `,
		"ip:192.0.2.1":                          `4="\xc0\x00\x02\x01" `,
		"ip:2001:db8::1":                        `95=" \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" `,
		"ip:192.0.2.1,ip:::1,id:a, b,":          `4="\xc0\x00\x02\x01" 95="\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" 32="a, b," `,
		"from:192.0.2.1":                        ``,
		"ip:junk":                               ``,
		"":                                      ``,
	} {
		o := anOrder(1)
		o.NAS, o.Session = nas, escaped([]byte("\x00\x01S"))
		if got := attributes(parsedOrder(t, o, testClient())); got != want+`44="\x00\x01S" 1="alice"`+stamp {
			t.Errorf("NAS %q: %s", nas, got)
		}
	}
}

func TestOrderNamesTheAddressOnlyWhereWanted(t *testing.T) {
	c := testClient()
	c.Disconnect.Address = true
	for addr, want := range map[string]int{"198.51.100.7": 6, "2001:db8::7": 5, "": 5} {
		o := anOrder(1)
		o.Address, _ = netip.ParseAddr(addr)
		p := parsedOrder(t, o, c)
		if len(p.Attributes) != want || want == 6 && fmt.Sprint(p.Attributes[4].Type, p.Attributes[4].Attribute) != "8 [198 51 100 7]" {
			t.Errorf("address %q: %s", addr, attributes(p))
		}
	}
}

// A Disconnect-Request changes nothing.
func TestDisconnectCarriesNoReplyAttributes(t *testing.T) {
	c := testClient()
	c.Reply = []Attribute{filter("anybody")}
	if p := parsedOrder(t, anOrder(1), c); len(p.Attributes) != 5 {
		t.Errorf("carries %s", attributes(p))
	}
}
