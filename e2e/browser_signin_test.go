package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestBrowser is one browser and one campus; each of its tests has people and
// cookies of its own.
func TestBrowser(t *testing.T) {
	t.Parallel()
	c := newChromium(t)
	for _, language := range []string{"ja", "en"} {
		for _, phone := range []bool{true, false} {
			for _, noScript := range []bool{false, true} {
				s := setting{language, phone, noScript}
				t.Run("signs in in "+s.String(), func(t *testing.T) { t.Parallel(); testWholeSignIn(t, c, s) })
			}
		}
	}
	for _, one := range []struct {
		name string
		test func(*testing.T, *chromium)
	}{
		{"goes outside and is asked for the code alone", testStepUp},
		{"has two tabs", testTwoTabs},
		{"goes back", testBack},
		{"comes with a page of another browser", testOtherBrowser},
		{"is wrong three times", testWrongThrice},
		{"finds the store broken", testOurSide},
		{"changes the language on the way", testLanguage},
		{"signs out", testSignOut},
		{"ends a sign-in elsewhere", testEndSession},
		{"keeps cookies that no script reads", testCookies},
	} {
		t.Run(one.name, func(t *testing.T) { t.Parallel(); one.test(t, c) })
	}
	for _, language := range []string{"ja", "en"} {
		t.Run("looks at every page in "+language, func(t *testing.T) { t.Parallel(); testLooks(t, c, language) })
	}
}

// newcomer is a person with a code device, of a test's own: a code is good
// once.
func (c *chromium) newcomer(t *testing.T, name string) person {
	t.Helper()
	return person{name, c.by(t).enrol(name)}
}

type person struct {
	name   string
	device *device
}

// on wants to be on a page that asks for something, ready to type.
func (b *tab) on(field string) {
	b.t.Helper()
	if path := b.url().Path; !b.has("#"+field) || !strings.HasPrefix(path, "/login") || b.status != 200 && b.status != 422 {
		b.t.Fatalf("want the page that asks for the %s, have %d %s", field, b.status, b.describe())
	}
	eventually(b.t, "the focus is in the field of the "+field, func() bool { return ask[string](b, "document.activeElement.id") == field })
	b.wantLanguage()
}

func (b *tab) wantLanguage() {
	b.t.Helper()
	if is := ask[string](b, "document.documentElement.lang"); is != b.setting.language {
		b.t.Errorf("in %q, want %q: %s", is, b.setting.language, b.describe())
	}
}

// give enters what the page asks for.
func (b *tab) give(field, text string) {
	b.t.Helper()
	b.on(field)
	b.enter(text)
}

// in wants to be in a service.
func (b *tab) in(service, name, factors string) {
	b.t.Helper()
	if !strings.HasPrefix(ask[string](b, "location.href"), service) || !strings.Contains(b.text(), "Signed in as "+name+" with "+factors+".") {
		b.t.Fatalf("want to be in %s as %s with %s, have %d %s", service, name, factors, b.status, b.describe())
	}
}

// onPortal wants to be on the portal.
func (b *tab) onPortal() {
	b.t.Helper()
	if b.url().Path != "/" || b.status != 200 || !b.has(`form[action="/logout"]`) {
		b.t.Fatalf("want the portal, have %d %s", b.status, b.describe())
	}
	b.wantLanguage()
}

func testWholeSignIn(t *testing.T, c *chromium, s setting) {
	mail, wiki := c.demo.Web.Services[0], c.demo.Web.Services[1]
	p := c.newcomer(t, fmt.Sprintf("%s-%s-%v", s.language, s.screen(), s.noScript))

	inside := c.somebody(t, s)
	inside.open(c.demo.Web.Inside)
	inside.give("name", p.name)
	inside.give("password", password)
	inside.onPortal()

	outside := c.somebody(t, s)
	outside.open(mail + "inbox?folder=1")
	outside.give("name", p.name)
	outside.give("password", password)
	code := p.device.code()
	if s.language == "ja" { // from a Japanese keyboard
		code = wide.Replace(code[:3] + " " + code[3:])
	}
	outside.give("code", code)
	outside.in(mail+"inbox?folder=1", p.name, "password,otp")
	outside.click(`a[href^="` + wiki + `"]`)
	outside.in(wiki, p.name, "password,otp")
	outside.open(c.demo.Web.Outside)
	outside.onPortal()
}

var wide = strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９", " ", "　")
