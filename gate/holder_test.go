package gate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// holding is a request that presents the ticket of an earlier answer, and
// nothing else.
func (w *world) holding(address string, a Answer) Request { return w.from(address, "", "").with(a) }

func (w *world) present(r Request) Holder {
	w.t.Helper()
	h, err := w.Present(w.t.Context(), r)
	w.must(err)
	return h
}

// worth wants the ticket to be alice's, with this verdict.
func (w *world) worth(r Request, verdict policy.Verdict) Holder {
	w.t.Helper()
	h := w.present(r)
	if h.Person.Name != "alice" || h.Verdict != verdict {
		w.t.Errorf("%s from %v: %q, %v; want alice, %v", r.Service, r.Source, h.Person.Name, h.Verdict, verdict)
	}
	return h
}

func (w *world) nobody(r Request) {
	w.t.Helper()
	if h := w.present(r); !reflect.DeepEqual(h, Holder{}) {
		w.t.Errorf("presented by nobody: %+v", h)
	}
}

func (w *world) end(a Answer) {
	w.t.Helper()
	id, err := w.Store.ParseTicket(a.Ticket.ID)
	w.must(err)
	w.must(w.Store.EndTicket(w.t.Context(), id, w.time.now(), w.change(reason.TicketRevoked)))
}

func TestPresentTellsWhoAndWhatItIsWorth(t *testing.T) {
	w := newWorld(t)
	w.changePerson("alice", func(p *store.Person) {
		p.Display, p.Mail, p.Lang, p.Groups = "有栖", "alice@example.ac.jp", "ja", []string{"staff"}
	})
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.pass(10 * time.Minute)
	got := w.present(w.holding(cafe, a))
	want := Holder{
		Person: Person{ID: w.account("alice").ID, Name: "alice", Display: "有栖", Mail: "alice@example.ac.jp", Language: "ja", Groups: []string{"staff"}},
		Ticket: Ticket{ID: a.Ticket.ID, Until: a.Ticket.Until, Idle: a.Ticket.Idle}, Service: "portal", Since: begin,
		Zone: policy.OffCampus, Verdict: policy.Allow, Proves: []policy.Factor{policy.Password, policy.OTP},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("holder\n%+v, want\n%+v", got, want)
	}

	// The user that the request names is not looked at.
	named := w.holding(cafe, a)
	named.User = "bob"
	w.worth(named, policy.Allow)
}

// The same ticket is worth more here than there.
func TestPresentAsksTheRules(t *testing.T) {
	w := newWorld(t)
	inside := w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.worth(w.holding(desk, inside), policy.Allow)
	h := w.worth(w.holding(home, inside), policy.Ask)
	if want := (Prompt{Zone: policy.OffCampus, Code: true}); h.Missing != want {
		t.Errorf("missing %+v, want %+v", h.Missing, want)
	}
	fixed := w.holding(desk, inside)
	fixed.Zone = policy.OffCampus
	w.worth(fixed, policy.Ask)

	cards := w.holding(desk, inside).of("portal")
	cards.Service = "cards" // wants a certificate, which nothing here takes
	h = w.worth(cards, policy.Ask)
	if want := (Prompt{Zone: "campus", Inside: true, Password: true}); h.Missing != want {
		t.Errorf("missing %+v, want %+v", h.Missing, want)
	}
	w.worth(w.holding("2001:db8:9::1", inside), policy.Deny)
}

func TestPresentOfWhatIsOver(t *testing.T) {
	for name, kill := range map[string]func(w *world, parent, child *Answer){
		"expired":      func(w *world, _, _ *Answer) { w.time.pass(11 * time.Hour) },
		"ended":        func(w *world, _, child *Answer) { w.end(*child) },
		"parent ended": func(w *world, parent, _ *Answer) { w.end(*parent) },
		"parent idle":  func(w *world, _, _ *Answer) { w.time.pass(time.Hour) },
		"changed password": func(w *world, _, _ *Answer) {
			w.changePerson("alice", func(p *store.Person) { p.Hash = hashes()["bob"] })
		},
		"device removed": func(w *world, _, _ *Answer) {
			_, err := w.Store.RemoveTokens(t.Context(), "alice", w.change(reason.OTPReset))
			w.must(err)
		},
		"disabled":  func(w *world, _, _ *Answer) { w.changePerson("alice", func(p *store.Person) { p.Disabled = true }) },
		"none":      func(_ *world, _, child *Answer) { child.Ticket.Secret = "" },
		"public ID": func(_ *world, _, child *Answer) { child.Ticket.Secret = Secret(child.Ticket.ID) },
		"class":     func(_ *world, _, child *Answer) { child.Ticket.Secret = Secret(child.Ticket.Class) },
		"too short": func(_ *world, _, child *Answer) { child.Ticket.Secret = child.Ticket.Secret[:53] },
		"too long":  func(_ *world, _, child *Answer) { child.Ticket.Secret += "A" },
		"other id":  func(_ *world, _, child *Answer) { child.Ticket.Secret = "AAAAAAAAACo" + child.Ticket.Secret[11:] },
		"other's secret": func(_ *world, parent, child *Answer) {
			child.Ticket.Secret = child.Ticket.Secret[:11] + parent.Ticket.Secret[11:]
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			parent := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
			child := w.presents(desk, "alice", parent)
			w.worth(w.holding(home, child), policy.Allow) // it is remembered, too
			kill(w, &parent, &child)
			w.nobody(w.holding(home, child))
		})
	}
}

// No bit of a secret may be without meaning.
func TestPresentWithOneBitFlipped(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	raw, err := encoding.DecodeString(string(a.Ticket.Secret[11:]))
	w.must(err)
	for bit := range 8 * len(raw) {
		flipped := slices.Clone(raw)
		flipped[bit/8] ^= 1 << (bit % 8)
		r := w.holding(home, a)
		r.TicketSecret = r.TicketSecret[:11] + encoding.EncodeToString(flipped)
		w.nobody(r)
	}
	w.worth(w.holding(home, a), policy.Allow)
}

// A command ends the ticket, or disables the person, beside the server.
func TestPresentSeesAnotherProcess(t *testing.T) {
	for name, kill := range map[string]func(w *world, other *store.Store, a Answer) error{
		"revoked": func(w *world, other *store.Store, a Answer) error {
			id, err := other.ParseTicket(a.Ticket.ID)
			w.must(err)
			return other.EndTicket(t.Context(), id, w.time.now(), w.change(reason.TicketRevoked))
		},
		"disabled": func(w *world, other *store.Store, _ Answer) error {
			return other.ChangePerson(t.Context(), "alice", func(p *store.Person) error { p.Disabled = true; return nil },
				w.change(reason.AccountDisabled))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			other, err := store.Open(w.file, store.Options{})
			w.must(err)
			defer other.Close()
			a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
			w.worth(w.holding(home, a), policy.Allow)
			w.must(kill(w, other, a))
			w.refused(w.from(home, "nobody", "guessed"), reason.UnknownUser) // whatever is written next
			w.nobody(w.holding(home, a))
		})
	}
}

// Present is asked for every picture of every page: it must not write.
func TestPresentWritesNoRow(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	rows := func() (n int) {
		w.must(w.Store.Tickets(t.Context(), 0, w.time.now(), func(store.Ticket, string) error { n++; return nil }))
		return n + len(w.events(store.Search{}))
	}
	before, asked := rows(), w.people.asked()
	for range 100 {
		w.worth(w.holding(home, a), policy.Allow)
		w.worth(w.holding(desk, a), policy.Allow)
	}
	r := w.from(home, "alice", "").with(a)
	_, err := w.Prompt(t.Context(), r)
	w.must(err)
	if now := rows(); now != before || w.people.asked() != asked {
		t.Errorf("%d rows became %d", before, now)
	}
}

// What is used does not grow idle, nor does what it rests on.
func TestPresentCountsAsUse(t *testing.T) {
	w := newWorld(t)
	parent := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	child := w.presents(home, "alice", parent)
	for range 5 {
		w.time.pass(50 * time.Minute)
		w.worth(w.holding(home, child), policy.Allow)
	}
	w.worth(w.holding(home, parent), policy.Allow)
}

// After an hour without use the password is asked, no more: the device was
// shown today.
func TestIdleTicketLendsTheCode(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	asked := w.people.asked()
	w.time.pass(time.Hour)
	onlyPassword := Prompt{Zone: policy.OffCampus, Password: true}
	for range 2 { // looking at it brings nothing back
		if h := w.worth(w.holding(home, a), policy.Ask); h.Missing != onlyPassword || h.Ticket.ID != a.Ticket.ID {
			t.Errorf("%+v, want only the password to be missing", h)
		}
	}
	w.refused(w.holding(home, a), reason.BadName)
	w.refused(w.from(home, "alice", "").with(a), reason.EmptyPassword)
	w.refused(w.from(home, "alice", "guessed").with(a), reason.WrongPassword)
	w.time.pass(time.Second)
	again := w.admitted(w.from(home, "alice", "PASSWORD").with(a))
	if n := w.people.asked() - asked; n != 2 {
		t.Errorf("the password was looked at %d times, want 2", n)
	}
	if e := w.event(again.Reference); e.Factors != "password+otp" {
		t.Errorf("booked %q", e.Factors)
	}
	if again.Ticket.Until.After(a.Ticket.Until) {
		t.Errorf("lives until %v, the code's ticket until %v", again.Ticket.Until, a.Ticket.Until)
	}
	w.worth(w.holding(home, again), policy.Allow)
}

// The code of an idle ticket is no older for that, and no more than a code.
func TestIdleTicketLendsNoOldCode(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.pass(8*time.Hour + time.Second) // the rule's reuse
	if h := w.worth(w.holding(home, a), policy.Ask); !h.Missing.Password || !h.Missing.Code {
		t.Errorf("%+v, want both to be missing", h.Missing)
	}
	w.refused(w.from(home, "alice", "PASSWORD").with(a), reason.CodeMissing)
	w.time.pass(2 * time.Hour)
	w.nobody(w.holding(home, a))
}

func TestIdleTicketOfOneFactorLendsNothing(t *testing.T) {
	w := newWorld(t)
	w.rule(
		policy.Rule{Name: "device", Service: []string{"door"}, Need: []policy.Need{policy.ParseNeed("otp")}, Idle: time.Hour},
		policy.Rule{Name: "outside", Need: []policy.Need{policy.ParseNeed("password+otp")}, Idle: time.Hour},
	)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	door := w.holding(home, a).of("portal")
	door.Service = "door"
	w.worth(door, policy.Allow)
	w.time.pass(time.Hour)
	if h := w.worth(door, policy.Ask); h.Missing.Password || !h.Missing.Code {
		t.Errorf("%+v, want the code to be missing", h.Missing)
	}
	door.User, door.Password = "alice", []byte("guessed")
	w.refused(door, reason.CodeMissing)
}

func TestIdleTicketOfSomebodyElse(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.time.pass(time.Hour)
	w.refused(w.from(home, "bob", "PASSWORD").with(a), reason.CodeMissing)
}

// altered is a directory that says of everybody what the store does not know.
type altered struct {
	directory.Directory
	change func(*store.Account)
}

func (d altered) Find(ctx context.Context, name string) (*store.Account, error) {
	a, err := d.Directory.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	other := *a
	d.change(&other)
	return &other, nil
}

// The account was given an initial password: only the change page is open.
func TestPresentOfOneWhoMustChangeThePassword(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.Directory = altered{w.people, func(a *store.Account) { a.MustChange = true }}
	w.worth(w.holding(home, a), policy.Deny)
	w.refused(w.holding(home, a).by("alice"), reason.MustChange)
}

// Not every directory raises the generation when it disables somebody.
func TestPresentOfOneWhomTheDirectoryDisables(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	w.Directory = altered{w.people, func(a *store.Account) { a.Disabled = true }}
	w.nobody(w.holding(home, a))
	w.lives(a, false)
	w.asked(w.from(home, "alice", "").with(a), "both")
}

func TestPresentWhenNothingCanBeJudged(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	down := errors.New("the directory is down")
	live := func() error { _, err := w.Live(t.Context(), a.Ticket.ID); return err }
	present := func() error { _, err := w.Present(t.Context(), w.holding(home, a)); return err }
	prompt := func() error { _, err := w.Prompt(t.Context(), w.from(home, "alice", "")); return err }
	own := func() error { _, err := w.Prompt(t.Context(), w.holding(home, a)); return err }
	for name, ask := range map[string]func() error{"Present": present, "Live": live, "Prompt": prompt, "Prompt by ticket": own} {
		w.people.fail(down)
		if err := ask(); !errors.Is(err, down) || strings.Contains(err.Error(), string(a.Ticket.Secret)) {
			t.Errorf("%s: %v", name, err)
		}
		w.people.fail(directory.ErrName) // of this name alone
		w.must(ask())
		w.people.fail(nil)
	}
	w.nobodyWhile(directory.ErrUnknown, a)
	w.nobodyWhile(directory.ErrName, a)

	w.must(w.Store.Close())
	fresh := w.holding(home, a)
	fresh.TicketSecret = "AAAAAAAAACo" + fresh.TicketSecret[11:]
	for name, err := range map[string]error{
		"Present":  second(w.Present(t.Context(), fresh)),
		"Prompt":   second(w.Prompt(t.Context(), w.from(home, "alice", "").with(Answer{Ticket: Ticket{Secret: Secret(fresh.TicketSecret)}}))),
		"Live":     second(w.Live(t.Context(), w.Store.TicketName(42))),
		"Sessions": second(w.Sessions(t.Context(), 1)),
		"SignOut":  second(w.SignOut(t.Context(), fresh, Person{ID: 1, Name: "alice"})),
		"EndSession": w.EndSession(t.Context(), fresh, Person{ID: 1, Name: "alice"}, w.Store.TicketName(42),
			reason.SessionEnded),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func (w *world) nobodyWhile(failing error, a Answer) {
	w.t.Helper()
	w.people.fail(failing)
	defer w.people.fail(nil)
	w.nobody(w.holding(home, a))
	if lives, err := w.Live(w.t.Context(), a.Ticket.ID); lives || err != nil {
		w.t.Errorf("%v: lives %v, %v", failing, lives, err)
	}
}

// Nobody who was told that a ticket has ended sees it live.
func TestEndRacesWithPresent(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	child := w.presents(home, "alice", a)
	person := w.worth(w.holding(home, a), policy.Allow).Person
	var ended sync.WaitGroup
	ended.Add(1)
	together(8, func(i int) {
		if i == 0 {
			w.must(w.EndSession(t.Context(), w.from(home, "", ""), person, a.Ticket.ID, reason.SessionEnded))
			ended.Done()
			return
		}
		for range 50 {
			w.present(w.holding(home, child))
		}
		ended.Wait()
		w.nobody(w.holding(home, child))
	})
}

func BenchmarkPresent(b *testing.B) {
	w := newWorld(b)
	a := w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	child := w.presents(home, "alice", a)
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(callers)
			b.RunParallel(func(p *testing.PB) {
				r := w.holding(home, child)
				for p.Next() {
					if h, err := w.Present(b.Context(), r); err != nil || h.Verdict != policy.Allow {
						b.Errorf("%+v, %v", h, err)
						return
					}
				}
			})
		})
	}
}
