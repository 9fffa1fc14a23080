package otp

import (
	"crypto/subtle"
	"math"
	"slices"
	"time"
)

// Found says what a typed code turned out to be.
type Found int

// What a code can be; the zero value is worth nothing.
const (
	None  Found = iota // it fits no step near now
	Fresh              // in the window and not burnt: the only one that counts as a factor
	Used               // it fits a step that is burnt
	Near               // within ten steps of now, but outside the window
)

// String is the word for logs and tests.
func (f Found) String() string {
	switch f {
	case Fresh:
		return "fresh"
	case Used:
		return "used"
	case Near:
		return "near"
	}
	return "none"
}

// Match is what became of one code. Used and Near are refused like None, but
// only the holder of the device, or somebody who watched, can have typed them.
type Match struct {
	Found  Found
	Step   int64 // the step or counter to burn; 0 when None
	Offset int   // steps ahead of now: the token's next Drift. HOTP: counters skipped
}

// Match finds the step that code belongs to. It consumes nothing: the caller
// burns Step, and a Fresh match counts only when that burn succeeded.
//
// The window lies around now. A drift inside it only says which step is tried
// first. A larger one, which only [Token.Resync] measures, brings a window of
// its own, and the one around now stays, for the day the device's clock is set
// right (RFC 6238 §6).
func (t Token) Match(code []byte, now time.Time) Match {
	d, ok := t.device()
	if !ok || !d.wellFormed(code) {
		return Match{}
	}
	if t.Kind == HOTP {
		return d.matchCounter(code)
	}
	return d.matchStep(code, d.step(now))
}

func (d device) matchStep(code []byte, now int64) Match {
	inside := d.around(now, d.window)
	var refused Match
	for _, step := range inside {
		if !d.is(code, step) {
			continue
		}
		m := Match{Found: Fresh, Step: step, Offset: int(step - now)}
		if step > d.last {
			return m
		}
		// Two steps can share a code, so a fresh one may still follow.
		if refused.Found == None {
			m.Found = Used
			refused = m
		}
	}
	if refused.Found != None {
		return refused
	}
	for _, step := range d.around(now, nearby) {
		if slices.Contains(inside, step) || !d.is(code, step) {
			continue
		}
		m := Match{Found: Near, Step: step, Offset: int(step - now)}
		if step <= d.last {
			m.Found = Used
		}
		return m
	}
	return Match{}
}

// around lists the steps at most reach away from now, or from where the device
// has drifted to: the likeliest first, none twice.
func (d device) around(now, reach int64) []int64 {
	steps := make([]int64, 0, 4*reach+2)
	add := func(step int64) {
		if step >= 0 && !slices.Contains(steps, step) {
			steps = append(steps, step)
		}
	}
	add(now + d.drift)
	for i := range reach + 1 {
		add(now - i)
		add(now + i)
	}
	if d.drift < -d.window || d.drift > d.window {
		for i := range reach + 1 {
			add(now + d.drift - i)
			add(now + d.drift + i)
		}
	}
	return steps
}

func (d device) matchCounter(code []byte) Match {
	if d.last > math.MaxInt64-lookAhead {
		return Match{} // no counter left to look ahead to
	}
	for skipped := range int64(lookAhead) {
		if step := d.last + 1 + skipped; d.is(code, step) {
			return Match{Found: Fresh, Step: step, Offset: int(skipped)}
		}
	}
	for step := d.last; step >= 0 && step > d.last-lookAhead; step-- {
		if d.is(code, step) {
			return Match{Found: Used, Step: step, Offset: int(step - d.last - 1)}
		}
	}
	return Match{}
}

func (d device) is(code []byte, step int64) bool {
	return subtle.ConstantTimeCompare(code, []byte(d.code(step))) == 1
}

// wellFormed spares the HMACs for what can't be a code.
func (d device) wellFormed(code []byte) bool {
	return len(code) == d.opts.Digits.Length() && digitsOnly(code)
}
