package config

import (
	"net/netip"
)

// Disconnect is where a client takes orders about its sessions; the zero
// value is nowhere.
type Disconnect struct {
	To      netip.AddrPort
	Secret  Secret
	Address bool // name the session by its tunnel address, too
}

// readDisconnect wants a secret of its own, since the client may have another
// for what it is told than for what it asks.
func readDisconnect(t *table, c *Client) Disconnect {
	d := Disconnect{Address: t.flag("disconnect_address", false)}
	to := t.text("disconnect", "")
	if to == "" {
		for _, key := range []string{"disconnect_address", "disconnect_secret", "disconnect_secret_file"} {
			if _, there := t.value(key); there {
				t.fault(key, `only goes with disconnect; write where the client takes orders: disconnect = "203.0.113.10:3799"`)
			}
		}
		return Disconnect{}
	}
	var err error
	switch d.To, err = netip.ParseAddrPort(to); {
	case err != nil, d.To.Port() == 0, d.To.Addr().IsUnspecified(), d.To.Addr().Zone() != "":
		t.fault("disconnect", `%q is no address with a port; write it like "203.0.113.10:3799" or "[2001:db8::10]:3799"`, to)
	case c.Proxy:
		t.fault("disconnect", "can't go with proxy = true: the machine that holds the session stands behind the proxy and can't be told; take it out")
	case c.Prefix.IsValid() && !c.Prefix.IsSingleIP():
		t.fault("disconnect", "can't go with the addresses of %v: each machine takes its own orders; give it a [[radius.client]] of its own", c.Prefix)
	}
	d.To = netip.AddrPortFrom(d.To.Addr().Unmap(), d.To.Port())
	d.Secret = readOrderSecret(t, d.To.Addr())
	return d
}

// readOrderSecret reads the one secret that orders are signed with.
func readOrderSecret(t *table, to netip.Addr) Secret {
	key, texts := t.secretTexts("disconnect_secret", `name a file with the secret that the client checks orders by: disconnect_secret_file = "vpn1.disconnect"`)
	switch {
	case key == "":
		return nil
	case len(texts) > 1:
		t.fault(key, "holds %d secrets; keep one, on one line", len(texts))
	}
	t.checkSecrets(key, Secrets{[]byte(texts[0])}, netip.PrefixFrom(to, to.BitLen()))
	return Secret(texts[0])
}
