package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// chromium is a real browser, with the example campus to look at.
type chromium struct {
	site *site
	demo demo
	ctx  context.Context // of the browser's process
}

func newChromium(t *testing.T) *chromium {
	t.Helper()
	need(t, "chromium", "oathtool")
	path, _ := exec.LookPath("chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.UserDataDir(profile(t)),
		chromedp.Flag("disable-features", strings.Join([]string{
			"Translate",
			"BackForwardCache", // a page that one goes back to is asked for again
			// What nobody sees here costs more than the pages: each window loads
			// two pages for its address field, and each site a process in advance.
			"WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess",
		}, ",")),
		// Nothing but this machine exists.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.localhost"),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("end the browser: %v", err)
		}
	})
	if err := errors.Join(os.RemoveAll(pictures), os.Mkdir(pictures, 0o755)); err != nil {
		t.Fatal(err)
	}
	c := &chromium{ctx: ctx}
	c.site, c.demo, _ = startDemo(t)
	return c
}

// by is the campus as a test uses it that runs beside others.
func (c *chromium) by(t *testing.T) *site {
	s := *c.site
	s.t = t
	return &s
}

// profile is a folder for the browser. Its processes may still write there
// when the first of them has ended.
func profile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		eventually(t, "the browser's folder is removed", func() bool { return os.RemoveAll(dir) == nil })
	})
	return dir
}

// setting is how somebody looks at the pages.
type setting struct {
	language string
	phone    bool
	noScript bool
}

func (s setting) String() string {
	name := s.language + " " + s.screen()
	if s.noScript {
		name += " without script"
	}
	return name
}

func (s setting) screen() string {
	if s.phone {
		return "phone"
	}
	return "desktop"
}

// somebody opens a browser that knows nothing yet.
func (c *chromium) somebody(t *testing.T, s setting) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	return c.tab(t, ctx, s)
}
