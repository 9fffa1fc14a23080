package store

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func spending(st Settlement, key string) Settlement {
	st.IfSpent = "state_used"
	st.Spend = &Spend{Key: []byte(key), Until: noon.Add(5 * time.Minute)}
	return st
}

// A State, or a word, that is shown twice lets in once, though its codes are
// others.
func testSpentIsRefused(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	first := settle(t, s, spending(admission(a, 1), "state"))
	equal(t, "first", first.Lost, NotLost)
	st := spending(admission(a, 2), "state")
	again := settle(t, s, st)
	equal(t, "again", again.Lost, Spent)
	lost(t, s, st, again, "state_used", first.Ticket)
	equal(t, "the code of the second", account(t, s, "alice").Tokens[0].Step, 1)
	equal(t, "another state", settle(t, s, spending(admission(a, 2), "other")).Lost, NotLost)

	moved := spending(admission(a, 9), "moved")
	moved.Generation--
	equal(t, "judged before a change", settle(t, s, moved).Lost, ChangedMeanwhile)
	equal(t, "and again", settle(t, s, spending(admission(a, 9), "moved")).Lost, Spent)
}

// Of 64 that show one State at once, each with a code that fits, one wins.
func testSpentIsRacedFor(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	var won atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			st := spending(admission(a, 0), "state")
			st.Burn = nil
			done, err := s.Settle(ctx, st)
			if err != nil {
				t.Error(err)
			}
			if (done.Lost == NotLost) != (done.Ticket != 0) {
				t.Errorf("settled %+v", done)
			}
			if done.Lost == NotLost {
				won.Add(1)
			}
		})
	}
	group.Wait()
	equal(t, "winners", won.Load(), 1)
}

// A wrong code takes its State, too, and every one counts: whoever shows one
// State again and again guesses no more than others.
func testSpentByARefusal(t *testing.T, s *Store) {
	st := spending(refusal("alice", noon), "state")
	for i := 1; i <= 3; i++ {
		st.Counters = []Counter{{Name: "guesses", Count: i}}
		done := settle(t, s, st)
		equal(t, "loss", done.Lost, NotLost)
		e := event(t, s, done.Reference)
		equal(t, "booked", e.Outcome+" "+e.Reason, "refused unknown_user")
		equal(t, "counter", counters(t, s)["guesses"].Count, i)
	}
	a := enrolled(t, s, "alice")
	equal(t, "the right code after a wrong one", settle(t, s, spending(admission(a, 1), "state")).Lost, Spent)
}

func testWord(t *testing.T, s *Store) {
	wants(t, second(s.Word(ctx, 7)), ErrUnknown)
	first := Word{Person: 7, Hash: []byte{1, 2}, Service: "ssl-vpn", Ticket: 9, Until: noon.Add(time.Minute)}
	latest := Word{Person: 7, Hash: []byte{3}, Service: "other-vpn", Ticket: 10, Until: noon.Add(time.Hour)}
	epoch := s.Epoch()
	for i, w := range []Word{first, latest} {
		must(t, s.PutWord(ctx, w, Event{At: noon, Reason: "word", Person: 7}))
		got, err := s.Word(ctx, 7)
		must(t, err)
		if !reflect.DeepEqual(got, w) {
			t.Errorf("word %+v, want %+v", got, w)
		}
		equal(t, "events", len(events(t, s, Search{Reason: "word"})), i+1)
	}
	wants(t, second(s.Word(ctx, 8)), ErrUnknown)
	equal(t, "epoch", s.Epoch(), epoch)
	wants(t, s.PutWord(ctx, Word{Person: 7}, Event{}), ErrRecord) // has no hash
}
