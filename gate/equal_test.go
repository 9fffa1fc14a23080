package gate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sekisho/internal/passwd"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// work is what a stranger can observe of the attempts with these passwords, by
// one name: which of them had a password looked at.
func (w *world) observe(address, name string, typed []string) []bool {
	w.t.Helper()
	var looked []bool
	for _, text := range typed {
		if text == "" {
			w.time.pass(2 * time.Second)
			continue
		}
		before := w.people.asked()
		if a := w.admit(w.mail(w.from(address, name, text))); a.Outcome != Refused {
			w.t.Errorf("%s is %v", name, a.Outcome)
		}
		looked = append(looked, w.people.asked() > before)
	}
	return looked
}

// Who there is, and who may come in, can't be told by whose attempts take the
// time of a hash: not by the first guess, nor by the same again, nor by one
// during the delay.
func TestEveryNameCostsTheSame(t *testing.T) {
	guesses := []string{"guess 1", "guess 1", "guess 2", "", "guess 2", "guess 2", "", "", "guess 3", "guess 1", "guess 000000", "", "", "", "guess 000000"}
	everyday := []string{"nobody", "alice", "bob", "erin", "frank", "grace", "ivan", "nothing"}
	staff := []policy.Rule{
		{Name: "staff", Group: []string{"staff"}, Need: []policy.Need{{policy.Password}}},
		{Name: "cards", Group: []string{"blocked"}, Need: []policy.Need{{policy.Certificate}}},
	}
	for name, c := range map[string]struct {
		rules   []policy.Rule
		address string
		people  []string
		hashes  bool // the first guess costs a hash
	}{
		"inside":               {campusRules, desk, everyday, true},
		"outside":              {campusRules, home, everyday, false},
		"a group may come in":  {staff, desk, append(everyday, "carol"), true},
		"nobody may come in":   {[]policy.Rule{{Name: "closed", Deny: true}}, desk, everyday, false},
		"no password would do": {[]policy.Rule{{Name: "cards", Need: []policy.Need{{policy.Certificate}}}}, desk, everyday, false},
	} {
		t.Run(name, func(t *testing.T) {
			var want []bool
			for i, person := range c.people {
				w := newWorld(t)
				w.changePerson("carol", func(p *store.Person) { p.Groups = []string{"staff"} })
				_, err := w.Store.AddPeople(t.Context(), []store.Person{{Name: "nothing", Created: w.time.now()}})
				w.must(err)
				w.rule(c.rules...)
				got := w.observe(c.address, person, guesses)
				if i == 0 {
					want = got
				}
				if !slices.Equal(got, want) || got[0] != c.hashes {
					t.Errorf("%s: %v, want %v", person, got, want)
				}
				if n := w.throttle.inWork(); n != 0 {
					t.Errorf("%d guesses are still in work", n)
				}
			}
		})
	}
}

// What is typed by somebody whom a rule denies is not judged: it counts
// against nobody, but delays as an unknown name would be.
func TestDeniedByARuleCountsAgainstNobody(t *testing.T) {
	w := newWorld(t)
	for n := range 5 {
		w.refused(w.guesses(desk, "ivan", n), reason.RuleDenies)
	}
	if n := w.people.asked(); n != 1 {
		t.Errorf("a password was looked at %d times during the delay, want 1", n)
	}
	if len(w.counters()) != 0 || len(w.throttle.people) != 0 {
		t.Errorf("counted %v", w.throttle.people)
	}
	if a := w.people.judged; a.ID != 0 || a.Hash != "" || a.Name != "ivan" {
		t.Errorf("judged %+v, want nobody", a)
	}
	found := w.events(store.Search{Reason: string(reason.RuleDenies)})
	if len(found) != 5 || found[0].Name != "ivan" || found[0].Rule != "blocked" {
		t.Errorf("booked %+v", found)
	}
	w.changePerson("ivan", func(p *store.Person) { p.Groups = nil })
	w.admitted(w.from(desk, "ivan", "PASSWORD"))
}

// A class of students tries a service that is not for them.
func TestManyDeniedAreNoSpray(t *testing.T) {
	w := newWorld(t)
	var people []store.Person
	for i := range 30 {
		people = append(people, store.Person{Name: fmt.Sprint("student", i), Groups: []string{"blocked"}, Created: w.time.now()})
	}
	_, err := w.Store.AddPeople(t.Context(), people)
	w.must(err)
	for i := range people {
		w.refused(w.from(desk, people[i].Name, "guess"), reason.RuleDenies)
	}
	w.admitted(w.from(desk, "alice", "PASSWORD"))
}

func TestDeniedWithAFullQueueIsNotToldApart(t *testing.T) {
	w := newWorld(t)
	w.people.failCheck(passwd.ErrBusy)
	for _, name := range []string{"ivan", "alice", "nobody"} {
		w.fails(w.from(desk, name, "guess"), passwd.ErrBusy)
	}
	// Nothing typed costs nothing, whoever it is.
	w.refused(w.from(desk, "nobody", ""), reason.EmptyPassword)
	w.refused(w.from(desk, "ivan", ""), reason.RuleDenies)
}

// An unknown name's wrong password is remembered like a person's.
func TestSameWrongPasswordOfANameThatNobodyHas(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.refused(w.from(desk, "nobody", "guess"), reason.UnknownUser)
		w.time.pass(10 * time.Minute)
	}
	if n := w.people.asked(); n != 1 {
		t.Errorf("it was hashed %d times, want once", n)
	}
	w.refused(w.from(desk, "nobody2", "guess"), reason.UnknownUser)
	if n := w.people.asked(); n != 2 {
		t.Errorf("another name's was hashed %d times", n-1)
	}
	w.time.pass(time.Hour)
	w.refused(w.from(desk, "nobody", "guess"), reason.UnknownUser)
	if n := w.people.asked(); n != 3 {
		t.Error("it was remembered for longer than an hour")
	}
}

// The people behind an application server share its address.
func TestApplicationServersHaveNoSourceCounter(t *testing.T) {
	for shared, why := range map[bool]reason.Code{true: reason.Admitted, false: reason.Throttled} {
		w := newWorld(t)
		for n := range 40 {
			r := w.guesses(desk, fmt.Sprint("nobody", n), n)
			r.Source.Shared = shared
			w.admit(r)
		}
		r := w.from(desk, "alice", "PASSWORD")
		r.Source.Shared = shared
		if a := w.admit(r); a.Reason != string(why) {
			t.Errorf("shared %v: %s, want %s", shared, a.Reason, why)
		}
	}
}
