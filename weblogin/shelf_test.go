package weblogin

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/gate"
)

func from(addr string) gate.Source { return gate.Source{Addr: netip.MustParseAddr(addr)} }

func TestRowOpensForTenMinutesToItsBrowser(t *testing.T) {
	var s shelf[string]
	id := s.put("kept", "mine", from("192.0.2.1"), testTime)
	for _, at := range []time.Duration{0, shelfLife - 1} {
		if v, ok := s.see(id, "mine", testTime.Add(at)); !ok || v != "kept" {
			t.Errorf("after %v: %q, %v", at, v, ok)
		}
	}
	if _, ok := s.see(id, "other", testTime); ok {
		t.Error("opened to another browser")
	}
	if _, ok := s.see("", "mine", testTime); ok {
		t.Error("no name opened something")
	}
	if _, ok := s.see(id, "mine", testTime.Add(shelfLife)); ok {
		t.Error("opened late")
	}
	if len(s.rows)+len(s.shares)+len(s.queue) != 0 {
		t.Errorf("left over: %v", s.rows)
	}
}

func TestFloodFromOneSourcePushesOutItsOwn(t *testing.T) {
	var s shelf[int]
	kept := s.put(1, "", from("192.0.2.1"), testTime)
	for i := range 3 * shelfBound {
		s.put(i, "", from("2001:db8::1"), testTime)
	}
	if _, ok := s.see(kept, "", testTime); !ok {
		t.Error("a flood from elsewhere pushed it out")
	}
	if n := len(s.rows); n != shelfShare+1 || len(s.queue) > 3*n {
		t.Errorf("%d rows, %d in the queue", n, len(s.queue))
	}
}

func TestFullShelfTakesFromWhoHasMost(t *testing.T) {
	var s shelf[int]
	kept := s.put(1, "", from("192.0.2.1"), testTime)
	for source := range shelfBound/shelfShare + 2 {
		addr := netip.AddrFrom4([4]byte{198, 51, 100, byte(source)})
		for i := range shelfShare {
			s.put(i, "", gate.Source{Addr: addr}, testTime)
		}
	}
	if _, ok := s.see(kept, "", testTime); !ok || len(s.rows) > shelfBound {
		t.Errorf("%d rows, the lone one is there: %v", len(s.rows), ok)
	}
}

func TestOneNetworkOfIPv6IsOneSource(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	} {
		if same := share(from(tt.a)) == share(from(tt.b)); same != tt.same {
			t.Errorf("%s and %s: %v", tt.a, tt.b, same)
		}
	}
}

func TestDroppedRowIsForgotten(t *testing.T) {
	forgotten := 0
	s := shelf[int]{forget: func(*int) { forgotten++ }}
	id := s.put(1, "", gate.Source{}, testTime)
	s.drop(id)
	s.drop(id)
	if _, ok := s.see(id, "", testTime); ok || forgotten != 1 {
		t.Errorf("there: %v, forgotten %d times", ok, forgotten)
	}
}

// A password that waits is not kept until somebody happens to come by.
func TestRowIsForgottenWhenItEndsAndNobodyComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgotten := 0
		s := shelf[int]{forget: func(*int) { forgotten++ }, now: time.Now}
		s.put(1, "", gate.Source{}, time.Now())
		time.Sleep(shelfLife / 2) // in the bubble it takes no time
		s.put(2, "", gate.Source{}, time.Now())
		for i, pause := range []time.Duration{shelfLife/2 - 1, 1, shelfLife / 2} {
			time.Sleep(pause)
			synctest.Wait()
			s.mu.Lock()
			if forgotten != i {
				t.Errorf("%d rows are forgotten, want %d", forgotten, i)
			}
			s.mu.Unlock()
		}
	})
}

func heap() int {
	runtime.GC()
	runtime.GC() // what has a cleanup goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A row must not hold the whole request that it was made from.
func TestFlowsDoNotKeepForms(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	b.get("/login")
	pad, before := strings.Repeat("x", maxForm-1000), heap()
	b.cookies["theme"] = pad // in one header with ours
	for i := range shelfShare {
		b.post("/login", "name", fmt.Sprint("user", i), "pad", pad).goesTo("/login/password")
	}
	if kept := heap() - before; kept > shelfShare*maxForm/4 {
		t.Errorf("%d flows keep %d KB", shelfShare, kept>>10)
	}
	runtime.KeepAlive(r)
}

func TestErrandsDoNotKeepAddresses(t *testing.T) {
	c := newCrossings(t)
	pad, before := strings.Repeat("x", 15_000), heap()
	for range shelfShare {
		wantStatus(t, c.ask("GET", "https://webmail.example.ac.jp/.sekisho/go?to=/inbox&pad="+pad), 303)
	}
	if kept := heap() - before; kept > shelfShare*15_000/4 {
		t.Errorf("%d errands keep %d KB", shelfShare, kept>>10)
	}
	runtime.KeepAlive(c)
}

func TestOneSourceHasItsShareOfTheHold(t *testing.T) {
	var h held
	mine, other := share(from("192.0.2.1")), share(from("192.0.2.2"))
	for range heldShare {
		h.enter(mine)
	}
	if h.enter(mine) || !h.enter(other) {
		t.Error("its share is not its own")
	}
	h.leave(mine)
	if !h.enter(mine) {
		t.Error("what left counts still")
	}
	for i := range maxHeld {
		h.enter(share(gate.Source{Addr: netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})}))
	}
	if h.all != maxHeld {
		t.Errorf("%d in all", h.all)
	}
}
