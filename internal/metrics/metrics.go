// Package metrics counts what the program did, for Prometheus.
//
// A counter is made once, at start, and handed to whoever counts: there is no
// global registry. Names begin with sekisho_, labels come from closed lists,
// so their number is bounded.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// New makes a registry with what Go and the process tell of themselves.
func New() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Handler serves the registry as /metrics does.
func Handler(r *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// Gauge makes a value that is read when somebody asks.
func Gauge(r prometheus.Registerer, name, help string, value func() float64) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Decisions counts what the gate decided. The nil Decisions counts nothing.
type Decisions struct {
	decisions *prometheus.CounterVec
	errors    *prometheus.CounterVec
}

// NewDecisions registers the counters.
func NewDecisions(r prometheus.Registerer) *Decisions {
	d := &Decisions{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sekisho_decisions_total",
			Help: "Sign-ins judged, by door, service, outcome and reason.",
		}, []string{"door", "service", "outcome", "reason"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sekisho_not_judged_total",
			Help: "Sign-ins that could not be judged, by door: the store, the directory or the hash queue failed.",
		}, []string{"door"}),
	}
	r.MustRegister(d.decisions, d.errors)
	return d
}

// Count counts one decision.
func (d *Decisions) Count(door, service, outcome, reason string) {
	if d != nil {
		d.decisions.WithLabelValues(door, service, outcome, reason).Inc()
	}
}

// Error counts one sign-in that could not be judged.
func (d *Decisions) Error(door string) {
	if d != nil {
		d.errors.WithLabelValues(door).Inc()
	}
}
