package insight

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sekisho/gate"
)

// Advice is something for the operator to do about an application.
type Advice struct {
	Code string `json:"code"` // closed list
	Text string `json:"text"`
}

// lately is how long something that was seen is held against an application:
// what it has not done for longer was put right.
const lately = 7 * 24 * time.Hour

const (
	enoughSignIns = 10  // before a pattern is told
	manyBinds     = 1.5 // a sign-in: less is people who sign in twice
	slowBind      = 1000.0
)

// Advice is what follows from what was seen, the most urgent first.
func (a *App) Advice() []Advice {
	var list []Advice
	say := func(code, format string, args ...any) {
		list = append(list, Advice{code, fmt.Sprintf(format, args...)})
	}
	if a.Binds.Count == 0 {
		say("not_seen", "not seen yet: nobody has bound who is known as this application")
		return list
	}
	if a.Settings.Observe {
		say("observed", "nothing is enforced: `sekisho apps --observed` tells what would be")
	}
	if s := a.Reasons[string(gate.FaultServiceAccount)]; a.lately(s) {
		say("service_account", "a service account was refused %s, the last time on %s: compare its password here and there, and the addresses that it comes from", times(s), a.day(s.Last))
	}
	if s := a.Reasons[string(gate.FaultTLSRequired)]; a.lately(s) {
		say("tls_required", "people were refused %s for want of TLS, the last time on %s: let the application use StartTLS or ldaps://", times(s), a.day(s.Last))
	}
	if s := a.Upstream.Failed; a.lately(s) {
		say("upstream_failed", "%s had no answer from the directory behind, the last time on %s", binds(s.Count), a.day(s.Last))
	}
	if a.Upstream.Binds > 0 && a.Upstream.P99 >= slowBind {
		say("upstream_slow", "one bind in a hundred takes the directory behind %.0f ms or more", a.Upstream.P99)
	}
	a.rebindAdvice(say)
	a.plainAdvice(say)
	for _, missed := range []struct {
		code, what string
		seen       map[string]Seen
	}{{"controls", "critical controls", a.Controls}, {"operations", "extended operations", a.Operations}} {
		oids := slices.DeleteFunc(slices.Sorted(maps.Keys(missed.seen)), func(oid string) bool { return !a.lately(missed.seen[oid]) })
		if len(oids) > 0 {
			say(missed.code, "asks for %s that are not served: %s; switch them off in the application", missed.what, strings.Join(oids, ", "))
		}
	}
	return list
}

// rebindAdvice is about programs that bind again and again with one code.
func (a *App) rebindAdvice(say func(code, format string, args ...any)) {
	r := &a.Rebinds
	ratio := r.PerSignIn()
	troubled := a.Settings.Observe || r.Refused*20 >= r.Binds // where nobody is refused all is well as it is
	if r.SignIns < enoughSignIns || ratio < manyBinds || !troubled {
		return
	}
	seen := fmt.Sprintf("binds %.1fx a sign-in, as long as %s after it", ratio, short(r.Max))
	if r.Max > time.Hour.Seconds() {
		say("application_password", "%s: a code is no help there; let people make application passwords", seen)
		return
	}
	// One that is as long as what was seen would miss what is a little longer.
	idle, most := roundUp(r.Idle), roundUp(r.Max)
	text := fmt.Sprintf(`%s: write repeat = {idle = "%s", max = "%s"}`, seen, short(min(idle, most)), short(most))
	if most > runGap.Seconds() {
		text += ", or better let people make application passwords: for so long a stolen code would be good here"
	}
	say("repeat", "%s", text)
}

func (a *App) plainAdvice(say func(code, format string, args ...any)) {
	plain, all := a.TLS[NoTLS], a.Binds.Count
	switch {
	case !a.Settings.PlainBinds:
	case a.lately(plain):
		say("clear_text", "%d of %s without TLS, the last time on %s: let the application use StartTLS or ldaps://, then write require_tls = true",
			plain.Count, binds(all), a.day(plain.Last))
	case plain.Count == 0:
		say("tls_safe", "all %s since %s came through TLS: require_tls = true is safe", binds(all), a.day(a.Since))
	default:
		say("tls_safe", "all binds since %s came through TLS: require_tls = true is safe", a.day(plain.Last))
	}
}

// PerSignIn is how many binds a sign-in comes to.
func (r *Rebinds) PerSignIn() float64 {
	if r.SignIns == 0 {
		return 0
	}
	return float64(r.Binds) / float64(r.SignIns)
}

// roundUp is a time that people write, a fifth above the one that was seen.
func roundUp(seconds float64) float64 {
	for _, t := range []time.Duration{
		30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	} {
		if 1.2*seconds <= t.Seconds() {
			return t.Seconds()
		}
	}
	return time.Hour.Seconds()
}

// short is a time as the configuration has it: 90s, 10m, 2h.
func short(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%.1fh", d.Hours())
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.0fm", d.Minutes())
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

func (a *App) lately(s Seen) bool { return s.Count > 0 && a.At.Sub(s.Last) < lately }

// day is a time as the operator's clock shows it.
func (a *App) day(t time.Time) string { return t.In(a.At.Location()).Format("2006-01-02 15:04") }

func binds(n uint64) string {
	if n == 1 {
		return "1 bind"
	}
	return fmt.Sprintf("%d binds", n)
}

func times(s Seen) string {
	if s.Count == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", s.Count)
}
