package radiusd

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/gate"
	"sekisho/internal/histogram"
)

// evidence is a [Readiness] while it is gathered. Each packet counts here, so
// it has no lock but for what is rare.
type evidence struct {
	seen     atomic.Int64 // Unix nanoseconds; 0: never
	requests tally
	methods  map[string]*tally // by kind of credential; all are there from the start

	withMAC, withoutMAC         tally
	proxied                     tally
	mismatches, retransmissions tally
	address, otherStation       tally
	noStation                   tally
	accepts, rejects            tally
	challenges, continued       tally
	took                        histogram.Durations
	records, classes, interims  tally
	behind                      tally

	mu        sync.Mutex
	since     time.Time
	machine   string // as it last told of itself
	result    string // of the last Disconnect-Request
	resultAt  time.Time
	interval  time.Duration
	watched   string    // the session by whose Interim-Updates the interval is taken
	lastEvent time.Time // of that
}

func newEvidence(since time.Time) *evidence {
	e := &evidence{since: since, methods: make(map[string]*tally)}
	for m := range (methodPAP | methodCHAP | methodMSCHAP | methodEAP) + 1 {
		e.methods[m.label()] = new(tally)
	}
	return e
}

// tally is a [Tally] while it is counted.
type tally struct {
	count atomic.Uint64
	last  atomic.Int64 // Unix nanoseconds; 0: never
}

func (t *tally) add(now time.Time) {
	t.count.Add(1)
	t.last.Store(now.UnixNano())
}

func (t *tally) tell() Tally {
	return Tally{Count: t.count.Load(), Last: instant(t.last.Load())}
}

func (t *tally) recall(kept Tally) {
	t.count.Add(kept.Count)
	later(&t.last, kept.Last)
}

// instant is the time of Unix nanoseconds, of which 0 stands for never.
func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// later moves the time on, if t is later.
func later(at *atomic.Int64, t time.Time) {
	for !t.IsZero() {
		now := at.Load()
		if now >= t.UnixNano() || at.CompareAndSwap(now, t.UnixNano()) {
			return
		}
	}
}

// saw notes a packet of whatever kind that is believed to be the client's.
func (e *evidence) saw(now time.Time) { e.seen.Store(now.UnixNano()) }

// request notes a new Access-Request.
func (e *evidence) request(o *outline, now time.Time) {
	e.requests.add(now)
	e.methods[o.method.label()].add(now)
	if o.mac != 0 {
		e.withMAC.add(now)
	} else {
		e.withoutMAC.add(now)
	}
	if o.proxied {
		e.proxied.add(now)
	}
	if o.continues {
		e.continued.add(now)
	}
}

// dropped notes a packet that gets no answer, if that says something about
// the client.
func (e *evidence) dropped(why drop, now time.Time) {
	switch why {
	case dropSecret:
		e.mismatches.add(now)
	case dropMACMissing, dropProxyState, dropEAP, dropNothing:
		e.withoutMAC.add(now)
	case dropInWork:
		e.again(now)
	}
}

// again notes a retransmission.
func (e *evidence) again(now time.Time) { e.retransmissions.add(now) }

// told notes where a request says that the person is.
func (e *evidence) told(s *gate.Source, now time.Time) {
	switch {
	case s.Addr.IsValid():
		e.address.add(now)
	case s.Label != "":
		e.otherStation.add(now)
	default:
		e.noStation.add(now)
	}
}

// judged notes what became of a request, and how long that took.
func (e *evidence) judged(o gate.Outcome, took time.Duration, now time.Time) {
	e.took.Add(took)
	switch o {
	case gate.Admitted:
		e.accepts.add(now)
	case gate.Challenged:
		e.challenges.add(now)
	default:
		e.rejects.add(now)
	}
}

// record notes an Accounting-Request that is durable.
func (e *evidence) record(a *gate.Accounting, now time.Time) {
	switch a.Status {
	case gate.AccountingOn, gate.AccountingOff: // of no session
		return
	case gate.AccountingInterim:
		e.interims.add(now)
	}
	e.records.add(now)
	if a.Behind() > 0 {
		e.behind.add(now)
	}
	if len(a.Class) > 0 {
		e.classes.add(now)
	}
	e.watch(a)
}

// watchFor is how long a session that tells nothing more is waited for.
const watchFor = 2 * time.Hour

// watch takes the time between the Interim-Updates of one session; when that
// is over, of another.
func (e *evidence) watch(a *gate.Accounting) {
	e.mu.Lock()
	defer e.mu.Unlock()
	session, passed := a.NAS+"\x00"+a.Session, a.Event.Sub(e.lastEvent)
	switch {
	case session == e.watched && a.Status == gate.AccountingStop:
		e.watched = ""
	case a.Status != gate.AccountingInterim:
	case session == e.watched && passed >= time.Second: // less is the same one told again
		e.interval, e.lastEvent = passed, a.Event
	case e.watched == "" || passed > watchFor:
		e.watched, e.lastEvent = session, a.Event
	}
}

// called notes how a client that is one machine calls itself.
func (e *evidence) called(machine string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.machine = cmp.Or(machine, e.machine)
}

// calls is how the client calls itself; "": it did not tell yet.
func (e *evidence) calls() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machine
}

// disconnected notes what became of an order to end or change a session.
func (e *evidence) disconnected(result string, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.result, e.resultAt = result, now
}

// tell is what was seen until now.
func (e *evidence) tell(now time.Time) Readiness {
	r := Readiness{At: now, LastSeen: instant(e.seen.Load()), Methods: make(map[string]Tally)}
	e.each(&r, func(t *tally, told *Tally) { *told = t.tell() })
	r.Latency.Counts = e.took.Tell()
	r.Latency.P50, r.Latency.P99 = milliseconds(r.Latency.Counts, .50), milliseconds(r.Latency.Counts, .99)

	e.mu.Lock()
	defer e.mu.Unlock()
	r.Since, r.Machine = e.since, e.machine
	r.Accounting.Interval = e.interval.Seconds()
	r.Disconnect.Result, r.Disconnect.At = e.result, e.resultAt
	return r
}

// milliseconds within which this share of requests was judged.
func milliseconds(counts []uint64, share float64) float64 {
	return float64(histogram.Quantile(counts, share, 0)) / float64(time.Millisecond)
}

// recall adds what was told once.
func (e *evidence) recall(r *Readiness) {
	later(&e.seen, r.LastSeen)
	e.each(r, func(t *tally, told *Tally) { t.recall(*told) })
	e.took.Recall(r.Latency.Counts)

	e.mu.Lock()
	defer e.mu.Unlock()
	if !r.Since.IsZero() && r.Since.Before(e.since) {
		e.since = r.Since
	}
	e.machine = cmp.Or(e.machine, r.Machine)
	if e.interval == 0 {
		e.interval = time.Duration(r.Accounting.Interval * float64(time.Second))
	}
	if e.resultAt.Before(r.Disconnect.At) {
		e.result, e.resultAt = r.Disconnect.Result, r.Disconnect.At
	}
}

// each pairs what is counted with where it is told.
func (e *evidence) each(r *Readiness, do func(*tally, *Tally)) {
	do(&e.requests, &r.Requests)
	do(&e.withMAC, &r.MessageAuthenticator.With)
	do(&e.withoutMAC, &r.MessageAuthenticator.Without)
	do(&e.proxied, &r.ProxyState)
	do(&e.mismatches, &r.SecretMismatches)
	do(&e.retransmissions, &r.Retransmissions)
	do(&e.address, &r.Station.Address)
	do(&e.otherStation, &r.Station.Other)
	do(&e.noStation, &r.Station.None)
	do(&e.accepts, &r.Accepts)
	do(&e.rejects, &r.Rejects)
	do(&e.challenges, &r.Challenges)
	do(&e.continued, &r.Continued)
	do(&e.records, &r.Accounting.Records)
	do(&e.classes, &r.Accounting.Class)
	do(&e.interims, &r.Accounting.Interims)
	do(&e.behind, &r.Accounting.Behind)
	for label, t := range e.methods {
		told := r.Methods[label]
		if do(t, &told); told.Count > 0 {
			r.Methods[label] = told
		}
	}
}
