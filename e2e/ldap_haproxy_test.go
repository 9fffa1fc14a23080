package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// Behind a balancer an application is known, and people are judged, by the
// address that the PROXY header tells.
func TestLDAPBehindHAProxy(t *testing.T) {
	t.Parallel()
	need(t, "haproxy", "oathtool")
	s := newLDAPSite(t, `
[[ldap.app]]
name    = "desktop"
address = ["127.0.0.1", "127.0.0.2"]
service = "desktop"
source  = "peer"
`, "")
	alice := s.enrol("alice")
	port := freePort(t)
	address, direct := fmt.Sprintf("127.0.0.1:%d", port), s.doors[1].outside
	_, behind, _ := strings.Cut(direct, "://")
	s.change("url         = \""+direct+"\"\n", "url         = \""+direct+"\"\nproxy_protocol = [\"127.0.0.9\"]\n")
	conf := replaced(t, fenced(t, "../ldap/README.md", "haproxy", 0), "bind :636", "bind "+address,
		"192.0.2.10:636", behind+" source 127.0.0.9", "    server sekisho2 192.0.2.11:636 send-proxy-v2 check\n", "")
	server := s.serve()
	p := launch(t, exec.Command("haproxy", "-db", "-f", s.file("haproxy.cfg", conf)))
	t.Cleanup(func() {
		p.stop() // it dies of the signal
		if t.Failed() {
			t.Logf("HAProxy says:\n%s%s", &p.out, &p.log)
		}
	})
	eventually(t, "HAProxy listens", func() bool {
		if p.ended() {
			t.Fatalf("haproxy ended: %v\n%s%s", p.err, &p.out, &p.log)
		}
		return listens(address)
	})
	at := "ldaps://" + address

	s.again(at, inside, 2, who{personDN("alice"), password}, 0)
	s.wantBooked(s.again(at, outside, 1, who{personDN("alice"), password}, invalidCredentials), "code_missing")
	s.again(at, outside, 1, who{personDN("alice"), password + alice.code()}, 0)
	s.wantBooked(s.again(at, "127.0.0.7", 1, who{personDN("alice"), password}, invalidCredentials), "unknown_app")
	e := s.book("--user", "alice", "--outcome", "admitted")
	if len(e) != 2 || e[0].Source == e[1].Source {
		t.Errorf("the book has %+v, want one from inside and one from outside", e)
	}
	// Whoever is no balancer gets no answer there, and HAProxy's own looks
	// whether we live are no fault.
	if a := s.clear("ldapwhoami", direct, who{personDN("alice"), password}); a.code == 0 || a.code == invalidCredentials {
		t.Errorf("it was answered without a header: %d %s%s", a.code, a.out, a.err)
	}
	if log := server.log.String(); strings.Contains(log, "level=ERROR") {
		t.Error("the log has faults")
	}
}

// -Z goes on where there is no StartTLS, which at ldaps:// is as it should be.
func TestLDAPToolsWithOptionalStartTLS(t *testing.T) {
	t.Parallel()
	s := newLDAPSite(t, legacyApp, "")
	s.add("bob")
	s.serve()
	s.each(func(d door) {
		a := s.want(s.clear("ldapwhoami", d.inside, who{personDN("bob"), password}, "-Z"), 0)
		if over := strings.Contains(a.err, "ldap_start_tls: Operations error (1)"); over != (d.name == "ldaps") {
			s.t.Errorf("it says:\n%s", a.err)
		}
		if a.out != "dn:"+personDN("bob")+"\n" {
			s.t.Errorf("one is %q", a.out)
		}
	})
}
