package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/policy"
)

// Radius is the RADIUS door.
type Radius struct {
	Auth    []string // HOST:PORT to listen at, a HOST left out is every address; empty: the door is closed
	Acct    []string // likewise, for accounting; empty: it is not taken
	Workers int      // requests in work at once
	Clients []Client
}

const defaultRejectDelay = time.Second

func readRadius(t *table, zones *policy.Zones) Radius {
	r := Radius{Workers: t.number("workers", 1024, 1, 1<<16)}
	delay := t.between("reject_delay", defaultRejectDelay, 0, 5*time.Second)
	r.Auth = t.sockets("auth", "1812")
	if !t.has("auth") {
		r.Auth = []string{"0.0.0.0:1812"}
	}
	r.Acct = t.sockets("acct", "1813")
	if !t.has("acct") {
		r.Acct = t.above(r.Auth)
	}
	for i, address := range r.Acct {
		k := slices.IndexFunc(r.Auth, func(auth string) bool { return overlap(auth, address) })
		switch {
		case k < 0:
		case t.has("acct"):
			t.fault(fmt.Sprintf("acct[%d]", i), "%q is in auth, too, as %q; accounting has a port of its own, such as 1813", address, r.Auth[k])
		default:
			t.fault(fmt.Sprintf("auth[%d]", k), "%q is where accounting goes, one port above another of auth; write acct to let it go elsewhere", r.Auth[k])
		}
	}
	words := t.dictionary("dictionaries")
	names, prefixes, tunnels := map[string]string{}, map[netip.Prefix]string{}, tunnels{}
	for _, ct := range t.tables("client") {
		c := readClient(ct, zones, words, delay)
		if other, taken := names[c.Name]; taken && c.Name != "" {
			ct.fault("name", "%q is the name of %s, too; give each its own", c.Name, other)
		}
		if other, taken := prefixes[c.Prefix]; taken && c.Prefix.IsValid() {
			ct.fault("address", "%v is the address of %s, too; one client an address, the secret tells no two apart", c.Prefix, other)
		}
		names[c.Name], prefixes[c.Prefix] = ct.key, ct.key
		tunnels.add(ct, c.Tunnel)
		if len(r.Acct) == 0 {
			ct.wantsAccounting(c)
		}
		r.Clients = append(r.Clients, c)
	}
	if !t.has("client") && len(r.Auth) > 0 {
		t.r.warn(t.name("client"), "there is none, so nobody can ask; add a [[radius.client]]")
	}
	t.close()
	return r
}

// sockets reads a list of addresses to listen at.
func (t *table) sockets(key, port string) []string {
	var list []string
	for _, e := range t.texts(key) {
		switch {
		case !isListen(e.text):
			t.r.fault(e.key, `%q is no address to listen at; write it like "0.0.0.0:%[2]s" or "[::]:%[2]s"`, e.text, port)
		case slices.Contains(list, e.text):
			t.r.fault(e.key, "%q stands twice; take one out", e.text)
		case slices.ContainsFunc(list, func(other string) bool { return overlap(other, e.text) }):
			t.r.fault(e.key, "%q is a part of another, or holds it; take one out", e.text)
		default:
			list = append(list, e.text)
		}
	}
	return list
}

// above are the addresses one port above, where accounting belongs (RFC 2866
// section 3); the port that may be any stays so.
func (t *table) above(list []string) []string {
	var next []string
	for i, text := range list {
		host, port, _ := net.SplitHostPort(text)
		switch n, _ := strconv.Atoi(port); n {
		case 0:
			next = append(next, text)
		case math.MaxUint16:
			t.warn(fmt.Sprintf("auth[%d]", i), "%q has no port above it, so no accounting is taken there; write acct", text)
		default:
			next = append(next, net.JoinHostPort(host, strconv.Itoa(n+1)))
		}
	}
	return next
}

// overlap reports whether two that isListen accepts can't both be listened at.
// An address that is left out, or zero, holds all others of its kind.
func overlap(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	n, _ := strconv.Atoi(portA)
	if m, _ := strconv.Atoi(portB); n != m || n == 0 {
		return false
	}
	if hostA == "" || hostB == "" {
		return true
	}
	addrA, _ := netip.ParseAddr(hostA)
	addrB, _ := netip.ParseAddr(hostB)
	addrA, addrB = addrA.Unmap(), addrB.Unmap()
	return addrA == addrB || addrA.Is4() == addrB.Is4() && (addrA.IsUnspecified() || addrB.IsUnspecified())
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
