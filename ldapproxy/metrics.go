package ldapproxy

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"sekisho/ldapproxy/wire"
)

// metrics are the server's counters. Whether a bind came through TLS is
// counted so that it can be seen what would break before clear text is
// refused.
type metrics struct {
	connections prometheus.Gauge
	binds       *prometheus.CounterVec
	took        *prometheus.HistogramVec
	operations  *prometheus.CounterVec
	disconnects *prometheus.CounterVec

	// Of applications.
	refusals       *prometheus.CounterVec
	again          *prometheus.CounterVec
	upstreamTook   *prometheus.HistogramVec
	upstreamFailed *prometheus.CounterVec
}

// newMetrics registers them; with a nil registerer they only count.
func newMetrics(r prometheus.Registerer) *metrics {
	make := promauto.With(r)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return make.NewCounterVec(prometheus.CounterOpts{Namespace: "sekisho", Subsystem: "ldap", Name: name, Help: help}, labels)
	}
	seconds := func(name, help string) *prometheus.HistogramVec {
		return make.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "sekisho", Subsystem: "ldap", Name: name, Help: help,
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"app"})
	}
	return &metrics{
		connections: make.NewGauge(prometheus.GaugeOpts{
			Namespace: "sekisho", Subsystem: "ldap", Name: "connections", Help: "Connections that are open.",
		}),
		binds:       counter("binds_total", "Binds, by application, outcome and whether TLS was up.", "app", "outcome", "tls"),
		took:        seconds("judge_seconds", "From the arrival of a bind to its judgement, without the delay of refusals."),
		operations:  counter("operations_total", "Requests, by operation and result code, or passed on.", "op", "code"),
		disconnects: counter("disconnects_total", "Connections that ended, by reason.", "reason"),

		refusals:       counter("app_refusals_total", "Binds that were refused, or would have been where it is only observed, by reason.", "app", "reason"),
		again:          counter("app_binds_again_total", "Binds of a person within ten minutes of the one before.", "app"),
		upstreamTook:   seconds("app_upstream_seconds", "What binds took at the directory behind."),
		upstreamFailed: counter("app_upstream_failed_total", "Binds that the directory behind has not answered.", "app"),
	}
}

// opNames name the operations that have a response.
var opNames = map[byte]string{
	wire.OpBind: "bind", wire.OpSearch: "search", wire.OpCompare: "compare", wire.OpExtended: "extended",
	wire.OpModify: "modify", wire.OpAdd: "add", wire.OpDelete: "delete", wire.OpModifyDN: "modify_dn",
}

// passed counts a request that the directory behind answers.
func (m *metrics) passed(op byte) {
	m.operations.WithLabelValues(opNames[op], "passed").Inc()
}

func (m *metrics) operation(op byte, code int) {
	m.operations.WithLabelValues(opNames[op], strconv.Itoa(code)).Inc()
}
