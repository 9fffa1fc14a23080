package e2e

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// surfer is curl with a cookie jar: a browser that runs no script.
type surfer struct {
	t      *testing.T
	jar    string
	by     []string // what runs curl elsewhere; nil: it runs here
	always []string // arguments of each call
}

func newSurfer(t *testing.T) *surfer {
	t.Helper()
	return &surfer{t: t, jar: filepath.Join(t.TempDir(), "jar")}
}

// open asks for a page, follows where it leads, and tells where that was.
func (c *surfer) open(args ...string) (address, page string) {
	c.t.Helper()
	call := slices.Concat(c.by, []string{
		"curl", "--silent", "--show-error", "--location", "--max-redirs", "10", "--header", "Accept: text/html",
		"--cookie", c.jar, "--cookie-jar", c.jar, "--write-out", "\n%{url_effective}",
	}, c.always, args)
	a := execute(c.t, "", call[0], call[1:]...)
	if a.code != 0 {
		c.t.Fatalf("curl %v: exit %d\n%s", args, a.code, a.err)
	}
	at := strings.LastIndexByte(a.out, '\n')
	return a.out[at+1:], a.out[:at]
}

var hiddenField = regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`)

var flowField = regexp.MustCompile(`name="flow" value="([^"]+)"`)

// fill posts the form of the page that was reached, to the same address.
func (c *surfer) fill(address, page, field, value string) (string, string) {
	c.t.Helper()
	action, query, _ := strings.Cut(address, "?")
	args := []string{"--data-urlencode", field + "=" + value, action}
	if flow := flowField.FindStringSubmatch(page); flow != nil {
		args = append(args, "--data-urlencode", "flow="+flow[1])
	} else { // the first page: service and errand are in its address
		for part := range strings.SplitSeq(query, "&") {
			args = append(args, "--data", part)
		}
	}
	return c.open(args...)
}

// post sends the form of the page with nothing filled in.
func (c *surfer) post(address, page, action string) (string, string) {
	c.t.Helper()
	host, _, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	args := []string{"--header", "Origin: https://" + host, "https://" + host + action}
	for _, field := range hiddenField.FindAllStringSubmatch(page, -1) {
		args = append(args, "--data-urlencode", field[1]+"="+field[2])
	}
	return c.open(args...)
}

func (c *surfer) want(address, page, where, what string) {
	c.t.Helper()
	if !strings.HasPrefix(address, where) || !strings.Contains(page, what) {
		c.t.Fatalf("at %s, want %s with %q\n%s", address, where, what, page)
	}
}

// What the README promises of the browser, by a program without a screen.
func TestCurlThroughTheDemo(t *testing.T) {
	t.Parallel()
	need(t, "curl", "oathtool")
	s, d, _ := startDemo(t)
	mail, wiki := d.Web.Services[0], d.Web.Services[1]
	phone := &device{t: t, Secret: d.Users["alice"].Secret}

	c := newSurfer(t)
	address, page := c.open(mail)
	c.want(address, page, d.Web.Outside+"/login", "outside the campus network")
	address, page = c.fill(address, page, "name", "alice")
	address, page = c.fill(address, page, "password", d.Users["alice"].Password)
	c.want(address, page, d.Web.Outside+"/login/code", "one-time-code")
	code := phone.code()
	address, page = c.fill(address, page, "code", code)
	c.want(address, page, mail, "alice")

	address, page = c.open(wiki) // the second one does not ask
	c.want(address, page, wiki, "alice")

	thief := newSurfer(t)
	address, page = thief.open(wiki)
	address, page = thief.fill(address, page, "name", "alice")
	address, page = thief.fill(address, page, "password", d.Users["alice"].Password)
	address, page = thief.fill(address, page, "code", code)
	thief.want(address, page, d.Web.Outside+"/login", "already used")

	address, page = c.open("--data", "", d.Web.Outside+"/logout")
	c.want(address, page, d.Web.Outside, "signed out")
	address, page = c.open(wiki)
	c.want(address, page, d.Web.Outside+"/login", "outside the campus network")

	for _, reason := range []string{"admitted", "ticket_reused", "code_used", "signed_out"} {
		if len(s.book("--user", "alice", "--reason", reason)) == 0 {
			t.Errorf("%s is not in the book", reason)
		}
	}
}
