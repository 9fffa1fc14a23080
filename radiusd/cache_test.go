package radiusd

import (
	"net/netip"
	"testing"
	"time"
)

func slotOf(n int) slot {
	return slot{from: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(n>>8)), code: 1, identifier: byte(n)}
}

func fill(t *testing.T, c *cache, client string, from, n int, now time.Time) {
	t.Helper()
	for i := from; i < from+n; i++ {
		s, e := c.meet(slotOf(i), uint64(i), client, now)
		if s != fresh {
			t.Fatalf("request %d is %d", i, s)
		}
		if !c.settle(e, make([]byte, 100), now) {
			t.Fatalf("request %d is stale", i)
		}
	}
}

func keptOf(c *cache, from, n int, now time.Time) (count int) {
	for i := from; i < from+n; i++ {
		if e := c.slots[slotOf(i)]; e != nil && e.reply != nil && now.Before(e.until) {
			count++
		}
	}
	return count
}

func (c *cache) check(t *testing.T) {
	t.Helper()
	entries, octets := 0, 0
	for _, e := range c.slots {
		if e.reply != nil {
			entries++
			octets += e.cost()
		}
	}
	inLists := 0
	for _, a := range c.clients {
		inLists += a.list.Len()
	}
	if entries != c.entries || octets != c.octets || inLists != entries {
		t.Errorf("%d entries of %d octets, counted %d, %d, in lists %d", entries, octets, c.entries, c.octets, inLists)
	}
}

// A flood of one client evicts its own kept replies, never another's.
func TestFloodDoesNotEvictAnothers(t *testing.T) {
	for name, l := range map[string]limits{
		"by entries":     {entries: 50, octets: 1 << 20, allEntries: 1000, allOctets: 1 << 20},
		"by octets":      {entries: 1000, octets: 50 * (entryCost + 100), allEntries: 1000, allOctets: 1 << 20},
		"by all entries": {entries: 1000, octets: 1 << 20, allEntries: 60, allOctets: 1 << 20},
		"by all octets":  {entries: 1000, octets: 1 << 20, allEntries: 1000, allOctets: 60 * (entryCost + 100)},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(l)
			fill(t, c, "quiet", 0, 10, testTime)
			fill(t, c, "flood", 1000, 500, testTime)
			if n := keptOf(c, 0, 10, testTime); n != 10 {
				t.Errorf("%d of 10 kept", n)
			}
			if n := keptOf(c, 1450, 50, testTime); n != 50 {
				t.Errorf("%d of the flood's last 50 kept", n)
			}
			if n := keptOf(c, 1000, 440, testTime); n != 0 {
				t.Errorf("%d of the flood's first kept", n)
			}
			c.check(t)
		})
	}
}

func TestKeptRepliesExpire(t *testing.T) {
	c := newCache(keptLimits)
	fill(t, c, "gone", 0, 10, testTime)
	fill(t, c, "here", 20, 10, testTime)
	later := testTime.Add(keepFor)
	if s, _ := c.meet(slotOf(0), 0, "gone", later.Add(-1)); s != answered {
		t.Errorf("just before: %d", s)
	}
	if s, _ := c.meet(slotOf(0), 0, "gone", later); s != fresh {
		t.Errorf("expired: %d", s)
	}
	fill(t, c, "here", 100, 1, later)
	if len(c.slots) != 2 || len(c.clients) != 1 {
		t.Errorf("%d slots and %d clients left", len(c.slots), len(c.clients))
	}
	c.check(t)
}

func TestForgetAndStale(t *testing.T) {
	c := newCache(keptLimits)
	_, first := c.meet(slotOf(1), 1, "a", testTime)
	_, second := c.meet(slotOf(1), 2, "a", testTime)
	if !first.stale.Load() || second.stale.Load() {
		t.Error("the older is not stale, or the newer is")
	}
	c.forget(first) // no longer in its slot: nothing happens
	if s, _ := c.meet(slotOf(1), 2, "a", testTime); s != inWork {
		t.Errorf("standing %d", s)
	}
	if c.settle(first, []byte("x"), testTime) {
		t.Error("a stale answer was kept")
	}
	c.forget(second)
	if s, _ := c.meet(slotOf(1), 2, "a", testTime); s != fresh {
		t.Errorf("standing %d", s)
	}
	c.check(t)
}

func TestSlotsTellAddressesApart(t *testing.T) {
	c := newCache(keptLimits)
	at := slotOf(1)
	c.meet(at, 1, "a", testTime)
	at.to = netip.MustParseAddr("127.0.0.2")
	if s, _ := c.meet(at, 2, "a", testTime); s != fresh {
		t.Errorf("standing %d", s)
	}
	if e := c.slots[slotOf(1)]; e == nil || e.stale.Load() {
		t.Error("a request to one address replaced that to another")
	}
}
