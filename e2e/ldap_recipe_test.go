package e2e

import (
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// recipe is a page of docs/ldap/ whose blocks are run.
type recipe struct {
	*ldapSite
	page    string
	account string // DN of the application's own account
}

var (
	appAddress  = regexp.MustCompile(`address +=.*`)
	appAccounts = regexp.MustCompile(`accounts += \["(.*)"\]`)
)

// newRecipe is a site with the page's rules and its application, which asks
// from this computer. Its people are kept there.
func newRecipe(t *testing.T, page string) *recipe {
	t.Helper()
	return makeRecipe(t, page, "\n[[ldap.account]]\ndn = \"@ACCOUNT@\"\npassword = \""+servicePassword+"\"\n")
}

// newRecipeBefore is one whose people are in a directory behind.
func newRecipeBefore(t *testing.T, page string, b *behind) *recipe {
	t.Helper()
	r := makeRecipe(t, page, "")
	r.before(b)
	return r
}

// makeRecipe adds something about the application's account.
func makeRecipe(t *testing.T, page, account string) *recipe {
	t.Helper()
	r := &recipe{page: page}
	rule, app := tomlBlocks(t, page)
	r.account = appAccounts.FindStringSubmatch(app)[1]
	app = appAddress.ReplaceAllString(app, `address = ["127.0.0.1"]`)
	r.ldapSite = newLDAPSite(t, app+strings.ReplaceAll(account, "@ACCOUNT@", r.account), rule)
	return r
}

// tomlBlocks are the page's parts for the configuration.
func tomlBlocks(t *testing.T, page string) (rule, app string) {
	t.Helper()
	all := strings.Split(docs(t, page), "\n```toml\n")[1:]
	for _, block := range all {
		block, _, _ = strings.Cut(block, "\n```\n")
		if strings.HasPrefix(block, "[[rule]]") {
			rule += block + "\n"
		} else {
			app += block + "\n"
		}
	}
	return rule, app
}

// block is the page's nth block of a language, with the site's CA and the
// account's password. The pairs replace more.
func (r *recipe) block(language string, n int, pairs ...string) string {
	r.t.Helper()
	text := strings.ReplaceAll(fenced(r.t, "../ldap/"+r.page, language, n), "/etc/ssl/certs/campus-ca.pem", r.ca)
	uid, _, _ := strings.Cut(r.account, ",")
	text = strings.ReplaceAll(text, "the password of "+strings.TrimPrefix(uid, "uid="), servicePassword)
	return replaced(r.t, text, pairs...)
}

// numbers are those of the people who sign in at each door.
var numbers = map[string]string{"starttls": "10001", "ldaps": "10002"}

// posixDevices makes an account that Unix knows for each door, with a code
// device.
func (s *ldapSite) posixDevices() map[string]*device {
	s.t.Helper()
	devices := map[string]*device{}
	for _, d := range s.doors {
		s.feed(password+"\n", "account", "add", d.name, "--display", d.name+" Example", "--mail", d.name+"@example.ac.jp",
			"--group", "staff", "--uid-number", numbers[d.name], "--password-stdin")
		devices[d.name] = s.device(d.name)
	}
	return devices
}

func docs(t *testing.T, page string) string {
	t.Helper()
	return (&site{t: t, dir: "../docs/ldap"}).read(page)
}

// basic asks for a page with HTTP Basic, as a browser does.
func basic(t *testing.T, url, name, typed string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(name, typed)
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// What the pages of docs/ldap/ have for Sekisho is a good configuration before
// a directory that the campus has, and where the accounts are kept here. None
// needs a warning that it does not explain.
func TestLDAPRecipesAreGood(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../docs/ldap/*.md")
	if err != nil || len(pages) != 13 {
		t.Fatalf("pages: %v, %v", pages, err)
	}
	var blocks []string
	for _, block := range strings.Split(docs(t, "README.md"), "\n```toml\n")[1:] {
		block, _, _ = strings.Cut(block, "\n```\n")
		blocks = append(blocks, block+"\n")
	}
	if len(blocks) != 3 {
		t.Fatalf("README.md has %d blocks", len(blocks))
	}
	directory, account, rule := blocks[0], blocks[1], blocks[2]
	_, listeners, _ := strings.Cut(directory, "[[ldap.listener]]")
	for _, path := range pages {
		page := filepath.Base(path)
		rules, app := tomlBlocks(t, page)
		if page == "README.md" {
			rules, app = rule, appOfMail
		}
		t.Run(page, func(t *testing.T) {
			for kind, door := range map[string]string{
				"ldap": directory,
				"local": "[ldap]\nbase = \"dc=example,dc=ac,dc=jp\"\n\n[[ldap.listener]]" + listeners +
					replaced(t, account, "uid=svc-wiki,ou=services,dc=example,dc=ac,dc=jp", appAccounts.FindStringSubmatch(app)[1]),
			} {
				s := newSite(t)
				s.certificate("sekisho.example.ac.jp")
				s.file("directory-ca.pem", s.read("tls.crt"))
				for _, name := range []string{"directory.password", "svc-wiki.password"} {
					s.file(name, servicePassword+"\n")
				}
				outermost := "[[rule]]\nname   = \"outside\"\n"
				s.change(outermost, rules+"\n"+outermost)
				s.change("[metrics]\n", door+"\n"+app+"\n[metrics]\n")
				a := s.command("", "check")
				if a.code != 0 {
					t.Fatalf("%s: %s%s", kind, a.out, a.err)
				}
				for line := range strings.Lines(a.err) {
					if strings.Contains(line, "warning") && !strings.Contains(line, "password.argon2") {
						t.Errorf("%s: %s", kind, line)
					}
				}
			}
		})
	}
}

// appOfMail is what the rule of README.md is for.
const appOfMail = `
[[ldap.app]]
name     = "dovecot"
address  = ["192.0.2.20"]
service  = "mail"
accounts = ["uid=svc-mail,ou=services,dc=example,dc=ac,dc=jp"]
`
