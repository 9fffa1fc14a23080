package e2e

import (
	"database/sql"
	"regexp"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// expired wants the page for those who come too late, and starts again.
func (b *tab) expired() {
	b.t.Helper()
	if b.status != 410 || !strings.Contains(b.text(), "page-expired") {
		b.t.Fatalf("want the page for what has expired, have %d %s", b.status, b.describe())
	}
	b.click("a.button")
}

func testBack(t *testing.T, c *chromium) {
	mail := c.demo.Web.Services[0]
	p := c.newcomer(t, "returner")
	b := c.somebody(t, setting{language: "en"})
	b.open(mail)
	b.give("name", "retruner")
	b.on("password")
	b.back()
	b.on("name") // still filled in
	ask[any](b, "document.activeElement.select()")
	b.enter(p.name)
	b.give("password", "not this one")
	b.on("code")
	b.back()
	b.give("password", password)
	b.on("code")
	b.click(`a[href^="/help/no-device"]`)
	b.click("main p:last-child a")
	b.give("code", p.device.code())
	b.in(mail, p.name, "password,otp")

	b.back()
	b.expired()
	b.in(mail, p.name, "password,otp")
}

func testOtherBrowser(t *testing.T, c *chromium) {
	p := c.newcomer(t, "bookmarker")
	b := c.somebody(t, setting{language: "en"})
	b.open(c.demo.Web.Services[0])
	b.give("name", p.name)
	b.give("password", password)
	b.on("code")
	other := c.somebody(t, setting{language: "en"})
	other.open(b.url().String())
	if strings.Contains(other.text(), p.name) {
		t.Errorf("another browser learns who it was: %s", other.describe())
	}
	other.expired()
	other.on("name")
	if !strings.Contains(other.text(), "Mail") {
		t.Errorf("the way to the service is lost: %s", other.describe())
	}
}

var shownReference = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}`)

func testWrongThrice(t *testing.T, c *chromium) {
	p := c.newcomer(t, "fumbler")
	b := c.somebody(t, setting{language: "en"})
	b.open(c.demo.Web.Services[0])
	b.give("name", p.name)
	for _, left := range []string{"after 2 more failures", "after 1 more failure.", ""} {
		b.give("password", password)
		b.give("code", "000000")
		text := b.text()
		if !strings.Contains(text, left) {
			t.Errorf("it does not say %q: %s", left, b.describe())
		}
		if left != "" && (!b.has(`[role=alert]`) || !strings.Contains(text, p.name)) {
			t.Errorf("no alert, or the name is lost: %s", b.describe())
		}
		reference := shownReference.FindString(text)
		if why := c.by(t).run("why", reference); !strings.Contains(why, p.name) {
			t.Errorf("why %s: %s", reference, why)
		}
	}
	if b.status != 403 || !strings.Contains(b.text(), "sign-in-failed") {
		t.Errorf("after three failures: %d %s", b.status, b.describe())
	}
	b.click("a.button")
	b.on("name")
}

func testLanguage(t *testing.T, c *chromium) {
	p := c.newcomer(t, "polyglot")
	b := c.somebody(t, setting{language: "en"})
	b.open(c.demo.Web.Services[0])
	b.give("name", p.name)
	b.give("password", password)
	b.on("code")
	b.click(`nav a[hreflang="ja"]`)
	b.setting.language = "ja"
	b.give("code", p.device.code())
	b.in(c.demo.Web.Services[0], p.name, "password,otp")
	b.open(c.demo.Web.Outside)
	b.onPortal() // the choice is kept
}

// The store fails while somebody signs in: that is not told as their failure,
// and the same page goes on when it is mended.
func testOurSide(t *testing.T, c *chromium) {
	c = &chromium{ctx: c.ctx}
	c.site, c.demo, _ = startDemo(t)
	db, err := sql.Open("sqlite", "file:"+c.demo.Store+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	axe := axeCore(t)
	for _, language := range []string{"ja", "en"} {
		name := "unlucky-" + language
		c.by(t).add(name)
		b := c.somebody(t, setting{language: language})
		b.open(c.demo.Web.Inside)
		b.give("name", name)
		b.on("password")
		rename(t, db, "ticket", "mislaid")
		b.enter(password)
		if text := b.text(); b.status != 503 || !strings.Contains(text, "our-side") || shownReference.MatchString(text) {
			t.Errorf("the store has failed, and the page is %d %s", b.status, b.describe())
		}
		b.inspect(axe, "our-side")
		rename(t, db, "mislaid", "ticket")
		b.back()
		b.give("password", password)
		b.onPortal()
	}
}

func rename(t *testing.T, db *sql.DB, table, to string) {
	t.Helper()
	if _, err := db.Exec("ALTER TABLE " + table + " RENAME TO " + to); err != nil {
		t.Fatal(err)
	}
}
