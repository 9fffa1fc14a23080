package main

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/config"
)

// Nothing of a client's configuration is lost on its way to the door.
func TestEveryFieldOfAClient(t *testing.T) {
	prefix := netip.MustParsePrefix("198.51.100.0/24")
	given := config.Client{
		Name: "vpn1", Prefix: prefix, Secrets: config.Secrets{[]byte("s")}, Service: "ssl-vpn", Zone: "campus",
		OwnAddress: true, TunnelEndpoint: true, Challenge: "both", Separator: ",", AllowMissingMA: true, Proxy: true, NoClass: true,
		RejectDelay: time.Second, Reply: []config.Attribute{{Name: "Filter-Id"}},
		Tunnel: []netip.Prefix{prefix}, Pool: []netip.Prefix{prefix}, Interim: time.Minute,
		Disconnect: config.Disconnect{To: netip.MustParseAddrPort("203.0.113.10:3799"), Secret: config.Secret("s"), Address: true},
	}
	full := func(v reflect.Value) {
		t.Helper()
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s.%s is empty", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
	full(reflect.ValueOf(given))
	made := client(given)
	full(reflect.ValueOf(made))
	full(reflect.ValueOf(made.Disconnect))
}

func TestChallenges(t *testing.T) {
	for otp, want := range map[string]gate.Challenge{
		"append": gate.ChallengeNever, "challenge": gate.ChallengeAlways, "both": gate.ChallengeBoth, "": gate.ChallengeNever,
	} {
		if got := challenge(otp); got != want {
			t.Errorf("%q: %v, want %v", otp, got, want)
		}
	}
}
