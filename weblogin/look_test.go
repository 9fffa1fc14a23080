package weblogin

import (
	"fmt"
	"strings"
	"testing"

	"sekisho/gate"
	"sekisho/policy"
)

const maxPage = 20 << 10 // octets, with the style

func TestPagesAreSmall(t *testing.T) {
	for _, language := range []string{"ja", "en"} {
		r := newPages(t)
		b := r.browser(homeAddr)
		b.header.Set("Accept-Language", language)
		style := len(b.get("/style.css").status(200).body)
		password := b.begin("alice", "service", "webmail")
		code := b.fill(password, testPassword).goesTo("")
		pages := map[string]*shown{"code": b.get(code)}
		b.fill(code, "0")
		pages["refused"] = b.get(password)
		b.signIn("alice")
		for i := range 8 {
			r.gate.hold("alice", gate.Session{ID: fmt.Sprint("VPN", i), Door: "radius", Service: "ssl-vpn"})
		}
		for _, path := range []string{"/", "/help/failed", "/help/no-device", "/logout", "/none"} {
			pages[path] = b.get(path)
		}
		pages["/login"] = r.browser(homeAddr).get("/login")
		r.gate.word.Text = testWord
		pages["word"] = b.get("/word?service=ssl-vpn")
		pages["word that was made"] = b.post("/word", "service", "ssl-vpn")
		r.tunnel("alice", policy.OTP)
		pages["offer"] = r.browser(tunnelAddr).get("/login")
		for name, s := range pages {
			if n := len(s.body) + style; n >= maxPage {
				t.Errorf("%s in %s: %d octets", name, language, n)
			}
			if strings.Count(s.body, "<h1>") != 1 || !strings.Contains(s.body, `name="viewport"`) {
				t.Errorf("%s: %s", name, s.body)
			}
		}
	}
}

func TestAccentCanBeReadUpon(t *testing.T) {
	for accent, want := range map[string]string{
		"#17508f": "#ffffff", "#000000": "#ffffff", "#ffffff": "#000000", "#ffcc00": "#000000", "#777777": "#000000", "#C8102E": "#ffffff",
	} {
		if got := onTopOf(accent); got != want {
			t.Errorf("on %s: %s", accent, got)
		}
	}
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				accent := fmt.Sprintf("#%02x%02x%02x", r, g, b)
				light, dark := luminance(accent)+0.05, luminance(onTopOf(accent))+0.05
				if max(light, dark)/min(light, dark) < 4.5 {
					t.Errorf("%s on %s can't be read", onTopOf(accent), accent)
				}
			}
		}
	}
}

func TestAccentThatIsNoColourIsNotTaken(t *testing.T) {
	for _, accent := range []string{"", "red", "#fff", "#17508f}body{", "#17508g"} {
		style := string(newLooks(Site{Accent: accent}).style)
		if !strings.HasPrefix(style, ":root{--accent:"+defaultAccent+";") {
			t.Errorf("%q: %.60s", accent, style)
		}
	}
	if style := string(newLooks(Site{Accent: "#C8102E"}).style); !strings.HasPrefix(style, ":root{--accent:#C8102E;--on-accent:#ffffff}") {
		t.Errorf("%.60s", style)
	}
}

func TestLogoIsServedWithItsType(t *testing.T) {
	r := newPages(t)
	r.server.Site.Logo, r.server.Site.LogoType = []byte("<svg/>"), "image/svg+xml"
	r.handler = r.server.Handler(Listener{Name: "web"})
	b := r.browser(homeAddr)
	s := b.get("/logo").status(200)
	if s.body != "<svg/>" || s.res.Header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("%v %s", s.res.Header, s.body)
	}
	b.get("/login").has(`src="/logo"`)
}

func TestHelpThatIsAnAddressIsALink(t *testing.T) {
	for help, want := range map[string]string{
		"https://it.example.ac.jp/help":     "https://it.example.ac.jp/help",
		"mailto:help@example.ac.jp":         "mailto:help@example.ac.jp",
		"help@example.ac.jp":                "mailto:help@example.ac.jp",
		"Room 101, 03-1234-5678":            "",
		"ヘルプデスク（内線1234） help@example.ac.jp": "",
		"javascript:alert(1)":               "",
		"":                                  "",
	} {
		if got := link(help); got != want {
			t.Errorf("%q: %q", help, got)
		}
	}
}
