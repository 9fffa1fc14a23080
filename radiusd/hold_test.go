package radiusd

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestLeaveAt(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct{ now, ready, delay, want time.Duration }{
		{now: 0, delay: 1000 * ms, want: 1000 * ms},
		{now: 300 * ms, delay: 1000 * ms, want: 1000 * ms},
		{now: 1000 * ms, delay: 1000 * ms, want: 1000 * ms},
		{now: 1001 * ms, delay: 1000 * ms, want: 2000 * ms},
		{now: 300 * ms, ready: 1200 * ms, delay: 1000 * ms, want: 2000 * ms},
		{now: 2300 * ms, ready: 1200 * ms, delay: 1000 * ms, want: 3000 * ms},
		{now: 300 * ms, ready: 1200 * ms, delay: 0, want: 300 * ms},
		{now: -5 * ms, delay: 1000 * ms, want: 1000 * ms}, // the clock was set back
	} {
		var ready time.Time
		if tt.ready > 0 {
			ready = testTime.Add(tt.ready)
		}
		if got := leaveAt(testTime, testTime.Add(tt.now), ready, tt.delay).Sub(testTime); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestHoldBounds(t *testing.T) {
	var h holds
	taken := func(client string, addr byte, ports int) (n int) {
		for port := range ports {
			for h.take(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, addr}), uint16(port)), client) {
				n++
			}
		}
		return n
	}
	if n := taken("a", 1, 1); n != holdsPerPort {
		t.Errorf("%d at one port", n)
	}
	if n := taken("a", 1, 1000); n != holdsPerClient-holdsPerPort {
		t.Errorf("%d more of one client", n)
	}
	for i := range byte(15) {
		if n := taken(fmt.Sprint(i), 10+i, 1000); n != holdsPerClient {
			t.Errorf("%d of another client", n)
		}
	}
	if n := taken("z", 99, 1000); n != 0 || h.all != holdsInAll {
		t.Errorf("%d beyond %d", n, h.all)
	}
}
