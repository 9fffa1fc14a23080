package gate

import (
	"testing"
	"time"

	"sekisho/policy"
)

// The book is read from its end: what an Accept says of its time is that of the
// last repeat.
func TestSessionThatBeginsAfterARepeatAndARestart(t *testing.T) {
	w := newWorld(t)
	w.rule(policy.Rule{Name: "vpn", Door: []string{policy.DoorRADIUS}, Zone: []string{policy.OffCampus},
		Need: []policy.Need{policy.ParseNeed("password+otp")}, Ticket: 10 * time.Hour,
		Repeat: &policy.Repeat{Idle: 2 * time.Minute, Max: 10 * time.Minute}}, campusRules[3], campusRules[4])
	r := w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	a := w.admitted(r)
	w.time.pass(acceptFor + 30*time.Second)
	w.repeated(r)
	w.restart()
	w.time.pass(time.Second)
	start := w.acct("alice", AccountingStart)
	w.tell(start)
	w.attached(start, a)
}
