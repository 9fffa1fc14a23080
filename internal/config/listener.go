package config

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"os"
	"time"

	"sekisho/policy"
)

// Listener is one TCP address of the LDAP or the web door.
type Listener struct {
	URL         string         // as written
	TLS         bool           // from the first octet on: ldaps, https
	Address     string         // HOST:PORT; a HOST left out is every address
	Certificate string         // file; "" none
	Key         string         // file
	Zone        string         // of everybody who comes here; "" judges each
	Proxies     []netip.Prefix // whose PROXY header is believed; empty: there is none
}

// scheme is a kind of URL that a door listens at.
type scheme struct {
	name string
	port string // where the URL has none
	tls  bool
}

// readListener leaves it to the door what a listener without TLS may do.
func readListener(t *table, zones *policy.Zones, schemes ...scheme) Listener {
	l := Listener{URL: t.text("url", ""), Zone: t.text("zone", ""), Proxies: t.believed("proxy_protocol", "load balancers")}
	like := schemes[0].name + "://0.0.0.0:" + schemes[0].port
	t.require("url", l.URL, "write where to listen: url = \""+like+"\"")
	if l.URL != "" && !l.split(schemes) {
		t.fault("url", "%q is no address to listen at; write it like %q", l.URL, like)
	}
	if other, taken := t.r.sockets[l.Address]; taken {
		t.fault("url", "%s is listened at by %s, too; choose another port", l.Address, other)
	} else if _, port, _ := net.SplitHostPort(l.Address); port != "" && port != "0" {
		t.r.sockets[l.Address] = t.key
	}
	l.Certificate, l.Key = t.certificate()
	trust := t.flag("trust", false)
	if l.Zone != "" {
		t.checkZone("zone", l.Zone, zones)
		// What stands before a listener on the loopback brings the network in.
		alone := l.loopback() && len(l.Proxies) == 0 && !t.has("trusted_proxies")
		if l.Zone != policy.OffCampus && !alone && !trust {
			t.fault("zone", "makes everybody who can reach %s, or what stands before it, count as being in %q; leave it out, or write trust = true if only they can", l.Address, l.Zone)
		}
	}
	return l
}

// believed reads whose word on where somebody comes from is taken: of few
// machines, since any other there could say anything.
func (t *table) believed(key, what string) []netip.Prefix {
	list := t.prefixes(key)
	for _, prefix := range list {
		switch {
		case !prefix.IsValid():
		case prefix.Bits() == 0:
			t.fault(key, "%v lets everybody write whatever source they like; name the %s", prefix, what)
		case wide(prefix):
			t.warn(key, "%v lets all of this network write whatever source they like; name the %s alone", prefix, what)
		}
	}
	return list
}

// wide reports whether a prefix holds more machines than a few.
func wide(prefix netip.Prefix) bool {
	few := 24
	if prefix.Addr().Is6() {
		few = 64
	}
	return prefix.IsValid() && prefix.Bits() < few && !prefix.Addr().IsLoopback()
}

// split takes the URL apart: a scheme, an address or nothing, and a port.
func (l *Listener) split(schemes []scheme) bool {
	u, err := url.Parse(l.URL)
	if err != nil || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return false
	}
	for _, s := range schemes {
		if u.Scheme == s.name {
			address := net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), s.port))
			if isListen(address) {
				l.TLS, l.Address = s.tls, address
			}
		}
	}
	return l.Address != ""
}

func (l *Listener) loopback() bool { return isLoopback(l.Address) }

// certificate names the two files and sees to it that they can be used.
func (t *table) certificate() (cert, key string) {
	cert, key = t.text("certificate", ""), t.text("key", "")
	switch {
	case cert == "" && key == "":
		return "", ""
	case cert == "":
		t.require("certificate", cert, `name its file: certificate = "tls.crt"`)
		return "", ""
	case key == "":
		t.require("key", key, `name the file of its key: key = "tls.key"`)
		return cert, ""
	}
	cert, key = t.r.path(cert), t.r.path(key)
	// The group may read it: several servers often share one certificate.
	if info, err := os.Stat(key); err == nil && info.Mode().Perm()&0o007 != 0 {
		t.fault("key", "%s can be read by everybody (mode %04o); run: chmod o= %s", key, info.Mode().Perm(), key)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.fault("certificate", "can't be used with its key: %v; name the PEM files of one pair, and let the user that runs sekisho read them", err)
		return cert, key
	}
	switch left := pair.Leaf.NotAfter.Sub(t.r.now); {
	case left <= 0:
		t.warn("certificate", "%s ended on %s; renew it", cert, pair.Leaf.NotAfter.Format(time.DateOnly))
	case left < 7*24*time.Hour:
		t.warn("certificate", "%s ends on %s; renew it", cert, pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	return cert, key
}
