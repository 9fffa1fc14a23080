package gate

import (
	"bytes"
	"context"
	"sync"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/otp"
	"sekisho/internal/reason"
	"sekisho/internal/recent"
	"sekisho/internal/store"
)

const (
	afterQueue = 64
	knownCodes = 10 // wrong codes behind the right password, before it is told
	slipsLast  = 24 * time.Hour
	tellAgain  = 24 * time.Hour
)

// afterwards judges, on idle workers and after the answer has left, what the
// answer must not depend on: whether the password before a wrong code was
// right, and whether a wrong password is the one from before. Both are for
// the help desk; what the queue can't hold is dropped.
type afterwards struct {
	gate *Gate
	jobs chan afterward
	end  context.CancelFunc
	done sync.WaitGroup

	slips recent.Map[version, slips]
	told  recent.Map[string, time.Time]
}

// version is a person as long as nothing about the account changes.
type version struct{ person, generation int64 }

// slips counts wrong codes behind the right password. After a day without one
// they are forgotten: people mistype a code now and then.
type slips struct {
	n    int
	last time.Time
}

type afterward struct {
	account  *store.Account
	event    store.Event
	password []byte
	stale    bool // compare with the previous password
}

func (w *afterwards) start(g *Gate) {
	ctx, cancel := context.WithCancel(context.Background())
	w.gate, w.end = g, cancel
	w.jobs = make(chan afterward, afterQueue)
	w.done.Add(1)
	go func() {
		defer w.done.Done()
		for {
			select {
			case j := <-w.jobs:
				w.judge(ctx, j)
				clear(j.password)
			case <-ctx.Done():
				return
			}
		}
	}()
}

func (w *afterwards) close() {
	if w.end != nil {
		w.end()
		w.done.Wait()
	}
}

// wrongCode has the password before an unmatched code judged.
func (w *afterwards) wrongCode(a *attempt) {
	for _, t := range a.account.Tokens {
		password := a.r.Password
		if a.r.Code == nil {
			var ok bool
			if password, _, ok = otp.Split(a.r.Password, t.Digits, a.r.Separator); !ok {
				continue
			}
		}
		if len(password) == 0 {
			return // a ticket lent it
		}
		w.put(afterward{account: a.account, event: a.event, password: password})
		return
	}
}

// wrongPassword has a wrong password compared with the one from before.
func (w *afterwards) wrongPassword(a *attempt, password []byte) {
	if a.account.Previous != "" {
		w.put(afterward{account: a.account, event: a.event, password: password, stale: true})
	}
}

// put puts aside what can be judged here. A directory behind would count it.
func (w *afterwards) put(j afterward) {
	if j.account.Upstream != "" {
		return
	}
	j.password = bytes.Clone(j.password)
	select {
	case w.jobs <- j:
	default:
		clear(j.password)
	}
}

func (w *afterwards) judge(ctx context.Context, j afterward) {
	account := *j.account
	if j.stale {
		account.Hash = account.Previous
	}
	v, err := w.gate.Directory.CheckPassword(ctx, &account, j.password, directory.Idle)
	if err != nil || !v.Proved() {
		return
	}
	who := version{account.ID, account.Generation}
	why, key := reason.StalePassword, "stale "+account.Name+" "+j.event.Source
	if !j.stale {
		s, _ := w.slips.Get(who)
		if j.event.At.Sub(s.last) > slipsLast {
			s.n = 0
		}
		s = slips{s.n + 1, j.event.At}
		w.slips.Put(who, s)
		if s.n < knownCodes {
			return
		}
		why, key = reason.PasswordKnown, "known "+account.Name
	}
	if at, ok := w.told.Get(key); ok && j.event.At.Sub(at) < tellAgain {
		return
	}
	w.told.Put(key, j.event.At)
	w.slips.Delete(who)
	j.event.Outcome, j.event.Reason = "noticed", string(why)
	j.event.At = w.gate.Now()
	if err := w.gate.Store.Book(ctx, j.event); err != nil {
		w.gate.Log.Error("a notice for the help desk was not booked", "person", account.Name, "reason", string(why), "error", err)
	}
}
