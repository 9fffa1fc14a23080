package weblogin

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestServiceOfAnAddress(t *testing.T) {
	c := newCrossings(t)
	for address, want := range map[string]string{
		"https webmail.example.ac.jp /":                           "webmail",
		"https WebMail.Example.AC.JP /in?x=1":                     "webmail",
		"HTTPS webmail.example.ac.jp:443 /":                       "webmail",
		"https webmail.example.ac.jp /../../x":                    "webmail",
		"https wiki.example.ac.jp /w":                             "wiki",
		"https wiki.example.ac.jp /w/":                            "wiki",
		"https wiki.example.ac.jp /w?a=/../":                      "wiki",
		"https wiki.example.ac.jp /w/a/../b":                      "wiki",
		"https wiki.example.ac.jp /w/.hidden":                     "wiki",
		"https wiki.example.ac.jp /w/100%25":                      "wiki",
		"https wiki.example.ac.jp /w/a%2Fb;v=1":                   "wiki",
		"https wiki.example.ac.jp /w/%E9%96%A2":                   "wiki",
		"http webmail.example.ac.jp /":                            "",
		"https webmail.example.ac.jp:8443 /":                      "",
		"https webmail.example.ac.jp. /":                          "",
		"https webmail.example.ac.jp.evil.test /":                 "",
		"https evil.test /":                                       "",
		"https x@webmail.example.ac.jp /":                         "",
		"https webmail.example.ac.jp@evil.test /":                 "",
		"https webmail.example.ac.jp\\@evil.test /":               "",
		"https webmail.example.ac.jp no-slash":                    "",
		"https webmail.example.ac.jp /a\tb":                       "",
		"https wiki.example.ac.jp /":                              "",
		"https wiki.example.ac.jp /wiki":                          "",
		"https wiki.example.ac.jp /W/":                            "",
		"https wiki.example.ac.jp /w/../admin":                    "",
		"https wiki.example.ac.jp /w/..":                          "",
		"https wiki.example.ac.jp /w/%2e%2e/admin":                "",
		"https wiki.example.ac.jp /w/%2E./admin":                  "",
		"https wiki.example.ac.jp /w%2f../admin":                  "",
		"https wiki.example.ac.jp /w/..%2fadmin":                  "",
		"https wiki.example.ac.jp /w/..%5cadmin":                  "",
		"https wiki.example.ac.jp /w/..\\admin":                   "",
		"https wiki.example.ac.jp /w/..;a=1/admin":                "",
		"https wiki.example.ac.jp /w/%252e%252e/a":                "",
		"https wiki.example.ac.jp /w/%25252e./a":                  "",
		"https wiki.example.ac.jp /w//../../admin":                "",
		"https wiki.example.ac.jp /w/%25/%252e%252e/%252e%252e/x": "",
		"https wiki.example.ac.jp /x/../w/":                       "",
		"https wiki.example.ac.jp /w/%zz":                         "wiki",
		"https wiki.example.ac.jp //w/":                           "",
	} {
		part := strings.SplitN(address, " ", 3)
		got := ""
		if v := c.server.match(target{scheme: part[0], host: part[1], uri: part[2]}); v != nil {
			got = v.Name
		}
		if got != want {
			t.Errorf("%s is of %q, want %q", address, got, want)
		}
	}
}

func TestGoalIsAPageOfTheService(t *testing.T) {
	c := newCrossings(t)
	webmail, wiki := c.server.byName("webmail"), c.server.byName("wiki")
	for _, test := range []struct {
		service  *Service
		to, want string
	}{
		{webmail, "/inbox?folder=a&b=%2F#x", "/inbox?folder=a&b=%2F#x"},
		{webmail, "", "/"},
		{webmail, "inbox", "/"},
		{webmail, "//evil.test/", "/"},
		{webmail, "/\\evil.test/", "/"},
		{webmail, "\\\\evil.test", "/"},
		{webmail, "https://evil.test/", "/"},
		{webmail, "/\t/evil.test", "/"},
		{webmail, "/x\r\nSet-Cookie: a=b", "/"},
		{webmail, "/.sekisho/out", "/"}, // or the sign-in would end with a sign-out
		{webmail, "/.sekisho", "/"},
		{webmail, "/%2esekisho/out", "/"},
		{webmail, "/%252esekisho/out", "/"},
		{webmail, "/./.sekisho/out", "/"},
		{webmail, "/x/..;/.sekisho/out", "/"},
		{webmail, "/%2e%2F.sekisho%2fout?x", "/"},
		{webmail, "/%252525252541", "/"},
		{webmail, "/.sekisho-notes?to=/.sekisho/out", "/.sekisho-notes?to=/.sekisho/out"},
		{webmail, "/100%/a%20b", "/100%/a%20b"},
		{webmail, "/" + strings.Repeat("x", maxTo), "/"},
		{wiki, "/w/page", "/w/page"},
		{wiki, "/admin", "/w/"},
		{wiki, "/w/../admin", "/w/"},
	} {
		if got := test.service.goal(test.to); got != test.want {
			t.Errorf("%s: %q leads to %q, want %q", test.service.Name, test.to, got, test.want)
		}
	}
}

// Every reading of an address that is let through stays below the prefix.
func FuzzServicePath(f *testing.F) {
	for _, seed := range []string{"/w/", "/w/../x", "/w/%2e%2e/", "/w/..;/", "/w/a%2fb", "/w/%25252e"} {
		f.Add(seed)
	}
	wiki := &Service{URL: &url.URL{Scheme: "https", Host: "wiki.example.ac.jp", Path: "/w/"}}
	f.Fuzz(func(t *testing.T, uri string) {
		if !wiki.holds(uri) {
			return
		}
		p, _, _ := strings.Cut(uri, "?")
		for range maxDecodings {
			u, err := url.ParseRequestURI(strings.ReplaceAll(p, `\`, "/"))
			if err != nil {
				return
			}
			if c := path.Clean(u.Path); c != "/w" && !strings.HasPrefix(c, "/w/") {
				t.Fatalf("%q leads to %q", uri, c)
			}
			p = u.Path
		}
	})
}
