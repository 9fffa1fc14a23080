package histogram

import (
	"slices"
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for _, finest := range []time.Duration{0, time.Second} {
		d := Durations{Finest: finest}
		last := len(d.buckets) - 1
		before := time.Duration(-1)
		for i := range d.buckets {
			end := bound(i, finest)
			if end <= before {
				t.Fatalf("bucket %d ends at %v, the one before at %v", i, end, before)
			}
			if got := d.bucket(end - 1); got != i {
				t.Errorf("%v is in bucket %d, want %d", end-1, got, i)
			}
			if got := d.bucket(end); got != min(i+1, last) {
				t.Errorf("%v is in bucket %d, want %d", end, got, i+1)
			}
			if before >= 10*width(finest) && float64(end)/float64(before) > 1.26 {
				t.Errorf("bucket %d is wide: %v to %v", i, before, end)
			}
			before = end
		}
		if before < 100_000*width(finest) {
			t.Errorf("the last bucket ends at %v", before)
		}
		if d.bucket(-time.Second) != 0 || d.bucket(1000*time.Hour) != last {
			t.Error("out of bounds")
		}
	}
}

func TestQuantile(t *testing.T) {
	var d Durations
	for range 98 {
		d.Add(150 * time.Microsecond)
	}
	d.Add(-time.Second)
	d.Add(time.Hour)
	counts, last := d.Tell(), len(d.buckets)-1
	for share, want := range map[float64]time.Duration{
		.01: 100 * time.Microsecond, .5: 200 * time.Microsecond, .98: 200 * time.Microsecond, .99: 200 * time.Microsecond, 1: bound(last, 0),
	} {
		if got := Quantile(counts, share, 0); got != want {
			t.Errorf("%v: %v, want %v", share, got, want)
		}
	}
	if Quantile(nil, .5, 0) != 0 {
		t.Error("a quantile of nothing")
	}
	var other Durations
	other.Recall(append(slices.Clone(counts), 7)) // by a version with more buckets
	if n := other.Tell(); n[last] != 8 || n[1] != 98 {
		t.Errorf("recalled %v", n)
	}
}
