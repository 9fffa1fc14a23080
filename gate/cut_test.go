package gate

import (
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// At the LDAP door, where the policy needs no code.
func TestBindWithACodeThatIsNotNeeded(t *testing.T) {
	const long, short = "saved an hour long", "typed"
	rules := []policy.Rule{
		{Name: long, Zone: []string{"campus"}, Need: []policy.Need{{policy.Password}}, Repeat: &policy.Repeat{Idle: time.Hour, Max: time.Hour}},
		{Name: short, Zone: []string{"vpn"}, Need: []policy.Need{{policy.Password}}},
	}
	for _, c := range []struct {
		rule, person, typed string
		factors             string // "" is refused
		why                 reason.Code
	}{
		{short, "alice", "PASSWORD", "password", reason.Admitted},
		{short, "alice", "PASSWORDCODE", "password+otp", reason.Admitted},
		{short, "alice", "PASSWORDCODE+1", "password+otp", reason.Admitted},
		{short, "alice", "PASSWORDCODE-1", "password+otp", reason.Admitted},
		{short, "alice", "PASSWORDCODE-2", "password", reason.Admitted},
		{short, "alice", "PASSWORDCODE-10", "password", reason.Admitted},
		{short, "alice", "PASSWORDCODE+2", "", reason.WrongPassword},
		{short, "alice", "PASSWORDCODE-11", "", reason.WrongPassword},
		{long, "alice", "PASSWORDCODE-11", "password", reason.Admitted},
		{long, "alice", "PASSWORDCODE-120", "password", reason.Admitted},
		{long, "alice", "PASSWORDCODE-121", "", reason.WrongPassword},
		{long, "alice", "PASSWORDCODE+2", "", reason.WrongPassword},
		{long, "alice", "PASSWORD000000", "", reason.WrongPassword},
		{long, "alice", "guessedCODE", "", reason.WrongPassword},
		{long, "alice", "PASSWORD CODE", "", reason.WrongPassword}, // octets: nothing is trimmed
		{long, "alice", "PASSWORD\x00CODE", "", reason.WrongPassword},
		{long, "heidi", "PASSWORD", "password", reason.Admitted}, // ends in digits of its own
		{long, "heidi", "PASSWORDCODE", "password+otp", reason.Admitted},
		{long, "bob", "PASSWORDCODE", "password+otp", reason.Admitted}, // eight digits
		{long, "frank", "PASSWORD123456", "", reason.WrongPassword},    // has no device
		{long, "alice", "CODE", "", reason.EmptyPassword},
		{long, "alice", "CODE-100", "", reason.EmptyPassword},
		{long, "alice", "000000", "", reason.WrongPassword},
	} {
		t.Run(c.rule+" "+c.person+" "+c.typed, func(t *testing.T) {
			w := newWorld(t)
			w.rule(rules...)
			address := desk
			if c.rule == short {
				address = "198.51.100.9"
			}
			a := w.admit(w.mail(w.from(address, c.person, c.typed)))
			if e := w.event(a.Reference); a.Reason != string(c.why) || e.Factors != c.factors {
				t.Errorf("%s with %q, want %s with %q", a.Reason, e.Factors, c.why, c.factors)
			}
			burnt := len(w.account(c.person).Tokens) > 0 && w.account(c.person).Tokens[0].Step >= 0
			if burnt != (c.factors == "password+otp") {
				t.Errorf("consumed: %v", burnt)
			}
			if c.why == reason.EmptyPassword && w.people.asked() != 0 {
				t.Error("an empty password was looked at")
			}
		})
	}
}

// A program on campus sends what it saved. The code was used, and others were
// since: it counts for nothing and stands in nobody's way.
func TestBindWithASavedCode(t *testing.T) {
	w := newWorld(t)
	saved := w.mail(w.from(desk, "alice", "PASSWORDCODE"))
	w.admitted(saved)
	for range 5 {
		w.time.pass(time.Minute)
		if a := w.admitted(saved); w.event(a.Reference).Factors != "password" {
			t.Error("an old code counted")
		}
	}
	w.time.pass(24 * time.Hour)
	w.admitted(saved)
	if n := len(w.events(store.Search{Outcome: "refused"})); n != 0 {
		t.Errorf("%d refusals", n)
	}
}

// While the clock can't be trusted a code is cut off and counts for nothing.
func TestCodeIsCutOffWhileTheClockIsNotSteady(t *testing.T) {
	w := newWorld(t)
	w.time.jump(time.Hour)
	a := w.admitted(w.mail(w.from(desk, "alice", "PASSWORDCODE")))
	if f := w.event(a.Reference).Factors; f != "password" {
		t.Errorf("factors %q", f)
	}
}
