package ldapproxy

import (
	"sync"
	"time"
)

// tallied is how many a second are taken.
const tallied = 10

// tally bounds what strangers can have done for them each second.
type tally struct {
	mu     sync.Mutex
	second int64
	n      int
}

// take counts one, and reports whether that is not too many.
func (t *tally) take(at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if second := at.Unix(); second != t.second {
		t.second, t.n = second, 0
	}
	t.n++
	return t.n <= tallied
}
