package store

import (
	"net/netip"
	"path/filepath"
	"testing"
	"time"
)

// suite is what every database behind a Store must do. open returns an empty
// store that ends with the test.
func suite(t *testing.T, open func(t *testing.T) *Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s *Store)
	}{
		{"people are added with their events", testAddPeople},
		{"a taken name adds nobody", testAddTwice},
		{"no group hides in another's name", testGroups},
		{"a change raises the generation", testChangePerson},
		{"a change that fails writes nothing", testChangeFails},
		{"a better hash only for the same password", testRenewHash},
		{"people are listed from a name", testPeople},
		{"nobody of that name", testUnknown},
		{"a uid number is one person's", testUIDNumber},

		{"a person of the directory behind", testAdopt},
		{"a person of the directory behind, again", testAdoptAgain},
		{"nobody of the directory behind", testAdoptNobody},
		{"a local account has the name", testAdoptLocalName},
		{"a local account is linked", testLink},
		{"what can't be linked", testLinkRefused},
		{"a local account gives up its name", testRelease},
		{"local accounts that are in the way", testUnlinked},
		{"a name is used again", testReusedName},
		{"a device of somebody who lost their name", testAddTokenToWhoeverHasTheNameByThen},
		{"a person is renamed", testAdoptRenamed},
		{"people swap their names", testAdoptSwapped},
		{"one person 32 times at once", testAdoptAtOnce},

		{"app passwords are added", testAddAppPassword},
		{"app passwords end with password and device", testAppPasswordsEndWithPasswordAndDevice},
		{"an app password of a changed person", testAppPasswordOfAChangedPerson},
		{"app passwords are bounded", testAppPasswordsAreBounded},
		{"an app password is ended", testEndAppPassword},
		{"an app password is ended meanwhile", testAppPasswordEndedMeanwhile},
		{"an app password is used", testAppPasswordIsUsed},
		{"a sign-out ends app passwords", testSignOut},

		{"devices are added", testAddToken},
		{"a new device replaces the others", testReplaceToken},
		{"devices are removed", testRemoveTokens},
		{"resync burns what lies before", testResync},
		{"fence", testFence},
		{"fence reaches a device that runs ahead", testFenceDrift},
		{"reseal", testReseal},
		{"reseal stops at a fault", testResealFails},

		{"a settlement is read back", testSettled},
		{"a settlement without a person", testNobody},
		{"replayed code", testReplay},
		{"code of an earlier step", testEarlierStep},
		{"one code twice in a batch", testSameBatch},
		{"one code 64 times at once", testRace},
		{"another's device burns nothing of mine", testOtherDevice},
		{"password changed while judged", testGenerationMoved},
		{"repeats are bound", testRepeat},
		{"repeat of an ended ticket", testRepeatEnded},
		{"counters", testCounters},
		{"known sources", testKnown},
		{"known sources are bounded", testKnownIsBounded},
		{"remembered account follows a settlement", testAccountFollows},

		{"references", testReferences},
		{"references in one batch of all sizes", testBatchSizes},
		{"a flood has one row a minute", testFlood},
		{"a flood across a minute in one batch", testFloodMinute},
		{"search", testSearch},
		{"search before and after the index", testSearchIndexed},
		{"events are in order", testOrder},
		{"the clock", testClock},

		{"tickets that live", testTickets},
		{"another person's ticket", testTicketsOfOne},
		{"a ticket ends with its children", testEndTicket},
		{"a child needs a living parent", testParent},
		{"a ticket that is held", testHeld},
		{"a held ticket rests on others", testHeldRests},
		{"a held ticket ends", testHeldEnds},
		{"a held ticket follows a settlement", testHeldSettled},
		{"a held ticket whose line is broken", testHeldBrokenLine},
		{"use of a ticket", testUse},
		{"use of a ticket after its end", testUseAfterEnd},
		{"names of tickets", testTicketName},
		{"who is signed in", testSignedIn},
		{"an order to end a session", testOrderEnd},
		{"key checks", testKeyChecks},
		{"readiness", testReadiness},

		{"a session is read back", testSession},
		{"a record that makes no session", testSessionNotKept},
		{"an address is taken", testAddressIsTaken},
		{"an address is taken in a batch", testAddressIsTakenInABatch},
		{"sessions at an address", testSessionsAt},
		{"nameless beside an address", testNamelessBesideAnAddress},
		{"an older claim", testOlderClaim},
		{"the name of a session is given away", testNameOfASessionIsGivenAway},
		{"a stop ends the ticket", testStopEndsTicket},
		{"a ticket of another session", testTicketOfAnotherSession},
		{"the end of a NAS", testEndSessions},
		{"sessions are listed", testSessions},

		{"what counts as a change of groups", testChanged},
		{"sessions that are due to end", testDueToEnd},
		{"sessions that are due to change", testDueToChange},
		{"what became of an order", testOrdered},

		{"what is spent", testSpentIsRefused},
		{"what is spent is raced for", testSpentIsRacedFor},
		{"what is spent by a refusal", testSpentByARefusal},
		{"words", testWord},

		{"leases", testLease},
		{"pools of leases", testLeasePools},
		{"leases go round", testLeaseGoesRound},
		{"a lease ends", testLeaseEnds},
		{"a lease of an address in use", testLeaseOfAnAddressInUse},
		{"a lease of a large pool", testLeaseOfALargePool},
		{"what becomes of a lease", testWhatBecomesOfALease},
		{"leases of one person", testLeasesOfOnePerson},

		{"a context that ended", testContext},
		{"closed", testClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func TestSQLite(t *testing.T) {
	suite(t, func(t *testing.T) *Store {
		return openFile(t, filepath.Join(t.TempDir(), "sekisho.db"), Options{Exclusive: true})
	})
}

// Nothing may depend on what is remembered.
func TestSQLiteWithoutMemory(t *testing.T) {
	suite(t, func(t *testing.T) *Store {
		return openFile(t, filepath.Join(t.TempDir(), "sekisho.db"), Options{Accounts: -1})
	})
}

func openFile(t testing.TB, file string, o Options) *Store {
	t.Helper()
	s, err := Open(file, o)
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func testContext(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	ended, cancel := contextEnded()
	defer cancel()
	// The queue has room, so either may win; but never an outcome that is
	// not known.
	if done, err := s.Settle(ended, admission(a, 5)); err == nil {
		equal(t, "step", account(t, s, "alice").Tokens[0].Step, 5)
		equal(t, "event", event(t, s, done.Reference).Outcome, "admitted")
	} else {
		wants(t, err, ended.Err())
		equal(t, "step", account(t, s, "alice").Tokens[0].Step, -1)
	}
}

func testClosed(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	if !s.Alive() {
		t.Error("not alive before")
	}
	must(t, s.Close())
	must(t, s.Close())
	if s.Alive() {
		t.Error("alive after")
	}
	bounded, cancel := contextWithin(t, 10*time.Second)
	defer cancel()
	noEvent := func(Event) error { return nil }
	for name, err := range map[string]error{
		"Settle":       second(s.Settle(bounded, admission(a, 5))),
		"Account":      second(s.Account(bounded, "bob")),
		"AddPeople":    second(s.AddPeople(bounded, []Person{{Name: "bob"}})),
		"ChangePerson": s.ChangePerson(bounded, "alice", func(*Person) error { return nil }, Event{}),
		"RenewHash":    s.RenewHash(bounded, "alice", "a", "b"),
		"People":       s.People(bounded, "", func(Person) error { return nil }),
		"Adopt":        second(s.Adopt(bounded, entry("u1", "bob"))),
		"AccountOf":    second(s.AccountOf(bounded, "u1")),
		"AddAppPass":   second(s.AddAppPassword(bounded, a.Person, AppPassword{}, Event{})),
		"EndAppPass":   s.EndAppPassword(bounded, a.ID, 1, Event{}),
		"AppPassBy":    second(s.AppPasswordsBy(bounded)),
		"AddToken":     second(s.AddToken(bounded, a.Person, Token{}, false, func(Token) []byte { return nil }, Event{})),
		"RemoveTokens": second(s.RemoveTokens(bounded, "alice", Event{})),
		"Resync":       s.Resync(bounded, 1, 1, 0, Event{}),
		"Fence":        second(s.Fence(bounded, noon, 1, 1, Event{})),
		"Reseal":       second(s.Reseal(bounded, nil, nil)),
		"Book":         s.Book(bounded, Event{}),
		"AcceptClock":  s.AcceptClock(bounded, Event{}),
		"Events":       s.Events(bounded, Search{}, noEvent),
		"Lookup":       third(s.Lookup(bounded, "0000-0000")),
		"Ticket":       second(s.Ticket(bounded, 1)),
		"Held":         second(s.Held(bounded, 1)),
		"Tickets":      s.Tickets(bounded, 0, noon, func(Ticket, string) error { return nil }),
		"EndTicket":    s.EndTicket(bounded, 1, noon, Event{}),
		"OrderEnd":     s.OrderEnd(bounded, 1, Event{}),
		"Session":      s.ChangeSession(bounded, key("s1"), func(s Session) SessionChange { return SessionChange{Session: s} }),
		"EndSessions":  second(s.EndSessions(bounded, "vpn1", "nas1", noon, "", Event{})),
		"Sessions":     s.Sessions(bounded, noon, func(Session, string) error { return nil }),
		"SessionsOf":   second(s.SessionsOf(bounded, 1)),
		"PlaceOf":      second(s.PlaceOf(bounded, netip.Addr{}, noon)),
		"Due":          second(s.Due(bounded, noon)),
		"Ordered":      s.Ordered(bounded, Obedience{}, Event{}),
		"PutWord":      s.PutWord(bounded, Word{}, Event{}),
		"Word":         second(s.Word(bounded, 1)),
		"Lease":        second(s.Lease(bounded, "vpn1", 1, nil, noon, noon)),
		"LeaseOf":      third(s.LeaseOf(bounded, netip.Addr{}, noon)),
		"PutReadiness": s.PutReadiness(bounded, nil),
		"Readiness":    second(s.Readiness(bounded)),
		"Counters":     second(s.Counters(bounded, noon)),
		"KeyChecks":    second(s.KeyChecks(bounded)),
		"SetKeyChecks": s.SetKeyChecks(bounded, nil),
	} {
		t.Run(name, func(t *testing.T) { wants(t, err, ErrClosed) })
	}
}
