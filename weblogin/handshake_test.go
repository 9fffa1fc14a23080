package weblogin

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/policy"
)

// errand finds what is kept under an id.
func (c *crossings) errand(id string) (errand, bool) { return c.server.errands.see(id, "", c.now) }

// setOut goes to a service's page and returns the errand and the nonce.
func (c *crossings) setOut(page string, pairs ...string) (errand, string) {
	c.t.Helper()
	u := parsed(c.t, page)
	res := c.ask("GET", u.Scheme+"://"+u.Host+"/.sekisho/go?to="+url.QueryEscape(u.RequestURI()), pairs...)
	wantStatus(c.t, res, http.StatusSeeOther)
	to := parsed(c.t, res.Header.Get("Location"))
	if to.Scheme != "https" || to.Host != "sso.example.ac.jp" || to.Path != "/login" {
		c.t.Fatalf("sent to %v", to)
	}
	e, ok := c.errand(to.Query().Get("e"))
	if !ok || e.service.Name != to.Query().Get("service") {
		c.t.Fatalf("no errand behind %v", to)
	}
	nonce := cookieNamed(res, "__Host-sekisho-nonce")
	if nonce == nil || !nonce.Secure || !nonce.HttpOnly || nonce.Path != "/" || nonce.Domain != "" || nonce.SameSite != http.SameSiteLaxMode {
		c.t.Fatalf("the nonce: %v", res.Header["Set-Cookie"])
	}
	return e, "__Host-sekisho-nonce=" + nonce.Value
}

func TestSignInIsCarriedOverToTheService(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("parent", "portal")
	e, nonce := c.setOut(inbox)
	onward := c.server.onward(e, "parent")
	if !strings.HasPrefix(onward, "https://webmail.example.ac.jp/.sekisho/in?t=") || strings.Contains(onward, "parent") {
		t.Fatalf("onward is %s", onward)
	}
	res := c.ask("GET", onward, "Cookie", nonce)
	wantStatus(t, res, http.StatusSeeOther)
	if got := res.Header.Get("Location"); got != inbox {
		t.Errorf("arrived at %s", got)
	}
	cookie := cookieNamed(res, "__Host-sekisho-service")
	if cookie == nil || cookie.Value != "child-of-parent" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie: %v", res.Header["Set-Cookie"])
	}
	if q := c.judge.admits[0]; q.Service != "webmail" || q.Door != policy.DoorWeb || q.Client != "outside" || q.User != "alice" ||
		q.TicketSecret != "parent" || q.Source.Addr.String() != personAddr {
		t.Errorf("the gate was asked %+v", q)
	}
	if res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%v", res.Header)
	}
	c.judge.wantBooked(t)
}

// wantLost wants the page that says so, never a way back to the sign-in.
func (c *crossings) wantLost(res *http.Response) {
	c.t.Helper()
	wantStatus(c.t, res, http.StatusForbidden)
	body, _ := io.ReadAll(res.Body)
	if !strings.Contains(string(body), "7F3K-92QD") || !strings.Contains(string(body), "handshake") {
		c.t.Errorf("the page has neither code nor reference:\n%s", body)
	}
	if cookieNamed(res, "__Host-sekisho-service") != nil || res.Header.Get("Location") != "" {
		c.t.Errorf("%v", res.Header)
	}
	c.judge.wantBooked(c.t, gate.FaultHandshake)
}

func TestWordUsedTwice(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("parent", "portal")
	e, nonce := c.setOut(inbox)
	onward := c.server.onward(e, "parent")
	wantStatus(t, c.ask("GET", onward, "Cookie", nonce), http.StatusSeeOther)
	c.wantLost(c.ask("GET", onward, "Cookie", nonce))
	if len(c.judge.admits) != 1 {
		t.Errorf("admitted %d times", len(c.judge.admits))
	}
}

func TestWordUsedByTwoAtOnce(t *testing.T) {
	c := newCrossings(t)
	e, _ := c.setOut(inbox)
	onward := parsed(t, c.server.onward(e, "parent")).Query().Get("t")
	won := make(chan bool)
	for range 16 {
		go func() {
			_, ok := c.server.words.take(onward, "", c.now)
			won <- ok
		}()
	}
	n := 0
	for range 16 {
		if <-won {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d won", n)
	}
}

func TestWordUsedLate(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("parent", "portal")
	e, nonce := c.setOut(inbox)
	for late, status := range map[time.Duration]int{wordLasts - time.Nanosecond: http.StatusSeeOther, wordLasts: http.StatusForbidden} {
		onward := c.server.onward(e, "parent")
		c.now = c.now.Add(late)
		wantStatus(t, c.ask("GET", onward, "Cookie", nonce), status)
	}
	c.judge.wantBooked(t, gate.FaultHandshake)
}

func TestWordUsedOnAnotherService(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("parent", "portal")
	e, nonce := c.setOut(inbox)
	elsewhere := strings.Replace(c.server.onward(e, "parent"), "webmail", "wiki", 1)
	c.wantLost(c.ask("GET", elsewhere, "Cookie", nonce))
}

// Somebody who sends their own link to another person must not have that
// person's sign-in arrive, nor have their own arrive there.
func TestWordUsedInAnotherBrowser(t *testing.T) {
	for name, cookie := range map[string]string{
		"no nonce": "", "an own nonce": "__Host-sekisho-nonce=" + newID(), "an empty one": "__Host-sekisho-nonce=",
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrossings(t)
			c.signedIn("parent", "portal")
			e, nonce := c.setOut(inbox)
			onward := c.server.onward(e, "parent")
			c.wantLost(c.ask("GET", onward, "Cookie", cookie))
			// It is used up by that.
			c.judge.faults = nil
			c.wantLost(c.ask("GET", onward, "Cookie", nonce))
		})
	}
}

func TestWordThatIsNone(t *testing.T) {
	for _, target := range []string{"", "?t=", "?t=" + newID(), "?t=%00", "?t=a&t=b"} {
		c := newCrossings(t)
		c.wantLost(c.ask("GET", "https://webmail.example.ac.jp/.sekisho/in"+target))
	}
}

func TestSignInThatEndedOnTheWay(t *testing.T) {
	c := newCrossings(t)
	e, nonce := c.setOut(inbox)
	c.wantLost(c.ask("GET", c.server.onward(e, "revoked"), "Cookie", nonce))
	if len(c.judge.admits) > 0 {
		t.Error("the gate was asked to admit nobody")
	}
}

// HEAD is what link checkers send: the word is still good for the person.
func TestOnlyGETUsesAWord(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("parent", "portal")
	e, nonce := c.setOut(inbox)
	onward := c.server.onward(e, "parent")
	for _, method := range []string{"HEAD", "POST", "OPTIONS"} {
		wantStatus(t, c.ask(method, onward, "Cookie", nonce), http.StatusMethodNotAllowed)
	}
	wantStatus(t, c.ask("GET", onward, "Cookie", nonce), http.StatusSeeOther)
}

func TestRefusalAtTheServiceIsAPageAndNoLoop(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("parent", "portal")
	c.judge.refusal = &gate.Answer{Message: "Not from here. Reference: 7F3K-92QD", Reference: "7F3K-92QD"}
	e, nonce := c.setOut(inbox)
	res := c.ask("GET", c.server.onward(e, "parent"), "Cookie", nonce)
	wantStatus(t, res, http.StatusForbidden)
	body, _ := io.ReadAll(res.Body)
	if !strings.Contains(string(body), "7F3K-92QD") || cookieNamed(res, "__Host-sekisho-service") != nil {
		t.Errorf("%v\n%s", res.Header, body)
	}
}

func TestGateThatCantJudgeAtTheService(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("parent", "portal")
	e, nonce := c.setOut(inbox)
	onward := c.server.onward(e, "parent")
	c.judge.err = errStore
	res := c.ask("GET", onward, "Cookie", nonce)
	wantStatus(t, res, http.StatusServiceUnavailable)
	wantNothingTold(t, res)
}

// Two tabs of one browser set out at once; both arrive.
func TestTwoTabsArriveBoth(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("parent", "portal")
	first, nonce := c.setOut(inbox)
	second, again := c.setOut("https://webmail.example.ac.jp/other", "Cookie", nonce)
	if again != nonce {
		t.Fatalf("the nonce went from %s to %s", nonce, again)
	}
	for _, e := range []errand{second, first} {
		wantStatus(t, c.ask("GET", c.server.onward(e, "parent"), "Cookie", nonce), http.StatusSeeOther)
	}
}

func TestNonceThatWeDidNotMakeIsReplaced(t *testing.T) {
	c := newCrossings(t)
	for _, foreign := range []string{"x", strings.Repeat("x", 500), "a.b"} {
		if _, nonce := c.setOut(inbox, "Cookie", "__Host-sekisho-nonce="+foreign); strings.HasSuffix(nonce, "="+foreign) {
			t.Errorf("%q was taken", foreign)
		}
	}
}

func TestErrandEnds(t *testing.T) {
	c := newCrossings(t)
	res := c.ask("GET", inboxTo)
	id := parsed(t, res.Header.Get("Location")).Query().Get("e")
	if _, ok := c.errand(id); !ok {
		t.Fatal("it is not there")
	}
	c.now = c.now.Add(shelfLife)
	if _, ok := c.errand(id); ok {
		t.Error("it is still there")
	}
	if _, ok := c.errand("nonsense"); ok {
		t.Error("an unknown errand")
	}
}

func TestNoOpenRedirect(t *testing.T) {
	c := newCrossings(t)
	for _, to := range []string{"//evil.test/", "https://evil.test/", "/\\evil.test", "\\/evil.test", "/\n/evil.test", "@evil.test", ".evil.test"} {
		res := c.ask("GET", "https://webmail.example.ac.jp/.sekisho/go?to="+url.QueryEscape(to))
		e, _ := c.errand(parsed(t, res.Header.Get("Location")).Query().Get("e"))
		if e.page() != "https://webmail.example.ac.jp/" {
			t.Errorf("%q leads to %s", to, e.page())
		}
	}
}

func TestServiceHostAnswersListedProxiesOnly(t *testing.T) {
	c := newCrossings(t)
	for _, path := range []string{"/.sekisho/go", "/.sekisho/in?t=x", "/.sekisho/out"} {
		c.judge.faults = nil
		wantStatus(t, c.ask("GET", "https://webmail.example.ac.jp"+path, "Peer", "192.0.2.77:1"), http.StatusForbidden)
		c.judge.wantBooked(t, gate.FaultForwardedUntrusted)
	}
	for _, path := range []string{"/", "/login", "/.sekisho/", "/.sekisho/other", "/.sekisho/in/"} {
		wantStatus(t, c.ask("GET", "https://webmail.example.ac.jp"+path), http.StatusNotFound)
	}
}

func TestSignOutOfOneService(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	res := c.ask("GET", "https://webmail.example.ac.jp/.sekisho/out", "Cookie", cookieOfOne, "Sec-Fetch-Mode", "navigate")
	wantStatus(t, res, http.StatusOK)
	if got := strings.Join(c.judge.ended, ";"); got != "alice T-one signed_out" {
		t.Errorf("ended %q", got)
	}
	if cookie := cookieNamed(res, "__Host-sekisho-service"); cookie == nil || cookie.MaxAge >= 0 {
		t.Errorf("the cookie stays: %v", res.Header["Set-Cookie"])
	}
	// Again, or without any ticket: the same page.
	delete(c.judge.holders, "one")
	wantStatus(t, c.ask("GET", "https://webmail.example.ac.jp/.sekisho/out", "Cookie", cookieOfOne), http.StatusOK)
	c.judge.err = gate.ErrNoSession
	wantStatus(t, c.ask("GET", "https://webmail.example.ac.jp/.sekisho/out"), http.StatusOK)
}

func TestSignOutByAnImageDoesNothing(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	res := c.ask("GET", "https://webmail.example.ac.jp/.sekisho/out", "Cookie", cookieOfOne, "Sec-Fetch-Mode", "no-cors")
	wantStatus(t, res, http.StatusForbidden)
	if len(c.judge.ended) > 0 || len(res.Cookies()) > 0 {
		t.Errorf("ended %q, cookies %v", c.judge.ended, res.Cookies())
	}
}

func TestSignOutThatCantBeWrittenSaysSo(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	c.judge.err = errStore
	res := c.ask("GET", "https://webmail.example.ac.jp/.sekisho/out", "Cookie", cookieOfOne)
	wantStatus(t, res, http.StatusServiceUnavailable)
	wantNothingTold(t, res)
}

// The sign-in host may see somebody inside whom the service sees outside.
func TestSignInAsksForWhatTheServiceNeeds(t *testing.T) {
	near, far := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("203.0.113.9")
	password, both := gate.Prompt{Zone: "campus", Inside: true, Password: true}, gate.Prompt{Zone: "off-campus", Password: true, Code: true}
	code := gate.Prompt{Zone: "off-campus", Code: true}
	none := gate.Prompt{Zone: "campus", Inside: true}
	for name, test := range map[string]struct {
		here, there, want gate.Prompt
		judged            netip.Addr
	}{
		"service outside":          {password, both, both, far},
		"sign-in outside":          {both, password, both, near},
		"both inside":              {password, password, password, near},
		"step-up there":            {none, code, code, far},
		"nothing to ask":           {none, none, none, near},
		"password, and code there": {password, code, both, far},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrossings(t)
			c.judge.prompts = map[string]gate.Prompt{near.String(): test.here, far.String(): test.there}
			e := errand{service: c.server.byName("webmail"), source: gate.Source{Addr: far}, client: "dmz", zone: "z"}
			q, got, err := c.server.toward(context.Background(), gate.Request{Client: "lan", Source: gate.Source{Addr: near}, TicketSecret: "one"}, e)
			if err != nil || got != test.want || q.Source.Addr != test.judged || q.TicketSecret != "one" {
				t.Errorf("asks %+v, judged by %+v, %v", got, q, err)
			}
			if atService := q.Client == "dmz" && q.Zone == "z"; atService != (test.judged == far) {
				t.Errorf("judged by %+v", q)
			}
		})
	}
	c := newCrossings(t)
	c.judge.err = errStore
	if _, _, err := c.server.toward(context.Background(), gate.Request{}, errand{}); err == nil {
		t.Error("no error")
	}
}

// A service that carried its own ticket to the sign-in host must not get one
// for another service.
func TestOnlyTheSignInsTicketIsCarriedOver(t *testing.T) {
	for _, service := range []string{"webmail", "wiki"} {
		c := newCrossings(t)
		c.signedIn("stolen", service)
		e, nonce := c.setOut(inbox)
		c.wantLost(c.ask("GET", c.server.onward(e, "stolen"), "Cookie", nonce))
		if len(c.judge.admits) > 0 {
			t.Error("the gate was asked to admit")
		}
	}
}

func TestSignOutByAnotherSiteDoesNothing(t *testing.T) {
	c := newCrossings(t)
	c.signedIn("one", "webmail")
	res := c.ask("GET", "https://webmail.example.ac.jp/.sekisho/out", "Cookie", cookieOfOne, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site")
	wantStatus(t, res, http.StatusForbidden)
	if len(c.judge.ended) > 0 || len(res.Cookies()) > 0 {
		t.Errorf("ended %q, cookies %v", c.judge.ended, res.Cookies())
	}
}

// The errand is that of the browser which came with it: whoever gets to know
// its id can't sign in on it and arrive in the other's browser.
func TestErrandIsOfTheBrowserThatCameWithItFirst(t *testing.T) {
	r := newPages(t)
	id := r.server.errands.put(errand{service: r.server.byName("webmail"), to: "/inbox", zone: "campus"}, "", gate.Source{}, r.now)
	page := "/login?service=webmail&e=" + id
	alice, mallory := r.browser(campusAddr), r.browser(campusAddr)
	hidden := alice.get(page).status(200).hidden()
	mallory.signIn("bob")
	if to := mallory.get(page).goesTo(""); to != "https://webmail.example.ac.jp/" { // as without an errand
		t.Errorf("the other goes to %s", to)
	}
	password := alice.post("/login", append(hidden, "name", "alice")...).goesTo("/login/password")
	alice.fill(password, testPassword).goesTo("https://webmail.example.ac.jp/.sekisho/in?t=")
	alice.get(page).goesTo("https://webmail.example.ac.jp/.sekisho/in?t=") // her other tab
}
