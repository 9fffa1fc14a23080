package store

import (
	"database/sql/driver"
	"errors"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	batchLength = 1024
	gatherTurns = 16
	generations = 100_000
	walLimit    = 64 << 20
	probeSpace  = 1 << 20 // free octets below which a full disk is taken to be full still
	housekeep   = time.Second
)

// writer is the one goroutine that writes. Its fields are its own.
type writer struct {
	store *Store
	conn  *conn

	version    int64           // PRAGMA data_version when the following was read
	stale      bool            // a change of our own moved the sequence
	accepted   int64           // event since which the clock is believed
	generation map[int64]int64 // of people, as committed
	event      int64           // last event id
	ticket     int64           // last ticket id
	floods     map[string]flood
	swept      int64 // minute in which floods was last rid of what is over
	scenes     map[scene]int64
	rows       rows
	batch      []*job
	uses       uses
	pruning    pruning
}

func (w *writer) run() {
	defer w.store.ended.Done()
	tick := time.NewTicker(housekeep)
	defer tick.Stop()
	for {
		select {
		case j := <-w.store.jobs:
			w.gather(j)
			w.work()
		case <-tick.C:
			w.housekeep()
		case <-w.store.stop:
			w.drain()
			w.lastUses()
			w.conn.close()
			return
		}
	}
}

func (w *writer) drain() {
	for {
		select {
		case j := <-w.store.jobs:
			w.gather(j)
			w.work()
		default:
			return
		}
	}
}

// gather lets the queue grow while it does grow, without a timer: one caller
// alone is never made to wait.
func (w *writer) gather(first *job) {
	w.batch = append(w.batch[:0], first)
	for turn := 0; turn < gatherTurns; turn++ {
		before := len(w.batch)
		for len(w.batch) < batchLength {
			select {
			case j := <-w.store.jobs:
				w.batch = append(w.batch, j)
				continue
			default:
			}
			break
		}
		if len(w.batch) >= batchLength || turn > 0 && len(w.batch) == before {
			return
		}
		runtime.Gosched()
	}
}

// batched reports whether the job shares its transaction with others.
func (j *job) batched() bool { return j.settlement != nil || j.part != nil }

// work answers every job of the batch: runs of settlements and parts share a
// transaction, a change has one of its own, in the order they came.
func (w *writer) work() {
	for from := 0; from < len(w.batch); {
		to := from
		for to < len(w.batch) && w.batch[to].batched() {
			to++
		}
		switch j := w.batch[from]; {
		case to > from:
			w.settle(w.batch[from:to])
		case j.turn != nil:
			j.turn(w)
			to++
		default:
			w.change(j)
			to++
		}
		for _, j := range w.batch[from:to] {
			j.done <- struct{}{}
		}
		from = to
	}
	clear(w.batch)
}

func (w *writer) change(j *job) {
	j.err = w.conn.transaction(func() error {
		if err := w.refresh(); err != nil {
			return err
		}
		return j.change(w.conn)
	})
	switch {
	case j.only != "":
		w.store.accounts.drop(j.only)
	case j.err == nil && len(j.people) > 0:
		for _, p := range j.people {
			delete(w.generation, p.ID)
			w.store.accounts.drop(p.Name)
		}
		w.store.epoch.Add(1)
		w.stale = true
	case j.aside:
		for _, id := range j.ended {
			w.store.tickets.drop(id)
		}
		w.stale = true
	default:
		// A change may raise generations and book; what was read is read again.
		w.forget()
		w.stale = true
	}
	w.note(j.err)
}

func (w *writer) forget() {
	clear(w.generation)
	w.store.accounts.clear()
	w.store.tickets.clear()
	w.store.epoch.Add(1)
}

// settle commits the batch; where that fails, each of its jobs alone, so that
// one broken record can't keep the others from being written. A lock that
// another process holds is not waited for again by each.
func (w *writer) settle(batch []*job) {
	err := w.commit(batch)
	if err == nil {
		w.note(nil)
		return
	}
	alone := len(batch) > 1
	for _, j := range batch {
		if alone = alone && !isBusy(err); alone {
			err = w.commit([]*job{j})
		}
		j.err = err
		if j.err != nil && !isStoreError(j.err) {
			j.err = errors.Join(ErrRecord, j.err)
		}
		w.note(j.err)
	}
}

func (w *writer) commit(batch []*job) error {
	err := w.conn.transaction(func() error {
		if err := w.refresh(); err != nil {
			return err
		}
		for _, j := range batch {
			if err := w.one(j); err != nil {
				return err
			}
		}
		return w.flush()
	})
	if err != nil {
		w.reset()
		return err
	}
	for _, j := range batch {
		w.committed(j)
	}
	return nil
}

// note remembers whether the store can be written, for Alive. A fault of one
// record shows neither.
func (w *writer) note(err error) {
	switch {
	case err == nil:
		w.store.sick.Store(false)
		w.store.dirty.Store(true)
	case isStoreError(err):
		w.store.sick.Store(true)
	}
}

// refresh forgets what was remembered when another process has written. It
// runs inside the transaction, where nobody else can.
func (w *writer) refresh() error {
	now, err := w.conn.one("PRAGMA data_version")
	if err != nil {
		return err
	}
	foreign := w.generation == nil || now != w.version
	if !foreign && !w.stale {
		return nil
	}
	err = w.conn.each("SELECT event, ticket FROM sequence", func(row []driver.Value) error {
		w.event, w.ticket = row[0].(int64), row[1].(int64)
		return nil
	})
	if err != nil {
		return err
	}
	accepted, err := w.conn.one("SELECT coalesce(max(value), 0) FROM meta WHERE name = 'clock_accepted'")
	if err != nil {
		return err
	}
	if foreign || accepted != w.accepted {
		newest, err := w.newest(accepted)
		if err != nil {
			return err
		}
		w.accepted = accepted
		w.store.newest.Store(newest)
	}
	if w.generation == nil {
		w.generation = make(map[int64]int64)
		w.floods = make(map[string]flood)
	}
	w.version, w.stale = now, false
	if foreign {
		w.forget()
	}
	return nil
}

// newest reads the newest booked time since the clock was last accepted. Few
// rows suffice: events are booked nearly in the order of time.
func (w *writer) newest(accepted int64) (int64, error) {
	return w.conn.one("SELECT max(at) FROM (SELECT at FROM event WHERE id >= ?1 ORDER BY id DESC LIMIT 2048)", accepted)
}

func (w *writer) housekeep() {
	s := w.store
	if s.opt.Reserve > 0 {
		s.scarce.Store(free(s.file) < s.opt.Reserve)
	}
	if s.sick.Load() && free(s.file) < probeSpace {
		// One page would find room in the log where a settlement does not:
		// nothing shows that writing works again.
		return
	}
	due := w.due()
	var work bool
	err := w.conn.transaction(func() error {
		if err := w.refresh(); err != nil {
			return err
		}
		if s.sick.Load() {
			// Shows whether writing works again.
			if _, err := w.conn.exec("UPDATE sequence SET event = event"); err != nil {
				return err
			}
		}
		var err error
		if work, err = w.file(); err != nil {
			return err
		}
		pruned, err := w.prune()
		if err != nil {
			return err
		}
		work = work || pruned
		return w.use(due)
	})
	if err == nil {
		w.uses.left = w.uses.left[len(due):]
	}
	if work || len(due) > 0 || err != nil || s.sick.Load() {
		w.note(err)
	}
	if info, err := os.Stat(s.file + "-wal"); err == nil && info.Size() > walLimit {
		w.conn.pragma("busy_timeout=200") // a long read must not stop sign-ins
		// The file keeps its length otherwise, and each turn would come here.
		w.conn.pragma("wal_checkpoint(TRUNCATE)")
		w.conn.pragma("busy_timeout=10000")
	}
}

// free is the disk space left beside file, in octets; a file system that
// can't tell has enough.
func free(file string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(file, &st); err != nil {
		return 1 << 62
	}
	return int64(st.Bavail) * st.Bsize
}
