package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The host names of docs/web/.
const (
	ssoHost  = "sso.example.ac.jp"
	mailHost = "webmail.example.ac.jp"
	wikiHost = "wiki.example.ac.jp"
)

// webSite is an installation with the browser door and two services. Their
// hosts are names only: a browser is told at which port of this machine each
// of them is.
type webSite struct {
	*site
	sso     string   // address of the sign-in page
	asked   string   // address where the proxies ask
	proxy   string   // address of the services' proxy
	backend *backend // of the mail
	wiki    *backend
	roots   *x509.CertPool
}

func newWebSite(t *testing.T) *webSite {
	t.Helper()
	port := freePort(t, 1, 2)
	at := func(n int) string { return fmt.Sprintf("127.0.0.1:%d", port+n) }
	w := &webSite{sso: at(0), asked: at(1), proxy: at(2), backend: newBackend(t, mailHost), wiki: newBackend(t, wikiHost)}
	w.site = newSite(t)
	w.roots = w.certificate(ssoHost, mailHost, wikiHost)
	text := strings.Replace(fenced(t, "README.md", "toml", 0), "https://0.0.0.0:443", "https://"+w.sso, 1)
	text = strings.Replace(text, "http://127.0.0.1:8080", "http://"+w.asked, 1)
	wiki := text[strings.Index(text, "[[web.service]]"):]
	w.change("[metrics]\n", text+strings.NewReplacer("webmail", "wiki", "Web mail", "Wiki").Replace(wiki)+"\n[metrics]\n")
	return w
}

// fenced is the nth fenced block of a language on a page of docs/web/, from
// which others can be reached: "../ldap/apache.md".
func fenced(t *testing.T, page, language string, n int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "web", page))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n```"+language+"\n")
	if n+1 >= len(parts) {
		t.Fatalf("%s has no block %d of %s", page, n, language)
	}
	block, _, _ := strings.Cut(parts[n+1], "\n```\n")
	return block + "\n"
}

// replaced replaces each text, which has to be there.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the recipe holds no %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// backend is a service's own server. It tells in its answer what reached it.
type backend struct{ address string }

// arrived is a request as the backend saw it.
type arrived struct {
	At     string // whose backend it is
	Host   string
	Method string
	URI    string
	Header http.Header
}

func newBackend(t *testing.T, name string) *backend {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(arrived{name, r.Host, r.Method, r.RequestURI, r.Header})
	}))
	t.Cleanup(server.Close)
	return &backend{server.Listener.Addr().String()}
}

// browser is a client with cookies that sits at an address.
type browser struct {
	t *testing.T
	http.Client
	header http.Header
}

func (w *webSite) browser(from string) *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	dial := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.roots}, ForceAttemptHTTP2: true}
	b := &browser{t: w.t, header: http.Header{"Accept": {"text/html,*/*;q=0.8"}, "Sec-Fetch-Mode": {"navigate"}}}
	b.Client = http.Client{Jar: jar, Timeout: patience, Transport: transport}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, ssoHost) {
			return dial.DialContext(ctx, network, w.sso)
		}
		return dial.DialContext(ctx, network, w.proxy)
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	return b
}

// page is what a browser shows in the end.
type page struct {
	status int
	url    *url.URL
	header http.Header
	body   string
}

// open opens an address and follows where it leads. The pairs are headers.
func (b *browser) open(address string, pairs ...string) page {
	b.t.Helper()
	return b.send(http.MethodGet, address, nil, pairs...)
}

func (b *browser) send(method, address string, form url.Values, pairs ...string) page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header[pairs[i]] = []string{pairs[i+1]} // as it is written: Remote_User
	}
	res, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{res.StatusCode, res.Request.URL, res.Header, string(text)}
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]+)"`)
	hidden     = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// fill fills in the field of a page's form, if it has one, and sends it.
func (b *browser) fill(p page, field, value string) page {
	b.t.Helper()
	action := formAction.FindStringSubmatch(p.body)
	if action == nil || field != "" && !strings.Contains(p.body, `name="`+field+`"`) {
		b.t.Fatalf("%v has no form for the %s (%d):\n%s", p.url, field, p.status, p.body)
	}
	form := url.Values{}
	if field != "" {
		form.Set(field, value)
	}
	for _, h := range hidden.FindAllStringSubmatch(p.body, -1) {
		form.Set(h[1], h[2])
	}
	return b.send(http.MethodPost, p.url.ResolveReference(&url.URL{Path: action[1]}).String(), form)
}

// signIn fills in what the pages ask for; code "" where none is asked.
func (b *browser) signIn(p page, name, code string) page {
	b.t.Helper()
	if p.url.Host != ssoHost || p.url.Path != "/login" {
		b.t.Fatalf("arrived at %v (%d), not at the sign-in:\n%s", p.url, p.status, p.body)
	}
	p = b.fill(b.fill(p, "name", name), "password", password)
	if code != "" {
		p = b.fill(p, "code", code)
	}
	return p
}

// arrived is what reached the backend with this page.
func (p page) arrived(t *testing.T) arrived {
	t.Helper()
	var a arrived
	if err := json.Unmarshal([]byte(p.body), &a); err != nil || p.status != http.StatusOK {
		t.Fatalf("%v did not reach the service (%d): %v\n%s", p.url, p.status, err, p.body)
	}
	return a
}

// cookie is one that the browser keeps for a host, as it sends it.
func (b *browser) cookie(t *testing.T, host, name string) string {
	t.Helper()
	for _, c := range b.Jar.Cookies(&url.URL{Scheme: "https", Host: host, Path: "/"}) {
		if c.Name == name {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("there is no cookie %s of %s", name, host)
	return ""
}
