package weblogin

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/account"
	"sekisho/policy"
)

const testApp = "app-bcdfghjkmnpqrstvwxyzbcdf"

// withApps is a rig whose mail takes application passwords, and a browser of
// alice's, who signed in with a code.
func withApps(t *testing.T) (*pagesRig, *browserAgent) {
	t.Helper()
	r := newPages(t)
	r.server.SetPrograms([]Program{{"mail", "Mail"}})
	b := r.browser(homeAddr)
	b.signIn("alice").goesTo("/")
	return r, b
}

func TestAppPasswordIsShownOnce(t *testing.T) {
	r, b := withApps(t)
	b.get("/").has(`href="/app-password?service=mail"`, "Application password for Mail")
	page := b.get("/app-password?service=mail").status(200)
	page.has("Application password for Mail", "alice", `action="/app-password"`, `name="label"`, "in place of your password").hasNot(testApp)
	made := b.post("/app-password", append(page.hidden(), "label", "My <phone>")...).status(200)
	made.has(testApp, "My <phone>", "alice", "need not be written down", "Never tell it to anybody", `lang="en" translate="no"`).hasNot("<phone>'")
	if strings.Contains(made.body, "<phone>") || strings.Count(made.body, testApp) != 1 {
		t.Errorf("shown as\n%s", made.body)
	}
	if h := made.res.Header; h.Get("Cache-Control") != "no-store" || h.Get("Location") != "" {
		t.Errorf("%v", h)
	}
	if len(r.gate.minted) != 1 || r.gate.minted[0] != (gate.Program{Service: "mail", Label: "My <phone>"}) {
		t.Errorf("made %+v", r.gate.minted)
	}
	if q := r.gate.mintedBy; q.TicketSecret != "secret-1" || q.TicketOf != portalService || q.Service != portalService || q.Door != policy.DoorWeb || q.Tunnel {
		t.Errorf("asked %+v", q)
	}
	for _, path := range []string{"/app-password?service=mail", "/"} {
		b.get(path).hasNot(testApp)
	}
	if strings.Contains(r.log.String(), testApp) {
		t.Errorf("log %s", r.log.String())
	}
}

func TestAppPasswordInJapanese(t *testing.T) {
	r, b := withApps(t)
	r.accounts.apps = []account.AppPassword{{ID: "a1", Label: "Phone", Service: "mail", Idle: true}}
	b.header.Set("Accept-Language", "ja")
	b.get("/").has("Mailのアプリ用パスワード", "30日以上使われていません")
	b.post("/app-password", "service", "mail", "label", "携帯").status(200).has(testApp, "だれにも教えず", "携帯")
}

func TestAppPasswordNeedsALabel(t *testing.T) {
	r, b := withApps(t)
	for _, label := range []string{"", " ", "a\nb", strings.Repeat("x", 201)} {
		b.post("/app-password", "service", "mail", "label", label).status(http.StatusUnprocessableEntity).
			has("Please name the program", `aria-describedby="hint alert"`).hasNot(testApp)
	}
	if len(r.gate.minted) != 0 {
		t.Errorf("made %v", r.gate.minted)
	}
}

func TestAppPasswordIsNotMadeByAGet(t *testing.T) {
	r, b := withApps(t)
	for _, method := range []string{"GET", "HEAD"} {
		req, _ := http.NewRequest(method, "/app-password?service=mail&label=x", nil)
		b.do(req).status(200).hasNot(testApp)
	}
	b.get("/app-password/end?id=a1").status(http.StatusNotFound)
	if len(r.gate.minted)+len(r.gate.endedApps) != 0 {
		t.Errorf("made %v, ended %v", r.gate.minted, r.gate.endedApps)
	}
}

func TestAppPasswordIsNotMadeByAFormFromAnotherSite(t *testing.T) {
	r, b := withApps(t)
	b.header["Sec-Fetch-Site"] = []string{"cross-site"}
	b.post("/app-password", "service", "mail", "label", "x").status(http.StatusForbidden).hasNot(testApp)
	b.post("/app-password/end", "id", "a1").status(http.StatusForbidden)
	if len(r.gate.minted)+len(r.gate.endedApps) != 0 {
		t.Errorf("made %v, ended %v", r.gate.minted, r.gate.endedApps)
	}
}

func TestAppPasswordThatIsNotMade(t *testing.T) {
	r, b := withApps(t)
	inside := r.browser(campusAddr)
	inside.signIn("alice") // with the password alone
	for _, page := range []*shown{
		inside.get("/app-password?service=mail"), // no form that would only be refused
		inside.post("/app-password", "service", "mail", "label", "x"),
	} {
		page.status(http.StatusForbidden).
			has("no-app-password", "sign in again with your code", `href="/"`).hasNot(testApp, `name="label"`)
	}
	r.gate.many = true
	b.post("/app-password", "service", "mail", "label", "x").status(http.StatusForbidden).has("many-passwords", `href="/"`).hasNot(testApp)
}

func TestAppPasswordForNobody(t *testing.T) {
	r, _ := withApps(t)
	b := r.browser(homeAddr)
	b.get("/app-password?service=mail").goesTo("/login")
	b.post("/app-password", "service", "mail", "label", "x").goesTo("/login")
	b.post("/app-password/end", "id", "a1").goesTo("/login")
	if len(r.gate.minted)+len(r.gate.endedApps) != 0 {
		t.Errorf("made %v, ended %v", r.gate.minted, r.gate.endedApps)
	}
}

func TestAppPasswordForWhatTakesNone(t *testing.T) {
	r, b := withApps(t)
	for _, service := range []string{"", "webmail", "portal", "ssl-vpn", "Mail", "<b>"} {
		b.get("/app-password?service=" + service).status(http.StatusNotFound).hasNot("<b>")
		b.post("/app-password", "service", service, "label", "x").status(http.StatusNotFound)
	}
	r.server.SetPrograms(nil)
	b.get("/").status(200).hasNot("Application password")
	b.get("/app-password?service=mail").status(http.StatusNotFound)
	if len(r.gate.minted) != 0 {
		t.Errorf("made %v", r.gate.minted)
	}
}

func TestOwnAppPasswords(t *testing.T) {
	r, b := withApps(t)
	r.accounts.apps = []account.AppPassword{
		{ID: "a1", Label: "Phone", Service: "ssl-vpn", Created: testTime.Add(-time.Hour)},
		{ID: "a2", Label: "<i>", Service: "mail", Created: testTime.Add(-time.Hour), Used: testTime, Idle: true},
	}
	b.get("/").has("<strong>Phone</strong>: SSL-VPN", "Added: 1 Apr 2026, 08:00", "<strong><i></strong>: Mail", "Last used: 1 Apr 2026, 09:00<br>Void",
		`action="/app-password/end"`, `value="a1"`)
	r.server.SetPrograms(nil) // those that there are can still be ended
	b.get("/").has("<strong>Phone</strong>: SSL-VPN").hasNot("Give it a password of its own")
	for _, id := range []string{"a1", "a2", "", "nothing"} {
		b.post("/app-password/end", "id", id).goesTo("/")
	}
	if got := strings.Join(r.gate.endedApps, " "); got != "a1" {
		t.Errorf("ended %q", got)
	}
	bob := r.browser(homeAddr)
	bob.signIn("bob")
	bob.get("/").hasNot("<strong>Phone</strong>", "not used for 30 days")
	bob.post("/app-password/end", "id", "a1").goesTo("/")
	if len(r.gate.endedApps) != 1 {
		t.Error("ended another's")
	}
}

// noApps is a gate whose store fails when an application password is made.
type noApps struct{ *fakeGate }

func (noApps) MayMakeAppPassword(context.Context, gate.Request, string) (bool, error) {
	return false, errDown
}

func (noApps) MakeAppPassword(context.Context, gate.Request, gate.Program) (gate.Secret, error) {
	return testApp, errDown
}

func (noApps) EndAppPassword(context.Context, gate.Request, gate.Person, string) error {
	return errDown
}

func TestAppPasswordThatCantBeWritten(t *testing.T) {
	r, b := withApps(t)
	r.server.Gate = noApps{r.gate}
	b.get("/app-password?service=mail").status(http.StatusServiceUnavailable).has("our-side").hasNot(`name="label"`, "secret detail")
	b.post("/app-password", "service", "mail", "label", "x").status(http.StatusServiceUnavailable).has("our-side").hasNot(testApp, "secret detail")
	b.post("/app-password/end", "id", "a1").status(http.StatusServiceUnavailable).has("our-side").hasNot("secret detail")
	if log := r.log.String(); !strings.Contains(log, "make an application password") || !strings.Contains(log, "end an application password") || strings.Contains(log, testApp) {
		t.Errorf("log %s", log)
	}
}

// A word for a program is asked for at its door, and told in its words.
func TestWordForAProgram(t *testing.T) {
	r, b := worded(t)
	r.server.SetVPNs([]VPN{{Name: "ssl-vpn", Title: "SSL-VPN"}, {Name: "mail", Title: "Mail", Door: policy.DoorLDAP}})
	b.get("/").has("VPN word for SSL-VPN", "Sign-in word for Mail", `href="/word?service=mail"`).hasNot("VPN word for Mail", "Sign-in word for SSL-VPN")
	b.get("/word?service=mail").status(200).has("Sign-in word", "Programs: ").hasNot("VPN")
	b.post("/word", "service", "mail").status(200).has(testWord, "in the program:").hasNot("VPN program")
	b.post("/word", "service", "ssl-vpn").status(200).has("VPN program")
	if got := r.gate.worded[0]; got.Opens != "mail" || got.OpensAt != policy.DoorLDAP {
		t.Errorf("asked %+v", got)
	}
	if got := r.gate.worded[1]; got.Opens != "ssl-vpn" || got.OpensAt != "" {
		t.Errorf("asked %+v", got)
	}
}
