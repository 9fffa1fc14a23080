package ldapproxy

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/ldapproxy/insight"
	"sekisho/ldapproxy/wire"
)

// counted is what was seen, without the times.
func counted(m map[string]insight.Seen) map[string]int {
	out := make(map[string]int)
	for what, s := range m {
		out[what] = int(s.Count)
	}
	return out
}

func wantCounts(t *testing.T, what string, got map[string]insight.Seen, want map[string]int) {
	t.Helper()
	if !maps.Equal(counted(got), want) {
		t.Errorf("%s: %v, want %v", what, counted(got), want)
	}
}

func TestInsight(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp("", ""))
	p.wants(wire.ResultSuccess, bindOp(mailDN, mailPassword))
	p.wants(wire.ResultInvalidCredentials, bindOp(mailDN, "guess"))
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.clock.move(time.Minute)
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123457"))
	p.wants(wire.ResultInvalidCredentials, bindOp("bob@example", "guess"))
	p.wants(wire.ResultInvalidCredentials, bindOp(`EXAMPLE\bob`, "guess"))
	p.wants(wire.ResultProtocolError, bindVersion(2, aliceDN, wire.Element(wire.TagSimple, []byte("x"))))
	p.wants(wire.ResultUnavailableCritical, searchOp(testBase, 0), criticalControl("1.2.3"), control("1.2.4"))
	p.wants(wire.ResultProtocolError, extendedOp("1.2.5"))
	q := r.dial()
	q.wants(wire.ResultSuccess, extendedOp(wire.OIDStartTLS))
	q.secure()
	q.wants(wire.ResultInvalidCredentials, bindOp("bob", "guess"))

	list := r.Insights()
	if len(list) != 2 || list[0].Name != "dovecot" || list[1].Name != "printers" || list[1].Binds.Count != 0 {
		t.Fatalf("%+v", list)
	}
	i := list[0]
	if !i.At.Equal(testTime.Add(time.Minute)) || !i.Since.Equal(testTime) || !i.Settings.PlainBinds || i.Settings.Observe {
		t.Errorf("%+v", i)
	}
	if i.Binds != (insight.Seen{Count: 9, Last: testTime.Add(time.Minute)}) || i.Connections.Count != 2 || i.Hours.Count != 9 {
		t.Errorf("%+v, %+v, %+v", i.Binds, i.Connections, i.Hours)
	}
	wantCounts(t, "outcomes", i.Outcomes, map[string]int{"anonymous": 1, "service": 1, "admitted": 1, "refused": 5, "unfit": 1})
	wantCounts(t, "reasons", i.Reasons, map[string]int{"service_account": 1, "wrong_password": 4})
	wantCounts(t, "TLS", i.TLS, map[string]int{"none": 8, "TLS 1.3": 1})
	wantCounts(t, "names", i.Names, map[string]int{"dn": 2, "upn": 1, "domain": 1, "bare": 1})
	wantCounts(t, "controls", i.Controls, map[string]int{"1.2.3": 1})
	wantCounts(t, "operations", i.Operations, map[string]int{"1.2.5": 1})
	if i.Rebinds.SignIns != 1 || i.Rebinds.Binds != 2 || i.Rebinds.Refused != 1 {
		t.Errorf("%+v", i.Rebinds)
	}
	text, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{"alice", "bob", "secret", "guess", mailPassword, "svc-mail"} {
		if strings.Contains(string(text), personal) {
			t.Errorf("%q in %s", personal, text)
		}
	}
	for name, labels := range map[string][]string{
		"app_refusals_total": {"dovecot", "wrong_password"}, "app_binds_again_total": {"dovecot"},
	} {
		want := map[string]float64{"app_refusals_total": 4, "app_binds_again_total": 1}[name]
		if got := r.count(name, labels...); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestInsightOfADirectoryBehind(t *testing.T) {
	var away atomic.Bool
	r := startRelay(t, func(r *relayRig) {
		r.up.Dialled = func() error {
			if away.Load() {
				return errors.New("away")
			}
			r.clock.move(250 * time.Millisecond)
			return nil
		}
	})
	p := r.bound()
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
	i := r.Insights()[0]
	up := i.Upstream
	if up.Binds != 2 || up.Failed.Count != 0 || up.P99 < 250 || up.P99 > 320 || up.P50 > 1 || up.Slowest.Took != 250 || up.Slowest.Server != "behind.example" {
		t.Errorf("%+v", up)
	}
	if i.Codes.Count != 1 {
		t.Errorf("%d codes cut off", i.Codes.Count)
	}
	away.Store(true)
	r.dial().wants(wire.ResultUnavailable, bindOp(mailBehind, mailPassword)) // p has the only link
	if up := r.Insights()[0].Upstream; up.Binds != 2 || up.Failed.Count != 1 {
		t.Errorf("%+v", up)
	}
	if got := r.count("app_upstream_failed_total", "dovecot"); got != 1 {
		t.Errorf("%v failed", got)
	}
}

// Where it is only observed, the reasons are those that would be.
func TestInsightOfAnObservedApplication(t *testing.T) {
	app := relayApp()
	app.Observe = true
	r := startRelay(t, nil, app)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"))
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceBehind, "guess"))
	i := r.Insights()[0]
	wantCounts(t, "outcomes", i.Outcomes, map[string]int{"observed": 2, "passed": 1})
	wantCounts(t, "reasons", i.Reasons, map[string]int{"code_missing": 2})
	if i.Rebinds.SignIns != 1 || i.Rebinds.Refused != 1 || !i.Settings.Observe {
		t.Errorf("%+v", i.Rebinds)
	}
}

// Somebody else's application learns nothing of what strangers do.
func TestStrangersLeaveNoInsight(t *testing.T) {
	r := start(t, nil, elsewhere())
	p := r.dial()
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123456"))
	p.wants(wire.ResultUnavailableCritical, searchOp(testBase, 0), criticalControl("1.2.3"))
	p.wants(wire.ResultProtocolError, extendedOp("1.2.5"))
	for _, got := range []insight.App{r.Insights()[0], r.evidence.Of("", testTime).Tell(testTime)} {
		if got.Binds.Count+got.Connections.Count != 0 || len(got.Controls)+len(got.Operations) != 0 {
			t.Errorf("%+v", got)
		}
	}
}

func TestInsightGoesOn(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	r.clock.move(time.Minute)
	p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "guess"))
	p.wants(wire.ResultProtocolError, extendedOp("1.2.5"))
	r.clock.move(time.Hour)
	text, err := json.Marshal(r.Insights()[0])
	if err != nil {
		t.Fatal(err)
	}
	var kept insight.App
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}

	again := start(t, func(s *rig) { s.clock = r.clock; s.Server.Now = r.clock.now })
	again.Remember([]insight.App{kept})
	if got := again.Insights()[0]; !reflect.DeepEqual(got, kept) {
		t.Errorf("recalled\n%+v, kept\n%+v", got, kept)
	}
	again.dial().wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	got := again.Insights()[0]
	if got.Binds.Count != 3 || got.Outcomes["admitted"].Count != 2 || !got.Since.Equal(testTime) || got.Rebinds.SignIns != 2 {
		t.Errorf("%+v", got)
	}
	if got.Hours.Before != 2 || got.Hours.Count != 1 || got.Hours.Most != 2 || !got.Hours.Busiest.Equal(testTime) {
		t.Errorf("%+v", got.Hours)
	}
}

// The names are what clients send: they are few, short, and names.
// A program that binds every half a minute: with a short window one code is
// enough, for a day it takes another means.
func TestAdviceForAProgramThatBindsAgain(t *testing.T) {
	for _, tt := range []struct {
		every, long time.Duration
		code, says  string
	}{
		{30 * time.Second, 4 * time.Minute, "repeat", `binds 9.0x a sign-in, as long as 4m after it: write repeat = {idle = "1m", max = "5m"}`},
		{30 * time.Second, 40 * time.Minute, "repeat", `{idle = "1m", max = "1h"}, or better let people make application passwords`},
		{5 * time.Minute, 8 * time.Hour, "application_password", "as long as 8h after it"},
	} {
		r := start(t, nil)
		admitted := true
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			if admitted {
				return welcome(), nil
			}
			return gate.Answer{Reference: reference, Reason: "code_used"}, nil
		}
		p := r.dial()
		for range 10 {
			admitted = true
			p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
			admitted = false
			for range tt.long / tt.every {
				r.clock.move(tt.every)
				p.wants(wire.ResultInvalidCredentials, bindOp(aliceDN, "secret123456"))
			}
			r.clock.move(time.Hour)
		}
		i := r.Insights()[0]
		found := false
		for _, a := range i.Advice() {
			found = found || a.Code == tt.code && strings.Contains(a.Text, tt.says)
		}
		if !found {
			t.Errorf("every %v for %v: %+v\n%+v", tt.every, tt.long, i.Advice(), i.Rebinds)
		}
	}
}
