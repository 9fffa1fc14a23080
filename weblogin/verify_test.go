package weblogin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"sekisho/gate"
	"sekisho/policy"
)

const (
	inbox       = "https://webmail.example.ac.jp/inbox?folder=a%20b&x=1"
	inboxTo     = "https://webmail.example.ac.jp/.sekisho/go?to=%2Finbox%3Ffolder%3Da%2520b%26x%3D1"
	cookieOfOne = "__Host-sekisho-service=one"
)

// forwarded asks as Caddy and Traefik do for the inbox.
func (c *crossings) forwarded(d string, pairs ...string) *http.Response {
	c.t.Helper()
	return c.ask("GET", "/verify?d="+d, append([]string{
		"X-Forwarded-Proto", "https", "X-Forwarded-Host", "webmail.example.ac.jp",
		"X-Forwarded-Uri", "/inbox?folder=a%20b&x=1", "X-Forwarded-Method", "GET", "Accept", "text/html",
	}, pairs...)...)
}

func TestVerifyTellsTheServiceWhoAsks(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	res := c.verify(inbox, "Cookie", cookieOfOne)
	wantStatus(t, res, http.StatusOK)
	for name, want := range map[string]string{
		"Remote-User": "alice", "Remote-Name": "Alice Example", "Remote-Email": "alice@example.ac.jp",
		"Remote-Groups": "staff,wiki", "Remote-Factors": "password,otp", "Cache-Control": "no-store",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if res.Header.Get("Set-Cookie") != "" {
		t.Error("a cookie is set where it is lost")
	}
	q := c.judge.presents[0]
	if q.Door != policy.DoorWeb || q.Service != "webmail" || q.Client != "outside" || q.TicketSecret != "one" ||
		q.Source.Addr.String() != personAddr || q.User != "" || q.Password != nil {
		t.Errorf("the gate was asked %+v", q)
	}
	c.judge.wantBooked(t)
}

func TestVerifySetsAllFiveHeadersEvenIfUnknown(t *testing.T) {
	c := newCrossings(t)
	c.judge.holders["one"] = gate.Holder{Person: gate.Person{Name: "bob"}, Service: "webmail", Verdict: policy.Allow}
	res := c.verify(inbox, "Cookie", cookieOfOne)
	wantStatus(t, res, http.StatusOK)
	for _, name := range []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups", "Remote-Factors"} {
		if len(res.Header[name]) != 1 {
			t.Errorf("%s: %q", name, res.Header[name])
		}
	}
}

func TestRemoteHeadersHoldWhatCanBeSeen(t *testing.T) {
	h := http.Header{}
	setRemote(h, gate.Holder{Person: gate.Person{
		Name: "alice\r\nRemote-Groups: admin", Display: "山田\u3000花子\u202e\u200b\x00\xff", Mail: " a@b\x7f ",
		Groups: []string{"staff", "x,admin", "adm\u202ein", "", "学生"},
	}})
	for name, want := range map[string]string{
		"Remote-User": "aliceRemote-Groups: admin", "Remote-Name": "山田 花子", "Remote-Email": "a@b",
		"Remote-Groups": "staff,学生", "Remote-Factors": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// What each proxy understands: nginx passes on nothing but 401 and 403.
func TestVerifyAnswersInTheProxysDialect(t *testing.T) {
	for _, d := range []string{"nginx", "haproxy", "caddy", "traefik"} {
		status := map[bool]int{true: http.StatusUnauthorized, false: http.StatusFound}[d == "nginx" || d == "haproxy"]
		ask := func(c *crossings, pairs ...string) *http.Response {
			if d == "nginx" || d == "haproxy" {
				return c.ask("GET", "/verify?d="+d, append([]string{"X-Original-URL", inbox, "X-Original-Method", "GET", "Accept", "text/html"}, pairs...)...)
			}
			return c.forwarded(d, pairs...)
		}
		t.Run(d, func(t *testing.T) {
			c := newCrossings(t)
			res := ask(c)
			wantStatus(t, res, status)
			if got := res.Header.Get("Location"); got != inboxTo {
				t.Errorf("sent to %s", got)
			}
			if res.Header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be kept")
			}
			c.signedIn("one", "webmail")
			wantStatus(t, ask(c, "Cookie", cookieOfOne), http.StatusOK)

			holder := c.judge.holders["one"]
			holder.Verdict = policy.Ask // step-up
			c.judge.holders["one"] = holder
			wantStatus(t, ask(c, "Cookie", cookieOfOne), status)
			holder.Verdict = policy.Deny
			c.judge.holders["one"] = holder
			res = ask(c, "Cookie", cookieOfOne) // the sign-in says so, with a reference
			wantStatus(t, res, status)
			if res.Header.Get("Location") != inboxTo || res.Header.Get("Remote-User") != "" {
				t.Errorf("%v", res.Header)
			}
			wantStatus(t, ask(c, "Cookie", cookieOfOne, "Sec-Fetch-Mode", "cors"), http.StatusForbidden)

			c.judge.err = errStore
			res = ask(c, "Cookie", cookieOfOne)
			wantStatus(t, res, http.StatusServiceUnavailable)
			wantNothingTold(t, res)
		})
	}
}

func TestTicketOfAnotherServiceOpensNothing(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "wiki")
	res := c.verify(inbox, "Cookie", cookieOfOne)
	wantStatus(t, res, http.StatusUnauthorized)
	if res.Header.Get("Remote-User") != "" {
		t.Error("it tells who holds it")
	}
}

func TestOnlyTheServicesOwnCookieCounts(t *testing.T) {
	for _, cookie := range []string{
		"__Host-sekisho=one", "sekisho-service=one", "__Host-sekisho-service=", "__Host-sekisho-service=other",
		"__Host-sekisho-nonce=one", "__host-sekisho-service=one",
	} {
		c := newCrossings(t)
		c.signedIn("one", "webmail")
		wantStatus(t, c.verify(inbox, "Cookie", cookie, "Remote-User", "alice", "Authorization", "Bearer one"), http.StatusUnauthorized)
	}
}

func TestOnlyNavigationsAreSentToTheSignIn(t *testing.T) {
	for name, test := range map[string]struct {
		pairs    []string
		redirect bool
	}{
		"a browser":              {[]string{"X-Original-Method", "GET", "Accept", "text/html,*/*", "Sec-Fetch-Mode", "navigate"}, true},
		"an old browser":         {[]string{"X-Original-Method", "GET", "Accept", "text/html"}, true},
		"HEAD":                   {[]string{"X-Original-Method", "HEAD", "Accept", "text/html"}, true},
		"fetch":                  {[]string{"X-Original-Method", "GET", "Accept", "text/html", "Sec-Fetch-Mode", "cors"}, false},
		"an image":               {[]string{"X-Original-Method", "GET", "Accept", "image/*", "Sec-Fetch-Mode", "no-cors"}, false},
		"XMLHttpRequest":         {[]string{"X-Original-Method", "GET", "Accept", "text/html", "X-Requested-With", "XMLHttpRequest"}, false},
		"a program":              {[]string{"X-Original-Method", "GET", "Accept", "*/*"}, false},
		"POST":                   {[]string{"X-Original-Method", "POST", "Accept", "text/html", "Sec-Fetch-Mode", "navigate"}, false},
		"PROPFIND":               {[]string{"X-Original-Method", "PROPFIND", "Accept", "text/html"}, false},
		"a method that we know?": {[]string{"X-Original-Method", "get", "Accept", "text/html"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrossings(t)
			res := c.ask("GET", "/verify?d=nginx", append([]string{"X-Original-URL", inbox}, test.pairs...)...)
			wantStatus(t, res, http.StatusUnauthorized)
			if got := res.Header.Get("Location") == inboxTo; got != test.redirect {
				t.Fatalf("redirected: %v", got)
			}
			if test.redirect {
				return
			}
			var told struct{ Error, Location string }
			if err := json.NewDecoder(res.Body).Decode(&told); err != nil || told.Error != "sign_in_needed" ||
				told.Location != "https://webmail.example.ac.jp/.sekisho/go" || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%+v %v %v", told, err, res.Header)
			}
		})
	}
}

func TestVerifyFromAnybodyButAListedProxy(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	wantStatus(t, c.verify(inbox, "Cookie", cookieOfOne, "Peer", "192.0.2.77:1"), http.StatusForbidden)
	c.judge.wantBooked(t, gate.FaultForwardedUntrusted)
	if got := c.judge.booked[0].Source.Addr.String(); got != "192.0.2.77" {
		t.Errorf("booked with the source %s, which it told itself", got)
	}
	if len(c.judge.presents) > 0 {
		t.Error("its ticket was looked at")
	}
	c.judge.err = errStore // what can't be booked is refused all the same
	wantStatus(t, c.verify(inbox, "Cookie", cookieOfOne, "Peer", "192.0.2.77:1"), http.StatusForbidden)
}

func TestForwardingHeadersThatDisagree(t *testing.T) {
	other := "https://wiki.example.ac.jp/w/"
	for name, ask := range map[string]func(*crossings) *http.Response{
		"host":   func(c *crossings) *http.Response { return c.verify(inbox, "X-Forwarded-Host", "wiki.example.ac.jp") },
		"scheme": func(c *crossings) *http.Response { return c.verify(inbox, "X-Forwarded-Proto", "http") },
		"path":   func(c *crossings) *http.Response { return c.verify(inbox, "X-Forwarded-Uri", "/public") },
		"method": func(c *crossings) *http.Response { return c.verify(inbox, "X-Forwarded-Method", "POST") },
		"second line": func(c *crossings) *http.Response {
			return c.verify(inbox, "X-Forwarded-Uri", "/inbox?folder=a%20b&x=1", "X-Forwarded-Uri", "/public")
		},
		"doubled":      func(c *crossings) *http.Response { return c.verify(inbox, "X-Original-URL", other) },
		"doubled same": func(c *crossings) *http.Response { return c.verify(inbox, "X-Original-URL", inbox) },
		"caddy url":    func(c *crossings) *http.Response { return c.forwarded("caddy", "X-Original-URL", other) },
		"caddy method": func(c *crossings) *http.Response { return c.forwarded("caddy", "X-Original-Method", "POST") },
		"caddy twice": func(c *crossings) *http.Response {
			return c.forwarded("caddy", "X-Forwarded-Host", "wiki.example.ac.jp")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrossings(t)
			c.signedIn("one", "webmail")
			res := ask(c)
			wantStatus(t, res, http.StatusForbidden)
			c.judge.wantBooked(t, gate.FaultForwardedConflict)
		})
	}
}

func TestForwardingHeadersThatAgree(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	wantStatus(t, c.verify(inbox, "Cookie", cookieOfOne, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "webmail.example.ac.jp"), http.StatusOK)
	wantStatus(t, c.forwarded("traefik", "Cookie", cookieOfOne, "X-Original-URL", inbox, "Forwarded", "host=evil.test"), http.StatusOK)
	c.judge.wantBooked(t)
}

// Each dialect reads its own headers alone.
func TestVerifyThatCantBeRead(t *testing.T) {
	c := newCrossings(t)
	for name, res := range map[string]*http.Response{
		"no dialect":      c.ask("GET", "/verify"),
		"unknown dialect": c.ask("GET", "/verify?d=apache"),
		"two dialects":    c.ask("GET", "/verify?d=nginx&d=caddy"),
		"other's headers": c.ask("GET", "/verify?d=caddy", "X-Original-URL", inbox, "X-Original-Method", "GET"),
		"mine for nginx":  c.ask("GET", "/verify?d=nginx", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "webmail.example.ac.jp", "X-Forwarded-Uri", "/", "X-Forwarded-Method", "GET"),
		"no method":       c.ask("GET", "/verify?d=nginx", "X-Original-URL", inbox),
		"a path alone":    c.ask("GET", "/verify?d=nginx", "X-Original-URL", "/inbox", "X-Original-Method", "GET"),
		"no path":         c.ask("GET", "/verify?d=nginx", "X-Original-URL", "https://webmail.example.ac.jp", "X-Original-Method", "GET"),
	} {
		if res.StatusCode != http.StatusBadRequest || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %v", name, res.StatusCode, res.Header)
		}
	}
}

func TestVerifyForNoServiceIsRefused(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	wantStatus(t, c.verify("https://other.example.ac.jp/", "Cookie", cookieOfOne), http.StatusForbidden)
	wantStatus(t, c.verify("https://wiki.example.ac.jp/w/../admin", "Cookie", cookieOfOne), http.StatusForbidden)
}

func TestPageWithALongAddressIsLeftOut(t *testing.T) {
	c := newCrossings(t)
	res := c.verify("https://webmail.example.ac.jp/?q=" + strings.Repeat("x", maxTo))
	if got := res.Header.Get("Location"); got != "https://webmail.example.ac.jp/.sekisho/go" {
		t.Errorf("sent to %s", got)
	}
}

// What a proxy or a browser kept would open a service that is closed now, or
// close one that is open again.
func TestNoAnswerOfVerifyIsKept(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	denied := c.judge.holders["one"]
	denied.Verdict = policy.Deny
	c.judge.holders["two"] = denied
	answers := map[int][]*http.Response{
		http.StatusOK:           {c.verify(inbox, "Cookie", cookieOfOne)},
		http.StatusUnauthorized: {c.verify(inbox), c.verify(inbox, "Sec-Fetch-Mode", "cors")},
		http.StatusFound:        {c.forwarded("caddy")},
		http.StatusBadRequest:   {c.ask("GET", "/verify")},
		http.StatusForbidden: {
			c.verify(inbox, "Cookie", "__Host-sekisho-service=two", "Sec-Fetch-Mode", "cors"), c.verify("https://other.example.ac.jp/"),
			c.verify(inbox, "X-Forwarded-Uri", "/"), c.verify(inbox, "Peer", "192.0.2.77:1"),
		},
		http.StatusNotFound: {c.ask("GET", "https://webmail.example.ac.jp/.sekisho/other")},
	}
	c.judge.err = errStore
	answers[http.StatusServiceUnavailable] = []*http.Response{c.verify(inbox, "Cookie", cookieOfOne)}
	for status, list := range answers {
		for i, res := range list {
			wantStatus(t, res, status)
			if got := res.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%d, answer %d: %q", status, i, got)
			}
		}
	}
}
