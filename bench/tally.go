package main

import (
	"math"
	"time"
)

// Tally is what a Load counted.
type Tally struct {
	Sent     int
	Accepted int
	Refused  int
	Lost     int
	Copies   int           // of requests that had been sent before
	Forged   int           // replies that were not authentic
	Stray    int           // replies to nothing that was outstanding
	Took     time.Duration // from the first request to the last reply
	Latency  []uint32      // µs, sorted
}

// Answered is how many requests had a reply.
func (t *Tally) Answered() int { return t.Accepted + t.Refused }

// Rate is how many were answered a second.
func (t *Tally) Rate() float64 {
	if t.Took == 0 {
		return 0
	}
	return float64(t.Answered()) / t.Took.Seconds()
}

// Quantile is the latency that the part q of the answered requests was within.
func (t *Tally) Quantile(q float64) time.Duration {
	if len(t.Latency) == 0 {
		return 0
	}
	rank := max(1, int(math.Ceil(q*float64(len(t.Latency)))))
	return time.Duration(t.Latency[rank-1]) * time.Microsecond
}
