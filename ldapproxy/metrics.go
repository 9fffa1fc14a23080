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
}

// newMetrics registers them; with a nil registerer they only count.
func newMetrics(r prometheus.Registerer) *metrics {
	make := promauto.With(r)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return make.NewCounterVec(prometheus.CounterOpts{Namespace: "sekisho", Subsystem: "ldap", Name: name, Help: help}, labels)
	}
	return &metrics{
		connections: make.NewGauge(prometheus.GaugeOpts{
			Namespace: "sekisho", Subsystem: "ldap", Name: "connections", Help: "Connections that are open.",
		}),
		binds: counter("binds_total", "Binds, by application, outcome and whether TLS was up.", "app", "outcome", "tls"),
		took: make.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "sekisho", Subsystem: "ldap", Name: "judge_seconds",
			Help:    "From the arrival of a bind to its judgement, without the delay of refusals.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"app"}),
		operations:  counter("operations_total", "Requests answered, by operation and result code.", "op", "code"),
		disconnects: counter("disconnects_total", "Connections that ended, by reason.", "reason"),
	}
}

// opNames name the operations that have a response.
var opNames = map[byte]string{
	wire.OpBind: "bind", wire.OpSearch: "search", wire.OpCompare: "compare", wire.OpExtended: "extended",
	wire.OpModify: "modify", wire.OpAdd: "add", wire.OpDelete: "delete", wire.OpModifyDN: "modify_dn",
}

func (m *metrics) operation(op byte, code int) {
	m.operations.WithLabelValues(opNames[op], strconv.Itoa(code)).Inc()
}
