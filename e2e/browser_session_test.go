package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// signedIn is somebody's browser that is in the mail service, from outside.
func (c *chromium) signedIn(t *testing.T, p person) *tab {
	t.Helper()
	b := c.somebody(t, setting{language: "en"})
	b.open(c.demo.Web.Services[0])
	b.give("name", p.name)
	b.give("password", password)
	b.give("code", p.device.code())
	b.in(c.demo.Web.Services[0], p.name, "password,otp")
	return b
}

// insider is somebody's browser that has signed in on the campus.
func (c *chromium) insider(t *testing.T, p person) *tab {
	t.Helper()
	b := c.somebody(t, setting{language: "en"})
	b.open(c.demo.Web.Inside)
	b.give("name", p.name)
	b.give("password", password)
	b.onPortal()
	return b
}

func testStepUp(t *testing.T, c *chromium) {
	mail, wiki := c.demo.Web.Services[0], c.demo.Web.Services[1]
	p := c.newcomer(t, "mover")
	b := c.insider(t, p)
	b.open(mail)
	b.on("code")
	if text := b.text(); !strings.Contains(text, "You are outside the campus network") || !strings.Contains(text, p.name) {
		t.Errorf("the page does not say why, or to whom:\n%s", text)
	}
	b.enter(p.device.code())
	b.in(mail, p.name, "password,otp")
	b.open(wiki)
	b.in(wiki, p.name, "password,otp")
}

func testTwoTabs(t *testing.T, c *chromium) {
	mail := c.demo.Web.Services[0]
	p := c.newcomer(t, "tabs")
	first := c.somebody(t, setting{language: "en"})
	first.open(mail)
	first.give("name", p.name)
	first.give("password", password)
	first.on("code")

	second := first.another()
	second.open(c.demo.Web.Inside)
	second.give("name", p.name)
	second.give("password", password)
	second.onPortal()

	first.give("code", p.device.code())
	first.in(mail, p.name, "password,otp")
}

func testSignOut(t *testing.T, c *chromium) {
	mail, wiki := c.demo.Web.Services[0], c.demo.Web.Services[1]
	b := c.signedIn(t, c.newcomer(t, "leaver"))
	b.open(wiki)
	b.open(c.demo.Web.Outside)
	b.click(`a[href="/logout"]`)
	b.click(`form[action="/logout"] button`)
	if text := b.text(); !strings.Contains(text, "Mail") || !strings.Contains(text, "Wiki") || b.url().Path != "/logout" {
		t.Errorf("what has ended is not told: %s", b.describe())
	}
	for _, page := range []string{mail, wiki, c.demo.Web.Outside, c.demo.Web.Inside} {
		b.open(page)
		b.on("name")
	}
}

func testEndSession(t *testing.T, c *chromium) {
	p := c.newcomer(t, "two-places")
	left := c.signedIn(t, p)
	b := c.insider(t, p)
	const elsewhere = `[...document.querySelectorAll(".sessions li")].filter(li => /^Browser sign-in/.test(li.innerText) && !/this browser/.test(li.innerText))`
	if n := ask[int](b, elsewhere+".length"); n != 1 {
		t.Fatalf("%d sign-ins of other browsers, want 1: %s", n, b.describe())
	}
	b.do(chromedp.Evaluate[chromedp.Void](elsewhere + `[0].querySelector("button").click()`))
	b.onPortal()
	if n := ask[int](b, `document.querySelectorAll(".sessions li").length`); n != 1 {
		t.Errorf("%d sign-ins are left, want this one: %s", n, b.describe())
	}
	left.open(c.demo.Web.Services[0])
	left.on("name")
	left.open(c.demo.Web.Outside)
	left.on("name")
}

func testCookies(t *testing.T, c *chromium) {
	b := c.signedIn(t, c.newcomer(t, "nibbler"))
	kept := map[string]int{}
	for _, cookie := range b.cookies() {
		kept[cookie.Name]++
		if !cookie.HTTPOnly || cookie.SameSite != network.CookieSameSiteLax || cookie.Path != "/" || strings.HasPrefix(cookie.Domain, ".") {
			t.Errorf("%s of %s: %+v", cookie.Name, cookie.Domain, cookie)
		}
		if ticket := cookie.Name == "sekisho" || cookie.Name == "sekisho-service"; ticket && !cookie.Session {
			t.Errorf("%s of %s outlasts the browser", cookie.Name, cookie.Domain)
		}
	}
	if kept["sekisho"] != 1 || kept["sekisho-browser"] != 1 || kept["sekisho-service"] != 1 {
		t.Errorf("the browser keeps %v", kept)
	}
	if seen := ask[string](b, "document.cookie"); seen != "" {
		t.Errorf("a script of the service sees %q", seen)
	}
}
