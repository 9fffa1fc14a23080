package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openvpnByLDAP runs a VPN box by openvpn-ldap.md, with these changes.
func (r *recipe) openvpnByLDAP(h host, at door, pairs ...string) *process {
	r.t.Helper()
	tls := "no"
	if at.name == "starttls" {
		tls = "yes"
	}
	ask := r.file("auth-ldap.conf", r.block("auth-ldap", 0, "ldaps://sekisho.example.ac.jp", at.outside, "TLSEnable no", "TLSEnable "+tls))
	conf := r.file("server.conf", r.block("openvpn-ldap", 0, append(pairs, "/etc/openvpn/auth-ldap.conf", ask)...)+`
local 203.0.113.1
proto udp
dev box
dev-type tun
topology subnet
server 198.51.100.0 255.255.255.0
ca `+r.dir+`/tls.crt
cert `+r.dir+`/tls.crt
key `+r.dir+`/tls.key
dh none
tmp-dir `+r.dir+`
keepalive 10 60
`)
	p := launch(r.t, h.command("openvpn", "--config", conf))
	t := r.t
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("the server of OpenVPN says:\n%s%s", &p.out, &p.log)
		}
	})
	eventually(r.t, "OpenVPN listens", func() bool {
		if p.ended() {
			r.t.Fatalf("openvpn ended: %v\n%s%s", p.err, &p.out, &p.log)
		}
		return strings.Contains(p.out.String(), "Initialization Sequence Completed")
	})
	return p
}

// client is somebody at home who connects.
func (r *recipe) client(h hosts, name, typed string) *connection {
	r.t.Helper()
	pass := r.file("typed", name+"\n"+typed+"\n")
	if err := os.Chmod(pass, 0o600); err != nil {
		r.t.Fatal(err)
	}
	p := launch(r.t, h.home.command("openvpn", "--client", "--remote", boxOutside, "1194", "udp",
		"--dev", "mine", "--dev-type", "tun", "--ca", filepath.Join(r.dir, "tls.crt"),
		"--auth-user-pass", pass, "--reneg-sec", "0", "--explicit-exit-notify", "1"))
	t := r.t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the client of OpenVPN says:\n%s%s", &p.out, &p.log)
		}
	})
	return &connection{process: p}
}

// With a token of the server's own, new keys need no new code.
func TestLDAPOpenVPNAsksForACodeOnce(t *testing.T) {
	t.Parallel()
	need(t, "openvpn", "oathtool")
	needFile(t, "/usr/lib/openvpn/openvpn-auth-ldap.so")
	for n, name := range []string{"starttls", "ldaps"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecipe(t, "openvpn-ldap.md")
			alice := r.enrol("alice")
			h := newHosts(t)
			r.serveBy(h.box.command(program(t), "serve", "-c", r.config))
			// OpenVPN takes no shorter time for the token.
			server := r.openvpnByLDAP(h.box, r.doors[n], "reneg-sec 3600", "reneg-sec 5", "auth-gen-token 36000", "auth-gen-token 36000 120")

			bare := r.client(h, "alice", password)
			eventually(t, "it is refused", func() bool { return bare.ended() && strings.Contains(bare.out.String(), "AUTH_FAILED") })
			typed := password + alice.code()
			vpn := r.client(h, "alice", typed)
			eventually(t, "the tunnel stands", func() bool { return vpn.completed() })
			handshakes := func() int { return strings.Count(server.out.String(), "peer info: IV_VER") }
			before := handshakes()
			eventually(t, "the keys are renewed twice", func() bool { return vpn.completed() && handshakes() >= before+2 })
			if e := r.book("--user", "alice", "--outcome", "admitted"); len(e) != 1 {
				t.Errorf("the book has %+v, want one sign-in", e)
			}
			if err := vpn.stop(); err != nil {
				t.Error(err)
			}
			late := r.client(h, "alice", typed)
			eventually(t, "the code opens nothing any more", func() bool { return late.ended() && strings.Contains(late.out.String(), "AUTH_FAILED") })
		})
	}
}
