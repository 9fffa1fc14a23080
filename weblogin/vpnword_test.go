package weblogin

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
)

const testWord = "vpn-kqzfmwtxbcdg"

// worded is a rig whose gate gives words, and a browser of alice's, who signed
// in with a code.
func worded(t *testing.T) (*pagesRig, *browserAgent) {
	t.Helper()
	r := newPages(t)
	r.gate.word = gate.Word{Text: testWord, Until: testTime.Add(5 * time.Minute)}
	b := r.browser(homeAddr)
	b.signIn("alice").goesTo("/")
	return r, b
}

func TestWordForTheVPNIsShownOnce(t *testing.T) {
	r, b := worded(t)
	b.get("/").has(`href="/word?service=ssl-vpn"`, "VPN word for SSL-VPN")
	page := b.get("/word?service=ssl-vpn").status(200).has("SSL-VPN", "alice", `action="/word"`, "in place of your password").hasNot(testWord)
	made := b.post("/word", page.hidden()...).status(200)
	made.has(testWord, "SSL-VPN", "alice", "1 Apr 2026, 09:05", "in place of your password in the VPN program", "Never tell the word to anybody", "will not ask for it",
		"this one no longer works", `lang="en" translate="no"`, `href="/word?lang=ja&service=ssl-vpn"`)
	if h := made.res.Header; h.Get("Cache-Control") != "no-store" || h.Get("Location") != "" {
		t.Errorf("%v", h)
	}
	if len(r.gate.worded) != 1 {
		t.Fatalf("%d words were made", len(r.gate.worded))
	}
	if q := r.gate.worded[0]; q.TicketSecret != "secret-1" || q.TicketOf != portalService || q.Service != portalService || q.Opens != "ssl-vpn" || q.Door != "web" || q.Tunnel {
		t.Errorf("asked %+v", q)
	}
	if strings.Count(made.body, testWord) != 1 {
		t.Errorf("the word stands in more than one place:\n%s", made.body)
	}
	for _, path := range []string{"/word?service=ssl-vpn", "/"} {
		b.get(path).hasNot(testWord)
	}
	if strings.Contains(r.log.String(), testWord) {
		t.Errorf("log %s", r.log.String())
	}
}

func TestWordInJapanese(t *testing.T) {
	_, b := worded(t)
	b.header.Set("Accept-Language", "ja")
	b.post("/word", "service", "ssl-vpn").status(200).has(testWord, "だれにも教えないでください", "2026年4月1日 09:05")
}

// A page that is loaded again sends its form again.
func TestEachFormMakesAWord(t *testing.T) {
	r, b := worded(t)
	b.post("/word", "service", "ssl-vpn").has(testWord)
	r.gate.word.Text = "vpn-another"
	b.post("/word", "service", "ssl-vpn").has("vpn-another").hasNot(testWord)
}

func TestWordIsNotMadeByAGet(t *testing.T) {
	r, b := worded(t)
	for _, q := range []string{"GET", "HEAD"} {
		for _, path := range []string{"/word?service=ssl-vpn", "/", "/word?lang=ja&service=ssl-vpn"} {
			req, _ := http.NewRequest(q, path, nil)
			b.do(req).status(200).hasNot(testWord)
		}
	}
	if len(r.gate.worded) != 0 {
		t.Errorf("made %d", len(r.gate.worded))
	}
}

func TestWordIsNotMadeByAFormFromAnotherSite(t *testing.T) {
	r, b := worded(t)
	b.header["Sec-Fetch-Site"] = []string{"cross-site"}
	b.post("/word", "service", "ssl-vpn").status(http.StatusForbidden).hasNot(testWord)
	if len(r.gate.worded) != 0 {
		t.Errorf("made %d", len(r.gate.worded))
	}
}

func TestWordNeedsASignInWithACode(t *testing.T) {
	r, _ := worded(t)
	b := r.browser(campusAddr)
	b.signIn("alice") // with the password alone
	b.post("/word", "service", "ssl-vpn").status(http.StatusForbidden).has("no-word", "No word can be made", "sign in again with your code", `href="/"`).hasNot(testWord)
}

func TestWordForNobody(t *testing.T) {
	r, _ := worded(t)
	b := r.browser(homeAddr)
	b.get("/word?service=ssl-vpn").goesTo("/login")
	b.post("/word", "service", "ssl-vpn").goesTo("/login")
	if len(r.gate.worded) != 0 {
		t.Errorf("made %d", len(r.gate.worded))
	}
}

func TestWordForWhatIsNoVPN(t *testing.T) {
	r, b := worded(t)
	for _, service := range []string{"", "webmail", "portal", "SSL-VPN", "<b>"} {
		b.get("/word?service=" + service).status(http.StatusNotFound).hasNot("<b>")
		b.post("/word", "service", service).status(http.StatusNotFound)
	}
	if len(r.gate.worded) != 0 {
		t.Errorf("made %d", len(r.gate.worded))
	}
	r.server.SetVPNs(nil)
	b.get("/").status(200).hasNot("VPN")
	b.get("/word?service=ssl-vpn").status(http.StatusNotFound)
}

// noWords is a gate whose store fails when a word is made.
type noWords struct{ *fakeGate }

func (noWords) Word(context.Context, gate.Request) (gate.Word, error) {
	return gate.Word{Text: testWord}, errDown
}

func TestWordThatCantBeWritten(t *testing.T) {
	r, b := worded(t)
	r.server.Gate = noWords{r.gate}
	b.post("/word", "service", "ssl-vpn").status(http.StatusServiceUnavailable).has("our-side").hasNot(testWord, "secret detail")
	if log := r.log.String(); !strings.Contains(log, "make a word") || strings.Contains(log, testWord) {
		t.Errorf("log %s", log)
	}
}
