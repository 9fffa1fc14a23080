package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// visitor is a browser that sits inside, behind the proxy that this program
// plays: every host is at the peer.
type visitor struct {
	http.Client
}

func newVisitor(to netip.AddrPort) *visitor {
	jar, _ := cookiejar.New(nil) // it never fails
	v := &visitor{}
	v.Jar = jar
	v.Transport = &behind{http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, to.String())
	}}}
	return v
}

// behind tells, as a proxy does, where a visitor sits.
type behind struct{ http.Transport }

// RoundTrip implements http.RoundTripper.
func (t *behind) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", inside.String())
	return t.Transport.RoundTrip(r)
}

// page is where a visitor has arrived.
type page struct {
	url  *url.URL
	body string
}

func arrived(res *http.Response, err error) (page, error) {
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return page{res.Request.URL, string(text)}, err
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]+)"`)
	hidden     = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// fill sends a page's form with this field.
func (v *visitor) fill(p page, field, value string) (page, error) {
	action := formAction.FindStringSubmatch(p.body)
	if action == nil || !strings.Contains(p.body, `name="`+field+`"`) {
		return page{}, fmt.Errorf("%v does not ask for the %s:\n%s", p.url, field, p.body)
	}
	form := url.Values{field: {value}}
	for _, h := range hidden.FindAllStringSubmatch(p.body, -1) {
		form.Set(h[1], h[2])
	}
	return arrived(v.PostForm(p.url.ResolveReference(&url.URL{Path: action[1]}).String(), form))
}

// signIn goes the whole way from a service to the sign-in and back, and
// returns the cookies that the service's host then has.
func (v *visitor) signIn(who person) (cookies string, err error) {
	defer v.CloseIdleConnections()
	p, err := arrived(v.Get("http://" + wikiHost + "/.sekisho/go?to=%2F"))
	if err == nil {
		p, err = v.fill(p, "name", who.name())
	}
	if err == nil {
		p, err = v.fill(p, "password", password)
	}
	if err != nil {
		return "", err
	}
	if p.url.Host != wikiHost {
		return "", fmt.Errorf("arrived at %v, not at the service:\n%s", p.url, p.body)
	}
	var list []string
	for _, c := range v.Jar.Cookies(&url.URL{Scheme: "http", Host: wikiHost, Path: "/"}) {
		list = append(list, c.Name+"="+c.Value)
	}
	return strings.Join(list, "; "), nil
}

var stylesheet = regexp.MustCompile(`<link rel="stylesheet" href="([^"]+)"`)

// weigh returns how many octets the sign-in page and its style sheet have.
func (v *visitor) weigh() (html, css int, err error) {
	defer v.CloseIdleConnections()
	p, err := arrived(v.Get("http://" + ssoHost + "/login"))
	if err != nil {
		return 0, 0, err
	}
	link := stylesheet.FindStringSubmatch(p.body)
	if link == nil {
		return 0, 0, fmt.Errorf("%v has no style sheet:\n%s", p.url, p.body)
	}
	address, err := p.url.Parse(link[1])
	if err != nil {
		return 0, 0, err
	}
	style, err := arrived(v.Get(address.String()))
	return len(p.body), len(style.body), err
}
