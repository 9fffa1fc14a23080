package config

import (
	"net/netip"
	"time"
)

// Throttle slows guessing down.
type Throttle struct {
	Enabled     bool
	DryRun      bool          // book what would have happened, delay nobody
	First       time.Duration // the delay after the first failure; doubles with each
	Longest     time.Duration
	Spray       int           // people failing from one source within SprayWindow
	SprayWindow time.Duration // before that source is slowed down
	CodesADay   int           // wrong codes a person and day
	Never       []netip.Prefix
}

func readThrottle(t *table) Throttle {
	th := Throttle{
		Enabled:     t.flag("enabled", true),
		DryRun:      t.flag("dry_run", false),
		First:       t.between("first", time.Second, 100*time.Millisecond, time.Minute),
		Longest:     t.between("longest", 15*time.Minute, time.Second, 24*time.Hour),
		Spray:       t.number("spray", 20, 2, 100_000),
		SprayWindow: t.between("spray_window", 10*time.Minute, time.Minute, 24*time.Hour),
		CodesADay:   t.number("codes_a_day", 100, 10, 100_000),
		Never:       t.prefixes("never"),
	}
	if th.First > th.Longest {
		t.fault("first", "%v is longer than longest, %v; make it the shorter one", th.First, th.Longest)
	}
	for _, prefix := range th.Never {
		if prefix.Bits() == 0 {
			t.fault("never", "%v is the whole world; write enabled = false if you mean it", prefix)
		}
	}
	if !th.Enabled {
		t.warn("enabled", "passwords and codes can be guessed without end; take it out")
	} else if th.DryRun {
		t.warn("dry_run", "nobody is delayed, it is only booked; take it out when the book looks right")
	}
	t.close()
	return th
}
