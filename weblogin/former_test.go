package weblogin

import (
	"context"
	"slices"
	"testing"

	"sekisho/gate"
	"sekisho/policy"
)

// alice signs in inside, opens the wiki, goes home and shows a code besides.
func (r *pagesRig) steppedUp() *browserAgent {
	r.t.Helper()
	b := r.browser(campusAddr)
	b.signIn("alice") // T1
	r.gate.hold("alice", gate.Session{ID: "WIKI", Parent: "T1", Door: "web", Service: "wiki"})
	b.peer = homeAddr
	b.fill(b.get("/login").goesTo("/login/code"), "123456").goesTo("/") // T2
	return b
}

// takenBy has somebody else sign in inside, in the same browser.
func (b *browserAgent) takenBy(name string) {
	b.t.Helper()
	b.peer = campusAddr
	b.fill(b.post("/login", "name", name).goesTo("/login/password"), testPassword).goesTo("/")
}

// At a PC that alice leaves without signing out bob signs in: what she opened
// must not be his.
func TestFormerSignInEndsWithAllStepsOfIt(t *testing.T) {
	r := newPages(t)
	b := r.steppedUp()
	b.takenBy("bob")
	if !slices.Equal(r.gate.ended, []string{"T1"}) {
		t.Errorf("ended %v", r.gate.ended)
	}
}

func TestFormerSignInEndsEvenIfItsTicketIsOver(t *testing.T) {
	r := newPages(t)
	b := r.steppedUp()
	r.gate.ended = []string{"T2"} // idle for too long, say
	b.takenBy("bob")
	if !slices.Equal(r.gate.ended, []string{"T2", "T1"}) {
		t.Errorf("ended %v", r.gate.ended)
	}
}

func TestSignOutEndsWhatATicketThatIsOverRestsOn(t *testing.T) {
	r := newPages(t)
	b := r.steppedUp()
	r.gate.ended = []string{"T2"}
	b.get("/logout").status(200).has(`action="/logout"`)
	b.post("/logout").goesTo("/logout?flow=")
	if !slices.Equal(r.gate.ended, []string{"T2", "T1"}) {
		t.Errorf("ended %v", r.gate.ended)
	}
}

// alice's step-up waits in a tab while bob signs in.
func TestStepUpThatIsFinishedAfterSomebodyElseSignedIn(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice") // T1
	b.peer = homeAddr
	code := b.get("/login").goesTo("/login/code")
	b.takenBy("bob") // T2
	b.peer = homeAddr
	password := b.get(code).goesTo("/login/password")
	b.fill(b.fill(password, testPassword).goesTo("/login/code"), "123456").goesTo("/")
	if !slices.Equal(r.gate.ended, []string{"T1", "T2"}) {
		t.Errorf("ended %v", r.gate.ended)
	}
	if last := r.gate.asked[len(r.gate.asked)-1]; last.User != "alice" {
		t.Errorf("judged %+v", last)
	}
}

// The ticket of a service opens that service. As the sign-in's own it opens
// nothing, and lends nothing.
func TestTicketOfAServiceIsNobodyAtTheSignIn(t *testing.T) {
	r := newPages(t)
	r.gate.hold("alice", gate.Session{ID: "MAIL", Parent: "T1", Door: "web", Service: "webmail"})
	b := r.browser(homeAddr)
	b.cookies["__Host-sekisho"] = "secret of MAIL"
	b.get("/").goesTo("/login")
	b.get("/login?service=webmail").status(200).has(`name="name"`)
	b.get("/logout").status(200).hasNot(`action="/logout"`)
	for _, path := range []string{"/session/end", "/signout-everywhere"} {
		b.post(path, "id", "MAIL").goesTo("/login")
	}
	b.post("/logout").goesTo("/logout")
	if len(r.gate.ended)+len(r.gate.everyone) > 0 {
		t.Errorf("ended %v %v", r.gate.ended, r.gate.everyone)
	}
	// Put in the cookie's place while a step-up waits it lends nothing either.
	b.peer = campusAddr
	b.signIn("alice")
	b.peer = homeAddr
	code := b.get("/login").goesTo("/login/code")
	b.cookies["__Host-sekisho"] = "secret of MAIL"
	b.get(code).goesTo("/login/password")
}

func TestSignInForAServiceYieldsTheSignInsTicket(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice", "service", "webmail")
	if q := r.gate.asked[0]; q.Service != "webmail" || q.Opens != portalService || q.TicketOf != portalService {
		t.Errorf("judged %+v", q)
	}
	b.get("/").status(200).has("Browser sign-in")
}

// deniesFar lets nobody in whom a service sees outside.
type deniesFar struct{ *fakeGate }

func (g deniesFar) Present(ctx context.Context, r gate.Request) (gate.Holder, error) {
	h, err := g.fakeGate.Present(ctx, r)
	if r.Zone == policy.OffCampus && h.Person.ID != 0 {
		h.Verdict = policy.Deny
	}
	return h, err
}

func (g deniesFar) Admit(ctx context.Context, r gate.Request) (gate.Answer, error) {
	if r.Zone == policy.OffCampus {
		g.asked = append(g.asked, r)
		return gate.Answer{Reason: "rule_denies", Reference: "7F3K-DENY"}, nil
	}
	return g.fakeGate.Admit(ctx, r)
}

// The sign-in host would let them in; the service's sees them elsewhere.
func TestNotAllowedIsJudgedWhereItWasDenied(t *testing.T) {
	r := newPages(t)
	r.server.Gate = deniesFar{r.gate}
	e := r.server.errands.put(errand{service: r.server.byName("wiki"), to: "/w/", zone: policy.OffCampus}, "", gate.Source{}, r.now)
	b := r.browser(campusAddr)
	b.signIn("alice")
	for range 3 {
		b.get("/login?service=wiki&e="+e).status(403).has("not-allowed", "7F3K-DENY")
	}
	if len(r.gate.sessions) != 1 {
		t.Errorf("there are %d tickets", len(r.gate.sessions))
	}
}

// The rules are replaced between the two questions.
func TestNotAllowedThatIsAllowedMeanwhileGoesOn(t *testing.T) {
	r := newPages(t)
	b := r.browser(campusAddr)
	b.signIn("alice")
	r.server.Gate = deniesOnce{r.gate}
	b.get("/").goesTo("/")
	if b.cookies["__Host-sekisho"] != "secret-2" {
		t.Errorf("the browser holds %q", b.cookies["__Host-sekisho"])
	}
}

type deniesOnce struct{ *fakeGate }

func (g deniesOnce) Present(ctx context.Context, r gate.Request) (gate.Holder, error) {
	h, err := g.fakeGate.Present(ctx, r)
	h.Verdict = policy.Deny
	return h, err
}
