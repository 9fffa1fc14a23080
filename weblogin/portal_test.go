package weblogin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sekisho/gate"
	"sekisho/internal/reason"
	"sekisho/policy"
)

// hold gives the person another live ticket.
func (g *fakeGate) hold(name string, one gate.Session) {
	g.holders["secret of "+one.ID] = gate.Holder{
		Person: gate.Person{ID: people[name], Name: name}, Ticket: gate.Ticket{ID: one.ID}, Service: one.Service,
		Proves: []policy.Factor{policy.Password, policy.OTP},
	}
	g.sessions = append(g.sessions, one)
}

func TestPortalShowsServicesDevicesAndSessions(t *testing.T) {
	r := newPages(t)
	r.gate.hold("alice", gate.Session{ID: "VPN1", Door: "radius", Service: "ssl-vpn", Zone: "off-campus", Since: testTime, Until: testTime, Factors: []policy.Factor{policy.OTP}})
	r.gate.hold("bob", gate.Session{ID: "BOB1", Door: "ldap", Service: "bobs-mail"})
	b := r.browser(campusAddr)
	b.get("/").goesTo("/login")
	b.signIn("alice").goesTo("/")
	b.get("/").status(200).has("Alice", `href="https://webmail.example.ac.jp/"`, "Web mail", `href="https://wiki.example.ac.jp/w/"`, "Wiki",
		"alice's phone", "1 Apr 2026, 09:00", "SSL-VPN (VPN)", "Browser sign-in", "this browser", "inside (campus)", "Sign out everywhere",
	).hasNot("bob", "BOB1")
}

func TestEndingASessionOfOnesOwn(t *testing.T) {
	r := newPages(t)
	r.gate.hold("alice", gate.Session{ID: "VPN1", Door: "radius", Service: "ssl-vpn"})
	b := r.browser(campusAddr)
	b.signIn("alice")
	b.post("/session/end", "id", "VPN1").goesTo("/")
	if !slices.Equal(r.gate.ended, []string{"VPN1"}) || r.gate.faults[0] != reason.SessionEnded {
		t.Errorf("%v %v", r.gate.ended, r.gate.faults)
	}
	b.get("/").hasNot("SSL-VPN (VPN)")
	b.get(b.post("/session/end", "id", "T1").goesTo("/logout?flow=")).status(200).has("You are signed out")
	b.get("/").goesTo("/login")
}

func TestSessionsOfOthersAreNotEnded(t *testing.T) {
	r := newPages(t)
	r.gate.hold("bob", gate.Session{ID: "BOB1", Door: "web"})
	b := r.browser(campusAddr)
	b.post("/session/end", "id", "BOB1").goesTo("/login") // nobody is signed in
	b.signIn("alice")
	for _, id := range []string{"BOB1", "", "nothing"} {
		b.post("/session/end", "id", id).goesTo("/")
	}
	if len(r.gate.ended) != 0 {
		t.Errorf("%v", r.gate.ended)
	}
}

func TestSignOutSaysWhatEndedAndWhatDidNot(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	r.gate.hold("alice", gate.Session{ID: "S1", Parent: "T1", Door: "web", Service: "wiki"})
	r.gate.hold("alice", gate.Session{ID: "VPN1", Door: "radius", Service: "ssl-vpn"})
	r.gate.hold("alice", gate.Session{ID: "M1", Door: "ldap", Service: "webmail"})
	b.get("/logout").status(200).has("Sign out", `action="/logout"`)
	page := b.post("/logout").goesTo("/logout?flow=")
	if !slices.Equal(r.gate.ended, []string{"T1"}) || r.gate.faults[0] != reason.SignedOut {
		t.Errorf("%v %v", r.gate.ended, r.gate.faults)
	}
	if b.cookies["__Host-sekisho"] != "" {
		t.Error("the cookie is still there")
	}
	for range 2 {
		s := b.get(page).status(200).has("Signed out", "Browser sign-in", "Wiki", "SSL-VPN (VPN)", "Web mail (program)", "VPN stays connected")
		if ended, left, _ := strings.Cut(s.body, "Still signed in"); !strings.Contains(ended, "Wiki") || !strings.Contains(left, "SSL-VPN") || strings.Contains(left, "Wiki") {
			t.Error(s.body)
		}
	}
	mallory := r.browser(homeAddr)
	mallory.get("/login")
	mallory.get(page).status(200).hasNot("SSL-VPN")
	b.get("/").goesTo("/login")
	b.get("/logout").status(200).has("You are signed out")
	b.post("/logout").goesTo("/logout")
}

func TestSignOutAfterAStepUpEndsBoth(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	b.peer = homeAddr
	b.fill(b.get("/login").goesTo("/login/code"), "123456").goesTo("/")
	b.post("/logout").goesTo("/logout?flow=")
	if !slices.Equal(r.gate.ended, []string{"T1"}) {
		t.Errorf("%v; T2 rests on T1", r.gate.ended)
	}
}

func TestSignOutNeedsNoRule(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	r.gate.denied = "portal"
	b.post("/logout").goesTo("/logout")
	if len(r.gate.ended) != 1 {
		t.Error("not ended")
	}
}

func TestSignOutEverywhere(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.post("/signout-everywhere").goesTo("/login")
	b.signIn("alice")
	b.get(b.post("/signout-everywhere").goesTo("/logout?flow=")).status(200).has("All your sign-ins have ended", "until you disconnect")
	if !slices.Equal(r.gate.everyone, []string{"alice"}) || b.cookies["__Host-sekisho"] != "" {
		t.Errorf("%v %v", r.gate.everyone, b.cookies)
	}
}

func TestPortalWhileTheStoreFails(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	r.gate.down = true
	b.get("/").status(http.StatusServiceUnavailable).has("our-side")
	b.get("/logout").status(http.StatusServiceUnavailable)
	b.post("/logout").status(http.StatusServiceUnavailable)
	b.post("/session/end", "id", "T1").status(http.StatusServiceUnavailable)
	b.post("/signout-everywhere").status(http.StatusServiceUnavailable)
	if b.cookies["__Host-sekisho"] == "" {
		t.Error("the browser forgot a ticket that still lives")
	}
}

func TestPortalWhoseWritesFail(t *testing.T) {
	r := newPages(t)
	r.server.Gate = &cantWrite{r.gate}
	b := r.browser(campusAddr)
	b.signIn("alice")
	for _, path := range []string{"/logout", "/session/end", "/signout-everywhere"} {
		b.post(path, "id", "T1").status(http.StatusServiceUnavailable).has("our-side").hasNot("secret detail")
	}
}

// forgets is a gate that can't be asked any more once something was ended.
type forgets struct{ *fakeGate }

func (g forgets) EndSession(ctx context.Context, r gate.Request, p gate.Person, id string, why gate.Fault) error {
	err := g.fakeGate.EndSession(ctx, r, p, id, why)
	g.down = true
	return err
}

func TestPortalWhoseReadsFailAfterAnEnding(t *testing.T) {
	for _, path := range []string{"/logout", "/session/end"} {
		r := newPages(t)
		b := r.browser(campusAddr)
		b.signIn("alice")
		r.server.Gate = forgets{r.gate}
		b.post(path, "id", "T1").status(http.StatusServiceUnavailable).has("our-side").hasNot("secret detail")
		if r.gate.down = false; !slices.Equal(r.gate.ended, []string{"T1"}) {
			t.Errorf("ended %v", r.gate.ended)
		}
		r.server.Gate = r.gate
		b.post("/logout").goesTo("/logout") // and by the next try the browser knows
		if b.cookies["__Host-sekisho"] != "" {
			t.Error("the cookie is still there")
		}
	}
}

func TestPortalWithoutADirectoryOfDevices(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	r.accounts.err = errDown
	b.get("/").status(200).has("can't be shown").hasNot("secret detail")
	r.server.Accounts = nil
	b.get("/").status(200).has("can't be shown")
}
