package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// OpenVPN makes new keys, and the same code is judged again and again: as long
// as the connection is up it counts, and not a second longer.
func TestOpenVPNRenewsItsKeys(t *testing.T) {
	t.Parallel()
	need(t, "openvpn")
	s := newVPNSite(t, "openvpn.md", "openvpn1.secret", "vpn1.secret")
	s.serve()
	s.openvpnServer("reneg-sec 3600", "reneg-sec 5")
	code := s.alice.code()
	vpn := s.openvpn("alice", password+code)
	eventually(t, "the tunnel stands", func() bool { return vpn.completed() })
	list := s.sessions()
	if len(list) != 1 || list[0].User != "alice" || list[0].Ticket == "" || len(list[0].Address) != 1 {
		t.Fatalf("sessions: %+v", list)
	}
	eventually(t, "the keys are renewed twice", func() bool {
		if vpn.ended() {
			t.Fatalf("the tunnel ended:\n%s%s", &vpn.out, &vpn.log)
		}
		return len(s.book("--user", "alice", "--reason", "repeated")) >= 2
	})
	again := s.sessions()
	if len(again) != 1 || again[0].Ticket != list[0].Ticket {
		t.Errorf("the session was %+v, is %+v", list, again)
	}

	if err := vpn.stop(); err != nil {
		t.Error(err)
	}
	eventually(t, "the session is over", func() bool { return len(s.sessions()) == 0 })
	late := s.openvpn("alice", password+code)
	eventually(t, "the code opens nothing any more", func() bool { return late.ended() && strings.Contains(late.out.String(), "AUTH_FAILED") })
}

// A ticket that is revoked ends the tunnel when the keys are renewed.
func TestOpenVPNTicketRevoked(t *testing.T) {
	t.Parallel()
	need(t, "openvpn")
	s := newVPNSite(t, "openvpn.md", "openvpn1.secret", "vpn1.secret")
	s.serve()
	s.openvpnServer("reneg-sec 3600", "reneg-sec 5")
	vpn := s.openvpn("alice", password+s.alice.code())
	eventually(t, "the tunnel stands", func() bool { return vpn.completed() })
	s.run("ticket", "revoke", s.sessions()[0].Ticket)
	eventually(t, "the tunnel is down", func() bool { return vpn.ended() })
	if !strings.Contains(vpn.out.String(), "AUTH_FAILED") {
		t.Errorf("openvpn says:\n%s", &vpn.out)
	}
}

// openvpnServer runs the VPN box by docs/vpn/openvpn.md.
func (s *vpnSite) openvpnServer(pairs ...string) {
	s.t.Helper()
	const page = "../vpn/openvpn.md"
	s.file("radiusplugin.cnf", replaced(s.t, fenced(s.t, page, "radiusplugin", 0),
		"/etc/openvpn", s.dir, "the-secret", "not-for-anybody-else"))
	conf := s.file("server.conf", replaced(s.t, fenced(s.t, page, "openvpn", 0),
		append(pairs, "/etc/openvpn", s.dir, "/run/openvpn", s.dir)...)+`
local 203.0.113.1
proto udp
dev box
ca `+s.dir+`/tls.crt
cert `+s.dir+`/tls.crt
key `+s.dir+`/tls.key
dh none
tmp-dir `+s.dir+`
push "route 192.0.2.0 255.255.255.0"
keepalive 10 60
`)
	p := launch(s.t, s.box.command("openvpn", "--config", conf))
	s.t.Cleanup(func() {
		p.stop()
		if s.t.Failed() {
			s.t.Logf("the server of OpenVPN says:\n%s%s", &p.out, &p.log)
		}
	})
	eventually(s.t, "OpenVPN listens", func() bool {
		if p.ended() {
			s.t.Fatalf("openvpn ended: %v\n%s%s", p.err, &p.out, &p.log)
		}
		return strings.Contains(p.out.String(), "Initialization Sequence Completed")
	})
}

// openvpn is somebody at home who connects.
func (s *vpnSite) openvpn(name, typed string) *connection {
	s.t.Helper()
	id := ids.Add(1)
	pass := s.file(fmt.Sprintf("typed%d", id), name+"\n"+typed+"\n")
	if err := os.Chmod(pass, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return &connection{process: launch(s.t, s.home.command("openvpn", "--client", "--remote", boxOutside, "1194", "udp",
		"--dev", fmt.Sprintf("sekisho%d", id), "--dev-type", "tun", "--ca", filepath.Join(s.dir, "tls.crt"),
		"--auth-user-pass", pass, "--reneg-sec", "0", "--explicit-exit-notify", "1"))}
}

func (c *connection) completed() bool {
	if c.ended() {
		c.t.Fatalf("openvpn ended: %v\n%s%s", c.err, &c.out, &c.log)
	}
	return strings.Contains(c.out.String(), "Initialization Sequence Completed")
}
