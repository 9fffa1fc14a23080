package radiusd

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// wellBehaved is a client that nothing is to be said of.
func wellBehaved() Readiness {
	r := Readiness{At: testTime, Since: testTime.Add(-30 * 24 * time.Hour), LastSeen: testTime}
	r.Settings = Settings{RequireMessageAuthenticator: true, OwnAddress: true, Challenge: true, Class: true, Tunnel: true}
	all := Tally{1204, testTime}
	r.Requests, r.Methods = all, map[string]Tally{"pap": all}
	r.MessageAuthenticator.With, r.Station.Address = all, all
	r.Accepts, r.Challenges, r.Continued = all, all, all
	r.Accounting.Records, r.Accounting.Class, r.Accounting.Interims = all, all, all
	r.Disconnect.Result = "ack"
	return r
}

func TestAdvice(t *testing.T) {
	ago := func(d time.Duration) Tally { return Tally{37, testTime.Add(-d)} }
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name   string
		change func(*Readiness)
		codes  string // of the advice, in order
		says   string // each of its lines has one of these
	}{
		{"nothing", func(*Readiness) {}, "", ""},

		{"never seen", func(r *Readiness) { *r = Readiness{At: testTime, Settings: r.Settings} }, "not_seen", "not seen yet"},
		{"never seen but with another secret", func(r *Readiness) {
			*r = Readiness{At: testTime, SecretMismatches: Tally{12, testTime}}
		}, "secret_differs", "secret differs: 12 packets failed, the last on 2026-04-01 09:00"},
		{"never seen but without Message-Authenticator", func(r *Readiness) {
			*r = Readiness{At: testTime, Settings: r.Settings}
			r.MessageAuthenticator.Without = Tally{3, testTime}
		}, "message_authenticator_missing", "3 of 3 requests"},

		{"one packet with another secret", func(r *Readiness) { r.SecretMismatches = Tally{1, testTime} }, "secret_differs", "1 packet failed"},
		{"packets with another secret between good ones", func(r *Readiness) { r.SecretMismatches = ago(day) }, "secret_differs", "37 packets failed, the last on 2026-03-31 09:00, but later ones did not: they may be forged"},
		{"packets with another secret between good records", func(r *Readiness) {
			r.SecretMismatches, r.MessageAuthenticator.With = ago(day), Tally{}
		}, "secret_differs", "but later ones did not"},
		{"another secret, and requests that prove none", func(r *Readiness) {
			r.SecretMismatches, r.MessageAuthenticator.With, r.Accounting.Records, r.Accounting.Class = ago(day), Tally{}, ago(2*day), ago(2*day)
		}, "secret_differs", "set the same secret here and there"},
		{"another secret, put right", func(r *Readiness) { r.SecretMismatches = ago(7 * day) }, "", ""},

		{"CHAP", func(r *Readiness) { r.Methods["chap"] = ago(day) }, "method_chap", "asks by CHAP, the last time on 2026-03-31 09:00: set the client to PAP"},
		{"MS-CHAPv2", func(r *Readiness) { r.Methods["mschap"] = ago(day) }, "method_mschap", "asks by MS-CHAP, "},
		{"EAP", func(r *Readiness) { r.Methods["eap"] = ago(day) }, "method_eap", "asks by EAP, "},
		{"MS-CHAPv2, put right", func(r *Readiness) { r.Methods["mschap"] = ago(8 * day) }, "", ""},

		{"could be strict", func(r *Readiness) { r.Settings.RequireMessageAuthenticator = false }, "message_authenticator_safe",
			"in all 1204 requests since 2026-03-02 09:00: require_message_authenticator = true is safe"},
		{"could be strict since its update", func(r *Readiness) {
			r.Settings.RequireMessageAuthenticator = false
			r.MessageAuthenticator.Without = ago(7 * day)
		}, "message_authenticator_safe", "in all requests since 2026-03-25 09:00: "},
		{"can't be strict", func(r *Readiness) {
			r.Settings.RequireMessageAuthenticator = false
			r.MessageAuthenticator.Without = ago(day)
		}, "message_authenticator_keep", "37 of 1241 requests without Message-Authenticator, the last on 2026-03-31 09:00: keep"},
		{"is quiet since it could not be strict", func(r *Readiness) {
			r.Settings.RequireMessageAuthenticator = false
			r.MessageAuthenticator.Without, r.MessageAuthenticator.With = ago(8*day), ago(9*day)
		}, "", ""},
		{"sends no request at all", func(r *Readiness) {
			r.Settings.RequireMessageAuthenticator = false
			r.MessageAuthenticator.With = Tally{}
		}, "", ""},
		{"is refused for being strict", func(r *Readiness) {
			r.MessageAuthenticator.Without, r.MessageAuthenticator.With = ago(day), ago(8*day)
		}, "message_authenticator_missing", "37 of 74 requests without Message-Authenticator were dropped, the last on 2026-03-31 09:00: update the NAS, or only if"},
		{"never sends it", func(r *Readiness) {
			r.MessageAuthenticator.Without, r.MessageAuthenticator.With = ago(day), Tally{}
		}, "message_authenticator_missing", "37 of 37 requests without Message-Authenticator were dropped, the last on 2026-03-31 09:00: update the NAS, or only if"},

		{"tells no address", func(r *Readiness) { r.Station.None = ago(day) }, "calling_station", "37 of 1241 requests told no address"},
		{"tells a MAC", func(r *Readiness) { r.Station.Other = ago(day) }, "calling_station", "37 of 1241 requests told no address"},
		{"told no address once", func(r *Readiness) { r.Station.None = ago(7 * day) }, "", ""},
		{"need not tell an address", func(r *Readiness) { r.Station.Other, r.Settings.OwnAddress = ago(day), false }, "", ""},
		{"tells no station", func(r *Readiness) {
			r.Settings.OwnAddress, r.Station.Address, r.Station.None = false, Tally{}, ago(day)
		}, "calling_station", "no Calling-Station-Id: "},

		{"no accounting", func(r *Readiness) {
			r.Accounting.Records, r.Accounting.Interims, r.Accounting.Class = Tally{}, Tally{}, Tally{}
		}, "accounting", "no accounting seen: VPN sign-ins won't count for the web"},
		{"no accounting, nobody in", func(r *Readiness) { r.Accounting.Records, r.Accounting.Class, r.Accepts = Tally{}, Tally{}, Tally{} }, "", ""},
		{"no accounting, no tunnel", func(r *Readiness) { r.Accounting.Records, r.Settings.Tunnel = Tally{}, false }, "", ""},
		{"no Interim-Update", func(r *Readiness) { r.Accounting.Interims = Tally{} }, "interim", "no Interim-Update"},
		{"no Interim-Update, no tunnel", func(r *Readiness) { r.Accounting.Interims, r.Settings.Tunnel = Tally{}, false }, "", ""},
		{"no Class", func(r *Readiness) { r.Accounting.Class = Tally{} }, "class", "Class is not echoed: sessions are found by name and address"},
		{"no Class any more", func(r *Readiness) { r.Accounting.Class = ago(8 * day) }, "class", "Class is not echoed"},
		{"a rare Class", func(r *Readiness) { r.Accounting.Class = ago(day) }, "", ""},
		{"is given no Class", func(r *Readiness) { r.Accounting.Class, r.Settings.Class = Tally{}, false }, "", ""},

		{"does not know challenges", func(r *Readiness) { r.Challenges, r.Continued = Tally{10, testTime}, Tally{} }, "challenge", "none of 10 challenges was answered"},
		{"few challenges", func(r *Readiness) { r.Challenges, r.Continued = Tally{9, testTime}, Tally{} }, "", ""},
		{"had challenges", func(r *Readiness) { r.Settings.Challenge, r.Continued = false, Tally{} }, "", ""},

		{"deaf to orders", func(r *Readiness) { r.Disconnect.Result, r.Disconnect.At = "silent", testTime }, "disconnect", "did not answer the Disconnect-Request of 2026-04-01 09:00"},

		{"much at once", func(r *Readiness) {
			r.SecretMismatches, r.Methods["eap"], r.Methods["chap"] = ago(day), ago(day), ago(day)
			r.MessageAuthenticator.Without, r.Station.None, r.Accounting.Class = ago(day), ago(day), Tally{}
		}, "secret_differs method_chap method_eap message_authenticator_missing calling_station class", ""},
	} {
		r := wellBehaved()
		tt.change(&r)
		var codes []string
		for _, a := range r.Advice() {
			codes = append(codes, a.Code)
			if !strings.Contains(a.Text, tt.says) {
				t.Errorf("%s: says %q, want %q", tt.name, a.Text, tt.says)
			}
		}
		if !slices.Equal(codes, strings.Fields(tt.codes)) {
			t.Errorf("%s: advice %q, want %q", tt.name, codes, tt.codes)
		}
	}
}

// One packet with the client's address on it talks nobody out of
// Message-Authenticator, whether it came before or after the client's own.
func TestForgedPacketMakesNoAdviceThatWeakens(t *testing.T) {
	for _, own := range []time.Time{testTime, testTime.Add(-2 * time.Hour)} {
		r := wellBehaved()
		r.MessageAuthenticator.With.Last = own
		r.MessageAuthenticator.Without = Tally{1, testTime.Add(-time.Hour)}
		list := r.Advice()
		if len(list) != 1 || strings.Contains(list[0].Text, "require_message_authenticator") || !strings.Contains(list[0].Text, "may be forged, or of another machine at this address") {
			t.Errorf("own request at %v: advice %+v", own, list)
		}
	}
}

// Times are shown as the operator's clock does.
func TestAdviceInLocalTime(t *testing.T) {
	r := wellBehaved()
	r.At = r.At.In(time.FixedZone("JST", 9*60*60))
	r.SecretMismatches = Tally{2, testTime}
	if got := r.Advice()[0].Text; !strings.Contains(got, "2026-04-01 18:00") {
		t.Errorf("says %q", got)
	}
}
