package main

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

// startDemo serves the example campus on ports that are free.
func startDemo(t *testing.T) *demo {
	t.Helper()
	ports := portsFrom(freeBase(t))
	d, err := prepareDemo(t.Context(), t.TempDir(), ports)
	if err != nil {
		t.Fatal(err)
	}
	services, err := net.Listen("tcp", hostOf(t, d.Web.Services[0]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { services.Close() })
	s, err := open(t.Context(), d.Config, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	d.listening(s)
	if err := d.serveServices(services); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d
}

// freeBase finds a base from which on the demo's ports are free. It lies below
// the range that the kernel gives to clients (and that e2e takes), so that
// nobody takes one of them meanwhile.
func freeBase(t *testing.T) int {
	t.Helper()
	for range 100 {
		base := 10_000 + rand.IntN(10_000-lastOffset)
		if isFree(base) {
			return base
		}
	}
	t.Fatal("no ports are free")
	return 0
}

func isFree(base int) bool {
	for port := base; port <= base+1; port++ {
		u, err := net.ListenPacket("udp4", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			return false
		}
		defer u.Close()
	}
	for port := base; port <= base+lastOffset; port++ {
		l, err := net.Listen("tcp4", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			return false
		}
		defer l.Close()
	}
	return true
}

// hostOf is where an address of the demo is listened at: all of them are on
// this machine.
func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + u.Port()
}

// browser is one that asks for pages and keeps cookies.
type browser struct {
	t *testing.T
	http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}
	return &browser{t, http.Client{Jar: jar, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: time.Minute}}
}

// page is what came in the end, after redirects.
type page struct {
	status int
	at     *url.URL
	text   string
}

func (b *browser) do(r *http.Request, err error) page {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Remote-User", "admin")
	r.Header.Set("Remote_User", "admin")
	answer, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Request.URL, string(text)}
}

func (b *browser) open(address string) page {
	b.t.Helper()
	return b.do(http.NewRequest(http.MethodGet, address, nil))
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// fill sends the page's form with one field filled in.
func (b *browser) fill(p page, field, value string) page {
	b.t.Helper()
	action := regexp.MustCompile(`<form method="post" action="([^"]+)"`).FindStringSubmatch(p.text)
	if action == nil || !strings.Contains(p.text, `name="`+field+`"`) {
		b.t.Fatalf("%s (%d) asks for no %s:\n%s", p.at, p.status, field, p.text)
	}
	form := url.Values{field: {value}}
	for _, m := range hidden.FindAllStringSubmatch(p.text, -1) {
		form.Set(m[1], m[2])
	}
	to, err := p.at.Parse(action[1])
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.do(r, err)
}

func TestDemoSecondServiceDoesNotAsk(t *testing.T) {
	d := startDemo(t)
	b := newBrowser(t)
	p := b.open(d.Web.Services[0] + "inbox?n=1")
	if !strings.HasPrefix(p.at.String(), d.Web.Outside+"/login") {
		t.Fatalf("asked at %s (%d)", p.at, p.status)
	}
	p = b.fill(p, "name", "alice")
	p = b.fill(p, "password", d.Users["alice"].Password)
	p = b.fill(p, "code", d.alice.Code(time.Now()))
	if p.at.String() != d.Web.Services[0]+"inbox?n=1" || !strings.Contains(p.text, "<b>alice</b> with password,otp") {
		t.Fatalf("%s (%d):\n%s", p.at, p.status, p.text)
	}
	p = b.open(d.Web.Services[1])
	if p.at.String() != d.Web.Services[1] || !strings.Contains(p.text, "<b>alice</b>") {
		t.Fatalf("%s (%d):\n%s", p.at, p.status, p.text)
	}
	if p = newBrowser(t).open(d.Web.Services[1]); strings.Contains(p.text, "Signed in as") {
		t.Errorf("another browser is let in:\n%s", p.text)
	}
}

func TestDemoInsideAsksForLess(t *testing.T) {
	d := startDemo(t)
	b := newBrowser(t)
	p := b.open(d.Web.Inside)
	p = b.fill(p, "name", "alice")
	p = b.fill(p, "password", d.Users["alice"].Password)
	if p.at.String() != d.Web.Inside+"/" || p.status != http.StatusOK {
		t.Fatalf("%s (%d):\n%s", p.at, p.status, p.text)
	}
	// The same browser, as if at home: the code is asked for, nothing else.
	p = b.fill(b.open(d.Web.Services[0]), "code", d.alice.Code(time.Now()))
	if p.at.String() != d.Web.Services[0] || !strings.Contains(p.text, "<b>alice</b>") {
		t.Fatalf("%s (%d):\n%s", p.at, p.status, p.text)
	}
}

// What its screen tells of the way from the VPN to the web.
func TestDemoFromTheVPNToTheWeb(t *testing.T) {
	d := startDemo(t)
	request := radius.New(radius.CodeAccessRequest, []byte(d.RADIUS.Secret))
	set(t, rfc2865.UserName_SetString(request, "alice"), rfc2865.CallingStationID_SetString(request, "203.0.113.7"),
		rfc2865.UserPassword_SetString(request, d.Users["alice"].Password+d.alice.Code(time.Now())), sign(request))
	if got := exchange(t, request, d.RADIUS.Auth); got != radius.CodeAccessAccept {
		t.Fatal(got)
	}
	start := radius.New(radius.CodeAccountingRequest, []byte(d.RADIUS.Secret))
	set(t, rfc2866.AcctStatusType_Set(start, rfc2866.AcctStatusType_Value_Start), rfc2866.AcctSessionID_SetString(start, "demo"),
		rfc2865.UserName_SetString(start, "alice"), rfc2865.CallingStationID_SetString(start, "203.0.113.7"),
		rfc2865.FramedIPAddress_Set(start, net.IPv4(198, 51, 100, 20)))
	if got := exchange(t, start, d.RADIUS.Acct); got != radius.CodeAccountingResponse {
		t.Fatal(got)
	}
	for from, want := range map[string]bool{"198.51.100.20": true, "198.51.100.21": false} {
		r, err := http.NewRequest(http.MethodGet, d.Web.Outside, nil)
		if err == nil {
			r.Header.Set("X-Forwarded-For", from)
		}
		if p := newBrowser(t).do(r, err); strings.Contains(p.text, "Continue as Alice Example") != want {
			t.Errorf("from %s (%d):\n%s", from, p.status, p.text)
		}
	}
}

// sign adds the Message-Authenticator (RFC 2869 §5.14).
func sign(p *radius.Packet) error {
	err := rfc2869.MessageAuthenticator_Set(p, make([]byte, md5.Size))
	if err != nil {
		return err
	}
	wire, err := p.MarshalBinary()
	if err != nil {
		return err
	}
	sum := hmac.New(md5.New, p.Secret)
	sum.Write(wire)
	return rfc2869.MessageAuthenticator_Set(p, sum.Sum(nil))
}

func TestDemoServiceStaysShutWithoutAnAnswer(t *testing.T) {
	site, err := newDemoServices("http://127.0.0.1:1", []string{"mail.localhost:80"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go site.Serve(l)
	defer site.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if p := newBrowser(t).open("http://mail.localhost:" + port); p.status != http.StatusServiceUnavailable {
		t.Errorf("%d: %s", p.status, p.text)
	}
	if p := newBrowser(t).open("http://other.localhost:" + port); p.status != http.StatusNotFound {
		t.Errorf("%d: %s", p.status, p.text)
	}
}

func TestDemoTellsWhereEverythingIs(t *testing.T) {
	d := startDemo(t)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var line struct {
		LDAP map[string]string
		Web  struct {
			Inside, Outside string
			Services        []string
		}
	}
	if err := json.Unmarshal(text, &line); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"url", "ldaps", "base", "people", "service_dn", "service_password", "ca"} {
		if line.LDAP[key] == "" {
			t.Errorf("ldap has no %s: %s", key, text)
		}
	}
	if line.Web.Inside == "" || line.Web.Outside == "" || len(line.Web.Services) != 2 {
		t.Errorf("web: %s", text)
	}
	var screen strings.Builder
	if err := d.print(&screen); err != nil {
		t.Fatal(err)
	}
	for _, want := range append(d.Web.Services, d.Web.Inside, d.Web.Outside, d.LDAP.URL, d.LDAP.LDAPS, d.LDAP.CA, d.LDAP.ServiceDN, d.LDAP.ServicePassword) {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("the screen has no %s", want)
		}
	}
}

// directory connects as programs do that trust the demo's certificate.
func (d *demo) directory(t *testing.T, address string) *ldap.Conn {
	t.Helper()
	pem, err := os.ReadFile(d.LDAP.CA)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	secure := &tls.Config{RootCAs: trusted, ServerName: "127.0.0.1"}
	c, err := ldap.DialURL(address, ldap.DialWithTLSConfig(secure))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if strings.HasPrefix(address, "ldap:") {
		if err := c.StartTLS(secure); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestDemoDirectory(t *testing.T) {
	d := startDemo(t)
	alice, password := "uid=alice,"+d.LDAP.People, d.Users["alice"].Password
	c := d.directory(t, d.LDAP.URL)
	if err := c.Bind(alice, password); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		t.Errorf("alice without a code: %v", err)
	}
	code := d.alice.Code(time.Now())
	for range 2 { // an old program sends the same again
		if err := c.Bind(alice, password+code); err != nil {
			t.Fatal(err)
		}
	}
	if who, err := c.WhoAmI(nil); err != nil || !strings.Contains(who.AuthzID, "uid=alice") {
		t.Errorf("who am I? %+v, %v", who, err)
	}

	c = d.directory(t, d.LDAP.LDAPS)
	if err := c.Bind(d.LDAP.ServiceDN, d.LDAP.ServicePassword); err != nil {
		t.Fatal(err)
	}
	found, err := c.Search(ldap.NewSearchRequest(d.LDAP.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(&(objectClass=posixAccount)(memberOf=cn=staff,ou=groups,"+d.LDAP.Base+"))", []string{"uidNumber", "mail"}, nil))
	if err != nil || len(found.Entries) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if e := found.Entries[0]; e.DN != alice || e.GetAttributeValue("uidNumber") != "10001" || e.GetAttributeValue("mail") != "alice@example.ac.jp" {
		t.Errorf("%+v", e)
	}
}
