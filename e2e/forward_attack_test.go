package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// testForwardAttacks tries to get past a proxy whose rules keep carol out of
// the mail.
func testForwardAttacks(t *testing.T, w *webSite) {
	carol := w.browser(inside)
	carol.t = t
	carol.signIn(carol.open("https://"+wikiHost+"/"), "carol", "").arrived(t)

	t.Run("who is denied gets a page with a reference", func(t *testing.T) {
		carol.t = t
		p := carol.open("https://" + mailHost + "/inbox")
		if p.status != http.StatusForbidden || p.url.Host != ssoHost || !strings.Contains(p.body, "not-allowed") {
			t.Errorf("%d at %v\n%s", p.status, p.url, p.body)
		}
		events := w.book("--outcome", "refused", "--user", "carol")
		if len(events) != 1 || events[0].Reason != "rule_denies" || events[0].Service != "webmail" || !strings.Contains(p.body, events[0].Reference) {
			t.Errorf("booked %+v\n%s", events, p.body)
		}
	})
	t.Run("the rules of another service are not judged", func(t *testing.T) {
		rest := "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\nCookie: " +
			carol.cookie(t, wikiHost, "__Host-sekisho-service") + "\r\n\r\n"
		for name, head := range map[string]string{
			"another's cookie":         "GET /x HTTP/1.1\r\nHost: " + mailHost,
			"absolute form, two names": "GET https://" + mailHost + "/x HTTP/1.1\r\nHost: " + wikiHost,
			"and the other way round":  "GET https://" + wikiHost + "/x HTTP/1.1\r\nHost: " + mailHost,
			"two names in a line":      "GET /x HTTP/1.1\r\nHost: " + mailHost + "," + wikiHost,
			"in the other order":       "GET /x HTTP/1.1\r\nHost: " + wikiHost + "," + mailHost,
			"two lines":                "GET /x HTTP/1.1\r\nHost: " + mailHost + "\r\nHost: " + wikiHost,
			"two lines the other way":  "GET /x HTTP/1.1\r\nHost: " + wikiHost + "\r\nHost: " + mailHost,
			"a port with a name in it": "GET /x HTTP/1.1\r\nHost: " + mailHost + ":443@" + wikiHost,
			"nobody's name":            "GET /x HTTP/1.1\r\nHost: nowhere.example",
			"no name":                  "GET /x HTTP/1.0",
		} {
			for _, sni := range []string{mailHost, wikiHost} {
				if p := w.raw(t, inside, sni, head+"\r\n"+rest); strings.Contains(p.body, `"Header"`) && (p.arrived(t).At != wikiHost || p.arrived(t).Host != wikiHost) {
					t.Errorf("%s, to %s: arrived as %+v", name, sni, p.arrived(t))
				}
			}
		}
	})
	t.Run("a service can't hide our cookie among its own", func(t *testing.T) {
		secret := carol.cookie(t, wikiHost, "__Host-sekisho-service")
		_, value, _ := strings.Cut(secret, "=")
		for _, sent := range []string{
			"a=1; " + secret + "; sekisho-x=1; sekisho-y=1", "sekisho-w=1; " + secret + "; sekisho-x=1; sekisho-y=1; sekisho-z=1",
			"sekisho-v=1; sekisho-w=1; " + secret + ";sekisho-x=1;  sekisho-y=1; b=2",
		} {
			plain := w.browser(inside)
			plain.t = t
			if got := plain.open("https://"+wikiHost+"/", "Cookie", sent).arrived(t).Header.Get("Cookie"); strings.Contains(got, value) {
				t.Errorf("of %q arrived %q", sent, got)
			}
		}
	})
	t.Run("a secret of a service is no sign-in", func(t *testing.T) {
		thief := w.browser(inside)
		thief.t = t
		_, value, _ := strings.Cut(carol.cookie(t, wikiHost, "__Host-sekisho-service"), "=")
		thief.Jar.SetCookies(&url.URL{Scheme: "https", Host: ssoHost, Path: "/"}, []*http.Cookie{{Name: "__Host-sekisho", Value: value, Path: "/", Secure: true}})
		for _, address := range []string{"https://" + ssoHost + "/", "https://" + wikiHost + "/"} {
			if p := thief.open(address); p.url.Host != ssoHost || p.url.Path != "/login" {
				t.Errorf("%s: %d at %v\n%s", address, p.status, p.url, p.body)
			}
		}
	})
}

// raw sends octets to the proxy and returns its answer; none is an empty page.
func (w *webSite) raw(t *testing.T, from, sni, text string) page {
	t.Helper()
	dial := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	socket, err := dial.Dial("tcp", w.proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	socket.SetDeadline(time.Now().Add(patience))
	conn := tls.Client(socket, &tls.Config{RootCAs: w.roots, ServerName: sni})
	fmt.Fprint(conn, text)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return page{url: &url.URL{}}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{res.StatusCode, &url.URL{}, res.Header, string(body)}
}

// Somebody who guesses begins anew, in a new browser, after each failure.
func TestSignInThatIsBegunAnewIsDelayedAllTheSame(t *testing.T) {
	t.Parallel()
	need(t, "oathtool")
	w := newWebSite(t)
	w.add("bob")
	w.change("[metrics]\n", "[throttle]\nfirst = \"1m\"\n\n[metrics]\n")
	w.serve()
	attempt := func(typed string) page {
		b := w.browser(inside)
		return b.fill(b.fill(b.open("https://"+ssoHost+"/login"), "name", "bob"), "password", typed)
	}
	for _, typed := range []string{"a guess", password, password} {
		if p := attempt(typed); p.url.Path != "/login/password" || !strings.Contains(p.body, "wrong") {
			t.Errorf("%q led to %d at %v", typed, p.status, p.url)
		}
	}
	var reasons []string
	for _, e := range w.book("--outcome", "refused", "--user", "bob") {
		reasons = append(reasons, e.Reason)
	}
	slices.Sort(reasons)
	if !slices.Equal(reasons, []string{"throttled", "throttled", "wrong_password"}) {
		t.Errorf("booked %v", reasons)
	}
}
