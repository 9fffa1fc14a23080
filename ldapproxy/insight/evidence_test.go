package insight

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	var h Hours
	at := func(hour int, n uint64) {
		h.turn(testTime.Add(time.Duration(hour)*time.Hour + 59*time.Minute))
		h.Count += n
	}
	at(0, 5)
	at(0, 2)
	at(1, 3)
	if h.Count != 3 || h.Before != 7 || h.Most != 7 || !h.Busiest.Equal(testTime) {
		t.Errorf("%+v", h)
	}
	at(3, 1)
	if h.Count != 1 || h.Before != 0 || h.Most != 7 {
		t.Errorf("%+v", h)
	}
	at(2, 1) // the clock went back
	if h.Count != 2 || !h.Began.Equal(testTime.Add(3*time.Hour)) {
		t.Errorf("%+v", h)
	}
}

func TestWhatIsMissedIsBounded(t *testing.T) {
	e := newEvidence(testTime)
	for n := range 100 {
		e.MissedControl(fmt.Sprintf("1.2.%d", n), testTime)
	}
	e.MissedOperation("a name", testTime)
	e.MissedOperation(strings.Repeat("1.", 100), testTime)
	i := e.Tell(testTime)
	if len(i.Controls) != maxOIDs+1 || i.Controls["others"].Count != 100-maxOIDs || i.Controls["1.2.0"].Count != 1 {
		t.Errorf("%d: %v", len(i.Controls), i.Controls)
	}
	if len(i.Operations) != 1 || i.Operations["others"].Count != 2 {
		t.Errorf("%v", i.Operations)
	}
}
