package ldapproxy

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

// A service account has no second factor, and its directory may let guess
// without end.
func TestServiceAccountIsNotGuessedWithoutEnd(t *testing.T) {
	r := startRelay(t, nil)
	p := r.dial()
	for range guessesAtOnce {
		p.wants(wire.ResultInvalidCredentials, bindOp(mailBehind, "guess"))
	}
	for range 100 {
		p.wants(wire.ResultBusy, bindOp(mailBehind, "guess"))
	}
	if n := len(r.up.SeenBinds()); n != guessesAtOnce {
		t.Errorf("%d guesses came to the directory", n)
	}
	// People of the same application are not concerned.
	p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice))

	r.clock.move(guessEvery)
	p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
	for range guessesAtOnce {
		p.wants(wire.ResultInvalidCredentials, bindOp(mailBehind, "guess"))
	}
}

func TestOneGuessInTenSeconds(t *testing.T) {
	var g guesses
	now := time.Unix(1e9, 0)
	who := guesser{"cn=mail", netip.MustParseAddr("192.0.2.1")}
	tried := 0
	for range 600 { // a minute of ten each second
		if g.enter(who, now) {
			tried++
			g.exit(who, now, directory.Wrong, nil)
		}
		now = now.Add(100 * time.Millisecond)
	}
	if want := guessesAtOnce + 5; tried != want {
		t.Errorf("%d were tried, want %d", tried, want)
	}
	other := guesser{"cn=mail", netip.MustParseAddr("192.0.2.2")}
	if !g.enter(other, now) {
		t.Error("another address is held up")
	}
}

// What was wrong long ago holds up nobody, however many bind at once.
func TestWrongPasswordIsForgivenByTime(t *testing.T) {
	var g guesses
	now := time.Unix(1e9, 0)
	who := guesser{account: "cn=mail"}
	for range guessesAtOnce {
		g.enter(who, now)
		g.exit(who, now, directory.Wrong, nil)
	}
	now = now.Add(guessesAtOnce * guessEvery)
	for range 50 {
		if !g.enter(who, now) {
			t.Fatal("held up")
		}
	}
}

// Who has many connections has no more guesses by asking on all at once.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	var g guesses
	now := time.Unix(1e9, 0)
	who := guesser{account: "cn=mail"}
	g.enter(who, now)
	g.exit(who, now, directory.Wrong, nil)
	let := 0
	for range 100 {
		if g.enter(who, now) {
			let++
		}
	}
	if let != guessesAtOnce-1 {
		t.Errorf("%d are under way", let)
	}
	for range let {
		g.exit(who, now, directory.Wrong, context.DeadlineExceeded) // they were none
	}
	if !g.enter(who, now) {
		t.Error("what was not judged is counted")
	}
}

// The right password is let through as often as anybody likes, and a directory
// that is away makes no wrong one of it.
func TestRightPasswordIsNeverHeldUp(t *testing.T) {
	var g guesses
	now := time.Unix(1e9, 0)
	who := guesser{account: "cn=mail"}
	for range 1000 {
		if !g.enter(who, now) {
			t.Fatal("held up")
		}
	}
	for i := range 1000 {
		v, err := directory.Right, error(nil)
		if i%2 == 0 {
			v, err = directory.Wrong, errors.New("away")
		}
		g.exit(who, now, v, err)
	}
	if g.wrong.Len() > 0 || !g.enter(who, now) {
		t.Error("counted")
	}
}
