package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sekisho/internal/otp"
	"sekisho/internal/store"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sekisho": main})
}

// TestScripts runs the program as people type it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SUDO_USER", "registrar")
			env.Setenv("ACTOR", "registrar")
			if os.Geteuid() != 0 {
				env.Setenv("ACTOR", actor())
			}
			env.Setenv("TZ", "UTC")
			// The race detector would hold up the end of each command by a second.
			env.Setenv("GORACE", "atexit_sleep_ms=10")
			return os.Mkdir(filepath.Join(env.WorkDir, "state"), 0o700)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"capture": capture,
			"codes":   showCodes,
			"attempt": settleAttempt,
			"apps":    putAppPasswords,
			"session": putSession,
			"seen":    putReadiness,
			"watched": settleObserved,
			"serving": holdLock,
		},
	})
}

// Anybody can set the variable; only for root sudo has.
func TestSudoUserCountsForRootOnly(t *testing.T) {
	t.Setenv("SUDO_USER", "registrar")
	if got := actorAs(0); got != "registrar" {
		t.Errorf("as root: %q", got)
	}
	if got := actorAs(1000); got == "registrar" || got == "" {
		t.Errorf("as another: %q", got)
	}
}

// capture sets a variable to the first group of a pattern in the last output:
// capture NAME PATTERN.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) < 2 {
		ts.Fatalf("%s is not in the output", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// showCodes sets NEWER to what a device shows so many steps from now, and
// OLDER to the code before it: codes SECRET STEPS.
func showCodes(ts *testscript.TestScript, _ bool, args []string) {
	secret, err := secretText.DecodeString(args[0])
	ts.Check(err)
	steps, err := strconv.Atoi(args[1])
	ts.Check(err)
	token, at := otp.Token{Secret: secret}, time.Now().Add(time.Duration(steps)*30*time.Second)
	ts.Setenv("NEWER", token.Code(at))
	ts.Setenv("OLDER", token.Code(at.Add(-30*time.Second)))
}

// settleAttempt books sign-ins as the gate does: attempt USER OUTCOME REASON
// [DETAIL [TIMES]]. An admission puts a ticket. More than once is a flood.
func settleAttempt(ts *testscript.TestScript, _ bool, args []string) {
	ctx, now := context.Background(), time.Now()
	st, err := store.Open(ts.MkAbs("state/sekisho.db"), store.Options{})
	ts.Check(err)
	defer st.Close()
	s := store.Settlement{Event: store.Event{
		At: now, Door: "radius", Client: "vpn1", Service: "ssl-vpn", Typed: args[0], Source: "203.0.113.7", How: "calling-station-id",
		Zone: "off-campus", Rule: "outside", Outcome: args[1], Reason: args[2], Took: 35 * time.Millisecond,
	}}
	a, err := st.Account(ctx, args[0])
	switch {
	case err == nil:
		s.Person, s.Generation, s.Event.Person, s.Event.Name = a.ID, a.Generation, a.ID, a.Name
	case !errors.Is(err, store.ErrUnknown):
		ts.Check(err)
	}
	if args[1] == "admitted" {
		s.Event.Factors = "password+otp"
		s.Ticket = &store.Ticket{Person: s.Person, Generation: s.Generation, Door: "radius", Service: "ssl-vpn", Client: "vpn1",
			Zone: "off-campus", Rule: "outside", Shown: []store.Shown{{Factor: "password", At: now}, {Factor: "otp", At: now}},
			Created: now, Until: now.Add(10 * time.Hour), Idle: time.Hour, Used: now}
	}
	times := 1
	if len(args) > 3 {
		s.Event.Detail = args[3]
	}
	if len(args) > 4 {
		times, err = strconv.Atoi(args[4])
		ts.Check(err)
		s.Flood = "unknown radius vpn1"
	}
	for i := range times {
		settled, err := st.Settle(ctx, s)
		ts.Check(err)
		ts.Setenv(fmt.Sprint("REFERENCE", i+1), settled.Reference)
	}
}

// putAppPasswords makes so many application passwords that nobody knows:
// apps USER COUNT.
func putAppPasswords(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	st, err := store.Open(ts.MkAbs("state/sekisho.db"), store.Options{})
	ts.Check(err)
	defer st.Close()
	a, err := st.Account(ctx, args[0])
	ts.Check(err)
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	for range count {
		p := store.AppPassword{Label: "x", Service: "ssl-vpn", Hash: []byte{}, Created: time.Now()}
		_, err := st.AddAppPassword(ctx, a.Person, p, store.Event{At: time.Now(), Outcome: "done", Reason: "app_password_added"})
		ts.Check(err)
	}
}

// putSession keeps a VPN session as accounting does, an hour old and a minute
// quiet: session [NAS/]NAME USER TICKET|- [CAUSE]. With a cause it has stopped.
func putSession(ts *testscript.TestScript, _ bool, args []string) {
	now := time.Now()
	st, err := store.Open(ts.MkAbs("state/sekisho.db"), store.Options{})
	ts.Check(err)
	defer st.Close()
	ticket := int64(0)
	if args[2] != "-" {
		ticket, err = st.ParseTicket(args[2])
		ts.Check(err)
	}
	key := store.SessionKey{Client: "vpn1", NAS: "nas1", Name: args[0]}
	if nas, name, ok := strings.Cut(args[0], "/"); ok {
		key.NAS, key.Name = nas, name
	}
	ts.Check(st.ChangeSession(context.Background(), key, func(s store.Session) store.SessionChange {
		s.User, s.Ticket, s.Station = strings.ReplaceAll(args[1], "ESC", "\x1b"), ticket, "203.0.113.7"
		s.Address4, s.Address6 = netip.MustParseAddr("198.51.100.20"), netip.MustParsePrefix("2001:db8:5::/64")
		s.Started, s.Event, s.Seen, s.Named = now.Add(-time.Hour), now.Add(-time.Minute), now.Add(-time.Minute), now.Add(-time.Minute)
		s.Interval, s.Lasted, s.Input, s.Output = 30*time.Second, 59*time.Minute, 1234, 5678
		if len(args) > 3 {
			s.Stopped, s.Cause = now.Add(-time.Minute), args[3]
		}
		return store.SessionChange{Session: s}
	}))
}

// putReadiness keeps what was seen of a client, as the server does: seen
// CLIENT FILE.
func putReadiness(ts *testscript.TestScript, _ bool, args []string) {
	st, err := store.Open(ts.MkAbs("state/sekisho.db"), store.Options{})
	ts.Check(err)
	defer st.Close()
	ts.Check(st.PutReadiness(context.Background(), map[string]string{args[0]: ts.ReadFile(args[1])}))
}

// settleObserved books a bind through an application that is only observed:
// watched APP USER RULE REASON DETAIL [TIMES]. A name that starts with a
// question mark is nobody's.
func settleObserved(ts *testscript.TestScript, _ bool, args []string) {
	st, err := store.Open(ts.MkAbs("state/sekisho.db"), store.Options{})
	ts.Check(err)
	defer st.Close()
	s := store.Settlement{Flood: strings.Join(args, " "), Event: store.Event{
		At: time.Now(), Door: "ldap", Client: args[0], Service: "webmail", Typed: args[1], Name: args[1], Source: "192.0.2.20", How: "socket",
		Zone: "off-campus", Rule: args[2], Outcome: "observed", Reason: args[3], Detail: args[4],
	}}
	if strings.HasPrefix(args[1], "?") {
		s.Event.Name = ""
	}
	times := 1
	if len(args) > 5 {
		times, err = strconv.Atoi(args[5])
		ts.Check(err)
	}
	for range times {
		_, err := st.Settle(context.Background(), s)
		ts.Check(err)
	}
}

// holdLock keeps the store as a serve does, until the script ends.
func holdLock(ts *testscript.TestScript, _ bool, _ []string) {
	st, err := store.Open(ts.MkAbs("state/sekisho.db"), store.Options{Exclusive: true})
	ts.Check(err)
	ts.Defer(func() { st.Close() })
}
