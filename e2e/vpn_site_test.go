package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// vpnCampus is what stands around the blocks of docs/vpn/ and docs/web/.
const vpnCampus = `
[site]
name      = "Test campus"
languages = ["en", "ja"]

[store]
url  = "sqlite:state/sekisho.db"
keys = "keys"

[zone.campus]
prefixes = ["192.0.2.0/24"]

[[rule]]
name = "inside"
zone = ["campus", "vpn"]
need = ["password"]

[[rule]]
name   = "outside"
need   = ["password+otp"]
ticket = "10h"
idle   = "1h"

[radius]
auth         = ["192.0.2.10:1812", "192.0.2.11:1812"]
acct         = ["192.0.2.10:1813", "192.0.2.11:1813"]
reject_delay = "200ms"

[password.argon2]
memory = "1MiB"
time   = 1
`

// vpnSite is a campus with Sekisho, web mail behind nginx, and a VPN box.
type vpnSite struct {
	*site
	hosts
	alice *device
}

// newVPNSite takes the configuration's part from a page of docs/vpn/. The
// pairs replace text in it.
func newVPNSite(t *testing.T, page string, pairs ...string) *vpnSite {
	t.Helper()
	need(t, "oathtool", "nginx", "curl")
	s := &vpnSite{site: newSite(t), hosts: newHosts(t)}
	s.certificate(ssoHost, mailHost, boxOutside)
	s.file("vpn1.secret", "not-for-anybody-else\n")
	s.write(replaced(t, fenced(t, "../vpn/"+page, "toml", 0), pairs...) + vpnCampus +
		replaced(t, fenced(t, "README.md", "toml", 0), "https://0.0.0.0:443", "https://192.0.2.10:443") +
		"\n[metrics]\nlisten = \"127.0.0.1:9180\"\n")
	s.alice = s.enrol("alice")
	return s
}

// serve runs Sekisho on the campus.
func (s *vpnSite) serve() *process {
	s.t.Helper()
	return s.serveBy(s.campus.command(program(s.t), "serve", "-c", s.config))
}

// mail runs nginx with the web mail, on the campus' other address.
func (s *vpnSite) mail() {
	s.t.Helper()
	listen := []string{"listen 443 ssl", "listen 192.0.2.11:443 ssl"}
	conf := s.nginxConf(`
	server {
		listen 127.0.0.1:8000;
		default_type text/plain;
		return 200 "the mail of $http_remote_user";
	}
` +
		replaced(s.t, fenced(s.t, "nginx.md", "nginx", 0), listen...) +
		replaced(s.t, fenced(s.t, "nginx.md", "nginx", 1), append(listen, "/etc/nginx", s.dir)...))
	p := launch(s.t, s.campus.command("nginx", "-e", "stderr", "-p", s.dir, "-c", conf))
	s.t.Cleanup(func() { p.stop() })
	eventually(s.t, "nginx listens", func() bool {
		if p.ended() {
			s.t.Fatalf("nginx ended: %v\n%s", p.err, &p.log)
		}
		return strings.Contains(s.campus.run("ss", "-Htln"), "192.0.2.11:443")
	})
}

// surfer is a browser at home that reaches the campus through the tunnel.
func (s *vpnSite) surfer() *surfer {
	c := newSurfer(s.t)
	c.by = []string{"ip", "netns", "exec", s.home.name}
	c.always = []string{"--cacert", filepath.Join(s.dir, "tls.crt"), "--max-time", "15",
		"--resolve", ssoHost + ":443:" + campusAddr, "--resolve", mailHost + ":443:" + secondAddr}
	return c
}

// ocserv runs the VPN box by docs/vpn/ocserv.md.
func (s *vpnSite) ocserv() *process {
	s.t.Helper()
	need(s.t, "ocserv", "openconnect")
	const page = "../vpn/ocserv.md"
	etc := []string{"/etc/ocserv", s.dir}
	s.file("radius.conf", replaced(s.t, fenced(s.t, page, "radcli", 0), etc...))
	s.file("radius.servers", replaced(s.t, fenced(s.t, page, "radcli", 1), "the-secret", "not-for-anybody-else"))
	conf := s.file("ocserv.conf", replaced(s.t, fenced(s.t, page, "ocserv", 0), append(etc, "stats-report-time = 60", "stats-report-time = 1")...)+`
listen-host = 203.0.113.1
tcp-port = 443
run-as-user = root
run-as-group = root
socket-file = `+s.dir+`/ocserv.socket
pid-file = `+s.dir+`/ocserv.pid
server-cert = `+s.dir+`/tls.crt
server-key = `+s.dir+`/tls.key
isolate-workers = false
max-same-clients = 0
keepalive = 32400
dpd = 90
tls-priorities = "NORMAL"
auth-timeout = 60
device = box
cisco-client-compat = true
ipv4-network = 198.51.100.0
ipv4-netmask = 255.255.255.0
ping-leases = false
mtu = 1400
route = 192.0.2.0/255.255.255.0
`)
	p := launch(s.t, s.box.command("ocserv", "--foreground", "--debug", "2", "--config", conf))
	s.t.Cleanup(func() {
		p.stop()
		if s.t.Failed() {
			s.t.Logf("ocserv's log:\n%s%s", &p.out, &p.log)
		}
	})
	eventually(s.t, "ocserv listens", func() bool {
		if p.ended() {
			s.t.Fatalf("ocserv ended: %v\n%s%s", p.err, &p.out, &p.log)
		}
		return strings.Contains(s.box.run("ss", "-Htln"), boxOutside+":443")
	})
	return p
}

// openconnect is somebody at home who connects. What they type is lines for
// the forms that ask.
func (s *vpnSite) openconnect(name, typed string) *connection {
	s.t.Helper()
	script := s.file("tunnel.sh", `#!/bin/sh -e
[ "$reason" = connect ] || exit 0
ip link set dev "$TUNDEV" up mtu 1300
ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
ip route add 192.0.2.0/24 dev "$TUNDEV" src "$INTERNAL_IP4_ADDRESS"
echo "$INTERNAL_IP4_ADDRESS is routed"
`)
	if err := os.Chmod(script, 0o755); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.home.command("openconnect", "--protocol=anyconnect", "--user="+name, "--no-dtls",
		"--cafile="+filepath.Join(s.dir, "tls.crt"), "--script="+script, "--interface=sekisho"+fmt.Sprint(ids.Add(1)), "https://"+boxOutside)
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	t := &connection{process: launch(s.t, cmd), in: in}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("openconnect says:\n%s", t.said())
		}
	})
	io.Copy(in, bytes.NewBufferString(typed))
	return t
}

// connection is a tunnel that somebody made, or tries to make.
type connection struct {
	*process
	in io.WriteCloser
}

// up waits until the tunnel stands, and returns its address. openconnect says
// that it is configured before its script has set the route: whoever opens a
// page by then goes past the tunnel.
func (t *connection) up() string {
	t.t.Helper()
	var addr string
	eventually(t.t, "the tunnel stands", func() bool {
		if t.ended() {
			t.t.Fatalf("openconnect ended: %v\n%s%s", t.err, &t.out, &t.log)
		}
		m := routed.FindStringSubmatch(t.said())
		if m == nil {
			return false
		}
		addr = m[1]
		return strings.Contains(t.said(), "SSL connected")
	})
	return addr
}

func (t *connection) said() string { return t.out.String() + t.log.String() }

// down ends the tunnel like somebody who disconnects.
func (t *connection) down() {
	t.t.Helper()
	t.signal(os.Interrupt)
	t.in.Close()
	<-t.done
}

var routed = regexp.MustCompile(`([\d.]+) is routed\n`)

var passwordField = regexp.MustCompile(`(?m)^Password\d?:`)

// asks counts the forms for a password that were shown.
func (t *connection) asks() int {
	return len(passwordField.FindAllString(t.said(), -1))
}

func (t *connection) types(line string) {
	t.t.Helper()
	if _, err := io.WriteString(t.in, line+"\n"); err != nil {
		t.t.Fatal(err)
	}
}
