package gate

import (
	"context"
	"hash/maphash"
	"sync"
)

// waiters is how many equal attempts wait for one in work. A repeat has few;
// more would only keep the door's workers.
const waiters = 4

// joins lets equal attempts, which come while the first is in work, wait for
// it: afterwards they are repeats of it and need not race.
type joins struct {
	once sync.Once
	seed maphash.Seed

	mu sync.Mutex
	in map[uint64]*join
}

type join struct {
	turn chan struct{} // holds a token while nobody has the turn
	in   int           // has the turn, or waits for it
}

// enter waits for the turn. An attempt without a known source joins nothing:
// it can't be a repeat. Where enough wait already it goes without a turn, and
// races: the store lets one win. Of a client whose sign-ins recur all wait:
// they mostly are answered from memory, and at once they would look like
// guesses.
func (j *joins) enter(ctx context.Context, a *attempt) (release func(), err error) {
	if a.source == "" {
		return func() {}, nil
	}
	key := j.key(a)
	j.mu.Lock()
	if j.in == nil {
		j.in = make(map[uint64]*join)
	}
	mine := j.in[key]
	if mine == nil {
		mine = &join{turn: make(chan struct{}, 1)}
		mine.turn <- struct{}{}
		j.in[key] = mine
	}
	if mine.in > waiters && !a.r.Recurs {
		j.mu.Unlock()
		return func() {}, nil
	}
	mine.in++
	j.mu.Unlock()

	leave := func() {
		j.mu.Lock()
		if mine.in--; mine.in == 0 {
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

// key equals for attempts that may be repeats of each other. Two others that
// happen to have the same would only wait for each other.
func (j *joins) key(a *attempt) uint64 {
	j.once.Do(func() { j.seed = maphash.MakeSeed() })
	var h maphash.Hash
	h.SetSeed(j.seed)
	for _, part := range []string{a.name, a.r.Door, a.r.Service, a.r.Client, a.source} {
		h.WriteString(part)
		h.WriteByte(0)
	}
	h.Write(a.r.Password)
	h.WriteByte(0)
	h.Write(a.r.Code)
	return h.Sum64()
}
