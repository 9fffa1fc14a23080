package config

import "sekisho/policy"

// Password is how passwords are chosen and hashed.
type Password struct {
	MinLength int // code points
	Workers   int // 0: one a processor
	Argon2    Argon2
}

// Argon2 is the cost of a new hash (RFC 9106 section 3.1).
type Argon2 struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// Least lengths of a password, NIST SP 800-63B-4 section 3.1.1.2: where it
// is the only factor, and where it is one of several.
const (
	leastAlone  = 15
	leastBeside = 8
)

func readPassword(t *table) Password {
	p := Password{
		MinLength: t.number("min_length", 0, 0, 64),
		Workers:   t.number("workers", 0, 0, 1024),
	}
	if p.MinLength > 0 && p.MinLength < leastBeside {
		t.fault("min_length", "%d is too short for anybody; write %d or more, or take it out", p.MinLength, leastBeside)
	}
	a := t.table("argon2")
	memory := a.size("memory", 19<<20)
	if memory < 1<<20 || memory > 256<<20 {
		a.fault("memory", "is out of bounds; choose between 1MiB and 256MiB")
		memory = 19 << 20
	}
	p.Argon2 = Argon2{
		Memory:  uint32(memory >> 10),
		Time:    uint32(a.number("time", 2, 1, 10)),
		Threads: uint8(a.number("threads", 1, 1, 16)),
	}
	// The weakest of the settings that OWASP holds to be equal is 7 MiB, 5 passes.
	if memory*int64(p.Argon2.Time) < 35<<20 {
		a.warn("memory", "memory and time are less than what is advised; 19MiB with time = 2 is")
	}
	a.close()
	t.close()
	return p
}

// settle chooses the least length once it is known what the rules admit by.
// Without a policy there are faults already.
func (p *Password) settle(r *reader, rules *policy.Policy) {
	alone := rules.PasswordAlone()
	switch {
	case p.MinLength == 0 && alone:
		p.MinLength = leastAlone
	case p.MinLength == 0:
		p.MinLength = leastBeside
	case alone && p.MinLength >= leastBeside && p.MinLength < leastAlone:
		r.warn("password.min_length", "a rule admits by a password alone, %d is short for that; write %d or take it out", p.MinLength, leastAlone)
	}
}
