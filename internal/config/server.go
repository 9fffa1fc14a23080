package config

import (
	"cmp"
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// DirectoryServer is one server of the directory behind. Without TLS and Plain
// it is one that StartTLS begins TLS at.
type DirectoryServer struct {
	URL     string // as written
	Host    string // that the certificate has to name
	Address string // HOST:PORT
	TLS     bool   // from the first octet on
	Plain   bool   // no TLS at all
}

// servers reads the URLs, and start_tls, which is of those without TLS.
func (t *table) servers() []DirectoryServer {
	var list []DirectoryServer
	startTLS, bare := t.flag("start_tls", true), false
	seen := map[string]bool{}
	for _, e := range t.texts("url") {
		s, ok := splitServer(e.text)
		switch {
		case !ok:
			t.r.fault(e.key, `%q is not the address of a directory; write it like "ldaps://ldap.example.ac.jp"`, e.text)
		case seen[s.Address]:
			t.r.fault(e.key, "%q stands twice; take one out", e.text)
		}
		seen[s.Address] = true
		s.Plain = ok && !s.TLS && !startTLS
		bare = bare || ok && !s.TLS
		if s.Plain && !isLoopback(s.Address) {
			t.warn("start_tls", "sends passwords to %s over the network in clear text; take it out", s.Address)
		}
		list = append(list, s)
	}
	switch {
	case t.r.faults.blames(t.name("url")):
	case len(list) == 0:
		t.fault("url", `is missing; name its servers: url = ["ldaps://ldap.example.ac.jp"]`)
	case !startTLS && !bare:
		t.fault("start_tls", "is of no use: ldaps:// is TLS from the first octet on; take it out")
	}
	return list
}

// splitServer takes a URL apart that names a host and nothing behind it.
func splitServer(text string) (DirectoryServer, bool) {
	s := DirectoryServer{URL: text}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return s, false
	}
	port := map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
	s.TLS = u.Scheme == "ldaps"
	s.Host = u.Hostname()
	s.Address = net.JoinHostPort(strings.ToLower(s.Host), cmp.Or(u.Port(), port))
	n, err := strconv.ParseUint(cmp.Or(u.Port(), port), 10, 16)
	return s, err == nil && n > 0 && isHost(s.Host)
}

var hostname = regexp.MustCompile(`^(?i:[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?)\.?$`)

// isHost accepts a name or an address.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return len(text) <= 253 && hostname.MatchString(text)
}

// authorities reads the certificates of those who sign others'.
func (t *table) authorities(key string) []byte {
	name := t.text(key, "")
	switch {
	case !t.has(key) || t.r.faults.blames(t.name(key)):
		return nil
	case name == "":
		t.fault(key, "is empty; name a file, or take it out")
		return nil
	}
	text, err := os.ReadFile(t.r.path(name))
	switch {
	case err != nil:
		t.fault(key, "can't be read: %v; name a PEM file that the user that runs sekisho can read", err)
	case !x509.NewCertPool().AppendCertsFromPEM(text):
		t.fault(key, "%s holds no certificate; name a PEM file", t.r.path(name))
	}
	return text
}
