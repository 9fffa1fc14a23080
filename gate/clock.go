package gate

import (
	"errors"
	"sync"
	"time"
)

const (
	clockStep  = 30 * time.Second
	clockQuiet = 60 * time.Second
)

// errClock: codes depend on the time, and the time can't be trusted now.
var errClock = errors.New("the clock has jumped: codes are judged again once it is steady for a minute and not behind the book; " +
	"if it is right now, run: sekisho otp clock accept")

// clock watches the wall clock for jumps, beside one that never jumps. After
// a jump back, codes that were burnt could fit again; after a jump forward (a
// machine resumed) the time may still be set.
type clock struct {
	now    func() time.Time
	steadi func() time.Duration

	mu     sync.Mutex
	wall   time.Time
	mono   time.Duration
	quiet  time.Duration // codes resume when mono is here
	offset time.Duration // of the last jump
}

func (c *clock) start(now func() time.Time, steady func() time.Duration) {
	if steady == nil {
		from := time.Now()
		steady = func() time.Duration { return time.Since(from) }
	}
	c.now, c.steadi = now, steady
	c.wall, c.mono = now(), steady()
}

// steady reports whether codes can be judged. newest is the newest booked
// time.
func (c *clock) steady(newest time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, mono := c.now(), c.steadi()
	passed := mono - c.mono
	jump := wall.Sub(c.wall) - passed
	// A clock that is being slewed gains or loses up to a thousandth.
	if jump > clockStep+passed/1000 {
		c.quiet, c.offset = mono+clockQuiet, jump
	}
	c.wall, c.mono = wall, mono
	return mono >= c.quiet && wall.After(newest.Add(-clockStep))
}

// Clock is what the health page tells of the time.
type Clock struct {
	Steady bool          `json:"steady"` // codes are judged
	Behind time.Duration `json:"behind"` // the newest booked time; 0: not
	Jumped time.Duration `json:"jumped"` // the last jump forward
}

// Clock looks at the clock.
func (g *Gate) Clock() Clock {
	newest := g.Store.Newest()
	steady := g.clock.steady(newest)
	g.clock.mu.Lock()
	defer g.clock.mu.Unlock()
	return Clock{Steady: steady, Behind: max(0, newest.Sub(g.Now())), Jumped: g.clock.offset}
}
