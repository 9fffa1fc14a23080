package radiusd

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts durations in buckets, four to each doubling, of a tenth of
// a millisecond at the least. Its zero value is ready.
type histogram [64]atomic.Uint64

const finest = 100 * time.Microsecond

// bucket is where a duration is counted; the last one takes what is longer.
func (h *histogram) bucket(d time.Duration) int {
	n := uint64(max(0, d) / finest)
	octave := max(0, bits.Len64(n)-3) // n>>octave is 4 to 7, but for the first four
	return min(4*octave+int(n>>octave), len(h)-1)
}

// bound is where a bucket ends and the next one begins.
func bound(bucket int) time.Duration {
	octave := max(0, bucket/4-1)
	return time.Duration(bucket-4*octave+1) << octave * finest
}

func (h *histogram) add(d time.Duration) { h[h.bucket(d)].Add(1) }

// tell is the counts, without empty buckets at the end.
func (h *histogram) tell() []uint64 {
	var counts []uint64
	for i := range h {
		if n := h[i].Load(); n > 0 {
			counts = append(append(counts, make([]uint64, i-len(counts))...), n)
		}
	}
	return counts
}

func (h *histogram) recall(counts []uint64) {
	for i, n := range counts {
		h[min(i, len(h)-1)].Add(n)
	}
}

// quantile is the time in milliseconds within which this share of what was
// counted lies, rounded up to a bucket's bound; 0 if nothing was.
func quantile(counts []uint64, share float64) float64 {
	var all, below uint64
	for _, n := range counts {
		all += n
	}
	for i, n := range counts {
		if below += n; float64(below) >= share*float64(all) {
			return float64(bound(i)) / float64(time.Millisecond)
		}
	}
	return 0
}
