package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// signedIn is a sign-in at the portal from outside.
func (w *world) signedIn(name string) Answer {
	w.t.Helper()
	return w.admitted(w.from(home, name, "PASSWORDCODE"))
}

// makes asks for a word by the portal's ticket.
func (w *world) makes(portal Answer) Word {
	w.t.Helper()
	r := w.holding(home, portal)
	r.Opens = "ssl-vpn"
	word, err := w.Word(w.t.Context(), r)
	w.must(err)
	return word
}

func (w *world) noWord(why string, portal Answer) {
	w.t.Helper()
	if word := w.makes(portal); word != (Word{}) {
		w.t.Errorf("%s: a word until %v", why, word.Until)
	}
}

// types is a request of the NAS with a word for a password.
func (w *world) types(name string, word Word) Request {
	return w.vpn(w.from(home, name, string(word.Text)))
}

// wrongWord wants a refusal that looks like a wrong code, without any
// password's having been looked at.
func (w *world) wrongWord(r Request, why reason.Code) {
	w.t.Helper()
	asked := w.people.asked()
	a := w.refused(r, why)
	if a.Message != told("en", reason.Generic("en"), a.Reference) || a.State != nil || w.people.asked() != asked {
		w.t.Errorf("refused with %+v, %d passwords were looked at", a, w.people.asked()-asked)
	}
}

func TestWordOpensTheVPN(t *testing.T) {
	w := newWorld(t)
	portal := w.signedIn("alice")
	since := w.time.now()
	w.time.pass(20 * time.Minute)
	word := w.makes(portal)
	if want := w.time.now().Add(wordFor); !word.Until.Equal(want) || fmt.Sprint(word) != "{[secret] "+fmt.Sprint(word.Until)+"}" {
		t.Errorf("the word is %v", word)
	}
	asked := w.people.asked()
	w.time.pass(wordFor - 1)
	a := w.want(w.types("alice", word), Admitted, reason.Reused)
	if w.people.asked() != asked {
		t.Error("a password was looked at")
	}
	if !a.Ticket.Until.Equal(portal.Ticket.Until) || a.Ticket.Class == "" || a.Ticket.ID == portal.Ticket.ID {
		t.Errorf("the ticket is %+v, the portal's %+v", a.Ticket, portal.Ticket)
	}
	e := w.event(a.Reference)
	if e.Factors != "password+otp" || e.Rule != "outside" || e.Service != "ssl-vpn" {
		t.Errorf("booked %+v", e)
	}
	h, err := w.Store.Held(t.Context(), e.Ticket)
	w.must(err)
	for _, shown := range h.Shown { // the times of the portal's
		if !shown.At.Equal(since) {
			t.Errorf("%s was shown at %v, want %v", shown.Factor, shown.At, since)
		}
	}
	made := w.events(store.Search{Reason: string(reason.WordMade)})
	if len(made) != 1 || made[0].Name != "alice" || made[0].Detail != "for ssl-vpn" || made[0].Outcome != "done" ||
		w.Store.TicketName(made[0].Ticket) != portal.Ticket.ID {
		t.Errorf("booked %+v", made)
	}
	for _, e := range w.events(store.Search{}) {
		if strings.Contains(fmt.Sprint(e), string(word.Text)[len(wordPrefix):]) {
			t.Errorf("the word is in the book: %+v", e)
		}
	}
	w.end(portal)
	w.lives(a, false)
}

func TestWordHoweverItIsAsked(t *testing.T) {
	w := newWorld(t)
	portal := w.signedIn("alice")
	for _, change := range []func(r *Request){
		func(r *Request) { r.Challenge = ChallengeAlways },
		func(r *Request) { r.Challenge = ChallengeBoth },
		func(r *Request) { r.Source = Source{} },
		func(r *Request) { r.Source = w.from(desk, "alice", "").Source },
		func(r *Request) { r.Password[0] = 'V' }, // a telephone begins with a capital
		func(r *Request) { w.restart() },
	} {
		r := w.types("alice", w.makes(portal))
		change(&r)
		w.want(r, Admitted, reason.Reused)
	}
}

// A word is spent by one sign-in.
func TestWordTwice(t *testing.T) {
	w := newWorld(t)
	portal := w.signedIn("alice")
	r := w.types("alice", w.makes(portal))
	w.want(r, Admitted, reason.Reused)
	other := r
	other.Source = w.from(cafe, "alice", "").Source
	w.wrongWord(other, reason.WordUsed)
	other = r
	other.Client = "vpn2"
	w.time.pass(time.Second)
	w.wrongWord(other, reason.WordUsed)
	w.restart()
	w.time.pass(time.Minute)
	w.wrongWord(r, reason.WordUsed)
	if n := w.tickets(); n != 2 {
		t.Errorf("%d tickets", n)
	}
}

// The NAS asks its second server, since the answer of the first was lost.
func TestSecondServerWithAWord(t *testing.T) {
	w := newWorld(t)
	word := w.makes(w.signedIn("alice"))
	r := w.types("alice", word)
	first := w.want(r, Admitted, reason.Reused)
	for range 2 {
		if again := w.repeated(r); again.Ticket.ID != first.Ticket.ID || again.Ticket.Class != first.Ticket.Class || !again.Ticket.Until.Equal(first.Ticket.Until) {
			t.Errorf("repeated as %+v, first %+v", again.Ticket, first.Ticket)
		}
	}
	w.wrongWord(r, reason.WordUsed)
	if n := w.tickets(); n != 2 {
		t.Errorf("%d tickets", n)
	}
}

// Another one took the last answer while this one was judged.
func TestLastAnswerToAWordIsTaken(t *testing.T) {
	w := newWorld(t)
	r := w.types("alice", w.makes(w.signedIn("alice")))
	w.want(r, Admitted, reason.Reused)
	w.repeated(r)
	a := w.begin(r)
	_, err := a.facts(t.Context())
	w.must(err)
	d, why, err := a.lendByWord(t.Context(), r.Password)
	if err != nil || why != "" || a.repeat == nil {
		t.Fatalf("%q, %v, repeat %v", why, err, a.repeat)
	}
	w.repeated(r)
	got, err := a.admit(t.Context(), d, reason.Repeated)
	w.must(err)
	if e := w.event(got.Reference); got.Outcome != Refused || got.Reason != string(reason.WordUsed) || e.Reason != got.Reason {
		t.Errorf("answered %+v, booked %s", got, e.Reason)
	}
}

func TestRepeatedWordEndsWithItsWindow(t *testing.T) {
	w := newWorld(t)
	word := w.makes(w.signedIn("alice"))
	w.time.pass(wordFor - time.Second)
	r := w.types("alice", word)
	w.want(r, Admitted, reason.Reused)
	w.time.pass(2 * time.Second) // the word is late now, its repeat is not
	w.repeated(r)
	w.time.pass(14 * time.Second)
	w.wrongWord(r, reason.WordLate)
}

func TestWordTypedAtOnce(t *testing.T) {
	for name, source := range map[string]Source{"unknown source": {}, "one source": {Label: "02-00-5e-00-53-01"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(g *Gate) { g.Throttle.Off = true })
			portal := w.signedIn("alice")
			for n := range 8 {
				r := w.types("alice", w.makes(portal))
				r.Source = source
				var got counts
				together(32, func(int) { got.add(w.admit(r)) })
				if reused, used := got.of[string(reason.Reused)], got.of[string(reason.WordUsed)]; reused != 1 || used+got.of[string(reason.Repeated)] != 31 {
					t.Errorf("of 32: %v", got.of)
				}
				if tickets := w.tickets(); tickets != n+2 {
					t.Errorf("%d tickets", tickets)
				}
			}
		})
	}
}

func TestWordThatDoesNotFit(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, portal Answer, r *Request)
		why    reason.Code
	}{
		"of another person": {func(_ *world, _ Answer, r *Request) { r.User = "bob" }, reason.WrongWord},
		"of nobody":         {func(_ *world, _ Answer, r *Request) { r.User = "nobody" }, reason.UnknownUser},
		"of the disabled":   {func(_ *world, _ Answer, r *Request) { r.User = "erin" }, reason.Disabled},
		"another service":   {func(_ *world, _ Answer, r *Request) { r.Service = "ssh" }, reason.WrongWord},
		"another letter": {func(_ *world, _ Answer, r *Request) {
			last := &r.Password[len(r.Password)-1]
			*last = wordLetters[(strings.IndexByte(wordLetters, *last)+1)%len(wordLetters)]
		}, reason.WrongWord},
		"late":            {func(w *world, _ Answer, _ *Request) { w.time.pass(wordFor) }, reason.WordLate},
		"before its time": {func(w *world, _ Answer, _ *Request) { w.time.jump(-apart - time.Microsecond) }, reason.WordLate},
		"a newer one":     {func(w *world, portal Answer, _ *Request) { w.makes(portal) }, reason.WrongWord},
		"signed out":      {func(w *world, portal Answer, _ *Request) { w.end(portal) }, reason.WordLate},
		"signed out everywhere": {func(w *world, _ Answer, _ *Request) {
			_, err := w.SignOut(w.t.Context(), Request{}, w.personOf("alice"))
			w.must(err)
		}, reason.WordLate},
		"password changed": {func(w *world, _ Answer, _ *Request) { w.setPassword("alice", "bob") }, reason.WordLate},
		"blocked since": {func(w *world, _ Answer, _ *Request) {
			w.rule(policy.Rule{Name: "closed", Service: []string{"ssl-vpn"}, Deny: true})
		}, reason.RuleDenies},
		"more is wanted": {func(w *world, _ Answer, _ *Request) {
			w.rule(policy.Rule{Name: "fresh", Need: []policy.Need{policy.ParseNeed("password+otp")}, Reuse: time.Second})
			w.time.pass(2 * time.Second)
		}, reason.WordLate},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			portal := w.signedIn("alice")
			w.time.pass(2 * time.Minute)
			r := w.types("alice", w.makes(portal))
			tt.change(w, portal, &r)
			w.wrongWord(r, tt.why)
			if w.throttle.inWork() != 0 {
				t.Error("a guess is still in work")
			}
		})
	}
}

// A wrong word counts like a wrong code, whoever has the name.
func TestWrongWordCounts(t *testing.T) {
	w := newWorld(t)
	portal := w.signedIn("alice")
	word := w.makes(portal)
	for _, name := range []string{"bob", "nobody"} {
		why := map[string]reason.Code{"bob": reason.WrongWord, "nobody": reason.UnknownUser}[name]
		for n := range 4 {
			guess := Word{Text: Secret("vpn-bcdfghjkmnp" + string(wordLetters[n]))}
			w.wrongWord(w.types(name, guess), why)
			w.wrongWord(w.types(name, guess), reason.Throttled)
			w.time.pass(time.Second << n)
		}
	}
	if counters := w.counters(); len(counters) != 2 || counters[0].Count != 4 || counters[1].Count != 4 {
		t.Errorf("counted %+v", counters)
	}
	// Whoever is being guessed at is not kept out where they were seen.
	w.want(w.types("alice", word), Admitted, reason.Reused)
	r := w.types("alice", w.makes(portal))
	r.Source = w.from(cafe, "alice", "").Source
	guess := r
	guess.Password = []byte("vpn-bcdfghjkmnpq")
	w.wrongWord(guess, reason.WrongWord)
	w.wrongWord(r, reason.Throttled) // nor is a word judged while its person is delayed
	w.time.pass(time.Second)
	w.want(r, Admitted, reason.Reused)
}

// Inside, where the password of a name that nobody has is hashed, a word is
// hashed for nobody.
func TestWordIsNeverHashed(t *testing.T) {
	w := newWorld(t)
	for name, why := range map[string]reason.Code{
		"alice": reason.WrongWord, "nobody": reason.UnknownUser, "ivan": reason.WrongWord, "erin": reason.Disabled, "judy": reason.WrongWord,
	} {
		r := w.types(name, Word{Text: "vpn-bcdfghjkmnpq"})
		r.Source = w.from(desk, name, "").Source
		w.wrongWord(r, why)
		r.Door, r.Service, r.Client = policy.DoorLDAP, "mail", "dovecot"
		w.time.pass(time.Second)
		w.wrongWord(r, why)
	}
	w.idle()
	if n := w.people.asked(); n != 0 {
		t.Errorf("%d passwords were looked at", n)
	}
}

func TestTicketsThatMakeNoWord(t *testing.T) {
	w := newWorld(t)
	w.noWord("no ticket", Answer{})
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.noWord("a ticket from inside, without a code", inside)
	campus := w.holding(desk, inside)
	campus.Opens = "ssl-vpn"
	if word, err := w.Word(t.Context(), campus); err != nil || word != (Word{}) {
		t.Errorf("asked for inside: %v, %v", word, err)
	}
	portal := w.signedIn("alice")
	other := w.holding(home, portal)
	other.Service, other.Opens = "webmail", "ssl-vpn"
	if word, err := w.Word(t.Context(), other); err != nil || word != (Word{}) {
		t.Errorf("a ticket of another service: %v, %v", word, err)
	}
	unserved := w.holding(home, portal)
	unserved.Opens = "cards"
	if word, err := w.Word(t.Context(), unserved); err != nil || word != (Word{}) {
		t.Errorf("what would not suffice there: %v, %v", word, err)
	}
	w.time.pass(time.Hour)
	w.noWord("a ticket that was not used for too long", portal)
	w.time.pass(time.Minute)
	portal = w.signedIn("alice")
	w.end(portal)
	w.noWord("a ticket that has ended", portal)
	if n := len(w.events(store.Search{Reason: string(reason.WordMade)})); n != 0 {
		t.Errorf("%d words were booked", n)
	}
}

// Whoever has the address of somebody's tunnel gets no word by it, neither at
// once nor by what came of it.
func TestTicketOfATunnelMakesNoWord(t *testing.T) {
	w := newWorld(t)
	portal := w.continues(w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE"))))
	w.noWord("a ticket that the VPN lent", portal)
	w.time.pass(time.Minute)
	shown := w.holding(home, portal).by("alice")
	shown.Code = []byte(w.code("alice", 0))
	w.noWord("a code besides it", w.admit(shown))

	// Nor does what a word opened make the next one.
	word := w.makes(w.admitted(w.from(home, "bob", "PASSWORDCODE")))
	vpn := w.want(w.types("bob", word), Admitted, reason.Reused)
	w.noWord("a ticket of the VPN that a word opened",
		w.want(w.from(home, "bob", "").with(vpn).of("ssl-vpn"), Admitted, reason.Reused))
}

func TestWordOfOneWhoMustChangeThePassword(t *testing.T) {
	w := newWorld(t)
	portal := w.signedIn("alice")
	word := w.makes(portal)
	w.Directory = altered{w.people, func(a *store.Account) { a.MustChange = true }}
	w.noWord("the password must be changed", portal)
	a := w.refused(w.types("alice", word), reason.MustChange)
	if !strings.HasPrefix(a.Message, reason.MustChange.Proven("en", 0)) || len(w.counters()) != 0 {
		t.Errorf("told %q, counted %v", a.Message, w.counters())
	}
}

// A ticket that ends sooner than a word would takes the word with it.
func TestWordEndsWithItsTicket(t *testing.T) {
	w := newWorld(t)
	w.rule(policy.Rule{Name: "short", Need: []policy.Need{policy.ParseNeed("password+otp")}, Ticket: 3 * time.Minute})
	portal := w.signedIn("alice")
	if word := w.makes(portal); !word.Until.Equal(portal.Ticket.Until) {
		t.Errorf("the word lives until %v, the ticket until %v", word.Until, portal.Ticket.Until)
	}
}

// What comes close to a word is a password like any other.
func TestShapeOfAWord(t *testing.T) {
	w := newWorld(t)
	is := func(r Request) bool { _, ok := w.begin(r).word(); return ok }
	for _, text := range []string{"vpn-bcdfghjkmnpq", "VPN-BCDFGHJKMNPQ"} {
		if r := w.types("alice", Word{Text: Secret(text)}); !is(r) {
			t.Errorf("%q is no word", text)
		}
	}
	for _, text := range []string{
		"", "vpn-", "vpn-bcdfghjkmnp", "vpn-bcdfghjkmnpqr", "vpn-acdfghjkmnpq", "vpn-lcdfghjkmnpq", "vpn-bcdfghjkmnp1",
		"vpn_bcdfghjkmnpq", "xpn-bcdfghjkmnpq", " vpn-bcdfghjkmnp", "vpn-bcdfghjkmn\xff\xff", "vpn-bcdfghjkm\u212a",
	} {
		if r := w.types("alice", Word{Text: Secret(text)}); is(r) {
			t.Errorf("%q is a word", text)
		}
	}
	if is(w.from(home, "alice", "vpn-bcdfghjkmnpq")) {
		t.Error("the web takes a word, so nobody could change such a password")
	}
	field := w.types("alice", Word{Text: "vpn-bcdfghjkmnpq"})
	field.Code = []byte("123456")
	if is(field) {
		t.Error("a word stands beside a code")
	}
}

func TestWordsAreRandom(t *testing.T) {
	w := newWorld(t)
	seen := make(map[string]bool)
	letters := make(map[rune]int)
	const drawn = 20000
	for range drawn {
		word := string(newWord())
		if _, ok := w.begin(w.types("alice", Word{Text: Secret(word)})).word(); !ok || seen[word] {
			t.Fatalf("drew %q", word)
		}
		seen[word] = true
		for _, c := range word[len(wordPrefix):] {
			letters[c]++
		}
	}
	for _, c := range wordLetters { // 12000 each; 256 is no multiple of 20, which must not show
		if n := letters[c]; n < 11400 || n > 12600 { // 5.6 standard deviations
			t.Errorf("%c came %d times", c, n)
		}
	}
	if n := letters['w'] + letters['x'] + letters['y'] + letters['z']; n < 46500 { // 48000; 45000 if it did
		t.Errorf("the last four letters came %d times", n)
	}
}

// A rule that takes a code as long as the session lasts does not take a word
// so long.
func TestWordDoesNotHoldAsLongAsTheSession(t *testing.T) {
	w, _, _ := renegotiating(t)
	w.time.pass(time.Minute)
	r := w.types("alice", w.makes(w.signedIn("alice")))
	a := w.want(r, Admitted, reason.Reused)
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.repeated(r)
	w.repeated(r)
	w.wrongWord(r, reason.WordUsed)
	w.time.pass(20 * time.Second)
	w.wrongWord(r, reason.WordUsed)
	for range 5 {
		w.hours(10 * time.Minute)
		w.wrongWord(r, reason.WordLate)
	}
}

// A NAS that sends a spent word again keeps nobody out.
func TestOwnWordIsNoGuess(t *testing.T) {
	w := newWorld(t)
	portal := w.signedIn("alice")
	r := w.types("alice", w.makes(portal))
	r.Source = Source{} // where no repeat is known
	w.want(r, Admitted, reason.Reused)
	for range 20 {
		w.wrongWord(r, reason.WordUsed)
	}
	w.time.pass(wordFor)
	for range 20 {
		w.wrongWord(r, reason.WordLate)
	}
	if counters := w.counters(); len(counters) != 0 || w.throttle.inWork() != 0 {
		t.Errorf("counted %+v", counters)
	}
	next := w.types("alice", w.makes(portal))
	next.Source = Source{}
	w.want(next, Admitted, reason.Reused)
}

// Else a web sign-in that nobody uses would never be idle.
func TestSessionByAWordDoesNotUseThePortal(t *testing.T) {
	w := newWorld(t)
	portal := w.signedIn("alice")
	a := w.want(w.types("alice", w.makes(portal)), Admitted, reason.Reused)
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.time.pass(59 * time.Minute)
	w.tell(w.acct("alice", AccountingInterim))
	w.live(portal, true)
	w.time.pass(time.Minute)
	w.live(portal, false)
}

// An application may repeat for a day; a word is told to be good for minutes.
func TestWordIsRepeatedForTenMinutesAtMost(t *testing.T) {
	w := newWorld(t)
	w.rule(programRules...)
	q := w.holding(home, w.signedIn("alice"))
	q.Opens, q.OpensAt = "mail", policy.DoorLDAP
	word, err := w.Word(t.Context(), q)
	w.must(err)
	bind := func() Request {
		r := w.binds(home, "alice", string(word.Text))
		r.Repeat = &policy.Repeat{Idle: time.Hour, Max: 8 * time.Hour}
		return r
	}
	w.want(bind(), Admitted, reason.Reused)
	w.time.pass(wordRepeat - time.Second)
	w.want(bind(), Admitted, reason.Repeated)
	w.time.pass(2 * time.Second)
	w.refused(bind(), reason.WordLate)
}
