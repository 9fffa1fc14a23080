package otp

import (
	"math"
	"time"
)

// Resync finds a device that is out of step, by two codes it showed one after
// the other (RFC 4226 §7.4, RFC 6238 §6). It searches 1,000 counters ahead, or
// 100 steps to either side of now; two codes together are hard enough to guess
// for so wide a search. What is burnt is never found again.
//
// The caller burns last, conditionally like any step, and keeps drift. When ok
// is false nothing was found, and last and drift are the token's own.
func (t Token) Resync(code1, code2 []byte, now time.Time) (last int64, drift int, ok bool) {
	d, sound := t.device()
	if !sound || !d.wellFormed(code1) || !d.wellFormed(code2) {
		return t.Last, t.Drift, false
	}
	pair := func(first int64) bool {
		return first > d.last && first >= 0 && d.is(code1, first) && d.is(code2, first+1)
	}
	if t.Kind == HOTP {
		if d.last > math.MaxInt64-searchCounters-1 {
			return t.Last, t.Drift, false
		}
		for i := range int64(searchCounters) {
			if first := d.last + 1 + i; pair(first) {
				return first + 1, 0, true
			}
		}
		return t.Last, t.Drift, false
	}

	// The second code is the one the device shows now.
	current := d.step(now)
	for i := range int64(searchSteps + 1) {
		for _, second := range []int64{current - i, current + i} {
			if pair(second - 1) {
				return second, int(second - current), true
			}
		}
	}
	return t.Last, t.Drift, false
}
