package gate

import (
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/policy"
)

// Bob has the address already, but no record of his is here yet, since the NAS
// waits for ours.
func TestLostStopAndSomebodyWhoWasLetIn(t *testing.T) {
	w, _ := connected(t)
	w.time.pass(time.Minute)
	w.tell(w.acct("alice", AccountingInterim, at(inside4)))
	w.time.pass(time.Second)
	w.dial("bob")
	w.time.pass(2 * time.Second)
	w.vouchesNobody(inside4)
	w.restart() // it is not only remembered
	w.vouchesNobody(inside4)
	w.tell(w.acct("bob", AccountingStart))
	w.vouchesNobody(inside4)
	w.tell(w.acct("bob", AccountingInterim, at(other4), lasted(time.Second)))
	w.vouches(inside4, "alice", policy.Allow)
}

// Nothing is known of his source, so his session is not found by it. Still he
// may be on the address.
func TestLostStopAndSomebodyWhoWasLetInFromNowhere(t *testing.T) {
	w, _ := connected(t)
	r := w.vpn(w.from(home, "bob", "PASSWORDCODE"))
	r.Source = Source{}
	w.admitted(r)
	w.vouchesNobody(inside4)
}

// He ends his ticket himself before his session begins: he is let in.
func TestLostStopAndSomebodyWhoEndsHisTicket(t *testing.T) {
	w, _ := connected(t)
	w.end(w.dial("bob"))
	w.vouchesNobody(inside4)
}

func TestAcceptsThatDoNotMatter(t *testing.T) {
	for name, dial := range map[string]func(w *world){
		"her own":          func(w *world) { w.dial("alice") },
		"another client's": func(w *world) { r := w.vpn(w.from(home, "bob", "PASSWORDCODE")); r.Client = "vpn2"; w.admitted(r) },
		"not of a NAS":     func(w *world) { w.admitted(w.from(desk, "bob", "PASSWORD")) },
		"refused":          func(w *world) { w.admit(w.vpn(w.from(home, "bob", "WRONG"))) },
		"told elsewhere": func(w *world) {
			w.tell(w.acct("bob", AccountingStart, class(w.dial("bob")), at(other4)))
		},
		"over": func(w *world) {
			w.tell(w.acct("bob", AccountingStart, class(w.dial("bob"))))
			w.tell(w.acct("bob", AccountingStop))
		},
	} {
		for _, again := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				w, _ := connected(t)
				w.time.pass(30 * time.Second)
				dial(w)
				if again {
					w.restart()
				}
				w.vouches(inside4, "alice", policy.Allow)
			})
		}
	}
}

// The NAS let nobody in, as far as it was ever told.
func TestAcceptWhoseSessionNeverComes(t *testing.T) {
	w, _ := connected(t)
	w.dial("bob")
	for passed := time.Duration(0); passed <= acceptsFor; passed += 30 * time.Second {
		w.tell(w.acct("alice", AccountingInterim, at(inside4), lasted(passed)))
		if passed <= freshMost {
			w.vouchesNobody(inside4)
		} else {
			w.vouches(inside4, "alice", policy.Ask)
		}
		w.time.pass(30 * time.Second)
	}
	w.tell(w.acct("alice", AccountingInterim, at(inside4), lasted(acceptsFor+30*time.Second)))
	w.vouches(inside4, "alice", policy.Allow)
}

// Bob connects again by a repeat, and the end of his first session is told: the
// second may be on any address by now, until it tells its own.
func TestRepeatBeginsAnotherSession(t *testing.T) {
	for name, restarted := range map[string]bool{"going on": false, "after a restart": true} {
		t.Run(name, func(t *testing.T) {
			w, _ := connected(t)
			w.time.pass(5 * time.Second)
			r := w.vpn(w.from(home, "bob", "PASSWORDCODE"))
			first := w.admitted(r)
			w.tell(w.acct("bob", AccountingStart, class(first), at(other4)))
			w.vouches(inside4, "alice", policy.Allow)
			w.time.pass(3 * time.Second)
			again := w.want(r, Admitted, reason.Repeated)
			w.vouchesNobody(inside4)
			w.tell(w.acct("bob", AccountingStop, class(first)))
			w.time.pass(time.Second)
			if restarted {
				w.restart()
			}
			w.vouchesNobody(inside4)
			w.tell(w.acct("bob", AccountingStart, class(again), named("second"), at(other4)))
			w.vouches(inside4, "alice", policy.Allow)
		})
	}
}

// Our clock was ahead when bob was let in, and is right again.
func TestAcceptOfATimeToCome(t *testing.T) {
	for _, ahead := range []time.Duration{4 * time.Minute, 6 * time.Minute, time.Hour} {
		w, _ := connected(t)
		w.accepts.expect("vpn1", expected{ticket: 1 << 40, person: w.account("bob").ID, at: w.time.now().Add(ahead)})
		w.vouchesNobody(inside4)
	}
}

// An Accept counts from when it came, whatever an earlier one of the ticket was
// dated.
func TestLatestAcceptOfATicketStands(t *testing.T) {
	var m accepts
	m.expect("vpn1", expected{ticket: 1, person: 2, at: begin.Add(time.Hour)})
	m.expect("vpn1", expected{ticket: 1, person: 2, at: begin})
	if e := m.find("vpn1", 9, false, begin); e.ticket != 1 || !e.at.Equal(begin) {
		t.Errorf("found %+v", e)
	}
}

// More than can be remembered are let in: then any could be anywhere.
func TestUnheardAreBounded(t *testing.T) {
	var m accepts
	for n := range int64(expectedMost + 100) {
		m.expect("vpn1", expected{ticket: n + 1, person: n + 1, at: begin})
	}
	if n := len(m.unheard["vpn1"].line); n != expectedMost {
		t.Errorf("%d are kept", n)
	}
	for n := range int64(expectedMost + 100) {
		m.done("vpn1", n+1, begin)
	}
	if e := m.find("vpn1", 1, true, begin); !e.at.Equal(begin) {
		t.Error("who was dropped is taken for heard of")
	}
	m.expect("vpn1", expected{ticket: 1, person: 1, at: begin.Add(time.Hour)})
	if n := len(m.unheard["vpn1"].line) + len(m.unheard["vpn1"].tickets); n != 2 {
		t.Errorf("%d are kept an hour later", n)
	}
}

// Those that were heard of leave room without a trace, and of a ticket that was
// the answer again only its last.
func TestUnheardThatAreHeardOfLeaveRoom(t *testing.T) {
	var m accepts
	m.expect("vpn1", expected{ticket: 1, person: 1, at: begin})
	m.expect("vpn1", expected{ticket: 2, person: 2, at: begin})
	m.done("vpn1", 2, begin)
	m.expect("vpn1", expected{ticket: 1, person: 1, at: begin.Add(time.Second)})
	for n := range int64(expectedMost - 1) {
		m.expect("vpn1", expected{ticket: n + 3, person: n + 3, at: begin.Add(time.Second)})
		m.done("vpn1", n+3, begin.Add(time.Second))
	}
	if n := len(m.unheard["vpn1"].line); n != expectedMost {
		t.Errorf("%d are kept", n)
	}
	if e := m.find("vpn1", 9, false, begin.Add(time.Second)); e.ticket != 1 {
		t.Errorf("found %+v", e)
	}
	m.done("vpn1", 1, begin.Add(time.Second))
	if e := m.find("vpn1", 9, false, begin.Add(time.Second)); !e.at.IsZero() {
		t.Errorf("found %+v when all were heard of", e)
	}
}

// What was dropped counts as long as the latest of it would have, in whatever
// order it came.
func TestDroppedCountAsLongAsTheLatest(t *testing.T) {
	for name, first := range map[string]time.Time{"the clock went on": begin, "the clock was set back": begin.Add(2 * time.Minute)} {
		t.Run(name, func(t *testing.T) {
			var m accepts
			m.expect("vpn1", expected{ticket: 1, person: 1, at: first})
			for n := range int64(expectedMost + 1) {
				m.expect("vpn1", expected{ticket: n + 2, person: 2, at: begin})
			}
			over := first.Add(acceptsFor)
			if e := m.find("vpn1", 2, false, over); !e.at.Equal(first) {
				t.Errorf("found %+v", e)
			}
			if e := m.find("vpn1", 2, false, over.Add(time.Microsecond)); !e.at.IsZero() {
				t.Errorf("found %+v later", e)
			}
		})
	}
}

// The repeat of somebody who was given an address has it from the beginning.
func TestRepeatKeepsItsLease(t *testing.T) {
	var m accepts
	m.expect("vpn1", expected{ticket: 1, person: 1, at: begin})
	m.lent("vpn1", 1)
	m.expect("vpn1", expected{ticket: 1, person: 1, at: begin.Add(time.Second)})
	if e := m.find("vpn1", 2, true, begin.Add(time.Second)); !e.at.IsZero() {
		t.Errorf("found %+v", e)
	}
	if e := m.find("vpn1", 2, false, begin.Add(time.Second)); e.ticket != 1 {
		t.Errorf("found %+v where leases do not count", e)
	}
}

// A session that lives renews its keys, and shows its code again: no other
// begins, so nobody else is asked for anything.
func TestRenewedSessionHidesNobody(t *testing.T) {
	w, r, a := renegotiating(t)
	w.tell(w.acct("alice", AccountingStart, class(a), at(other4)))
	w.tell(w.acct("bob", AccountingStart, class(w.dial("bob")), at(inside4)))
	w.vouches(inside4, "bob", policy.Allow)
	for range 3 {
		w.time.pass(10 * time.Second)
		w.repeated(r)
		w.vouches(inside4, "bob", policy.Allow)
		w.want(w.goOn(inside4, "bob"), Admitted, reason.Reused)
	}
}
