package gate

import (
	"context"
	"errors"
	"sync"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

const (
	watchTurn   = time.Second
	watchAtOnce = 4 // look-ups at a time: most of what the directory can take is for sign-ins
	watchFew    = 5 // people who may be gone together; more of them only where they are not most
)

// watch looks people of a directory behind up again while they are signed in:
// whoever is disabled or removed there would else stay signed in here for as
// long as their tickets last. Other groups are written by the look-up itself. A
// directory that is away changes nobody.
//
// It goes in rounds of [Gate.Watch], over which the look-ups are spread. Who is
// disabled is signed out at once; who is gone, when two rounds did not find them:
// a replica may be behind the others. A round that misses most people is
// believed in nothing: it is the directory that is broken, or hides them from us.
//
// Only the goroutine that start begins touches what is below done.
type watch struct {
	gate *Gate
	end  context.CancelFunc
	done sync.WaitGroup

	began  time.Time      // the round: what was looked up since then will do
	from   time.Duration  // the same by the clock that never jumps
	people []store.Person // who was signed in then
	open   bool           // some of them are not looked up yet, or not judged
	next   int            // of people, who is looked up next
	failed int            // how many of those before could not be looked up
	err    error          // why the last of them could not

	missing map[int64]bool // by id, whom this round did not find
	before  map[int64]bool // and whom the last one did not
}

func (w *watch) start(g *Gate) {
	w.gate, w.from = g, g.clock.steadi()-g.Watch // the first round begins now
	if g.Watch <= 0 || !g.Directory.Behind() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.end = cancel
	w.done.Go(func() {
		tick := time.NewTicker(watchTurn)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.turn(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
}

func (w *watch) close() {
	if w.end != nil {
		w.end()
		w.done.Wait()
	}
}

// turn looks up whose time has come, and goes on to the next round.
func (w *watch) turn(ctx context.Context) {
	passed := w.gate.clock.steadi() - w.from
	if !w.open && passed >= w.gate.Watch {
		if err := w.begin(ctx); err != nil {
			w.gate.Log.Error("people who are signed in are not looked up again", "error", err)
			return
		}
		passed = 0
	}
	for due := w.due(passed); w.next < due; {
		some := w.people[w.next:min(w.next+watchAtOnce, due)]
		w.next += len(some)
		if !w.look(ctx, some) {
			return // the others have another turn
		}
	}
	if w.open && w.next == len(w.people) {
		w.finish(ctx)
	}
}

func (w *watch) begin(ctx context.Context) (err error) {
	w.began, w.from = w.gate.Now(), w.gate.clock.steadi()
	w.open, w.next, w.failed, w.err, w.missing = true, 0, 0, nil, make(map[int64]bool)
	w.people, err = w.gate.Store.SignedIn(ctx, w.began)
	return err
}

// due is how many of the people are looked up by now: each has a place in the
// round.
func (w *watch) due(passed time.Duration) int {
	n := len(w.people)
	return min(n, int(float64(n)*passed.Seconds()/w.gate.Watch.Seconds())+1)
}

// finish decides whether those who are missing count, and signs out whom the
// round before did not find either.
func (w *watch) finish(ctx context.Context) {
	w.open = false
	log, n, found := w.gate.Log, len(w.missing), len(w.people)-w.failed-len(w.missing)
	if w.failed > 0 {
		log.Warn("some who are signed in could not be looked up again", "people", w.failed, "error", w.err)
	}
	before := w.before
	w.before = w.missing
	if n > watchFew && n > found {
		log.Error("most who are signed in are not found in the directory behind, which is not believed: may bind_dn still see them?",
			"missing", n, "found", found)
		w.before = nil
		return
	}
	for _, p := range w.people {
		if w.missing[p.ID] && before[p.ID] {
			w.signOut(ctx, p, "gone from the directory behind")
		}
	}
}

// look looks some up, at once, and reports whether all could be.
func (w *watch) look(ctx context.Context, some []store.Person) bool {
	accounts, errs := make([]*store.Account, len(some)), make([]error, len(some))
	var all sync.WaitGroup
	for i, p := range some {
		all.Go(func() { accounts[i], errs[i] = w.gate.Directory.FindSince(ctx, p.Name, w.began) })
	}
	all.Wait()
	failed := w.failed
	for i, p := range some {
		w.judge(ctx, p, accounts[i], errs[i])
	}
	return w.failed == failed
}

// judge looks at what was found by a person's name.
func (w *watch) judge(ctx context.Context, p store.Person, found *store.Account, err error) {
	switch {
	case errors.Is(err, directory.ErrUnknown), err == nil && found.Upstream != p.Upstream: // the name may be somebody else's by now
		w.missing[p.ID] = true
	case errors.Is(err, directory.ErrName): // nobody can tell
	case err != nil:
		w.failed, w.err = w.failed+1, err
	case found.Disabled:
		w.signOut(ctx, p, "disabled in the directory behind")
	}
}

// signOut voids all that was given to the person. There is nothing left of
// whoever was disabled here, or released the name, meanwhile.
func (w *watch) signOut(ctx context.Context, p store.Person, why string) {
	event := store.Event{At: w.gate.Now(), Outcome: "done", Reason: string(reason.EndedBehind), Detail: why}
	err := w.gate.Store.ChangePerson(ctx, p.Name, func(now *store.Person) error {
		if now.ID != p.ID || now.Disabled {
			return store.ErrChanged
		}
		return nil
	}, event)
	switch {
	case errors.Is(err, store.ErrChanged), errors.Is(err, store.ErrUnknown):
	case err != nil:
		w.gate.Log.Error("somebody was not signed out", "person", p.Name, "why", why, "error", err)
	default:
		w.gate.Log.Info("signed out everywhere", "person", p.Name, "why", why)
	}
}
