package ldapproxy

import (
	"maps"
	"strings"
	"sync"
	"time"

	"sekisho/gate"
	"sekisho/internal/histogram"
)

// evidence is an [Insight] while it is gathered.
type evidence struct {
	mu   sync.Mutex
	seen Insight // without what follows
	runs runs
	took histogram.Durations // at the directory behind
}

func newEvidence(since time.Time) *evidence {
	e := &evidence{seen: Insight{Since: since}, runs: newRuns()}
	for _, m := range e.counts(&e.seen) {
		*m = make(map[string]Seen)
	}
	return e
}

// counts are what is counted by name.
func (*evidence) counts(i *Insight) []*map[string]Seen {
	return []*map[string]Seen{&i.Outcomes, &i.Reasons, &i.TLS, &i.Names, &i.Controls, &i.Operations}
}

func count(m map[string]Seen, what string, now time.Time) {
	s := m[what]
	s.add(now)
	m[what] = s
}

// bind notes a bind that was judged. fresh tells that it is the first of its
// connection for this application.
func (e *evidence) bind(k *credential, v *verdict, tls string, fresh bool) (again bool) {
	now := k.came
	e.mu.Lock()
	defer e.mu.Unlock()
	i := &e.seen
	if fresh {
		i.Connections.add(now)
	}
	i.Binds.add(now)
	i.Hours.turn(now)
	i.Hours.Count++
	count(i.Outcomes, string(v.outcome), now)
	count(i.TLS, tls, now)
	if k.upstream != "" || k.upstreamFailed {
		e.asked(k, now)
	}
	why := v.answer.Reason
	if why != "" && v.answer.Outcome != gate.Admitted {
		count(i.Reasons, why, now)
	}
	if why == "" || why == string(gate.FaultServiceAccount) { // no person's
		return false
	}
	count(i.Names, formOf(k.name), now)
	if k.cut {
		i.Codes.add(now)
	}
	return e.runs.bind(k.name, v.outcome.success(), now)
}

// asked notes what the directory behind made of a bind.
func (e *evidence) asked(k *credential, now time.Time) {
	up := &e.seen.Upstream
	if k.upstreamFailed {
		up.Failed.add(now)
		return
	}
	e.took.Add(k.upstreamTook)
	up.Binds++
	if ms := milliseconds(k.upstreamTook); ms >= up.Slowest.Took {
		up.Slowest = Slowest{ms, k.upstream, now}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// maxOIDs is how many names of controls and operations are kept.
const maxOIDs = 32

// missed notes what a client wanted and there is not. Its name is the client's.
func (e *evidence) missed(operation bool, oid string, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.seen.Controls
	if operation {
		m = e.seen.Operations
	}
	if _, known := m[oid]; !known && (len(m) >= maxOIDs || len(oid) > 64 || strings.Trim(oid, "0123456789.") != "") {
		oid = "others"
	}
	count(m, oid, now)
}

// tell is what was seen until now.
func (e *evidence) tell(now time.Time) Insight {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen.Hours.turn(now)
	i := e.seen
	for _, m := range e.counts(&i) {
		if *m = maps.Clone(*m); len(*m) == 0 {
			*m = nil // as it comes back from JSON
		}
	}
	i.At, i.Rebinds = now, e.runs.tell(now)
	i.Upstream.Counts = e.took.Tell()
	i.Upstream.P50 = milliseconds(histogram.Quantile(i.Upstream.Counts, .50, 0))
	i.Upstream.P99 = milliseconds(histogram.Quantile(i.Upstream.Counts, .99, 0))
	return i
}

// recall adds what was told once.
func (e *evidence) recall(kept *Insight) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := &e.seen
	if !kept.Since.IsZero() && kept.Since.Before(i.Since) {
		i.Since = kept.Since
	}
	i.Connections.recall(kept.Connections)
	i.Binds.recall(kept.Binds)
	i.Codes.recall(kept.Codes)
	mine, theirs := e.counts(i), e.counts(kept)
	for n := range mine {
		for what, s := range *theirs[n] {
			here := (*mine[n])[what]
			here.recall(s)
			(*mine[n])[what] = here
		}
	}
	if i.Hours.Began.Before(kept.Hours.Began) {
		i.Hours = kept.Hours
	} else if kept.Hours.Began.Equal(i.Hours.Began) {
		i.Hours.Count += kept.Hours.Count
		i.Hours.Before, i.Hours.Most, i.Hours.Busiest = kept.Hours.Before, kept.Hours.Most, kept.Hours.Busiest
	}
	e.runs.recall(kept.Rebinds)
	i.Upstream.Binds += kept.Upstream.Binds
	i.Upstream.Failed.recall(kept.Upstream.Failed)
	if kept.Upstream.Slowest.Took > i.Upstream.Slowest.Took {
		i.Upstream.Slowest = kept.Upstream.Slowest
	}
	e.took.Recall(kept.Upstream.Counts)
}

// formOf is the form in which a bind names somebody.
func formOf(name string) string {
	switch {
	case strings.Contains(name, "="):
		return "dn"
	case strings.Contains(name, `\`):
		return "domain"
	case strings.Contains(name, "@"):
		return "upn"
	}
	return "bare"
}
