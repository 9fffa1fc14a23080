package weblogin

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"sekisho/gate"
	"sekisho/internal/reason"
	"sekisho/policy"
)

const tunnelAddr = "198.51.100.7:40000"

// tunnel gives the person a VPN session with the tunnel's address, whose ticket
// proves the factors.
func (r *pagesRig) tunnel(name string, proves ...policy.Factor) {
	id := "VPN-" + name
	r.gate.hold(name, gate.Session{ID: id, Door: policy.DoorRADIUS, Service: "ssl-vpn", Zone: policy.OffCampus, Since: testTime, Until: testTime, Factors: proves})
	address, _, _ := strings.Cut(tunnelAddr, ":")
	r.gate.tunnels = map[string]gate.Holder{address: {
		Person: gate.Person{ID: people[name], Name: name, Display: strings.ToUpper(name[:1]) + name[1:] + " Example"},
		Ticket: gate.Ticket{ID: id}, Service: "ssl-vpn", Proves: proves,
	}}
}

// onVPN is a rig with alice on the VPN, by password and code, and a browser
// behind it.
func onVPN(t *testing.T) (*pagesRig, *browserAgent) {
	t.Helper()
	r := newPages(t)
	r.tunnel("alice", policy.Password, policy.OTP)
	return r, r.browser(tunnelAddr)
}

// offered opens the sign-in and wants the offer.
func (b *browserAgent) offered(query string) *shown {
	b.t.Helper()
	return b.get("/login"+query).status(200).has("You are connected through the VPN as Alice Example.", "Continue as Alice Example",
		"Someone else", `action="/login/continue"`).hasNot(`name="name"`)
}

// takes sends the offer's form.
func (b *browserAgent) takes(offer *shown) *shown {
	b.t.Helper()
	return b.post("/login/continue", offer.hidden()...)
}

// wantNobody wants that this browser holds no ticket, and none was made.
func (b *browserAgent) wantNobody() {
	b.t.Helper()
	if b.cookies["__Host-sekisho"] != "" || b.gate.n != 0 {
		b.t.Errorf("cookies %v, %d attempts", b.cookies, b.gate.n)
	}
}

func TestWhoComesThroughTheVPNContinuesWithoutTyping(t *testing.T) {
	r, b := onVPN(t)
	b.get("/").goesTo("/login")
	offer := b.offered("")
	if offer.res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", offer.res.Header)
	}
	b.wantNobody()
	if to := b.takes(offer).goesTo("/"); to != "/" {
		t.Errorf("goes to %s", to)
	}
	if len(r.gate.asked) != 1 {
		t.Fatalf("judged %d times", len(r.gate.asked))
	}
	q := r.gate.asked[0]
	if !q.Tunnel || q.User != "alice" || q.Source.Addr.String() != "198.51.100.7" || q.Password != nil || q.Code != nil || q.TicketSecret != "" ||
		q.Service != portalService || q.Opens != portalService {
		t.Errorf("judged %+v", q)
	}
	if r.gate.sessions[0].Parent != "VPN-alice" {
		t.Errorf("it rests on %q", r.gate.sessions[0].Parent)
	}
	b.get("/").status(200).has("My page", "Alice", "SSL-VPN (VPN)", "Browser sign-in")
	b.get("/login").goesTo("/") // and nothing is offered any more
}

func TestOfferInJapanese(t *testing.T) {
	_, b := onVPN(t)
	b.get("/login?lang=ja").status(200).has("Alice ExampleさんのアカウントでVPNに接続しています。", "Alice Exampleさんとして続ける", "別の方はこちら", "学外からのアクセスです")
}

func TestPersonWithoutADisplayNameIsOfferedByUserName(t *testing.T) {
	r, b := onVPN(t)
	h := r.gate.tunnels["198.51.100.7"]
	h.Person.Display = ""
	r.gate.tunnels["198.51.100.7"] = h
	b.get("/login").has("You are connected through the VPN as alice.", "Continue as alice")
}

// To everybody else the page must not differ from that of a place without VPN.
func TestNothingIsOfferedToTheOthers(t *testing.T) {
	plain := newPages(t).browser(homeAddr).get("/login").status(200).body
	for name, b := range map[string]*browserAgent{
		"nobody has the address": func() *browserAgent { r, _ := onVPN(t); return r.browser(homeAddr) }(),
		"the VPN's ticket ended": func() *browserAgent {
			r, b := onVPN(t)
			r.gate.ended = []string{"VPN-alice"}
			b.peer = tunnelAddr
			return b
		}(),
		"the rules deny alice": func() *browserAgent { r, b := onVPN(t); r.gate.denied = portalService; return b }(),
	} {
		page := b.get("/login").status(200).hasNot("alice", "Alice", "Continue", "/login/continue")
		if got := strings.ReplaceAll(page.body, "198.51.100.7", "203.0.113.9"); got != plain {
			t.Errorf("%s:\n%s\nplain:\n%s", name, got, plain)
		}
		if n := len(b.server.flows.rows); n != 0 {
			t.Errorf("%s: %d flows are kept", name, n)
		}
	}
}

// A browser that has a sign-in of its own is not asked whose the tunnel is.
func TestSignedInBrowserIsOfferedNothing(t *testing.T) {
	r, b := onVPN(t)
	b.peer = campusAddr
	b.signIn("bob")
	b.peer = tunnelAddr
	b.fill(b.get("/login").goesTo("/login/code"), "123456").goesTo("/") // what is missing is bob's to show
	b.get("/login").goesTo("/")
	for _, q := range r.gate.asked {
		if q.Tunnel || q.User != "bob" {
			t.Errorf("judged %+v", q)
		}
	}
}

func TestSomeoneElseSignsInAsUsual(t *testing.T) {
	r, b := onVPN(t)
	b.offered("?service=wiki").has("You are going to: <strong>Wiki", `href="/login?other=1&service=wiki"`)
	page := b.get("/login?other=1&service=wiki").status(200).hasNot("alice", "Alice").has(`name="name"`, `href="/login?lang=ja&other=1&service=wiki"`)
	b.post("/login", append(page.hidden(), "name", "")...).status(http.StatusUnprocessableEntity).has(`href="/login?lang=ja&other=1&service=wiki"`, `name="other"`)
	password := b.post("/login", append(page.hidden(), "name", "bob")...).goesTo("/login/password")
	b.fill(b.fill(password, testPassword).goesTo("/login/code"), "123456").goesTo("https://wiki.example.ac.jp/w/")
	if q := r.gate.asked[0]; q.Tunnel || q.User != "bob" {
		t.Errorf("judged %+v", q)
	}
}

// Only the form of the page that made the offer signs in, once, and only in
// the browser where it was shown.
func TestContinueWithoutTheOffer(t *testing.T) {
	r, b := onVPN(t)
	offer := b.offered("")
	mallory := r.browser(tunnelAddr)
	mallory.takes(offer).status(http.StatusBadRequest).has("cookies-needed")
	mallory.get("/login?other=1")
	mallory.takes(offer).status(http.StatusGone).has("page-expired")
	mallory.post("/login/continue").status(http.StatusGone)
	mallory.post("/login/continue", "flow", newID(), "name", "alice").status(http.StatusGone)
	typed := flowName.FindString(mallory.begin("alice", "other", "1"))
	mallory.post("/login/continue", "flow", typed).status(http.StatusGone).hasNot("Alice")
	mallory.wantNobody()

	b.takes(offer).goesTo("/")
	b.takes(offer).status(http.StatusGone)
	if len(r.gate.asked) != 1 {
		t.Errorf("judged %d times", len(r.gate.asked))
	}
}

func TestOfferTakenByAFormFromAnotherSite(t *testing.T) {
	_, b := onVPN(t)
	offer := b.offered("")
	b.header["Sec-Fetch-Site"] = []string{"cross-site"}
	b.takes(offer).status(http.StatusForbidden).has("cross-origin")
	b.wantNobody()
}

func TestOfferIsNotTakenByAGet(t *testing.T) {
	_, b := onVPN(t)
	id := flowName.FindString(strings.Join(b.offered("").hidden(), " "))
	for _, page := range []string{"/login/continue", "/login/continue?flow=" + id, "/login?flow=" + id} {
		b.get(page).status(200).has("Continue as Alice Example") // it is asked again
	}
	b.wantNobody()
}

// The page lies open while alice hangs up and her address is given away.
func TestAddressThatIsSomebodyElsesBetweenOfferAndContinue(t *testing.T) {
	for name, change := range map[string]func(*pagesRig){
		"bob has it":    func(r *pagesRig) { r.tunnel("bob", policy.Password, policy.OTP) },
		"nobody has it": func(r *pagesRig) { r.gate.tunnels = nil },
		"she is denied": func(r *pagesRig) { r.gate.denied = portalService },
	} {
		r, b := onVPN(t)
		offer := b.offered("")
		change(r)
		b.takes(offer).status(http.StatusGone).has("page-expired").hasNot("alice", "Alice", "bob", "Bob")
		b.wantNobody()
		if len(r.server.flows.rows) != 0 {
			t.Errorf("%s: the flow is still there", name)
		}
	}
}

// movesOn gives the address to bob in the very moment.
type movesOn struct {
	*fakeGate
	rig *pagesRig
}

func (g movesOn) Admit(ctx context.Context, r gate.Request) (gate.Answer, error) {
	g.rig.tunnel("bob", policy.Password, policy.OTP)
	return g.fakeGate.Admit(ctx, r)
}

func TestAddressThatIsSomebodyElsesInTheVeryMoment(t *testing.T) {
	r, b := onVPN(t)
	offer := b.offered("")
	r.server.Gate = movesOn{r.gate, r}
	page := b.takes(offer).goesTo("/login/")
	b.get(page).status(http.StatusGone).has("page-expired").hasNot("alice", "Alice")
	if b.cookies["__Host-sekisho"] != "" || len(r.gate.sessions) != 2 {
		t.Errorf("signed in: %v %v", b.cookies, r.gate.sessions)
	}
}

func TestVPNThatLendsTheCodeOnlyAsksForThePassword(t *testing.T) {
	r, b := onVPN(t)
	r.tunnel("alice", policy.OTP)
	page := b.takes(b.offered("?service=wiki")).goesTo("/login/password")
	b.wantNobody()
	b.get(page).status(200).has("Signing in as: <strong>alice", `href="/login?other=1&service=wiki"`)
	b.fill(page, "wrong").goesTo("/login/password")
	b.get(page).has("User name, password or code is wrong", "2 more failures")
	b.fill(page, testPassword).goesTo("https://wiki.example.ac.jp/w/")
	q := r.gate.asked[1]
	if !q.Tunnel || q.User != "alice" || string(q.Password) != testPassword || q.Code != nil || q.Service != "wiki" {
		t.Errorf("judged %+v", q)
	}
	if r.gate.sessions[0].Parent != "VPN-alice" {
		t.Errorf("it rests on %q", r.gate.sessions[0].Parent)
	}
}

func TestVPNThatLendsThePasswordOnlyAsksForTheCode(t *testing.T) {
	r, b := onVPN(t)
	r.tunnel("alice", policy.Password)
	code := b.takes(b.offered("")).goesTo("/login/code")
	b.fill(code, "123456").goesTo("/")
	if q := r.gate.asked[0]; !q.Tunnel || len(q.Password) != 0 || string(q.Code) != "123456" {
		t.Errorf("judged %+v", q)
	}
}

// What is typed after the address was lost is judged nowhere: the rest of the
// proof was the VPN's.
func TestAddressThatIsLostBeforeThePassword(t *testing.T) {
	r, b := onVPN(t)
	r.tunnel("alice", policy.OTP)
	page := b.takes(b.offered("")).goesTo("/login/password")
	hidden := b.get(page).hidden()
	r.tunnel("bob", policy.Password, policy.OTP)
	b.post("/login/password", append(hidden, "password", testPassword)...).status(http.StatusGone).hasNot("alice", "Bob")
	b.get(page).status(http.StatusGone)
	b.wantNobody()
}

// Another name that is typed takes nothing of the VPN along.
func TestAnotherNameInTheFlowOfAnOffer(t *testing.T) {
	r, b := onVPN(t)
	id := flowName.FindString(strings.Join(b.offered("").hidden(), " "))
	password := b.post("/login", "flow", id, "name", "alice").goesTo("/login/password")
	b.fill(b.fill(password, testPassword).goesTo("/login/code"), "123456").goesTo("/")
	if r.gate.asked[0].Tunnel {
		t.Error("the VPN lent something")
	}
}

func TestContinueRunsTheErrand(t *testing.T) {
	r, b := onVPN(t)
	e := r.server.errands.put(errand{service: r.server.byName("wiki"), to: "/w/a"}, "", gate.Source{}, r.now)
	on := b.takes(b.offered("?service=wiki&e=" + e)).goesTo("/login?e=" + e + "&service=wiki")
	b.get(on).goesTo("https://wiki.example.ac.jp/.sekisho/in?t=")
	if len(r.gate.asked) != 1 || r.gate.asked[0].Service != "wiki" {
		t.Errorf("judged %+v", r.gate.asked)
	}
}

// The tunnel is enough here. The service sees the person elsewhere.
func TestServiceThatSeesAPersonOfTheVPNOutsideGetsItsCode(t *testing.T) {
	r := newPages(t)
	r.tunnel("alice", policy.Password)
	r.gate.tunnels["192.0.2.7"] = r.gate.tunnels["198.51.100.7"]
	e := r.server.errands.put(errand{service: r.server.byName("wiki"), to: "/w/a", zone: policy.OffCampus}, "", gate.Source{}, r.now)
	b := r.browser(campusAddr)
	on := b.takes(b.offered("?service=wiki&e=" + e)).goesTo("/login?")
	code := b.get(on).goesTo("/login/code")
	b.fill(code, "123456").goesTo("https://wiki.example.ac.jp/.sekisho/in?t=")
	if q := r.gate.asked[1]; q.Zone != policy.OffCampus || q.Tunnel || q.TicketSecret == "" {
		t.Errorf("judged %+v", q)
	}
}

func TestOfferWhileTheStoreFails(t *testing.T) {
	r, b := onVPN(t)
	offer := b.offered("")
	r.gate.down = true
	b.get("/login").status(http.StatusServiceUnavailable).has("our-side").hasNot("secret detail")
	b.takes(offer).status(http.StatusServiceUnavailable).has("our-side").hasNot("secret detail", "Alice")
	b.wantNobody()
	r.gate.down = false
	b.takes(offer).goesTo("/") // nothing was lost by it
}

func TestSomebodyElsesFormerSignInEndsWithContinue(t *testing.T) {
	r, b := onVPN(t)
	b.peer = campusAddr
	b.signIn("bob")
	r.gate.ended = []string{"T1"}
	r.gate.hold("bob", gate.Session{ID: "T0", Door: "web", Service: portalService})
	r.gate.sessions[0].Parent = "T0" // T1, which is over, was a step-up
	b.peer = tunnelAddr
	b.takes(b.offered("")).goesTo("/")
	if got := strings.Join(r.gate.ended, " "); got != "T1 T0" {
		t.Errorf("ended %s", got)
	}
}

// Whoever ends the VPN's sign-in, on which this browser's rests, is signed out.
func TestEndingTheVPNSignsOutWhoCameThroughIt(t *testing.T) {
	r, b := onVPN(t)
	b.takes(b.offered("")).goesTo("/")
	r.gate.hold("alice", gate.Session{ID: "M1", Door: "ldap", Service: "webmail"})
	page := b.post("/session/end", "id", "VPN-alice").goesTo("/logout?flow=")
	if b.cookies["__Host-sekisho"] != "" || r.gate.faults[0] != reason.SessionEnded {
		t.Errorf("cookies %v, booked %v", b.cookies, r.gate.faults)
	}
	s := b.get(page).status(200).has("Signed out")
	if ended, left, _ := strings.Cut(s.body, "Still signed in"); !strings.Contains(ended, "SSL-VPN (VPN)") || !strings.Contains(ended, "Browser sign-in") || !strings.Contains(left, "Web mail (program)") {
		t.Error(s.body)
	}
	b.get("/").goesTo("/login")
	b.get("/login").status(200).hasNot("alice", "Alice")
}

// Who signs out here is still on the VPN, and the page says so.
func TestSigningOutLeavesTheVPN(t *testing.T) {
	r, b := onVPN(t)
	b.takes(b.offered("")).goesTo("/")
	s := b.get(b.post("/logout").goesTo("/logout?flow=")).status(200).has("A VPN stays connected")
	if _, left, _ := strings.Cut(s.body, "Still signed in"); !strings.Contains(left, "SSL-VPN (VPN)") || strings.Contains(left, "Browser") {
		t.Error(s.body)
	}
	if len(r.gate.ended) != 1 || r.gate.ended[0] == "VPN-alice" {
		t.Errorf("ended %v", r.gate.ended)
	}
}
