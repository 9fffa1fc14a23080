package gate

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/passwd"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// guesses is a request with another wrong password each time.
func (w *world) guesses(address, user string, n int) Request {
	return w.from(address, user, fmt.Sprint("guess number ", n, "x"))
}

// codes is a request with another wrong code each time.
func (w *world) codes(address, user string, n int) Request {
	return w.from(address, user, fmt.Sprintf("guess%06d", n))
}

func (w *world) counters() []store.Counter {
	w.t.Helper()
	stored, err := w.Store.Counters(context.Background(), time.Time{})
	w.must(err)
	return stored
}

func TestGrowingDelays(t *testing.T) {
	w := newWorld(t)
	delays := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}
	for n, seconds := range delays {
		w.refused(w.guesses(desk, "alice", n), reason.WrongPassword)
		asked := w.people.asked()
		w.refused(w.from(desk, "alice", "PASSWORD"), reason.Throttled)
		w.time.pass(seconds*time.Second - 1)
		w.refused(w.from(desk, "alice", "PASSWORD"), reason.Throttled)
		if w.people.asked() != asked {
			t.Fatal("a password was looked at during the delay")
		}
		w.time.pass(1)
	}
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestOwnDelays(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.First, g.Throttle.Longest = 10*time.Second, 15*time.Second })
	w.refused(w.guesses(desk, "alice", 1), reason.WrongPassword)
	w.time.pass(9 * time.Second)
	w.refused(w.guesses(desk, "alice", 2), reason.Throttled)
	w.time.pass(time.Second)
	w.refused(w.guesses(desk, "alice", 3), reason.WrongPassword)
	w.time.pass(15 * time.Second)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestSuccessResetsTheDelay(t *testing.T) {
	w := newWorld(t)
	for n := range 4 {
		w.refused(w.guesses(desk, "alice", n), reason.WrongPassword)
		w.time.pass(8 * time.Second)
	}
	w.admitted(w.from(desk, "alice", "PASSWORD"))
	if left := w.counters(); len(left) != 0 || len(w.throttle.people) != 0 {
		t.Errorf("counters are left: %v", left)
	}
	w.refused(w.guesses(desk, "alice", 5), reason.WrongPassword)
	w.time.pass(time.Second)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestFailuresAreForgottenAfterADay(t *testing.T) {
	w := newWorld(t)
	for n := range 5 {
		w.refused(w.guesses(desk, "alice", n), reason.WrongPassword)
		w.time.pass(16 * time.Second)
	}
	w.time.pass(24 * time.Hour)
	w.refused(w.guesses(desk, "alice", 9), reason.WrongPassword)
	w.time.pass(time.Second)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestZonesAreIndependent(t *testing.T) {
	w := newWorld(t)
	w.refused(w.codes(cafe, "alice", 1), reason.WrongCode)
	w.refused(w.codes(cafe, "alice", 2), reason.Throttled)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.admitted(w.from("198.51.100.1", "alice", "PASSWORD"))
	w.refused(w.from(cafe, "alice", "PASSWORDCODE"), reason.Throttled)
}

// Whatever strangers do, alice signs in from where she has been before, and
// never a moment later.
func TestStrangersCantDelayAKnownSource(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	const rounds, each = 20, 500
	for round := range rounds {
		together(each, func(i int) {
			n := round*each + i
			if a := w.admit(w.codes(stranger(n), "alice", n)); a.Outcome != Refused {
				t.Errorf("stranger %d is %v", n, a.Outcome)
			}
		})
		w.time.pass(31 * time.Second)
		w.admitted(w.from(home, "alice", "PASSWORDCODE"))
		w.admitted(w.from(desk, "alice", "PASSWORD"))
	}
	w.refused(w.from(cafe, "alice", "PASSWORDCODE"), reason.Throttled)
}

// Somebody guesses without end, and always before her, to keep alice out. From
// wherever she comes she is judged after the longest delay at the latest.
func TestNobodyIsKeptOutLongerThanTheLongestDelay(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.CodesADay = 1 << 30 })
	const poll = 10 * time.Second
	place, since, in, longest := 0, time.Duration(0), 0, time.Duration(0)
	for now := time.Duration(0); now < 6*time.Hour; now += poll {
		w.admit(w.codes("198.18.0.1", "alice", int(now/poll)))
		if now%time.Minute == 0 {
			if a := w.admit(w.from(fmt.Sprint("203.0.113.", place), "alice", "PASSWORDCODE")); a.Outcome == Admitted {
				longest = max(longest, now-since)
				place, since, in = place+1, now, in+1 // next from somewhere else
			}
		}
		w.time.pass(poll)
	}
	if most := 16 * time.Minute; longest > most || in < 20 {
		t.Errorf("admitted %d times in 6 h; kept out for %v, want %v at most", in, longest, most)
	}
}

// The wait is for one attempt, and of a place that was kept out: it gives
// nobody more guesses than the delay itself.
func TestWaitIsGoodForOneAttempt(t *testing.T) {
	w := newWorld(t)
	keepUp := func() { // as long as it takes until the delay is the longest
		for n := range 12 {
			w.refused(w.guesses(desk, "alice", n), reason.WrongPassword)
			w.time.pass(w.throttle.delay(n + 1))
		}
	}
	keepUp()
	w.refused(w.guesses(desk, "alice", 99), reason.WrongPassword)
	const other = "192.0.2.11"
	w.refused(w.from(other, "alice", "PASSWORD"), reason.Throttled)
	w.time.pass(15*time.Minute - 1)
	w.refused(w.from(other, "alice", "PASSWORD"), reason.Throttled)
	w.time.pass(1)
	w.refused(w.guesses(desk, "alice", 100), reason.WrongPassword) // keeps it up
	var got counts
	together(8, func(i int) { got.add(w.admit(w.guesses(other, "alice", 200+i))) })
	if got.of[string(reason.WrongPassword)] != 1 || got.of[string(reason.Throttled)] != 7 {
		t.Errorf("after the wait: %v", got.of)
	}
	w.time.pass(15*time.Minute - 1)
	w.refused(w.from(other, "alice", "PASSWORD"), reason.Throttled)
}

func TestKnownSourceHasItsOwnCounter(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.refused(w.guesses(desk, "alice", 1), reason.WrongPassword)
	w.refused(w.from(desk, "alice", "PASSWORD"), reason.Throttled)
	w.admitted(w.from("192.0.2.11", "alice", "PASSWORD"))
	w.time.pass(time.Second)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func in(browser string, r Request) Request {
	r.Source.Browser = browser
	return r
}

// On the web a person is known by the browser, too, wherever it is.
func TestStrangersCantDelayAKnownBrowser(t *testing.T) {
	w := newWorld(t)
	w.admitted(in("alice's", w.from(home, "alice", "PASSWORDCODE")))
	for n := range 10 {
		w.time.pass(w.throttle.delay(n + 1))
		w.refused(in(fmt.Sprint("stranger's ", n), w.codes(stranger(n), "alice", n)), reason.WrongCode)
	}
	w.refused(w.from(cafe, "alice", "PASSWORDCODE"), reason.Throttled)
	w.refused(in("a new one", w.from(cafe, "alice", "PASSWORDCODE")), reason.Throttled)
	unknown := in("a new one", w.from(cafe, "alice", "PASSWORDCODE"))
	unknown.Source.Addr = netip.Addr{}
	w.refused(unknown, reason.Throttled)
	w.admitted(in("alice's", w.from(cafe, "alice", "PASSWORDCODE")))
}

// Somebody behind the same NAT as alice fails; her browser is not theirs.
func TestKnownBrowserHasItsOwnCounterBehindASharedAddress(t *testing.T) {
	w := newWorld(t)
	w.admitted(in("alice's", w.from(desk, "alice", "PASSWORD")))
	w.refused(in("mallory's", w.guesses(desk, "alice", 1)), reason.WrongPassword)
	w.refused(in("mallory's", w.from(desk, "alice", "PASSWORD")), reason.Throttled)
	w.admitted(in("alice's", w.from(desk, "alice", "PASSWORD")))
	// And hers is delayed as any other.
	w.refused(in("alice's", w.guesses(desk, "alice", 2)), reason.WrongPassword)
	w.refused(in("alice's", w.from(desk, "alice", "PASSWORD")), reason.Throttled)
}

func TestBrowserIsRememberedAsAHash(t *testing.T) {
	w := newWorld(t)
	w.admitted(in("what the cookie says", w.from(desk, "alice", "PASSWORD")))
	known := w.account("alice").Known
	if len(known) != 2 {
		t.Fatalf("known %v", known)
	}
	for _, k := range known {
		if strings.Contains(k.Source, "cookie") || k.Source != desk && len(k.Source) != len("browser ")+22 {
			t.Errorf("remembered %q", k.Source)
		}
	}
}

func TestSourceIsKnownForThirtyDays(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	for range 2 {
		w.time.pass(29 * 24 * time.Hour)
		w.refused(w.codes(cafe, "alice", 1), reason.WrongCode)
		w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	}
	w.time.pass(30 * 24 * time.Hour)
	w.refused(w.codes(cafe, "alice", 1), reason.WrongCode)
	w.refused(w.from(home, "alice", "PASSWORDCODE"), reason.Throttled)
}

// A telephone with an old password asks every five minutes.
func TestSameWrongPasswordCountsOnce(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		w.refused(w.from(desk, "alice", "old password"), reason.WrongPassword)
		w.time.pass(5 * time.Minute)
	}
	if c := w.counters(); len(c) != 1 || c[0].Count != 1 {
		t.Errorf("counted %+v", c)
	}
	w.refused(w.from(desk, "alice", "another"), reason.WrongPassword)
	w.time.pass(time.Second)
	w.refused(w.from(desk, "alice", "PASSWORD"), reason.Throttled) // it was the second
	w.time.pass(2 * time.Hour)
	w.refused(w.from(desk, "alice", "old password"), reason.WrongPassword) // forgotten: counts
	if c := w.counters(); c[0].Count != 3 {
		t.Errorf("counted %+v", c)
	}
}

// Else one wrong password, sent again and again, would fill the hash queue.
func TestSameWrongPasswordIsHashedOnce(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		from, name, typed string
		why               reason.Code
	}{
		{desk, "alice", "old password", reason.WrongPassword},
		{desk, "nobody", "old password", reason.UnknownUser},
		{desk, "erin", "PASSWORD", reason.Disabled},
		{home, "bob", "old passwordCODE", reason.WrongPassword}, // another code each time
	} {
		first := w.refused(w.from(c.from, c.name, c.typed), c.why)
		asked := w.people.asked()
		for range 3 {
			w.time.pass(time.Minute)
			again := w.refused(w.from(c.from, c.name, c.typed), c.why)
			if cut(again) != cut(first) {
				t.Errorf("%s is told %q, then %q", c.name, first.Message, again.Message)
			}
		}
		if n := w.people.asked() - asked; n != 0 {
			t.Errorf("%s: hashed %d times more", c.name, n)
		}
	}
	asked := w.people.asked()
	w.refused(w.from(desk, "carol", "old password"), reason.WrongPassword)
	w.refused(w.from("192.0.2.11", "heidi", "old password"), reason.WrongPassword)
	if n := w.people.asked() - asked; n != 2 {
		t.Errorf("of two others hashed %d", n)
	}
}

// What was wrong may be right after a change.
func TestWrongPasswordIsForgottenWithTheGeneration(t *testing.T) {
	w := newWorld(t)
	w.refused(w.from(desk, "alice", "battery staple"), reason.WrongPassword)
	w.changePerson("alice", func(p *store.Person) { p.Hash = hashes()["bob"] })
	w.admitted(w.from(desk, "alice", "battery staple"))
	w.refused(w.from(desk, "newcomer", "battery staple"), reason.UnknownUser)
	_, err := w.Store.AddPeople(context.Background(), []store.Person{{Name: "newcomer", Hash: hashes()["bob"], Created: w.time.now()}})
	w.must(err)
	w.time.pass(time.Second)
	w.admitted(w.from(desk, "newcomer", "battery staple"))
}

func TestRepeatedRefusalCountsOnce(t *testing.T) {
	w := newWorld(t)
	r := w.codes(home, "alice", 1)
	w.refused(r, reason.WrongCode)
	for range 2 {
		w.time.pass(5 * time.Second)
		w.refused(r, reason.WrongCode)
	}
	if c := w.counters(); len(c) != 2 || c[0].Count != 1 || c[1].Count != 1 { // person and codes
		t.Errorf("counted %+v", c)
	}
}

// The same digits are another guess in the next step: sent again and again
// just in time they must not go uncounted.
func TestSameCodeAgainAndAgainIsCounted(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.Longest = time.Second })
	r := w.codes(home, "alice", 1)
	for range 12 {
		w.refused(r, reason.WrongCode)
		w.time.pass(10 * time.Second)
	}
	if c := w.counters(); len(c) != 2 || c[0].Count < 5 || c[1].Count < 5 {
		t.Errorf("counted %+v", c)
	}
}

func TestParallelGuessesCountEach(t *testing.T) {
	w := newWorld(t)
	const n = atOnce
	arrived, proceed := make(chan struct{}, n), make(chan struct{})
	w.people.inside = func() { arrived <- struct{}{}; <-proceed }
	done := make(chan struct{})
	go func() {
		together(n, func(i int) { w.refused(w.guesses(stranger(i), "alice", i).inside(), reason.WrongPassword) })
		close(done)
	}()
	for range n {
		<-arrived
	}
	w.refused(w.guesses(desk, "alice", 99), reason.Throttled) // a few at once, not many
	close(proceed)
	<-done
	w.time.pass(time.Second<<(n-1) - 1)
	w.refused(w.from(desk, "alice", "PASSWORD"), reason.Throttled)
	w.time.pass(1)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

// inside fixes the zone, as a client does.
func (r Request) inside() Request {
	r.Zone = "campus"
	return r
}

// After a failure it is one at a time, and the delay counts from that one.
func TestOneAtATimeAfterAFailure(t *testing.T) {
	w := newWorld(t)
	w.refused(w.guesses(desk, "alice", 1), reason.WrongPassword)
	w.time.pass(time.Second)
	arrived, proceed := make(chan struct{}), make(chan struct{})
	w.people.inside = func() { close(arrived); <-proceed }
	done := make(chan struct{})
	go func() { w.refused(w.guesses(desk, "alice", 2), reason.WrongPassword); close(done) }()
	<-arrived
	w.refused(w.from("192.0.2.11", "alice", "PASSWORD"), reason.Throttled)
	close(proceed)
	<-done
}

func TestRefusedByDelayDoesNotLengthenIt(t *testing.T) {
	w := newWorld(t)
	w.refused(w.guesses(desk, "alice", 0), reason.WrongPassword)
	for n := range 30 {
		w.refused(w.guesses(desk, "alice", n+1), reason.Throttled)
	}
	w.time.pass(time.Second)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestSprayAcrossPeople(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from("192.0.2.60", "carol", "PASSWORD")) // known there
	for n := range 20 {
		w.refused(w.guesses(fmt.Sprint("192.0.2.", 50+n%4), fmt.Sprint("user", n), n), reason.UnknownUser)
	}
	w.admitted(w.from("192.0.2.50", "bob", "PASSWORD")) // resets nothing of the network's
	w.refused(w.guesses("192.0.2.50", "one too many", 1), reason.UnknownUser)
	w.refused(w.from("192.0.2.50", "alice", "PASSWORD"), reason.Throttled)
	w.admitted(w.from("192.0.2.60", "carol", "PASSWORD"))
	w.admitted(w.from("198.51.100.1", "alice", "PASSWORD"))
	w.restart()
	w.refused(w.from("192.0.2.50", "alice", "PASSWORD"), reason.Throttled)
	w.time.pass(time.Second)
	w.refused(w.guesses("192.0.2.50", "alice", 1), reason.WrongPassword)
	w.time.pass(time.Second) // the network's delay is two seconds now
	w.refused(w.from("192.0.2.50", "heidi", "PASSWORD"), reason.Throttled)
	w.time.pass(10 * time.Minute)
	w.refused(w.guesses("192.0.2.50", "heidi", 1), reason.WrongPassword) // a new count
	w.admitted(w.from("192.0.2.50", "frank", "PASSWORD"))
}

// A device that only has a name sprays as an address does.
func TestSprayFromADeviceWithoutAddress(t *testing.T) {
	w := newWorld(t)
	device := func(r Request, label string) Request {
		r.Source, r.Zone = Source{Label: label, How: "calling-station-id"}, "campus"
		return r
	}
	for n := range 21 {
		w.refused(device(w.guesses(desk, fmt.Sprint("user", n), n), "02-00-5E-00-53-01"), reason.UnknownUser)
	}
	w.refused(device(w.from(desk, "alice", "PASSWORD"), "02-00-5e-00-53-01"), reason.Throttled)
	w.admitted(device(w.from(desk, "alice", "PASSWORD"), "02-00-5e-00-53-02"))
	w.restart()
	w.refused(device(w.from(desk, "bob", "PASSWORD"), "02-00-5e-00-53-01"), reason.Throttled)
}

// Mistyped names, a few from each network, must not fill the disk.
func TestNetworkIsNoRowBeforeItIsDelayed(t *testing.T) {
	w := newWorld(t)
	for n := range 20 {
		w.refused(w.guesses(desk, fmt.Sprint("user", n), n), reason.UnknownUser)
	}
	if c := w.counters(); len(c) != 0 {
		t.Errorf("stored %+v", c)
	}
	w.refused(w.guesses(desk, "one too many", 1), reason.UnknownUser)
	if c := w.counters(); len(c) != 1 || c[0].Count != 21 {
		t.Errorf("stored %+v", c)
	}
}

func TestOnePersonIsNoSpray(t *testing.T) {
	w := newWorld(t)
	for n := range 40 {
		w.refused(w.guesses(desk, "nobody", n), reason.UnknownUser)
		w.time.pass(15 * time.Minute)
	}
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestManyPeopleBehindOneAddress(t *testing.T) {
	t.Run("shared zone", func(t *testing.T) {
		w := newWorld(t)
		for n := range 30 {
			w.refused(w.codes(guests, fmt.Sprint("user", n), n), reason.UnknownUser)
		}
		w.admitted(w.from(guests, "alice", "PASSWORDCODE"))
	})
	t.Run("shared zone behind a client that fixes another", func(t *testing.T) {
		w := newWorld(t)
		fixed := func(r Request) Request { r.Zone = policy.OffCampus; return r }
		for n := range 30 {
			w.refused(fixed(w.codes(guests, fmt.Sprint("user", n), n)), reason.UnknownUser)
		}
		w.admitted(fixed(w.from("192.0.2.131", "alice", "PASSWORDCODE")))
	})
	t.Run("unknown source", func(t *testing.T) {
		w := newWorld(t)
		for n := range 30 {
			r := w.codes(home, fmt.Sprint("user", n), n)
			r.Source = Source{}
			w.refused(r, reason.UnknownUser)
		}
		r := w.from(home, "alice", "PASSWORDCODE")
		r.Source = Source{}
		w.admitted(r)
	})
}

func TestNeverThrottled(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.Never = prefixes("192.0.2.0/28") })
	for n := range 10 {
		w.refused(w.guesses("192.0.2.3", "alice", n), reason.WrongPassword)
		r := w.guesses("192.0.2.3", "alice", -n)
		r.Source.Addr = netip.MustParseAddr("::ffff:192.0.2.3")
		w.refused(r, reason.WrongPassword)
	}
	w.admitted(w.from("192.0.2.3", "alice", "PASSWORD"))
	w.refused(w.guesses("192.0.2.20", "alice", 1), reason.WrongPassword)
	w.refused(w.guesses("192.0.2.20", "alice", 2), reason.Throttled)
}

func TestDryRunBooks(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.DryRun = true })
	for n := range 5 {
		w.refused(w.guesses(desk, "alice", n), reason.WrongPassword)
	}
	a := w.admitted(w.from(desk, "alice", "PASSWORD"))
	if e := w.event(a.Reference); e.Detail != "would have been delayed" {
		t.Errorf("the book says %q", e.Detail)
	}
}

func TestThrottleOff(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Throttle.Off = true })
	for n := range 30 {
		w.refused(w.guesses(desk, "alice", n), reason.WrongPassword)
	}
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestCountersSurviveARestart(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	for n := range 4 {
		w.refused(w.guesses(desk, "alice", n), reason.WrongPassword)
		w.refused(w.codes(home, "alice", n), reason.WrongCode)
		w.time.pass(7 * time.Second)
	}
	w.restart()
	w.refused(w.from(desk, "alice", "PASSWORD"), reason.Throttled)
	w.refused(w.from(home, "alice", "PASSWORDCODE"), reason.Throttled)
	w.time.pass(time.Second)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.restart()
	w.refused(w.guesses(desk, "alice", 9), reason.WrongPassword)
	w.time.pass(time.Second)
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestUnknownNamesAreBoundedAndNeverRows(t *testing.T) {
	w := newWorld(t)
	w.throttle.strangers.Bound = 100
	w.throttle.networks.Bound = 100
	for n := range 300 {
		w.refused(w.codes(stranger(n), fmt.Sprint("user", n), n), reason.UnknownUser)
	}
	if c := w.counters(); len(c) != 0 {
		t.Errorf("%d rows, such as %v", len(c), c[0])
	}
	if a, b := w.throttle.strangers.Len(), w.throttle.networks.Len(); a > 100 || b > 100 || len(w.throttle.people) > 0 {
		t.Errorf("%d names, %d networks, %d people are remembered", a, b, len(w.throttle.people))
	}
}

// An unknown name is delayed as a known one is.
func TestUnknownNamesAreDelayed(t *testing.T) {
	w := newWorld(t)
	w.refused(w.guesses(desk, "nobody", 1), reason.UnknownUser)
	w.refused(w.guesses(desk, "nobody", 2), reason.Throttled)
	w.refused(w.guesses(desk, "somebody", 2), reason.UnknownUser)
	w.time.pass(time.Second)
	w.refused(w.guesses(desk, "nobody", 3), reason.UnknownUser)
}

// shutOut uses up a day's unmatched codes, each as early as the delay lets it.
func (w *world) shutOut(name string) {
	w.t.Helper()
	for n := range 100 {
		w.refused(w.codes(stranger(n), name, n), reason.WrongCode)
		w.time.pass(w.throttle.delay(n + 1))
	}
}

func TestHundredUnmatchedCodesShutNewSources(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.shutOut("alice")
	w.time.pass(time.Minute)
	w.refused(w.from(cafe, "alice", "PASSWORDCODE"), reason.Throttled)
	w.restart()
	w.refused(w.from(cafe, "alice", "PASSWORDCODE"), reason.Throttled)
	w.admitted(w.from(home, "alice", "PASSWORDCODE")) // known
	w.time.pass(time.Minute)
	w.refused(w.from(cafe, "alice", "PASSWORDCODE"), reason.Throttled)
	w.admitted(w.from(desk, "alice", "PASSWORD")) // inside, though she was never there
	w.admitted(w.from(cafe, "alice", "PASSWORDCODE"))
}

// Whoever knows her password guesses codes through her mail program's server,
// where she succeeds every few minutes, or from behind the same address.
func TestCodesGuessedWhereThePersonSucceedsAreCounted(t *testing.T) {
	for name, at := range map[string]func(*world, string) Request{
		"an application": func(w *world, text string) Request {
			r := w.mail(w.from("198.18.0.20", "alice", text))
			r.Zone, r.Recurs, r.Source.Shared = policy.OffCampus, true, true
			return r
		},
		"a shared zone": func(w *world, text string) Request { return w.mail(w.from(guests, "alice", text)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.rule(policy.Rule{Name: "mail", Need: []policy.Need{policy.ParseNeed("password+otp")}, Ticket: 24 * time.Hour,
				Repeat: &policy.Repeat{Idle: 10 * time.Minute, Max: 12 * time.Hour}})
			w.admitted(w.mail(w.from(home, "alice", "PASSWORDCODE-1")))
			saved := at(w, "PASSWORDCODE")
			w.admitted(saved)
			judged, n := 0, 0
			for range 4 * 12 { // four hours of re-binds, each of which ends the delay
				for pause := time.Second; pause < 2*time.Minute; pause *= 2 {
					n++
					if a := w.admit(at(w, fmt.Sprintf("PASSWORD%06d", 100_000+n))); a.Reason == string(reason.WrongCode) {
						judged++
					}
					w.time.pass(pause)
				}
				w.time.pass(2 * time.Minute)
				w.admit(saved)
			}
			if judged != 100 {
				t.Errorf("of %d codes %d were judged, want a day's 100", n, judged)
			}
			w.refused(saved, reason.Throttled)
			// Her own place is not affected, and the next day nor is the other.
			w.admitted(w.mail(w.from(home, "alice", "PASSWORDCODE")))
			w.time.pass(22 * time.Hour)
			w.admitted(at(w, "PASSWORDCODE"))
		})
	}
}

// An application's address has the person's own delay all the same: what
// strangers fail elsewhere does not count there.
func TestStrangersElsewhereDontDelayAKnownApplication(t *testing.T) {
	w := newWorld(t)
	bind := func(text string) Request {
		r := w.mail(w.from("198.18.0.20", "alice", text))
		r.Zone, r.Source.Shared = policy.OffCampus, true
		return r
	}
	w.admitted(bind("PASSWORDCODE"))
	for n := range 10 {
		w.time.pass(w.throttle.delay(n + 1))
		w.refused(w.codes(stranger(n), "alice", n), reason.WrongCode)
	}
	w.refused(w.from(cafe, "alice", "PASSWORDCODE"), reason.Throttled)
	w.admitted(bind("PASSWORDCODE"))
}

func TestNewSourcesAreOpenAgainTheNextDay(t *testing.T) {
	w := newWorld(t)
	w.shutOut("alice")
	w.refused(w.from(cafe, "alice", "PASSWORDCODE"), reason.Throttled)
	w.time.pass(2 * time.Hour)
	w.admitted(w.from(cafe, "alice", "PASSWORDCODE"))
}

func TestBackendFailureNeverCounts(t *testing.T) {
	w := newWorld(t)
	local := w.people.Directory.(*directory.Local)
	good, bad := local.Pool, &passwd.Pool{Params: cheap}
	bad.Close()
	local.Pool = bad
	for n := range 20 {
		w.fails(w.guesses(desk, "alice", n), passwd.ErrBusy)
	}
	local.Pool = good
	w.admitted(w.from(desk, "alice", "PASSWORD"))
	if n := w.throttle.inWork(); n != 0 {
		t.Errorf("%d guesses are still in work", n)
	}
}

func TestWhatWasNotJudgedDoesNotCount(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		w.refused(w.from(home, "alice", "PASSWORD"), reason.CodeMissing)
		w.refused(w.from(home, "alice", "PASSWORD１２３４５６"), reason.CodeWide)
		w.refused(w.from(home, "alice", ""), reason.EmptyPassword)
		w.refused(w.from(home, "alice", "PASSWORDCODE-4"), reason.CodeStale)
		w.refused(w.from(home, "grace", "PASSWORDCODE"), reason.MustChange)
	}
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	if c := w.counters(); len(c) != 0 {
		t.Errorf("counted %v", c)
	}
}

// Another generation starts afresh: the desk has set a new password.
func TestNewPasswordStartsAfresh(t *testing.T) {
	w := newWorld(t)
	w.refused(w.guesses(desk, "alice", 1), reason.WrongPassword)
	w.changePerson("alice", func(p *store.Person) { p.Hash = hashes()["bob"] })
	w.admitted(w.from(desk, "alice", "battery staple"))
}

func TestForeignCounterRowsAreIgnored(t *testing.T) {
	for _, name := range []string{"", "z", "z 1 2", "zz 1 2 x", "z one 2 x", "z 1 two x"} {
		if p, ok := parsePlace(name); ok {
			t.Errorf("%q is read as %v", name, p)
		}
	}
	want := place{atSource, 7, 2, "device a b"}
	if p, ok := parsePlace(want.String()); !ok || p != want {
		t.Errorf("%v comes back as %v", want, p)
	}
}
