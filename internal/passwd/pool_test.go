package passwd

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// cheapest makes real hashes fast; the tests' clock sees none of their time.
var cheapest = Params{Memory: 8, Time: 1}

// gated is a pool whose jobs wait to be let through. It runs in a bubble of
// synctest, where the clock moves only when everybody waits.
type gated struct {
	*Pool
	let chan struct{} // received by each job before it ends
}

func newGated(workers int) *gated {
	g := &gated{Pool: &Pool{Workers: workers, Params: cheapest, average: 100 * time.Millisecond}, let: make(chan struct{})}
	g.around = func(do func()) { <-g.let; do() }
	return g
}

// start queues a job and returns where its error will be.
func (g *gated) start(ctx context.Context, pr Priority, do func()) chan error {
	done := make(chan error, 1)
	go func() { done <- g.do(ctx, pr, do) }()
	synctest.Wait()
	return done
}

func (g *gated) fill(n int, pr Priority) []chan error {
	var all []chan error
	for range n {
		all = append(all, g.start(context.Background(), pr, func() {}))
	}
	return all
}

func wantNil(t *testing.T, jobs ...chan error) {
	t.Helper()
	for i, j := range jobs {
		if err := <-j; err != nil {
			t.Errorf("job %d: %v", i, err)
		}
	}
}

func TestPoolChecks(t *testing.T) {
	var p Pool // the zero one, with hashes that are cheap by themselves
	p.Params = cheapest
	defer p.Close()
	ours := Make([]byte(persimmon), cheapest)
	ctx := context.Background()
	for _, c := range []struct {
		name, encoded, password string
		ok, renew               bool
		err                     error
	}{
		{"ours", ours, persimmon, true, false, nil},
		{"ours, wrong", ours, "x", false, false, nil},
		{"fast", "{SHA}zVF63YRr5L0hIVJ3iyFWm73EayY=", persimmon, true, true, nil},
		{"fast, wrong", "{SHA}zVF63YRr5L0hIVJ3iyFWm73EayY=", "x", false, false, nil},
		{"weak", "$1$saltsalt$WcgEBMqo3fx00Lu40yPig1", persimmon, true, true, nil},
		{"nobody", "", persimmon, false, false, nil},
		{"broken", "{SSHA", persimmon, false, false, ErrFormat},
		{"too dear", "$6$rounds=9999999$saltsalt$x", persimmon, false, false, ErrBounds},
	} {
		ok, renew, err := p.Check(ctx, c.encoded, []byte(c.password), Open)
		if ok != c.ok || renew != c.renew || !errors.Is(err, c.err) {
			t.Errorf("%s: %v, %v, %v", c.name, ok, renew, err)
		}
	}

	encoded, err := p.Make(ctx, []byte(persimmon), Idle)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := Parse(encoded); err != nil || !h.Check([]byte(persimmon)) || h.Renew(cheapest) {
		t.Errorf("made %s: %v", encoded, err)
	}
}

// A name that nobody has, and a record that is damaged, cost one hash of the
// same parameters; else names could be told by the time of the answer.
func TestUnknownNameCostsTheSame(t *testing.T) {
	var jobs atomic.Int32
	p := Pool{Params: cheapest, around: func(do func()) { jobs.Add(1); do() }}
	defer p.Close()
	for _, encoded := range []string{Make([]byte("x"), cheapest), "", "{SSHA", "$2y$31$x"} {
		before := jobs.Load()
		p.Check(context.Background(), encoded, []byte("persimmon"), Open)
		if n := jobs.Load() - before; n != 1 {
			t.Errorf("%q: %d hashes", encoded, n)
		}
	}
	a, ok := p.nobody().form.(argon2Key)
	if !ok || a.Params != cheapest.bounded() || len(a.key) != keyOctets {
		t.Errorf("nobody's hash is %+v", a)
	}
}

// Who doesn't exist costs what somebody costs who does, and never gets in.
func TestSpendCostsTheSameAndFitsNobody(t *testing.T) {
	var jobs atomic.Int32
	p := Pool{Params: cheapest, around: func(do func()) { jobs.Add(1); do() }}
	ctx := context.Background()
	for encoded, want := range map[string]int32{
		Make([]byte(persimmon), cheapest): 1, "": 1, "{SSHA": 1, "$1$saltsalt$WcgEBMqo3fx00Lu40yPig1": 1,
		"{NT}35ddf2d39655da7576c72852595c0dae": 0,
	} {
		before := jobs.Load()
		err := p.Spend(ctx, encoded, []byte(persimmon), Open)
		if n := jobs.Load() - before; n != want || err != nil {
			t.Errorf("%q: %d hashes, %v; want %d", encoded, n, err, want)
		}
	}
	// Where there is no room it tells no password of the one it stands for.
	p.Close()
	for _, encoded := range []string{"", "{NT}35ddf2d39655da7576c72852595c0dae"} {
		if err := p.Spend(ctx, encoded, []byte(persimmon), Open); !errors.Is(err, ErrBusy) {
			t.Errorf("%q in a full queue: %v", encoded, err)
		}
	}
}

func TestFastHashNeverQueues(t *testing.T) {
	p := Pool{around: func(func()) { t.Error("queued") }}
	p.Close() // and so not even a closed pool refuses it
	ok, _, err := p.Check(context.Background(), "{NT}35ddf2d39655da7576c72852595c0dae", []byte(persimmon), Open)
	if !ok || err != nil {
		t.Error(ok, err)
	}
}

// A name whose wrong password is refused while others get no answer would be
// known to exist, and to have an old hash.
func TestFullQueueHidesFastHashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		jobs := g.fill(6, Open) // one runs, five are half of the queue
		for _, encoded := range []string{"{NT}35ddf2d39655da7576c72852595c0dae", ""} {
			if ok, _, err := g.Check(context.Background(), encoded, []byte("x"), Open); ok || !errors.Is(err, ErrBusy) {
				t.Errorf("%q: %v, %v", encoded, ok, err)
			}
		}
		if ok, _, err := g.Check(context.Background(), "{NT}35ddf2d39655da7576c72852595c0dae", []byte("x"), Reserved); ok || err != nil {
			t.Errorf("where there is room: %v, %v", ok, err)
		}
		close(g.let)
		wantNil(t, jobs...)
	})
}

func TestHalfOfQueueIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1) // jobs of 100 ms: ten fill the queue
		ctx := context.Background()
		running := g.fill(1, Open)
		open := g.fill(5, Open)
		if err := g.do(ctx, Open, func() {}); !errors.Is(err, ErrBusy) {
			t.Errorf("a sixth open job: %v", err)
		}
		if got := g.Load(); got != 0.5 {
			t.Errorf("load %v", got)
		}
		reserved := g.fill(3, Reserved)
		if err := g.do(ctx, Reserved, func() {}); !errors.Is(err, ErrBusy) {
			t.Errorf("more than three quarters without a code: %v", err)
		}
		matched := g.fill(2, Matched)
		if got, want := g.Wait(), time.Second; got != want {
			t.Errorf("wait %v, want %v", got, want)
		}
		close(g.let)
		wantNil(t, running...)
		wantNil(t, open...)
		wantNil(t, reserved...)
		wantNil(t, matched...)
		if g.Load() != 0 || g.Wait() != 0 {
			t.Error("the queue isn't empty")
		}
	})
}

// Whoever has no device can fill what they may of the queue: a matched code's
// password is judged all the same, and first.
func TestNobodyWithoutADeviceSilencesAMatchedCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		ctx := context.Background()
		others := append(g.fill(6, Open), g.fill(3, Reserved)...)
		for _, pr := range []Priority{Open, Reserved} {
			if err := g.do(ctx, pr, func() {}); !errors.Is(err, ErrBusy) {
				t.Errorf("priority %d: %v", pr, err)
			}
		}
		matched := g.fill(10, Matched) // a whole queue of its own
		if err := g.do(ctx, Matched, func() {}); !errors.Is(err, ErrBusy) {
			t.Errorf("one more than the queue holds: %v", err)
		}
		for range 11 { // the one that runs, then the matched
			g.let <- struct{}{}
		}
		synctest.Wait()
		for i, m := range matched {
			select {
			case err := <-m:
				if err != nil {
					t.Error(err)
				}
			default:
				t.Errorf("matched code %d is not judged first", i)
			}
		}
		close(g.let)
		wantNil(t, others...)
	})
}

func TestMatchedFillsQueueAgainstOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(2) // twenty fill the queue
		jobs := g.fill(22, Matched)
		for _, pr := range []Priority{Open, Reserved, Matched, Idle, 77} {
			if err := g.do(context.Background(), pr, func() {}); !errors.Is(err, ErrBusy) {
				t.Errorf("priority %d: %v", pr, err)
			}
		}
		close(g.let)
		wantNil(t, jobs...)
	})
}

func TestMatchedThenReservedGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		var order []Priority
		var jobs []chan error
		for _, pr := range []Priority{Idle, Idle, Open, Open, Reserved, Reserved, Matched} {
			jobs = append(jobs, g.start(context.Background(), pr, func() { order = append(order, pr) }))
		}
		close(g.let)
		wantNil(t, jobs...)
		want := []Priority{Idle, Matched, Reserved, Reserved, Open, Open, Idle} // the first had begun
		for i := range want {
			if order[i] != want[i] {
				t.Fatalf("order %v, want %v", order, want)
			}
		}
	})
}

func TestIdleOnlyWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		jobs := g.fill(6, Idle) // one runs, five are half of the queue
		if err := g.do(context.Background(), Idle, func() {}); !errors.Is(err, ErrBusy) {
			t.Errorf("more idle work than half of the queue: %v", err)
		}
		if g.Load() != 0 {
			t.Error("idle work counts as load")
		}
		jobs = append(jobs, g.fill(1, Open)...) // is not kept out by it
		g.let <- struct{}{}
		synctest.Wait()
		jobs = append(jobs, g.fill(1, Open)...)
		if err := g.do(context.Background(), Idle, func() {}); !errors.Is(err, ErrBusy) {
			t.Errorf("idle work while somebody waits: %v", err)
		}
		close(g.let)
		wantNil(t, jobs...)
	})
}

func TestDeadlineWhileQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		running := g.fill(1, Open)
		ran := false
		queued := g.start(context.Background(), Open, func() { ran = true })
		began := time.Now()
		if err := <-queued; !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		if got := time.Since(began); got != 1500*time.Millisecond {
			t.Errorf("given up after %v", got)
		}
		if g.Wait() != 0 {
			t.Error("what was given up is still queued")
		}
		close(g.let)
		wantNil(t, running...) // begun, so it isn't given up
		if ran {
			t.Error("hashed for nobody")
		}
	})
}

// A worker that comes free after the deadline doesn't begin, even if the
// caller's timer is late.
func TestWorkerSkipsLateJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		var ahead atomic.Int64
		g.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		running := g.fill(1, Open)
		ran := false
		queued := g.start(context.Background(), Open, func() { ran = true })
		ahead.Store(int64(1501 * time.Millisecond))
		close(g.let)
		wantNil(t, running...)
		if err := <-queued; !errors.Is(err, ErrBusy) || ran {
			t.Errorf("%v, ran %v", err, ran)
		}
	})
}

func TestEndedContextIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		gone := errors.New("the NAS gave up")
		ctx, cancel := context.WithCancelCause(context.Background())
		ran := false
		do := func() { ran = true }

		running := g.fill(1, Open)
		queued := g.start(ctx, Reserved, do)
		cancel(gone)
		if err := <-queued; !errors.Is(err, gone) {
			t.Error(err)
		}
		if err := g.do(ctx, Reserved, do); !errors.Is(err, gone) {
			t.Errorf("ended before it came: %v", err)
		}
		if _, _, err := g.Check(ctx, "", []byte("x"), Open); !errors.Is(err, gone) || errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		if _, err := g.Make(ctx, []byte("x"), Open); !errors.Is(err, gone) {
			t.Error(err)
		}

		// A worker that takes the job before its caller woke up skips it, too.
		j := &job{ctx: ctx, by: time.Now().Add(time.Hour), do: do, done: make(chan struct{})}
		g.mu.Lock()
		g.queue[Open] = append(g.queue[Open], j)
		g.mu.Unlock()
		close(g.let)
		wantNil(t, running...)
		<-j.done
		if !errors.Is(j.err, gone) || ran {
			t.Errorf("%v, ran %v", j.err, ran)
		}
	})
}

// The caller clears the password when Check returns, so Check may not return
// while a worker reads it.
func TestBegunJobIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		ctx, cancel := context.WithCancel(context.Background())
		ran := false
		job := g.start(ctx, Open, func() { ran = true })
		cancel()
		time.Sleep(time.Minute) // of the bubble's clock
		select {
		case err := <-job:
			t.Fatal("returned while running:", err)
		default:
		}
		close(g.let)
		wantNil(t, job)
		if !ran {
			t.Error("not run")
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		running := g.fill(1, Open)
		queued := g.fill(3, Reserved)
		closed := make(chan struct{})
		go func() { g.Close(); close(closed) }()
		synctest.Wait()
		for _, q := range queued {
			if err := <-q; !errors.Is(err, ErrBusy) {
				t.Error(err)
			}
		}
		select {
		case <-closed:
			t.Error("closed while a worker runs")
		default:
		}
		close(g.let)
		wantNil(t, running...)
		<-closed
		if err := g.do(context.Background(), Reserved, func() {}); !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		g.Close() // a second time does nothing
	}) // synctest fails if a goroutine is left
}

func TestWorkersEndWithTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Pool{Workers: 3, Params: cheapest}
		for range 10 {
			if _, _, err := p.Check(context.Background(), "", []byte("x"), Open); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if p.running != 0 {
			t.Errorf("%d workers left", p.running)
		}
	})
}

func TestNeverMoreThanWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(3)
		var now, most atomic.Int32
		let := g.let
		g.around = func(do func()) {
			most.Store(max(most.Load(), now.Add(1)))
			<-let
			now.Add(-1)
			do()
		}
		jobs := g.fill(12, Reserved)
		close(let)
		wantNil(t, jobs...)
		if most.Load() != 3 {
			t.Errorf("%d at once", most.Load())
		}
	})
}

func TestPanicInHash(t *testing.T) {
	p := Pool{Workers: 1}
	defer p.Close()
	if err := p.do(context.Background(), Open, func() { panic("impossible parameter") }); err == nil || errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	if err := p.do(context.Background(), Open, func() {}); err != nil {
		t.Errorf("the pool died of it: %v", err)
	}
}

func TestAverageFollowsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Pool{Workers: 2}
		cost := 200 * time.Millisecond
		p.around = func(do func()) { time.Sleep(cost); do() }
		for range 3 {
			p.do(context.Background(), Open, func() {})
		}
		if p.average != cost {
			t.Errorf("average %v of jobs of %v", p.average, cost)
		}
		cost = 40 * time.Millisecond
		for range 40 {
			p.do(context.Background(), Open, func() {})
		}
		if p.average < 40*time.Millisecond || p.average > 42*time.Millisecond {
			t.Errorf("average %v of jobs of %v", p.average, cost)
		}
		p.Close()
	})
}

// Jobs too short to measure must not make the queue endless.
func TestQueueIsBoundedWhenJobsAreShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		g.average = time.Nanosecond
		jobs := g.fill(1001, Matched)
		if err := g.do(context.Background(), Matched, func() {}); !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		close(g.let)
		wantNil(t, jobs...)
	})
}

func TestConfiguredQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(1)
		g.QueueWork, g.Deadline = 200*time.Millisecond, 300*time.Millisecond
		running := g.fill(1, Reserved)
		queued := g.fill(2, Reserved)
		if err := g.do(context.Background(), Reserved, func() {}); !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		began := time.Now()
		for _, q := range queued {
			if err := <-q; !errors.Is(err, ErrBusy) {
				t.Error(err)
			}
		}
		if got := time.Since(began); got != g.Deadline {
			t.Errorf("given up after %v", got)
		}
		close(g.let)
		wantNil(t, running...)
	})
}

func BenchmarkDefault(b *testing.B) {
	h, err := Parse(Make([]byte(persimmon), Default))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h.Check([]byte(persimmon))
	}
}
