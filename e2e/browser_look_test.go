package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// pictures is where the pages can be looked at after a run.
const pictures = "artefacts"

const maxWeight = 20 << 10 // octets of a page with all that it loads

// testLooks walks through every page in a language and looks at it closely.
func testLooks(t *testing.T, c *chromium, language string) {
	axe := axeCore(t)
	p := c.newcomer(t, "looks"+language)
	b := c.somebody(t, setting{language: language})
	web := c.demo.Web
	n := 0
	look := func(name string, status int) {
		t.Helper()
		n++
		if b.status != status {
			t.Errorf("%s: status %d, want %d: %s", name, b.status, status, b.describe())
		}
		b.inspect(axe, fmt.Sprintf("%02d-%s", n, name))
	}

	b.open(web.Inside)
	look("name-inside", 200)
	b.open(web.Services[0])
	look("name", 200)
	ask[bool](b, `document.querySelector("form").noValidate = true`)
	b.enter("")
	look("name-missing", 422)
	b.give("name", p.name)
	look("password", 200)
	b.enter(password)
	look("code", 200)
	expired := b.url().String()
	b.click(`a[href^="/help/no-device"]`)
	look("no-device", 200)
	b.back()
	b.give("code", "000000")
	look("refused", 200)
	b.click(`.alert a`)
	look("help", 200)
	b.back()
	b.give("password", password)
	b.give("code", "000001")
	b.give("password", password)
	b.give("code", "000002")
	look("refused-thrice", 403)
	b.open(expired)
	look("expired", 410)
	b.open(web.Outside + "/nothing/here")
	look("not-found", 404)
	b.open(web.Outside + "/login")
	ask[bool](b, `(document.querySelector("#name").value = "x".repeat(1 << 20)) !== ""`)
	b.enter("")
	look("too-large", 413)
	b.open(web.Services[0] + ".sekisho/in?t=nothing")
	look("handshake", 403)
	b.click("a.button")
	b.on("name")
	call(b, network.ClearBrowserCookies, cdp.Empty{})
	b.enter(p.name)
	look("cookies-needed", 400)

	q := c.newcomer(t, "stays"+language)
	b = c.somebody(t, setting{language: language})
	b.open(web.Inside)
	b.give("name", q.name)
	b.give("password", password)
	look("portal-inside", 200)
	b.click(`a[href="/word?service=ssl-vpn"]`)
	look("word", 200)
	b.click("main button")
	look("no-word", 403)
	b.open(web.Services[0])
	look("step-up", 200)
	b.give("code", q.device.code())
	b.click(`a[href^="` + web.Services[1] + `"]`)
	b.open(web.Outside)
	look("portal", 200)
	b.open(web.Outside + "/word?service=ssl-vpn")
	b.click("main button")
	look("word-made", 200)
	b.open(web.Services[1] + ".sekisho/out")
	look("signed-out-of-one", 200)
	b.open(web.Services[0])
	b.do(chromedp.Evaluate[chromedp.Void](`document.body.innerHTML = '<form method="post" action="` + web.Outside + `/logout">'; document.forms[0].submit()`))
	look("cross-origin", 403)
	b.open(web.Outside + "/logout")
	look("sign-out", 200)
	b.click("button")
	look("signed-out", 200)
	b.open(web.Inside)
	b.give("name", q.name)
	b.give("password", password)
	b.click(`form[action="/signout-everywhere"] button`)
	look("signed-out-everywhere", 200)
}

// axeCore is the checker's text, which `make packages` brings.
func axeCore(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(".axe", "package", "axe.min.js"))
	if err == nil {
		return string(text)
	}
	if os.Getenv("SEKISHO_E2E") == "required" {
		t.Fatal(err)
	}
	t.Skip("axe-core is not here: run `make packages`")
	return ""
}

// inspect wants of a page what every page owes to whoever looks at it.
func (b *tab) inspect(axe, name string) {
	b.t.Helper()
	b.wantLanguage()
	if weight := b.weighs(); weight == 0 || weight > maxWeight {
		b.t.Errorf("%s: it weighs %.0f octets", name, weight)
	}
	ask[any](b, axe+";0")
	for _, as := range []struct {
		phone  bool
		scheme string
	}{{false, "light"}, {true, "light"}, {true, "dark"}} {
		b.size(as.phone)
		b.scheme(as.scheme)
		b.picture(strings.Join([]string{b.setting.language, name, setting{phone: as.phone}.screen(), as.scheme}, "-"))
		if !as.phone {
			continue
		}
		for _, v := range b.violations(as.scheme) {
			b.t.Errorf("%s, %s: %s: %s", name, as.scheme, v.Help, strings.Join(v.Where, "; "))
		}
	}
	// As wide as a page at 400 % on a desk (WCAG 2.2, 1.4.10).
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(320, 640)); err != nil {
		b.t.Fatal(err)
	}
	if wide := ask[int](b, "document.documentElement.scrollWidth"); wide > 320 {
		b.t.Errorf("%s: it has to be scrolled sideways: %d wide", name, wide)
	}
	b.scheme("")
	b.size(b.setting.phone)
}

// violation is what axe-core holds against a page.
type violation struct {
	Help  string
	Where []string
}

func (b *tab) violations(scheme string) []violation {
	b.t.Helper()
	only := `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`
	if scheme == "dark" { // which differs in its colours alone
		only = `["color-contrast"]`
	}
	return ask[[]violation](b, `axe.run({runOnly: `+only+`, resultTypes: ["violations"], preload: false})
		.then(r => r.violations.map(v => ({Help: v.id + " " + v.help, Where: v.nodes.map(n => n.html)})))`, chromedp.EvalAwaitPromise)
}
