package insight

import (
	"maps"
	"strings"
	"sync"
	"time"

	"sekisho/gate"
	"sekisho/internal/histogram"
)

// Evidence is an [App] while it is gathered. It is made by an [Archive].
type Evidence struct {
	mu   sync.Mutex
	seen App // without what follows
	runs runs
	took histogram.Durations // at the directory behind
}

func newEvidence(since time.Time) *Evidence {
	e := &Evidence{seen: App{Since: since}, runs: newRuns()}
	for _, m := range e.counts(&e.seen) {
		*m = make(map[string]Seen)
	}
	return e
}

// counts are what is counted by name.
func (*Evidence) counts(a *App) []*map[string]Seen {
	return []*map[string]Seen{&a.Outcomes, &a.Reasons, &a.TLS, &a.Names, &a.Controls, &a.Operations}
}

func count(m map[string]Seen, what string, now time.Time) {
	s := m[what]
	s.add(now)
	m[what] = s
}

// Bind is one that was judged.
type Bind struct {
	At      time.Time
	First   bool   // of its connection, for this application
	Name    string // as the client wrote it; it is not kept
	Outcome string
	Success bool
	Reason  string // of the gate's decision, or a [gate.Fault]; "": nothing was decided
	Refused bool   // by that decision, or would be where it is only observed
	Cut     bool   // a code was cut off before the directory behind was asked
	TLS     string // its version, or NoTLS

	// Of the bind at the directory behind. The zero values: there was none.
	Server string
	Took   time.Duration
	Failed bool // there was no answer, or no room
}

// Bind notes a bind, and reports whether it is one more of a sign-in.
func (e *Evidence) Bind(b Bind) (again bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := &e.seen
	if b.First {
		a.Connections.add(b.At)
	}
	a.Binds.add(b.At)
	a.Hours.turn(b.At)
	a.Hours.Count++
	count(a.Outcomes, b.Outcome, b.At)
	count(a.TLS, b.TLS, b.At)
	e.behind(b)
	if b.Refused {
		count(a.Reasons, b.Reason, b.At)
	}
	if b.Reason == "" || b.Reason == string(gate.FaultServiceAccount) { // no person's
		return false
	}
	count(a.Names, formOf(b.Name), b.At)
	if b.Cut {
		a.Codes.add(b.At)
	}
	return e.runs.bind(b.Name, b.Success, b.At)
}

// behind notes what the directory behind made of a bind.
func (e *Evidence) behind(b Bind) {
	up := &e.seen.Upstream
	switch {
	case b.Failed:
		up.Failed.add(b.At)
	case b.Server != "":
		e.took.Add(b.Took)
		up.Binds++
		if ms := milliseconds(b.Took); ms >= up.Slowest.Took {
			up.Slowest = Slowest{ms, b.Server, b.At}
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// maxOIDs is how many names of controls and operations are kept.
const maxOIDs = 32

// MissedControl notes a critical control that is not served. Its OID is what the
// client wrote.
func (e *Evidence) MissedControl(oid string, now time.Time) { e.missed(e.seen.Controls, oid, now) }

// MissedOperation notes an extended operation that is not served.
func (e *Evidence) MissedOperation(oid string, now time.Time) { e.missed(e.seen.Operations, oid, now) }

func (e *Evidence) missed(m map[string]Seen, oid string, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, known := m[oid]; !known && (len(m) >= maxOIDs || len(oid) > 64 || strings.Trim(oid, "0123456789.") != "") {
		oid = "others"
	}
	count(m, oid, now)
}

// Tell is what was seen until now, without Name and Settings.
func (e *Evidence) Tell(now time.Time) App {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen.Hours.turn(now)
	a := e.seen
	for _, m := range e.counts(&a) {
		if *m = maps.Clone(*m); len(*m) == 0 {
			*m = nil // as it comes back from JSON
		}
	}
	a.At, a.Rebinds = now, e.runs.tell(now)
	a.Upstream.Counts = e.took.Tell()
	a.Upstream.P50 = milliseconds(histogram.Quantile(a.Upstream.Counts, .50, 0))
	a.Upstream.P99 = milliseconds(histogram.Quantile(a.Upstream.Counts, .99, 0))
	return a
}

// Recall adds what was told once.
func (e *Evidence) Recall(kept *App) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := &e.seen
	if !kept.Since.IsZero() && kept.Since.Before(a.Since) {
		a.Since = kept.Since
	}
	a.Connections.recall(kept.Connections)
	a.Binds.recall(kept.Binds)
	a.Codes.recall(kept.Codes)
	mine, theirs := e.counts(a), e.counts(kept)
	for n := range mine {
		for what, s := range *theirs[n] {
			here := (*mine[n])[what]
			here.recall(s)
			(*mine[n])[what] = here
		}
	}
	if a.Hours.Began.Before(kept.Hours.Began) {
		a.Hours = kept.Hours
	} else if kept.Hours.Began.Equal(a.Hours.Began) {
		a.Hours.Count += kept.Hours.Count
		a.Hours.Before, a.Hours.Most, a.Hours.Busiest = kept.Hours.Before, kept.Hours.Most, kept.Hours.Busiest
	}
	e.runs.recall(kept.Rebinds)
	a.Upstream.Binds += kept.Upstream.Binds
	a.Upstream.Failed.recall(kept.Upstream.Failed)
	if kept.Upstream.Slowest.Took > a.Upstream.Slowest.Took {
		a.Upstream.Slowest = kept.Upstream.Slowest
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
