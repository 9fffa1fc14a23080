package store

import (
	"reflect"
	"sync"
	"testing"
	"time"
)

func appPassword(t testing.TB, s *Store, a *Account, service string) AppPassword {
	t.Helper()
	p, err := s.AddAppPassword(ctx, a.Person, AppPassword{
		Label: "phone", Service: service, Network: "192.0.2.0/24", Hash: []byte("hash"), Key: 0xfffffff1, Created: noon,
	}, Event{At: noon, Outcome: "done", Reason: "app_password_added"})
	must(t, err)
	return p
}

// Whoever has the old password, or the telephone, may have made some.
func testAppPasswordsEndWithPasswordAndDevice(t *testing.T, s *Store) {
	change := func(what string, change func(*Person)) {
		t.Helper()
		must(t, s.ChangePerson(ctx, "alice", func(p *Person) error { change(p); return nil }, Event{At: noon, Outcome: "done", Reason: what}))
	}
	appPassword(t, s, enrolled(t, s, "alice"), "webmail")
	change("groups", func(p *Person) { p.Groups = []string{"board"} })
	equal(t, "after other groups", len(account(t, s, "alice").AppPasswords), 1)
	change("password", func(p *Person) { p.Hash = "other" })
	equal(t, "after another password", len(account(t, s, "alice").AppPasswords), 0)
	appPassword(t, s, account(t, s, "alice"), "webmail")
	_, err := s.RemoveTokens(ctx, "alice", Event{At: noon, Outcome: "done", Reason: "otp_reset"})
	must(t, err)
	equal(t, "after the devices", len(account(t, s, "alice").AppPasswords), 0)
}

// byAppPassword is what the gate settles when an app password was shown.
func byAppPassword(a *Account, p AppPassword, at time.Time) Settlement {
	st := admission(a, 1)
	st.Burn, st.Ticket.AppPassword, st.Event.At = nil, p.ID, at
	return st
}

func testAddAppPassword(t *testing.T, s *Store) {
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	before := settle(t, s, admission(a, 1))
	a = account(t, s, "alice")
	p := appPassword(t, s, a, "webmail")
	want := AppPassword{
		ID: p.ID, Person: a.ID, Label: "phone", Service: "webmail", Network: "192.0.2.0/24", Hash: []byte("hash"), Key: 0xfffffff1,
		Created: noon, Used: noon,
	}
	if p.ID <= 0 || !reflect.DeepEqual(p, want) {
		t.Errorf("added %+v, want %+v", p, want)
	}
	got := account(t, s, "alice")
	if !reflect.DeepEqual(got.AppPasswords, []AppPassword{want}) {
		t.Errorf("read back %+v", got.AppPasswords)
	}
	// Other sign-ins go on.
	equal(t, "generation", got.Generation, a.Generation)
	lives(t, s, before.Ticket, "what was there", true, 0)
	equal(t, "bob's", len(account(t, s, "bob").AppPasswords), 0)
	e := events(t, s, Search{Reason: "app_password_added"})
	if len(e) != 1 || e[0].Person != a.ID || e[0].Name != "alice" || e[0].Detail != "for webmail: phone" {
		t.Errorf("booked %+v", e)
	}
	appPassword(t, s, b, "webmail")
	counts, err := s.AppPasswordsBy(ctx)
	must(t, err)
	if !reflect.DeepEqual(counts, map[uint32]int{0xfffffff1: 2}) {
		t.Errorf("%v", counts)
	}
	equal(t, "idle", p.Idle(noon.Add(AppPasswordIdle-1)), false)
	equal(t, "idle", p.Idle(noon.Add(AppPasswordIdle)), true)
	equal(t, "read", ParseAppPassword(p.PublicID()), p.ID)
	for _, text := range []string{"", "!", "zzzzzzzzzzzzzzzzzzzz"} {
		equal(t, text, ParseAppPassword(text), 0)
	}
}

func testAppPasswordOfAChangedPerson(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	must(t, s.ChangePerson(ctx, "alice", func(p *Person) error { return nil }, Event{At: noon}))
	wants(t, second(s.AddAppPassword(ctx, a.Person, AppPassword{Hash: []byte{1}}, Event{At: noon})), ErrChanged)
	wants(t, second(s.AddAppPassword(ctx, Person{ID: 77}, AppPassword{Hash: []byte{1}}, Event{At: noon})), ErrUnknown)
	equal(t, "app passwords", len(account(t, s, "alice").AppPasswords), 0)
}

func testAppPasswordsAreBounded(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	for range MostAppPasswords {
		appPassword(t, s, a, "webmail")
	}
	booked := len(events(t, s, Search{}))
	wants(t, second(s.AddAppPassword(ctx, a.Person, AppPassword{Hash: []byte{1}}, Event{At: noon})), ErrTooMany)
	equal(t, "events", len(events(t, s, Search{})), booked)
	must(t, s.EndAppPassword(ctx, a.ID, account(t, s, "alice").AppPasswords[3].ID, Event{At: noon}))
	appPassword(t, s, a, "webmail")
	equal(t, "app passwords", len(account(t, s, "alice").AppPasswords), MostAppPasswords)
}

func testEndAppPassword(t *testing.T, s *Store) {
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	one, two := appPassword(t, s, a, "webmail"), appPassword(t, s, a, "files")
	bobs := appPassword(t, s, b, "webmail")
	plain := settle(t, s, admission(a, 1)).Ticket
	of1, of2 := settle(t, s, byAppPassword(a, one, noon)).Ticket, settle(t, s, byAppPassword(a, two, noon)).Ticket
	child := byAppPassword(a, AppPassword{}, noon)
	child.Ticket.Parent = of1
	below := settle(t, s, child).Ticket
	for _, ticket := range []int64{plain, of1, of2, below} {
		lives(t, s, ticket, "before", true, 0)
	}
	if ticket, err := s.Ticket(ctx, of1); err != nil || ticket.AppPassword != one.ID {
		t.Errorf("%+v, %v", ticket, err)
	}

	wants(t, s.EndAppPassword(ctx, b.ID, one.ID, Event{At: noon}), ErrUnknown) // another's
	wants(t, s.EndAppPassword(ctx, 77, one.ID, Event{At: noon}), ErrUnknown)
	wants(t, s.EndAppPassword(ctx, a.ID, 0, Event{At: noon}), ErrUnknown)
	lives(t, s, of1, "not ended by others", true, 0)
	at := noon.Add(time.Minute)
	must(t, s.EndAppPassword(ctx, a.ID, one.ID, Event{At: at, Outcome: "done", Reason: "app_password_ended"}))
	for _, ticket := range []int64{of1, below} {
		h, err := s.Held(ctx, ticket)
		must(t, err)
		equal(t, "ended", h.Ended, at)
	}
	lives(t, s, plain, "by password and code", true, 0)
	lives(t, s, of2, "by the other one", true, 0)
	got := account(t, s, "alice")
	if len(got.AppPasswords) != 1 || got.AppPasswords[0].ID != two.ID || got.Generation != a.Generation {
		t.Errorf("left %+v, generation %d", got.AppPasswords, got.Generation)
	}
	equal(t, "bob's", account(t, s, "bob").AppPasswords[0].ID, bobs.ID)
	e := events(t, s, Search{Reason: "app_password_ended"})
	if len(e) != 1 || e[0].Person != a.ID || e[0].Name != "alice" || e[0].Detail != "for webmail: phone" {
		t.Errorf("booked %+v", e)
	}
	wants(t, s.EndAppPassword(ctx, a.ID, one.ID, Event{At: noon}), ErrUnknown)
}

// What was judged before an app password was ended gives nothing after it.
func testAppPasswordEndedMeanwhile(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	p := appPassword(t, s, a, "webmail")
	judged := byAppPassword(a, p, noon)
	judged.IfChanged = "changed_meanwhile"
	must(t, s.EndAppPassword(ctx, a.ID, p.ID, Event{At: noon}))
	done := settle(t, s, judged)
	if done.Lost != ChangedMeanwhile || done.Ticket != 0 {
		t.Errorf("settled %+v", done)
	}
	equal(t, "booked", event(t, s, done.Reference).Reason, "changed_meanwhile")
}

func testAppPasswordIsUsed(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	p, other := appPassword(t, s, a, "webmail"), appPassword(t, s, a, "webmail")
	before := account(t, s, "alice")
	for _, at := range []time.Time{noon.Add(time.Hour), noon.Add(30 * time.Minute)} {
		equal(t, "loss", settle(t, s, byAppPassword(a, p, at)).Lost, NotLost)
		for _, got := range account(t, s, "alice").AppPasswords {
			want := noon.Add(time.Hour) // it goes on only
			if got.ID == other.ID {
				want = noon
			}
			equal(t, "used", got.Used, want)
		}
		equal(t, "what others read before", before.AppPasswords[0].Used, noon)
	}
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() { settle(t, s, byAppPassword(a, p, noon.Add(time.Duration(i)*time.Hour))) })
	}
	group.Wait()
	equal(t, "used", account(t, s, "alice").AppPasswords[0].Used, noon.Add(31*time.Hour))
}

// It is told for months why it is refused; then it goes.
func TestIdleAppPasswordsArePruned(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	idle, used := appPassword(t, s, a, "webmail"), appPassword(t, s, a, "webmail")
	later := noon.Add(appPasswordKept)
	settle(t, s, byAppPassword(account(t, s, "alice"), used, later))
	passHours(t, s, 3, later)
	equal(t, "at its end", rowsOf(t, s, "app_password"), 2)
	passHours(t, s, 3, later.Add(time.Second))
	equal(t, "after it", rowsOf(t, s, "app_password"), 1)
	equal(t, "the idle one", settle(t, s, byAppPassword(a, idle, later)).Lost, ChangedMeanwhile)
}

func testSignOut(t *testing.T, s *Store) {
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	one := appPassword(t, s, a, "webmail")
	appPassword(t, s, a, "files")
	appPassword(t, s, b, "webmail")
	account(t, s, "alice") // remembered
	judged := byAppPassword(a, one, noon)
	judged.IfChanged = "changed_meanwhile"
	must(t, s.SignOut(ctx, a.ID, Event{At: noon, Outcome: "done", Reason: "signed_out_all"}))
	got := account(t, s, "alice")
	if len(got.AppPasswords) != 0 || len(got.Tokens) != len(a.Tokens) || got.Generation != a.Generation+1 || got.Changed != got.Generation {
		t.Errorf("left %+v", got)
	}
	equal(t, "loss", settle(t, s, judged).Lost, ChangedMeanwhile)
	equal(t, "bob's", len(account(t, s, "bob").AppPasswords), 1)
	if e := events(t, s, Search{Reason: "signed_out_all"}); len(e) != 1 || e[0].Person != a.ID || e[0].Name != "alice" {
		t.Errorf("booked %+v", e)
	}
	wants(t, s.SignOut(ctx, 77, Event{At: noon}), ErrUnknown)
}
