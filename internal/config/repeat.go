package config

import (
	"errors"
	"slices"
	"time"

	"sekisho/policy"
)

// readRepeat returns nil where the door's default holds.
func readRepeat(t *table) *policy.Repeat {
	risk := t.flag("repeat_risk", false)
	if !t.has("repeat") {
		return nil
	}
	if text, ok := t.values["repeat"].(string); ok {
		t.value("repeat")
		switch text {
		case "off":
			return &policy.Repeat{}
		case "session":
			return &policy.Repeat{Session: true}
		default:
			t.fault("repeat", `%q is not known; write {idle = "2m", max = "10m"}, "session" or "off"`, text)
		}
		return nil
	}
	p := t.table("repeat")
	r := policy.Repeat{Idle: p.time("idle", 0), Max: p.time("max", 0), Answers: p.number("answers", 0, 0, 1000)}
	p.close()
	switch {
	case r.Max > time.Hour && !risk:
		p.fault("max", "%v makes a stolen password and code work that long; shorten it, or write repeat_risk = true beside it", r.Max)
	case r.Max > 10*time.Minute:
		p.warn("max", "a stolen password and code work for %v; 10m is the most that is advised", r.Max)
	}
	return &r
}

// checkRepeat holds an application's repeat to what a rule's is held to.
func (r *reader) checkRepeat(key string, app App) {
	rule := policy.Rule{Name: "application", Door: []string{policy.DoorLDAP}, Need: []policy.Need{{policy.Password}}, Repeat: app.Repeat}
	_, err := policy.New(nil, nil, []policy.Rule{rule})
	var faults policy.Faults
	errors.As(err, &faults)
	for _, f := range faults {
		if f.Key == "repeat" && !r.faults.blames(key) {
			r.fault(key, "%s", f.Text)
		}
	}
	r.checkSession(key, &rule, Radius{})
}

// adviseRepeat warns where an application's repeat undoes what is written in a
// rule.
func (r *reader) adviseRepeat(key string, app App, rules []policy.Rule) {
	if app.Repeat == nil || r.faults.blames(key) {
		return
	}
	meets := func(list []string, one string) bool { return len(list) == 0 || one == "" || slices.Contains(list, one) }
	for _, rule := range rules {
		if rule.Repeat == nil || !meets(rule.Door, policy.DoorLDAP) || !meets(rule.Service, app.Service) || !meets(rule.Zone, app.Zone) {
			continue
		}
		if looser(*app.Repeat, *rule.Repeat) {
			r.warn(key, "goes before that of the rule %q and takes a code for longer or more often; write no more than the rule does, or take out the rule's", rule.Name)
		}
	}
}

// looser reports whether a takes something again that b does not.
func looser(a, b policy.Repeat) bool {
	return a.Idle > b.Idle || a.Max > b.Max || b.Answers > 0 && a.Max > 0 && (a.Answers == 0 || a.Answers > b.Answers)
}

// checkSession wants accounting for a repeat that lasts as long as a session.
func (r *reader) checkSession(key string, rule *policy.Rule, radius Radius) {
	switch {
	case rule.Repeat == nil || !rule.Repeat.Session:
	case len(rule.Door) > 0 && !slices.Contains(rule.Door, policy.DoorRADIUS):
		r.fault(key, `"session" is of a VPN session, which the door "radius" alone has; write {idle = "2m", max = "10m"}`)
	case len(radius.Acct) == 0:
		r.fault(key, `"session" needs accounting, and radius.acct is empty; open it, or write {idle = "2m", max = "10m"}`)
	}
}
