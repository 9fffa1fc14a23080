package policy

import "strings"

// factors gives each factor its bit in a set, and the order in which factors
// are listed.
var factors = [...]Factor{Password, OTP, Certificate, Passkey, Recovery, AppPassword}

// set is a set of factors, one bit each. There are few enough of them that
// every answer can be laid out in advance, by set.
type set uint8

const sets = 1 << len(factors)

// bit is 0 for what is no factor.
func (f Factor) bit() set {
	for i, known := range factors {
		if f == known {
			return 1 << i
		}
	}
	return 0
}

func setOf(list []Factor) set {
	var s set
	for _, f := range list {
		s |= f.bit()
	}
	return s
}

// list spells the set out, in the order of factors.
func (s set) list() []Factor {
	var list []Factor
	for i, f := range factors {
		if s&(1<<i) != 0 {
			list = append(list, f)
		}
	}
	return list
}

// within says whether every factor of s is in t.
func (s set) within(t set) bool { return s&^t == 0 }

// ParseNeed reads an alternative as the configuration spells it: factors
// joined by +. What is no factor stays in the Need, for [New] to refuse.
func ParseNeed(text string) Need {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var need Need
	for f := range strings.SplitSeq(text, "+") {
		need = append(need, Factor(strings.TrimSpace(f)))
	}
	return need
}

// String spells the alternative as the configuration does: password+otp.
func (n Need) String() string {
	names := make([]string, len(n))
	for i, f := range n {
		names[i] = string(f)
	}
	return strings.Join(names, "+")
}
