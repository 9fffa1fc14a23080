package insight

import (
	"hash/maphash"
	"strings"
	"time"

	"sekisho/internal/histogram"
)

// Rebinds is how often programs bind again with what was typed once. Binds of
// one person at one application, each within ten minutes of the one before,
// are one sign-in, which begins with a success.
type Rebinds struct {
	SignIns uint64   `json:"sign_ins"`
	Binds   uint64   `json:"binds"`           // of these sign-ins, the first ones included
	Refused uint64   `json:"refused"`         // of them
	Idle    float64  `json:"idle_seconds"`    // 99 % come at the most so long after the one before
	Max     float64  `json:"max_seconds"`     // 95 % of the sign-ins with more than one bind last no longer
	Gaps    []uint64 `json:"gaps,omitempty"`  // how often, by the buckets of histogram.Durations, from a second on
	Spans   []uint64 `json:"spans,omitempty"` // likewise
	Ongoing int      `json:"ongoing"`         // sign-ins that may go on
	Longest float64  `json:"longest_seconds"` // of all
}

const (
	runGap    = 10 * time.Minute // what comes later is another sign-in
	maxRuns   = 4096             // of one application at once; what is more is not looked at
	sweepRuns = time.Minute      // between two looks for those that are over, when there are so many
)

// runs are the sign-ins that may go on. Names stand here as hashes under a key
// of this process: people type passwords there, too.
type runs struct {
	seed    maphash.Seed
	going   map[uint64]run
	told    Rebinds // counts of those that are over, too
	gaps    histogram.Durations
	spans   histogram.Durations
	longest time.Duration
	swept   time.Time // when those that are over were looked for
}

// run is one sign-in.
type run struct{ began, last time.Time }

func newRuns() runs {
	return runs{
		seed: maphash.MakeSeed(), going: make(map[uint64]run),
		gaps: histogram.Durations{Finest: time.Second}, spans: histogram.Durations{Finest: time.Second},
	}
}

// bind notes a bind, and reports whether it is one more of a sign-in.
func (r *runs) bind(name string, success bool, now time.Time) (again bool) {
	who := maphash.String(r.seed, strings.ToLower(name))
	at, going := r.going[who]
	if going && now.Sub(at.last) > runGap {
		r.end(who, at)
		going = false
	}
	switch {
	case going:
		r.gaps.Add(now.Sub(at.last))
		at.last = now
		if r.going[who] = at; !success {
			r.told.Refused++
		}
	case !success:
		return false
	default:
		if len(r.going) >= maxRuns && now.Sub(r.swept) > sweepRuns {
			r.sweep(now)
		}
		if len(r.going) >= maxRuns {
			return false
		}
		r.going[who] = run{now, now}
		r.told.SignIns++
	}
	r.told.Binds++
	return going
}

// end counts a sign-in that is over.
func (r *runs) end(who uint64, at run) {
	delete(r.going, who)
	if at.last.After(at.began) {
		r.spans.Add(at.last.Sub(at.began))
		r.longest = max(r.longest, at.last.Sub(at.began))
	}
}

// sweep ends those that are over.
func (r *runs) sweep(now time.Time) {
	r.swept = now
	for who, at := range r.going {
		if now.Sub(at.last) > runGap {
			r.end(who, at)
		}
	}
}

func (r *runs) tell(now time.Time) Rebinds {
	r.sweep(now)
	told := r.told
	told.Ongoing = len(r.going)
	spans := histogram.Durations{Finest: time.Second}
	spans.Recall(r.spans.Tell())
	longest := r.longest
	for _, at := range r.going {
		if span := at.last.Sub(at.began); span > 0 {
			spans.Add(span)
			longest = max(longest, span)
		}
	}
	told.Gaps, told.Spans = r.gaps.Tell(), r.spans.Tell()
	told.Longest = longest.Seconds()
	told.Idle = histogram.Quantile(told.Gaps, .99, time.Second).Seconds()
	told.Max = min(histogram.Quantile(spans.Tell(), .95, time.Second), longest.Round(time.Second)).Seconds()
	return told
}

func (r *runs) recall(kept Rebinds) {
	r.told.SignIns += kept.SignIns
	r.told.Binds += kept.Binds
	r.told.Refused += kept.Refused
	r.gaps.Recall(kept.Gaps)
	r.spans.Recall(kept.Spans)
	r.longest = max(r.longest, time.Duration(kept.Longest*float64(time.Second)))
}
