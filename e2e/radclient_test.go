package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// reply is what radclient printed of the answer. The zero reply is silence.
type reply struct {
	code       string // "Access-Accept", "Access-Reject"
	attributes []string
}

var (
	received  = regexp.MustCompile(`^Received (\S+) Id \d+`)
	reference = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}`)
)

// radclient asks once, with Message-Authenticator. Attributes are written
// "Name = value"; a value with a special character in quotes.
func (s *site) radclient(attributes ...string) reply {
	s.t.Helper()
	return s.ask("auth", secret, append(attributes, "Message-Authenticator = 0x00")...)
}

// ask runs radclient for one request and waits 3 s for the answer.
func (s *site) ask(kind, secret string, attributes ...string) reply {
	s.t.Helper()
	return s.askWith([]string{"-r", "1", "-t", "3"}, s.radius, kind, secret, attributes...)
}

func (s *site) askWith(flags []string, to, kind, secret string, attributes ...string) reply {
	s.t.Helper()
	need(s.t, "radclient")
	args := append(append([]string{"-x"}, flags...), to, kind, secret)
	a := execute(s.t, strings.Join(attributes, "\n")+"\n", "radclient", args...)
	var r reply
	for line := range strings.Lines(a.out) {
		line = strings.TrimRight(line, "\n")
		if m := received.FindStringSubmatch(line); m != nil {
			r = reply{code: m[1]}
		} else if text, ok := strings.CutPrefix(line, "\t"); ok && r.code != "" {
			r.attributes = append(r.attributes, text)
		}
	}
	if r.code == "" && !strings.Contains(a.out+a.err, "No reply from server") {
		s.t.Fatalf("radclient: exit %d\n%s%s", a.code, a.out, a.err)
	}
	return r
}

// signIn asks for a person from the address of a client.
func (s *site) signIn(from, user, password string, more ...string) reply {
	s.t.Helper()
	return s.radclient(append([]string{
		"Packet-Src-IP-Address = " + from,
		fmt.Sprintf("User-Name = %q", user),
		fmt.Sprintf("User-Password = %q", password),
		`NAS-Identifier = "e2e"`,
	}, more...)...)
}

// station is the attribute that tells where the person is.
func station(address string) string { return fmt.Sprintf("Calling-Station-Id = %q", address) }

func (r reply) accepted() bool { return r.code == "Access-Accept" }
func (r reply) rejected() bool { return r.code == "Access-Reject" }
func (r reply) silent() bool   { return r.code == "" }

// get is the value of the first attribute of that name.
func (r reply) get(name string) string {
	for _, a := range r.attributes {
		if value, ok := strings.CutPrefix(a, name+" = "); ok {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// reference is what the person reads to the help desk.
func (r reply) reference() string { return reference.FindString(r.get("Reply-Message")) }

func wantAccept(t *testing.T, r reply) {
	t.Helper()
	if !r.accepted() {
		t.Fatalf("want Access-Accept, got %q %v", r.code, r.attributes)
	}
	macFirst(t, r)
}

// wantReject wants a refusal whose reference the help desk finds under the
// given reason.
func (s *site) wantReject(r reply, reason string) {
	s.t.Helper()
	if !r.rejected() {
		s.t.Fatalf("want Access-Reject, got %q %v", r.code, r.attributes)
	}
	macFirst(s.t, r)
	ref := r.reference()
	if ref == "" {
		s.t.Fatalf("the reply has no reference: %v", r.attributes)
	}
	for _, e := range s.book("--outcome", "refused") {
		if e.Reference == ref {
			if e.Reason != reason {
				s.t.Fatalf("%s was refused as %s, want %s", ref, e.Reason, reason)
			}
			return
		}
	}
	s.t.Fatalf("%s is not in the book", ref)
}

func wantSilence(t *testing.T, r reply) {
	t.Helper()
	if !r.silent() {
		t.Fatalf("want silence, got %s %v", r.code, r.attributes)
	}
}

func macFirst(t *testing.T, r reply) {
	t.Helper()
	if len(r.attributes) == 0 || !strings.HasPrefix(r.attributes[0], "Message-Authenticator = ") {
		t.Fatalf("Message-Authenticator is not the first attribute: %v", r.attributes)
	}
}
