package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestOutsidePasswordAndCodeAreAccepted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	r := s.signIn(outside, "alice", password+alice.code(), station("203.0.113.7"))
	wantAccept(t, r)
	if r.get("Class") == "" {
		t.Errorf("no Class: %v", r.attributes)
	}
	if n, err := strconv.Atoi(r.get("Session-Timeout")); err != nil || n > 36_000 || n < 35_900 {
		t.Errorf("Session-Timeout is %q, want about ten hours", r.get("Session-Timeout"))
	}
	if e := s.book("--outcome", "admitted"); len(e) != 1 || e[0].User != "alice" || e[0].Source != "203.0.113.7" || e[0].Service != "ssl-vpn" {
		t.Errorf("the book has %+v", e)
	}
}

// Each kind of device that can be enrolled, against another program's idea
// of RFC 4226 and 6238.
func TestEveryKindOfDeviceIsAccepted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve()
	for _, kind := range []struct {
		name      string
		algorithm string
		digits    int
	}{
		{"sha1-6", "SHA1", 6},
		{"sha1-8", "SHA1", 8},
		{"sha256-6", "SHA256", 6},
		{"sha512-8", "SHA512", 8},
	} {
		d := s.enrol(kind.name, "--algorithm", kind.algorithm, "--digits", strconv.Itoa(kind.digits))
		d.algorithm, d.digits = kind.algorithm, kind.digits
		if r := s.signIn(outside, kind.name, password+d.code()); !r.accepted() {
			t.Errorf("%s: %q %v", kind.name, r.code, r.attributes)
		}
	}
}

func TestButtonDeviceCountsOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice", "--hotp")
	s.serve()
	wantAccept(t, s.signIn(outside, "alice", password+alice.press(0)))
	s.wantReject(s.signIn(outside, "alice", password+alice.press(0)), "code_used")
	// Pressed a few times in a pocket.
	wantAccept(t, s.signIn(outside, "alice", password+alice.press(4)))
	s.wantReject(s.signIn(outside, "alice", password+alice.press(3)), "code_used")
}

func TestInsidePasswordAloneIsAccepted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	wantAccept(t, s.signIn(inside, "bob", password))
	s.wantReject(s.signIn(inside, "bob", password+"x"), "wrong_password")
}

func TestOutsidePasswordAloneIsRejected(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enrol("alice")
	s.serve()
	r := s.signIn(outside, "alice", password)
	s.wantReject(r, "code_missing")
	for lang, words := range map[string]string{"en": "one-time code is needed", "ja": "ワンタイムコードが必要"} {
		if told := s.run("why", r.reference(), "--lang", lang); !strings.Contains(told, words) {
			t.Errorf("why --lang %s does not say %q:\n%s", lang, words, told)
		}
	}
}

func TestUsedCodeIsRejected(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	code := alice.code()
	wantAccept(t, s.signIn(outside, "alice", password+code))
	r := s.signIn(outside, "alice", password+code)
	s.wantReject(r, "code_used")
	if !strings.Contains(r.get("Reply-Message"), "already used") {
		t.Errorf("the person is told %q", r.get("Reply-Message"))
	}
	if told := s.run("why", r.reference()); !strings.Contains(told, "used before") {
		t.Errorf("why does not tell of the used code:\n%s", told)
	}
}

// A NAS that lost the answer asks again with a new packet: the same session
// is confirmed, three times in all.
func TestRepeatFromOneStationIsAnsweredAlikeThreeTimes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	code, class := alice.code(), ""
	for i := range 3 {
		r := s.signIn(outside, "alice", password+code, station("203.0.113.7"))
		wantAccept(t, r)
		if i > 0 && r.get("Class") != class {
			t.Errorf("answer %d has another Class", i+1)
		}
		class = r.get("Class")
	}
	s.wantReject(s.signIn(outside, "alice", password+code, station("203.0.113.7")), "code_used")
}

func TestRepeatFromAnotherStationIsRejected(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	code := alice.code()
	wantAccept(t, s.signIn(outside, "alice", password+code, station("203.0.113.7")))
	s.wantReject(s.signIn(outside, "alice", password+code, station("203.0.113.8")), "code_used")
}

func TestRevokedTicketIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	code := alice.code()
	wantAccept(t, s.signIn(outside, "alice", password+code, station("203.0.113.7")))
	admitted := s.book("--outcome", "admitted")
	s.run("ticket", "revoke", admitted[0].Ticket)
	if left := s.run("ticket", "list", "alice", "--json"); strings.Contains(left, admitted[0].Ticket) {
		t.Errorf("a revoked ticket is listed: %s", left)
	}
	s.wantReject(s.signIn(outside, "alice", password+code, station("203.0.113.7")), "code_used")
}

func TestWrongCodeIsRejectedAndTellsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	near := []string{alice.code(), alice.codeAt(time.Now().Add(30 * time.Second)), alice.codeAt(time.Now().Add(-30 * time.Second))}
	wrong := "000000"
	for slices.Contains(near, wrong) {
		wrong = "111111"
	}
	known := s.signIn(outside, "alice", password+wrong)
	s.wantReject(known, "wrong_code")
	unknown := s.signIn(outside, "nobody-here", password+wrong)
	if !unknown.rejected() {
		t.Fatalf("got %q for an unknown name", unknown.code)
	}
	told := func(r reply) string { return strings.Replace(r.get("Reply-Message"), r.reference(), "", 1) }
	if told(known) != told(unknown) {
		t.Errorf("a known name is told %q, an unknown one %q", told(known), told(unknown))
	}
}

func TestClockOfThePhoneIsTolerated(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	early, late, off := s.enrol("early"), s.enrol("late"), s.enrol("off")
	s.serve()
	// 10 s are left for the asking, until either would be two steps off.
	wantAccept(t, s.signIn(outside, "early", password+early.codeAt(time.Now().Add(10*time.Second))))
	wantAccept(t, s.signIn(outside, "late", password+late.codeAt(time.Now().Add(-20*time.Second))))
	r := s.signIn(outside, "off", password+off.codeAt(time.Now().Add(-2*time.Minute)))
	s.wantReject(r, "code_stale")
	if told := s.run("why", r.reference()); !strings.Contains(told, "clock") {
		t.Errorf("why does not tell of the clock:\n%s", told)
	}
}

func TestBobWithoutDeviceIsRejectedOutside(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	s.wantReject(s.signIn(outside, "bob", password), "no_device")
	told := s.run("explain", "--door", "radius", "--service", "ssl-vpn", "--user", "bob", "--zone", "off-campus")
	if !strings.Contains(told, "rule outside needs password+otp") {
		t.Errorf("explain says:\n%s", told)
	}
}

func TestDisabledAccountIsRejected(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("carol", "dave")
	s.run("account", "disable", "carol")
	s.serve()
	s.wantReject(s.signIn(inside, "carol", password), "disabled")

	// What a command changes beside the server holds for the next sign-in.
	wantAccept(t, s.signIn(inside, "dave", password))
	s.run("account", "disable", "dave")
	if r := s.signIn(inside, "dave", password); !r.rejected() {
		t.Errorf("disabled, and still %q", r.code)
	}
	s.run("account", "enable", "dave")
	eventually(t, "dave, enabled again, is accepted", func() bool { return s.signIn(inside, "dave", password).accepted() })
}

func TestChangedPasswordHoldsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	s.serve()
	wantAccept(t, s.signIn(inside, "bob", password))
	const changed = "staple-battery-horse"
	s.feed(changed+"\n", "account", "passwd", "bob", "--password-stdin")
	if r := s.signIn(inside, "bob", password); !r.rejected() {
		t.Errorf("the old password is still answered with %q", r.code)
	}
	eventually(t, "the new password is accepted", func() bool { return s.signIn(inside, "bob", changed).accepted() })
}

func TestPasswordsOfEveryShape(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	shapes := map[string]string{
		"numbers":  "ends-in-digits-123456",
		"japanese": "長い合言葉はよい合言葉ですよね、きっと",
		"quotes":   `it's a "quoted" \ password`,
		"long":     strings.Repeat("on and on ", 10) + ".",
	}
	devices := map[string]*device{}
	for name, word := range shapes {
		s.feed(word+"\n", "account", "add", name, "--password-stdin")
		devices[name] = s.device(name)
	}
	s.serve()
	for name, word := range shapes {
		if r := s.signIn(inside, name, word); !r.accepted() {
			t.Errorf("%s inside: %q %v", name, r.code, r.attributes)
		}
		if r := s.signIn(outside, name, word+devices[name].code()); !r.accepted() {
			t.Errorf("%s outside: %q %v", name, r.code, r.attributes)
		}
	}
}
