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
	records       *prometheus.CounterVec
	orders        *prometheus.CounterVec
	strays        *prometheus.CounterVec
	methods       *prometheus.CounterVec
	authenticated *prometheus.CounterVec
	proxied       *prometheus.CounterVec
	seen          *prometheus.GaugeVec
	took          *prometheus.HistogramVec
	wrote         *prometheus.HistogramVec
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
	seconds := func(name, help string) *prometheus.HistogramVec {
		return make.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "sekisho", Subsystem: "radius", Name: name, Help: help,
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"client"})
	}
	return &metrics{
		dropped:       counter("dropped_total", "Datagrams that got no answer, by reason.", "reason"),
		replies:       counter("replies_total", "Replies that left, kept ones included, by kind.", "reply"),
		again:         counter("retransmissions_total", "Requests that came again.", "state"),
		records:       counter("records_total", "Accounting-Requests that were written, by status.", "status"),
		orders:        counter("orders_total", "Disconnect-Requests and CoA-Requests, by what became of them.", "kind", "result"),
		strays:        counter("order_strays_total", "Datagrams that came in answer to an order and don't answer it, by reason.", "reason"),
		methods:       counter("methods_total", "Access-Requests by kind of credential.", "method"),
		authenticated: counter("message_authenticator_total", "Access-Requests by whether they carry a Message-Authenticator.", "present"),
		proxied:       counter("proxy_state_total", "Access-Requests that carry a Proxy-State."),
		seen:          make.NewGaugeVec(gauge("last_seen_timestamp_seconds", "When a client last sent a packet that was believed."), []string{"client"}),
		took:          seconds("judge_seconds", "From the arrival of a request to its judgement, without the delay of refusals."),
		wrote:         seconds("record_seconds", "From the arrival of an accounting record until it is durable."),
		working:       make.NewGauge(gauge("in_work", "Requests that wait or are being judged.")),
		held:          make.NewGauge(gauge("held", "Refusals that are held back.")),
	}
}

// counters are those of one client, looked up once.
type counters struct {
	seen             prometheus.Gauge
	took, wrote      prometheus.Observer
	again, inWork    prometheus.Counter
	mac, noMAC       prometheus.Counter
	proxied          prometheus.Counter
	accepts, rejects prometheus.Counter
	challenges       prometheus.Counter
	responses        prometheus.Counter
	statuses         prometheus.Counter

	drops map[drop]prometheus.Counter // of what somebody can flood us with; the others are looked up
}

func (m *metrics) of(client string) counters {
	return counters{
		seen:       m.seen.WithLabelValues(client),
		took:       m.took.WithLabelValues(client),
		wrote:      m.wrote.WithLabelValues(client),
		again:      m.again.WithLabelValues(client, "answered"),
		inWork:     m.again.WithLabelValues(client, "in_work"),
		mac:        m.authenticated.WithLabelValues(client, "yes"),
		noMAC:      m.authenticated.WithLabelValues(client, "no"),
		proxied:    m.proxied.WithLabelValues(client),
		accepts:    m.replies.WithLabelValues(client, "accept"),
		rejects:    m.replies.WithLabelValues(client, "reject"),
		challenges: m.replies.WithLabelValues(client, "challenge"),
		responses:  m.replies.WithLabelValues(client, "accounting"),
		statuses:   m.replies.WithLabelValues(client, "status"),
		drops:      m.drops(client, dropSecret, dropMACMissing, dropPort, dropCode, dropInWork, dropOverload, dropStatusRate),
	}
}

func (m *metrics) drops(client string, reasons ...drop) map[drop]prometheus.Counter {
	counters := make(map[drop]prometheus.Counter)
	for _, why := range reasons {
		counters[why] = m.dropped.WithLabelValues(client, string(why))
	}
	return counters
}

// left counts a reply to a request.
func (c *counters) left(code radius.Code) {
	switch code {
	case radius.CodeAccessAccept:
		c.accepts.Inc()
	case radius.CodeAccessChallenge:
		c.challenges.Inc()
	case radius.CodeAccountingResponse:
		c.responses.Inc()
	default:
		c.rejects.Inc()
	}
}
