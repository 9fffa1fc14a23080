package insight

import (
	"strings"
	"testing"
	"time"
)

// wellKnown is an application that nothing is to be said of.
func wellKnown() App {
	all := Seen{1204, testTime}
	i := App{Name: "mail", At: testTime, Since: testTime.Add(-30 * 24 * time.Hour), Connections: all, Binds: all}
	i.TLS = map[string]Seen{"TLS 1.3": all}
	i.Reasons = map[string]Seen{"wrong_password": all}
	i.Rebinds = Rebinds{SignIns: 400, Binds: 1200, Refused: 59, Idle: 20, Max: 100, Longest: 100}
	i.Upstream.Binds, i.Upstream.P99 = 1204, 80
	return i
}

var testTime = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

func TestAdvice(t *testing.T) {
	const day = 24 * time.Hour
	ago := func(d time.Duration) Seen { return Seen{37, testTime.Add(-d)} }
	for _, tt := range []struct {
		name   string
		change func(*App)
		codes  string // of the advice, in order
		says   string
	}{
		{"nothing", func(*App) {}, "", ""},
		{"never seen", func(i *App) { *i = App{At: testTime} }, "not_seen", "not seen yet"},
		{"observed", func(i *App) { i.Settings.Observe, i.Rebinds = true, Rebinds{} }, "observed", "apps --observed"},
		{"a wrong password of its own", func(i *App) { i.Reasons["service_account"] = ago(day) }, "service_account", "refused 37 times, the last time on 2026-03-31 09:00"},
		{"the same, once", func(i *App) { i.Reasons["service_account"] = Seen{1, testTime} }, "service_account", "refused once"},
		{"the same, put right", func(i *App) { i.Reasons["service_account"] = ago(8 * day) }, "", ""},
		{"no TLS", func(i *App) { i.Reasons["tls_required"] = ago(day) }, "tls_required", "refused 37 times for want of TLS, the last time on"},
		{"an upstream that is away", func(i *App) { i.Upstream.Failed = ago(day) }, "upstream_failed", "37 binds had no answer"},
		{"a slow upstream", func(i *App) { i.Upstream.P99 = 2500 }, "upstream_slow", "2500 ms or more"},

		{"binds again", func(i *App) { i.Rebinds.Refused = 60 }, "repeat", `binds 3.0x a sign-in, as long as 100s after it: write repeat = {idle = "30s", max = "2m"}`},
		{"binds again, observed", func(i *App) { i.Settings.Observe = true }, "observed repeat", `{idle = "30s", max = "2m"}`},
		{"binds again, of few", func(i *App) { i.Rebinds = Rebinds{SignIns: 9, Binds: 90, Refused: 81} }, "", ""},
		{"binds twice now and then", func(i *App) { i.Rebinds.Binds, i.Rebinds.Refused = 599, 199 }, "", ""},
		{"binds again for 20 min", func(i *App) { i.Rebinds.Refused, i.Rebinds.Max = 800, 1200 }, "repeat", `max = "30m"}, or better let people make application passwords`},
		{"binds again for an hour", func(i *App) { i.Rebinds.Refused, i.Rebinds.Max = 800, 3600 }, "repeat", `max = "1h"}, or better`},
		{"binds again for longer", func(i *App) { i.Rebinds.Refused, i.Rebinds.Max = 800, 3601 }, "application_password", "let people make application passwords"},

		{"clear text", func(i *App) { i.Settings.PlainBinds, i.TLS["none"] = true, ago(day) }, "clear_text", "37 of 1204 binds without TLS"},
		{"no clear text any more", func(i *App) { i.Settings.PlainBinds, i.TLS["none"] = true, ago(7*day) }, "tls_safe", "since 2026-03-25 09:00"},
		{"never clear text", func(i *App) { i.Settings.PlainBinds = true }, "tls_safe", "all 1204 binds since 2026-03-02 09:00"},
		{"clear text, not taken any more", func(i *App) { i.TLS["none"] = ago(day) }, "", ""},

		{"controls", func(i *App) {
			i.Controls = map[string]Seen{"1.2.4": ago(day), "1.2.3": ago(0), "1.2.5": ago(8 * day)}
		}, "controls", "not served: 1.2.3, 1.2.4;"},
		{"operations", func(i *App) { i.Operations = map[string]Seen{"1.2.3": ago(day)} }, "operations", "extended operations that are not served: 1.2.3"},
	} {
		i := wellKnown()
		tt.change(&i)
		var codes, texts []string
		for _, a := range i.Advice() {
			codes, texts = append(codes, a.Code), append(texts, a.Text)
		}
		if got := strings.Join(codes, " "); got != tt.codes || !strings.Contains(strings.Join(texts, "\n"), tt.says) {
			t.Errorf("%s: %q %q, want %q with %q", tt.name, got, texts, tt.codes, tt.says)
		}
	}
}

func TestTimesAsTheConfigurationHasThem(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 59.6: "1m", 90: "90s", 60: "1m", 125: "2m", 600: "10m", 3600: "1h", 5400: "1.5h", 28800: "8h"} {
		if got := short(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}
