package insight

import (
	"sync"
	"time"
)

// Archive keeps the evidence of all applications, by name: a change of the
// configuration does not begin it anew. Its zero value is ready, and its methods
// may be called by anybody.
type Archive struct {
	mu   sync.Mutex
	apps map[string]*Evidence
}

// Of is the evidence of an application, which begins now if there is none yet.
func (a *Archive) Of(app string, now time.Time) *Evidence {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.apps == nil {
		a.apps = make(map[string]*Evidence)
	}
	e := a.apps[app]
	if e == nil {
		e = newEvidence(now)
		a.apps[app] = e
	}
	return e
}
