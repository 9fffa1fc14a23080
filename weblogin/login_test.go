package weblogin

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/reason"
)

func TestInsideThePasswordIsJudgedAtOnce(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.get("/login").status(200).has("You are on the campus network (192.0.2.7)", `autocomplete="username"`)
	page := b.begin("alice")
	b.get(page).has(`autocomplete="current-password"`, "alice", "Not you?")
	b.fill(page, testPassword).goesTo("/")
	if len(r.gate.asked) != 1 {
		t.Fatalf("the gate was asked %d times", len(r.gate.asked))
	}
	q := r.gate.asked[0]
	if q.User != "alice" || q.Code != nil || q.Service != "portal" || q.Door != "web" || q.Client != "web" || q.Language != "en" || !q.Came.Equal(testTime) {
		t.Errorf("%+v", q)
	}
	if q.Source.Browser != b.id() || q.Source.Label != "" {
		t.Errorf("source %+v", q.Source)
	}
	if b.cookies["__Host-sekisho"] != "secret-1" {
		t.Errorf("cookies %v", b.cookies)
	}
	b.get("/").status(200).has("Alice", "My page")
}

func TestOutsidePasswordAndCodeAreJudgedTogether(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	code := b.fill(b.begin("alice"), testPassword).goesTo("/login/code")
	if len(r.gate.asked) != 0 {
		t.Fatal("the password was judged before the code")
	}
	b.get(code).has(`inputmode="numeric"`, `autocomplete="one-time-code"`, "outside the campus network", "/help/no-device")
	b.fill(code, "123456").goesTo("/")
	if len(r.gate.asked) != 1 || string(r.gate.asked[0].Password) != testPassword || string(r.gate.asked[0].Code) != "123456" {
		t.Errorf("%+v", r.gate.asked)
	}
}

// Whoever reads a help page on the way finds back, and only in their browser.
func TestHelpLeadsBackToTheSignIn(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	code := b.fill(b.begin("alice"), testPassword).goesTo("/login/code")
	flow := flowName.FindString(code)
	for _, page := range []string{"no-device", "failed"} {
		help := "/help/" + page + "?flow=" + flow
		b.get(help).status(200).has(`href="/login/code?flow=`+flow, "Back to the sign-in")
		r.browser(homeAddr).get(help).status(200).hasNot("/login/code").has("Start again")
	}
	b.get(code).has(`href="/help/no-device?flow=` + flow)
}

// A wrong password outside must not be told before the code was judged.
func TestWrongPasswordOutsideIsNotToldBeforeTheCode(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	b.fill(b.begin("alice"), "wrong").goesTo("/login/code")
}

var flowName = regexp.MustCompile(`[A-Za-z0-9_-]{22}`)

// What somebody sees who types a name must not tell whether anybody has it.
func TestPagesAreTheSameForUnknownNames(t *testing.T) {
	pages := func(name string) (all string) {
		r := newPages(t)
		b := r.browser(homeAddr)
		page := b.begin(name)
		all = page + b.get(page).body
		page = b.fill(page, "guess").goesTo("/login/code")
		all += page + b.get(page).body
		page = b.fill(page, "000000").goesTo("/login/password")
		all += page + b.get(page).status(200).body
		return strings.ReplaceAll(flowName.ReplaceAllString(all, "FLOW"), name, "NAME")
	}
	if known, unknown := pages("alice"), pages("nobodyatall"); known != unknown {
		t.Errorf("known:\n%s\nunknown:\n%s", known, unknown)
	}
}

func TestRefusalSaysWhatToDoAndKeepsTheName(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	page := b.begin("alice")
	again := b.fill(page, "wrong").goesTo("/login/password")
	for range 2 { // it stays when the page is loaded again
		b.get(again).status(200).has("User name, password or code is wrong", "7F3K-0001", "after 2 more failures", "alice", `role="alert"`, "autofocus",
			"/help/failed?flow=", "ref=7F3K-0001", "sign-in-failed").hasNot("wrong_password")
	}
	b.get("/help/failed?ref=7F3K-0001").status(200).has("7F3K-0001", "help@example.ac.jp")
}

func TestThreeFailuresEndTheFlow(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	page := b.begin("alice", "service", "webmail")
	b.fill(page, "wrong").goesTo("/login/password")
	b.get(page).has("after 2 more failures")
	b.fill(page, "wrong").goesTo("/login/password")
	b.get(page).has("after 1 more failure.")
	b.fill(page, "wrong").status(http.StatusForbidden).has("sign-in-failed", "7F3K-0003", `href="https://webmail.example.ac.jp/"`)
	b.get(page).status(http.StatusGone).has("page-expired")
	b.post("/login/password", "flow", flowName.FindString(page), "password", testPassword).status(http.StatusGone)
	if len(r.gate.asked) != 3 {
		t.Errorf("the gate was asked %d times", len(r.gate.asked))
	}
}

func TestAfterARefusalOutsideBothAreAskedAgain(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	code := b.fill(b.begin("alice"), testPassword).goesTo("/login/code")
	password := b.fill(code, "000000").goesTo("/login/password")
	b.get(code).goesTo("/login/password") // the password was not kept
	b.post("/login/code", "flow", flowName.FindString(code), "code", "123456").goesTo("/login/password")
	if len(r.gate.asked) != 1 {
		t.Fatalf("a code was judged without its password: %+v", r.gate.asked)
	}
	b.fill(b.fill(password, testPassword).goesTo("/login/code"), "123456").goesTo("/")
}

func TestCodesAsPeopleTypeThem(t *testing.T) {
	for _, typed := range []string{"123456", "123 456", "123-456", " 123456 ", "１２３４５６", "１２３　４５６", "１２３－４５６", "123ー456", "12\u200a34–56", "123−456"} {
		r := newPages(t)
		b := r.browser(homeAddr)
		code := b.fill(b.begin("alice"), testPassword).goesTo("/login/code")
		if b.fill(code, typed).res.Header.Get("Location") != "/" {
			t.Errorf("%q was not taken", typed)
		}
	}
}

func TestEmptyFieldsAreNoAttempts(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	b.get("/login")
	b.post("/login", "name", "  ").status(http.StatusUnprocessableEntity).has("Please enter your user name", `role="alert"`)
	page := b.begin("alice")
	b.fill(page, "").status(http.StatusUnprocessableEntity).has("Please enter your password", "alice")
	code := b.fill(page, testPassword).goesTo("/login/code")
	for _, nothing := range []string{"", "   ", "--"} {
		b.fill(code, nothing).status(http.StatusUnprocessableEntity).has("Please enter the code")
	}
	if len(r.gate.asked) != 0 {
		t.Errorf("judged: %+v", r.gate.asked)
	}
	b.fill(code, "123456").goesTo("/") // and the password was still there
}

func TestFailedStoreIsOurSideAndNoRefusal(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	page := b.begin("alice", "service", "webmail")
	r.gate.down = true
	for _, s := range []*shown{
		b.post("/login/password", "flow", flowName.FindString(page), "password", testPassword),
		b.get("/login"), b.get(page), b.post("/login", "name", "bob"),
	} {
		s.status(http.StatusServiceUnavailable).has("our-side", "your password was not judged").hasNot("wrong", "failed ", "secret detail", "store")
	}
	if strings.Contains(r.log.String(), testPassword) || !strings.Contains(r.log.String(), "disk of the store is full") {
		t.Error(r.log.String())
	}
	r.gate.down = false
	b.fill(page, testPassword).goesTo("https://webmail.example.ac.jp/")
}

func TestGateThatFailsAfterThePromptCountsNoFailure(t *testing.T) {
	r := newPages(t)
	r.server.Gate = &failsToAdmit{r.gate}
	b := r.browser(campusAddr)
	page := b.begin("alice")
	for range maxFailures + 1 {
		b.fill(page, testPassword).status(http.StatusServiceUnavailable).has("our-side")
	}
	if len(r.waited) != 0 {
		t.Error("an error was held back like a refusal")
	}
}

// A refusal leaves at a multiple of the delay, whatever it was for.
func TestRefusalWaitsForItsTime(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	page := b.begin("alice")
	b.fill(page, "wrong")
	r.gate.ready = testTime.Add(1300 * time.Millisecond)
	b.fill(page, "wrong")
	if len(r.waited) != 2 || r.waited[0] != time.Second || r.waited[1] != 2*time.Second {
		t.Errorf("waited %v", r.waited)
	}
	b.fill(b.begin("alice"), testPassword).goesTo("/")
	if len(r.waited) != 2 {
		t.Errorf("an admission waited: %v", r.waited)
	}
}

func TestStepUpAsksOnlyForWhatIsMissing(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice").goesTo("/")
	b.peer = homeAddr // went home with the laptop
	code := b.get("/login?service=webmail").goesTo("/login/code")
	b.get(code).status(200).has("You are outside the campus network", "alice", "Not you?", "Web mail")
	b.fill(code, "123456").goesTo("https://webmail.example.ac.jp/")
	q := r.gate.asked[1]
	if q.TicketSecret != "secret-1" || q.User != "alice" || len(q.Password) != 0 || string(q.Code) != "123456" || q.Service != "webmail" {
		t.Errorf("%+v", q)
	}
	if b.cookies["__Host-sekisho"] != "secret-2" {
		t.Errorf("no new secret: %v", b.cookies)
	}
	if len(r.gate.ended) != 0 {
		t.Errorf("ended what the new ticket rests on: %v", r.gate.ended)
	}
}

func TestWrongCodeInAStepUpAsksForTheCodeAgain(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	b.peer = homeAddr
	code := b.get("/login?service=webmail").goesTo("/login/code")
	b.fill(code, "000000").goesTo("/login/code")
	b.get(code).has("User name, password or code is wrong")
}

func TestNotYouSignsInAsSomebodyElse(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	b.peer = homeAddr
	code := b.get("/login?service=webmail").goesTo("/login/code")
	name := "/login?" + strings.SplitN(code, "?", 2)[1]
	b.get(code).has(`href="/login?`)
	password := b.fill(name, "bob").goesTo("/login/password")
	b.fill(b.fill(password, testPassword).goesTo("/login/code"), "123456").goesTo("https://webmail.example.ac.jp/")
	q := r.gate.asked[len(r.gate.asked)-1]
	if q.User != "bob" || q.TicketSecret != "" {
		t.Errorf("%+v", q)
	}
	if len(r.gate.ended) != 1 || r.gate.ended[0] != "T1" || r.gate.faults[0] != reason.SignedOut {
		t.Errorf("alice is still signed in there: %v", r.gate.ended)
	}
}

func TestSignedInGoesOnWithoutAQuestion(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	b.get("/login").goesTo("/")
	b.get("/login?service=wiki").goesTo("https://wiki.example.ac.jp/w/")
	if len(r.gate.asked) != 1 {
		t.Errorf("asked %d times", len(r.gate.asked))
	}
}

func TestErrandIsCarriedThroughTheFlow(t *testing.T) {
	r := newPages(t)
	e := r.server.errands.put(errand{service: r.server.byName("wiki"), to: "/w/a?b=c", source: gate.Source{}}, "", gate.Source{}, r.now)
	b := r.browser(homeAddr)
	b.get("/login?service=wiki&e="+e).status(200).has("You are going to: <strong>Wiki", e)
	if to := b.signIn("alice", "service", "wiki", "e", e).goesTo("https://wiki.example.ac.jp/.sekisho/in?t="); strings.Contains(to, "secret") {
		t.Error(to)
	}
	if r.gate.asked[0].Service != "wiki" {
		t.Errorf("%+v", r.gate.asked[0])
	}
	b.get("/login?service=wiki&e=" + e).goesTo("https://wiki.example.ac.jp/.sekisho/in?t=")
}

func TestErrandOfAnotherServiceIsNotRun(t *testing.T) {
	r := newPages(t)
	e := r.server.errands.put(errand{service: r.server.byName("wiki"), to: "/w/"}, "", gate.Source{}, r.now)
	b := r.browser(campusAddr)
	b.get("/login?service=webmail&e=" + e).status(200).hasNot(`value="` + e)
	b.signIn("alice", "service", "webmail", "e", e).goesTo("https://webmail.example.ac.jp/")
	r.browser(campusAddr).signIn("alice", "e", e).goesTo("/")
}

// The service may see the person outside when we see them inside.
func TestServiceThatSeesThePersonOutsideGetsItsCode(t *testing.T) {
	r := newPages(t)
	e := r.server.errands.put(errand{service: r.server.byName("wiki"), to: "/w/", zone: "off-campus"}, "", gate.Source{}, r.now)
	b := r.browser(campusAddr)
	b.signIn("alice").goesTo("/")
	code := b.get("/login?service=wiki&e=" + e).goesTo("/login/code")
	b.fill(code, "123456").goesTo("https://wiki.example.ac.jp/.sekisho/in?t=")
	if q := r.gate.asked[1]; q.Zone != "off-campus" || string(q.Code) != "123456" {
		t.Errorf("judged where less is needed: %+v", q)
	}
}

func TestRulesThatDenySayToASignedInPerson(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	r.gate.denied = "wiki"
	b.get("/login?service=wiki").status(http.StatusForbidden).has("not-allowed", "7F3K-0002")
	r.gate.denied = "portal"
	b.get("/").status(http.StatusForbidden).has("not-allowed")
}

func TestLongNamesAndPasswordsAreBounded(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.fill(b.begin(strings.Repeat("a", 5000)), strings.Repeat("p", 5000)).goesTo("/login/password")
	if q := r.gate.asked[0]; len(q.User) != maxName || len(q.Password) != maxPassword {
		t.Errorf("%d, %d octets", len(q.User), len(q.Password))
	}
}
