package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/dictionary"
	"sekisho/policy"
)

// Radius is the RADIUS door.
type Radius struct {
	Auth    []string // HOST:PORT to listen at, a HOST left out is every address; empty: the door is closed
	Acct    []string // likewise, for accounting
	Workers int      // requests in work at once
	Clients []Client
}

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
	Reply          []Attribute
	Challenge      string         // "append", "challenge", "both": when the code is asked for in a round of its own
	Tunnel         []netip.Prefix // where its people have their addresses
	Pool           []netip.Prefix // of Tunnel, where we give them out
	Interim        time.Duration  // how often it is asked to tell of a session; 0: not
	Disconnect     Disconnect
	Separator      string // between password and code
	AllowMissingMA bool   // accept requests without Message-Authenticator
	Proxy          bool   // carries other servers' Proxy-State
	NoClass        bool
	RejectDelay    time.Duration
}

// Disconnect is where a client takes orders about its sessions; the zero
// value is nowhere.
type Disconnect struct {
	To      netip.AddrPort
	Secret  Secret
	Address bool // name the session by its tunnel address, too
}

const defaultRejectDelay = time.Second

func readRadius(t *table, zones *policy.Zones) Radius {
	r := Radius{Workers: t.number("workers", 1024, 1, 1<<16)}
	delay := t.between("reject_delay", defaultRejectDelay, 0, 5*time.Second)
	seen := map[string]bool{}
	for _, e := range t.texts("auth") {
		switch {
		case !isListen(e.text):
			t.r.fault(e.key, `%q is no address to listen at; write it like "0.0.0.0:1812" or "[::]:1812"`, e.text)
		case seen[e.text]:
			t.r.fault(e.key, "%q stands twice; take one out", e.text)
		default:
			r.Auth = append(r.Auth, e.text)
		}
		seen[e.text] = true
	}
	if !t.has("auth") {
		r.Auth = []string{"0.0.0.0:1812"}
	}
	words := t.dictionary("dictionaries")
	names, prefixes := map[string]string{}, map[netip.Prefix]string{}
	for _, ct := range t.tables("client") {
		c := readClient(ct, zones, words, delay)
		if other, taken := names[c.Name]; taken && c.Name != "" {
			ct.fault("name", "%q is the name of %s, too; give each its own", c.Name, other)
		}
		if other, taken := prefixes[c.Prefix]; taken && c.Prefix.IsValid() {
			ct.fault("address", "%v is the address of %s, too; one client an address, the secret tells no two apart", c.Prefix, other)
		}
		names[c.Name], prefixes[c.Prefix] = ct.key, ct.key
		r.Clients = append(r.Clients, c)
	}
	if !t.has("client") && len(r.Auth) > 0 {
		t.r.warn(t.name("client"), "there is none, so nobody can ask; add a [[radius.client]]")
	}
	t.close()
	return r
}

// isListen accepts HOST:PORT with an address, or nothing, as HOST; port 0 is
// any free one.
func isListen(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return host == "" || err == nil
}

func readClient(t *table, zones *policy.Zones, words *dictionary.Dictionary, delay time.Duration) Client {
	c := Client{
		Name:           t.text("name", ""),
		Service:        t.text("service", ""),
		Zone:           t.text("source", policy.OffCampus),
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
	switch otp := t.text("otp", "append"); otp {
	case "append":
	case "challenge", "both":
		t.fault("otp", `%q needs Access-Challenge, which is not built into this release; write "append"`, otp)
	default:
		t.fault("otp", `%q is not known; write "append"`, otp)
	}
	if c.Proxy && c.AllowMissingMA {
		// CVE-2024-3596: Proxy-State is where the collision is hidden.
		t.fault("proxy", "can't go with require_message_authenticator = false, replies could be forged; have the proxy send Message-Authenticator, or take proxy out")
	}
	c.Secrets = readSecrets(t, c.Prefix)
	t.close()
	return c
}

// require blames a key that is missing or empty, unless something else has
// been found wrong with it.
func (t *table) require(key, value, do string) {
	if strings.TrimSpace(value) == "" && !t.r.faults.blames(t.name(key)) {
		t.fault(key, "is missing; %s", do)
	}
}

// separator reads what stands between password and code.
func (t *table) separator() string {
	text := t.text("separator", "")
	switch {
	case len(text) > 8:
		t.fault("separator", "is longer than 8 octets; choose a short one")
	case strings.ContainsAny(text, "0123456789"):
		t.fault("separator", "holds a digit, which could be one of the code; choose another, such as a comma")
	}
	return text
}

// checkZone wants the name of a zone.
func (t *table) checkZone(key, name string, zones *policy.Zones) {
	if _, ok := zones.Named(name); ok {
		return
	}
	hint := "there is " + strings.Join(zones.Names(), ", ")
	if near := nearest(name, zones.Names()); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	t.fault(key, "%q is no zone; %s", name, hint)
}
