package gate

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// through asks who has the address, as the portal does.
func (w *world) throughTunnel(address string) Holder {
	w.t.Helper()
	h, err := w.Tunnel(w.t.Context(), w.from(address, "", ""))
	w.must(err)
	return h
}

func (w *world) vouches(address, name string, verdict policy.Verdict) Holder {
	w.t.Helper()
	h := w.throughTunnel(address)
	if h.Person.Name != name || h.Verdict != verdict {
		w.t.Errorf("at %s: %q, %v; want %q, %v", address, h.Person.Name, h.Verdict, name, verdict)
	}
	return h
}

// vouchesNobody wants no trace of anybody: neither shown nor lent.
func (w *world) vouchesNobody(address string) {
	w.t.Helper()
	if h := w.throughTunnel(address); !reflect.DeepEqual(h, Holder{}) {
		w.t.Errorf("at %s: %+v", address, h)
	}
	for _, name := range []string{"alice", "bob"} {
		if a := w.admit(w.goOn(address, name)); a.Outcome != Refused {
			w.t.Errorf("%s goes on as %s: %s", address, name, a.Reason)
		}
	}
}

// goOn is a request that continues as somebody, with nothing typed.
func (w *world) goOn(address, name string) Request {
	r := w.from(address, name, "")
	r.Tunnel = true
	return r
}

// connected is alice in the tunnel.
func connected(t *testing.T) (w *world, a Answer) {
	t.Helper()
	w = newWorld(t)
	a = w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside4, inside6)))
	return w, a
}

func TestTunnelTellsWhoAndWhatItIsWorth(t *testing.T) {
	w, a := connected(t)
	w.time.pass(30 * time.Second)
	got := w.throughTunnel(inside4)
	want := Holder{
		Person: Person{ID: w.account("alice").ID, Name: "alice"}, Ticket: Ticket{ID: a.Ticket.ID, Until: a.Ticket.Until, Idle: a.Ticket.Idle},
		Service: "ssl-vpn", Since: begin, Zone: "vpn", Verdict: policy.Allow, Proves: []policy.Factor{policy.Password, policy.OTP},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("holder\n%+v, want\n%+v", got, want)
	}
	w.vouches("2001:db8:50:7:1::2", "alice", policy.Allow)
}

func TestContinueRestsOnTheTunnelsTicket(t *testing.T) {
	w, a := connected(t)
	w.time.pass(30 * time.Second)
	child := w.want(w.goOn(inside4, "alice"), Admitted, reason.Reused)
	h := w.worth(w.holding(inside4, child), policy.Allow)
	if h.Ticket.Until.After(a.Ticket.Until) {
		t.Error("it lives longer")
	}
	e := w.event(child.Reference)
	if e.How != "tunnel" || e.Detail != "by the tunnel's ticket "+a.Ticket.ID || e.Name != "alice" || e.Source != inside4 {
		t.Errorf("booked as %+v", e)
	}
	id, _ := w.Store.ParseTicket(child.Ticket.ID)
	held, err := w.Store.Held(t.Context(), id)
	w.must(err)
	if borrowed, err := w.borrowedByAddress(t.Context(), &held); !borrowed || err != nil {
		t.Errorf("borrowed by address: %v, %v", borrowed, err)
	}
	w.time.pass(time.Second)
	w.tell(w.acct("alice", AccountingStop))
	w.nobody(w.holding(inside4, child))
	w.vouchesNobody(inside4)
}

func TestTunnelLendsToItsOwnPersonOnly(t *testing.T) {
	w, _ := connected(t)
	w.want(w.goOn(inside4, "bob"), Refused, reason.EmptyPassword)
	w.want(w.goOn(inside4, "nobody"), Refused, reason.EmptyPassword)
	asked := w.goOn(inside4, "alice")
	asked.Tunnel = false
	w.want(asked, Refused, reason.EmptyPassword)
	w.want(w.goOn(other4, "alice"), Refused, reason.EmptyPassword)
	// A ticket that lends nothing brings no other.
	w.want(asked.with(w.admitted(w.from(desk, "bob", "PASSWORD"))), Refused, reason.EmptyPassword)
}

// A ticket that the person presents goes before the tunnel's.
func TestPresentedTicketGoesFirst(t *testing.T) {
	w, _ := connected(t)
	own := w.admitted(w.from(desk, "alice", "PASSWORD"))
	r := w.goOn(inside4, "alice").with(own)
	if a := w.want(r, Admitted, reason.Reused); w.event(a.Reference).How != "socket" {
		t.Error("by the tunnel")
	}
	strange := w.goOn(inside4, "alice").with(w.admitted(w.from(desk, "bob", "PASSWORD")))
	if a := w.want(strange, Admitted, reason.Reused); w.event(a.Reference).How != "tunnel" {
		t.Error("not by the tunnel")
	}
}

// What is old is lent no more, as with a ticket that is presented.
func TestTunnelLendsAsLongAsTheRuleSays(t *testing.T) {
	w := newWorld(t)
	w.rule(policy.Rule{Name: "short", Door: []string{policy.DoorWeb}, Need: []policy.Need{policy.ParseNeed("password+otp")}, Ticket: time.Hour, Reuse: time.Minute},
		campusRules[4])
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside4)))
	w.time.pass(time.Minute - 1)
	w.vouches(inside4, "alice", policy.Allow)
	w.time.pass(2)
	h := w.vouches(inside4, "alice", policy.Ask)
	if !h.Missing.Password || !h.Missing.Code {
		t.Errorf("missing %+v", h.Missing)
	}
}

func TestVouchingEnds(t *testing.T) {
	for name, end := range map[string]func(w *world, a Answer){
		"Stop":           func(w *world, _ Answer) { w.tell(w.acct("alice", AccountingStop)) },
		"On":             func(w *world, _ Answer) { w.tell(w.acct("", AccountingOn)) },
		"Off":            func(w *world, _ Answer) { w.tell(w.acct("", AccountingOff)) },
		"ticket revoked": func(w *world, a Answer) { w.end(a) },
		"disabled":       func(w *world, _ Answer) { w.changePerson("alice", func(p *store.Person) { p.Disabled = true }) },
		"new password":   func(w *world, _ Answer) { w.changePerson("alice", func(p *store.Person) { p.Hash = hashes()["bob"] }) },
		"clock back":     func(w *world, _ Answer) { w.time.jump(-time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			w, a := connected(t)
			w.time.pass(10 * time.Second)
			w.vouches(inside4, "alice", policy.Allow)
			end(w, a)
			w.vouchesNobody(inside4)
		})
	}
}

func TestVouchingEndsWithTheTicket(t *testing.T) {
	w, a := connected(t)
	for w.time.now().Add(time.Minute).Before(a.Ticket.Until) {
		w.time.pass(time.Minute)
		w.tell(w.acct("alice", AccountingInterim, at(inside4)))
	}
	w.vouches(inside4, "alice", policy.Allow)
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, at(inside4)))
	w.vouchesNobody(inside4)
}

// Until one Interim-Update is missed, by the interval that was seen, and never
// for longer than 70 s.
func TestMissedInterim(t *testing.T) {
	for _, tt := range []struct{ interval, lasts time.Duration }{
		{30 * time.Second, 40 * time.Second},
		{60 * time.Second, 70 * time.Second},
		{10 * time.Minute, 70 * time.Second}, // its cap
		{2 * time.Second, 70 * time.Second},  // no measure
	} {
		w, _ := connected(t)
		for n := range 3 {
			w.time.pass(tt.interval)
			w.tell(w.acct("alice", AccountingInterim, at(inside4), lasted(time.Duration(n+1)*tt.interval)))
		}
		w.time.pass(tt.lasts - time.Microsecond)
		w.vouches(inside4, "alice", policy.Allow)
		w.time.pass(time.Microsecond)
		w.vouchesNobody(inside4)
		w.tell(w.acct("alice", AccountingInterim, at(inside4), lasted(time.Hour)))
		w.vouches(inside4, "alice", policy.Allow)
	}
}

// An interval in which one was lost does not make the next look longer.
func TestIntervalIsTheShortest(t *testing.T) {
	w, _ := connected(t)
	for _, after := range []time.Duration{30 * time.Second, 60 * time.Second, 90 * time.Second, 120 * time.Second, 240 * time.Second} {
		w.time.pass(begin.Add(after).Sub(w.time.now()))
		w.tell(w.acct("alice", AccountingInterim, at(inside4), lasted(after)))
	}
	if s := w.sessionOf(w.acct("alice", AccountingStart)); s.Interval != 30*time.Second {
		t.Errorf("interval %v", s.Interval)
	}
}

// A record that was held up says who was there when it was made.
func TestRecordThatWasHeldUp(t *testing.T) {
	w, _ := connected(t)
	w.time.pass(2 * time.Minute)
	w.tell(w.acct("alice", AccountingInterim, at(inside4), ago(time.Minute)))
	w.vouches(inside4, "alice", policy.Allow)
	w.time.pass(10 * time.Second)
	w.vouchesNobody(inside4)
}

func TestInterimWithoutTheAddressRenewsNothing(t *testing.T) {
	w, _ := connected(t)
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim))
	w.time.pass(10 * time.Second)
	w.vouchesNobody(inside4)
}

func TestMovedSessionLeavesItsAddress(t *testing.T) {
	w, _ := connected(t)
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, at(other4)))
	w.vouches(other4, "alice", policy.Allow)
	w.vouchesNobody(inside4)
	w.vouchesNobody("2001:db8:50:7::1")
}

// The Stop is lost, the address is given to bob, and bob opens the portal
// before his first Interim-Update. ocserv's Start does not tell his address.
func TestLostStopAndReusedAddress(t *testing.T) {
	w, _ := connected(t)
	w.time.pass(20 * time.Second)
	w.vouches(inside4, "alice", policy.Allow)
	b := w.dial("bob")
	w.tell(w.acct("bob", AccountingStart))
	for range 5 {
		w.vouchesNobody(inside4)
		w.time.pass(10 * time.Second)
	}
	w.tell(w.acct("bob", AccountingInterim, at(inside4), lasted(50*time.Second)))
	w.vouches(inside4, "bob", policy.Allow)
	w.want(w.goOn(inside4, "bob"), Admitted, reason.Reused)
	w.want(w.goOn(inside4, "alice"), Refused, reason.EmptyPassword)
	w.live(b, true)
}

// Where the Start tells his address she is gone from it at once.
func TestLostStopAndReusedAddressThatIsTold(t *testing.T) {
	w, _ := connected(t)
	w.time.pass(20 * time.Second)
	w.tell(w.acct("bob", AccountingStart, class(w.dial("bob")), at(inside4)))
	w.vouches(inside4, "bob", policy.Allow)
	w.want(w.goOn(inside4, "alice"), Refused, reason.EmptyPassword)
}

// Whoever has no ticket takes the address away all the same.
func TestLostStopAndReusedAddressOfSomebodyWithoutATicket(t *testing.T) {
	w, _ := connected(t)
	w.time.pass(20 * time.Second)
	w.tell(w.acct("bob", AccountingStart, at(inside4)))
	w.vouchesNobody(inside4)
}

// Both go on telling that they are there: nobody is believed.
func TestTwoPeopleOnOneAddress(t *testing.T) {
	w, _ := connected(t)
	w.tell(w.acct("bob", AccountingStart, class(w.dial("bob")), at(inside4)))
	for range 3 {
		w.time.pass(20 * time.Second)
		w.tell(w.acct("alice", AccountingInterim, at(inside4)))
		w.vouchesNobody(inside4)
		w.time.pass(20 * time.Second)
		w.tell(w.acct("bob", AccountingInterim, at(inside4)))
		w.vouchesNobody(inside4)
	}
	w.tell(w.acct("bob", AccountingStop))
	w.vouchesNobody(inside4)
}

func TestNetworkThatHoldsAnothersAddress(t *testing.T) {
	w, _ := connected(t)
	w.tell(w.acct("bob", AccountingStart, class(w.dial("bob")), at("2001:db8:50:7::1/128")))
	w.vouches("2001:db8:50:7::1", "bob", policy.Allow)
	w.vouchesNobody("2001:db8:50:7::2")
}

// Somebody came in before and has not told an address for longer than a record
// says who is there. It is hardly this one, which alice's record told later;
// still the password is asked for.
func TestNamelessSessionFromBefore(t *testing.T) {
	w := newWorld(t)
	w.tell(w.acct("bob", AccountingStart, class(w.dial("bob"))))
	a := w.dial("alice")
	w.time.pass(freshMost)
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside6)))
	const address = "2001:db8:50:7::1"
	w.vouchesNobody(address)
	w.time.pass(time.Second)
	w.tell(w.acct("alice", AccountingInterim, at(inside6)))
	h := w.vouches(address, "alice", policy.Ask)
	if !h.Missing.Password || h.Missing.Code {
		t.Errorf("missing %+v", h.Missing)
	}
	w.want(w.goOn(address, "alice"), Refused, reason.EmptyPassword)
	r := w.goOn(address, "alice")
	r.Password = []byte(w.typed("alice", "PASSWORD"))
	if e := w.event(w.admitted(r).Reference); e.How != "tunnel" || e.Factors != "password+otp" {
		t.Errorf("booked as %+v", e)
	}
	w.tell(w.acct("bob", AccountingStop))
	w.vouches(address, "alice", policy.Allow)
}

// Where a code alone would do nothing would be left to show, so none is lent.
func TestNamelessSessionWhereACodeSuffices(t *testing.T) {
	w := newWorld(t)
	w.rule(policy.Rule{Name: "code", Door: []string{policy.DoorWeb}, Need: []policy.Need{policy.ParseNeed("otp")}, Ticket: time.Hour}, campusRules[4])
	w.tell(w.acct("bob", AccountingStart, class(w.dial("bob"))))
	a := w.dial("alice")
	w.time.pass(freshMost + time.Second)
	w.tell(w.acct("alice", AccountingStart, class(a), at(inside4)))
	w.vouches(inside4, "alice", policy.Ask)
	if a := w.admit(w.goOn(inside4, "alice")); a.Outcome != Refused {
		t.Errorf("%v", a.Reason)
	}
}

func TestNamelessSessionsThatDoNotMatter(t *testing.T) {
	for name, r := range map[string]func(*Accounting){
		"another client's": func(r *Accounting) { r.Client, r.User = "vpn2", "bob" },
		"her own":          func(*Accounting) {},
	} {
		t.Run(name, func(t *testing.T) {
			w, a := connected(t)
			w.time.pass(10 * time.Second)
			w.tell(w.acct("alice", AccountingStart, named("nameless"), class(a), r))
			w.vouches(inside4, "alice", policy.Allow)
		})
	}
}

func TestWhoWasTold(t *testing.T) {
	const long = freshMost + time.Microsecond
	addr := netip.MustParseAddr(inside4)
	alice := store.Session{SessionKey: store.SessionKey{Client: "vpn1", Name: "a"}, Ticket: 7, Person: 1, Named: begin, Address4: addr}
	bob := store.Session{SessionKey: store.SessionKey{Client: "vpn1", Name: "b"}, Ticket: 8, Person: 2, Named: begin, Address4: addr}
	ousted, other, elsewhere, stray := bob, alice, alice, alice
	ousted.Ousted, elsewhere.Client, other.Ousted = true, "vpn2", true
	stray.Address4 = netip.MustParseAddr(other4)
	all := func(s ...store.Session) []store.Session { return s }
	given := func(p store.Place) store.Place {
		p.Client, p.Ticket, p.Person, p.Leased = "vpn1", 7, 1, true
		return p
	}
	a := &attempt{at: begin.Add(time.Second)}
	for name, tt := range map[string]struct {
		place        store.Place
		accepted     time.Time
		found, whole bool
	}{
		"nobody":                 {store.Place{}, time.Time{}, false, false},
		"alice":                  {store.Place{On: all(alice)}, time.Time{}, true, true},
		"two":                    {store.Place{On: all(alice, bob)}, time.Time{}, false, false},
		"one who is gone":        {store.Place{On: all(ousted, alice)}, time.Time{}, true, true},
		"nobody who is not gone": {store.Place{On: all(ousted)}, time.Time{}, false, false},
		"nameless":               {store.Place{On: all(alice), Nameless: begin.Add(-freshMost)}, time.Time{}, false, false},
		"nameless before":        {store.Place{On: all(alice), Nameless: begin.Add(-long)}, time.Time{}, true, false},
		"with a lease":           {store.Place{On: all(alice), Waiting: begin, Keeps: true}, time.Time{}, false, false},
		"with a lease, before":   {store.Place{On: all(alice), Waiting: begin.Add(-long), Keeps: true}, time.Time{}, true, false},
		"let in":                 {store.Place{On: all(alice)}, begin.Add(-freshMost), false, false},
		"let in before":          {store.Place{On: all(alice)}, begin.Add(-long), true, false},

		"given":                             {given(store.Place{}), time.Time{}, true, true},
		"given and told":                    {given(store.Place{On: all(alice)}), time.Time{}, true, true},
		"given, but another is there":       {given(store.Place{On: all(ousted)}), time.Time{}, false, false},
		"given by another client":           {given(store.Place{On: all(elsewhere)}), time.Time{}, false, false},
		"given, but is elsewhere":           {given(store.Place{Own: all(stray)}), time.Time{}, false, false},
		"given, and the client strays":      {given(store.Place{On: all(alice), Keeps: true, Strays: true}), time.Time{}, false, false},
		"given, nameless":                   {given(store.Place{Nameless: begin}), time.Time{}, false, false},
		"given, nameless before":            {given(store.Place{Nameless: begin.Add(-long)}), time.Time{}, true, false},
		"given and told, nameless before":   {given(store.Place{On: all(alice), Nameless: begin.Add(-long)}), time.Time{}, true, true},
		"given and told, nameless since":    {given(store.Place{On: all(alice), Nameless: begin}), time.Time{}, false, false},
		"given and told, then another was":  {given(store.Place{On: all(other), Nameless: begin.Add(-long)}), time.Time{}, true, false},
		"given, with a lease":               {given(store.Place{Waiting: begin}), time.Time{}, false, false},
		"given by one who keeps to it":      {given(store.Place{Waiting: begin, Keeps: true}), time.Time{}, true, true},
		"given, let in":                     {given(store.Place{Keeps: true}), begin, false, false},
		"given and told, let in before":     {given(store.Place{On: all(alice)}), begin.Add(-long), true, true},
		"given and told, let in without it": {given(store.Place{On: all(alice), Keeps: true}), begin, false, false},
	} {
		if found, whole := a.vouches(&tt.place, addr, begin, tt.accepted); found != tt.found || whole != tt.whole {
			t.Errorf("%s: %v, %v", name, found, whole)
		}
	}
}

func TestSharedZoneVouchesForNobody(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	w.tell(w.acct("alice", AccountingStart, class(a), at(guests), func(r *Accounting) { r.Tunnel = prefixes("192.0.2.128/26") }))
	w.vouchesNobody(guests)

	w, _ = connected(t)
	r := w.goOn(inside4, "alice")
	r.Source.Shared = true
	w.want(r, Refused, reason.EmptyPassword)
	if h, err := w.Tunnel(t.Context(), r); err != nil || h.Person.ID != 0 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestAddressThatSomebodyElseTells(t *testing.T) {
	w, _ := connected(t)
	for how, want := range map[string]Outcome{"socket": Admitted, "x-forwarded-for": Admitted, "proxy-header": Admitted,
		"calling-station-id": Refused, "": Refused} {
		r := w.goOn(inside4, "alice")
		r.Source.How = how
		if a := w.admit(r); a.Outcome != want {
			t.Errorf("%q: %v", how, a.Outcome)
		}
	}
	r := w.goOn(inside4, "alice")
	r.Source.Addr = netip.Addr{}
	w.want(r, Refused, reason.EmptyPassword)
}

func TestLookingDoesNotUseTheTicket(t *testing.T) {
	w, a := connected(t)
	id, _ := w.Store.ParseTicket(a.Ticket.ID)
	used := func() time.Time {
		h, err := w.Store.Held(t.Context(), id)
		w.must(err)
		return h.Used
	}
	before := used()
	w.time.pass(30 * time.Second)
	w.vouches(inside4, "alice", policy.Allow)
	w.want(w.goOn(inside4, "bob"), Refused, reason.EmptyPassword)
	if !used().Equal(before) {
		t.Error("looking counts as using it")
	}
	w.want(w.goOn(inside4, "alice"), Admitted, reason.Reused)
	if !used().Equal(w.time.now()) {
		t.Error("going on does not count as using it")
	}
}

func TestTunnelOfAStoreThatFails(t *testing.T) {
	w, _ := connected(t)
	r := w.goOn(inside4, "alice")
	w.must(w.Store.Close())
	if _, err := w.Tunnel(t.Context(), r); err == nil {
		t.Error("no error")
	}
	w.fails(r, store.ErrClosed)
}

func TestTunnelOfADirectoryThatFails(t *testing.T) {
	w, _ := connected(t)
	down := errors.New("down")
	w.people.fail(down)
	if _, err := w.Tunnel(t.Context(), w.goOn(inside4, "alice")); !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
	w.tell(w.acct("alice", AccountingStop)) // is kept all the same
	w.people.fail(nil)
	w.vouchesNobody(inside4)
}

// A copy of alice's record, without a time, comes after bob began: bob may
// have her address since before.
func TestCopyOfARecordAfterSomebodyBegan(t *testing.T) {
	noTS := func(r *Accounting) { r.Event = time.Time{} }
	w, _ := connected(t)
	w.time.pass(61 * time.Second)
	w.dial("bob")
	w.tell(w.acct("bob", AccountingStart, noTS))
	w.time.pass(time.Second)
	w.tell(w.acct("alice", AccountingInterim, at(inside4), lasted(2*time.Minute), noTS))
	w.vouchesNobody(inside4)
}

// Our clock is set back: alice's record looks later than bob's.
func TestClockSetBackAfterARecord(t *testing.T) {
	w, _ := connected(t)
	w.time.jump(-30 * time.Second)
	w.time.pass(time.Second)
	w.tell(w.acct("bob", AccountingStart, class(w.dial("bob"))))
	for range 6 {
		w.vouchesNobody(inside4)
		w.time.pass(10 * time.Second)
	}
}

// A record that was held up does not take the address from who is there now.
func TestLateRecordOustsNobodyWhoCameSince(t *testing.T) {
	w, _ := connected(t)
	w.time.pass(20 * time.Second)
	w.tell(w.acct("bob", AccountingStart, class(w.dial("bob")), at(inside4)))
	w.time.pass(time.Second)
	w.tell(w.acct("alice", AccountingInterim, at(inside4), ago(10*time.Second)))
	w.vouches(inside4, "bob", policy.Allow)
}

// Somebody else was seen on the address that alice was given: that is not
// forgotten when they leave.
func TestLeaseThatTheNASGaveAway(t *testing.T) {
	w := newWorld(t)
	a := w.dial("alice")
	addr := w.lease(a).String()
	w.tell(w.acct("alice", AccountingStart, class(a), at(addr)))
	w.vouches(addr, "alice", policy.Allow)
	w.time.pass(time.Second)
	b := w.dial("bob")
	w.tell(w.acct("bob", AccountingStart, class(b), at(addr)))
	w.vouchesNobody(addr)
	w.tell(w.acct("bob", AccountingStop, class(b), at(addr)))
	w.vouchesNobody(addr)
}
