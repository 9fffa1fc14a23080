package insight

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

func TestRebinds(t *testing.T) {
	r := newRuns()
	at := testTime
	bind := func(after time.Duration, name string, success bool) {
		at = at.Add(after)
		r.bind(name, success, at)
	}
	bind(0, "alice", false) // nobody yet
	bind(0, "alice", true)
	bind(time.Minute, "ALICE", true)
	bind(3*time.Minute, "alice", false)
	bind(0, "bob", true)
	bind(10*time.Minute, "alice", true) // 14 min in all
	bind(10*time.Minute+time.Second, "alice", false)
	got := r.tell(at)
	if got.SignIns != 2 || got.Binds != 5 || got.Refused != 1 || got.Longest != 840 || got.Ongoing != 0 {
		t.Errorf("%+v", got)
	}
	if got.Idle < 600 || got.Idle > 800 || got.Max != 840 {
		t.Errorf("idle %v, max %v", got.Idle, got.Max)
	}
	if ratio := got.PerSignIn(); ratio != 2.5 {
		t.Errorf("%v binds a sign-in", ratio)
	}

	// One that goes on counts already.
	bind(0, "carol", true)
	for range 100 {
		bind(5*time.Minute, "carol", true)
	}
	if got := r.tell(at); got.Longest != 30000 || got.Ongoing != 1 || got.Max != 30000 {
		t.Errorf("%+v", got)
	}

	again := newRuns()
	again.recall(got)
	if told := again.tell(at); !reflect.DeepEqual(told, got) {
		t.Errorf("recalled %+v, told %+v", told, got)
	}
}

func TestRebindsAreBounded(t *testing.T) {
	r := newRuns()
	for n := range 2 * maxRuns {
		r.bind(fmt.Sprint(n), true, testTime)
	}
	if len(r.going) != maxRuns {
		t.Errorf("%d sign-ins", len(r.going))
	}
	r.bind("new", true, testTime.Add(11*time.Minute))
	if len(r.going) != 1 {
		t.Errorf("%d sign-ins after all are over", len(r.going))
	}
}
