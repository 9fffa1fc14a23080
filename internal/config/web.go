package config

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"sekisho/policy"
)

// Portal is the service that the sign-in host's own pages are.
const Portal = "portal"

// Web is the browser door; without listeners it is closed.
type Web struct {
	URL       *url.URL // of the sign-in host; nil if the door is closed
	Accent    string   // colour, #rrggbb; "" the default
	Logo      []byte   // nil none
	LogoType  string   // its media type
	Listeners []WebListener
	Services  []WebService

	RejectDelay time.Duration // a refusal leaves no earlier
}

// WebListener is https://, or http:// on the loopback or behind proxies.
type WebListener struct {
	Listener
	Name    string         // the client, in the book
	Forward []netip.Prefix // whose forwarding headers are believed
}

// WebService is a web service that people go on to.
type WebService struct {
	Name  string // as the rules call it
	Title string
	URL   *url.URL // scheme, host and path prefix
}

func readWeb(t *table, zones *policy.Zones) Web {
	w := Web{
		Accent:      t.text("accent", ""),
		RejectDelay: t.between("reject_delay", defaultRejectDelay, 100*time.Millisecond, 5*time.Second),
	}
	for _, lt := range t.tables("listener") {
		l := readWebListener(lt, zones)
		for i, other := range w.Listeners {
			if l.Name == other.Name && l.Name != l.URL {
				lt.fault("name", "%q is the name of web.listener[%d], too; give each its own", l.Name, i)
			}
		}
		w.Listeners = append(w.Listeners, l)
	}
	address := t.text("url", "")
	if len(w.Listeners) > 0 {
		t.require("url", address, `write the address of the sign-in page: url = "https://sso.example.ac.jp"`)
	}
	if address != "" {
		if w.URL = t.webURL("url", address); w.URL != nil && w.URL.Path != "/" {
			t.fault("url", "%q has a path; the sign-in page needs a host of its own, leave the path out", address)
		}
	}
	if w.Accent != "" && !regexp.MustCompile(`^#[0-9a-fA-F]{6}$`).MatchString(w.Accent) {
		t.fault("accent", `%q is not a colour; write it like "#003366"`, w.Accent)
	}
	if logo := t.text("logo", ""); logo != "" {
		w.Logo, w.LogoType = t.logo(t.r.path(logo))
	}
	names, hosts := map[string]string{}, map[string]string{}
	if w.URL != nil {
		hosts[w.URL.Hostname()] = t.name("url")
	}
	for _, st := range t.tables("service") {
		s := readWebService(st)
		if other, taken := names[s.Name]; taken && s.Name != "" {
			st.fault("name", "%q is the name of %s, too; give each its own", s.Name, other)
		}
		names[s.Name] = st.key
		if s.URL != nil {
			// A cookie is kept by host; it knows neither port nor, safely, path.
			host := s.URL.Hostname()
			if other, taken := hosts[host]; taken {
				st.fault("url", "%s is the host of %s, too, whose cookies it would see; give it a host of its own", host, other)
			}
			hosts[host] = st.key
		}
		w.Services = append(w.Services, s)
	}
	if len(w.Listeners) == 0 && t.has("service") {
		t.warn("listener", "there is none, so nobody can sign in to a web service; add a [[web.listener]]")
	}
	t.close()
	return w
}

func readWebListener(t *table, zones *policy.Zones) WebListener {
	l := WebListener{
		Listener: readListener(t, zones, scheme{"https", "443", true}, scheme{"http", "80", false}),
		Forward:  t.believed("trusted_proxies", "proxies"),
	}
	l.Name = t.text("name", l.URL)
	switch {
	case l.Address == "": // told already
	case l.TLS:
		t.require("certificate", l.Certificate, `https:// wants certificate = "tls.crt" and key = "tls.key"`)
	case t.has("certificate"):
		t.fault("certificate", "is of no use to http://; write https://, or take it out")
	case !l.loopback() && len(l.Forward) == 0:
		t.fault("url", "%q would take passwords over the network in clear text; write https://, or name the proxies before it in trusted_proxies", l.URL)
	}
	t.close()
	return l
}

func readWebService(t *table) WebService {
	s := WebService{Name: t.text("name", ""), Title: t.text("title", "")}
	t.require("name", s.Name, "name the service, the rules call it so")
	if s.Name == Portal {
		t.fault("name", "%q is the sign-in page itself; choose another", s.Name)
	}
	if s.Title == "" {
		s.Title = s.Name
	}
	address := t.text("url", "")
	t.require("url", address, `write its address: url = "https://webmail.example.ac.jp/"`)
	if address != "" {
		s.URL = t.webURL("url", address)
	}
	t.close()
	return s
}

// webURL reads the address of a host as browsers reach it; nil if it is
// faulty. A path left out is "/".
func (t *table) webURL(key, text string) *url.URL {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.RawPath != "":
		t.fault(key, `%q is not the address of a web site; write it like "https://sso.example.ac.jp/"`, text)
		return nil
	case u.Scheme == "http" && !isLocal(u.Hostname()):
		t.fault(key, "%q would carry passwords and cookies in clear text; write https://", text)
		return nil
	}
	u.Host = strings.ToLower(u.Host)
	if u.Path == "" {
		u.Path = "/"
	}
	return u
}

// isLocal reports whether a host name never leaves this machine (RFC 6761
// section 6.3).
func isLocal(host string) bool {
	host = strings.ToLower(host)
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

const maxLogo = 64 << 10 // octets; it is on every page

func (t *table) logo(path string) ([]byte, string) {
	picture, err := os.ReadFile(path)
	kind := http.DetectContentType(picture)
	if filepath.Ext(path) == ".svg" && bytes.Contains(picture, []byte("<svg")) {
		kind = "image/svg+xml"
	}
	switch {
	case err != nil:
		t.fault("logo", "can't be read: %v; name a PNG or SVG file", err)
	case len(picture) > maxLogo:
		t.fault("logo", "%s is larger than 64 KiB; make it smaller", path)
	case kind != "image/png" && kind != "image/svg+xml":
		t.fault("logo", "%s is neither PNG nor SVG; name such a file", path)
	default:
		return picture, kind
	}
	return nil, ""
}
