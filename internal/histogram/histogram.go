// Package histogram counts how long things took.
package histogram

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Durations counts durations in buckets, four to each doubling, so that what
// was counted can be told, kept and gone on from. Its zero value is ready.
type Durations struct {
	// Finest is the width of the first buckets. With the default the last of
	// them begins at 11 s, with a second at 32 h. 0: a tenth of a millisecond.
	Finest time.Duration

	buckets [64]atomic.Uint64
}

const finest = 100 * time.Microsecond

// bucket is where a duration is counted; the last one takes what is longer.
func (d *Durations) bucket(took time.Duration) int {
	n := uint64(max(0, took) / width(d.Finest))
	octave := max(0, bits.Len64(n)-3) // n>>octave is 4 to 7, but for the first four
	return min(4*octave+int(n>>octave), len(d.buckets)-1)
}

func width(w time.Duration) time.Duration {
	if w == 0 {
		return finest
	}
	return w
}

// bound is where a bucket ends and the next one begins.
func bound(bucket int, w time.Duration) time.Duration {
	octave := max(0, bucket/4-1)
	return time.Duration(bucket-4*octave+1) << octave * width(w)
}

// Add counts one.
func (d *Durations) Add(took time.Duration) { d.buckets[d.bucket(took)].Add(1) }

// Tell is the counts, without empty buckets at the end.
func (d *Durations) Tell() []uint64 {
	var counts []uint64
	for i := range d.buckets {
		if n := d.buckets[i].Load(); n > 0 {
			counts = append(append(counts, make([]uint64, i-len(counts))...), n)
		}
	}
	return counts
}

// Recall adds what was told once, with the same Finest.
func (d *Durations) Recall(counts []uint64) {
	for i, n := range counts {
		d.buckets[min(i, len(d.buckets)-1)].Add(n)
	}
}

// Quantile is the time within which this share of what was told lies, rounded
// up to the end of a bucket; 0 if nothing was.
func Quantile(counts []uint64, share float64, finest time.Duration) time.Duration {
	var all, below uint64
	for _, n := range counts {
		all += n
	}
	for i, n := range counts {
		if below += n; float64(below) >= share*float64(all) {
			return bound(i, finest)
		}
	}
	return 0
}
