package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The recipes of docs/web/, with names, ports and paths replaced.

func TestNginx(t *testing.T) {
	t.Parallel()
	need(t, "nginx", "oathtool")
	testForward(t, func(w *webSite) *exec.Cmd {
		service := replaced(t, fenced(t, "nginx.md", "nginx", 1),
			"listen 443 ssl", "listen "+w.proxy+" ssl",
			"/etc/nginx", w.dir,
			"127.0.0.1:8080", w.asked,
			"127.0.0.1:8000", w.backend.address,
		)
		conf := w.nginxConf(replaced(t, fenced(t, "nginx.md", "nginx", 0), "listen 443 ssl", "listen "+w.proxy+" ssl") +
			service + replaced(t, service, "webmail", "wiki", w.backend.address, w.wiki.address))
		return exec.Command("nginx", "-e", "stderr", "-p", w.dir, "-c", conf)
	})
}

// nginxConf writes a configuration with what stands in http { }.
func (s *site) nginxConf(text string) string {
	s.t.Helper()
	for _, kind := range []string{"body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		if err := os.Mkdir(filepath.Join(s.dir, kind), 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	return s.file("nginx.conf", `
daemon off;
`+asRoot(`user root;`)+`
pid nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path       proxy;
	fastcgi_temp_path     fastcgi;
	uwsgi_temp_path       uwsgi;
	scgi_temp_path        scgi;
`+text+"}\n")
}

func asRoot(line string) string {
	if os.Getuid() == 0 {
		return line
	}
	return ""
}

func TestCaddy(t *testing.T) {
	t.Parallel()
	need(t, "caddy", "oathtool")
	testForward(t, func(w *webSite) *exec.Cmd {
		service := replaced(t, fenced(t, "caddy.md", "caddyfile", 0),
			"webmail.example.ac.jp {", "webmail.example.ac.jp {\n\tbind 127.0.0.1\n\ttls "+filepath.Join(w.dir, "tls.crt")+" "+filepath.Join(w.dir, "tls.key"),
			"127.0.0.1:8080", w.asked,
			"127.0.0.1:8000", w.backend.address,
		)
		_, port, _ := strings.Cut(w.proxy, ":")
		conf := w.file("Caddyfile", `{
	admin off
	https_port `+port+`
	auto_https disable_redirects
	servers {
		protocols h1 h2
	}
}
`+service+replaced(t, service, "webmail", "wiki", w.backend.address, w.wiki.address))
		cmd := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", conf)
		cmd.Env = append(os.Environ(), "HOME="+w.dir, "XDG_DATA_HOME="+w.dir, "XDG_CONFIG_HOME="+w.dir)
		return cmd
	})
}

func TestHAProxy(t *testing.T) {
	t.Parallel()
	need(t, "haproxy", "oathtool")
	testForward(t, func(w *webSite) *exec.Cmd {
		w.file("sekisho.lua", replaced(t, fenced(t, "haproxy.md", "lua", 0), "127.0.0.1:8080", w.asked))
		conf := replaced(t, fenced(t, "haproxy.md", "haproxy", 0),
			"bind :443", "bind "+w.proxy,
			"/etc/haproxy", w.dir,
			"127.0.0.1:8080", w.asked,
			"127.0.0.1:8000", w.backend.address,
		)
		front, back, _ := strings.Cut(conf, "\nbackend sekisho\n")
		for line := range strings.Lines(front) {
			if strings.Contains(line, "webmail") {
				front = strings.Replace(front, line, line+strings.ReplaceAll(line, "webmail", "wiki"), 1)
			}
		}
		_, last, _ := strings.Cut(back, "backend webmail\n")
		conf = front + "\nbackend sekisho\n" + back + "\nbackend wiki\n" + replaced(t, last, "webmail", "wiki", w.backend.address, w.wiki.address)
		return exec.Command("haproxy", "-db", "-f", w.file("haproxy.cfg", conf))
	})
}

// testForward has a person use two services behind a proxy.
func testForward(t *testing.T, proxy func(*webSite) *exec.Cmd) {
	w := newWebSite(t)
	alice := w.enrol("alice")
	w.add("bob", "carol")
	w.change("[[rule]]\nname   = \"inside\"", "[[rule]]\nname = \"not carol\"\nservice = [\"webmail\"]\nuser = [\"carol\"]\ndeny = true\n\n[[rule]]\nname   = \"inside\"")
	server := w.serve()
	p := launch(t, proxy(w))
	t.Cleanup(func() {
		p.stop() // each ends in its own way
		if t.Failed() {
			t.Logf("the proxy's log:\n%s%s", &p.out, &p.log)
		}
	})
	eventually(t, "the proxy listens", func() bool {
		if p.ended() {
			t.Fatalf("the proxy ended: %v\n%s%s", p.err, &p.out, &p.log)
		}
		c, err := w.browser(outside).Get("https://" + mailHost + "/.sekisho/")
		if err == nil {
			c.Body.Close()
		}
		return err == nil
	})
	const inbox = "https://" + mailHost + "/inbox?folder=a%20b&x=%2Fy"
	home := w.browser(outside)

	t.Run("a person signs in and comes back to the page", func(t *testing.T) {
		home.t = t
		a := home.signIn(home.open(inbox), "alice", alice.code()).arrived(t)
		if a.Host != mailHost || a.URI != "/inbox?folder=a%20b&x=%2Fy" || a.Method != http.MethodGet {
			t.Errorf("arrived as %+v", a)
		}
		wantRemote(t, a, "alice", "password,otp")
	})
	t.Run("the second service does not ask", func(t *testing.T) {
		home.t = t
		a := home.open("https://" + wikiHost + "/start").arrived(t)
		if a.Host != wikiHost || a.URI != "/start" {
			t.Errorf("arrived as %+v", a)
		}
		wantRemote(t, a, "alice", "password,otp")
	})
	t.Run("what the client says of itself does not arrive", func(t *testing.T) {
		home.t = t
		a := home.open(inbox, "Remote-User", "admin", "Remote_User", "admin", "remote-groups", "admin", "REMOTE_GROUPS", "admin",
			"Remote-Factors", "admin", "Remote_Email", "admin").arrived(t)
		wantRemote(t, a, "alice", "password,otp")
		for name, lines := range a.Header {
			if strings.Contains(strings.Join(lines, " "), "admin") {
				t.Errorf("%s: %q arrived", name, lines)
			}
		}
	})
	t.Run("our cookies do not arrive, others do", func(t *testing.T) {
		home.t = t
		for _, own := range []string{"theme=dark", "theme=dark; lang=ja"} {
			// The browser's jar puts ours behind these.
			got := home.open(inbox, "Cookie", own).arrived(t).Header.Get("Cookie")
			if got != own {
				t.Errorf("of %q arrived %q", own, got)
			}
		}
		secret := home.cookie(t, mailHost, "__Host-sekisho-service")
		for sent, want := range map[string]string{
			secret: "", secret + "; theme=dark": "theme=dark",
			"__Host-sekisho-nonce=abc; " + secret:                       "",
			"__Host-sekisho-nonce=abc; theme=dark; " + secret + "; b=c": "theme=dark; b=c",
		} {
			plain := w.browser(outside)
			plain.t = t
			if got := plain.open(inbox, "Cookie", sent).arrived(t).Header.Get("Cookie"); got != want {
				t.Errorf("of %q arrived %q", sent, got)
			}
		}
	})
	t.Run("a secret of one service opens no other", func(t *testing.T) {
		thief := w.browser(outside)
		thief.t = t
		if p := thief.open("https://"+wikiHost+"/", "Cookie", home.cookie(t, mailHost, "__Host-sekisho-service")); p.url.Host != ssoHost {
			t.Errorf("arrived at %v:\n%s", p.url, p.body)
		}
	})
	t.Run("an inside person needs no code", func(t *testing.T) {
		desk := w.browser(inside)
		desk.t = t
		a := desk.signIn(desk.open(inbox), "bob", "").arrived(t)
		wantRemote(t, a, "bob", "password")
		// The same cookies outside: more is asked for, nothing is open.
		cookie := desk.cookie(t, mailHost, "__Host-sekisho-service")
		away := w.browser(outside)
		away.t = t
		if p := away.open(inbox, "Cookie", cookie); p.url.Host != ssoHost {
			t.Errorf("arrived at %v:\n%s", p.url, p.body)
		}
		// What the client writes into X-Forwarded-For does not bring it inside.
		if p := away.open(inbox, "Cookie", cookie, "X-Forwarded-For", inside); p.url.Host != ssoHost {
			t.Errorf("arrived at %v:\n%s", p.url, p.body)
		}
	})
	t.Run("scripts and forms are told, not redirected", func(t *testing.T) {
		for _, ask := range []func(*browser) page{
			func(b *browser) page { return b.send(http.MethodPost, inbox, nil) },
			func(b *browser) page { return b.open(inbox, "Sec-Fetch-Mode", "cors") },
			func(b *browser) page { return b.open(inbox, "Sec-Fetch-Mode", "cors", "X-Original-Method", "GET") },
		} {
			stranger := w.browser(outside)
			stranger.t = t
			p := ask(stranger)
			var told struct{ Error, Location string }
			err := json.Unmarshal([]byte(p.body), &told)
			if err != nil || p.status != http.StatusUnauthorized || told.Error != "sign_in_needed" || told.Location != "https://"+mailHost+"/.sekisho/go" {
				t.Errorf("%d %v %+v\n%s", p.status, err, told, p.body)
			}
			if p := stranger.open(told.Location); p.url.Host != ssoHost {
				t.Errorf("%s leads to %v", told.Location, p.url)
			}
		}
	})
	t.Run("headers of the proxies' own from a client change nothing", func(t *testing.T) {
		home.t = t
		a := home.open(inbox, "X-Original-URL", "https://"+wikiHost+"/", "X-Original-Method", "POST", "X-Forwarded-Host", wikiHost,
			"X-Forwarded-Uri", "/public", "X-Forwarded-Proto", "http", "X-Forwarded-Method", "POST").arrived(t)
		wantRemote(t, a, "alice", "password,otp")
	})
	t.Run("a path that leads out of /.sekisho/ does not pass unasked", func(t *testing.T) {
		stranger := w.browser(outside)
		stranger.t = t
		for _, path := range []string{"/.sekisho/../inbox", "/.sekisho/%2e%2e/inbox", "/.sekisho/..%2finbox", "/.sekisho//../inbox", "/.sekisho-verify"} {
			if p := stranger.open("https://" + mailHost + path); strings.Contains(p.body, `"Header"`) || p.status == http.StatusOK && p.url.Host != ssoHost {
				t.Errorf("%s: %d at %v\n%s", path, p.status, p.url, p.body)
			}
		}
	})
	t.Run("signed out of one service, the other stays", func(t *testing.T) {
		home.t = t
		cookie := home.cookie(t, wikiHost, "__Host-sekisho-service")
		if p := home.open("https://" + wikiHost + "/.sekisho/out"); p.status != http.StatusOK || !strings.Contains(p.body, "signed-out-here") {
			t.Errorf("%d\n%s", p.status, p.body)
		}
		stale := w.browser(outside)
		stale.t = t
		if p := stale.open("https://"+wikiHost+"/", "Cookie", cookie); p.url.Host != ssoHost {
			t.Errorf("the old cookie still opens %v", p.url)
		}
		home.open(inbox).arrived(t)
		home.open("https://" + wikiHost + "/").arrived(t) // and comes again without a question
	})
	t.Run("signed out of all, all is closed", func(t *testing.T) {
		home.t = t
		cookie := home.cookie(t, mailHost, "__Host-sekisho-service")
		home.fill(home.open("https://"+ssoHost+"/logout"), "", "")
		for _, host := range []string{mailHost, wikiHost} {
			if p := home.open("https://" + host + "/"); p.url.Host != ssoHost || p.url.Path != "/login" {
				t.Errorf("%s is still open: %d at %v", host, p.status, p.url)
			}
		}
		if p := home.open(inbox, "Cookie", cookie); p.url.Host != ssoHost {
			t.Errorf("the old cookie still opens %v", p.url)
		}
	})
	testForwardAttacks(t, w)
	t.Run("without sekisho nothing is open", func(t *testing.T) {
		desk := w.browser(inside)
		desk.t = t
		desk.signIn(desk.open(inbox), "bob", "").arrived(t)
		if err := server.stop(); err != nil {
			t.Fatal(err)
		}
		for _, b := range []*browser{desk, w.browser(outside)} {
			b.t = t
			if p := b.open(inbox); p.status != http.StatusServiceUnavailable || strings.Contains(p.body, `"Header"`) {
				t.Errorf("%d\n%s", p.status, p.body)
			}
		}
	})
	// A recipe that left the client's headers in would have them booked. The
	// one that is had an X-Forwarded-For with it at the sign-in page.
	events := w.book("--outcome", "refused")
	events = slices.DeleteFunc(events, func(e event) bool { return e.User == "carol" })
	if len(events) != 1 || events[0].Reason != "forwarded_untrusted" {
		t.Errorf("booked as refused: %+v", events)
	}
}

// wantRemote wants the service told who this is. What is not known is empty,
// or not there.
func wantRemote(t *testing.T, a arrived, user, factors string) {
	t.Helper()
	for name, want := range map[string]string{
		"Remote-User": user, "Remote-Factors": factors, "Remote-Groups": "", "Remote-Email": "",
	} {
		if got := strings.Join(a.Header[name], "|"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name := range a.Header {
		if strings.Contains(name, "_") && strings.HasPrefix(strings.ToLower(name), "remote") {
			t.Errorf("%s arrived", name)
		}
	}
}
