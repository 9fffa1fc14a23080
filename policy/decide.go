package policy

import (
	"slices"
	"time"
)

// skew is how far the clock of the node that saw a factor may run ahead of
// ours. What seems to come from later than that has no known age.
const skew = time.Minute

// Decide returns what the first rule that matches says; Deny if none does.
//
// A throttled attempt is denied whatever was shown. A factor shown longer
// than the rule's Reuse before a.At does not count. An Attempt without a zone
// is [OffCampus].
func (p *Policy) Decide(a Attempt) Decision {
	r := p.first(&a)
	if r == nil {
		return Decision{Why: WhyNoRule}
	}
	if a.Throttled {
		return Decision{Rule: r.Name, Why: WhyThrottled}
	}
	if r.Deny || len(r.needs) == 0 {
		return Decision{Rule: r.Name, Why: WhyDenied}
	}
	fresh := r.fresh(&a)
	d := Decision{Ticket: r.Ticket, Idle: r.Idle, Repeat: r.repeat(a.Door), Rule: r.Name}
	if open := r.open[fresh]; open != nil {
		d.Verdict, d.Need, d.Why = Ask, open, WhyMissing
		return d
	}
	d.Verdict, d.Proves = Allow, p.proves[fresh]
	return d
}

// first returns the first rule that matches, nil if none does.
func (p *Policy) first(a *Attempt) *rule {
	if p == nil {
		return nil
	}
	if a.Zone == "" {
		a.Zone = OffCampus
	}
	for i := range p.rules {
		if r := &p.rules[i]; r.fails(a) == none {
			return r
		}
	}
	return nil
}

// fresh is the set of factors that still count under this rule.
func (r *rule) fresh(a *Attempt) set {
	var s set
	for f, shown := range a.Shown {
		if age := a.At.Sub(shown); age >= -skew && age <= r.Reuse {
			s |= f.bit()
		}
	}
	return s
}

// PasswordAlone says whether any rule admits by a password and nothing else.
// Passwords must then be longer (NIST SP 800-63B-4 section 3.1.1.2).
func (p *Policy) PasswordAlone() bool {
	if p == nil {
		return false
	}
	for i := range p.rules {
		for _, need := range p.rules[i].needs {
			if need == Password.bit() {
				return true
			}
		}
	}
	return false
}

// Serves says whether anybody can be admitted by this door to this service
// from this zone; zone "" asks for any zone. Where it is false, every attempt
// is denied.
func (p *Policy) Serves(door, service, zone string) bool {
	return p.serves(door, service, zone, func(r *rule) bool { return true })
}

// ServesPassword says the same of a password and nothing else.
func (p *Policy) ServesPassword(door, service, zone string) bool {
	return p.serves(door, service, zone, func(r *rule) bool { return slices.Contains(r.needs, Password.bit()) })
}

// ServesAppPassword says the same of an application password.
func (p *Policy) ServesAppPassword(door, service, zone string) bool {
	return p.serves(door, service, zone, func(r *rule) bool { return slices.Contains(r.needs, AppPassword.bit()) })
}

func (p *Policy) serves(door, service, zone string, by func(*rule) bool) bool {
	if p == nil {
		return false
	}
	for _, z := range p.world.zones {
		if zone != "" && z != zone {
			continue
		}
		c := cell{door, service, z}
		for i := range p.rules {
			r := &p.rules[i]
			if !r.Deny && by(r) && r.holds(c) && before(p.rules[:i], r, c) == nil {
				return true
			}
		}
	}
	return false
}

// String names the verdict.
func (v Verdict) String() string {
	switch v {
	case Ask:
		return "ask"
	case Allow:
		return "allow"
	}
	return "deny"
}
