package e2e

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// tab is one that somebody has open.
type tab struct {
	t       *testing.T
	c       *chromium
	ctx     context.Context
	setting setting
	status  int // of the page

	mu         sync.Mutex
	hosts      map[string]bool // that were asked for anything
	complaints []string        // of the browser, about the pages
	weight     float64         // octets that came for the page
}

// another is a second tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	return b.c.tab(b.t, ctx, b.setting)
}

func (c *chromium) tab(t *testing.T, ctx context.Context, s setting) *tab {
	t.Helper()
	b := &tab{t: t, c: c, ctx: ctx, setting: s, hosts: make(map[string]bool)}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.wantPeace)
	b.size(s.phone)
	call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": s.language}})
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: s.noScript})
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return b
}

// note hears what the browser tells of this tab.
func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeDocument {
			b.weight = 0
		}
		if to, err := url.Parse(e.Request.URL); err == nil && to.Host != "" {
			b.hosts[to.Host] = true
		}
	case *network.EventLoadingFinished:
		b.weight += e.EncodedDataLength
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // which tells of each refusal's status
			b.complaints = append(b.complaints, e.Entry.Text)
		}
	}
}

// weighs is how many octets came for the page and what belongs to it.
func (b *tab) weighs() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.weight
}

// wantPeace wants that the browser found nothing wrong with the pages, and
// that they sent it to nobody else.
func (b *tab) wantPeace() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.complaints {
		b.t.Errorf("the browser says: %s", text)
	}
	ours := strings.Join(append(b.c.demo.Web.Services, b.c.demo.Web.Inside+"/", b.c.demo.Web.Outside+"/"), " ")
	for host := range b.hosts {
		if !strings.Contains(ours, "http://"+host+"/") {
			b.t.Errorf("%s was asked for something", host)
		}
	}
}

// call sends a command of the browser's protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// ask evaluates an expression on the page.
func ask[T any](b *tab, expression string, options ...chromedp.EvaluateOption) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// do does what makes the browser show another page.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.RunResponse(ctx, steps...)
	if err != nil || r == nil {
		b.t.Fatalf("no page after %s: %v", b.describe(), err)
	}
	b.status = int(r.Status)
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

func (b *tab) back() {
	b.t.Helper()
	b.do(chromedp.NavigateBack())
}

func (b *tab) click(selector string) {
	b.t.Helper()
	if !b.has(selector) {
		b.t.Fatalf("no %s on %s", selector, b.describe())
	}
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// enter types into the field that has the focus, and presses Enter.
func (b *tab) enter(text string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(text + "\r"))
}

func (b *tab) has(selector string) bool {
	b.t.Helper()
	return ask[bool](b, "document.querySelector(`"+selector+"`) !== null")
}

// text is what a person reads on the page.
func (b *tab) text() string {
	b.t.Helper()
	return ask[string](b, "document.body.innerText")
}

func (b *tab) url() *url.URL {
	b.t.Helper()
	u, err := url.Parse(ask[string](b, "location.href"))
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

func (b *tab) describe() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	p, err := chromedp.Run(ctx, chromedp.Evaluate[struct{ URL, Title, Text string }](
		"({URL: location.href, Title: document.title, Text: document.body.innerText})"))
	if err != nil {
		return err.Error()
	}
	return p.URL + " (" + p.Title + ")\n" + p.Text + "\n"
}

// size makes the window that of a phone or of a desk.
func (b *tab) size(phone bool) {
	b.t.Helper()
	window := chromedp.EmulateViewport(1280, 900)
	if phone {
		window = chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	if err := chromedp.Do(b.ctx, window); err != nil {
		b.t.Fatal(err)
	}
}

// scheme makes the system of the person a light or a dark one.
func (b *tab) scheme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
}

// cookies are all that the browser keeps of our hosts.
func (b *tab) cookies() []*network.Cookie {
	b.t.Helper()
	hosts := append([]string{b.c.demo.Web.Outside}, b.c.demo.Web.Services...)
	return call(b, network.GetCookies, network.GetCookiesParams{URLs: hosts}).Cookies
}

// picture keeps a picture of the page for somebody to look at.
func (b *tab) picture(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pictures, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
