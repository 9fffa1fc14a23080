package gate

import (
	"sync"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/recent"
	"sekisho/internal/store"
)

// tales are what the book was told of already. After a restart it may be told
// again.
type tales struct {
	mu     sync.Mutex
	recent recent.Map[tale, struct{}]
}

// tale is told once of a session or, where it says more, of a record or an
// answer.
type tale struct {
	store.SessionKey
	why    reason.Code
	status AccountingStatus
	answer string
	event  int64 // µs; or the hour, of what is told once in each
}

func hour(at time.Time) int64 { return at.Unix() / 3600 }

func (r *record) tale(why reason.Code) tale { return tale{SessionKey: r.key(), why: why} }

func (r *record) key() store.SessionKey {
	return store.SessionKey{Client: r.Client, NAS: r.NAS, Name: r.Session}
}

func (t *tales) told(what tale) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.recent.Get(what)
	return ok
}

func (t *tales) tell(what tale) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent.Put(what, struct{}{})
}
