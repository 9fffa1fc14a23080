package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

// watching is a campus whose watch has rounds of five minutes and turns when
// the test says so.
func watching(t *testing.T) (*world, *campus) {
	w, c := newCampus(t)
	w.Watch = 5 * time.Minute
	w.Gate.watch.start(w.Gate)
	w.Gate.watch.close() // its own clock
	return w, c
}

// rounds lets rounds pass, a turn each second.
func (w *world) rounds(n int) {
	for range n * int(w.Watch/watchTurn) {
		w.Gate.watch.turn(w.t.Context())
		w.time.pass(watchTurn)
	}
}

// students puts some into the directory and signs them in: s00, s01, ...
func (w *world) students(c *campus, n int) (names []string, signed []Answer) {
	w.t.Helper()
	for i := range n {
		name := fmt.Sprintf("s%02d", i)
		c.set(name, func(e *entry) { e.id, e.password = "id-"+name, who(name).password })
		names, signed = append(names, name), append(signed, w.admitted(w.from(desk, name, "PASSWORD")))
	}
	return names, signed
}

func (c *campus) remove(names ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		delete(c.people, name)
	}
}

func (c *campus) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing = err
}

// asking is whom the watch asks for.
func (c *campus) asking() func() []string {
	var mu sync.Mutex
	var names []string
	c.asks = func(name string) {
		mu.Lock()
		defer mu.Unlock()
		names = append(names, name)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		asked := names
		names = nil
		return asked
	}
}

func (w *world) ended() []store.Event {
	return w.events(store.Search{Reason: string(reason.EndedBehind)})
}

func TestDisabledBehindEndsEverything(t *testing.T) {
	w, c := watching(t)
	vpn := w.admitted(w.vpn(w.from(home, "alice", "PASSWORDCODE")))
	r := w.acct("alice", AccountingStart)
	r.Class = []string{vpn.Ticket.Class}
	w.tell(r)
	signed := []Answer{vpn, w.admitted(w.from(desk, "alice", "PASSWORD")), w.admitted(w.binds(desk, "alice", "PASSWORD"))}
	zoe := w.admitted(w.from(desk, "zoe", "PASSWORD"))
	w.rounds(2)
	for _, a := range signed {
		w.lives(a, true)
	}
	w.noOrders()

	c.set("alice", func(e *entry) { e.disabled = true })
	w.rounds(1)
	for _, a := range signed {
		w.lives(a, false)
	}
	w.lives(zoe, true)
	if o := w.order(); o.User != "alice" || o.Change {
		t.Errorf("the NAS is told %+v", o)
	}
	w.rounds(2)
	e := w.ended()
	if len(e) != 1 || e[0].Name != "alice" || e[0].Person != w.account("alice").ID || e[0].Detail != "disabled in the directory behind" || e[0].Outcome != "done" {
		t.Errorf("booked %+v", e)
	}

	// Nothing of it comes back with her.
	c.set("alice", func(e *entry) { e.disabled = false })
	w.rounds(1)
	w.lives(vpn, false)
	w.lives(w.admitted(w.from(desk, "alice", "PASSWORD")), true)
}

func TestGoneBehindEndsEverything(t *testing.T) {
	w, c := watching(t)
	alice, zoe := w.admitted(w.from(desk, "alice", "PASSWORD")), w.admitted(w.from(desk, "zoe", "PASSWORD"))
	c.remove("alice")
	w.rounds(1)
	w.lives(alice, true) // it may be a replica that is behind
	w.rounds(1)
	w.lives(alice, false)
	w.lives(zoe, true)
	w.rounds(2)
	if e := w.ended(); len(e) != 1 || e[0].Name != "alice" || e[0].Detail != "gone from the directory behind" {
		t.Errorf("booked %+v", e)
	}
}

func TestGoneForOneRoundIsNotGone(t *testing.T) {
	w, c := watching(t)
	a := w.admitted(w.from(desk, "zoe", "PASSWORD"))
	zoe := c.people["zoe"]
	for range 3 {
		c.remove("zoe")
		w.rounds(1)
		c.set("zoe", func(e *entry) { *e = zoe })
		w.rounds(1)
	}
	w.lives(a, true)
}

// Whose name is somebody else's by now is gone; the other has nothing of theirs.
func TestNameThatIsSomebodyElsesBehind(t *testing.T) {
	w, c := watching(t)
	a := w.admitted(w.from(desk, "alice", "PASSWORD"))
	c.set("alice", func(e *entry) { e.id = "id-of-another" })
	w.rounds(2)
	w.lives(a, false)
	if e := w.ended(); len(e) != 1 {
		t.Errorf("booked %+v", e)
	}
}

func TestDirectoryThatIsAwayEndsNobody(t *testing.T) {
	w, c := watching(t)
	var log bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&log, nil))
	names, signed := w.students(c, 20)
	c.set(names[3], func(e *entry) { e.disabled = true })
	asked := c.asking()
	for _, away := range []error{errors.New("no server answers"), directory.ErrName} {
		c.fail(away)
		w.rounds(3)
		for _, a := range signed {
			w.lives(a, true)
		}
	}
	asked()
	c.fail(errors.New("no server answers"))
	w.Gate.watch.turn(t.Context())
	w.time.pass(w.Watch) // all are due
	w.Gate.watch.turn(t.Context())
	if n := len(asked()); n != 1+watchAtOnce {
		t.Errorf("asked for %d in two turns while it is away", n)
	}
	if !strings.Contains(log.String(), "could not be looked up again") {
		t.Errorf("told %s", &log)
	}

	c.fail(nil)
	w.rounds(2)
	for i, a := range signed {
		w.lives(a, i != 3)
	}
}

// Somebody whose entry can't be read is not gone.
func TestNobodyCanTellEndsNobody(t *testing.T) {
	w, c := watching(t)
	a := w.admitted(w.from(desk, "zoe", "PASSWORD"))
	c.fail(directory.ErrName)
	w.rounds(3)
	w.lives(a, true)
}

// What was found may be of before: an administrator was faster, or the name has
// gone over to somebody else.
func TestWatchEndsNobodyElse(t *testing.T) {
	w, c := watching(t)
	zoe := w.admitted(w.from(desk, "zoe", "PASSWORD"))
	c.set("zoe", func(e *entry) { e.disabled = true })
	c.asks = func(string) { w.changePerson("zoe", func(p *store.Person) { p.Disabled = true }) }
	w.rounds(1)
	w.lives(zoe, false)

	c.asks = nil
	yuri := w.admitted(w.from(desk, "yuri", "PASSWORD"))
	w.Gate.watch.signOut(t.Context(), store.Person{ID: w.account("yuri").ID + 1, Name: "yuri"}, "disabled in the directory behind")
	w.lives(yuri, true)
	if e := w.ended(); len(e) != 0 {
		t.Errorf("booked %+v", e)
	}
}

// Each has a place in the round, and few are asked for at a time.
func TestWatchIsSpread(t *testing.T) {
	w, c := watching(t)
	names, _ := w.students(c, 60)
	asked := c.asking()
	var round []string
	for range 300 {
		w.Gate.watch.turn(t.Context())
		now := asked()
		if len(now) > 1 {
			t.Errorf("%d of 60 in one second of 300", len(now))
		}
		round = append(round, now...)
		w.time.pass(watchTurn)
	}
	if slices.Sort(round); !slices.Equal(round, names) {
		t.Errorf("asked for %q", round)
	}
}

// slow is a directory behind that answers when the test lets it.
type slow struct {
	directory.Directory
	asked  atomic.Int32
	answer chan bool
}

func (d *slow) Behind() bool { return true }

func (d *slow) FindSince(ctx context.Context, _ string, _ time.Time) (*store.Account, error) {
	d.asked.Add(1)
	select {
	case <-d.answer:
		return &store.Account{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// slowly begins a watch of twelve people who are all due. Its clock is the bubble's.
func slowly() (*Gate, *slow) {
	d := &slow{answer: make(chan bool)}
	g := &Gate{Directory: d, Log: quiet(), Watch: 5 * time.Minute}
	g.clock.start(time.Now, nil)
	g.watch.people, g.watch.open = make([]store.Person, 12), true
	g.watch.start(g)
	time.Sleep(watchTurn)
	return g, d
}

// Where many are due at once, as after the directory was away.
func TestWatchAsksForFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := slowly()
		for _, want := range []int32{4, 8, 12} {
			synctest.Wait()
			if n := d.asked.Load(); n != want {
				t.Errorf("asked for %d, want %d", n, want)
			}
			for range watchAtOnce {
				d.answer <- true
			}
		}
		g.Close()
	})
}

func TestCloseEndsTheWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := slowly()
		synctest.Wait()
		g.Close() // in the midst of look-ups, which get no answer
		if n := d.asked.Load(); n != watchAtOnce {
			t.Errorf("asked for %d", n)
		}
	}) // fails where anything is left running
}

// A replica that lost its data, or an account that may see nothing any more.
func TestMostGoneIsNotBelieved(t *testing.T) {
	w, c := watching(t)
	var log bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&log, nil))
	names, signed := w.students(c, 20)
	people := c.people
	c.people = map[string]entry{}
	w.rounds(4)
	for _, a := range signed {
		w.lives(a, true)
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "missing=20 found=0") {
		t.Errorf("told %s", &log)
	}

	// What it said then counts for nothing; of some it is believed.
	c.people = people
	c.remove(names[:9]...)
	w.rounds(1)
	for _, a := range signed {
		w.lives(a, true)
	}
	w.rounds(1)
	for i, a := range signed {
		w.lives(a, i >= 9)
	}
}

// Nor is it where it broke in the middle of a round, of which it showed half.
func TestMostGoneFromTheMiddleOfARoundIsNotBelieved(t *testing.T) {
	w, c := watching(t)
	names, signed := w.students(c, 40)
	w.rounds(1)
	for turn := range int(w.Watch / watchTurn) {
		if turn == 165 {
			c.remove(names...)
		}
		w.Gate.watch.turn(t.Context())
		w.time.pass(watchTurn)
	}
	w.rounds(3)
	for _, a := range signed {
		w.lives(a, true)
	}
}

// Where few are signed in all of them may leave.
func TestFewThatAreGoneAreBelieved(t *testing.T) {
	w, c := watching(t)
	names, signed := w.students(c, watchFew)
	c.remove(names...)
	w.rounds(2)
	for _, a := range signed {
		w.lives(a, false)
	}
}

func TestWatchOff(t *testing.T) {
	every := func(d time.Duration) func(*Gate) { return func(g *Gate) { g.Watch = d } }
	off, _ := newCampus(t, every(0))
	on, _ := newCampus(t, every(time.Minute))
	local := newWorld(t, every(time.Minute))
	for w, want := range map[*world]bool{off: false, on: true, local: false} {
		if is := w.Gate.watch.end != nil; is != want {
			t.Errorf("every %v, behind %v: watches %v", w.Watch, w.Directory.Behind(), is)
		}
	}
}
