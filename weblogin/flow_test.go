package weblogin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/gate"
)

func TestTwoTabsBothWork(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	one := b.begin("alice", "service", "webmail")
	two := b.begin("alice", "service", "wiki")
	codeOne := b.fill(one, testPassword).goesTo("/login/code")
	codeTwo := b.fill(two, testPassword).goesTo("/login/code")
	b.fill(codeTwo, "123456").goesTo("https://wiki.example.ac.jp/w/")
	b.fill(codeOne, "123456").goesTo("https://webmail.example.ac.jp/")
}

func TestBackToAnEarlierPageWorks(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	password := b.begin("alcie")
	b.fill(password, testPassword).goesTo("/login/code")
	b.get(password).status(200).has("alcie")
	name := "/login?" + strings.SplitN(password, "?", 2)[1]
	b.get(name).status(200).has("alcie")
	if again := b.fill(name, "alice").goesTo("/login/password"); again != password {
		t.Errorf("another flow: %s, %s", again, password)
	}
	// The password that was typed for the other name is not kept.
	b.get(strings.Replace(password, "/password", "/code", 1)).goesTo("/login/password")
	b.fill(b.fill(password, testPassword).goesTo("/login/code"), "123456").goesTo("/")
}

func TestBookmarkedPageHasExpiredAndLeadsToTheService(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	page := b.begin("alice", "service", "webmail")
	r.now = r.now.Add(shelfLife)
	for _, p := range []string{page, strings.Replace(page, "/password", "/code", 1), "/login?" + strings.SplitN(page, "?", 2)[1]} {
		b.get(p).status(http.StatusGone).has("page-expired", "Start again", `href="https://webmail.example.ac.jp/"`)
	}
	path, query, _ := strings.Cut(page, "?")
	b.post(path, "flow", strings.TrimPrefix(query, "flow="), "password", testPassword).status(http.StatusGone)
}

func TestUsedFlowHasExpired(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	page := b.begin("alice")
	hidden := b.get(page).hidden()
	b.fill(page, testPassword).goesTo("/")
	b.post("/login/password", append(hidden, "password", testPassword)...).status(http.StatusGone).has("page-expired")
	if len(r.gate.asked) != 1 {
		t.Error("judged twice")
	}
}

func TestFlowOfAnotherBrowserHasExpired(t *testing.T) {
	r := newPages(t)
	alice, mallory := r.browser(homeAddr), r.browser(homeAddr)
	page := alice.begin("alice")
	code := alice.fill(page, testPassword).goesTo("/login/code")
	mallory.get("/login")
	mallory.get(code).status(http.StatusGone).hasNot("alice")
	mallory.post("/login/code", "flow", flowName.FindString(code), "code", "123456").status(http.StatusGone)
	mallory.post("/login", "flow", flowName.FindString(code), "name", "mallory").status(http.StatusGone)
	if len(r.gate.asked) != 0 {
		t.Errorf("judged: %+v", r.gate.asked)
	}
	alice.fill(code, "123456").goesTo("/") // undisturbed
}

func TestBrowserWithoutCookiesIsTold(t *testing.T) {
	r := newPages(t)
	r.browser(homeAddr).post("/login", "name", "alice").status(http.StatusBadRequest).has("cookies-needed")
}

func TestCodePageBeforeThePasswordGoesBack(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	b.get(strings.Replace(b.begin("alice"), "/password", "/code", 1)).goesTo("/login/password")
}

// Who moves inside while signing in is not asked for a code any more.
func TestCodePageInsideGoesBack(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	code := b.fill(b.begin("alice"), testPassword).goesTo("/login/code")
	b.peer = campusAddr
	b.get(code).goesTo("/login/password")
}

func TestPasswordIsClearedWithItsFlow(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	code := b.fill(b.begin("alice"), testPassword).goesTo("/login/code")
	var kept []byte
	r.server.flows.change(flowName.FindString(code), b.id(), r.now, func(f *flow) { kept = f.password })
	if string(kept) != testPassword {
		t.Fatalf("kept %q", kept)
	}
	r.now = r.now.Add(shelfLife)
	b.get(code).status(http.StatusGone)
	if strings.Trim(string(kept), "\x00") != "" {
		t.Errorf("still there: %q", kept)
	}
}

func (b *browserAgent) id() string {
	id, _, _ := strings.Cut(b.cookies["__Host-sekisho-browser"], ".")
	return id
}

func TestExpiredTicketAsksForTheName(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	r.gate.ended = append(r.gate.ended, "T1")
	b.get("/").goesTo("/login")
	b.get("/login").status(200).has(`name="name"`).hasNot("alice")
}

func TestCookieThatIsNoTicketIsNobody(t *testing.T) {
	for _, garbage := range []string{"x", strings.Repeat("a", 4000), "secret-2", "..", "AAAAAAAAAAAA"} {
		r := newPages(t)
		b := r.browser(campusAddr)
		b.cookies["__Host-sekisho"] = garbage
		b.get("/").goesTo("/login")
		b.get("/login").status(200)
	}
}

func TestBrowserCookieThatIsNotOursIsReplaced(t *testing.T) {
	for _, garbage := range []string{"", "x.en", "AAAA.ja", strings.Repeat("A", 22) + "AA.en", "A.en"} {
		r := newPages(t)
		b := r.browser(campusAddr)
		b.cookies["__Host-sekisho-browser"] = garbage
		b.get("/login").status(200)
		if !isID(b.id()) {
			t.Errorf("%q became %q", garbage, b.cookies)
		}
	}
}

func TestNewSecretAtEachSignIn(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	one, two := b.begin("alice"), b.begin("alice")
	b.fill(one, testPassword)
	first := b.cookies["__Host-sekisho"]
	b.fill(two, testPassword)
	if second := b.cookies["__Host-sekisho"]; first == "" || first == second {
		t.Errorf("%q, %q", first, second)
	}
}

func TestCookiesOnALoopbackTrialHaveNoPrefix(t *testing.T) {
	r := newPages(t)
	r.server.URL.Scheme = "http"
	b := r.browser(campusAddr)
	res := b.signIn("alice").res
	var ticket *http.Cookie
	for _, c := range res.Cookies() {
		if c.Name == "sekisho" {
			ticket = c
		}
	}
	if ticket == nil || ticket.Secure || !ticket.HttpOnly {
		t.Errorf("%v", res.Header)
	}
}

func TestCookieAttributes(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	cookies := append(b.get("/login").res.Cookies(), b.signIn("alice").res.Cookies()...)
	if len(cookies) != 2 {
		t.Fatalf("%v", cookies)
	}
	for _, c := range cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s", c.Raw)
		}
	}
	if cookies[0].MaxAge != int(browserLasts/time.Second) || cookies[1].MaxAge != 0 {
		t.Errorf("%v", cookies)
	}
}

// together is a gate that may be asked by several at once, and that lets them
// go on when all are there.
type together struct {
	*fakeGate
	mu  *sync.Mutex
	all *sync.WaitGroup
}

func (g together) Prompt(ctx context.Context, r gate.Request) (gate.Prompt, error) {
	g.all.Done()
	g.all.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fakeGate.Prompt(ctx, r)
}

func (g together) Admit(ctx context.Context, r gate.Request) (gate.Answer, error) {
	for range 1000 {
		runtime.Gosched() // the others come as far as they can
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fakeGate.Admit(ctx, r)
}

func (g together) Began(ctx context.Context, r gate.Request) (gate.Person, string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fakeGate.Began(ctx, r)
}

// Many send the code of one flow at once: the password that waits is judged
// with one of them.
func TestFlowUsedByManyAtOnceIsJudgedOnce(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	code := b.fill(b.begin("alice"), testPassword).goesTo("/login/code")
	form := url.Values{"flow": {flowName.FindString(code)}, "code": {"123456"}}.Encode()
	var ended sync.WaitGroup
	answers := make([]*httptest.ResponseRecorder, 16)
	all := together{r.gate, new(sync.Mutex), new(sync.WaitGroup)}
	all.all.Add(len(answers))
	r.server.Gate = all
	for i := range answers {
		q := httptest.NewRequest("POST", "/login/code", strings.NewReader(form))
		q.RemoteAddr, q.Host = homeAddr, "sso.example.ac.jp"
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("Sec-Fetch-Site", "same-origin")
		q.AddCookie(&http.Cookie{Name: "__Host-sekisho-browser", Value: b.cookies["__Host-sekisho-browser"]})
		answers[i] = httptest.NewRecorder()
		ended.Go(func() { r.handler.ServeHTTP(answers[i], q) })
	}
	ended.Wait()
	in := 0
	for _, w := range answers {
		switch to := w.Header().Get("Location"); {
		case to == "/":
			in++
		case w.Code != http.StatusGone && !strings.HasPrefix(to, "/login/password"):
			t.Errorf("%d to %q", w.Code, to)
		}
	}
	if in != 1 || len(r.gate.asked) != 1 {
		t.Errorf("%d came in, %d were judged", in, len(r.gate.asked))
	}
}
