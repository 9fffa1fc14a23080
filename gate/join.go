package gate

import (
	"context"
	"sync"
)

// joins lets equal attempts, which come while the first is in work, wait for
// it: afterwards they are repeats of it and need not race.
type joins struct {
	mu sync.Mutex
	in map[string]*join
}

type join struct {
	turn    chan struct{} // holds a token while nobody has the turn
	waiting int
}

// enter waits for the turn. An attempt without a known source joins nothing:
// it can't be a repeat.
func (j *joins) enter(ctx context.Context, a *attempt) (release func(), err error) {
	key := a.joinKey()
	if key == "" {
		return func() {}, nil
	}
	j.mu.Lock()
	if j.in == nil {
		j.in = make(map[string]*join)
	}
	mine := j.in[key]
	if mine == nil {
		mine = &join{turn: make(chan struct{}, 1)}
		mine.turn <- struct{}{}
		j.in[key] = mine
	}
	mine.waiting++
	j.mu.Unlock()

	leave := func() {
		j.mu.Lock()
		if mine.waiting--; mine.waiting == 0 {
			delete(j.in, key)
		}
		j.mu.Unlock()
	}
	select {
	case <-mine.turn:
		return func() { mine.turn <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
