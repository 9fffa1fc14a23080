package radiusd

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"layeh.com/radius"
)

// metrics are the server's counters. A client's method and whether it sends
// Message-Authenticator and Proxy-State are counted so that it can be seen
// what would break before the server is made stricter.
type metrics struct {
	dropped       *prometheus.CounterVec
	replies       *prometheus.CounterVec
	again         *prometheus.CounterVec
	methods       *prometheus.CounterVec
	authenticated *prometheus.CounterVec
	proxied       *prometheus.CounterVec
	seen          *prometheus.GaugeVec
	took          *prometheus.HistogramVec
	working       prometheus.Gauge
	held          prometheus.Gauge
}

// newMetrics registers them; with a nil registerer they only count.
func newMetrics(r prometheus.Registerer) *metrics {
	make := promauto.With(r)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return make.NewCounterVec(prometheus.CounterOpts{Namespace: "sekisho", Subsystem: "radius", Name: name, Help: help},
			append([]string{"client"}, labels...))
	}
	gauge := func(name, help string) prometheus.GaugeOpts {
		return prometheus.GaugeOpts{Namespace: "sekisho", Subsystem: "radius", Name: name, Help: help}
	}
	return &metrics{
		dropped:       counter("dropped_total", "Datagrams that got no answer, by reason.", "reason"),
		replies:       counter("replies_total", "Replies that left, kept ones included, by kind.", "reply"),
		again:         counter("retransmissions_total", "Requests that came again.", "state"),
		methods:       counter("methods_total", "Access-Requests by kind of credential.", "method"),
		authenticated: counter("message_authenticator_total", "Access-Requests by whether they carry a Message-Authenticator.", "present"),
		proxied:       counter("proxy_state_total", "Access-Requests that carry a Proxy-State."),
		seen:          make.NewGaugeVec(gauge("last_seen_timestamp_seconds", "When a client last sent a packet that was believed."), []string{"client"}),
		took: make.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "sekisho", Subsystem: "radius", Name: "judge_seconds",
			Help:    "From the arrival of a request to its judgement, without the delay of refusals.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"client"}),
		working: make.NewGauge(gauge("in_work", "Requests that wait or are being judged.")),
		held:    make.NewGauge(gauge("held", "Refusals that are held back.")),
	}
}

// counters are those of one client, looked up once.
type counters struct {
	seen             prometheus.Gauge
	took             prometheus.Observer
	again, inWork    prometheus.Counter
	mac, noMAC       prometheus.Counter
	proxied          prometheus.Counter
	accepts, rejects prometheus.Counter
	statuses         prometheus.Counter
}

func (m *metrics) of(client string) counters {
	return counters{
		seen:     m.seen.WithLabelValues(client),
		took:     m.took.WithLabelValues(client),
		again:    m.again.WithLabelValues(client, "answered"),
		inWork:   m.again.WithLabelValues(client, "in_work"),
		mac:      m.authenticated.WithLabelValues(client, "yes"),
		noMAC:    m.authenticated.WithLabelValues(client, "no"),
		proxied:  m.proxied.WithLabelValues(client),
		accepts:  m.replies.WithLabelValues(client, "accept"),
		rejects:  m.replies.WithLabelValues(client, "reject"),
		statuses: m.replies.WithLabelValues(client, "status"),
	}
}

// left counts a reply to an Access-Request.
func (c *counters) left(code radius.Code) {
	if code == radius.CodeAccessAccept {
		c.accepts.Inc()
	} else {
		c.rejects.Inc()
	}
}
