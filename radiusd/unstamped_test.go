package radiusd

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"sekisho/gate"
)

// The gate can't tell a copy by its time where that is when it came.
func TestRecordWithoutEventTimestamp(t *testing.T) {
	for name, tt := range map[string]struct {
		parts     [][]byte
		unstamped bool
	}{
		"with one":     {[][]byte{number(rfc2869.EventTimestamp_Type, uint32(testTime.Unix()))}, false},
		"without":      {nil, true},
		"with a delay": {[][]byte{number(rfc2866.AcctDelayTime_Type, 5)}, true},
		"with none":    {[][]byte{number(rfc2869.EventTimestamp_Type, 0)}, true},
	} {
		if a, _ := read(t, testClient(), tt.parts...); a.Unstamped != tt.unstamped {
			t.Errorf("%s: %v", name, a.Unstamped)
		}
	}
}

// A clock that is slow makes the accounting do nothing, so it is to be told.
func TestClockOfTheNASIsSlow(t *testing.T) {
	e := newEvidence(testTime)
	slow := gate.Accounting{Status: gate.AccountingInterim, Came: testTime, Event: testTime.Add(-6 * time.Minute)}
	advised := func() bool {
		r := e.tell(testTime)
		r.LastSeen = testTime
		return slices.ContainsFunc(r.Advice(), func(a Advice) bool { return a.Code == "clock" })
	}
	right, held := slow, slow
	right.Event = testTime.Add(-5 * time.Minute)
	held.Unstamped = true
	e.record(&right, testTime)
	e.record(&held, testTime)
	if advised() {
		t.Error("advised without need")
	}
	e.record(&slow, testTime)
	if n := e.tell(testTime).Accounting.Behind.Count; n != 1 || !advised() {
		t.Errorf("%d records behind, advised %v", n, advised())
	}
}

// A copy is known by the Request Authenticator, which is a MAC over it all.
func TestDigestOfARecord(t *testing.T) {
	d := account(t, nil)
	sent := record(1, testSecret, tells(gate.AccountingStart)...)
	d.nas.report(sent)
	if got := d.records()[0].Digest; !bytes.Equal(got, sent[4:headerLen]) {
		t.Errorf("digest % x", got)
	}
}
