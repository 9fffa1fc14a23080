package e2e

import (
	"strings"
	"testing"
)

func TestWrongSecretIsSilence(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	wantSilence(t, s.askWith([]string{"-r", "1", "-t", "1"}, s.radius, "auth", "not-the-secret", `User-Name = "bob"`, `User-Password = "x"`, "Message-Authenticator = 0x00"))
	if n := s.gauge("sekisho_radius_dropped_total", `reason="secret_differs"`); n != 1 {
		t.Errorf("%v dropped for the secret, want 1", n)
	}
	if events := s.book("--outcome", "refused"); len(events) != 0 {
		t.Errorf("a wrong secret was taken for a failed sign-in: %+v", events)
	}
}

func TestMissingMessageAuthenticatorIsSilence(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	wantSilence(t, s.askWith([]string{"-r", "1", "-t", "1"}, s.radius, "auth", secret, `User-Name = "bob"`, `User-Password = "x"`))
	if n := s.gauge("sekisho_radius_dropped_total", `reason="message_authenticator_missing"`); n != 1 {
		t.Errorf("%v dropped without Message-Authenticator, want 1", n)
	}
}

func TestUnknownClientIsSilence(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve()
	wantSilence(t, s.askWith([]string{"-r", "1", "-t", "1"}, s.radius, "auth", secret,
		"Packet-Src-IP-Address = 127.0.0.99", `User-Name = "bob"`, `User-Password = "x"`, "Message-Authenticator = 0x00"))
}

func TestStatusServerIsAnswered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve()
	r := s.ask("status", secret, "Message-Authenticator = 0x00")
	wantAccept(t, r)
	if len(r.attributes) != 1 {
		t.Errorf("more than Message-Authenticator: %v", r.attributes)
	}
	if events := s.book("--outcome", "admitted"); len(events) != 0 {
		t.Errorf("a question of state was booked: %+v", events)
	}
}

func TestCHAPIsRejectedAndSaysWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	r := s.radclient(`User-Name = "bob"`, `CHAP-Password = "`+password+`"`, `NAS-Identifier = "e2e"`)
	s.wantReject(r, "method_chap")
	if told := s.run("why", r.reference()); !strings.Contains(told, "PAP") {
		t.Errorf("why does not name the remedy:\n%s", told)
	}
}

func TestMSCHAPIsRejectedAndSaysWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	r := s.radclient(`User-Name = "bob"`, `MS-CHAP-Password = "`+password+`"`, `NAS-Identifier = "e2e"`)
	s.wantReject(r, "method_mschap")
	if !strings.Contains(r.get("MS-CHAP-Error"), "E=691 R=0") {
		t.Errorf("MS-CHAP-Error is %q, want one that forbids another try", r.get("MS-CHAP-Error"))
	}
}

// radeapclient speaks EAP-MD5: it begins with an identity and is told
// EAP-Failure, so that it need not wait.
func TestEAPIsRejectedAndSaysWhy(t *testing.T) {
	t.Parallel()
	need(t, "radeapclient")
	s := newSite(t)
	s.add("bob")
	s.serve()
	request := strings.Join([]string{
		`User-Name = "bob"`, `Cleartext-Password = "x"`, `NAS-Identifier = "e2e"`, "EAP-Code = Response", "EAP-Id = 210",
		`EAP-Type-Identity = "bob"`, "Message-Authenticator = 0x00",
	}, "\n") + "\n"
	a := execute(t, request, "radeapclient", "-x", "-r", "1", "-t", "3", s.radius, "auth", secret)
	if !strings.Contains(a.out, "Access-Reject") || !strings.Contains(a.out, "EAP-Code = Failure") {
		t.Errorf("radeapclient: exit %d\n%s%s", a.code, a.out, a.err)
	}
	if events := s.book("--reason", "method_eap"); len(events) != 1 {
		t.Errorf("the book has %+v", events)
	}
}
