package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"sekisho/internal/store"
)

// box is a VPN box on this machine, whose people are outside.
const box = `
[[radius.client]]
name = "box"
address = "127.0.0.1"
secret = "the secret of the box"
service = "ssl-vpn"
tunnel = ["198.51.100.0/24"]
`

// tell sends a Start as the box does.
func tell(t *testing.T, s *server, user string) {
	t.Helper()
	p := radius.New(radius.CodeAccountingRequest, []byte("the secret of the box"))
	set(t, rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType_Value_Start), rfc2866.AcctSessionID_SetString(p, "S1"),
		rfc2865.UserName_SetString(p, user), rfc2865.NASIdentifier_SetString(p, "nas1"),
		rfc2865.FramedIPAddress_Set(p, net.IPv4(198, 51, 100, 20)))
	_, acct := s.radius.Addrs()
	if got := exchange(t, p, acct[0].String()); got != radius.CodeAccountingResponse {
		t.Fatal(got)
	}
}

// set wants that attributes could be set.
func set(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func exchange(t *testing.T, p *radius.Packet, address string) radius.Code {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	answer, err := radius.Exchange(ctx, p, address)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Code
}

func TestAccountingIsServed(t *testing.T) {
	s, _ := startServer(t, threeDoors+box)
	tell(t, s, "alice")
	var sessions []store.Session
	err := s.store.Sessions(t.Context(), time.Now(), func(s store.Session, _ string) error {
		sessions = append(sessions, s)
		return nil
	})
	if err != nil || len(sessions) != 1 {
		t.Fatal(sessions, err)
	}
	if got := sessions[0]; got.User != "alice" || got.Client != "box" || got.Name != "S1" || got.Address4 != netip.MustParseAddr("198.51.100.20") {
		t.Errorf("%+v", got)
	}
}

func TestAccountingCanBeClosed(t *testing.T) {
	s, _ := startServer(t, strings.Replace(threeDoors, "[radius]\n", "[radius]\nacct = []\n", 1)+box)
	if auth, acct := s.radius.Addrs(); len(auth) != 1 || len(acct) != 0 {
		t.Errorf("%v, %v", auth, acct)
	}
}

// radiusAlone serves that door only, so that nothing is kept meanwhile.
func radiusAlone(t *testing.T) (*server, *log) {
	t.Helper()
	s, out := prepareServer(t, threeDoors+box)
	go s.radius.Serve()
	t.Cleanup(func() { s.drain() })
	return s, out
}

func TestReadinessOutlivesARestart(t *testing.T) {
	s, _ := radiusAlone(t)
	tell(t, s, "alice")
	s.keep(t.Context())
	known, err := readiness(t.Context(), s.store)
	if err != nil || known["box"].Accounting.Records.Count != 1 || known["vpn1"].Accounting.Records.Count != 0 {
		t.Fatalf("%+v, %v", known, err)
	}
	// It is written when something is new, only.
	if err := s.store.PutReadiness(t.Context(), map[string]string{"box": `{"client":"box"}`}); err != nil {
		t.Fatal(err)
	}
	s.keep(t.Context())
	if known, err := readiness(t.Context(), s.store); err != nil || known["box"].Accounting.Records.Count != 0 {
		t.Errorf("written though nothing has changed: %+v, %v", known, err)
	}

	another, out := radiusAlone(t)
	if err := another.store.PutReadiness(t.Context(), map[string]string{"box": `{"client":"box","accounting":{"records":{"count":7}}}`}); err != nil {
		t.Fatal(err)
	}
	another.remember(t.Context())
	tell(t, another, "alice")
	for _, r := range another.radius.Readiness() {
		if r.Client == "box" && r.Accounting.Records.Count != 8 {
			t.Errorf("%d records", r.Accounting.Records.Count)
		}
	}
	// What can't be read keeps nobody out.
	if err := another.store.PutReadiness(t.Context(), map[string]string{"box": `{`}); err != nil {
		t.Fatal(err)
	}
	another.remember(t.Context())
	if !out.has("counted anew") {
		t.Error("says nothing of what can't be read")
	}
}

// What is seen between the last tick and the end is written, too, and a start
// goes on from it.
func TestReadinessIsWrittenAtTheEnd(t *testing.T) {
	s, _ := prepareServer(t, threeDoors+box)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.run(ctx) }()
	tell(t, s, "alice")
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	again, err := open(t.Context(), s.file, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer again.drain()
	for _, r := range again.radius.Readiness() {
		if r.Client == "box" && r.Accounting.Records.Count != 1 {
			t.Errorf("%d records", r.Accounting.Records.Count)
		}
	}
}

// bindsAt binds by the LDAP door as somebody whom nobody knows.
func bindsAt(t *testing.T, s *server) {
	t.Helper()
	c, err := ldap.DialURL("ldaps://"+s.opened[0].socket.Addr().String(), ldap.DialWithTLSConfig(&tls.Config{InsecureSkipVerify: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Bind("uid=nobody,ou=people,dc=example", "guess"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		t.Fatal(err)
	}
}

func TestInsightOutlivesARestart(t *testing.T) {
	s, _ := prepareServer(t, threeDoors+box)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.run(ctx) }()
	bindsAt(t, s)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	again, err := open(t.Context(), s.file, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer again.drain()
	if i := again.ldap.Insights()[0]; i.Name != "app" || i.Binds.Count != 1 || i.Reasons["unknown_user"].Count != 1 || i.TLS["TLS 1.3"].Count != 1 {
		t.Errorf("%+v", i)
	}
	known, err := readiness(t.Context(), again.store)
	if _, mixed := known[ofApp+"app"]; err != nil || mixed {
		t.Errorf("an application among the clients: %v, %v", known, err)
	}
	// It is written when something is new, only.
	again.keep(t.Context())
	if err := again.store.PutReadiness(t.Context(), map[string]string{ofApp + "app": `{"app":"app"}`}); err != nil {
		t.Fatal(err)
	}
	again.keep(t.Context())
	if known, err := insights(t.Context(), again.store); err != nil || known["app"].Binds.Count != 0 {
		t.Errorf("written though nothing has changed: %+v, %v", known, err)
	}
}

func TestInsightThatCannotBeReadKeepsNobodyOut(t *testing.T) {
	s, out := radiusAlone(t)
	if err := s.store.PutReadiness(t.Context(), map[string]string{ofApp + "app": `{`, "box": `{"client":"box","accounting":{"records":{"count":7}}}`}); err != nil {
		t.Fatal(err)
	}
	s.remember(t.Context())
	if !out.has("of the applications is counted anew") {
		t.Error("says nothing of what can't be read")
	}
	for _, r := range s.radius.Readiness() {
		if r.Client == "box" && r.Accounting.Records.Count != 7 {
			t.Errorf("%d records of a client", r.Accounting.Records.Count)
		}
	}
}

func TestReloadOfAClient(t *testing.T) {
	s, out := startServer(t, threeDoors+box)
	change := func(old, with string) {
		t.Helper()
		write(t, s.file, strings.Replace(threeDoors+box, old, with, 1))
		s.reload()
	}
	change("tunnel = ", "otp = \"both\"\npool = [\"198.51.100.0/28\"]\ndisconnect = \"127.0.0.1:9\"\ndisconnect_secret = \"testing123\"\ntunnel = ")
	if !out.has("reloaded") || out.has("takes a restart") || out.has("not reloaded") {
		t.Error("what a client has is not reloaded")
	}
	tell(t, s, "alice")
	change("[radius]\n", "[radius]\nacct = []\n")
	if !out.has("takes a restart") {
		t.Error("says nothing of accounting")
	}
}
