package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sekisho/policy"
)

// provable is what each open door of this release can take.
func (c *Config) provable() map[string][]policy.Factor {
	proves := map[string][]policy.Factor{}
	for door, open := range map[string]bool{
		policy.DoorRADIUS: len(c.Radius.Auth) > 0,
		policy.DoorLDAP:   len(c.LDAP.Listeners) > 0,
		policy.DoorWeb:    len(c.Web.Listeners) > 0,
	} {
		if open {
			proves[door] = []policy.Factor{policy.Password, policy.OTP}
			if door != policy.DoorWeb { // that makes application passwords, and takes none
				proves[door] = append(proves[door], policy.AppPassword)
			}
		}
	}
	return proves
}

func readRules(tables []*table) []policy.Rule {
	var rules []policy.Rule
	for _, t := range tables {
		r := policy.Rule{
			Name:    t.text("name", ""),
			Door:    t.words("door"),
			Service: t.words("service"),
			Zone:    t.words("zone"),
			User:    t.words("user"),
			Group:   t.words("group"),
			Deny:    t.flag("deny", false),
			Ticket:  t.time("ticket", 0),
			Idle:    t.time("idle", 0),
			Reuse:   t.time("reuse", 0),
		}
		for _, need := range t.words("need") {
			r.Need = append(r.Need, policy.ParseNeed(need))
		}
		// A list that was written empty would match anything.
		for _, key := range []string{"door", "service", "zone", "user", "group"} {
			if list, ok := t.values[key].([]any); ok && len(list) == 0 {
				t.fault(key, "is an empty list, which matches anything; fill it or take it out")
			}
		}
		r.Repeat = readRepeat(t)
		t.close()
		rules = append(rules, r)
	}
	return rules
}

// judge builds the policy and adds what package policy has to say. A fault
// that only follows from one already told is left out.
func (r *reader) judge(c *Config) {
	told := r.faults
	doubtful := told.blames("rule")
	p, err := policy.New(c.zones, r.services(c), c.Rules)
	var faults policy.Faults
	errors.As(err, &faults)
	for _, f := range faults {
		if f.Key == "" && !doubtful || f.Key != "" && !told.blames(ruleKey(f)) {
			r.fault(ruleKey(f), "%s", f.Text)
		}
	}
	proves := c.provable()
	if len(proves) == 0 && !told.serious() {
		r.fault("radius.auth", "is empty, and no other door is open; open one, such as a [[ldap.listener]]")
	}
	for _, f := range policy.Unprovable(c.Rules, proves) {
		if !r.faults.blames(ruleKey(f)) {
			r.fault(ruleKey(f), "%s", f.Text)
		}
	}
	if len(c.Rules) == 0 && !doubtful {
		r.warn("rule", "there is none, so nobody is admitted; add a [[rule]]")
	}
	c.policy = p
	for i := range c.Rules {
		key := fmt.Sprintf("rule[%d]", i)
		r.checkSession(key+".repeat", &c.Rules[i], c.Radius)
		r.advise(key, &c.Rules[i])
	}
	for i, app := range c.LDAP.Apps {
		key := fmt.Sprintf("ldap.app[%d].repeat", i)
		r.checkRepeat(key, app)
		r.adviseRepeat(key, app, c.Rules)
	}
	r.adviseGroups(c)
	if p != nil && len(c.Rules) > 0 {
		r.checkServed(c)
	}
}

// checkServed warns of what no rule lets anybody into.
func (r *reader) checkServed(c *Config) {
	check := func(key, what, door, service string, zones ...string) {
		served := func(zone string) bool { return c.policy.Serves(door, service, zone) }
		if service != "" && !slices.ContainsFunc(zones, served) {
			r.warn(key, "no rule admits anybody to %q from %s; add a rule or take the %s out", service, strings.Join(zones, ", "), what)
		}
	}
	everywhere := c.zones.Names()
	for i, client := range c.Radius.Clients {
		zones := everywhere
		if !client.OwnAddress {
			zones = []string{client.Zone}
		}
		check(fmt.Sprintf("radius.client[%d].service", i), "client", policy.DoorRADIUS, client.Service, zones...)
	}
	for i, app := range c.LDAP.Apps {
		zones := everywhere
		if app.Zone != "" {
			zones = []string{app.Zone}
		}
		check(fmt.Sprintf("ldap.app[%d].service", i), "application", policy.DoorLDAP, app.Service, zones...)
	}
	for i, service := range c.Web.Services {
		check(fmt.Sprintf("web.service[%d].name", i), "service", policy.DoorWeb, service.Name, everywhere...)
	}
}

func ruleKey(f policy.Fault) string {
	key := fmt.Sprintf("rule[%d]", f.Rule)
	if f.Key != "" {
		key += "." + f.Key
	}
	return key
}

// services lists what a rule may name; nil, which lets it name any, if some
// of them could not be read.
func (r *reader) services(c *Config) []string {
	services := []string{}
	for _, client := range c.Radius.Clients {
		services = append(services, client.Service)
	}
	for _, app := range c.LDAP.Apps {
		services = append(services, app.Service)
	}
	for _, service := range c.Web.Services {
		services = append(services, service.Name)
	}
	if slices.Contains(services, "") || len(services) == 0 && r.faults.serious() {
		return nil
	}
	if len(c.Web.Listeners) > 0 {
		services = append(services, Portal)
	}
	slices.Sort(services)
	return slices.Compact(services)
}

// advise warns of what is allowed, but less than what is asked of a campus.
func (r *reader) advise(key string, rule *policy.Rule) {
	if len(rule.Zone) > 0 && !slices.Contains(rule.Zone, policy.OffCampus) {
		return
	}
	for _, need := range rule.Need {
		if len(need) == 1 && need[0] == policy.Password {
			r.warn(key+".need", `lets people in from outside by a password alone; write "password+otp", or the zones that are meant`)
		}
	}
	// NIST SP 800-63B-4 section 2.2.3: sign in again at least once a day.
	if rule.Ticket > 24*time.Hour {
		r.warn(key+".ticket", "%v is long for people outside; 24h is the most that is advised", rule.Ticket)
	}
	if rule.Idle > time.Hour {
		r.warn(key+".idle", "%v is long for people outside; 1h is the most that is advised", rule.Idle)
	}
}
