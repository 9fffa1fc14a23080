package weblogin

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the door's counters. What the gate decided is counted there.
type metrics struct {
	pages *prometheus.CounterVec
}

// newMetrics registers them; with a nil registerer they only count.
func newMetrics(r prometheus.Registerer) metrics {
	return metrics{pages: promauto.With(r).NewCounterVec(prometheus.CounterOpts{
		Namespace: "sekisho", Subsystem: "web", Name: "pages_total",
		Help: "Answers of the sign-in pages, by listener, page and status.",
	}, []string{"listener", "page", "status"})}
}

// counted counts what next, a mux, answers. The page is the pattern of its
// route, so their number is bounded; "" is a form that was not from our pages.
func (m metrics) counted(l Listener, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noted := &statusWriter{w, http.StatusOK}
		next.ServeHTTP(noted, r)
		m.pages.WithLabelValues(l.Name, r.Pattern, strconv.Itoa(noted.status)).Inc()
	})
}

// statusWriter notes the status that is sent.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
