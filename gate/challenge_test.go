package gate

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sekisho/internal/directory"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

// round is a first round at a NAS that asks for the code by itself.
func (w *world) round(user, text string) Request {
	r := w.vpn(w.from(home, user, text))
	r.Challenge = ChallengeAlways
	return r
}

func (w *world) bothRound(user, text string) Request {
	r := w.round(user, text)
	r.Challenge = ChallengeBoth
	return r
}

// then is the round that answers a.
func (w *world) then(r Request, a Answer, text string) Request {
	r.State, r.Password = bytes.Clone(a.State), []byte(w.typed(r.User, text))
	return r
}

// isAsked wants the first round to be nothing but a question.
func (w *world) isAsked(r Request) Answer {
	w.t.Helper()
	a := w.want(r, Challenged, reason.Challenged)
	if len(a.State) != 251 || a.Message != reason.Challenged.Person(cmp.Or(r.Language, "en")) || a.Reference != "" || !a.Ready.IsZero() ||
		a.Person.ID != 0 || a.Ticket != (Ticket{}) {
		w.t.Errorf("%s is asked %+v", r.User, a)
	}
	return a
}

// askedAgain wants a refusal that looks like any other, and asks.
func (w *world) askedAgain(r Request, why reason.Code) Answer {
	w.t.Helper()
	a := w.want(r, Challenged, why)
	w.looksRefused(a)
	return a
}

func (w *world) looksRefused(a Answer) {
	w.t.Helper()
	want := told("en", reason.Generic("en"), a.Reference) + " " + reason.NextCode("en")
	if len(a.State) != 251 || a.Message != want || a.Reference == "" || !a.Ready.Equal(w.time.now()) || a.Person.ID != 0 || a.Ticket != (Ticket{}) {
		w.t.Errorf("asked again with %+v", a)
	}
	if a.Reference != "" {
		found, _, err := w.Store.Lookup(w.t.Context(), a.Reference)
		w.must(err)
		if e := found[0]; e.Outcome != "refused" || e.Reason != a.Reason {
			w.t.Errorf("booked as %s, %s", e.Outcome, e.Reason)
		}
	}
}

func TestChallengeThenCode(t *testing.T) {
	w := newWorld(t)
	for _, ask := range []func(user, text string) Request{w.round, w.bothRound} {
		for _, typed := range []string{"CODE", "１２３"} {
			r := ask("alice", "PASSWORD")
			a := w.isAsked(r)
			if typed != "CODE" { // as a Japanese keyboard types it, and as people space it
				code := w.code("alice", 0)
				typed = strings.Map(func(c rune) rune { return c - '0' + '０' }, code[:3]) + "　 " + code[3:5] + "-" + code[5:]
			}
			in := w.admitted(w.then(r, a, typed))
			if in.Person.Name != "alice" || in.Ticket.Class == "" || in.State != nil {
				t.Errorf("admitted as %+v", in)
			}
			if e := w.event(in.Reference); e.Factors != "password+otp" || e.Rule != "outside" {
				t.Errorf("booked %+v", e)
			}
			w.time.pass(time.Minute)
		}
	}
}

// Whoever asks with nothing but a name learns nothing, leaves nothing and
// counts against nobody.
func TestChallengeTellsAndDoesNothing(t *testing.T) {
	w := newWorld(t)
	w.changePerson("frank", func(p *store.Person) { p.Lang = "ja" })
	booked := len(w.events(store.Search{}))
	for _, name := range []string{"alice", "nobody", "erin", "frank", "grace", "ivan", "judy", "carol"} {
		for _, typed := range []string{"PASSWORD", "wrong", "x123456"} {
			w.isAsked(w.round(name, typed))
		}
		w.isAsked(w.bothRound(name, "wrong"))
		shared := w.round(name, "PASSWORD")
		shared.Source = Source{}
		w.isAsked(shared)
		cards := w.round(name, "PASSWORD") // nothing that can be typed will do
		cards.Service = "cards"
		w.isAsked(cards)
	}
	if n := len(w.events(store.Search{})); n != booked {
		t.Errorf("%d rows were booked", n-booked)
	}
	if n := w.people.asked(); n != 0 {
		t.Errorf("%d passwords were looked at", n)
	}
	if len(w.counters()) != 0 || w.throttle.inWork() != 0 || w.throttle.strangers.Len() != 0 {
		t.Error("something was counted")
	}
}

// A name that the directory refuses to look up is asked like any other.
func TestChallengeOfANameThatCannotBeLookedUp(t *testing.T) {
	w := newWorld(t)
	w.people.fail(fmt.Errorf("two people: %w", directory.ErrName))
	r := w.round("alice", "PASSWORD")
	w.askedAgain(w.then(r, w.isAsked(r), "CODE"), reason.CannotJudge)
	w.people.fail(context.DeadlineExceeded)
	w.fails(r, context.DeadlineExceeded)
}

func TestChallengeInTheLanguageOfTheDoor(t *testing.T) {
	w := newWorld(t)
	w.changePerson("alice", func(p *store.Person) { p.Lang = "ja" })
	r := w.round("alice", "PASSWORD")
	w.isAsked(r) // in the site's: the account's own would tell that there is one
	r.Language = "ja"
	a := w.want(w.then(r, w.isAsked(r), "000000"), Challenged, reason.WrongCode)
	if want := told("ja", reason.Generic("ja"), a.Reference) + reason.NextCode("ja"); a.Message != want {
		t.Errorf("told %q, want %q", a.Message, want)
	}
}

// Whoever proved to be the person is told in their own language.
func TestProofIsToldInThePersonsLanguage(t *testing.T) {
	w := newWorld(t)
	w.changePerson("alice", func(p *store.Person) { p.Lang = "ja" })
	w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	a := w.refused(w.from(home, "alice", "PASSWORDCODE"), reason.CodeUsed)
	if want := reason.CodeUsed.Proven("ja", 20*time.Second); !strings.HasPrefix(a.Message, want) {
		t.Errorf("told %q, want %q", a.Message, want)
	}
	a = w.refused(w.from(cafe, "alice", "guessedCODE"), reason.WrongPassword)
	if !strings.HasPrefix(a.Message, reason.Generic("en")) {
		t.Errorf("told %q without proof", a.Message)
	}
}

func TestInsideIsNotChallenged(t *testing.T) {
	w := newWorld(t)
	for _, typed := range []string{"PASSWORD", "PASSWORDCODE"} {
		for _, ask := range []func(user, text string) Request{w.round, w.bothRound} {
			r := ask("alice", typed)
			r.Source = w.from(desk, "alice", "").Source
			w.admitted(r)
			w.time.pass(time.Minute)
		}
	}
	r := w.round("alice", "wrong")
	r.Source = w.from(desk, "alice", "").Source
	if a := w.refused(r, reason.WrongPassword); a.State != nil {
		t.Error("a refusal inside asks for a code")
	}
}

func TestNothingToKeepIsRefusedAtOnce(t *testing.T) {
	w := newWorld(t)
	for typed, why := range map[string]reason.Code{"": reason.EmptyPassword, strings.Repeat("x", 129): reason.BadPassword} {
		w.refused(w.round("alice", typed), why)
		w.refused(w.round("nobody", typed), why)
	}
	longest := strings.Repeat("x", 128)
	r := w.round("alice", longest)
	r.User = "alice"
	w.askedAgain(w.then(r, w.isAsked(r), "CODE"), reason.WrongPassword)
}

// In the second round everything that may be wrong looks the same.
func TestRefusalsOfARoundLookAlike(t *testing.T) {
	for _, tt := range []struct {
		name, password, code string
		why                  reason.Code
	}{
		{"alice", "PASSWORD", "000000", reason.WrongCode},
		{"alice", "PASSWORD", "", reason.CodeMissing},
		{"alice", "PASSWORD", " ", reason.CodeMissing},
		{"alice", "PASSWORD", "not a code", reason.WrongCode},
		{"alice", "wrong", "CODE", reason.WrongPassword},
		{"alice", "wrong", "CODE-5", reason.WrongPassword},
		{"alice", "wrong", "000000", reason.WrongCode},
		{"nobody", "PASSWORD", "000000", reason.UnknownUser},
		{"nobody", "PASSWORD", "", reason.UnknownUser},
		{"erin", "PASSWORD", "CODE", reason.Disabled},
		{"frank", "PASSWORD", "000000", reason.NoDevice},
		{"grace", "wrong", "CODE", reason.WrongPassword},
		{"ivan", "PASSWORD", "CODE", reason.RuleDenies},
		{"judy", "PASSWORD", "CODE", reason.CannotJudge},
	} {
		w := newWorld(t)
		r := w.round(tt.name, tt.password)
		w.askedAgain(w.then(r, w.isAsked(r), tt.code), tt.why)
	}
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	r.Service = "cards"
	w.askedAgain(w.then(r, w.isAsked(r), "CODE"), reason.NoMeans)
	w.refused(w.codes(home, "carol", 1), reason.WrongCode)
	r = w.round("carol", "PASSWORD")
	w.askedAgain(w.then(r, w.isAsked(r), "CODE"), reason.Throttled)
}

func TestThirdWrongCodeEndsIt(t *testing.T) {
	w := newWorld(t)
	for name, why := range map[string]reason.Code{"alice": reason.WrongCode, "nobody": reason.UnknownUser} {
		r := w.round(name, "PASSWORD")
		a := w.isAsked(r)
		for n := range 2 {
			a = w.askedAgain(w.then(r, a, fmt.Sprintf("00000%d", n)), why)
			w.time.pass(time.Minute)
		}
		last := w.then(r, a, "000003")
		if a := w.refused(last, why); a.State != nil || a.Message != told("en", reason.Generic("en"), a.Reference) {
			t.Errorf("the third refusal of %s: %+v", name, a)
		}
		w.time.pass(time.Minute)
		if a := w.admit(w.then(r, a, "CODE")); a.Outcome != Refused {
			t.Errorf("%s goes on after the third refusal: %+v", name, a)
		}
	}
}

func TestSecondCodeIsRight(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	a := w.askedAgain(w.then(r, w.isAsked(r), "000000"), reason.WrongCode)
	w.time.pass(time.Second)
	w.admitted(w.then(r, a, "CODE"))
}

func TestInitialPasswordIsToldAtOnce(t *testing.T) {
	w := newWorld(t)
	r := w.round("grace", "PASSWORD")
	a := w.refused(w.then(r, w.isAsked(r), "CODE"), reason.MustChange)
	if !strings.HasPrefix(a.Message, reason.MustChange.Proven("en", 0)) || a.State != nil {
		t.Errorf("told %+v", a)
	}
}

func TestUsedCodeIsToldInARound(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.from(cafe, "alice", "PASSWORDCODE"))
	w.time.pass(5 * time.Second)
	r := w.round("alice", "PASSWORD")
	a := w.want(w.then(r, w.isAsked(r), "CODE"), Challenged, reason.CodeUsed)
	if want := told("en", reason.CodeUsed.Proven("en", 15*time.Second), a.Reference) + " " + reason.NextCode("en"); a.Message != want {
		t.Errorf("told %q, want %q", a.Message, want)
	}
	w.time.pass(15 * time.Second)
	w.admitted(w.then(r, a, "CODE"))
}

// A message fits one Reply-Message: many programs show only the first.
func TestMessageOfARoundFits(t *testing.T) {
	for _, why := range reason.All() {
		for _, language := range []string{"en", "ja"} {
			for _, text := range []string{why.Person(language), why.Proven(language, 30*time.Second)} {
				a := attempt{gate: newWorld(t).Gate, r: Request{Language: language}, asked: &asked{nonce: make([]byte, 16)}}
				m := a.askAgain(Answer{Message: told(language, text, "7F3K-92QD"), Reference: "7F3K-92QD"}, why).Message
				if len(m) > 253 || !utf8.ValidString(m) {
					t.Errorf("%d octets: %q", len(m), m)
				}
			}
		}
	}
}

func TestRestartBetweenRounds(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	a := w.isAsked(r)
	w.restart()
	w.admitted(w.then(r, a, "CODE"))
}

// What was typed was for the account as it was: it is asked for once more, and
// then judged for the account as it is.
func TestAccountChangedBetweenRounds(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	a := w.isAsked(r)
	w.changePerson("alice", func(p *store.Person) { p.Groups = []string{"staff"} })
	a = w.askedAgain(w.then(r, a, "CODE"), reason.Changed)
	w.admitted(w.then(r, a, "CODE"))

	w.time.pass(time.Minute)
	a = w.isAsked(r)
	w.setPassword("alice", "bob")
	asked := w.people.asked()
	a = w.askedAgain(w.then(r, a, "CODE"), reason.Changed)
	if w.people.asked() != asked || len(w.counters()) != 0 {
		t.Error("it was judged, or counted as a guess")
	}
	w.askedAgain(w.then(r, a, "CODE"), reason.WrongPassword)

	r = w.round("bob", "PASSWORD")
	a = w.isAsked(r)
	w.changePerson("bob", func(p *store.Person) { p.Disabled = true })
	a = w.askedAgain(w.then(r, a, "CODE"), reason.Changed)
	w.askedAgain(w.then(r, a, "CODE"), reason.Disabled)
}

func TestAccountChangedWhileARoundWasJudged(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	a := w.isAsked(r)
	w.people.inside = func() {
		w.people.inside = nil
		w.setPassword("alice", "bob")
	}
	w.askedAgain(w.then(r, a, "CODE"), reason.Changed)
	if w.tickets() != 0 {
		t.Error("there is a ticket")
	}
}

// The NAS asks its second server, since the answer of the first was lost.
func TestSecondServerInTheSecondRound(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	second := w.then(r, w.isAsked(r), "CODE")
	first := w.admitted(second)
	for range 2 {
		if again := w.repeated(w.then(r, Answer{State: second.State}, "CODE")); again.Ticket.ID != first.Ticket.ID || again.Ticket.Class != first.Ticket.Class {
			t.Errorf("repeated as %+v, first %+v", again.Ticket, first.Ticket)
		}
	}
	w.want(second, Challenged, reason.CodeUsed) // three answers and no more
	if n := w.tickets(); n != 1 {
		t.Errorf("%d tickets", n)
	}
	// The password is checked each time.
	other := w.round("alice", "wrong")
	w.askedAgain(w.then(other, w.isAsked(other), "CODE"), reason.WrongPassword)
}

func TestAppendedCodeWithBoth(t *testing.T) {
	w := newWorld(t)
	w.admitted(w.bothRound("alice", "PASSWORDCODE"))
	w.repeated(w.bothRound("alice", "PASSWORDCODE")) // the second server
	w.admitted(w.bothRound("bob", "PASSWORDCODE"))   // 8 digits
	w.time.pass(time.Minute)
	for _, name := range []string{"bob", "carol"} {
		r := w.bothRound(name, "PASSWORD;CODE")
		r.Separator = ";"
		w.admitted(r)
	}

	// A used one is told, and the next one suffices.
	w.time.pass(time.Minute)
	w.admitted(w.bothRound("alice", "PASSWORDCODE"))
	w.time.pass(30 * time.Second)
	r := w.bothRound("alice", "PASSWORDCODE-1")
	a := w.want(r, Challenged, reason.CodeUsed)
	if !strings.HasPrefix(a.Message, reason.CodeUsed.Proven("en", 20*time.Second)) {
		t.Errorf("told %q", a.Message)
	}
	w.admitted(w.then(r, a, "CODE"))
}

// A wrong code behind the password counts as one: else anybody could try codes
// in first rounds. It looks like a first round, whoever has the name.
func TestAppendedCodeWithBothIsAGuess(t *testing.T) {
	for name, why := range map[string]reason.Code{
		"alice": reason.WrongCode, "bob": reason.CodeMissing, "nobody": reason.UnknownUser, "erin": reason.Disabled,
		"frank": reason.NoDevice, "ivan": reason.RuleDenies,
	} {
		w := newWorld(t)
		a := w.want(w.bothRound(name, "x000000"), Challenged, why)
		if a.Message != told("en", reason.Challenged.Person("en"), a.Reference) || len(a.State) != 251 || !a.Ready.Equal(w.time.now()) {
			t.Errorf("%s is asked %+v", name, a)
		}
		if e := w.event(a.Reference); e.Outcome != "refused" {
			t.Errorf("booked as %s", e.Outcome)
		}
	}
	w := newWorld(t)
	w.want(w.bothRound("alice", "PASSWORD000000"), Challenged, reason.WrongCode)
	w.want(w.bothRound("alice", "PASSWORDCODE"), Challenged, reason.Throttled)
	if n := len(w.counters()); n != 2 {
		t.Errorf("%d counters", n)
	}
}

// The password ends in six digits: the code is asked for all the same.
func TestPasswordThatEndsInDigitsWithBoth(t *testing.T) {
	w := newWorld(t)
	r := w.bothRound("heidi", "PASSWORD")
	a := w.want(r, Challenged, reason.WrongCode)
	w.time.pass(time.Second)
	w.admitted(w.then(r, a, "CODE"))
	w.time.pass(time.Minute)
	w.admitted(w.bothRound("heidi", "PASSWORDCODE"))
	w.time.pass(time.Minute)
	r = w.round("heidi", "PASSWORD")
	w.admitted(w.then(r, w.isAsked(r), "CODE"))
}

// Whoever is used to typing the code behind the password may go on to do so.
func TestAppendedCodeThatIsAskedForAgain(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"alice", "bob", "dave"} {
		r := w.round(name, "PASSWORDCODE")
		w.admitted(w.then(r, w.isAsked(r), "CODE")) // the very same one
		w.time.pass(time.Minute)
	}
	r := w.round("alice", "PASSWORDCODE-1")
	a := w.askedAgain(w.then(r, w.isAsked(r), "000000"), reason.WrongCode)
	w.time.pass(stateFor - time.Second) // what was typed then fits no step near now
	w.admitted(w.then(r, a, "CODE"))
	w.time.pass(time.Minute)
	r = w.round("alice", "PASSWORD000000")
	w.askedAgain(w.then(r, w.isAsked(r), "CODE"), reason.WrongPassword)
	r = w.round("alice", "PASSWORDCODE")
	w.time.pass(time.Second)
	w.askedAgain(w.then(r, w.isAsked(r), ""), reason.CodeMissing) // it does not stand for the one asked for
}

// Under load a round goes first by its code, not by its State: those are for
// the asking.
func TestPriorityOfARound(t *testing.T) {
	w := newWorld(t)
	r := w.round("alice", "PASSWORD")
	w.admitted(w.then(r, w.isAsked(r), "CODE"))
	if w.people.last != directory.Matched {
		t.Errorf("priority %v", w.people.last)
	}
}

func TestOutcomeThatIsCounted(t *testing.T) {
	for want, a := range map[Outcome]Answer{
		Refused:    {Outcome: Challenged, Reason: string(reason.WrongCode)},
		Challenged: {Outcome: Challenged, Reason: string(reason.Challenged)},
		Admitted:   {Outcome: Admitted, Reason: string(reason.Admitted)},
	} {
		if got := a.counts(); got != want {
			t.Errorf("%v, %s counts as %v", a.Outcome, a.Reason, got)
		}
	}
}
