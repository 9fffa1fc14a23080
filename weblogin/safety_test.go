package weblogin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"sekisho/gate"
)

func TestFormFromAnotherSiteDoesNothing(t *testing.T) {
	for name, header := range map[string]http.Header{
		"Sec-Fetch-Site cross-site": {"Sec-Fetch-Site": {"cross-site"}},
		"Sec-Fetch-Site same-site":  {"Sec-Fetch-Site": {"same-site"}},
		"another Origin":            {"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}},
		"no Origin told":            {"Sec-Fetch-Site": nil, "Origin": {"null"}},
	} {
		r := newPages(t)
		b := r.browser(campusAddr)
		b.signIn("alice")
		for key, value := range header {
			b.header[key] = value
		}
		for _, path := range []string{"/login", "/login/password", "/login/code", "/login/continue", "/word", "/app-password", "/app-password/end", "/logout", "/session/end", "/signout-everywhere"} {
			b.post(path, "name", "mallory", "id", "T1").status(http.StatusForbidden).has("cross-origin", "When sign-in fails")
		}
		if len(r.gate.ended)+len(r.gate.everyone) != 0 {
			t.Errorf("%s: something was ended", name)
		}
		b.get("/").status(200)
	}
}

func TestFormOfAMebibyteIsRefused(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.get("/login")
	b.post("/login", "name", strings.Repeat("a", 1<<20)).status(http.StatusRequestEntityTooLarge).has("too-large", "Start again")
}

func TestFormThatCantBeReadIsRefused(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.get("/login")
	q := httptest.NewRequest("POST", "/login", strings.NewReader("name=%zz"))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.do(q).status(http.StatusBadRequest).has("bad-request")
	b.get("/login?flow=%zz").status(http.StatusBadRequest)
}

func TestMarkupInANameIsText(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	page := b.begin(`<script>alert(1)</script>" onfocus="x`)
	if body := b.get(page).status(200).body; strings.Contains(body, "<script") || strings.Contains(body, `" onfocus`) || !strings.Contains(body, "&lt;script&gt;") {
		t.Error(body)
	}
	b.get("/login?service=%3Cscript%3E&e=%22%3E%3Cb%3E").status(200).hasNot("<script", "<b>")
	b.get(`/login/password?flow=%22%3E%3Cb%3E&service=%22%3E%3Cb%3E`).status(http.StatusGone).hasNot("<b>")
	b.get(`/help/failed?ref=%3Cb%3Ex`).status(200).hasNot("<b>x")
}

// Nothing in a request can send a person to a place that is not listed.
func TestNoRedirectToWhereARequestSays(t *testing.T) {
	evil := "https://evil.example/"
	for _, query := range []string{
		"service=" + evil, "service=evil&e=" + evil, "to=" + evil, "next=" + evil, "rd=" + evil, "e=" + evil,
		"service=webmail&e=" + evil, "service=WEBMAIL", "service=webmail.example.ac.jp.evil.example",
	} {
		r := newPages(t)
		b := r.browser(campusAddr)
		pairs := []string{}
		for key, values := range mustQuery(t, query) {
			pairs = append(pairs, key, values[0])
		}
		b.get("/login?" + query).status(200).hasNot(`href="` + evil)
		for _, s := range []*shown{b.signIn("alice", pairs...), b.get("/login?" + query)} {
			if to := s.goesTo(""); to != "/" && to != "https://webmail.example.ac.jp/" {
				t.Errorf("%s: goes to %s", query, to)
			}
		}
	}
	r := newPages(t)
	if to := r.browser(campusAddr).get("http://sso.example.ac.jp//evil.example/%2e%2e").res.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, "://") {
		t.Errorf("goes to %s", to)
	}
}

func mustQuery(t *testing.T, query string) url.Values {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	r := newPages(t)
	r.server.Site.Logo, r.server.Site.LogoType = []byte("png"), "image/png"
	r.handler = r.server.Handler(Listener{Name: "web"})
	b := r.browser(homeAddr)
	page := b.begin("alice")
	answers := map[string]*shown{
		"refused": b.fill(b.fill(page, "x").goesTo(""), "1"),
		"expired": b.get("/login/code?flow=x"),
		"cross":   r.browser(homeAddr).post("/logout"),
		"post":    b.post("/login", "name", ""),
		"on":      b.signIn("alice"),
	}
	for _, path := range []string{"/", "/login", page, "/logout", "/word?service=ssl-vpn", "/app-password?service=mail", "/login/continue", "/help/failed", "/help/no-device", "/nothing", "/session/end", "/style.css", "/logo", "/a/../b"} {
		answers[path] = b.get(path)
	}
	for name, s := range answers {
		h := s.res.Header
		for key, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security": "max-age=31536000", "X-Frame-Options": "DENY",
		} {
			if h.Get(key) != want {
				t.Errorf("%s: %s is %q", name, key, h.Get(key))
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'",
			"form-action 'self' https://sso.example.ac.jp https://webmail.example.ac.jp https://wiki.example.ac.jp"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: no %s in %q", name, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: %q", name, csp)
		}
		static := name == "/style.css" || name == "/logo"
		if noStore := h.Get("Cache-Control") == "no-store"; noStore == static {
			t.Errorf("%s: Cache-Control %q", name, h.Get("Cache-Control"))
		}
		if strings.Contains(s.body, "<script") || strings.Contains(s.body, " style=") || strings.Contains(s.body, "<style") {
			t.Errorf("%s: needs more than the policy allows\n%s", name, s.body)
		}
	}
}

func TestUnknownAddressIsAPageOfOurs(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	b.get("/nothing").status(http.StatusNotFound).has("not-found")
	b.get("/session/end").status(http.StatusNotFound).has("not-found")
	b.get("/logo").status(http.StatusNotFound)
	b.post("/").status(http.StatusNotFound)
}

func TestForwardingHeaderOfAStrangerIsBookedOnceAPage(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	b.header.Set("X-Forwarded-For", "192.0.2.7")
	b.get("/login").status(200).has("outside the campus network (203.0.113.9)")
	if len(r.gate.faults) != 1 || r.gate.faults[0] != gate.FaultForwardedUntrusted {
		t.Errorf("booked %v", r.gate.faults)
	}
}

// On a service's host our style and links have to name the sign-in host, and
// its browser cookie has no business there.
func TestMessageOnAServicesHost(t *testing.T) {
	r := newPages(t)
	q := httptest.NewRequest("GET", "https://wiki.example.ac.jp/.sekisho/in?t=x", nil)
	q.RemoteAddr = "10.0.0.5:1"
	q.Header.Set("X-Forwarded-For", "203.0.113.9")
	w := httptest.NewRecorder()
	r.server.Handler(Listener{Name: "web", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}).ServeHTTP(w, q)
	s := &shown{t, w.Result(), w.Body.String()}
	s.has(`href="https://sso.example.ac.jp/style.css"`, `href="https://sso.example.ac.jp/help/failed`, `href="https://wiki.example.ac.jp/w/"`, "handshake")
	if !strings.Contains(s.res.Header.Get("Content-Security-Policy"), "style-src 'self' https://sso.example.ac.jp;") || len(s.res.Cookies()) != 0 {
		t.Errorf("%v", s.res.Header)
	}
}

// It comes without our cookie, since that is Lax; a new one would end what
// waits in the person's other tabs.
func TestFormFromAnotherSiteLeavesTheBrowsersCookie(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	b.header["Sec-Fetch-Site"] = []string{"cross-site"}
	for _, name := range []string{"mallory", strings.Repeat("m", 2*maxForm)} {
		if s := b.post("/login?lang=ja", "name", name); len(s.res.Cookies()) > 0 {
			t.Errorf("%d: %v", s.res.StatusCode, s.res.Cookies())
		}
	}
}

// http:// beyond the loopback is there for proxies alone.
func TestPagesInClearTextAreForListedProxies(t *testing.T) {
	r := newPages(t)
	handler := r.server.Handler(Listener{Name: "inner", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}})
	for _, test := range []struct {
		peer, target string
		status       int
	}{
		{"192.0.2.7:1", "http://sso.example.ac.jp/login", http.StatusForbidden},
		{"10.0.0.5:1", "http://sso.example.ac.jp/login", http.StatusOK},
		{"192.0.2.7:1", "https://sso.example.ac.jp/login", http.StatusOK},
	} {
		q := httptest.NewRequest("GET", test.target, nil)
		q.RemoteAddr = test.peer
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, q)
		if w.Code != test.status {
			t.Errorf("%s from %s: %d", test.target, test.peer, w.Code)
		}
	}
}

type panics struct{ *fakeGate }

func (panics) Prompt(context.Context, gate.Request) (gate.Prompt, error) { panic("no such row") }

func TestBrokenHandlerIsInTheLog(t *testing.T) {
	r := newPages(t)
	r.server.Gate = panics{r.gate}
	defer func() {
		if why := recover(); why != http.ErrAbortHandler {
			t.Errorf("ended by %v", why)
		}
		if log := r.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "no such row") || !strings.Contains(log, "namePage") || strings.Contains(log, "wiki") {
			t.Errorf("log %s", log)
		}
	}()
	r.browser(homeAddr).get("/login?service=wiki")
}
