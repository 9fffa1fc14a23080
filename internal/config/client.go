package config

import (
	"net/netip"
	"time"

	"sekisho/internal/dictionary"
	"sekisho/policy"
)

// Client is one RADIUS client: a VPN appliance, a switch, a proxy. The field
// names are those of package radiusd.
type Client struct {
	Name           string
	Prefix         netip.Prefix
	Secrets        Secrets // the first is the one to use, the others are being rotated out
	Service        string
	Zone           string // of everybody who comes through it; "": OwnAddress
	OwnAddress     bool   // judge each person's own address, as the client tells it
	TunnelEndpoint bool   // which Tunnel-Client-Endpoint tells, too
	Challenge      string // when the code is asked for in a round of its own: "append" (never), "challenge", "both"
	Separator      string // between password and code
	AllowMissingMA bool   // accept requests without Message-Authenticator
	Proxy          bool   // carries other servers' Proxy-State
	NoClass        bool
	RejectDelay    time.Duration
	Reply          []Attribute
	Tunnel         []netip.Prefix // where its people have their addresses; empty: it vouches for nobody
	Pool           []netip.Prefix // of Tunnel, where we give them out; empty: the client does
	Interim        time.Duration  // how often it is asked to tell of a session; 0: it is not
	Disconnect     Disconnect
}

func readClient(t *table, zones *policy.Zones, words *dictionary.Dictionary, delay time.Duration) Client {
	c := Client{
		Name:           t.text("name", ""),
		Service:        t.text("service", ""),
		Zone:           t.text("source", policy.OffCampus),
		Challenge:      t.one("otp", "append", "append", "challenge", "both"),
		Separator:      t.separator(),
		AllowMissingMA: !t.flag("require_message_authenticator", true),
		Proxy:          t.flag("proxy", false),
		NoClass:        !t.flag("class", true),
		RejectDelay:    t.between("reject_delay", delay, 0, 5*time.Second),
	}
	t.require("name", c.Name, "name the client, the log will call it so")
	t.require("service", c.Service, `say what people sign in to: service = "ssl-vpn"`)
	address := t.text("address", "")
	t.require("address", address, `write its address: address = "203.0.113.10"`)
	if address != "" {
		prefix, err := policy.ParsePrefix(address)
		switch {
		case err != nil:
			t.fault("address", "%v", err)
		case prefix.Bits() == 0:
			t.fault("address", "%v lets the whole world guess the secret; name the addresses of the client", prefix)
		default:
			c.Prefix = prefix
		}
	}
	c.TunnelEndpoint = t.flag("tunnel_client_endpoint", false)
	switch {
	case c.Zone != "calling-station-id":
		t.checkZone("source", c.Zone, zones)
		if c.TunnelEndpoint {
			t.fault("tunnel_client_endpoint", `only goes with source = "calling-station-id"; take it out`)
		}
	case c.AllowMissingMA:
		t.fault("source", `"calling-station-id" can't go with require_message_authenticator = false, the address could be altered on its way; write "off-campus" or the name of a zone`)
	default:
		c.OwnAddress, c.Zone = true, ""
	}
	c.Reply = readReplies(t, words)
	readTunnel(t, &c)
	c.Disconnect = readDisconnect(t, &c)
	if c.Proxy && c.AllowMissingMA {
		// CVE-2024-3596: Proxy-State is where the collision is hidden.
		t.fault("proxy", "can't go with require_message_authenticator = false, replies could be forged; have the proxy send Message-Authenticator, or take proxy out")
	}
	c.Secrets = readSecrets(t, c.Prefix)
	t.close()
	return c
}
