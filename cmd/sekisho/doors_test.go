package main

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/config"
	"sekisho/policy"
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
	full(t, given)
	made := client(given)
	full(t, made)
	full(t, made.Disconnect)
}

// Nor of an application's.
func TestEveryFieldOfAnApp(t *testing.T) {
	given := config.App{
		Name: "gitlab", Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.20/32")}, Listeners: []string{"ldaps://0.0.0.0"},
		Certificates: [][32]byte{{1}}, BindDNs: []string{"cn=x"}, Service: "git", Zone: "campus", Separator: ",", PlainBinds: true, Anonymous: true,
		SizeLimit: 1, TimeLimit: time.Second, RejectDelay: time.Second, Repeat: &policy.Repeat{}, Tracking: true,
		Accounts: []config.Account{{DN: "cn=x", Password: config.Secret("p")}}, Writes: true, Observe: true, Referrals: true,
	}
	full(t, given)
	made := app(given)
	full(t, made)
	full(t, made.Accounts[0])
}

// full wants every field set that can be, but for some.
func full(t *testing.T, of any, but ...string) {
	t.Helper()
	v := reflect.Indirect(reflect.ValueOf(of))
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && v.Field(i).IsZero() && !slices.Contains(but, f.Name) {
			t.Errorf("%s.%s is empty", v.Type(), f.Name)
		}
	}
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
