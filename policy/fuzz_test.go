package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzDecide draws a policy and an attempt and holds the answer against the
// rules read out plainly.
func FuzzDecide(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed, seed*7+1)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		draw := rand.New(rand.NewPCG(a, b))
		some := func(from ...string) []string {
			if draw.IntN(2) == 0 {
				return nil
			}
			draw.Shuffle(len(from), func(i, k int) { from[i], from[k] = from[k], from[i] })
			return from[:1+draw.IntN(len(from))]
		}
		var rules []Rule
		for i := range 1 + draw.IntN(6) {
			r := Rule{
				Name: fmt.Sprint("r", i), Door: some("radius", "ldap", "web"), Service: some("mail", "vpn"),
				Zone: some("campus", "vpn", OffCampus), User: some("a*", "ab", "b?"), Group: some("staff", "st*"),
			}
			if r.Deny = draw.IntN(3) == 0; !r.Deny {
				for range 1 + draw.IntN(3) {
					r.Need = append(r.Need, set(1+draw.IntN(int(AppPassword.bit()))).list()) // the last is that factor alone
				}
				r.Reuse = time.Duration(draw.IntN(12)) * time.Hour
			}
			rules = append(rules, r)
		}
		services := []string{"mail", "vpn"}
		p, err := New(campusZones(t), services, rules)
		checked := err == nil
		if !checked {
			// Some draws are faulty; what is dead must then be dead in truth,
			// so the compiled rules are asked all the same.
			p = &Policy{}
			for _, r := range rules {
				p.rules = append(p.rules, compile(r))
			}
			for s := range set(sets) {
				p.proves[s] = s.list()
			}
		}
		one := func(from ...string) string { return from[draw.IntN(len(from))] }
		for range 50 {
			at := Attempt{
				Door: one("radius", "ldap", "web"), Service: one(services...), Zone: one("campus", "vpn", OffCampus, ""),
				User: one("a", "ab", "bc", "c", ""), Groups: some("staff", "st", "x"), At: at, Shown: map[Factor]time.Time{},
				Throttled: draw.IntN(8) == 0,
			}
			for _, f := range append([]Factor{"sms"}, factors[:]...) {
				if draw.IntN(2) == 0 {
					at.Shown[f] = at.At.Add(-time.Duration(draw.IntN(14)) * time.Hour)
				}
			}
			got := p.Decide(at)
			want := plainly(rules, at)
			if got.Verdict != want.Verdict || got.Rule != want.Rule || got.Why != want.Why ||
				!reflect.DeepEqual(got.Need, want.Need) || !reflect.DeepEqual(got.Proves, want.Proves) {
				t.Fatalf("%+v\n%+v\n got %s\nwant %s", rules, at, brief(got), brief(want))
			}
			decides := slices.IndexFunc(p.Explain(at), func(l Line) bool { return l.Decides })
			if (decides < 0) != (got.Rule == "") || decides >= 0 && rules[decides].Name != got.Rule {
				t.Fatalf("Explain says %d, Decide says %q", decides, got.Rule)
			}
			if checked && got.Verdict != Deny && !p.Serves(at.Door, at.Service, at.Zone) {
				t.Fatalf("not served, but %s", brief(got))
			}
			if faults, ok := err.(Faults); ok {
				for _, fault := range faults {
					if fault.Key == "" && rules[fault.Rule].Name == got.Rule {
						t.Fatalf("%v, yet it decided\n%+v", fault, at)
					}
				}
			}
		}
	})
}

// plainly reads the rules out in the slowest and simplest way.
func plainly(rules []Rule, a Attempt) Decision {
	if a.Zone == "" {
		a.Zone = OffCampus
	}
	has := func(patterns []string, values ...string) bool {
		for _, pattern := range patterns {
			for _, value := range values {
				if ok, _ := path.Match(pattern, value); ok {
					return true
				}
			}
		}
		return len(patterns) == 0
	}
	for _, r := range rules {
		if !has(r.Door, a.Door) || !has(r.Service, a.Service) || !has(r.Zone, a.Zone) || !has(r.User, a.User) || !has(r.Group, a.Groups...) {
			continue
		}
		reuse := r.Reuse
		if reuse == 0 {
			reuse = 12 * time.Hour
		}
		fresh := map[Factor]bool{}
		for f, when := range a.Shown {
			fresh[f] = !a.At.After(when.Add(reuse))
		}
		d := Decision{Verdict: Ask, Rule: r.Name, Why: WhyMissing}
		switch {
		case a.Throttled:
			return Decision{Rule: r.Name, Why: WhyThrottled}
		case r.Deny:
			return Decision{Rule: r.Name, Why: WhyDenied}
		}
		for _, need := range r.Need {
			var rest Need
			for _, f := range []Factor{Password, OTP, Certificate, Passkey, Recovery, AppPassword} {
				if slices.Contains(need, f) && !fresh[f] {
					rest = append(rest, f)
				}
			}
			if len(rest) == 0 {
				d.Verdict, d.Why = Allow, WhyNone
			}
			if !slices.ContainsFunc(d.Need, func(n Need) bool { return n.String() == rest.String() }) {
				d.Need = append(d.Need, rest)
			}
		}
		if d.Verdict == Allow {
			d.Need = nil
			for _, f := range []Factor{Password, OTP, Certificate, Passkey, Recovery, AppPassword} {
				if fresh[f] {
					d.Proves = append(d.Proves, f)
				}
			}
		}
		return d
	}
	return Decision{Why: WhyNoRule}
}

// FuzzZoneOf holds the longest prefix against a walk over all of them.
func FuzzZoneOf(f *testing.F) {
	for _, addr := range []string{"192.0.2.1", "192.0.2.129", "::ffff:198.51.100.1", "2001:db8:1::1%x", "", "::"} {
		f.Add(addr)
	}
	zones := campusZones(f)
	f.Fuzz(func(t *testing.T, text string) {
		addr, _ := netip.ParseAddr(text)
		want, longest := OffCampus, -1
		for _, zone := range zones.list {
			for _, prefix := range zone.Prefixes {
				if prefix.Contains(addr.Unmap().WithZone("")) && prefix.Bits() > longest {
					want, longest = zone.Name, prefix.Bits()
				}
			}
		}
		if got := zones.Of(addr).Name; got != want {
			t.Errorf("%v: %s, want %s", addr, got, want)
		}
		if prefix, err := ParsePrefix(text); err == nil && strings.Contains(prefix.String(), "%") {
			t.Errorf("%q: %v", text, prefix)
		}
	})
}
